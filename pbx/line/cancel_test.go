package line

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/wire"
)

func TestCANCELEndsRingingCallWith487AndKeepsItsReason(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		ringing := a.expect("SIP/2.0 180")
		c.cancel("Reason: Q.850;cause=31")
		ok := a.expect("SIP/2.0 200")
		wantHeader(t, ok, "CSeq", "1 CANCEL")
		end := a.expect("SIP/2.0 487")
		if tagIn(header(end, "To")) != tagIn(header(ringing, "To")) {
			t.Error("487 has another To-tag")
		}
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 31")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}

// overtaken lets the CANCEL of an INVITE in while the INVITE is still being checked, as another reader may.
type overtaken struct {
	guard
	s *scene
}

func (o overtaken) Check(req *sip.Request, from wire.Hop) digest.Result {
	if req.Method == sip.INVITE {
		cancel := sip.NewRequest(sip.CANCEL, req.Recipient)
		for _, name := range []string{"Via", "From", "To", "Call-ID"} {
			sip.CopyHeaders(name, req, cancel)
		}
		cancel.AppendHeader(&sip.CSeqHeader{SeqNo: req.CSeq().SeqNo, MethodName: sip.CANCEL})
		o.s.line.Receive(cancel, from)
	}
	return o.guard.Check(req, from)
}

func TestCANCELThatOvertakesItsINVITEEndsTheLegAtItsFirstNews(t *testing.T) {
	for name, news := range map[string]func(*pbx.Leg){
		"ringing":  func(l *pbx.Leg) { l.Progress(pbx.Progress{Status: 180}) },
		"answered": func(l *pbx.Leg) { l.Answer(nil) },
		"refused":  func(l *pbx.Leg) { l.Refuse(pbx.Outcome{Kind: pbx.Busy, Status: 486}) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *scene) {
				s.line.o.Authenticator = overtaken{s: s}
				s.x.incoming = news
				a := s.phone("1000", "192.0.2.10")
				c := a.invite("1001", sdp(a, 4000, "0"))
				wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
				c.take(a.expect("SIP/2.0 487"))
				c.sendSeq("ACK", 1, "")
				a.silent()
				if n := s.line.Stats().Legs; n != 0 {
					t.Errorf("%d legs", n)
				}
			})
		})
	}
}

func TestCANCELAfterThe200ChangesNothing(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Answer(nil)
		ok := a.expect("SIP/2.0 200")
		c.cancel()
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
		c.take(ok)
		c.send("ACK", "")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70")
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

func TestBYEOnEarlyDialogEndsTheINVITEWith487(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		c.take(a.expect("SIP/2.0 180"))
		c.send("BYE", "")
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "2 BYE")
		wantHeader(t, a.expect("SIP/2.0 487"), "CSeq", "1 INVITE")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 16")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}

func TestINVITEThatExpiresEndsWith487(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.invite("1001", sdp(a, 4000, "0"), "Expires: 20")
		synctest.Wait()
		s.x.legs[0].Progress(pbx.Progress{Status: 180})
		a.expect("SIP/2.0 180")
		time.Sleep(19 * time.Second)
		a.silent()
		time.Sleep(1100 * time.Millisecond)
		a.expect("SIP/2.0 487")
		wantEvents(t, s, "incoming 1001 from 1000 hops 70", "ended cancelled 487 (caller) cause 0")
		time.Sleep(40 * time.Second)
		a.times("SIP/2.0 487", time.Now())
	})
}
