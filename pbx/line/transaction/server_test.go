package transaction

import (
	"errors"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

func TestTryingAfter200ms(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("INVITE", "z9hG4bK1"))
		r.in(get("INVITE", "z9hG4bK1")) // nothing to repeat yet
		r.after(500 * time.Millisecond)
		r.in(get("INVITE", "z9hG4bK1"))
		r.wantSent("200ms 100", "500ms 100")
		if tag(r.sent(0).response().To().Params) != "" {
			t.Error("100 with a To tag")
		}
		r.wantSaid("0s request INVITE")
		respond(t, r.requests[0], 180)
		r.in(get("INVITE", "z9hG4bK1")) // "the most recent provisional response"
		r.wantSent("200ms 100", "500ms 100", "500ms 180", "500ms 180")
	})
}

func TestNoTryingAfterRinging(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 180) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.after(time.Second)
		r.wantSent("0s 180")
	})
}

func TestInviteServerRejects(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 486) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.after(15600 * time.Millisecond) // Timer G
		r.wantSent("0s 486", "500ms 486", "1.5s 486", "3.5s 486", "7.5s 486", "11.5s 486", "15.5s 486")
		r.forget()
		r.in(get("INVITE", "z9hG4bK1"))
		r.wantSent("15.6s 486")
		r.in(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a"))
		r.in(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a"))
		r.after(4900 * time.Millisecond) // Timer I
		r.in(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a"))
		r.wantSaid("0s request INVITE") // all ACKs absorbed
		r.after(200 * time.Millisecond)
		r.wantSent("15.6s 486")
		r.gone()
		if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, 200, "", "a")); !errors.Is(err, ErrTerminated) {
			t.Errorf("Respond after the end: %v", err)
		}
	})
}

// A challenge leaves nothing: it is sent once a request, whoever sent that, and nothing waits for its ACK.
func TestRespondStateless(t *testing.T) {
	for _, method := range []string{"INVITE", "REGISTER"} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			r.onRequest = func(tx *Server) {
				if err := tx.RespondStateless(wire.NewResponse(tx.Request, 401, "", "a")); err != nil {
					t.Error(err)
				}
			}
			r.in(get(method, "z9hG4bK1"))
			r.gone()
			r.after(time.Minute)
			r.wantSent("0s 401")
			r.in(get(method, "z9hG4bK1"))
			r.wantSent("0s 401", "1m0s 401")
			r.wantSaid("0s request "+method, "1m0s request "+method)
			r.gone()
			if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, 200, "", "a")); !errors.Is(err, ErrTerminated) {
				t.Errorf("Respond afterwards: %v", err)
			}
			if err := r.requests[0].RespondStateless(wire.NewResponse(r.requests[0].Request, 401, "", "a")); !errors.Is(err, ErrTerminated) {
				t.Errorf("twice: %v", err)
			}
		})
	}
}

func TestInviteServerNeverAcked(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 404) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.after(time.Minute) // Timer H ends it at 32 s
		r.wantSent("0s 404", "500ms 404", "1.5s 404", "3.5s 404", "7.5s 404", "11.5s 404", "15.5s 404", "19.5s 404", "23.5s 404",
			"27.5s 404", "31.5s 404")
		r.gone()
		if r.l.Stats().Timeouts != 1 {
			t.Error("Timer H is not counted")
		}
	})
}

func TestInviteServerRejectsReliable(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 486) }
		r.inFrom(get("INVITE", "z9hG4bK1"), tcp())
		r.after(10 * time.Second)
		r.wantSent("0s 486") // no Timer G
		if to := r.sent(0).to; to.Conn != 7 || to.Remote.Port() != 5060 {
			t.Errorf("responded to %v: the connection, or else the sent-by port (§18.2.2)", to)
		}
		r.inFrom(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a"), tcp())
		r.gone() // Timer I is zero
	})
}

func TestInviteServerAccepts(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 180); respond(t, tx, 200) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.after(500 * time.Millisecond)
		r.in(get("INVITE", "z9hG4bK1"))             // RFC 6026: absorbed
		respond(t, r.requests[0], 200)              // the user's retransmission
		r.after(100 * time.Millisecond)             //
		r.wantSent("0s 180", "0s 200", "500ms 200") // and none of the layer's
		for _, code := range []int{183, 486} {
			if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, code, "", "a")); !errors.Is(err, ErrTerminated) {
				t.Errorf("%d after 200: %v", code, err)
			}
		}
		r.in(get("ACK", "z9hG4bK2", "To: <sip:alice@192.0.2.1>;tag=a")) // a transaction of its own
		r.in(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a")) // as RFC 2543 clients do
		r.wantSaid("0s request INVITE", "600ms ack a", "600ms ack a")
		r.after(32 * time.Second) // Timer L
		r.gone()
		if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, 200, "", "a")); !errors.Is(err, ErrTerminated) {
			t.Errorf("200 after Timer L: %v", err)
		}
	})
}

