package pbx_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestCallIsAnsweredAndRecorded(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(2*time.Second))
		alice := r.Call("1000", "1001")
		r.told(alice, "180", time.Second)
		if list := r.sb.Calls(); len(list) != 1 || list[0].State != "ringing" {
			t.Error(list)
		}
		r.told(alice, "200 PCMU", 3*time.Second)
		synctest.Wait()
		r.hears(alice, "1001")
		r.hears(bob.Last(), "1000")
		if list := r.sb.Calls(); list[0].State != "answered" || list[0].To.Number != "1001" || list[0].From.Number != "1000" {
			t.Error(list)
		}
		alice.SetStats(media.Stats{Codec: "PCMU", PacketsIn: 50, LostIn: 3})
		time.Sleep(10 * time.Second)
		bob.Last().Bye()
		r.told(alice, "hangup", time.Second)
		synctest.Wait()
		r.hears(alice, "")
		c := r.journal.last(t)
		if c.EndedBy != "callee" || c.Outcome != "answered" || c.By != "1001" || c.Contact != bob.Contact.URI || c.Codec != "PCMU" ||
			c.FromPhone.PacketsIn != 50 || c.FromPhone.LostIn != 3 || c.Cause != 16 || c.Status != 0 {
			t.Errorf("%+v", c)
		}
		if c.Rang.Sub(c.Started) != 0 || c.Answered.Sub(c.Started) != 2*time.Second || c.Ended.Sub(c.Answered) != 10*time.Second {
			t.Errorf("times: %+v", c)
		}
		if want := []string{"answered " + c.ID, "ended " + c.ID}; !slices.Equal(r.journal.order, want) {
			t.Error(r.journal.order)
		}
	})
}

func TestAnswerIsJournalledBeforeTheCallerIsTold(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", time.Second)
		if len(r.journal.answered) != 1 {
			t.Error("the caller was told before the journal")
		}
		alice.Bye()
	})
}

func TestFullDiskDoesNotEndACall(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.journal.full = true
		r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", time.Second)
		alice.Bye()
		synctest.Wait()
		if r.sb.Stats().Unrecorded != 1 || r.journal.last(t).Outcome != "answered" {
			t.Error(r.sb.Stats())
		}
	})
}

