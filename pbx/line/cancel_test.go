package line

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
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

// cancelOf is the CANCEL of an INVITE.
func cancelOf(invite *sip.Request) *sip.Request {
	cancel := sip.NewRequest(sip.CANCEL, invite.Recipient)
	for _, name := range []string{"Via", "From", "To", "Call-ID"} {
		sip.CopyHeaders(name, invite, cancel)
	}
	cancel.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	return cancel
}

// tapped is a line whose requests can be looked at as they come, before anything is made of them.
type tapped struct {
	guard
	tap func(req *sip.Request, from wire.Hop)
}

func (g tapped) Check(req *sip.Request, from wire.Hop) digest.Result {
	g.tap(req, from)
	return g.guard.Check(req, from)
}

// door is a studio with somebody at the door.
type door struct {
	*studio
	enter func()
}

func (d door) Open(remote netip.Addr, dead func()) (Stream, error) {
	d.enter()
	return d.studio.Open(remote, dead)
}

// A CANCEL may be taken by another reader at any point of its INVITE's way. The Exchange hears of the call and of its end, in
// this order, whatever it would have done with the call.
func TestCANCELAtAnyPointOfItsINVITEsWay(t *testing.T) {
	for _, point := range []string{"is being checked", "gets its port", "is told"} {
		for name, news := range map[string]func(*pbx.Leg){
			"ringing":  func(l *pbx.Leg) { l.Progress(pbx.Progress{Status: 180}) },
			"answered": func(l *pbx.Leg) { l.Answer(nil) },
			"refused":  func(l *pbx.Leg) { l.Refuse(pbx.Outcome{Kind: pbx.Busy, Status: 486}) },
			"nothing":  func(l *pbx.Leg) {},
		} {
			t.Run(point+", then "+name, func(t *testing.T) {
				play(t, func(s *scene) {
					var cancel *sip.Request
					var hop wire.Hop
					at := func(here string) {
						if here == point {
							s.line.Receive(cancel, hop)
						}
					}
					s.line.o.Authenticator = tapped{tap: func(req *sip.Request, from wire.Hop) {
						cancel, hop = cancelOf(req), from
						at("is being checked")
					}}
					s.line.o.Media = door{s.media, func() { at("gets its port") }}
					s.x.incoming = func(l *pbx.Leg) { at("is told"); news(l) }
					a := s.phone("1000", "192.0.2.10")
					c := a.invite("1001", sdp(a, 4000, "0"))
					wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
					c.take(a.expect("SIP/2.0 487"))
					c.sendSeq("ACK", 1, "")
					a.silent()
					wantEvents(t, s, incoming1, "ended cancelled 487 (caller) cause 0")
					if n := s.line.Stats().Legs; n != 0 {
						t.Errorf("%d legs", n)
					}
				})
			})
		}
	}
}

// A CANCEL of a stranger's INVITE brings no more than the challenge, which is sent once.
func TestCANCELOfAnINVITEThatIsChallenged(t *testing.T) {
	play(t, func(s *scene) {
		s.line.o.Authenticator = tapped{tap: func(req *sip.Request, from wire.Hop) { s.line.Receive(cancelOf(req), from) }}
		a := s.phone("1000", "192.0.2.10")
		a.send("INVITE sip:1001@pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKx\nFrom: <sip:1000@pbx.test>;tag=1\n" +
			"To: <sip:1001@pbx.test>\nCall-ID: x\nCSeq: 1 INVITE\nMax-Forwards: 70\nContact: <sip:1000@192.0.2.10>\n\n")
		wantHeader(t, a.expect("SIP/2.0 200"), "CSeq", "1 CANCEL")
		a.expect("SIP/2.0 401")
		time.Sleep(time.Minute)
		a.silent()
		wantEvents(t, s)
	})
}

// INVITE, CANCEL and the answer on three goroutines at once: whichever comes first, the end is one that everybody agrees on.
func TestINVITECANCELAndAnswerAtOnce(t *testing.T) {
	play(t, func(s *scene) {
		var wg sync.WaitGroup
		s.x.incoming = func(l *pbx.Leg) { wg.Go(func() { l.Progress(pbx.Progress{Status: 180}); l.Answer(nil) }) }
		from := wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort("192.0.2.10:5060"), Local: netip.MustParseAddrPort(pbxAddr + ":5060")}
		a := s.phone("1000", "192.0.2.10")
		for i := range 300 {
			text := fmt.Sprintf("INVITE sip:1001@pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK%d\r\nFrom: <sip:1000@pbx.test>;tag=1\r\n"+
				"To: <sip:1001@pbx.test>\r\nCall-ID: %d\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:1000@192.0.2.10>\r\n"+
				"Authorization: Test 1000\r\nContent-Length: 0\r\n\r\n", i, i)
			m, bad := wire.Parse([]byte(text), from)
			if bad != nil {
				t.Fatal(bad.What)
			}
			cancel := cancelOf(m.(*sip.Request))
			wg.Go(func() { s.line.Receive(m, from) })
			wg.Go(func() {
				for range i % 50 { // a little later each time
					runtime.Gosched()
				}
				s.line.Receive(cancel, from)
			})
		}
		wg.Wait()
		synctest.Wait()
		final := map[string]string{} // Call-ID to the final response of the INVITE
		cancelled := map[string]bool{}
		for {
			a.mu.Lock()
			left := len(a.inbox)
			a.mu.Unlock()
			if left == 0 {
				break
			}
			m := a.next()
			id, status := header(m, "Call-ID"), m[8:11]
			switch {
			case header(m, "CSeq") == "1 CANCEL":
				cancelled[id] = status == "200"
			case status < "200":
			case final[id] != "" && final[id] != status:
				t.Errorf("call %s ends with %s and %s", id, final[id], status)
			default:
				final[id] = status
			}
		}
		if len(final) != 300 {
			t.Errorf("%d of 300 INVITEs have a final response", len(final))
		}
		for id, status := range final {
			if status == "487" && !cancelled[id] {
				t.Errorf("call %s ends with 487 and had no CANCEL", id)
			}
		}
	})
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
