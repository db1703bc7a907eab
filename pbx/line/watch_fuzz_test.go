package line

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

// outbox keeps what is sent.
type outbox struct {
	mu  sync.Mutex
	all []string
}

func (o *outbox) Send(_ wire.Hop, b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, string(bytes.Clone(b)))
	return nil
}

func (o *outbox) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.all
	o.all = nil
	return all
}

// FuzzSubscribe holds the line against SUBSCRIBEs of whatever headers, outside a dialog and in one: each has one response, a 200 has a
// NOTIFY right after it, what is sent can be parsed, and nothing panics.
func FuzzSubscribe(f *testing.F) {
	for _, s := range []string{
		"Event: message-summary\r\nExpires: 600\r\n", "o: conference;id=1\r\nExpires: 0\r\nAccept: */*\r\n", "Event: message-summary;id=1;id=2\r\n",
		"Event: message-summary\r\nAccept: a, b, ,\r\n", "Event: \"\r\n", "Expires: 99999999999\r\n", "Event: conference\r\nRequire: x, y\r\n",
		"Event: message-summary\r\nRecord-Route: <sip:192.0.2.9;lr>, <sip:x>\r\n", "Event: message-summary\r\nContact: *\r\n",
		"Event: conference\r\nEvent: presence\r\n", "Event: message-summary;x=\"a;b\";id=%41\r\nExpires: 1 2\r\n", "Subscription-State: active;expires=1\r\nEvent: message-summary\r\n",
	} {
		f.Add(uint8(0), s)
		f.Add(uint8(1), s)
		f.Add(uint8(2), s)
	}
	b, out := newBoard(), &outbox{}
	b.boxes["1000"], b.rooms["1000"] = pbx.MessageCount{}, pbx.ConferenceInfo{}
	l := New(Options{Send: out, Exchange: &exchange{}, Directory: directory{}, Authenticator: guard{}, State: b, Media: blank{},
		Registrar: &registry{bindings: map[string]entry{}}, Domain: "pbx.test", Qualify: -1, Log: slog.New(slog.DiscardHandler), MaxTx: 10_000_000})
	f.Cleanup(l.Close)
	// Over a stream nothing is sent again, however slow the machine is.
	hop := wire.Hop{Transport: "tcp", Conn: 1, Remote: netip.MustParseAddrPort(benchCaller), Local: benchLocal}
	n := 0
	send := func(method, to, more string, seq int) bool {
		n++
		id := strconv.Itoa(n)
		text := method + " sip:1000@pbx.test SIP/2.0\r\nVia: SIP/2.0/TCP " + benchCaller + ";rport;branch=z9hG4bK" + id + "\r\nMax-Forwards: 70\r\nFrom: <sip:1000@pbx.test>;tag=a\r\nTo: " + to +
			"\r\nCall-ID: fuzz\r\nCSeq: " + strconv.Itoa(seq) + " " + method + "\r\nAuthorization: Test 1000\r\n" + more
		if !strings.Contains(strings.ToLower(more), "contact") {
			text += "Contact: <sip:1000@" + benchCaller + ">\r\n"
		}
		m, bad := wire.Parse([]byte(text+"Content-Length: 0\r\n\r\n"), hop)
		if bad != nil {
			return false
		}
		l.Receive(m, hop)
		return true
	}
	f.Fuzz(func(t *testing.T, kind uint8, headers string) {
		if strings.Contains(headers, "\r\n\r\n") || !strings.HasSuffix(headers, "\r\n") || len(headers) > 4000 ||
			strings.Contains(strings.ToLower(headers), "content-length") || strings.Contains(strings.ToLower(headers), "call-id") {
			return
		}
		var notifies []string
		methods := []string{"SUBSCRIBE", "NOTIFY", "OPTIONS", "BYE", "REFER", "JUMP"}
		expect := func(sent, first bool) (to string) {
			t.Helper()
			all := out.take()
			if !sent {
				return ""
			}
			if len(all) == 0 || !strings.HasPrefix(all[0], "SIP/2.0 ") {
				t.Fatalf("no response, but %q", all)
			}
			// In a dialog the first NOTIFY waits for its answer.
			if notified := len(all) == 2 && strings.HasPrefix(all[1], "NOTIFY "); notified != (first && strings.HasPrefix(all[0], "SIP/2.0 200")) || len(all) > 2 {
				t.Fatalf("got %q", all)
			}
			for _, m := range all {
				if strings.HasPrefix(m, "NOTIFY") {
					notifies = append(notifies, m)
				}
				if _, bad := wire.Parse([]byte(m), hop); bad != nil {
					t.Fatalf("what was sent is malformed: %v\n%s", bad.What, m)
				}
			}
			return header(all[0], "To")
		}
		// In a dialog that there is, and one that there may be.
		seq := 1
		if kind%3 == 0 {
			expect(send("SUBSCRIBE", "<sip:1000@pbx.test>", headers, seq), true)
		} else {
			to := expect(send("SUBSCRIBE", "<sip:1000@pbx.test>", "Event: message-summary\r\nExpires: 600\r\n", seq), true)
			if !strings.Contains(to, ";tag=") {
				t.Fatalf("no dialog: %q", to)
			}
			for range 2 {
				seq++
				expect(send(methods[int(kind)%len(methods)], to, headers, seq), false)
			}
			expect(send("SUBSCRIBE", to, headers, seq+1), false)
		}
		if p := l.Stats().Panics; p != 0 {
			t.Fatalf("%d panics", p)
		}
		for _, n := range notifies {
			res := "SIP/2.0 481 Enough\r\n"
			for _, h := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
				res += h + ": " + header(n, h) + "\r\n"
			}
			m, bad := wire.Parse([]byte(res+"Content-Length: 0\r\n\r\n"), hop)
			if bad != nil {
				t.Fatal(bad.What)
			}
			l.Receive(m, hop)
		}
		if n := l.Stats().Subscriptions; n != 0 {
			t.Fatalf("%d subscriptions left", n)
		}
	})
}