func TestNonInviteServer(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.in(get("OPTIONS", "z9hG4bK1")) // Trying: discarded
		r.after(time.Second)
		r.wantSent() // no 100 of the layer's for non-INVITE (RFC 4320)
		respond(t, r.requests[0], 100)
		r.in(get("OPTIONS", "z9hG4bK1"))
		respond(t, r.requests[0], 200)
		r.after(time.Second)
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.wantSent("1s 100", "1s 100", "1s 200", "2s 200")
		r.wantSaid("0s request OPTIONS")
		r.after(30900 * time.Millisecond)
		r.in(get("OPTIONS", "z9hG4bK1")) // until Timer J
		r.after(200 * time.Millisecond)
		r.gone()
		r.wantSaid("0s request OPTIONS")
		if s := r.l.Stats(); s.RetransmissionsIn != 4 || s.ResponsesOut[200] != 1 {
			t.Errorf("%d retransmissions in, %d × 200", s.RetransmissionsIn, s.ResponsesOut[200])
		}
	})
}

func TestNonInviteServerReliable(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 200) }
		r.inFrom(get("OPTIONS", "z9hG4bK1"), tcp())
		r.gone() // Timer J is zero
	})
}

// A user that forgets a request does not keep its transaction for ever.
func TestForgottenRequest(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.after(33 * time.Second)
		r.gone()
	})
}

func TestMerged(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 180) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.in(get("INVITE", "z9hG4bK2"))                   // the same request another way
		r.in(get("INVITE", "z9hG4bK3", "CSeq: 2 INVITE")) // a new one: after a challenge, say
		r.in(get("INVITE", "z9hG4bK4", "From: <sip:bob@192.0.2.2>;tag=other"))
		r.in(get("INVITE", "z9hG4bK5", "Call-ID: c2"))
		r.in(get("INVITE", "z9hG4bK6", "To: <sip:alice@192.0.2.1>;tag=a")) // in a dialog: §8.2.2.2 does not apply
		r.wantSent("0s 180", "0s 482", "0s 180", "0s 180", "0s 180", "0s 180")
		if r.l.Stats().Merged != 1 {
			t.Error("not counted")
		}
		r.in(get("OPTIONS", "z9hG4bK7")) // another method has another CSeq
		respond(t, r.requests[5], 200)
	})
}

// §17.2.3: the branch alone does not identify a transaction.
func TestSameBranchOfOtherClient(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.in(get("OPTIONS", "z9hG4bK1", "Via: SIP/2.0/UDP 192.0.2.3:5060;branch=z9hG4bK1", "To: <sip:x@x>;tag=dialog"))
		r.in(get("INFO", "z9hG4bK1"))
		r.in(get("OPTIONS", "z9hG4bK1", "Call-ID: other")) // a client that uses its branch again
		r.in(get("OPTIONS", "z9hG4bK1", "CSeq: 2 OPTIONS"))
		r.wantSaid("0s request OPTIONS", "0s request OPTIONS", "0s request INFO", "0s request OPTIONS", "0s request OPTIONS")
	})
}

// What comes again by another transport is answered there.
func TestOtherTransport(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 200) }
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.inFrom(get("OPTIONS", "z9hG4bK1"), tcp())
		r.in(get("OPTIONS", "z9hG4bK1"))
		r.wantSent("0s 200", "0s 200", "0s 200")
		r.wantSaid("0s request OPTIONS", "0s request OPTIONS")
		if r.sent(0).to.Transport != "udp" || r.sent(1).to.Transport != "tcp" || r.sent(2).to.Transport != "udp" {
			t.Error("a response went by another transport than its request")
		}
		r.inFrom(get("OPTIONS", "z9hG4bK2"), tcp()) // merged all the same
		if r.sent(3).response().StatusCode != 482 {
			t.Errorf("%v", r.sent(3))
		}
		r.after(time.Minute)
		r.gone()
	})
}

func TestServerCancel(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("CANCEL", "z9hG4bK1"))
		r.wantSent("0s 481")
		r.in(get("INVITE", "z9hG4bK1"))
		respond(t, r.requests[0], 180)
		r.in(get("CANCEL", "z9hG4bK1"))
		r.in(get("CANCEL", "z9hG4bK1")) // its retransmission: answered, but the user is not told again
		r.wantSent("0s 481", "0s 180", "0s 200", "0s 200")
		if tag(r.sent(2).response().To().Params) != "a" || r.sent(2).response().CSeq().MethodName != sip.CANCEL {
			t.Errorf("200 to CANCEL: %v", r.sent(2).m)
		}
		respond(t, r.requests[0], 487)
		r.in(get("ACK", "z9hG4bK1", "To: <sip:alice@192.0.2.1>;tag=a"))
		r.in(get("CANCEL", "z9hG4bK1"))
		r.after(time.Minute)
		r.wantSent("0s 481", "0s 180", "0s 200", "0s 200", "0s 487", "0s 200")
		r.wantSaid("0s request INVITE", "0s cancel")
		r.gone()
	})
}

