package pbx_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// plan is a plan that is the same for every call.
func plan(t pbx.Target) func(*pbx.Call) pbx.Target { return func(*pbx.Call) pbx.Target { return t } }

// ring is an extension's phones for some seconds.
func ring(extension string, seconds int) pbx.Ringing {
	return pbx.Ringing{Extension: extension, Wait: time.Duration(seconds) * time.Second}
}

// way is a path as lines: when it began and ended since the start of the call, what, and what came of it.
func way(started time.Time, path []pbx.Passed) string {
	var b strings.Builder
	for _, p := range path {
		fmt.Fprintf(&b, "%v-%v %s: %s\n", p.At.Sub(started), p.Until.Sub(started), p.Node, p.Outcome)
	}
	return b.String()
}

// went checks the path of the call that ended last; branches of a fork begin in any order.
func (r *rig) went(want string) {
	r.Helper()
	synctest.Wait()
	c := r.journal.last(r.T)
	if got := way(c.Started, c.Path); !slices.Equal(slices.Sorted(strings.Lines(got)), slices.Sorted(strings.Lines(want))) {
		r.Errorf("the call went\n%swant\n%s", got, want)
	}
}

// refused waits for the refusal of a call, and checks when it came.
func (r *rig) refused(p *pbxtest.Party, want string, after time.Duration) {
	r.Helper()
	r.told(p, "refuse", 10*time.Minute)
	all := p.Told()
	if got := all[len(all)-1]; got != want {
		r.Errorf("%s was told %q, want %q", p.Number, got, want)
	}
	if took := time.Since(p.Created); took != after {
		r.Errorf("%s was refused after %v, want %v", p.Number, took, after)
	}
}

// connected waits until the party talks to somebody, and hangs up.
func (r *rig) connected(p *pbxtest.Party, to string, after time.Duration) {
	r.Helper()
	r.told(p, "200", 10*time.Minute)
	synctest.Wait()
	r.hears(p, to)
	if took := time.Since(p.Created); took != after {
		r.Errorf("%s was answered after %v, want %v", p.Number, took, after)
	}
	p.Bye()
	synctest.Wait()
}

func TestElseKeepsItsReasonAndItsBranchesJudgeOneAttempt(t *testing.T) {
	p := pbx.Else(pbx.Because("why", ring("1001", 5)), pbx.On(ring("2000", 5), pbx.Busy))
	p = pbx.Else(pbx.Because("more", p), pbx.On(pbx.Because("late", ring("3000", 5)), pbx.NoAnswer, pbx.Busy))
	text := "ring 1001 for 5s [more; why]\n  on busy: ring 2000 for 5s\n  on no answer or busy: ring 3000 for 5s [late]\n"
	if got := pbx.Text(p); got != text {
		t.Errorf("got\n%swant\n%s", got, text)
	}
	with(t, plan(p), func(r *rig) {
		r.Register("1001", pbxtest.Busy())
		r.Register("2000", pbxtest.RingForever())
		r.Register("3000", pbxtest.Answer(0))
		r.refused(r.Call("1000", "x"), "refuse 480", 5*time.Second) // 2000's no answer is not judged, nor is the second branch for busy
		r.went("0s-0s ring 1001 for 5s: busy 486 (callee)\n0s-5s ring 2000 for 5s: no answer 480 (system)\n")
		if c := r.journal.last(t); c.Plan != text {
			t.Errorf("recorded plan\n%s", c.Plan)
		}
	})
}

