package features

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// size is how many nodes a plan has, and how many of them ring.
func size(t *testing.T, n pbx.Node, depth int) (nodes, rings int) {
	t.Helper()
	nodes = 1
	if n.Type == "ring" {
		rings = 1
	}
	if n.Type == "fork" && len(n.Then) > pbx.MaxBranches+3 { // the branches of its Else are among them
		t.Errorf("%d at once", len(n.Then))
	}
	if depth > 1000 {
		t.Fatal("the plan is too deep")
	}
	for _, below := range n.Then {
		a, b := size(t, below, depth+1)
		nodes, rings = nodes+a, rings+b
	}
	return nodes, rings
}

func bounded(t *testing.T, w *world, dialled string) {
	t.Helper()
	nodes, rings := size(t, w.router().Plan(pbx.Identity{Number: "1001"}, dialled, morning).Node(), 0)
	if rings > maxTargets || nodes > 40*maxTargets {
		t.Errorf("a plan of %d nodes, of which %d ring", nodes, rings)
	}
}

// Everybody looks for himself at everybody else's: 20! ways without bounds.
func TestPlansOfEverybodysPlaces(t *testing.T) {
	w := newWorld()
	var places []pbx.Place
	for n := range w.extensions {
		places = append(places, pbx.Place{Number: n})
	}
	for n := range w.extensions {
		w.of(n).FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: places}, {Places: places}, {Places: places}}}
		w.of(n).NoAnswer = pbx.Forward{On: true, To: "1004"}
		w.of(n).Busy = pbx.Forward{On: true, To: "1005"}
	}
	bounded(t, w, "1000")
}

func TestPlansOfManyPlacesAtOnce(t *testing.T) {
	w := newWorld()
	var places []pbx.Place
	for range 100 {
		places = append(places, pbx.Place{Number: "1000"})
	}
	w.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: places}}}
	bounded(t, w, "1000")
}

// Rules that hold at times double what comes after them; those for outgoing calls go round in numbers that nobody has.
func TestPlansOfRulesAtTimes(t *testing.T) {
	w := newWorld()
	var in, out []pbx.Rule
	for i := range 30 {
		in = append(in, pbx.Rule{Schedule: &pbx.Schedule{Days: []string{"mon"}}, Action: pbx.LetIn})
		out = append(out, pbx.Rule{Schedule: &pbx.Schedule{Days: []string{"mon"}}, Action: pbx.SendTo, To: fmt.Sprint("7", i)})
	}
	w.office.office.Incoming, w.office.office.Outgoing = in, out
	for n := range w.extensions {
		w.of(n).Incoming, w.of(n).Outgoing = in, out
	}
	bounded(t, w, "1000")
	bounded(t, w, "70")
}

// randomWorld is an office where everybody has set something.
func randomWorld(rnd *rand.Rand) *world {
	w := newWorld()
	number := func() string {
		return []string{fmt.Sprint(1000 + rnd.IntN(20)), "600", "601", "2000", "7777", "mailbox.3000"}[max(0, rnd.IntN(9)-3)]
	}
	maybe := func() bool { return rnd.IntN(3) == 0 }
	forward := func() pbx.Forward {
		return pbx.Forward{On: maybe(), To: number(), After: rnd.IntN(20), Ring: rnd.IntN(20)}
	}
	rules := func() (all []pbx.Rule) {
		for range rnd.IntN(4) {
			rule := pbx.Rule{Action: []pbx.Action{pbx.LetIn, pbx.Reject, pbx.TellWhy, pbx.SendTo}[rnd.IntN(4)], To: number()}
			if !maybe() {
				rule.Numbers = []string{number(), number()}
			}
			if maybe() {
				rule.Schedule = &pbx.Schedule{From: "08:00", To: "17:00"}
			}
			all = append(all, rule)
		}
		return all
	}
	for n := range 20 {
		n := fmt.Sprint(1000 + n)
		sv := w.of(n)
		sv.Busy, sv.NoAnswer, sv.Unreachable, sv.Incoming, sv.Outgoing = forward(), forward(), forward(), rules(), rules()
		sv.OneCall.On, sv.DoNotDisturb.On, sv.HideNumber.On = maybe(), rnd.IntN(4) == 0, maybe()
		sv.Redirect = []pbx.Redirect{pbx.Follow, pbx.Follow, pbx.PassOn, pbx.NoOther}[rnd.IntN(4)]
		if maybe() {
			sv.Always = forward()
		}
		if sv.Voicemail = (pbx.Voicemail{On: maybe(), After: rnd.IntN(20)}); maybe() {
			sv.Voicemail.Box = "3000"
		}
		for range rnd.IntN(4) {
			sv.FindMe.On = true
			sv.FindMe.Steps = append(sv.FindMe.Steps, pbx.Step{Places: []pbx.Place{{Number: number()}, {Number: n}, {Number: number(), Confirm: true}}})
		}
	}
	for _, n := range []string{"1000", "1003", "1006", "3000"} {
		w.box(n, maybe())
	}
	for _, g := range []string{"600", "601"} {
		w.groups[g] = &pbx.Group{Number: g, Enabled: true, Strategy: []pbx.Strategy{pbx.RingAll, pbx.InTurn, pbx.RoundRobin, pbx.LongestIdle, pbx.Random}[rnd.IntN(5)],
			Members: []string{number(), number(), number()}, KeepForwards: maybe(), Overflow: number()}
	}
	w.office.office.Outgoing = rules()
	return w
}

