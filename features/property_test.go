package features

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// drawing makes offices, phones and callers. Every time that a phone or a caller takes has a bit that no other has, so that two of
// them do not meet in one moment.
type drawing struct {
	*rapid.T
	times uint64
}

var drawnNumbers = []string{"1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007"}

func (d *drawing) maybe(of int, what string) bool {
	odds := make([]bool, of)
	odds[0] = true
	return rapid.SampledFrom(odds).Draw(d.T, what)
}

func (d *drawing) number() string {
	return rapid.SampledFrom(append([]string{"600", "601", "602", "700", "701", "800", "2000", "7777", "mailbox.1000", "mailbox.3000", "mailbox.7777"}, drawnNumbers...)).Draw(d.T, "number")
}

func (d *drawing) seconds(from, to int) int { return rapid.IntRange(from, to).Draw(d.T, "seconds") }

func (d *drawing) time(from, to int) time.Duration {
	d.times++
	x := d.times * 0x9e3779b97f4a7c15 // SplitMix64, so that sums differ too
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return time.Duration(d.seconds(from, to))*time.Second + time.Duration((x^x>>31)%uint64(500*time.Millisecond)) + 1
}

func (d *drawing) forward() pbx.Forward {
	f := pbx.Forward{On: d.maybe(3, "forward"), To: d.number(), After: d.seconds(0, 10), Ring: d.seconds(0, 10)}
	if d.maybe(6, "302") {
		f.Answer = "redirect"
	}
	return f
}

func (d *drawing) rules() (all []pbx.Rule) {
	for range d.seconds(0, 2) {
		r := pbx.Rule{To: d.number(), Anonymous: d.maybe(4, "anonymous"),
			Action: rapid.SampledFrom([]pbx.Action{pbx.LetIn, pbx.LetIn, pbx.Reject, pbx.TellWhy, pbx.SendTo}).Draw(d.T, "action")}
		if !d.maybe(4, "everybody") {
			r.Numbers = []string{d.number(), d.number()}
		}
		if d.maybe(4, "by day") {
			r.Schedule = &pbx.Schedule{From: "00:00", To: "00:01"}
		}
		all = append(all, r)
	}
	return all
}

func (d *drawing) office() *office {
	o := newWorld().office
	for n := range o.extensions {
		if !slices.Contains(drawnNumbers, n) {
			delete(o.extensions, n)
		}
	}
	o.hours["office"] = &pbx.Hours{Name: "office", Open: []pbx.Span{{Days: []string{"sat"}, From: "00:00", To: "00:01"}}}
	o.hours["night"] = &pbx.Hours{Name: "night", Mode: "night"}
	closed := func() pbx.Closed {
		c := pbx.Closed{Hours: rapid.SampledFrom([]string{"", "", "office", "night", "none"}).Draw(d.T, "hours")}
		if d.maybe(2, "closed to") {
			c.To = d.number()
		}
		return c
	}
	for _, n := range drawnNumbers {
		e := o.extensions[n]
		e.Ring = d.time(1, 20)
		s := &e.Services
		s.Busy, s.NoAnswer, s.Unreachable = d.forward(), d.forward(), d.forward()
		if d.maybe(3, "always") {
			s.Always = d.forward()
		}
		s.DoNotDisturb.On, s.OneCall.On, s.HideNumber.On = d.maybe(6, "do not disturb"), d.maybe(3, "one call"), d.maybe(6, "hide")
		s.Redirect = rapid.SampledFrom([]pbx.Redirect{pbx.Follow, pbx.Follow, pbx.PassOn, pbx.NoOther}).Draw(d.T, "redirect")
		if d.maybe(3, "screening") {
			s.Incoming, s.Outgoing = d.rules(), d.rules()
		}
		if d.maybe(4, "hours") {
			s.Closed = closed()
		}
		if s.Voicemail.On = d.maybe(2, "voicemail"); s.Voicemail.On {
			s.Voicemail.After = d.seconds(0, 10)
			s.Voicemail.Box = rapid.SampledFrom([]string{"", "", "3000", "7777"}).Draw(d.T, "box")
		}
		if s.FindMe.On = d.maybe(3, "find-me"); s.FindMe.On {
			for range d.seconds(1, 3) {
				step := pbx.Step{Seconds: d.seconds(0, 10)}
				for range d.seconds(1, 3) {
					step.Places = append(step.Places, pbx.Place{Number: rapid.SampledFrom([]string{n, d.number()}).Draw(d.T, "place"), Confirm: d.maybe(3, "confirm")})
				}
				s.FindMe.Steps = append(s.FindMe.Steps, step)
			}
		}
	}
	for _, n := range []string{"1000", "1001", "1002", "1003", "3000"} {
		o.mailboxes[n] = &pbx.Mailbox{Number: n, Name: n, Enabled: !d.maybe(8, "disabled")}
	}
	for _, n := range []string{"700", "701"} {
		m := &pbx.Menu{Number: n, Name: n, Enabled: !d.maybe(8, "disabled"), Seconds: d.seconds(1, 5), Tries: d.seconds(1, 3), Keys: map[string]string{"1": d.number()}}
		if d.maybe(2, "nothing typed") {
			m.Timeout = d.number()
		}
		o.menus[n] = m
	}
	o.rooms["800"] = &pbx.Room{Number: "800", Name: "800", Enabled: !d.maybe(8, "disabled")}
	for _, n := range []string{"600", "601", "602"} {
		g := &pbx.Group{Number: n, Name: n, Enabled: !d.maybe(8, "disabled"), Seconds: d.seconds(1, 10), KeepForwards: d.maybe(2, "keep"),
			Strategy: rapid.SampledFrom([]pbx.Strategy{pbx.RingAll, pbx.InTurn, pbx.RoundRobin, pbx.LongestIdle, pbx.Random}).Draw(d.T, "strategy"),
			Members:  rapid.SliceOfNDistinct(rapid.SampledFrom(drawnNumbers), 0, 5, rapid.ID).Draw(d.T, "members"), Closed: closed()}
		if d.maybe(2, "overflow") {
			g.Overflow = d.number()
		}
		o.groups[n] = g
	}
	return o
}

