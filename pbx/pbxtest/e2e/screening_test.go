package e2e

import (
	"slices"
	"strings"
	"testing"

	"ringback/pbx/pbxtest"
)

func rule(action string, more ...any) doc { return with(doc{"action": action}, more...) }

func rules(all ...doc) []doc { return all }

// announced is the URI of the announcement that a refusal points at.
func (s *scene) announced(m *pbxtest.Message) string {
	s.Helper()
	all := m.All("Error-Info")
	if len(all) != 1 || !strings.HasPrefix(pbxtest.AddrOf(all[0]), "sip:") {
		s.Fatalf("the %d has the Error-Info %q", m.Status, all)
	}
	return pbxtest.AddrOf(all[0])
}

// announcement calls a URI of Error-Info: a machine answers, says something and hangs up (RFC 5359 §2.13, RFC 3840 §9).
func (s *scene) announcement(p *pbxtest.Phone, uri string, says sound) {
	s.Helper()
	l := s.spoken(p, uri, says)
	if c := l.Final().Get("Contact"); !pbxtest.HasParam(c, "automaton") || pbxtest.Param(c, "+sip.rendering") != "no" {
		s.Errorf("the Contact of the announcement is %q", c)
	}
}

func TestScreenIncoming(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mallory := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "incoming", rules(rule("reject", "numbers", []string{"7654321", mallory.User()})))
		m := s.refused(mallory, bob.User(), 403)
		s.quiet(bob)
		s.announcement(mallory, s.announced(m), soundRejected) // screen_in_error_info
		s.talkAndEnd(s.call(alice, bob))
		s.services(bob.User(), "incoming", rules())
		s.rings(mallory, bob.User(), bob)
	})
}

// Whoever writes another number in From is screened as who he is.
func TestScreenIncomingNotByFrom(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, mallory := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "incoming", rules(rule("reject", "numbers", []string{mallory.User()})))
		pretend := func(m *pbxtest.Message) {
			m.Set("From", "<"+alice.AOR()+">;tag="+m.FromTag())
			m.Set("P-Asserted-Identity", "<"+alice.AOR()+">")
		}
		m, err := s.dials(mallory, bob.User(), pretend).Failed(s.ctx)
		s.status(m, err, 403)
		m, err = s.dials(mallory, bob.User(), pbxtest.Anonymous()).Failed(s.ctx)
		s.status(m, err, 403)
		s.quiet(bob)
	})
}

func TestScreenOutgoing(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(alice.User(), "outgoing", rules(rule("reject", "numbers", []string{bob.User()})))
		m := s.refused(alice, bob.User(), 403)
		s.announcement(alice, s.announced(m), soundNotAllowed) // screen_out_error_info
		s.talkAndEnd(s.call(alice, carol))
		s.rings(carol, bob.User(), bob)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("the phone was called %d times", n)
		}
		// No way around it by a code.
		s.refused(alice, "*67"+bob.User(), 403)
	})
}

func TestScreenAnonymous(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.services(bob.User(), "incoming", rules(rule("reject", "anonymous", true)))
		m, err := s.dials(alice, bob.User(), pbxtest.Anonymous()).Failed(s.ctx)
		s.status(m, err, 433)
		s.announcement(alice, s.announced(m), soundAnonymous)
		s.refused(alice, "*67"+bob.User(), 433)
		s.quiet(bob)
		s.talkAndEnd(s.call(alice, bob))
	})
}

// What rules may match by, and that the first which matches decides.
func TestScreenRules(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		members := s.group("all", []*pbxtest.Phone{alice, carol})
		s.services(bob.User(), "incoming", rules(
			rule("allow", "numbers", []string{carol.User()}),
			rule("reject", "group", members),
			rule("send", "prefixes", []string{dave.User()[:len(dave.User())-1]}, "to", alice.User())))
		s.refused(alice, bob.User(), 403)
		s.rings(carol, bob.User(), bob)
		caller := s.dials(dave, bob.User())
		callee := s.arrives(alice)
		s.talkAndEnd(caller, callee)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("the phone was called %d times", n)
		}
	})
}

// Rules hold in their times only: outside opening hours, or in a schedule.
func TestScreenByTime(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		hours := "shop of " + bob.User()
		s.hours(hours)
		s.services(bob.User(), "incoming", rules(rule("reject", "hours", hours)))
		s.rings(alice, bob.User(), bob)
		s.mode(hours, "night")
		s.refused(alice, bob.User(), 403)
		s.mode(hours, "")
		s.rings(alice, bob.User(), bob)
		s.services(bob.User(), "incoming", rules(rule("reject", "numbers", []string{alice.User()}, "schedule", doc{"days": everyDay, "zone": "Asia/Tokyo"})))
		s.refused(alice, bob.User(), 403)
	})
}

// The caller hears why, as early media, and then the call fails.
func TestScreenAnnounces(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob := s.phone(), s.phone()
		s.services(bob.User(), "incoming", rules(rule("announce", "numbers", []string{alice.User()})))
		l := s.dials(alice, bob.User())
		s.must(l.HearsInOrder(s.ctx, soundRejected...))
		if l.State() != "ringing" {
			s.Errorf("the call is %s", l.State())
		}
		m, err := l.Failed(s.ctx)
		s.status(m, err, 403)
		s.news(l, 183, 403)
		s.quiet(bob)
	})
}