func TestInOrder(t *testing.T) {
	three := plan(pbx.InOrder(ring("1001", 5), ring("1002", 5), ring("1003", 5)))
	for _, tc := range []struct {
		name          string
		first, second pbxtest.Script // nil: not registered
		third         pbxtest.Script
		told          string
		after         time.Duration
	}{
		{"best of busy and no answer", pbxtest.RingForever(), pbxtest.Busy(), nil, "refuse 486", 5 * time.Second},
		{"nobody there", nil, nil, nil, "refuse 480", 0},
		{"6xx ends it", pbxtest.Reject(486, time.Second), pbxtest.Reject(603, time.Second), pbxtest.Answer(0), "refuse 603", 2 * time.Second},
		{"600 ends it", pbxtest.Reject(600, time.Second), pbxtest.Answer(0), pbxtest.Answer(0), "refuse 600", time.Second},
		{"the most telling of three", pbxtest.Reject(404, 0), pbxtest.Reject(480, time.Second), pbxtest.Reject(500, 0), "refuse 480", time.Second},
		{"equals: the first", pbxtest.Reject(404, 0), pbxtest.Reject(410, 0), pbxtest.Reject(403, 0), "refuse 404", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			with(t, three, func(r *rig) {
				for i, s := range []pbxtest.Script{tc.first, tc.second, tc.third} {
					if s != nil {
						r.Register(fmt.Sprint(1001+i), s)
					}
				}
				r.refused(r.Call("1000", "x"), tc.told, tc.after)
			})
		})
	}
	with(t, three, func(r *rig) {
		one := r.Register("1001", pbxtest.RingForever())
		r.Register("1003", pbxtest.Answer(2*time.Second))
		r.connected(r.Call("1000", "x"), "1003", 7*time.Second)
		if o, over := one.Last().Ended(); !over || o.Kind != pbx.NoAnswer {
			t.Error(o)
		}
		r.went("0s-5s ring 1001 for 5s: no answer 480 (system)\n5s-5s ring 1002 for 5s: unreachable 480 (system)\n5s-7s ring 1003 for 5s: answered (callee)\n")
	})
	with(t, plan(pbx.InOrder()), func(r *rig) { r.refused(r.Call("1000", "x"), "refuse 480", 0) })
}

func TestForkOfEqualsEndsWithTheFirst(t *testing.T) {
	// Whichever branch comes to its end first: the caller is told the same every time.
	p := plan(pbx.Fork(pbx.Refuse(pbx.Loop), pbx.Refuse(pbx.NotFound), ring("1001", 5), pbx.Refuse(pbx.TooManyHops)))
	for range 50 {
		with(t, p, func(r *rig) { r.refused(r.Call("1000", "x"), "refuse 482", 0) })
	}
}

// conditions

type evening struct{}

func (evening) Holds(now time.Time) bool { return now.Hour() >= 18 }
func (evening) String() string           { return "evening" }
func (evening) Yes() string              { return "after six" }
func (evening) No() string               { return "before six" }

func TestWhenAsksAsTheCallComesBy(t *testing.T) {
	at := time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC)
	when := pbx.When(evening{}, at, ring("1002", 5), ring("1003", 5))
	if got := pbx.Text(when); got != "evening\n  if after six (now): ring 1002 for 5s\n  if before six: ring 1003 for 5s\n" {
		t.Error(got)
	}
	with(t, plan(pbx.InOrder(ring("1001", 40), when)), func(r *rig) {
		// The clock of a bubble starts at midnight UTC.
		pass(18*time.Hour - 20*time.Second)
		r.Register("1001", pbxtest.RingForever())
		r.Register("1002", pbxtest.Answer(time.Second))
		r.Register("1003", pbxtest.Answer(time.Second))
		r.connected(r.Call("1000", "x"), "1002", 41*time.Second) // it began before six, and came by after
		r.went("0s-40s ring 1001 for 40s: no answer 480 (system)\n40s-41s evening: answered (callee)\n40s-41s ring 1002 for 5s: answered (callee)\n")
		pass(6 * time.Hour)
		r.connected(r.Call("1000", "x"), "1003", 41*time.Second)
	})
}

func TestDivertTellsTheCaller(t *testing.T) {
	d := pbx.Diversion{From: "1001", To: "1002", Reason: "no-answer", Status: 408}
	p := pbx.Else(ring("1001", 5), pbx.On(pbx.Divert(d, pbx.Ringing{Extension: "1002", Wait: 10 * time.Second, Via: []pbx.Diversion{d}}), pbx.NoAnswer))
	with(t, plan(p), func(r *rig) {
		one := r.Register("1001", pbxtest.EarlyMedia(time.Second, pbxtest.RingForever()))
		two := r.Register("1002", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "1001")
		pass(2 * time.Second)
		r.hears(alice, "1001")
		pass(4 * time.Second)
		r.hears(alice, "ringing") // instead of the early media of what has failed
		r.connected(alice, "1002", 8*time.Second)
		if got := strings.Join(alice.Told(), ", "); got != "183 early PCMU PCMA telephone-event, 180, 181, 180, 200 PCMU PCMA telephone-event, sent bye" {
			t.Error(got)
		}
		if o, over := one.Last().Ended(); !over || o.Kind != pbx.NoAnswer {
			t.Error("the phone that did not answer rings on", o)
		}
		if via := two.Last().Invitation.Via; len(via) != 1 || via[0] != d {
			t.Error(via)
		}
		r.went("0s-5s ring 1001 for 5s: no answer 480 (system)\n5s-8s forward from 1001 to 1002 (no-answer): answered (callee)\n5s-8s ring 1002 for 10s: answered (callee)\n")
	})
	with(t, plan(pbx.Divert(d, ring("1002", 5))), func(r *rig) { // nothing has rung: 181 alone is no ringing
		r.refused(r.Call("1000", "1001"), "refuse 480", 0)
		synctest.Wait()
		if c := r.journal.last(t); !c.Rang.IsZero() {
			t.Error("rang", c.Rang)
		}
	})
}

