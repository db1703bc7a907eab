package line

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest/memnet"
)

// Whatever happens to a subscription, in whatever order and over whatever network: it ends, its phone is told nothing after it was told
// that it has ended, and nothing is left over (play checks it).
func TestAnyScheduleOfASubscriptionLeavesNothing(t *testing.T) {
	type act struct {
		name string
		do   func(s *scene, b *board, c *call)
	}
	subscribe := func(event string, expires int) func(*scene, *board, *call) {
		return func(_ *scene, _ *board, c *call) { c.subscribe(event, expires) }
	}
	answer := func(status string, more ...string) func(*scene, *board, *call) {
		return func(_ *scene, _ *board, c *call) {
			for _, m := range c.p.drain() {
				if strings.HasPrefix(m, "NOTIFY") {
					c.p.respond(m, status, "x", "", more...)
				} else if strings.HasPrefix(m, "SIP/2.0 200") && header(m, "Call-ID") == c.id {
					c.take(m)
				}
			}
		}
	}
	pass := func(d time.Duration) func(*scene, *board, *call) {
		return func(*scene, *board, *call) { time.Sleep(d) }
	}
	acts := []act{
		{"refresh", subscribe("message-summary", 600)}, {"short refresh", subscribe("message-summary", 60)},
		{"unsubscribe", subscribe("message-summary", 0)}, {"other event", subscribe("conference", 600)}, {"too brief", subscribe("message-summary", 1)},
		{"another one", func(_ *scene, _ *board, c *call) { c.p.subscribe("message-summary", "1000", 60) }},
		{"a room", func(_ *scene, _ *board, c *call) { c.p.subscribe("conference", "800", 60) }},
		{"fetch", func(_ *scene, _ *board, c *call) { c.p.subscribe("message-summary", "1000", 0) }},
		{"old request", func(_ *scene, _ *board, c *call) {
			c.sendSeq("SUBSCRIBE", 1, "", "Event: message-summary", "Expires: 60")
		}},
		{"bye", func(_ *scene, _ *board, c *call) { c.send("BYE", "") }},
		{"options", func(_ *scene, _ *board, c *call) { c.send("OPTIONS", "") }},
		{"message", func(s *scene, b *board, _ *call) { s.messages(b, "1000", s.ids) }},
		{"mailbox gone", func(s *scene, b *board, _ *call) {
			b.set(func() { delete(b.boxes, "1000") })
			s.line.MailboxChanged("1000")
		}},
		{"somebody joins", func(s *scene, b *board, _ *call) { s.line.ConferenceChanged("800") }},
		{"room gone", func(s *scene, b *board, _ *call) {
			b.set(func() { delete(b.rooms, "800") })
			s.line.ConferenceChanged("800")
		}},
		{"registered", func(s *scene, _ *board, c *call) { s.line.BindingAdded(s.bind(c.p).ID) }},
		{"extension gone", func(s *scene, _ *board, _ *call) { s.line.Forget("1000") }},
		{"shutdown", func(s *scene, _ *board, _ *call) { s.line.HangupAll(pbx.GoingDown) }},
		{"drain", func(s *scene, _ *board, _ *call) { s.line.Drain() }},
		{"200", answer("200 OK")}, {"200 again", answer("200 OK")}, {"481", answer("481 Gone")}, {"500", answer("500 No")},
		{"503", answer("503 Later", "Retry-After: 20")}, {"405", answer("405 No")},
		{"a moment", pass(100 * time.Millisecond)}, {"seconds", pass(3 * time.Second)}, {"half a minute", pass(33 * time.Second)}, {"minutes", pass(3 * time.Minute)},
	}
	rapid.Check(t, func(rt *rapid.T) {
		var names []string
		var todo []act
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(acts)-1), 1, 25).Draw(rt, "schedule") {
			todo, names = append(todo, acts[i]), append(names, acts[i].name)
		}
		loss := rapid.SampledFrom([]float64{0, 0.2}).Draw(rt, "loss")
		transport := rapid.SampledFrom([]string{"udp", "tcp"}).Draw(rt, "transport")
		watched(t, func(s *scene, b *board) {
			a := s.phoneOver(transport, "1000", "192.0.2.10")
			last := map[string]string{} // CSeq of a dialog's NOTIFY that said terminated
			s.net.Tap(func(p memnet.Packet) {
				m := string(p.Data)
				if !strings.HasPrefix(m, "NOTIFY") || !strings.Contains(m, "\r\nTo: <sip:1000@pbx.test>;tag=") {
					return
				}
				id, seq := header(m, "Call-ID"), header(m, "CSeq")
				if was := last[id]; was != "" && was != seq {
					t.Errorf("NOTIFY %s after %s, which said terminated", seq, was)
				}
				if strings.HasPrefix(header(m, "Subscription-State"), "terminated") {
					last[id] = seq
				}
			})
			c := a.subscribe("message-summary", "1000", 60)
			synctest.Wait()
			answer("200 OK")(s, b, c)
			if transport == "udp" {
				s.net.SetDefault(memnet.Link{Loss: loss, Duplicate: loss, Reorder: loss, Delay: time.Millisecond})
			}
			for _, st := range todo {
				st.do(s, b, c)
			}
		})
		if t.Failed() {
			rt.Fatalf("%s, loss %v: %q", transport, loss, names)
		}
	})
}
