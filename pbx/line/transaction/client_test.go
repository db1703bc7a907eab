package transaction

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

func TestSendPutsVia(t *testing.T) {
	bubble(t, Options{SentBy: func(wire.Hop) (string, int) { return "2001:db8::1", 5066 }}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.OPTIONS, "c"), udp, r)
		d := r.l.Send(newRequest(sip.OPTIONS, "c"), tcp(), r)
		via, other := c.Request.Via(), d.Request.Via()
		branch, _ := via.Params.Get("branch")
		if via.Transport != "UDP" || via.Host != "2001:db8::1" || via.Port != 5066 || !via.Params.Has("rport") || len(branch) < 7+16 || branch[:7] != cookie {
			t.Errorf("Via %v", via)
		}
		if b, _ := other.Params.Get("branch"); b == branch || other.Transport != "TCP" || other.Params.Has("rport") {
			t.Errorf("Via %v", other)
		}
		if v := r.sent(0).request().Via(); v.Host != via.Host || v.Port != 5066 {
			t.Errorf("sent Via %v", v)
		}
	})
}

func TestInviteClientTimersAandB(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.after(time.Minute)
		r.wantSent("0s INVITE", "500ms INVITE", "1.5s INVITE", "3.5s INVITE", "7.5s INVITE", "15.5s INVITE", "31.5s INVITE")
		r.wantSaid("32s failed timeout")
		r.gone()
	})
}

func TestInviteClientReliable(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c"), tcp(), r)
		r.after(time.Minute)
		r.wantSent("0s INVITE")
		r.wantSaid("32s failed timeout")
		r.gone()
	})
}

func TestNonInviteClientTimersEandF(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.OPTIONS, "c"), udp, r)
		r.after(time.Minute)
		r.wantSent("0s OPTIONS", "500ms OPTIONS", "1.5s OPTIONS", "3.5s OPTIONS", "7.5s OPTIONS", "11.5s OPTIONS",
			"15.5s OPTIONS", "19.5s OPTIONS", "23.5s OPTIONS", "27.5s OPTIONS", "31.5s OPTIONS")
		r.wantSaid("32s failed timeout")
		r.gone()
	})
}

func TestNonInviteClientProceeding(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.BYE, "c"), udp, r)
		r.after(100 * time.Millisecond)
		r.reply(100, "")
		r.after(10 * time.Second) // Timer E goes on, with T2
		r.wantSent("0s BYE", "500ms BYE", "4.5s BYE", "8.5s BYE")
		r.reply(200, "x")
		r.reply(200, "x") // absorbed
		r.after(4900 * time.Millisecond)
		if n := r.l.Stats().Kinds[NonInviteClient].Alive; n != 1 {
			t.Error("Timer K is T4")
		}
		r.after(200 * time.Millisecond)
		r.wantSaid("100ms 100 ", "10.1s 200 x")
		r.gone()
		r.reply(200, "x")
		r.wantSaid("100ms 100 ", "10.1s 200 x", "15.2s stray 200")
	})
}

func TestInviteClientRejected(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		req := newRequest(sip.INVITE, "c")
		req.AppendHeader(&sip.RouteHeader{Address: sip.Uri{Scheme: "sip", Host: "192.0.2.9", UriParams: sip.HeaderParams{{K: "lr"}}}})
		r.l.Send(req, udp, r)
		r.reply(100, "")
		r.after(time.Second)
		r.reply(180, "x")
		r.after(5 * time.Second) // no retransmission once there was a 1xx
		r.reply(486, "x")
		r.after(500 * time.Millisecond)
		r.reply(486, "x") // its retransmission: ACK again, the user is not told again
		r.reply(200, "y") // absorbed
		r.wantSent("0s INVITE", "6s ACK", "6.5s ACK")
		r.wantSaid("0s 100 ", "1s 180 x", "6s 486 x")

		// §17.1.1.3
		invite, ack := r.sent(0).request(), r.sent(1).request()
		for name, pair := range map[string][2]string{
			"Request-URI": {invite.Recipient.String(), ack.Recipient.String()},
			"Via":         {invite.Via().Value(), ack.Via().Value()},
			"From":        {invite.From().Value(), ack.From().Value()},
			"To":          {"<sip:bob@192.0.2.2>;tag=x", ack.To().Value()},
			"Call-ID":     {invite.CallID().Value(), ack.CallID().Value()},
			"CSeq":        {"1 ACK", ack.CSeq().Value()},
			"Route":       {invite.Route().Value(), ack.Route().Value()},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s of ACK: %s, want %s", name, pair[1], pair[0])
			}
		}
		if n := len(ack.GetHeaders("Via")); n != 1 {
			t.Errorf("%d Via in ACK", n)
		}
		r.after(31400 * time.Millisecond) // Timer D
		if r.l.Stats().Kinds[InviteClient].Alive != 1 {
			t.Error("Timer D fired early")
		}
		r.after(200 * time.Millisecond)
		r.gone()
	})
}

