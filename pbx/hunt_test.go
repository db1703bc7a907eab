package pbx_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// group is a hunt for three members who ring 5 s each.
func group(s pbx.Strategy) pbx.Target {
	var members []pbx.Candidate
	for _, m := range []string{"1001", "1002", "1003"} {
		members = append(members, pbx.Candidate{Extension: m, Target: pbx.OneCall(m, ring(m, 5))})
	}
	return pbx.Hunt("600", s, members...)
}

// rangInOrder are the extensions that rang in the call that ended last.
func (r *rig) rangInOrder() string {
	synctest.Wait()
	var all []string
	for _, p := range r.journal.last(r.T).Path {
		if e, ok := strings.CutPrefix(p.Node, "ring "); ok {
			all = append(all, strings.Fields(e)[0])
		}
	}
	return strings.Join(all, " ")
}

func TestHuntInOrderPassesOver(t *testing.T) {
	p := func(c *pbx.Call) pbx.Target {
		if c.Dialled == "600" {
			return group(pbx.InTurn)
		}
		return ring(c.Dialled, 20)
	}
	with(t, p, func(r *rig) {
		r.Register("1001", pbxtest.RingForever())
		two := r.Register("1002", pbxtest.Answer(time.Second))
		three := r.Register("1003", pbxtest.Answer(time.Second))
		for range 2 {
			alice := r.Call("1000", "600")
			r.connected(alice, "1002", 6*time.Second)
		}
		busy := r.Call("1002", "1001") // 1001 rings a second line, 1002 makes a call: it is passed over
		pass(time.Second)
		r.connected(r.Call("1000", "600"), "1003", 6*time.Second)
		if got := r.rangInOrder(); got != "1001 1003" {
			t.Error(got)
		}
		busy.Cancel()
		if len(two.Calls()) != 2 || len(three.Calls()) != 1 {
			t.Error(len(two.Calls()), len(three.Calls()))
		}
	})
	with(t, plan(group(pbx.InTurn)), func(r *rig) { // busy, not there, does not answer: the best outcome
		r.Register("1001", pbxtest.Busy())
		r.Register("1003", pbxtest.RingForever())
		r.refused(r.Call("1000", "600"), "refuse 486", 5*time.Second)
	})
	with(t, plan(pbx.Hunt("600", pbx.Random)), func(r *rig) { r.refused(r.Call("1000", "600"), "refuse 480", 0) })
}

func TestRoundRobin(t *testing.T) {
	with(t, plan(group(pbx.RoundRobin)), func(r *rig) {
		for _, m := range []string{"1001", "1002", "1003"} {
			r.Register(m, pbxtest.Answer(time.Second))
		}
		for _, want := range []string{"1001", "1002", "1003", "1001"} {
			r.connected(r.Call("1000", "600"), want, time.Second)
		}
		// Two calls in the same moment: each gets its own member at once.
		a, b := r.Call("1000", "600"), r.Call("1009", "600")
		pass(2 * time.Second)
		got := []string{a.Hears(), b.Hears()}
		if strings.Join(got, " ") != "1002 1003" && strings.Join(got, " ") != "1003 1002" {
			t.Error(got)
		}
		a.Bye()
		b.Bye()
	})
	with(t, plan(group(pbx.RoundRobin)), func(r *rig) { // who does not answer hands on to the next
		r.Register("1003", pbxtest.RingForever())
		for _, want := range []string{"1001 1002 1003", "1002 1003 1001", "1003 1001 1002"} {
			r.refused(r.Call("1000", "600"), "refuse 480", 5*time.Second)
			if got := r.rangInOrder(); got != want {
				t.Errorf("rang %s, want %s", got, want)
			}
		}
	})
}

func TestLongestIdle(t *testing.T) {
	with(t, plan(group(pbx.LongestIdle)), func(r *rig) {
		for _, m := range []string{"1001", "1002", "1003"} {
			r.Register(m, pbxtest.Answer(time.Second))
		}
		for _, want := range []string{"1001", "1002", "1003"} { // nobody has had a call: as in the list, then the others
			r.connected(r.Call("1000", "600"), want, time.Second)
		}
		long := r.Call("1000", "600")
		pass(2 * time.Second)
		r.hears(long, "1001")
		short := r.Call("1009", "600")
		pass(2 * time.Second)
		r.hears(short, "1002")
		short.Bye()
		pass(time.Second)
		long.Bye() // 1001's call began first, and ended last
		synctest.Wait()
		for _, want := range []string{"1003", "1002", "1001"} {
			r.connected(r.Call("1000", "600"), want, time.Second)
			pass(time.Second)
		}
	})
	with(t, plan(group(pbx.LongestIdle)), func(r *rig) { // a call that was not answered does not end an idle time
		one := r.Register("1001", pbxtest.Answer(time.Second))
		two := r.Register("1002", pbxtest.Answer(time.Second))
		r.connected(r.Call("1000", "600"), "1001", time.Second)
		pass(time.Second)
		r.connected(r.Call("1000", "600"), "1002", time.Second)
		one.Set(pbxtest.RingForever())
		two.Set(pbxtest.RingForever())
		for range 2 {
			r.refused(r.Call("1000", "600"), "refuse 480", 10*time.Second)
			if got := r.rangInOrder(); got != "1003 1001 1002" {
				t.Error("rang", got)
			}
		}
	})
}

func TestRandomHuntTriesEverybodyOnce(t *testing.T) {
	with(t, plan(group(pbx.Random)), func(r *rig) {
		seen := make(map[string]bool)
		for range 100 {
			r.refused(r.Call("1000", "600"), "refuse 480", 0)
			order := r.rangInOrder()
			seen[order] = true
			for _, m := range []string{"1001", "1002", "1003"} {
				if strings.Count(order, m) != 1 {
					t.Fatal(order)
				}
			}
		}
		if len(seen) < 4 { // of six; the odds against it are 10^-16
			t.Error(seen)
		}
	})
}
