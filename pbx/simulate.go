package pbx

import (
	"slices"
	"time"
)

// timerB is when an INVITE without any response has failed: 64·T1 (RFC 3261 §17.1.1.2).
const timerB = 32 * time.Second

// Simulate carries a plan out on paper: how it ends in such a world, and by what way, with times since World.At. It goes by the
// tree that people are shown, in no time and without a call. What it says of two things that happen in the same moment is
// one of what may happen.
func Simulate(plan Target, w World) (Outcome, []Passed) {
	s := &simulation{World: w, inUse: make(map[string]bool), reserved: make(map[string]bool)}
	if w.From != "" {
		s.inUse[w.From] = true
	}
	for extension, in := range w.InCall {
		s.inUse[extension] = s.inUse[extension] || in
	}
	var result *Outcome
	call := new(scope)
	s.reach(call, plan.Node(), func(o Outcome) { result = &o })
	gaveUp := false
	if w.GivesUp > 0 {
		s.after(w.GivesUp, func() { gaveUp = true; call.end(GaveUp) })
	}
	for result == nil && len(s.events) > 0 {
		next := s.events[0]
		s.events = s.events[1:]
		s.now = next.at
		next.do()
	}
	call.end(GaveUp) // nothing happens any more, as in an echo test
	if gaveUp && !result.OK() {
		return GaveUp, s.steps
	}
	return *result, s.steps
}

// simulation is what has happened so far, and what will.
type simulation struct {
	World
	now      time.Duration
	events   []event         // by time
	inUse    map[string]bool // extensions with another call, all the time
	reserved map[string]bool // those whose line this one has
	steps    []Passed
	nodes    int // it has come by
}

// maxNodes bounds a simulation, where redirections or services go round in circles.
const maxNodes = 10000

type event struct {
	at time.Duration
	do func()
}

// after lets something happen.
func (s *simulation) after(d time.Duration, do func()) {
	e := event{s.now + max(d, 0), do}
	i, _ := slices.BinarySearchFunc(s.events, e, func(a, b event) int {
		if a.at <= b.at { // behind those of the same moment
			return -1
		}
		return 1
	})
	s.events = slices.Insert(s.events, i, e)
}

// scope is an attempt that may be ended from outside.
type scope struct {
	over  bool
	cause Outcome
	stops []*stop
}

// stop is what the end of a scope does, once.
type stop struct{ do func(Outcome) }

// onEnd is told when the scope ends; the function it returns takes that back.
func (c *scope) onEnd(do func(Outcome)) (forget func()) {
	if c.over {
		do(c.cause)
		return func() {}
	}
	p := &stop{do}
	c.stops = append(c.stops, p)
	return func() { p.do = nil }
}

func (c *scope) end(cause Outcome) {
	if c.over {
		return
	}
	c.over, c.cause = true, cause
	for _, p := range c.stops {
		if p.do != nil {
			p.do(cause)
		}
	}
}

// once lets one of several things that may happen be the end of something: the first, or the end of its scope, which leaves it
// with what ended makes of the cause.
func (c *scope) once(ended func(cause Outcome) Outcome, done func(Outcome)) (finish func(Outcome)) {
	finished := false
	var forget func()
	finish = func(o Outcome) {
		if finished {
			return
		}
		finished = true
		if forget != nil {
			forget()
		}
		done(o)
	}
	forget = c.onEnd(func(cause Outcome) { finish(ended(cause)) })
	return finish
}

func asCaused(cause Outcome) Outcome { return cause }

// reach is a node and the branches that judge it.
func (s *simulation) reach(c *scope, n Node, done func(Outcome)) {
	first := slices.IndexFunc(n.Then, func(below Node) bool { return len(below.On) > 0 })
	if first < 0 {
		first = len(n.Then)
	}
	branches := n.Then[first:]
	n.Then = n.Then[:first:first]
	s.attempt(c, n, func(o Outcome) {
		if i := slices.IndexFunc(branches, func(b Node) bool { return slices.Contains(b.On, o.Kind) }); i >= 0 && !c.over && o.Kind != Answered {
			s.reach(c, branches[i], done)
			return
		}
		done(o)
	})
}