// Whatever is set, a plan is made, and is bounded.
func TestPlansOfRandomSettings(t *testing.T) {
	for seed := range uint64(300) {
		w := randomWorld(rand.New(rand.NewPCG(seed, 0)))
		bounded(t, w, "1000")
		bounded(t, w, "600")
		if t.Failed() {
			t.Fatal("seed", seed)
		}
	}
}

// Whatever is set, and whatever phones do, every call is answered or ends, and no phone is left ringing (calls looks after that).
func TestCallsOfRandomSettings(t *testing.T) {
	outcomes, steps := make(map[string]int), 0
	for seed := range uint64(60) {
		calls(t, func(x *exchange) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			*x.world.office = *randomWorld(rnd).office
			for n := range 20 {
				n := fmt.Sprint(1000 + n)
				wait := time.Duration(rnd.IntN(40)) * s
				script := []pbxtest.Script{pbxtest.Answer(wait), pbxtest.Busy(), pbxtest.Reject(480, wait), pbxtest.Reject(603, wait), pbxtest.RingForever(), pbxtest.Vanish(),
					pbxtest.AnswerLate(), pbxtest.Redirect(fmt.Sprint(1000+rnd.IntN(20)), "600"), nil}[rnd.IntN(9)]
				if script != nil {
					x.Register(n, script)
				}
			}
			var callers []*pbxtest.Party
			for i := range 5 {
				callers = append(callers, x.Call(fmt.Sprint(1000+rnd.IntN(20)), []string{"1000", "1005", "600", "601", "1012"}[i]))
				after(since() + time.Duration(rnd.IntN(10))*s)
			}
			after(4 * 60 * 60 * s)
			for _, p := range callers {
				if _, over := p.Ended(); !over && !p.Answered() {
					t.Errorf("seed %d: a call to nobody goes on and on: %q", seed, p.Told())
				}
				p.Bye()
			}
			synctest.Wait()
			x.cdrs.mu.Lock()
			defer x.cdrs.mu.Unlock()
			for _, r := range x.cdrs.all {
				outcomes[r.Outcome]++
				steps += len(r.Path)
				if len(r.Path) == 0 || r.Plan == "" {
					t.Errorf("seed %d: a record without a plan or a path: %+v", seed, r)
				}
			}
		})
		if t.Failed() {
			t.Fatal("seed", seed)
		}
	}
	// The settings are such that calls of many kinds come about; else this test would say nothing.
	if len(outcomes) < 6 || steps < 1000 {
		t.Errorf("%d steps, outcomes %v", steps, outcomes)
	}
}

// BenchmarkPlan makes and prints the plan of a typical extension: forwards, find-me with three places, five rules.
func BenchmarkPlan(b *testing.B) {
	w := newWorld()
	sv := w.of("1000")
	sv.Busy = pbx.Forward{On: true, To: "1005", Set: by("1000")}
	sv.NoAnswer = pbx.Forward{On: true, To: "1006", After: 15, Set: by("1000")}
	sv.FindMe = pbx.FindMe{On: true, Set: by("1000"), Steps: []pbx.Step{
		{Places: []pbx.Place{{Number: "1000"}}, Seconds: 10}, {Places: []pbx.Place{{Number: "1003"}, {Number: "1004", Confirm: true}}, Seconds: 20}}}
	sv.Incoming = []pbx.Rule{
		{Numbers: []string{"1010", "1011"}, Action: pbx.Reject}, {Prefixes: []string{"0900", "0190"}, Action: pbx.Reject},
		{Anonymous: true, Action: pbx.Reject}, {Numbers: []string{"1012"}, Action: pbx.SendTo, To: "1013"},
		{Name: "nights", Schedule: &pbx.Schedule{From: "22:00", To: "06:00"}, Action: pbx.TellWhy, Set: by("1000")},
	}
	r := w.router()
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Plan(pbx.Identity{Number: "1001"}, "1000", morning)
		}
	})
	b.Run("made and printed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pbx.Text(r.Plan(pbx.Identity{Number: "1001"}, "1000", morning))
		}
	})
}
