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
