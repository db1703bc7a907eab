package wire

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// FuzzParse: no bytes crash the parser; what passes has what every message must have, and can be sent on; what does not is
// answered with a message that is itself well-formed, or not at all.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/torture/*.dat")
	for _, name := range files {
		b, _ := os.ReadFile(name)
		f.Add(b)
	}
	f.Add(invite)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, from := range []Hop{fromUDP, fromTCP} {
			m, bad := Parse(b, from)
			if bad != nil {
				if len(bad.Reply) > 0 {
					// Its headers are the far end's and may be what is wrong, but it must be one message.
					if n, what := Frame(bad.Reply); n != len(bad.Reply) || what != "" {
						t.Fatalf("reply %q: %d %s", bad.Reply, n, what)
					}
				}
				continue
			}
			if m.Via() == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil {
				t.Fatalf("a mandatory header is missing in %q", b)
			}
			if req, ok := m.(*sip.Request); ok {
				ResponseHop(req.Via(), from)
				out := Append(nil, NewResponse(req, 400, "Bad Request", "t"))
				if _, bad := Parse(out, from); bad != nil {
					t.Fatalf("%s in the response %q to %q", bad.What, out, b)
				}
			}
			out := Append(nil, m)
			if len(out) > maxHead+maxBody {
				continue
			}
			again, bad := Parse(out, from)
			if bad != nil {
				t.Fatalf("%s in %q from %q", bad.What, out, b)
			}
			if twice := Append(nil, again); string(twice) != string(out) {
				t.Fatalf("%q\n%q", out, twice)
			}
		}
		Frame(b)
	})
}
