package wire

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

var (
	fromUDP = Hop{Transport: "udp", Remote: netip.MustParseAddrPort("198.51.100.7:5061"), Local: netip.MustParseAddrPort("198.51.100.1:5060")}
	fromTCP = Hop{Transport: "tcp", Remote: netip.MustParseAddrPort("198.51.100.7:40123"), Local: netip.MustParseAddrPort("198.51.100.1:5060"), Conn: 1}
)

// verdicts that need more than the bytes of one message: they are the line's.
var above = []string{"challenge", "401", "403", "404", "405", "406", "415", "416", "420", "501"}

// TestTorture holds Parse against what RFC 4475 and RFC 5118 expect (testdata/torture/expected.tsv).
func TestTorture(t *testing.T) {
	table, err := os.ReadFile("testdata/torture/expected.tsv")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) < 6 {
			continue
		}
		seen++
		b, err := os.ReadFile(filepath.Join("testdata/torture", f[0]+".dat"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(f[0]+"/udp", func(t *testing.T) { judge(t, f[0], f[4], b, fromUDP) })
		t.Run(f[0]+"/tcp", func(t *testing.T) {
			n, bad := Frame(b)
			noEmptyLine := !bytes.Contains(b, crlf2) // in three of the files; a datagram passes without
			switch {
			case bad != "":
				m := malformed(b, fromTCP, 0, bad)
				if !m.Close || m.Reply == nil || !strings.Contains(f[5], "400") {
					t.Errorf("framing says %q, close %v; expected %s", bad, m.Close, f[5])
				}
			case n == 0: // waits for more, and closes when it does not come
				if !strings.Contains(f[5], "closed") && !noEmptyLine {
					t.Errorf("incomplete; expected %s", f[5])
				}
			default:
				judge(t, f[0], f[5], b[:n], fromTCP)
			}
		})
	}
	if seen != 61 {
		t.Errorf("%d messages in the table", seen)
	}
}

func judge(t *testing.T, name, expected string, b []byte, from Hop) {
	m, bad := Parse(b, from)
	want := map[string]bool{}
	for _, w := range strings.Split(expected, ",") {
		want[w] = true
	}
	if m != nil {
		if _, response := m.(*sip.Response); response {
			if !want["silence"] {
				t.Errorf("a response passed; expected %s", expected)
			}
			return // the line drops what matches nothing
		}
		ok := want["parsed"]
		for _, v := range above {
			ok = ok || want[v] && !want["400"]
		}
		if name == "unksm2" || name == "sdp01" { // the registrar's and the offer's matter; 400 is proper, too
			ok = true
		}
		if !ok {
			t.Errorf("parsed; expected %s", expected)
		}
		return
	}
	switch {
	case bad.Reply == nil:
		if !want["silence"] {
			t.Errorf("silence (%s); expected %s", bad.What, expected)
		}
	case !want[strconv.Itoa(bad.Code)]:
		t.Errorf("%d (%s); expected %s", bad.Code, bad.What, expected)
	default:
		t.Logf("%d %s", bad.Code, bad.What)
		if !bytes.HasPrefix(bad.Reply, []byte("SIP/2.0 "+strconv.Itoa(bad.Code)+" ")) {
			t.Errorf("reply %q", bad.Reply)
		}
		for _, line := range []string{"\r\nVia: ", "\r\nCSeq: ", "\r\nContent-Length: 0\r\n\r\n"} {
			if bytes.Count(bad.Reply, []byte(line)) < 1 {
				t.Errorf("reply without %q: %q", line, bad.Reply)
			}
		}
	}
}