func (d *drawing) phone() pbx.Behaviour {
	b := pbx.Behaviour{Silent: d.maybe(6, "silent")}
	switch rapid.SampledFrom([]string{"rings", "answers", "answers", "rejects", "redirects"}).Draw(d.T, "phone") {
	case "answers":
		b.Status = 200
		if d.maybe(2, "accepts") {
			b.Accepts = d.time(0, 25)
		}
		if d.maybe(3, "hangs up") {
			b.HangsUp = d.time(0, 25)
		}
	case "rejects":
		b.Status = rapid.SampledFrom([]int{401, 404, 408, 480, 482, 486, 486, 500, 503, 600, 603}).Draw(d.T, "status")
	case "redirects":
		b.Status = 302
		for i := range d.seconds(1, 3) {
			b.Contacts = append(b.Contacts, pbx.Redirection{Number: d.number(), Host: "pbx", Local: !d.maybe(4, "foreign"), Q: 1000 - 250*(i/2)})
		}
	}
	if b.Status != 0 {
		b.Ends = d.time(0, 12)
	}
	if !b.Silent && d.maybe(2, "rings late") {
		b.Rings = d.time(0, 5)
	}
	return b
}

// leaving is somebody who hangs up, or gives up.
type leaving struct {
	after time.Duration
	who   int // caller, by number
}

// Whatever subscribers have switched on and phones do: every call ends and has one record, no phone is left ringing, nobody
// hears anybody, lines are free again, plans keep their bounds. And a call beside which there is no other goes as Simulate says.
func TestCallsThroughAnyOffice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := &drawing{T: rt}
		drawn := d.office()
		phones := make(map[string][]pbx.Behaviour)
		for _, n := range drawnNumbers {
			phones[n] = []pbx.Behaviour{}
			for range d.seconds(0, 2) {
				phones[n] = append(phones[n], d.phone())
			}
		}
		early := []bool{d.maybe(3, "early media"), d.maybe(3, "early media")}
		var dialled []string
		var leave []leaving
		alone := !d.maybe(3, "several calls")
		if alone {
			dialled = []string{d.number()}
		} else {
			for range d.seconds(2, 4) {
				dialled = append(dialled, d.number())
			}
		}
		for who := range dialled {
			if d.maybe(2, "gives up") {
				leave = append(leave, leaving{d.time(0, 40), who})
			}
		}
		if d.maybe(2, "all at once") {
			for i := range leave {
				leave[i].after = leave[0].after.Truncate(time.Second) // races
				alone = false
			}
		}
		calls(t, func(x *exchange) {
			*x.office = *drawn
			for _, n := range drawnNumbers {
				for i, b := range phones[n] {
					if early[i] {
						x.Register(n, pbxtest.BehaveEarly(b))
					} else {
						x.Register(n, pbxtest.Behave(b))
					}
				}
			}
			at := time.Now().UTC()
			var callers []*pbxtest.Party
			for i, number := range dialled {
				callers = append(callers, x.Call(drawnNumbers[i], number))
			}
			hangUp := func(p *pbxtest.Party) {
				if p.Answered() {
					p.Bye()
				} else {
					p.Cancel()
				}
			}
			slices.SortFunc(leave, func(a, b leaving) int { return int(a.after - b.after) })
			for _, l := range leave {
				time.Sleep(time.Until(at.Add(l.after)))
				hangUp(callers[l.who])
			}
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			for _, c := range callers {
				hangUp(c)
				synctest.Wait()
				if _, over := c.Ended(); !over || c.Hears() != "" {
					rt.Errorf("%s has no end: %q", c.Number, c.Told())
				}
			}
			if n := len(x.cdrs.all); n != len(callers) {
				rt.Errorf("%d records of %d calls", n, len(callers))
			}
			for i, number := range dialled {
				n := x.world.router().Plan(pbx.Identity{Number: drawnNumbers[i]}, number, at).Node()
				if nodes, rings := size(x.T, n, 0); rings > maxTargets || nodes > 40*maxTargets {
					rt.Errorf("a plan of %d nodes, of which %d ring", nodes, rings)
				}
				if deep := diverted(n); deep > MaxDepth {
					rt.Errorf("sent on %d times", deep)
				}
			}
			if alone {
				w := pbx.World{At: at, From: "1000", Phones: phones}
				if len(leave) > 0 {
					w.GivesUp = leave[0].after
				}
				asSimulated(rt, x, dialled[0], w, early[0] || early[1])
			}
			for n, e := range x.extensions { // is its line free?
				free := *e
				free.Services = pbx.Services{OneCall: pbx.Switch{On: true}, Redirect: pbx.NoOther}
				x.extensions[n] = &free
			}
			x.office.office = pbx.Office{}
			for _, n := range drawnNumbers {
				if o, _ := pbx.Simulate(x.world.router().Plan(pbx.Identity{Number: "9"}, n, at), pbx.World{}); o.Status == 486 {
					rt.Errorf("the plan for %s is busy by itself", n)
				}
				h := x.Register(n, pbxtest.Answer(0))
				before := len(h.Calls())
				c := x.Call("9", n)
				synctest.Wait()
				if len(h.Calls()) == before {
					rt.Errorf("the line of %s is still in use: %q", n, c.Told())
				}
				hangUp(c)
				synctest.Wait()
			}
		})
	})
}