func TestInviteClientRejectedReliable(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c"), tcp(), r)
		r.reply(404, "x")
		r.wantSent("0s INVITE", "0s ACK")
		r.wantSaid("0s 404 x")
		r.gone() // Timer D is zero
	})
}

func TestInviteClientAccepted(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.after(time.Second)
		r.reply(200, "x")
		r.after(500 * time.Millisecond)
		r.reply(200, "x") // retransmitted, the ACK was lost: the user's
		r.reply(200, "y") // another branch of a fork
		r.reply(180, "z") // absorbed
		r.reply(486, "z") // absorbed
		if r.clients[0].Request == nil || r.clients[1].Request != nil {
			t.Error("only the Client of the first final response has the request")
		}
		r.wantSent("0s INVITE", "500ms INVITE") // no ACK: that is the user's
		r.after(32 * time.Second)
		r.gone() // Timer M
		r.reply(200, "x")
		r.wantSaid("1s 200 x", "1.5s 200 x", "1.5s 200 y", "33.5s stray 200")
	})
}

func TestCancelWaitsForProvisional(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		c.Cancel(sip.NewHeader("Reason", "SIP;cause=200"))
		c.Cancel() // does nothing
		r.after(time.Second)
		r.wantSent("0s INVITE", "500ms INVITE")
		r.reply(100, "")
		r.wantSent("0s INVITE", "500ms INVITE", "1s CANCEL")
		invite, cancel := r.sent(0).request(), r.sent(2).request()
		if cancel.Via().Value() != invite.Via().Value() || cancel.CSeq().Value() != "1 CANCEL" || cancel.To().Value() != invite.To().Value() ||
			wire.Find(cancel, "Reason") == nil || cancel.Recipient.String() != invite.Recipient.String() {
			t.Errorf("CANCEL %v", cancel)
		}
		r.after(600 * time.Millisecond) // lost: sent again by Timer E
		r.wantSent("0s INVITE", "500ms INVITE", "1s CANCEL", "1.5s CANCEL")
		r.replyTo(cancel, 200, "x")
		r.reply(180, "x") // no second CANCEL
		r.reply(487, "x")
		r.after(time.Minute)
		r.wantSent("0s INVITE", "500ms INVITE", "1s CANCEL", "1.5s CANCEL", "1.6s ACK")
		r.wantSaid("1s 100 ", "1.6s 180 x", "1.6s 487 x")
		r.gone()
	})
}

func TestCancelOvertakenByFinal(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		c.Cancel()
		r.reply(200, "x") // without any 1xx: nothing to cancel any more
		c.Cancel()
		r.after(time.Minute)
		r.wantSent("0s INVITE")
		r.wantSaid("0s 200 x")
		r.gone()
	})
}

func TestCancelCrosses200(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.reply(180, "x")
		c.Cancel()
		r.reply(200, "x") // it had left before the CANCEL came: the user must ACK and BYE it
		r.replyTo(r.sent(1).request(), 481, "x")
		r.after(time.Minute)
		r.wantSent("0s INVITE", "0s CANCEL")
		r.wantSaid("0s 180 x", "0s 200 x")
		r.gone()
	})
}

