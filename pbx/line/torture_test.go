package line

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx/line/wire"
)

const tortured = "wire/testdata/torture/"

// TestTorture sends every message of RFC 4475 and RFC 5118 to a whole exchange (sockets, transactions, digest, registrar,
// switchboard, plans; only disk and sound are played), once as a stranger's and once as if its sender had authenticated,
// and compares what comes back with expected.tsv. Then the exchange still has to connect a call.
func TestTorture(t *testing.T) {
	table, err := os.ReadFile(tortured + "expected.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for row := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(row), "\t")
		if strings.HasPrefix(row, "#") || len(f) < 6 {
			continue
		}
		seen++
		b, err := os.ReadFile(filepath.Join(tortured, f[0]+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		whole := b
		if !bytes.Contains(b, []byte("\r\n\r\n")) { // in three of the files
			whole = append(bytes.Clone(b), "\r\n"...)
		}
		for _, who := range []string{"stranger", "phone"} {
			t.Run(f[0]+"/"+who, func(t *testing.T) {
				t.Run("udp", func(t *testing.T) { torture(t, f[4], "udp", who, b) })
				t.Run("tcp", func(t *testing.T) { torture(t, f[5], "tcp", who, whole) })
				if len(whole) != len(b) { // over a stream it has no end, and is answered when its time is over
					t.Run("tcp without the empty line", func(t *testing.T) { torture(t, "400", "tcp", who, b) })
				}
			})
		}
	}
	if seen != 61 {
		t.Errorf("%d messages in the table", seen)
	}
}

var (
	torturer = netip.MustParseAddr("198.51.100.66")
	target   = netip.MustParseAddrPort(pbxAddr + ":5060")
)

func torture(t *testing.T, expected, transport, who string, b []byte) {
	synctest.Test(t, func(t *testing.T) {
		x := newWhole(t, target, who == "phone")
		defer x.close()
		x.call("before")
		got := x.send(transport, b)
		got.judge(t, expected)
		x.call("after")
		if n := x.line.Stats().Panics; n != 0 {
			t.Errorf("%d panics", n)
		}
		if s := x.sb.Stats(); s.Panics != 0 {
			t.Errorf("%d panics", s.Panics)
		}
	})
}

// reaction is what a message led to.
type reaction struct {
	finals []string // first lines, retransmissions left out
	closed bool     // the connection
}

func (r *reaction) judge(t *testing.T, expected string) {
	t.Logf("%q, closed %v", r.finals, r.closed)
	var codes []int
	for _, f := range r.finals {
		code, err := strconv.Atoi(f[8:11])
		if err != nil || !strings.HasPrefix(f, "SIP/2.0 ") {
			t.Fatalf("%q is no status line", f)
		}
		codes = append(codes, code)
	}
	met, most := false, 1
	for _, want := range strings.Split(expected, ",") {
		switch want {
		case "parsed":
			met = met || slices.ContainsFunc(codes, func(c int) bool { return c != 400 })
		case "challenge":
			met = met || slices.Contains(codes, 401) || slices.Contains(codes, 407)
		case "silence":
			met = met || len(codes) == 0
		case "closed":
			met = met || r.closed
		case "!200":
			if slices.Contains(codes, 200) {
				t.Error("200")
			}
		case "only-first":
		case "both":
			most = 2
			if len(codes) != 2 {
				t.Errorf("%d answers to two requests", len(codes))
			}
		default:
			code, err := strconv.Atoi(want)
			if err != nil {
				t.Fatalf("the table says %q", want)
			}
			met = met || slices.Contains(codes, code)
		}
	}
	if !met || len(codes) > most {
		t.Errorf("answered %q, closed %v; expected %s", r.finals, r.closed, expected)
	}
}

// send sends the message, waits until nothing can come any more, and gives what came.
func (x *whole) send(transport string, b []byte) (r reaction) {
	from := netip.AddrPortFrom(torturer, 40000)
	var all []byte
	if transport == "udp" {
		c, err := x.net.ListenPacket(from)
		x.must(err)
		_, err = c.WriteToUDPAddrPort(b, target)
		x.must(err)
		time.Sleep(time.Minute)
		x.must(c.Close())
	} else {
		c, err := x.net.Dial(context.Background(), from, target)
		x.must(err)
		_, err = c.Write(b)
		x.must(err)
		x.must(c.SetReadDeadline(time.Now().Add(time.Minute)))
		all, err = io.ReadAll(c)
		r.closed = err == nil
		x.must(c.Close())
	}
	synctest.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	var messages []string
	for _, p := range x.sent {
		if p.To.Addr() != torturer || p.Transport != transport {
			x.Errorf("sent to %s by %s\n%s", p.To, p.Transport, p.Data)
		} else if transport == "udp" {
			messages = append(messages, string(p.Data))
		}
	}
	for len(all) > 0 {
		n, bad := wire.Frame(all)
		if n == 0 {
			x.Fatalf("came back: %s, %q", bad, all)
		}
		messages = append(messages, string(all[:n]))
		all = all[n:]
	}
	once := map[string]bool{}
	for _, m := range messages {
		if first, _, _ := strings.Cut(m, "\r\n"); !strings.HasPrefix(first, "SIP/2.0 1") && !once[m] {
			once[m] = true
			r.finals = append(r.finals, first)
		}
	}
	return r
}
