package pbx_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// An INVITE that was cancelled before call control came to know of it is an attempt like any other.
func TestLegThatEndedBeforeItCame(t *testing.T) {
	with(t, nil, func(r *rig) {
		l := &instant{sb: r.sb}
		leg := l.leg("1000", true)
		r.sb.Ended(leg, pbx.GaveUp)
		r.sb.Incoming(leg, "1001", 70)
		if c := r.journal.last(t); c.Outcome != "cancelled" || c.Status != 487 || c.Ended.IsZero() || c.From != "1000" {
			t.Errorf("%+v", c)
		}
		if s := r.sb.Stats(); s.Outcomes["cancelled"] != 1 || s.Active != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// refusing is a leg that is hung up by an administrator in the moment in which it is answered, and cannot be.
type refusing struct {
	*instantLeg
	over bool
}

func (s *refusing) Answer([]media.Codec) error {
	s.line.sb.HangupCall(s.line.sb.Calls()[0].ID, pbx.Outcome{Kind: pbx.Answered, By: pbx.Admin})
	return errors.New("no common codec")
}

func (s *refusing) Hangup(o pbx.Outcome) { s.end(o) }
func (s *refusing) Refuse(o pbx.Outcome) { s.end(o) }
func (s *refusing) end(o pbx.Outcome) {
	if !s.over {
		s.over = true
		s.line.sb.Ended(s.self, o)
	}
}

func TestHangupWhileTheAnswerFails(t *testing.T) {
	for _, p := range []pbx.Target{ring("1001", 20), pbx.Echo()} {
		with(t, plan(p), func(r *rig) {
			r.Register("1001", pbxtest.Answer(0))
			s := &refusing{instantLeg: &instantLeg{line: &instant{sb: r.sb}}}
			s.self = pbx.NewLeg(s, "1", true, pbx.Identity{Number: "1000"}, pbx.Contact{}, "1")
			r.sb.Incoming(s.self, "1001", 70)
			synctest.Wait()
			sum := uint64(0)
			for _, n := range r.sb.Stats().Outcomes {
				sum += n
			}
			if c := r.journal.last(t); sum != 1 || len(r.journal.ended) != 1 || c.Outcome != "answered" || c.EndedBy != "admin" || c.Answered.IsZero() {
				t.Errorf("%d outcomes, %+v", sum, c)
			}
		})
	}
}

// slow takes its time to keep a record.
type slow struct{ *journal }

func (j slow) Ended(c pbx.CDR) {
	time.Sleep(time.Second)
	j.journal.Ended(c)
}

func TestDrainWaitsForRecords(t *testing.T) {
	j := &journal{}
	withOptions(t, func(o *pbx.Options) {
		o.Journal = slow{j}
		o.Route = plan(ring("1001", 20))
	}, func(r *rig) {
		r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		synctest.Wait()
		go alice.Bye()
		if err := r.sb.Drain(context.Background(), time.Minute); err != nil {
			t.Error(err)
		}
		if len(j.ended) != 1 {
			t.Error("Drain returned before the record was written")
		}
	})
}

// Who is no extension has no line to be counted: numbers from outside are without end.
func TestCallersFromOutsideAreNotCounted(t *testing.T) {
	with(t, nil, func(r *rig) {
		r.Register("1001", pbxtest.Answer(0))
		stranger, alice := r.Call("404", "1001"), r.Call("1000", "1001")
		synctest.Wait()
		if in := r.sb.InUse(); len(in) != 2 || in["1000"] != 1 || in["1001"] != 2 {
			t.Error(in)
		}
		stranger.Bye()
		alice.Bye()
	})
}

// brokenPlan can be carried out, but not shown.
type brokenPlan struct{ pbx.Target }

func (brokenPlan) Node() pbx.Node { panic("defect") }

func TestPlanThatCannotBeShown(t *testing.T) {
	with(t, plan(brokenPlan{ring("1001", 20)}), func(r *rig) {
		r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		synctest.Wait()
		alice.Bye()
		synctest.Wait()
		if c := r.journal.last(t); c.Outcome != "answered" || c.By != "1001" || r.sb.Stats().Panics != 1 {
			t.Errorf("%+v", c)
		}
	})
}
