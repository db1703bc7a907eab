package e2e

import (
	"slices"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestForwardAlways(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()))
		caller, callee := s.sentOn(alice, bob.User(), carol)
		if name, number := callee.RemoteIdentity(); number != alice.User() || name != "Name of "+alice.User() {
			s.Errorf("who is called sees %q %s", name, number)
		}
		s.talkAndEnd(caller, callee)
		s.news(caller, 181, 180, 200)
		s.quiet(bob)
		s.services(bob.User(), "forward_always", off)
		s.talkAndEnd(s.call(alice, bob))
	})
}

// sentBy holds the way of an INVITE against the numbers that it came by, oldest first, each with the reason why it was left.
func (s *scene) sentBy(m *pbxtest.Message, target string, steps ...[3]string) {
	s.Helper()
	var history []pbxtest.Past
	var diversion []string
	index := "1"
	for i, step := range steps {
		p := pbxtest.Past{Number: step[0], Index: index, Reason: "SIP;cause=" + step[2]}
		if i > 0 {
			p = sentOnTo(p, steps[i-1])
		}
		history = append(history, p)
		diversion = append([]string{step[0] + " " + step[1]}, diversion...) // the newest is first (RFC 5806 §5)
		index += ".1"
	}
	history = append(history, sentOnTo(pbxtest.Past{Number: target, Index: index}, steps[len(steps)-1]),
		pbxtest.Past{Number: target, Index: index + ".1", How: "rc", Origin: index}) // its phone
	if got := m.History(); !slices.Equal(got, history) {
		s.Errorf("History-Info is %q:\n%+v\nnot\n%+v", m.All("History-Info"), got, history)
	}
	var got []string
	for _, v := range m.All("Diversion") {
		got = append(got, number(v)+" "+pbxtest.Param(v, "reason"))
		if pbxtest.Param(v, "counter") != "1" || pbxtest.Param(v, "privacy") != "off" {
			s.Errorf("Diversion is %q", v)
		}
	}
	if !m.Lists("Supported", "histinfo") {
		s.Errorf("Supported is %q", m.All("Supported"))
	}
	if !slices.Equal(got, diversion) {
		s.Errorf("Diversion is %q, not %q", m.All("Diversion"), diversion)
	}
}

// sentOnTo is an entry that another one was sent on to. How a phone came to redirect is not ours to say (RFC 7044 §10.4); its
// redirection is a cause of its own (RFC 4458 §2.2).
func sentOnTo(p pbxtest.Past, step [3]string) pbxtest.Past {
	if p.Cause = step[2]; step[1] == "deflection" {
		p.Cause = "480"
		return p
	}
	p.How, p.Origin = "mp", p.Index[:len(p.Index)-2]
	return p
}

// What the new target is told of the way here (RFC 7044, RFC 5806), for each kind of forward and a chain of three.
func TestForwardHistory(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave, erin := s.phone(), s.phone(), s.phone(), s.phone(), s.phone()
		numbers := []string{bob.User(), carol.User(), dave.User()}
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.services(carol.User(), "forward_busy", to(dave.User()))
		s.services(dave.User(), "forward_unreachable", to(erin.User()))
		carol.OnCall(pbxtest.AutoReject(486, 0))
		caller, callee := s.sentOn(alice, bob.User(), dave)
		s.sentBy(callee.Invite, dave.User(), [3]string{numbers[0], "unconditional", "302"}, [3]string{numbers[1], "user-busy", "486"})
		callee.Refuse(603)
		s.must(caller.FailsWith(s.ctx, 603))
		s.must(dave.Unregister(s.ctx))
		caller, callee = s.sentOn(alice, bob.User(), erin)
		s.sentBy(callee.Invite, erin.User(), [3]string{numbers[0], "unconditional", "302"}, [3]string{numbers[1], "user-busy", "486"},
			[3]string{numbers[2], "unavailable", "503"})
		s.talkAndEnd(caller, callee)
		// A call that nobody has sent on tells of nothing.
		caller, callee = s.call(alice, erin)
		if callee.Invite.Has("History-Info") || callee.Invite.Has("Diversion") {
			s.Errorf("%q %q", callee.Invite.All("History-Info"), callee.Invite.All("Diversion"))
		}
		s.must(caller.Cancel(s.ctx))
		s.must(callee.Ended(s.ctx))
	})
}

func TestForwardBusy(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_busy", to(carol.User()))
		bob.OnCall(pbxtest.AutoReject(486, 0))
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
		bob.OnCall(nil)
		s.talkAndEnd(s.call(alice, bob))
	})
}

func TestForwardNoAnswer(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_no_answer", to(carol.User(), "after", 5))
		caller, first := s.call(alice, bob)
		s.ringsOut(first)
		callee := s.arrives(carol)
		s.sentBy(callee.Invite, carol.User(), [3]string{bob.User(), "no-answer", "408"})
		s.news(caller, 180, 181, 180)
		s.talkAndEnd(caller, callee)
		// In time, the phone is not forwarded.
		s.talkAndEnd(s.call(alice, bob))
		if n := carol.Count("INVITE"); n != 1 {
			s.Errorf("the target was called %d times", n)
		}
	})
}

// The caller gives up while the target of a forward rings.
func TestForwardCallerCancels(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_busy", to(carol.User()))
		bob.OnCall(pbxtest.AutoReject(486, 0))
		caller, callee := s.sentOn(alice, bob.User(), carol)
		s.must(caller.Cancel(s.ctx))
		s.ringsOut(callee)
	})
}

