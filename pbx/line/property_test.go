package line

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest/memnet"
)

// step is something that happens to a call: by the phone, by call control, or by the network.
type step struct {
	name string
	do   func(c *call, leg *pbx.Leg)
}

var incomingSteps = []step{
	{"ringing", func(_ *call, leg *pbx.Leg) { leg.Progress(pbx.Progress{Status: 180}) }},
	{"early media", func(_ *call, leg *pbx.Leg) {
		leg.Progress(pbx.Progress{Status: 183, Codecs: []media.Codec{media.PCMU}})
	}},
	{"forwarded", func(_ *call, leg *pbx.Leg) { leg.Progress(pbx.Progress{Status: 181}) }},
	{"a machine", func(_ *call, leg *pbx.Leg) { leg.Automaton() }},
	{"answer", func(_ *call, leg *pbx.Leg) { _ = leg.Answer(nil) }},
	{"refuse", func(_ *call, leg *pbx.Leg) { leg.Refuse(pbx.NotFound) }},
	{"redirect", func(_ *call, leg *pbx.Leg) {
		leg.Refuse(pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true, Contacts: []pbx.Redirection{{Number: "1002"}}})
	}},
	{"hang up", func(_ *call, leg *pbx.Leg) { leg.Hangup(pbx.Hangup) }},
	{"renegotiate", func(_ *call, leg *pbx.Leg) { leg.Renegotiate([]media.Codec{media.PCMA}) }},
	{"info", func(_ *call, leg *pbx.Leg) { leg.Info("text/plain", []byte("x")) }},
	{"cancel", func(c *call, _ *pbx.Leg) { c.cancel() }},
	{"ack", func(c *call, _ *pbx.Leg) { c.sendSeq("ACK", 1, "") }},
	{"ack newest", func(c *call, _ *pbx.Leg) { c.sendSeq("ACK", c.seq, sdp(c.p, 4000, "0")) }},
	{"bye", func(c *call, _ *pbx.Leg) { c.send("BYE", "") }},
	{"re-INVITE", func(c *call, _ *pbx.Leg) { c.send("INVITE", newer(sdp(c.p, 4000, "0 8"))) }},
	{"re-INVITE without SDP", func(c *call, _ *pbx.Leg) { c.send("INVITE", "") }},
	{"hold", func(c *call, _ *pbx.Leg) { c.send("UPDATE", newer(sdp(c.p, 4000, "0 8", "a=sendonly"))) }},
	{"key", func(c *call, _ *pbx.Leg) { c.send("INFO", "5", "Content-Type: application/dtmf") }},
	{"drain", func(c *call, _ *pbx.Leg) { c.p.s.line.HangupAll(pbx.GoingDown) }},
	{"cancel of the first", func(c *call, _ *pbx.Leg) { c.cancelFirst() }},
	{"prack", func(c *call, _ *pbx.Leg) {
		for _, m := range c.p.drain() {
			if header(m, "RSeq") != "" {
				c.send("PRACK", "", prackOf(m))
			}
		}
	}},
	{"old request", func(c *call, _ *pbx.Leg) { c.sendSeq("OPTIONS", 1, "") }},
}

var shared = []step{
	{"a moment", func(*call, *pbx.Leg) { time.Sleep(100 * time.Millisecond) }},
	{"seconds", func(*call, *pbx.Leg) { time.Sleep(3 * time.Second) }},
	{"half a minute", func(*call, *pbx.Leg) { time.Sleep(33 * time.Second) }},
	{"the phone answers what it got", func(c *call, _ *pbx.Leg) { c.p.answerAll("200 OK") }},
	{"the phone refuses what it got", func(c *call, _ *pbx.Leg) { c.p.answerAll("488 No") }},
	{"the phone is busy with itself", func(c *call, _ *pbx.Leg) { c.p.answerAll("491 Pending") }},
	{"the phone has forgotten", func(c *call, _ *pbx.Leg) { c.p.answerAll("481 Gone") }},
}

// answerAll answers every request that lies in the inbox, and learns our tag from responses.
func (p *phone) answerAll(status string) {
	synctest.Wait()
	p.mu.Lock()
	all := p.inbox
	p.inbox = nil
	p.mu.Unlock()
	for _, m := range all {
		method, _, _ := strings.Cut(m.text, " ")
		if method == "ACK" || strings.HasPrefix(method, "SIP/") {
			continue
		}
		answer := ""
		if method == "INVITE" && strings.HasPrefix(status, "200") {
			answer = newer(sdp(p, 4000, "0 8"))
		}
		p.respond(m.text, status, "late", answer)
	}
}