// How a call that nobody answers ends: what the caller is told, and what is written down.
func TestEndings(t *testing.T) {
	for _, tc := range []struct {
		name    string
		phones  []pbxtest.Script
		refuse  string
		outcome string
		by      string
		after   time.Duration
	}{
		{"nobody registered", nil, "refuse 480", "unreachable", "system", 0},
		{"busy", []pbxtest.Script{pbxtest.Busy()}, "refuse 486", "busy", "callee", 0},
		{"busy everywhere", []pbxtest.Script{pbxtest.Reject(600, 0)}, "refuse 600", "busy", "callee", 0},
		{"rejected 480", []pbxtest.Script{pbxtest.Reject(480, time.Second)}, "refuse 480", "declined", "callee", time.Second},
		{"declined", []pbxtest.Script{pbxtest.Reject(603, time.Second)}, "refuse 603", "declined", "callee", time.Second},
		{"no answer", []pbxtest.Script{pbxtest.RingForever()}, "refuse 480", "no answer", "system", 20 * time.Second},
		{"no sign of life", []pbxtest.Script{pbxtest.Vanish()}, "refuse 480", "unreachable", "network", 20 * time.Second},
		{"asked for credentials", []pbxtest.Script{pbxtest.Reject(401, 0)}, "refuse 500", "failed", "callee", 0},
		{"phone out of order", []pbxtest.Script{pbxtest.Reject(503, 0)}, "refuse 500", "failed", "callee", 0},
		{"all busy", []pbxtest.Script{pbxtest.Busy(), pbxtest.Busy(), pbxtest.Busy()}, "refuse 486", "busy", "callee", 0},
		{"busy, gone and broken", []pbxtest.Script{pbxtest.Reject(503, 0), pbxtest.Reject(480, 0), pbxtest.Busy()}, "refuse 486", "busy", "callee", 0},
		{"one busy, one never answers", []pbxtest.Script{pbxtest.Busy(), pbxtest.RingForever()}, "refuse 486", "busy", "callee", 20 * time.Second},
		{"declined everywhere stops the others", []pbxtest.Script{pbxtest.RingForever(), pbxtest.Reject(603, time.Second)}, "refuse 603", "declined", "callee", time.Second},
		{"redirected, which nobody follows yet", []pbxtest.Script{pbxtest.Redirect("sip:1009@192.0.2.1")}, "refuse 480", "redirected", "callee", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			with(t, nil, func(r *rig) {
				for _, s := range tc.phones {
					r.Register("1001", s)
				}
				start := time.Now()
				alice := r.Call("1000", "1001")
				r.told(alice, tc.refuse, time.Minute)
				if took := time.Since(start); took != tc.after {
					t.Errorf("after %v, want %v", took, tc.after)
				}
				synctest.Wait()
				if c := r.journal.last(t); c.Outcome != tc.outcome || c.EndedBy != tc.by || !c.Answered.IsZero() {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	with(t, nil, func(r *rig) {
		phones := []*pbxtest.Handset{r.Register("1001", pbxtest.RingForever()), r.Register("1001", pbxtest.RingForever()), r.Register("1001", pbxtest.AnswerLate())}
		alice := r.Call("1000", "1001")
		r.told(alice, "180", time.Second)
		synctest.Wait()
		alice.Cancel()
		synctest.Wait()
		for _, h := range phones {
			if o, over := h.Last().Ended(); !over || o.Kind != pbx.Cancelled || o.By != pbx.Caller {
				t.Error(o, over)
			}
		}
		if c := r.journal.last(t); c.Outcome != "cancelled" || c.EndedBy != "caller" || c.Status != 487 {
			t.Errorf("%+v", c)
		}
	})
}

func TestFirstOfManyPhonesWins(t *testing.T) {
	with(t, nil, func(r *rig) {
		a := r.Register("1001", pbxtest.RingForever())
		b := r.Register("1001", pbxtest.Answer(time.Second))
		c := r.Register("1001", pbxtest.Answer(time.Second)) // at the same moment
		d := r.Register("1001", pbxtest.Busy())
		alice := r.Call("1000", "1001")
		r.told(alice, "200", 2*time.Second)
		synctest.Wait()
		if o, over := a.Last().Ended(); !over || o.Status != 200 || len(o.Reason) == 0 {
			t.Error("not told that the call was completed elsewhere", o)
		}
		_, bOver := b.Last().Ended()
		_, cOver := c.Last().Ended()
		if bOver == cOver {
			t.Error("exactly one of the two that answered must be connected", bOver, cOver)
		}
		if o, _ := d.Last().Ended(); o.Kind != pbx.Busy {
			t.Error(o)
		}
		r.hears(alice, "1001")
		alice.Bye()
	})
}

func TestEarlyMediaOfOneBranchAtATime(t *testing.T) {
	with(t, nil, func(r *rig) {
		a := r.Register("1001", pbxtest.EarlyMedia(time.Second, pbxtest.Reject(486, 5*time.Second)))
		b := r.Register("1001", pbxtest.EarlyMedia(2*time.Second, pbxtest.Answer(8*time.Second)))
		alice := r.Call("1000", "1001")
		r.told(alice, "183 early PCMU", 2*time.Second)
		synctest.Wait()
		r.hears(alice, "1001")
		r.hears(a.Last(), "1000")
		time.Sleep(2 * time.Second) // the second branch's sound is not mixed in
		r.hears(b.Last(), "")
		time.Sleep(4 * time.Second) // the first is busy now
		r.hears(alice, "ringing")
		r.told(alice, "200", 10*time.Second)
		synctest.Wait()
		r.hears(alice, "1001")
		r.hears(b.Last(), "1000")
		b.Last().Bye()
	})
}

func TestIncompatibleCodecs(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{g729}
		alice := r.Call("1000", "1001", media.PCMA)
		r.told(alice, "refuse 488", time.Second)
	})
}

// Where there is no common codec the PBX transcodes, and nobody is asked for anything.
func TestNarrowbandCallsWideband(t *testing.T) {
	for _, c := range [][2]media.Codec{{media.PCMA, media.G722}, {media.G722, media.PCMU}} {
		with(t, nil, func(r *rig) {
			bob := r.Register("1001", pbxtest.Answer(0))
			bob.Codecs = []media.Codec{c[1]}
			alice := r.Call("1000", "1001", c[0])
			r.told(alice, "200 "+c[0].Name, time.Second)
			r.both(alice, "1001", bob.Last(), "1000")
			alice.Bye()
		})
	}
}

func TestServiceAnswersByItself(t *testing.T) {
	with(t, func(*pbx.Call) pbx.Target { return pbx.Echo() }, func(r *rig) {
		alice := r.Call("1000", "*43")
		r.told(alice, "200 PCMU", time.Second)
		synctest.Wait()
		r.hears(alice, "echo")
		time.Sleep(time.Minute)
		alice.Bye()
		synctest.Wait()
		if c := r.journal.last(t); c.Outcome != "answered" || c.EndedBy != "caller" || c.Ended.Sub(c.Answered) != time.Minute {
			t.Errorf("%+v", c)
		}
	})
}

func TestElseChoosesByOutcome(t *testing.T) {
	plan := func(c *pbx.Call) pbx.Target {
		return pbx.Else(pbx.Else(pbx.Ring(c.Dialled, 5*time.Second),
			pbx.On(pbx.Ring("2000", 5*time.Second), pbx.Busy)),
			pbx.On(pbx.Ring("3000", 5*time.Second), pbx.NoAnswer, pbx.Unreachable))
	}
	for _, tc := range []struct {
		phone pbxtest.Script
		wants string
	}{{pbxtest.Busy(), "2000"}, {pbxtest.RingForever(), "3000"}, {pbxtest.Vanish(), "3000"}} {
		with(t, plan, func(r *rig) {
			r.Register("1001", tc.phone)
			r.Register("2000", pbxtest.Answer(0))
			r.Register("3000", pbxtest.Answer(0))
			alice := r.Call("1000", "1001")
			r.told(alice, "200", 10*time.Second)
			synctest.Wait()
			r.hears(alice, tc.wants)
			alice.Bye()
		})
	}
	with(t, plan, func(r *rig) { // what a branch ends with is not judged again
		r.Register("1001", pbxtest.Busy())
		r.Register("2000", pbxtest.RingForever())
		three := r.Register("3000", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "refuse 480", time.Minute)
		if three.Last() != nil {
			t.Error("the no-answer branch judged the busy branch")
		}
	})
	with(t, plan, func(r *rig) { // nothing is tried after the caller has gone
		r.Register("1001", pbxtest.RingForever())
		three := r.Register("3000", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		time.Sleep(time.Second)
		alice.Cancel()
		synctest.Wait()
		if three.Last() != nil {
			t.Error("a branch ran after the caller had gone")
		}
	})
}

func TestForkOfPlans(t *testing.T) {
	plan := func(*pbx.Call) pbx.Target {
		return pbx.Fork(pbx.Ring("2000", 5*time.Second), pbx.Ring("3000", 10*time.Second))
	}
	with(t, plan, func(r *rig) { // a 6xx of one extension does not stop the other
		r.Register("2000", pbxtest.Reject(603, time.Second))
		r.Register("3000", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", 10*time.Second)
		synctest.Wait()
		r.hears(alice, "3000")
		alice.Bye()
	})
	if got := pbx.Text(plan(nil)); got != "at once\n  ring 2000 for 5s\n  ring 3000 for 10s\n" {
		t.Error(got)
	}
}

func TestPanicEndsOneCall(t *testing.T) {
	boom := func(c *pbx.Call) pbx.Target {
		return service(func(context.Context, *pbx.Call) (*pbx.Leg, pbx.Outcome) {
			if c.Dialled == "boom" {
				panic("defect")
			}
			return nil, pbx.NotFound
		})
	}
	with(t, boom, func(r *rig) {
		alice, carol := r.Call("1000", "boom"), r.Call("1002", "404")
		r.told(alice, "refuse 500", time.Second)
		r.told(carol, "refuse 404", time.Second)
		if r.sb.Stats().Panics != 1 {
			t.Error(r.sb.Stats())
		}
	})
}

func TestInfoAndHoldReachTheOtherSide(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", time.Second)
		synctest.Wait()
		alice.Info("application/dtmf-relay", []byte("Signal=5"))
		r.told(bob.Last(), "info application/dtmf-relay Signal=5", time.Second)
		bob.Last().Hold(true)
		if !r.sb.Calls()[0].Held {
			t.Error("not shown as held")
		}
		bob.Last().Hold(false)
		if r.sb.Calls()[0].Held {
			t.Error("shown as held")
		}
		alice.Bye()
	})
}

func TestRenegotiatedCodecReachesTheOtherSide(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{media.PCMU, g729}
		alice := r.Call("1000", "1001", media.PCMU, g729)
		r.told(alice, "200", time.Second)
		synctest.Wait()
		alice.Reoffer(g729)
		r.told(bob.Last(), "renegotiate G729", time.Second)
		alice.Bye()
	})
}

func TestPhonesVanish(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", time.Second)
		synctest.Wait()
		bob.Last().Vanish()
		r.told(alice, "hangup", time.Second)
		synctest.Wait()
		if c := r.journal.last(t); c.EndedBy != "network" || c.Outcome != "answered" {
			t.Errorf("%+v", c)
		}
	})
}