func TestCancelAfter200(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.onRequest = func(tx *Server) { respond(t, tx, 200) }
		r.in(get("INVITE", "z9hG4bK1"))
		r.in(get("CANCEL", "z9hG4bK1")) // §9.2: no effect, but 200
		r.wantSent("0s 200", "0s 200")
		r.wantSaid("0s request INVITE")
	})
}

// A client of RFC 2543 has no branch, or one without the cookie (§17.2.3); "z9hG4bK" alone is no branch (RFC 4475 §3.2.1).
func TestOldMatching(t *testing.T) {
	for _, branch := range []string{"1", cookie} {
		bubble(t, Options{}, func(t *testing.T, r *rig) {
			r.onRequest = func(tx *Server) { respond(t, tx, 486) }
			r.in(get("INVITE", branch))
			r.in(get("INVITE", branch))                   // a retransmission
			r.in(get("INVITE", branch, "CSeq: 2 INVITE")) // another request
			r.in(get("ACK", branch, "To: <sip:alice@192.0.2.1>;tag=a"))
			r.in(get("ACK", branch, "CSeq: 2 ACK", "To: <sip:alice@192.0.2.1>;tag=a"))
			r.after(10 * time.Second)
			r.wantSent("0s 486", "0s 486", "0s 486")
			r.wantSaid("0s request INVITE", "0s request INVITE")
			r.gone()
		})
	}
}

func TestShed(t *testing.T) {
	o := Options{Max: 10, Server: "Ringback", Shed: func(req *sip.Request, _ wire.Hop) bool { return req.From().Address.User == "bob" }}
	bubble(t, o, func(t *testing.T, r *rig) {
		stranger := func(i string, more ...string) {
			r.in(get("OPTIONS", "z9hG4bK"+i, append([]string{"Call-ID: c" + i}, more...)...))
		}
		for i := range 8 {
			stranger(string(rune('a' + i)))
		}
		r.wantSent()
		stranger("i") // 80 %
		if r.sent(0).response().StatusCode != 503 || wire.Find(r.sent(0).m, "Retry-After") == nil || wire.Find(r.sent(0).m, "Server") == nil {
			t.Errorf("%v", r.sent(0).m)
		}
		stranger("j", "From: <sip:carol@192.0.2.2>;tag=1")    // registered
		stranger("k", "To: <sip:alice@192.0.2.1>;tag=dialog") // in a dialog
		stranger("l", "From: <sip:carol@192.0.2.2>;tag=2")    // 100 %: everybody
		stranger("m", "To: <sip:alice@192.0.2.1>;tag=dialog")
		r.wantSent("0s 503", "0s 503", "0s 503")
		if s := r.l.Stats(); s.Shed != 3 || s.Kinds[NonInviteServer].Alive != 10 {
			t.Errorf("shed %d, alive %d", s.Shed, s.Kinds[NonInviteServer].Alive)
		}
		r.after(time.Minute)
		r.gone()
	})
}

func TestServerTransportError(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("INVITE", "z9hG4bK1"))
		r.refuse(errRefused)
		if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, 486, "", "a")); !errors.Is(err, errRefused) {
			t.Errorf("Respond: %v", err)
		}
		r.refuse(nil)
		r.after(time.Second) // it goes on: Timer G
		r.wantSent("500ms 486")
	})
}

func TestClose(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *rig) {
		r.in(get("INVITE", "z9hG4bK1"))
		r.l.Send(newRequest(sip.INVITE, "c"), udp, r)
		r.l.After(time.Second, func() { t.Error("a timer fired after Close") })
		r.l.Close()
		said := len(r.said)
		r.reply(200, "x")
		r.in(get("OPTIONS", "z9hG4bK2"))
		if err := r.requests[0].Respond(wire.NewResponse(r.requests[0].Request, 486, "", "a")); !errors.Is(err, ErrClosed) {
			t.Errorf("Respond: %v", err)
		}
		r.l.Send(newRequest(sip.OPTIONS, "d"), udp, r)
		r.after(time.Minute)
		r.wantSent("0s INVITE")
		if len(r.said) != said {
			t.Errorf("said after Close: %v", r.said[said:])
		}
		r.l.Close() // again
	})
}