func draw(rt *rapid.T, steps []step) (some []step, names []string) {
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(steps)-1), 1, 25).Draw(rt, "schedule") {
		some = append(some, steps[i])
		names = append(names, steps[i].name)
	}
	return some, names
}

// Whatever happens to an incoming call, in whatever order, it ends exactly once and leaves nothing: play checks it.
func TestAnyScheduleOfAnIncomingCallLeavesNothing(t *testing.T) {
	all := append(append([]step{}, incomingSteps...), shared...)
	rapid.Check(t, func(rt *rapid.T) {
		steps, names := draw(rt, all)
		option := rapid.SampledFrom([]string{"Supported: x", "Supported: 100rel", "Require: 100rel", "Supported: timer", "Expires: 3"}).Draw(rt, "option")
		delayed := rapid.Bool().Draw(rt, "delayed")
		loss := rapid.SampledFrom([]float64{0, 0.2}).Draw(rt, "loss")
		play(t, func(s *scene) {
			a := s.phone("1000", "192.0.2.10")
			offer := sdp(a, 4000, "0 8")
			if delayed {
				offer = ""
			}
			c := a.invite("1001", offer, option)
			synctest.Wait()
			s.net.SetDefault(memnet.Link{Loss: loss, Duplicate: loss, Reorder: loss, Delay: time.Millisecond})
			leg := s.x.legs[0]
			c.remote += ";tag=" + leg.ID
			for _, st := range steps {
				st.do(c, leg)
			}
		})
		if t.Failed() {
			rt.Fatalf("%s, delayed %v, loss %v: %q", option, delayed, loss, names)
		}
	})
}

// The same of a call that we make.
func TestAnyScheduleOfAnOutgoingCallLeavesNothing(t *testing.T) {
	response := func(status, tag string, body bool, more ...string) step {
		return step{status + " " + tag, func(c *call, _ *pbx.Leg) {
			text := ""
			if body {
				text = sdp(c.p, 5000, "0")
			}
			c.p.respond(c.request, status, tag, text, more...)
		}}
	}
	all := append([]step{
		response("100 Trying", "", false), response("180 Ringing", "b1", false), response("180 Ringing", "b2", false),
		response("183 Progress", "b1", true), response("183 Progress", "b2", true),
		response("180 Ringing", "b1", false, "Require: 100rel", "RSeq: 1"), response("183 Progress", "b1", true, "Require: 100rel", "RSeq: 2"),
		response("200 OK", "b1", true), response("200 OK", "b2", true), response("200 OK", "b1", false),
		response("486 Busy", "b1", false), response("302 Moved", "b1", false), response("401 Who", "b1", false),
		response("422 Small", "b1", false, "Min-SE: 2000"), response("487 Cancelled", "b1", false),
		{"give up", nil}, {"hang up", nil}, {"drain", nil}, response("408 Late", "b1", false), {"bye of b1", func(c *call, _ *pbx.Leg) { c.send("BYE", "") }},
		{"hold by b1", func(c *call, _ *pbx.Leg) { c.send("INVITE", newer(sdp(c.p, 5000, "0", "a=inactive"))) }},
		{"ack of b1", func(c *call, _ *pbx.Leg) { c.send("ACK", "") }},
	}, shared...)
	rapid.Check(t, func(rt *rapid.T) {
		steps, names := draw(rt, all)
		loss := rapid.SampledFrom([]float64{0, 0.2}).Draw(rt, "loss")
		play(t, func(s *scene) {
			b := s.phone("1001", "192.0.2.20")
			d := s.dial(s.bind(b))
			inv := b.expect("INVITE")
			s.net.SetDefault(memnet.Link{Loss: loss, Duplicate: loss, Reorder: loss, Delay: time.Millisecond})
			c := b.side(inv, "b1")
			c.request = inv
			for _, st := range steps {
				switch st.name {
				case "give up":
					d.cancel(pbx.GaveUp)
				case "drain":
					s.line.HangupAll(pbx.GoingDown)
				case "hang up":
					select {
					case <-d.done:
						if d.leg != nil {
							d.leg.Hangup(pbx.Hangup)
						}
					default:
					}
				default:
					keep := c.request
					st.do(c, nil)
					c.request = keep
				}
			}
			d.cancel(context.Canceled)
			d.result()
		})
		if t.Failed() {
			rt.Fatalf("loss %v: %q", loss, names)
		}
	})
}
