package pbx_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestSimulate(t *testing.T) {
	morning := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	route := func(o pbx.Outcome) pbx.Target { return ring(o.Contacts[0].Number, 5) }
	for _, tc := range []struct {
		name  string
		plan  pbx.Target
		world pbx.World
		want  string
	}{
		{"nobody answers", pbx.Else(ring("1001", 20), pbx.On(ring("1002", 10), pbx.NoAnswer)), pbx.World{},
			"0s-20s ring 1001 for 20s: no answer 480 (system)\n20s-30s ring 1002 for 10s: no answer 480 (system)\n= no answer 480 (system)"},
		{"nobody is there", ring("1001", 20), pbx.World{Phones: map[string][]pbx.Behaviour{"1001": {}}},
			"0s-0s ring 1001 for 20s: unreachable 480 (system)\n= unreachable 480 (system)"},
		{"no sign", ring("1001", 60), pbx.World{Phones: map[string][]pbx.Behaviour{"1001": {{Silent: true}}}},
			"0s-32s ring 1001 for 1m0s: unreachable 408 (network)\n= unreachable 408 (network)"},
		{"one of three answers", pbx.Fork(ring("1001", 20), ring("1002", 20)),
			pbx.World{Phones: map[string][]pbx.Behaviour{"1002": {{}, {Status: 486}, {Status: 200, Ends: 3 * time.Second}}}},
			"0s-3s ring 1001 for 20s: cancelled 200 (system)\n0s-3s ring 1002 for 20s: answered (callee)\n= answered (callee)"},
		{"redirected, then judged", pbx.Else(redirecting(ring("1001", 20), route), pbx.On(ring("1003", 5), pbx.NoAnswer)),
			pbx.World{Phones: map[string][]pbx.Behaviour{"1001": {{Status: 302, Ends: time.Second, Contacts: []pbx.Redirection{{Number: "1002"}}}}}},
			"0s-6s ring 1001 for 20s: no answer 480 (system)\n1s-6s ring 1002 for 5s: no answer 480 (system)\n6s-11s ring 1003 for 5s: no answer 480 (system)\n= no answer 480 (system)"},
		{"not confirmed", confirmed("1001", 20), pbx.World{Phones: map[string][]pbx.Behaviour{"1001": {{Status: 200, Ends: 2 * time.Second}}}},
			"0s-12s ring 1001 for 20s, to be confirmed by 1 within 10s: no answer 480 (callee)\n= no answer 480 (callee)"},
		{"confirmed after the ringing has ended", confirmed("1001", 5),
			pbx.World{Phones: map[string][]pbx.Behaviour{"1001": {{Status: 200, Ends: 4 * time.Second, Accepts: 9 * time.Second}, {}}}},
			"0s-13s ring 1001 for 5s, to be confirmed by 1 within 10s: answered (callee)\n= answered (callee)"},
		{"the line is in use", oneCall(20), pbx.World{InCall: map[string]bool{"1001": true}},
			"0s-0s busy if 1001 has a call: busy 486 (system)\n= busy 486 (system)"},
		{"the caller's own line", oneCall(20), pbx.World{From: "1001"},
			"0s-0s busy if 1001 has a call: busy 486 (system)\n= busy 486 (system)"},
		{"as the plan shows it", pbx.When(evening{}, morning, ring("1001", 5), pbx.Refuse(pbx.NotFound)), pbx.World{},
			"0s-0s evening: failed 404 (system)\n0s-0s refuse: failed 404 (system): failed 404 (system)\n= failed 404 (system)"},
		{"as the clock shows", pbx.InOrder(ring("1001", 5), pbx.When(evening{}, morning, ring("1002", 5), pbx.Refuse(pbx.NotFound))),
			pbx.World{At: time.Date(2026, 3, 2, 17, 59, 56, 0, time.UTC)},
			"0s-5s ring 1001 for 5s: no answer 480 (system)\n5s-10s evening: no answer 480 (system)\n5s-10s ring 1002 for 5s: no answer 480 (system)\n= no answer 480 (system)"},
		{"a hunt out of turn", group(pbx.RoundRobin), pbx.World{Order: func(string, pbx.Strategy, []string) []int { return []int{2, 0, 1} },
			Phones: map[string][]pbx.Behaviour{"1003": {{Status: 486}}, "1001": {{Status: 200, Ends: time.Second}}}},
			"0s-1s one after the other, round robin: answered (callee)\n0s-0s busy if 1003 has a call: busy 486 (callee)\n0s-0s ring 1003 for 5s: busy 486 (callee)\n" +
				"0s-1s busy if 1001 has a call: answered (callee)\n0s-1s ring 1001 for 5s: answered (callee)\n= answered (callee)"},
		{"a service asks and goes on", pbx.Service("PIN", nil, ring("1001", 5)), pbx.World{},
			"0s-5s PIN: no answer 480 (system)\n0s-5s ring 1001 for 5s: no answer 480 (system)\n= no answer 480 (system)"},
		{"until the caller has had enough", pbx.Echo(), pbx.World{GivesUp: time.Minute}, "0s-1m0s echo test: answered (system)\n= answered (system)"},
		{"for ever", pbx.Echo(), pbx.World{}, "0s-0s echo test: answered (system)\n= answered (system)"},
		{"the caller gives up", pbx.Else(ring("1001", 20), pbx.On(ring("1002", 10), pbx.NoAnswer, pbx.Cancelled)), pbx.World{GivesUp: 7 * time.Second},
			"0s-7s ring 1001 for 20s: cancelled 487 (caller)\n= cancelled 487 (caller)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, path := pbx.Simulate(tc.plan, tc.world)
			if got := way(tc.world.At, path) + "= " + o.String(); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// drawing makes plans and worlds of which no two things happen in the same moment, unless by one cause.
type drawing struct {
	*rapid.T
	times  uint64
	free   []string          // extensions that are in no OneCall yet
	talks  map[string]talked // by the name of a service
	phones map[string][]pbx.Behaviour
	served bool
}

type talked struct {
	lasts time.Duration
	then  pbx.Target
}

// time is some seconds and a bit that no other time has.
func (d *drawing) time(name string, from, to int) time.Duration {
	d.times++
	x := d.times * 0x9e3779b97f4a7c15 // SplitMix64, so that sums differ too
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return time.Duration(rapid.IntRange(from, to).Draw(d.T, name))*time.Second + time.Duration((x^x>>31)%uint64(500*time.Millisecond)) + 1
}

func (d *drawing) behaviour() pbx.Behaviour {
	var b pbx.Behaviour
	switch rapid.SampledFrom([]string{"rings", "silent", "answers", "answers", "answers", "rejects", "redirects", "busy"}).Draw(d.T, "phone") {
	case "rings": // for ever
	case "silent":
		b.Silent = true
	case "answers":
		b.Status = 200
	case "rejects":
		b.Status = rapid.SampledFrom([]int{401, 404, 408, 480, 482, 486, 500, 503, 600, 603}).Draw(d.T, "status")
	case "redirects":
		b.Status = 302
		for range rapid.IntRange(1, 2).Draw(d.T, "contacts") {
			b.Contacts = append(b.Contacts, pbx.Redirection{Number: rapid.SampledFrom(drawnExtensions).Draw(d.T, "contact"), Local: true})
		}
	default:
		b.Status, b.Silent = 486, true
	}
	if b.Status != 0 {
		b.Ends = d.time("ends", 0, 12)
	}
	if !b.Silent && rapid.Bool().Draw(d.T, "rings late") {
		b.Rings = d.time("rings", 0, 6)
	}
	if b.Status == 200 {
		if rapid.Bool().Draw(d.T, "accepts") {
			b.Accepts = d.time("accepts", 0, 12)
		}
		if rapid.Bool().Draw(d.T, "hangs up") {
			b.HangsUp = d.time("hangs up", 0, 12)
		}
	}
	return b
}

var drawnExtensions = []string{"1001", "1002", "1003", "1004", "1005", "1006", "1007"}

// from is a condition that holds from some time on.
type from time.Time

func (f from) Holds(now time.Time) bool { return !now.Before(time.Time(f)) }
func (f from) String() string           { return "the hour" }
func (f from) Yes() string              { return "later" }
func (f from) No() string               { return "earlier" }

// follow is where redirections lead: not further than once.
func follow(o pbx.Outcome) pbx.Target {
	var all []pbx.Target
	for i, c := range o.Contacts {
		all = append(all, pbx.Divert(pbx.Diversion{From: "x", To: c.Number, Reason: "deflection"},
			pbx.Ring(c.Number, time.Duration(3+i)*time.Second+time.Duration(i)*time.Millisecond+time.Microsecond)))
	}
	return pbx.InOrder(all...)
}

// target draws a plan that rings these extensions only; alone says that nothing happens beside it.
func (d *drawing) target(depth int, extensions []string, alone bool) pbx.Target {
	some := func() string { return rapid.SampledFrom(extensions).Draw(d.T, "extension") }
	below := func(alone bool) pbx.Target { return d.target(depth-1, extensions, alone) }
	choices := []string{"refuse", "confirm", "ring", "ring"}
	if depth > 0 {
		choices = []string{"ring", "else", "else", "in order", "fork", "fork", "one call", "hunt", "when", "talk"}
	}
	switch rapid.SampledFrom(choices).Draw(d.T, "target") {
	case "refuse":
		return pbx.Refuse(rapid.SampledFrom([]pbx.Outcome{pbx.NotFound, pbx.Loop, pbx.Disturbed, pbx.TooManyHops}).Draw(d.T, "refusal"))
	case "confirm":
		r := pbx.Ringing{Extension: some(), Wait: d.time("wait", 1, 10), Confirm: d.time("confirm", 1, 10)}
		return redirecting(r, follow)
	case "ring":
		r := pbx.Ringing{Extension: some(), Wait: d.time("wait", 1, 40)}
		if rapid.Bool().Draw(d.T, "redirects") {
			return redirecting(r, follow)
		}
		return pbx.Because("why not", r)
	case "else":
		kinds := []pbx.Kind{pbx.NoAnswer, pbx.Busy, pbx.Declined, pbx.Unreachable, pbx.Looped, pbx.Redirected, pbx.Failed}
		n := rapid.IntRange(0, len(kinds)-1).Draw(d.T, "kinds")
		t := pbx.Else(below(alone), pbx.On(below(alone), kinds[:n+1]...))
		if n+1 < len(kinds) {
			t = pbx.Else(t, pbx.On(below(alone), kinds[n+1:]...))
		}
		return t
	case "in order":
		return pbx.InOrder(below(alone), below(alone), below(alone))
	case "fork":
		if len(extensions) < 2 {
			return below(alone)
		}
		half := len(extensions) / 2
		return pbx.Fork(d.target(depth-1, extensions[:half], false), d.target(depth-1, extensions[half:], false))
	case "one call":
		if len(d.free) == 0 {
			return below(alone)
		}
		one := d.free[0]
		d.free = d.free[1:]
		return pbx.OneCall(one, below(alone))
	case "hunt":
		var members []pbx.Candidate
		for range rapid.IntRange(1, 3).Draw(d.T, "members") {
			members = append(members, pbx.Candidate{Extension: some(), Target: below(alone)})
		}
		d.times++
		return pbx.Hunt(fmt.Sprint("group ", d.times), rapid.SampledFrom([]pbx.Strategy{pbx.InTurn, pbx.RoundRobin}).Draw(d.T, "strategy"), members...)
	case "when":
		at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d.time("hour", 0, 20))
		return pbx.When(from(at), at, pbx.Divert(pbx.Diversion{From: "a", To: "b", Reason: "time-of-day"}, below(alone)), below(alone))
	default:
		if !alone {
			return below(alone)
		}
		if rapid.Bool().Draw(d.T, "announce") {
			return pbx.Announce("sorry", pbx.NotFound)
		}
		d.served = true
		name := fmt.Sprint("service ", len(d.talks))
		d.talks[name] = talked{} // so that one inside has another name
		talk := talked{lasts: promptLength}
		if rapid.Bool().Draw(d.T, "goes on") {
			talk.then = below(alone)
		}
		d.talks[name] = talk
		return pbx.Service(name, func(ctx context.Context, t *pbx.Talk) pbx.Target {
			t.Play(ctx, "talk")
			return talk.then
		})
	}
}

// What Simulate says on paper is what happens.
func TestSimulateIsWhatHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := &drawing{T: rt, free: slices.Clone(drawnExtensions[4:]), talks: make(map[string]talked), phones: make(map[string][]pbx.Behaviour)}
		for _, e := range drawnExtensions {
			d.phones[e] = []pbx.Behaviour{}
			for range rapid.IntRange(0, 2).Draw(rt, "phones of "+e) {
				d.phones[e] = append(d.phones[e], d.behaviour())
			}
		}
		early := rapid.SliceOfN(rapid.Bool(), 2, 2).Draw(rt, "early media")
		p := d.target(4, drawnExtensions, true)
		world := pbx.World{From: "1000", Phones: d.phones, InCall: make(map[string]bool),
			Talk:     func(name string) (time.Duration, pbx.Target) { return d.talks[name].lasts, d.talks[name].then },
			Announce: func(string) time.Duration { return promptLength },
		}
		if rapid.Bool().Draw(rt, "gives up") {
			world.GivesUp = d.time("gives up", 0, 40)
		}
		if rapid.Bool().Draw(rt, "line in use") {
			world.InCall["1005"] = true
		}
		route := func(c *pbx.Call) pbx.Target {
			if c.Dialled == "echo" {
				return pbx.Echo()
			}
			return p
		}
		with(t, route, func(r *rig) {
			for _, e := range drawnExtensions {
				for i, b := range d.phones[e] {
					if early[i] {
						r.Register(e, pbxtest.BehaveEarly(b))
					} else {
						r.Register(e, pbxtest.Behave(b))
					}
				}
			}
			var others []*pbxtest.Party
			for e := range world.InCall {
				others = append(others, r.Call(e, "echo"))
			}
			pass(0)
			world.At = time.Now().UTC()
			alice := r.Call("1000", "x")
			end := func() {
				if alice.Answered() {
					alice.Bye()
				} else {
					alice.Cancel()
				}
			}
			if world.GivesUp > 0 {
				pass(world.GivesUp)
				end()
			}
			pass(30 * time.Minute)
			end()
			pass(0)
			o, path := pbx.Simulate(p, world)
			c := r.journal.last(t)
			if got, want := lines(way(c.Started, c.Path)), lines(way(world.At, path)); !slices.Equal(got, want) {
				rt.Errorf("plan\n%sphones %+v\nthe call went\n%s\non paper it goes\n%s", pbx.Text(p), d.phones, strings.Join(got, ""), strings.Join(want, ""))
			}
			if want := o.Kind.String(); !d.served && c.Outcome != want {
				rt.Errorf("plan\n%sended as %s, on paper as %s", pbx.Text(p), c.Outcome, want)
			}
			for _, other := range others {
				other.Bye()
			}
		})
	})
}

// lines are sorted, since branches of a fork begin in any order.
func lines(s string) []string { return slices.Sorted(strings.Lines(s)) }