func TestEarlyMediaOfOneBranchDoesNotShutOutTheNext(t *testing.T) {
	p := pbx.InOrder(ring("1001", 5), ring("1002", 10))
	with(t, plan(p), func(r *rig) {
		r.Register("1001", pbxtest.EarlyMedia(0, pbxtest.Reject(486, time.Second)))
		two := r.Register("1002", pbxtest.EarlyMedia(time.Second, pbxtest.Answer(3*time.Second)))
		alice := r.Call("1000", "x")
		pass(3 * time.Second)
		r.hears(alice, "1002")
		r.hears(two.Last(), "1000")
		r.connected(alice, "1002", 5*time.Second)
	})
}

// redirecting is a ring whose redirections are followed.
func redirecting(r pbx.Ringing, route func(pbx.Outcome) pbx.Target) pbx.Ringing {
	r.Redirected = route
	return r
}

// One phone sends the call on at once, while another of the same extension rings.
func TestRedirectionWhileAnotherPhoneRings(t *testing.T) {
	p := redirecting(ring("1001", 20), func(o pbx.Outcome) pbx.Target { return ring(o.Contacts[0].Number, 30) })
	with(t, plan(p), func(r *rig) {
		r.Register("1001", pbxtest.Redirect("1002"))
		soft := r.Register("1001", pbxtest.RingForever())
		r.Register("1002", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "1001")
		r.connected(alice, "1002", 3*time.Second)
		if told := soft.Last().Told(); len(told) == 0 || told[len(told)-1] != "cancel cancelled 200 (system)" {
			t.Error(told)
		}
	})
	with(t, plan(p), func(r *rig) { // who is sent to has his own time
		r.Register("1001", pbxtest.Redirect("1002"))
		r.Register("1002", pbxtest.Answer(25*time.Second))
		r.connected(r.Call("1000", "1001"), "1002", 25*time.Second)
	})
}

func TestRedirection(t *testing.T) {
	route := func(o pbx.Outcome) pbx.Target {
		var all []pbx.Target
		for _, c := range o.Contacts {
			all = append(all, pbx.Divert(pbx.Diversion{From: "1001", To: c.Number, Reason: "deflection", Status: 302}, ring(c.Number, 5)))
		}
		return pbx.InOrder(all...)
	}
	p := pbx.Else(pbx.Because("rings", redirecting(ring("1001", 20), route)), pbx.On(ring("1009", 5), pbx.NoAnswer, pbx.Busy))
	with(t, plan(p), func(r *rig) {
		r.Register("1001", pbxtest.Redirect("1002", "1003"))
		r.Register("1002", pbxtest.RingForever())
		r.Register("1003", pbxtest.Answer(time.Second))
		alice := r.Call("1000", "1001")
		r.connected(alice, "1003", 6*time.Second)
		if got := alice.Told()[0]; got != "181" {
			t.Error(got)
		}
		r.went("0s-6s ring 1001 for 20s: answered (callee)\n" +
			"0s-5s forward from 1001 to 1002 (deflection): no answer 480 (system)\n0s-5s ring 1002 for 5s: no answer 480 (system)\n" +
			"5s-6s forward from 1001 to 1003 (deflection): answered (callee)\n5s-6s ring 1003 for 5s: answered (callee)\n")
		if text := pbx.Text(p); text != "ring 1001 for 20s [rings]\n  on no answer or busy: ring 1009 for 5s\n" {
			t.Error(text)
		}
	})
	with(t, plan(p), func(r *rig) { // what it is redirected to is judged as the attempt is
		r.Register("1001", pbxtest.Redirect("1002"))
		r.Register("1002", pbxtest.Busy())
		r.Register("1009", pbxtest.Answer(0))
		r.connected(r.Call("1000", "1001"), "1009", 0)
	})
	with(t, plan(p), func(r *rig) { // the caller gives up as the redirection comes
		h := r.Register("1001", pbxtest.Ringing(0, time.Second, pbx.Outcome{Kind: pbx.Redirected, Status: 302, Contacts: []pbx.Redirection{{Number: "1002"}}}))
		two := r.Register("1002", pbxtest.RingForever())
		alice := r.Call("1000", "1001")
		synctest.Wait()
		alice.Cancel()
		synctest.Wait()
		if two.Last() != nil || h.Last() == nil {
			t.Error("followed after the caller had gone")
		}
	})
	with(t, plan(pbx.Refuse(pbx.Outcome{Kind: pbx.Redirected, Status: 302, ToCaller: true, Contacts: []pbx.Redirection{{Number: "1005", Local: true}}})), func(r *rig) {
		r.refused(r.Call("1000", "1001"), "refuse 302 call 1005", 0)
	})
}