func TestForwardNotRegistered(t *testing.T) {
	play(t, func(s *scene) {
		alice, carol, dave, bob := s.phone(), s.phone(), s.phone(), s.extension()
		s.services(bob, "forward_no_answer", to(carol.User(), "after", 20))
		s.talkAndEnd(s.sentOn(alice, bob, carol)) // at once
		s.services(bob, "forward_unreachable", to(dave.User()))
		s.talkAndEnd(s.sentOn(alice, bob, dave))
		if n := carol.Count("INVITE"); n != 1 {
			s.Errorf("the target of the other forward was called %d times", n)
		}
	})
}

// A phone that is registered and gives no sign counts as one that is not there.
func TestForwardSilentPhone(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.registered(s.extension("ring_seconds", 5)), s.phone()
		s.services(bob.User(), "forward_unreachable", to(carol.User()))
		bob.OnCall(pbxtest.AutoIgnore())
		caller, callee := s.sentOn(alice, bob.User(), carol)
		s.talkAndEnd(caller, callee)
		late, err := bob.LastLeg(s.ctx)
		s.must(err)
		late.Ring() // now it can be cancelled (RFC 3261 §9.1)
		s.ringsOut(late)
	})
}

// A caller who wants all news to be reliable gets the 181 so, too (RFC 3262).
func TestForwardReliably(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(rel100), s.phone(), s.phone()
		s.services(bob.User(), "forward_busy", to(carol.User()))
		bob.OnCall(pbxtest.AutoReject(486, 20*time.Millisecond))
		caller := s.dials(alice, bob.User(), pbxtest.With("Require", "100rel"))
		callee := s.arrives(carol)
		s.news(caller, 180, 181, 180)
		for _, m := range alice.Received() {
			if m.Status > 100 && m.Status < 200 && (!m.Lists("Require", "100rel") || m.Get("RSeq") == "") {
				s.Errorf("the %s is not reliable", m)
			}
		}
		s.talkAndEnd(caller, callee)
	})
}

// The target of a forward sends early media.
func TestForwardEarlyMedia(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()))
		carol.OnCall(pbxtest.AutoEarly(710, 600*time.Millisecond, pbxtest.AutoAnswer(0)))
		caller := s.dials(alice, bob.User())
		s.must(caller.Hears(s.ctx, 710))
		s.must(caller.Answered(s.ctx))
		callee, err := carol.LastLeg(s.ctx)
		s.must(err)
		caller.Play(440)
		callee.Play(620)
		s.talk(caller, callee)
		s.over(callee, caller)
	})
}

func TestForwardLoop(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.services(carol.User(), "forward_always", to(bob.User()))
		began := time.Now()
		s.refused(alice, bob.User(), 482)
		if took := time.Since(began); took > 25*time.Second {
			s.Errorf("the loop ended after %v", took)
		}
		s.quiet(bob, carol)
		// A loop that only a busy phone finds, never taken for busy again.
		s.services(bob.User(), "forward_always", off, "forward_busy", to(carol.User()))
		s.services(carol.User(), "forward_always", off, "forward_busy", to(bob.User()))
		bob.OnCall(pbxtest.AutoReject(486, 0))
		carol.OnCall(pbxtest.AutoReject(486, 0))
		s.refused(alice, bob.User(), 482)
		if b, c := bob.Count("INVITE"), carol.Count("INVITE"); b != 1 || c != 1 {
			s.Errorf("the phones were called %d and %d times", b, c)
		}
	})
}

func TestForwardChain(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave, erin := s.phone(), s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()))
		s.services(carol.User(), "forward_always", to(dave.User()))
		s.services(dave.User(), "forward_always", to(erin.User()))
		caller, callee := s.sentOn(alice, bob.User(), erin)
		s.sentBy(callee.Invite, erin.User(), [3]string{bob.User(), "unconditional", "302"}, [3]string{carol.User(), "unconditional", "302"},
			[3]string{dave.User(), "unconditional", "302"})
		s.talkAndEnd(caller, callee)
		s.quiet(bob, carol, dave)
	})
}

// A chain of eleven forwards is one too many.
func TestForwardDepth(t *testing.T) {
	play(t, func(s *scene) {
		alice, last := s.phone(), s.phone()
		next := last.User()
		for range 10 {
			n := s.extension()
			s.services(n, "forward_always", to(next))
			next = n
		}
		caller := s.dials(alice, next)
		callee := s.arrives(last)
		s.talkAndEnd(caller, callee)
		n := s.extension()
		s.services(n, "forward_always", to(next))
		s.refused(alice, n, 483)
		if n := last.Count("INVITE"); n != 1 {
			s.Errorf("the last phone was called %d times", n)
		}
	})
}

// The PBX as a redirect server: the caller's own phone calls the target.
func TestForwardAsRedirectServer(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User(), "answer", "redirect"))
		m := s.refused(alice, bob.User(), 302)
		contacts := m.All("Contact")
		if len(contacts) != 1 || number(contacts[0]) != carol.User() {
			s.Fatalf("the 302 has the Contacts %q", contacts)
		}
		caller := s.dials(alice, pbxtest.AddrOf(contacts[0]))
		callee := s.arrives(carol)
		s.talkAndEnd(caller, callee)
		s.quiet(bob)
	})
}

// What is changed while a call rings touches the next call only.
func TestChangeDuringCall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_no_answer", to(carol.User(), "after", 5))
		caller, first := s.call(alice, bob)
		s.services(bob.User(), "forward_no_answer", off, "forward_always", to(dave.User()))
		second, other := s.sentOn(s.phone(), bob.User(), dave)
		s.ringsOut(first)
		callee := s.arrives(carol)
		s.answer(caller, callee)
		s.answer(second, other)
		s.talk(caller, callee)
		s.services(bob.User(), "forward_always", off, "do_not_disturb", on)
		s.talk(second, other)
		s.over(caller, callee)
		s.over(other, second)
	})
}