// attempt is a node without the branches that judge it.
func (s *simulation) attempt(c *scope, n Node, done func(Outcome)) {
	if s.nodes++; s.nodes > maxNodes {
		done(Loop)
		return
	}
	switch n.Type {
	case "in order":
		s.inOrder(c, n.Then, done)
		return
	case "fork":
		s.fork(c, n.Then, done)
		return
	}
	if len(s.steps) < maxPath {
		i := len(s.steps)
		s.steps = append(s.steps, Passed{Node: n.Text, At: s.At.Add(s.now)})
		then := done
		done = func(o Outcome) {
			s.steps[i].Until, s.steps[i].Outcome = s.At.Add(s.now), o.String()
			then(o)
		}
	}
	switch t := n.Target.(type) {
	case Ringing:
		s.ring(c, t, done)
	case hunt:
		s.hunt(c, t, n.Then, done)
	case when:
		yes := n.Then[0].Chosen
		if !s.At.IsZero() {
			yes = t.cond.Holds(s.At.Add(s.now))
		}
		if yes {
			s.reach(c, n.Then[0], done)
		} else {
			s.reach(c, n.Then[1], done)
		}
	case divert:
		s.reach(c, n.Then[0], done)
	case oneCall:
		if s.inUse[t.extension] || s.reserved[t.extension] {
			done(LineInUse)
			return
		}
		s.reserved[t.extension] = true
		s.reach(c, n.Then[0], func(o Outcome) {
			s.reserved[t.extension] = false
			done(o)
		})
	case refuse:
		done(t.Outcome)
	case announce:
		finish := c.once(asCaused, done)
		heard := time.Duration(0)
		if s.Announce != nil {
			heard = s.Announce(t.prompt)
		}
		s.after(heard, func() { finish(t.o) })
	case service:
		s.service(c, t, n.Then, done)
	case echo:
		c.once(func(Outcome) Outcome { return Outcome{Kind: Answered} }, done)
	default:
		done(Outcome{Kind: Failed, By: System, Status: 500})
	}
}

// service talks, and may go on.
func (s *simulation) service(c *scope, t service, then []Node, done func(Outcome)) {
	served := Outcome{Kind: Answered}
	lasts, next := time.Duration(0), (*Node)(nil)
	if s.Talk == nil {
		if len(then) > 0 {
			next = &then[0]
		}
	} else if d, target := s.Talk(t.name); target != nil {
		n := target.Node()
		lasts, next = d, &n
	} else {
		lasts = d
	}
	finish := c.once(func(Outcome) Outcome { return served }, func(o Outcome) {
		if next == nil || c.over {
			done(o)
			return
		}
		s.reach(c, *next, done)
	})
	s.after(lasts, func() { finish(served) })
}

// inOrder is one after the other, to the first that answers. A 6xx is said of the person, not of the place.
func (s *simulation) inOrder(c *scope, list []Node, done func(Outcome)) {
	s.oneByOne(c, list, true, done)
}

func (s *simulation) oneByOne(c *scope, list []Node, forAll bool, done func(Outcome)) {
	outcomes := make([]Outcome, 0, len(list))
	var try func(i int)
	try = func(i int) {
		if i == len(list) {
			done(best(outcomes))
			return
		}
		s.reach(c, list[i], func(o Outcome) {
			outcomes = append(outcomes, o)
			if o.OK() || c.over || forAll && o.Status >= 600 {
				done(o)
				return
			}
			try(i + 1)
		})
	}
	try(0)
}

func (s *simulation) hunt(c *scope, h hunt, members []Node, done func(Outcome)) {
	if s.Order != nil {
		extensions := make([]string, len(h.candidates))
		for i, m := range h.candidates {
			extensions[i] = m.Extension
		}
		ordered := make([]Node, 0, len(members))
		for _, i := range s.Order(h.group, h.strategy, extensions) {
			ordered = append(ordered, members[i])
		}
		members = ordered
	}
	s.oneByOne(c, members, false, done)
}

