package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// confirmed is an extension where who answers has 10 s to press 1.
func confirmed(extension string, seconds int) pbx.Target {
	r := ring(extension, seconds)
	r.Confirm = 10 * time.Second
	return r
}

func TestConfirmation(t *testing.T) {
	const unconfirmed = "refuse 480"
	for _, tc := range []struct {
		name  string
		phone pbxtest.Script
		told  string // "": connected
		after time.Duration
		ended string // of the path
	}{
		{"accepts", pbxtest.Press("1", 3*time.Second, pbxtest.Answer(time.Second)), "", 4 * time.Second, "answered (callee)"},
		{"other keys first", pbxtest.Press("2*#01", 3*time.Second, pbxtest.Answer(time.Second)), "", 4 * time.Second, "answered (callee)"},
		{"no key", pbxtest.Answer(time.Second), unconfirmed, 11 * time.Second, "no answer 480 (callee)"},
		{"other keys only", pbxtest.Press("234567890*#", 3*time.Second, pbxtest.Answer(time.Second)), unconfirmed, 11 * time.Second, "no answer 480 (callee)"},
		{"hangs up", pbxtest.Bye(3*time.Second, pbxtest.Answer(time.Second)), unconfirmed, 4 * time.Second, "declined 480 (callee)"},
		{"hangs up at once", pbxtest.Bye(0, pbxtest.Answer(time.Second)), unconfirmed, time.Second, "declined 480 (callee)"},
		{"is busy", pbxtest.Busy(), "refuse 486", 0, "busy 486 (callee)"},
		{"ringing ends while it confirms", pbxtest.Press("1", 9*time.Second, pbxtest.Answer(4*time.Second)), "", 13 * time.Second, "answered (callee)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			with(t, plan(confirmed("1001", 5)), func(r *rig) {
				h := r.Register("1001", tc.phone)
				alice := r.Call("1000", "1001")
				if tc.told == "" {
					r.connected(alice, "1001", tc.after)
				} else {
					r.refused(alice, tc.told, tc.after)
				}
				synctest.Wait()
				if o, over := h.Last().Ended(); !over {
					t.Error("its leg is left", o)
				}
				if p := r.journal.last(t).Path; len(p) != 1 || p[0].Outcome != tc.ended {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestConfirmationIsHeardByWhoAnsweredAlone(t *testing.T) {
	with(t, plan(confirmed("1001", 5)), func(r *rig) {
		h := r.Register("1001", pbxtest.EarlyMedia(0, pbxtest.Answer(time.Second)))
		alice := r.Call("1000", "1001", pbxtestCodecs...)
		pass(500 * time.Millisecond)
		r.hears(alice, "1001")
		pass(time.Second)
		for range 3 { // again and again
			r.hears(h.Last(), pbx.PromptConfirm)
			r.hears(alice, "ringing")
			pass(promptLength + time.Second)
		}
		if told := alice.Told(); alice.Answered() || len(r.journal.answered) > 0 {
			t.Error("the caller is answered before anybody has accepted", told)
		}
		var keys bool
		for _, c := range h.Last().Invitation.Codecs {
			keys = keys || c.IsEvent()
		}
		if !keys {
			t.Error("no telephone-event offered to a phone whose keys are wanted")
		}
		h.Last().Press("1")
		synctest.Wait()
		r.hears(alice, "1001")
		r.hears(h.Last(), "1000")
		h.Last().Press("1") // nobody listens now
		alice.Bye()
	})
}

func TestOthersWhileOneConfirms(t *testing.T) {
	both := plan(pbx.Fork(confirmed("1001", 20), ring("1002", 20)))
	with(t, both, func(r *rig) { // another branch answers meanwhile
		one := r.Register("1001", pbxtest.Press("1", 5*time.Second, pbxtest.Answer(time.Second)))
		r.Register("1002", pbxtest.Answer(3*time.Second))
		r.connected(r.Call("1000", "1001"), "1002", 3*time.Second)
		if o, over := one.Last().Ended(); !over || o.Status != 200 || o.Kind != pbx.Cancelled {
			t.Error(o, over)
		}
		r.went("0s-3s ring 1001 for 20s, to be confirmed by 1 within 10s: cancelled 200 (system)\n0s-3s ring 1002 for 20s: answered (callee)\n")
	})
	with(t, both, func(r *rig) { // who confirms takes the call from who rings
		r.Register("1001", pbxtest.Press("1", 5*time.Second, pbxtest.Answer(time.Second)))
		two := r.Register("1002", pbxtest.RingForever())
		r.connected(r.Call("1000", "1001"), "1001", 6*time.Second)
		if o, over := two.Last().Ended(); !over || o.Status != 200 {
			t.Error(o, over)
		}
	})
	with(t, both, func(r *rig) { // the caller gives up meanwhile
		one := r.Register("1001", pbxtest.Answer(time.Second))
		two := r.Register("1002", pbxtest.RingForever())
		alice := r.Call("1000", "1001")
		pass(3 * time.Second)
		alice.Cancel()
		synctest.Wait()
		for _, h := range []*pbxtest.Handset{one, two} {
			if o, over := h.Last().Ended(); !over || o.Kind != pbx.Cancelled || o.By != pbx.Caller {
				t.Error(o, over)
			}
		}
		if c := r.journal.last(t); c.Outcome != "cancelled" || c.By != "" {
			t.Errorf("%+v", c)
		}
	})
	// Several phones of one extension: each of them may accept.
	with(t, plan(confirmed("1001", 5)), func(r *rig) {
		machine := r.Register("1001", pbxtest.Answer(time.Second))
		r.Register("1001", pbxtest.Press("1", 2*time.Second, pbxtest.Answer(4*time.Second)))
		idle := r.Register("1001", pbxtest.RingForever())
		// The first still waits for its key, and the ringing has ended: the second is connected in that moment all the same.
		r.connected(r.Call("1000", "1001"), "1001", 6*time.Second)
		if o, over := machine.Last().Ended(); !over || o.Kind != pbx.Cancelled {
			t.Error(o, over)
		}
		if o, over := idle.Last().Ended(); !over || o.Kind != pbx.NoAnswer {
			t.Error("it rang on while another was asked", o)
		}
	})
	with(t, plan(pbx.InOrder(confirmed("1001", 5), ring("1002", 5))), func(r *rig) { // voicemail of a mobile
		r.Register("1001", pbxtest.EarlyMedia(0, pbxtest.Answer(3*time.Second)))
		two := r.Register("1002", pbxtest.EarlyMedia(0, pbxtest.Answer(time.Second)))
		alice := r.Call("1000", "1001")
		pass(13*time.Second + 500*time.Millisecond)
		r.hears(alice, "1002") // the early media of the first is forgotten
		r.connected(alice, "1002", 14*time.Second)
		if two.Last() == nil {
			t.Error("passed over")
		}
	})
}

// Whoever comes first in the same moment, nothing is left: the rig checks.
func TestConfirmationRaces(t *testing.T) {
	for range 50 {
		with(t, plan(pbx.Fork(confirmed("1001", 5), confirmed("1002", 20))), func(r *rig) {
			r.Register("1001", pbxtest.Press("1", 10*time.Second, pbxtest.Answer(time.Second))) // as its time ends
			r.Register("1002", pbxtest.Press("1", 5*time.Second, pbxtest.Answer(6*time.Second)))
			r.Register("1002", pbxtest.Bye(5*time.Second, pbxtest.Answer(6*time.Second)))
			alice := r.Call("1000", "x")
			time.Sleep(11 * time.Second)
			if alice.Answered() {
				alice.Bye()
			} else {
				alice.Cancel()
			}
			pass(time.Minute)
			if _, over := alice.Ended(); !over || len(r.journal.ended) != 1 {
				t.Error(alice.Told(), len(r.journal.ended))
			}
		})
	}
}
