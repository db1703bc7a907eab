package line

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

func TestRepeated200GetsAnotherACK(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		for range 3 {
			b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
			b.expect("ACK")
		}
		b.silent()
		leg, _ := d.result()
		leg.Hangup(pbx.Hangup)
		b.respond(b.expect("BYE"), "200 OK", "", "")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		b.expect("ACK")
	})
}

func TestForked200OfAnotherTagGetsACKAndBYE(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "180 Ringing", "b1", "")
		b.respond(inv, "180 Ringing", "b2", "")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		leg, _ := d.result()
		if tagIn(header(b.expect("ACK"), "To")) != "b1" {
			t.Error("ACK to the wrong dialog")
		}
		b.respond(inv, "200 OK", "b2", sdp(b, 5002, "0"))
		if tagIn(header(b.expect("ACK"), "To")) != "b2" {
			t.Error("ACK to the wrong dialog")
		}
		bye := b.expect("BYE")
		if tagIn(header(bye, "To")) != "b2" {
			t.Error("BYE to the wrong dialog")
		}
		b.respond(bye, "200 OK", "", "")
		if s.media.last().now().Remote.Port() != 5000 {
			t.Error("media moved to the loser")
		}
		wantEvents(t, s)
		_ = leg
	})
}

func TestEarlyMediaOfBranchesOneAtATime(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		port := func() uint16 { synctest.Wait(); return s.media.last().now().Remote.Port() }
		b.respond(inv, "183 Session Progress", "b1", sdp(b, 5000, "0"))
		if port() != 5000 {
			t.Error("no early media")
		}
		b.respond(inv, "183 Session Progress", "b2", sdp(b, 5002, "0"))
		if port() != 5002 {
			t.Error("the newest branch is not heard")
		}
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		d.result()
		if port() != 5000 {
			t.Error("the one that answered is not heard")
		}
		b.expect("ACK")
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.news) != 2 || d.news[0].Early == nil || d.news[0].Early != d.news[1].Early {
			t.Errorf("progress %+v", d.news)
		}
	})
}

func TestManyProvisionalResponsesDoNotEndTheCall(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		for range 40 {
			b.respond(inv, "180 Ringing", "b1", "")
			time.Sleep(10 * time.Second)
		}
		d.pending(t)
		if n := len(d.statuses()); n != 40 {
			t.Errorf("%d news", n)
		}
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		if _, o := d.result(); !o.OK() {
			t.Errorf("outcome %v", o)
		}
		b.expect("ACK")
	})
}

func TestReliableProvisionalsGetPRACKInOrder(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		cseq, _, _ := strings.Cut(header(inv, "CSeq"), " ")
		b.respond(inv, "180 Ringing", "b1", "", "Require: 100rel", "RSeq: 7")
		prack := b.expect("PRACK sip:1001@192.0.2.20:5060")
		wantHeader(t, prack, "RAck", "7 "+cseq+" INVITE")
		if tagIn(header(prack, "To")) != "b1" || header(prack, "CSeq") == header(inv, "CSeq") {
			t.Errorf("PRACK\n%s", prack)
		}
		b.respond(prack, "200 OK", "", "")
		b.respond(inv, "180 Ringing", "b1", "", "Require: 100rel", "RSeq: 7") // repeated
		b.respond(inv, "183 Later", "b1", "", "Require: 100rel", "RSeq: 9")   // 8 was lost
		b.silent()
		b.respond(inv, "183 Progress", "b1", sdp(b, 5000, "0"), "Require: 100rel", "RSeq: 8")
		prack = b.expect("PRACK")
		wantHeader(t, prack, "RAck", "8 "+cseq+" INVITE")
		b.respond(prack, "200 OK", "", "")
		if got := d.statuses(); !slices.Equal(got, []int{180, 183}) {
			t.Errorf("progress %v", got)
		}
		b.respond(inv, "200 OK", "b1", "") // the answer was in the 183
		if _, o := d.result(); !o.OK() {
			t.Errorf("outcome %v", o)
		}
		ack := b.expect("ACK")
		wantHeader(t, ack, "CSeq", cseq+" ACK")
		if s.media.last().now().Remote.Port() != 5000 {
			t.Error("nothing agreed")
		}
	})
}

func Test200WithoutAnswerIsACKedAndHungUp(t *testing.T) {
	for name, answer := range map[string]string{"missing": "", "broken": "v=0\nnonsense\n"} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				b := s.phone("1001", "192.0.2.20")
				d := s.dial(s.bind(b))
				inv := b.expect("INVITE")
				b.respond(inv, "200 OK", "b1", answer)
				if leg, o := d.result(); leg != nil || o.Status != 488 {
					t.Errorf("outcome %v", o)
				}
				b.expect("ACK")
				b.respond(b.expect("BYE"), "200 OK", "", "")
				b.respond(inv, "200 OK", "b1", answer) // our ACK was lost
				b.expect("ACK")
				b.silent() // the BYE has gone already
				wantEvents(t, s)
			})
		})
	}
}

// RFC 3261 §12.2.1.1: the BYE to a branch that has lost goes on where its PRACK was.
func TestForked200AfterPRACKIsSentBYEInSequence(t *testing.T) {
	play(t, func(s *scene) {
		b := s.phone("1001", "192.0.2.20")
		d := s.dial(s.bind(b))
		inv := b.expect("INVITE")
		b.respond(inv, "183 Session Progress", "b2", sdp(b, 5002, "0"), "Require: 100rel", "RSeq: 7")
		prack := b.expect("PRACK")
		b.respond(prack, "200 OK", "", "")
		b.respond(inv, "200 OK", "b1", sdp(b, 5000, "0"))
		d.result()
		b.expect("ACK")
		b.respond(inv, "200 OK", "b2", "")
		b.expect("ACK")
		bye := b.expect("BYE")
		var seq, after int
		fmt.Sscan(header(prack, "CSeq"), &seq)
		fmt.Sscan(header(bye, "CSeq"), &after)
		if tagIn(header(bye, "To")) != "b2" || after != seq+1 {
			t.Errorf("PRACK has %d, the BYE is\n%s", seq, bye)
		}
		b.respond(bye, "200 OK", "", "")
		wantEvents(t, s)
	})
}