// Rules of the whole system come before those of an extension.
func TestScreenOffice(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice, bob, mallory := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "incoming", rules(rule("allow", "numbers", []string{mallory.User()})))
		s.office("incoming", rules(rule("reject", "numbers", []string{mallory.User()})), "outgoing", rules(rule("reject", "prefixes", []string{"0900"})))
		s.refused(mallory, bob.User(), 403)
		s.refused(alice, "0900123456", 403)
		s.refused(alice, "0800123456", 404)
		s.quiet(bob)
		s.talkAndEnd(s.call(alice, bob))
	})
}

// Privacy: id, or *67: the callee learns the caller's number and name from nothing that comes (RFC 3323, RFC 3325).
func TestAnonymousCall(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		hidden := func(p *pbxtest.Phone, caller, callee *pbxtest.CallLeg) {
			s.Helper()
			if got := callee.Invite.Get("From"); !strings.Contains(got, "<sip:anonymous@anonymous.invalid>") {
				s.Errorf("From is %s", got)
			}
			s.talkAndEnd(caller, callee)
			for _, m := range p.Received() {
				if where := m.Mentions(alice.User()); len(where) > 0 {
					s.Errorf("%s tells the number in %q:\n%s", m, where, m.Raw())
				}
			}
		}
		for _, mod := range []pbxtest.Mod{pbxtest.Anonymous(), pbxtest.With("Privacy", "id")} {
			caller, callee := s.call(alice, bob, mod)
			hidden(bob, caller, callee)
		}
		caller := s.dials(alice, "*67"+bob.User())
		hidden(bob, caller, s.arrives(bob))
		// Over a forward, too, where it is the one who forwards that is shown.
		s.services(bob.User(), "forward_always", to(carol.User()))
		caller, callee := s.sentOn(alice, bob.User(), carol, pbxtest.Anonymous())
		hidden(carol, caller, callee)
		// Hidden always, as a setting.
		s.services(alice.User(), "hide_number", on)
		caller = s.dials(alice, carol.User())
		hidden(carol, caller, s.arrives(carol))
		s.services(alice.User(), "hide_number", off)
		caller, callee = s.call(alice, carol)
		if _, number := callee.RemoteIdentity(); number != alice.User() {
			s.Errorf("the callee sees %q", number)
		}
		s.must(caller.Cancel(s.ctx))
		s.must(callee.Ended(s.ctx))
	})
}

// A subscriber who forwards and hides his number is not shown to the target either.
func TestHiddenForwarder(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		s.services(bob.User(), "forward_always", to(carol.User()), "hide_number", on)
		caller, callee := s.sentOn(alice, bob.User(), carol)
		if where := callee.Invite.Mentions(bob.User()); len(where) > 0 {
			s.Errorf("the INVITE tells the number in %q:\n%s", where, callee.Invite.Raw())
		}
		if d := callee.Invite.All("Diversion"); len(d) != 1 || pbxtest.Param(d[0], "privacy") != "full" {
			s.Errorf("Diversion is %q", d)
		}
		s.talkAndEnd(caller, callee)
	})
}

// Classes of service, and the PIN that goes beyond them: keys by RFC 4733 and by INFO.
func TestClassAndPIN(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		alice, bob := s.phone(), s.phone()
		s.office("classes", []doc{{"prefix": bob.User(), "class": "premium"}, {"prefix": "00", "class": "international"}})
		s.services(alice.User(), "class", "local")
		s.announcement(alice, s.announced(s.refused(alice, "0012345", 403)), soundNotAllowed)
		s.refused(alice, "5551234", 404) // allowed, and nobody's
		s.rings(alice, bob.User(), bob)  // numbers of the PBX itself cost nothing
		s.services(alice.User(), "pin", "4711")
		var shown doc
		s.must(s.x.api(s.ctx, "GET", "/extensions/"+alice.User()+"/services", nil, &shown))
		if shown["has_pin"] != true || shown["pin"] != nil || shown["pin_hash"] != nil || shown["PINHash"] != nil {
			s.Errorf("the API shows %v", shown)
		}
		for name, press := range map[string]func(l *pbxtest.CallLeg, keys string) error{
			"RFC 4733": func(l *pbxtest.CallLeg, keys string) error { return l.Press(s.ctx, keys) },
			"INFO":     func(l *pbxtest.CallLeg, keys string) error { return l.PressByInfo(s.ctx, keys) },
		} {
			for _, pins := range [][]string{{"4711"}, {"4712", "4711"}, {"4712", "", "47111"}} {
				l := s.dials(alice, "0012345")
				s.must(l.Answered(s.ctx))
				s.must(l.HearsInOrder(s.ctx, soundPIN...))
				for _, pin := range pins {
					s.must(press(l, pin+"#"))
				}
				if slices.Contains(pins, "4711") {
					s.must(l.HearsInOrder(s.ctx, congestion...)) // the number does not exist
				} else {
					s.must(l.HearsInOrder(s.ctx, soundNotAllowed...))
				}
				s.must(l.Ended(s.ctx))
				way := s.record(alice.User(), "0012345").way()
				through := strings.Contains(strings.Join(way, "; "), "404")
				if right := slices.Contains(pins, "4711"); through != right {
					s.Errorf("with the PINs %q by %s the call came by %q", pins, name, way)
				}
			}
		}
		s.services(alice.User(), "class", "")
		s.refused(alice, "0012345", 404)
	})
}