func TestCancelNeverAnswered(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.reply(180, "x")
		r.after(10 * time.Second)
		c.Cancel()
		r.replyTo(r.sent(1).request(), 200, "x")
		r.after(time.Minute)
		r.wantSent("0s INVITE", "10s CANCEL")
		r.wantSaid("0s 180 x", "42s failed timeout") // §9.1: 64*T1
		r.gone()
	})
}

func TestCancelIsForInvite(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		c := r.l.Send(newRequest(sip.OPTIONS, "c"), udp, r)
		r.reply(100, "")
		c.Cancel()
		r.reply(200, "")
		r.wantSent("0s OPTIONS")
	})
}

func TestTransportErrorComesLater(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.refuse(errRefused)
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.wantSaid() // never before Send returns
		r.after(100 * time.Millisecond)
		r.wantSaid("10ms failed refused")
		r.gone()
	})
}

func TestTransportErrorOnRetransmission(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.OPTIONS, "c"), udp, r)
		r.refuse(errRefused)
		r.after(time.Minute)
		r.wantSaid("510ms failed refused")
		r.gone()
	})
}

func TestConnectionLost(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c1"), tcp(), r) // rings
		r.reply(180, "x")
		r.l.Send(newRequest(sip.OPTIONS, "c2"), tcp(), r) // nothing yet
		r.l.Send(newRequest(sip.OPTIONS, "c3"), udp, r)   // another transport
		other, any := tcp(), tcp()
		other.Conn, any.Conn = 8, 0
		r.l.Send(newRequest(sip.OPTIONS, "c4"), other, r) // another connection
		r.l.Send(newRequest(sip.OPTIONS, "c5"), any, r)   // whichever there was
		r.l.Closed(tcp())
		r.after(100 * time.Millisecond)
		r.wantSaid("0s 180 x", "10ms failed conn", "10ms failed conn")
		r.reply(487, "x")
		r.after(time.Minute)
		r.wantSaid("0s 180 x", "10ms failed conn", "10ms failed conn", "100ms 487 x", "32s failed timeout", "32s failed timeout")
		r.gone()
	})
}

func TestFull(t *testing.T) {
	bubble(t, Options{Max: 1}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.OPTIONS, "c1"), udp, r)
		r.l.Send(newRequest(sip.OPTIONS, "c2"), udp, r)
		r.reply(200, "")
		r.after(time.Minute)
		r.wantSent("0s OPTIONS")
		r.wantSaid("0s 200 ", "10ms failed full")
		r.gone()
	})
}

func TestForeignVia(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.OPTIONS, "c1"), udp, r)
		res := wire.NewResponse(r.sent(0).request(), 200, "OK", "x")
		res.AppendHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "255.255.255.255"})
		r.in(wire.Append(nil, res)) // §8.1.3.3
		r.wantSaid()
	})
}

// Two readers bring responses at once: the user is called in order and never concurrently.
func TestCallsAreSerial(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		hold := make(chan struct{})
		var inside sync.Mutex
		r.onResponse = func(*Client, *sip.Response) {
			if !inside.TryLock() {
				t.Error("called while in a call")
				return
			}
			<-hold
			inside.Unlock()
		}
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		m, _ := wire.Parse(wire.Append(nil, wire.NewResponse(r.sent(0).request(), 180, "", "x")), udp)
		go r.l.Receive(m, udp)
		synctest.Wait()
		r.reply(183, "x") // another reader: it does not wait
		r.reply(200, "x")
		r.wantSaid("0s 180 x")
		close(hold)
		synctest.Wait()
		r.wantSaid("0s 180 x", "0s 183 x", "0s 200 x")
	})
}

// A user that panics loses nothing but its call.
func TestPanicInUser(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.onResponse = func(*Client, *sip.Response) { panic("oops") }
		func() {
			defer func() { _ = recover() }() // as wire does
			r.reply(180, "x")
		}()
		r.onResponse = nil
		r.reply(200, "x")
		r.wantSaid("0s 180 x", "0s 200 x")
	})
}