func TestPanicsEndOneCallAndLeaveNothing(t *testing.T) {
	boom := redirecting(ring("1001", 5), func(pbx.Outcome) pbx.Target { panic("defect") })
	with(t, plan(pbx.OneCall("1001", boom)), func(r *rig) {
		h := r.Register("1001", pbxtest.Redirect("1002"))
		r.refused(r.Call("1000", "1001"), "refuse 500", 0)
		h.Set(pbxtest.Answer(0)) // the line is free again
		r.connected(r.Call("1000", "1001"), "1001", 0)
	})
	with(t, plan(pbx.Fork(pbx.OneCall("1001", boom), ring("1003", 5))), func(r *rig) {
		r.Register("1001", pbxtest.Redirect("1002"))
		r.Register("1003", pbxtest.Answer(time.Second))
		r.connected(r.Call("1000", "1001"), "1003", time.Second)
	})
}

// At each stage of a call it can be ended from outside, and drained.
func TestHangupAndDrainAtEachStage(t *testing.T) {
	confirmed := ring("1002", 5)
	confirmed.Confirm = 20 * time.Second
	p := plan(pbx.InOrder(ring("1001", 5), pbx.OneCall("1002", confirmed),
		pbx.Service("menu", func(ctx context.Context, t *pbx.Talk) pbx.Target {
			t.Keys(ctx, "enter-number", 3, 5*time.Second)
			return ring("1003", 10)
		})))
	// 0: 1001 rings; 5: 1002 answers and is asked; 25: the menu; 32: 1003 rings; 34: they talk
	stages := map[string]time.Duration{"at once": 0, "ringing": 2 * time.Second, "confirming": 10 * time.Second, "prompt": 26 * time.Second,
		"keys": 29 * time.Second, "ringing a caller who is answered": 33 * time.Second, "talking": 40 * time.Second}
	phones := func(r *rig) {
		r.Register("1001", pbxtest.RingForever())
		r.Register("1002", pbxtest.Answer(0))
		r.Register("1003", pbxtest.Answer(2*time.Second))
	}
	for name, at := range stages {
		ended := func(r *rig, alice *pbxtest.Party, outcome, by string) {
			r.Helper()
			synctest.Wait()
			if _, over := alice.Ended(); !over {
				r.Error("the caller's leg is still there")
			}
			c := r.journal.last(r.T)
			if at >= 25*time.Second {
				outcome = "answered"
			}
			if c.Outcome != outcome || c.EndedBy != by || len(r.journal.ended) != 1 {
				r.Errorf("%+v", c)
			}
			for _, p := range c.Path {
				if p.Until.IsZero() || p.Outcome == "" {
					r.Errorf("%+v has no end", p)
				} else if strings.HasPrefix(p.Outcome, "answered") && at < 34*time.Second && p.Node != "menu" {
					r.Errorf("%+v was not answered", p)
				}
			}
		}
		t.Run("hang up "+name, func(t *testing.T) {
			with(t, p, func(r *rig) {
				phones(r)
				alice := r.Call("1000", "x")
				pass(at)
				if !r.sb.HangupCall(r.sb.Calls()[0].ID, pbx.Hangup.ByWhom(pbx.Admin)) {
					r.Error("no such call")
				}
				ended(r, alice, "failed", "admin")
			})
		})
		t.Run("drain "+name, func(t *testing.T) {
			with(t, p, func(r *rig) {
				phones(r)
				alice := r.Call("1000", "x")
				if err := r.sb.Drain(r.T.Context(), at); err != nil {
					r.Error(err)
				}
				ended(r, alice, "failed", "system")
			})
		})
		t.Run("caller hangs up "+name, func(t *testing.T) {
			with(t, p, func(r *rig) {
				phones(r)
				alice := r.Call("1000", "x")
				pass(at)
				synctest.Wait()
				if alice.Answered() {
					alice.Bye()
				} else {
					alice.Cancel()
				}
				ended(r, alice, "cancelled", "caller")
			})
		})
	}
}

// pass lets time go by, and what is due then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
