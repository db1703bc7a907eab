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