// fork is all at once. The first that answers ends the others.
func (s *simulation) fork(c *scope, list []Node, done func(Outcome)) {
	list = list[:min(len(list), MaxBranches)]
	s.together(c, len(list), false, func(branch *scope, i int, done func(Outcome)) { s.reach(branch, list[i], done) }, done)
}

// together begins n things, whose scope ends as the first succeeds, or where one speaks for all, as that has a 6xx.
func (s *simulation) together(c *scope, n int, forAll bool, begin func(*scope, int, func(Outcome)), done func(Outcome)) {
	if n == 0 {
		done(NotRegistered)
		return
	}
	branches := new(scope)
	forget := c.onEnd(branches.end)
	outcomes := make([]Outcome, n)
	left := n
	var winner *Outcome
	for i := range n {
		begin(branches, i, func(o Outcome) {
			outcomes[i] = o
			left--
			if o.OK() && winner == nil {
				winner = &o
				branches.end(Elsewhere)
			} else if forAll && winner == nil && o.Status >= 600 {
				branches.end(o)
			}
			if left != 0 { // some are not done, or, as they were just ended, all of it is
				return
			}
			left = -1
			forget()
			if winner != nil {
				done(*winner)
			} else {
				done(best(outcomes))
			}
		})
	}
}

// ring is the phones of an extension, all at once.
func (s *simulation) ring(c *scope, r Ringing, done func(Outcome)) {
	phones, known := s.Phones[r.Extension]
	if !known {
		phones = make([]Behaviour, 1)
	}
	phones = phones[:min(len(phones), MaxBranches)]
	left := len(phones)
	s.together(c, len(phones), true, func(branch *scope, i int, done func(Outcome)) {
		s.phone(branch, r, phones[i], func(o Outcome) {
			if left--; left == 0 && !o.OK() {
				s.reserved[r.Extension] = false // though the call may go on where it has been sent
			}
			if o.Kind == Redirected && r.Redirected != nil && !branch.over {
				s.reach(branch, r.Redirected(o).Node(), done)
				return
			}
			done(o)
		})
	}, done)
}

// phone is one of them.
func (s *simulation) phone(c *scope, r Ringing, b Behaviour, done func(Outcome)) {
	finish := c.once(asCaused, done)
	rings, answered := false, false
	if c.over {
		return
	}
	if !b.Silent {
		s.after(b.Rings, func() { rings = true })
	}
	response := func(o Outcome) {
		if o.OK() && r.Confirm > 0 {
			answered = true
			s.confirm(r, b, finish)
			return
		}
		finish(o)
	}
	switch {
	case b.Status != 0:
		s.after(b.Ends, func() {
			if answered {
				return
			}
			response(Outcome{Kind: KindOf(b.Status), By: Callee, Status: b.Status, Contacts: b.Contacts})
		})
	case b.Silent:
		s.after(timerB, func() { finish(Outcome{Kind: Unreachable, By: Network, Status: 408}) })
	}
	s.after(r.Wait, func() {
		switch {
		case answered: // in time; it may take its time to press the key
		case rings:
			finish(Outcome{Kind: NoAnswer, By: System, Status: 480})
		default:
			finish(Outcome{Kind: Unreachable, By: Network, Status: 480})
		}
	})
}

// confirm is a phone that has answered and has to press a key.
func (s *simulation) confirm(r Ringing, b Behaviour, finish func(Outcome)) {
	if b.Accepts > 0 {
		s.after(b.Accepts, func() { finish(Outcome{Kind: Answered, By: Callee, Status: 200}) })
	}
	if b.HangsUp > 0 {
		s.after(b.HangsUp, func() { finish(Outcome{Kind: Declined, By: Callee, Status: 480}) })
	}
	s.after(r.Confirm, func() { finish(Outcome{Kind: NoAnswer, By: Callee, Status: 480}) })
}