func TestHangupByAdmin(t *testing.T) {
	admin := pbx.Outcome{Kind: pbx.Declined, By: pbx.Admin, Status: 480}
	with(t, nil, func(r *rig) {
		r.Register("1001", pbxtest.Answer(2*time.Second))
		alice, carol := r.Call("1000", "1001"), r.Call("1002", "1001")
		r.told(alice, "180", time.Second)
		if !r.sb.HangupCall(r.sb.Calls()[0].ID, admin) {
			t.Error("no such call")
		}
		r.told(alice, "refuse 480", time.Second)
		r.told(carol, "200", 5*time.Second)
		synctest.Wait()
		r.sb.HangupCall(r.sb.Calls()[0].ID, admin)
		r.told(carol, "hangup", time.Second)
		if r.sb.HangupCall("nonsense", admin) {
			t.Error("hung up a call that is not there")
		}
		synctest.Wait()
		if c := r.journal.last(t); c.EndedBy != "admin" {
			t.Errorf("%+v", c)
		}
	})
}

func TestDrain(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice, carol := r.Call("1000", "1001"), r.Call("1002", "1001")
		synctest.Wait()
		done := make(chan error)
		go func() { done <- r.sb.Drain(r.T.Context(), 10*time.Second) }()
		synctest.Wait()
		late := r.Call("1003", "1001")
		r.told(late, "refuse 503", 0)
		alice.Bye()
		start := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if time.Since(start) != 10*time.Second {
			t.Error("the grace was", time.Since(start))
		}
		r.told(carol, "hangup", 0)
		r.told(bob.Last(), "hangup", 0)
	})
	with(t, nil, func(r *rig) { // an idle exchange is drained at once
		if err := r.sb.Drain(r.T.Context(), time.Hour); err != nil {
			t.Error(err)
		}
	})
}

func TestMessages(t *testing.T) {
	with(t, nil, func(r *rig) {
		var got []pbx.Outcome
		reply := func(o pbx.Outcome) { got = append(got, o) }
		m := pbx.Message{From: pbx.Identity{Number: "1000"}, To: "1001", ContentType: "text/plain", Body: []byte("hello")}
		r.sb.Message(m, reply)
		r.Register("1001", pbxtest.Busy())
		r.Register("1001", pbxtest.Busy())
		r.sb.Message(m, reply)
		synctest.Wait()
		m.To = "404"
		r.sb.Message(m, reply)
		if len(got) != 3 || got[0].Status != 480 || got[1].Status != 200 || got[2].Status != 404 {
			t.Error(got)
		}
		if all := r.Messages(); len(all) != 2 || string(all[0].Body) != "hello" {
			t.Error(all)
		}
	})
}