// diverted is how often a call may be sent on in a plan.
func diverted(n pbx.Node) (deepest int) {
	for _, below := range n.Then {
		deepest = max(deepest, diverted(below))
	}
	if n.Type == "divert" {
		deepest++
	}
	return deepest
}

// announced is an announcement: it is not heard where a branch is heard already, which is not known on paper.
func announced(p pbx.Passed) bool { return strings.HasPrefix(p.Node, "announce ") }

// inRoom is a conference, which ends when all others of the test have.
func inRoom(p pbx.Passed) bool { return strings.HasPrefix(p.Node, "conference") }

// asSimulated holds the record of the only call against what is on paper. sounds says that phones may send early media.
func asSimulated(rt *rapid.T, x *exchange, dialled string, w pbx.World, sounds bool) {
	turns := make(map[string]int)
	unsure := false
	w.Order = func(group string, s pbx.Strategy, members []string) (order []int) {
		unsure = unsure || s == pbx.Random || s == pbx.LongestIdle
		for i := range members {
			if s == pbx.RoundRobin {
				i = (i + turns[group]) % len(members)
			}
			order = append(order, i)
		}
		turns[group]++
		return order
	}
	w.Announce = func(string) time.Duration { return time.Second } // as in calls
	w.Talk = func(name string) (time.Duration, pbx.Target) {       // the words, the beep, ten seconds in which nothing is said, goodbye
		unsure = unsure || strings.HasPrefix(name, "menu") // where it leads is planned when the caller has chosen
		return 13 * time.Second, nil
	}
	plan := x.world.router().Plan(pbx.Identity{Number: w.From}, dialled, w.At)
	o, path := pbx.Simulate(plan, w)
	if unsure || slices.ContainsFunc(path, inRoom) || len(path) >= 200 || together(path) || sounds && slices.ContainsFunc(path, announced) {
		return
	}
	c := x.last()
	got, want := way(c.Started, c.Path), way(w.At, path)
	if !slices.Equal(got, want) {
		rt.Errorf("plan\n%sphones %+v\nthe call went\n%s\non paper it goes\n%s", pbx.Text(plan), w.Phones, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c.Outcome != o.Kind.String() {
		rt.Errorf("plan\n%sended as %s, on paper as %s", pbx.Text(plan), c.Outcome, o)
	}
}

// way is a path as lines, sorted, since branches of a fork begin in any order.
func way(started time.Time, path []pbx.Passed) (lines []string) {
	for _, p := range path {
		lines = append(lines, fmt.Sprintf("%v-%v %s: %s", p.At.Sub(started), p.Until.Sub(started), p.Node, p.Outcome))
	}
	slices.Sort(lines)
	return lines
}

// together reports whether the same phones, or the same line, are called twice in a moment, or two announcements meet: then more
// than one way is right.
func together(path []pbx.Passed) bool {
	for i, a := range path {
		for _, b := range path[i+1:] {
			switch what := strings.Fields(a.Node); {
			case what[0] == "announce" && strings.HasPrefix(b.Node, "announce"):
				return true
			case what[0] == "ring" && strings.HasPrefix(b.Node, "ring "+what[1]) && a.At.Equal(b.At):
				return true
			case what[0] == "busy" && a.Node == b.Node && (a.At.Equal(b.At) || a.Until.Equal(b.At) || a.At.Equal(b.Until)):
				return true
			case what[0] == "one" && a.At.Equal(b.At) && strings.HasPrefix(b.Node, "one"): // whose turn is it?
				return true
			}
		}
	}
	return false
}
