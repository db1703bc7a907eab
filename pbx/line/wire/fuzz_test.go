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

// FuzzURI: no bytes crash the reader of URIs, and what it takes is written so that it is read as the same again.
func FuzzURI(f *testing.F) {
	for _, s := range []string{"sip:1000@192.0.2.1", "sips:a%20b;x=y:pw@[2001:db8::1]:5061;transport=tcp;lr?Subject=x&Route=%3Csip:y%3E",
		"tel:+1-201-555-0123;phone-context=x", "sip:[::1]", "sip:@", "isbn:2983792873", "sip:user@host:99999", "sip:a;gr=urn:uuid:1@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var u, again sip.Uri
		if ParseURI(s, &u) != "" {
			return
		}
		out := string(appendURI(nil, &u))
		if what := ParseURI(out, &again); what != "" {
			t.Fatalf("%q is written as %q: %s", s, out, what)
		}
		if twice := string(appendURI(nil, &again)); twice != out {
			t.Fatalf("%q is written as %q and then as %q", s, out, twice)
		}
	})
}
