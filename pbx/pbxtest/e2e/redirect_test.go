package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// The phone's own forward: each kind of 3xx is followed (RFC 3261 §8.1.3.4).
func TestRedirect302(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		for _, status := range []int{302, 301, 305, 380} {
			bob.OnCall(pbxtest.AutoRedirect(status, carol.User()))
			caller, callee := s.sentOn(alice, bob.User(), carol)
			s.sentBy(callee.Invite, carol.User(), [3]string{bob.User(), "deflection", fmt.Sprint(status)})
			s.talkAndEnd(caller, callee)
		}
		// It has rung before.
		bob.OnCall(nil)
		caller, first := s.call(alice, bob)
		first.Redirect(302, carol.User())
		callee := s.arrives(carol)
		s.news(caller, 180, 181, 180)
		s.talkAndEnd(caller, callee)
	})
}

// However the phone writes where the call shall go.
func TestRedirectSpellings(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		n := carol.User()
		for _, contact := range []string{
			"<tel:" + n + ">",
			fmt.Sprintf("sip:%s@%s;expires=60", n, s.x.sip),
			fmt.Sprintf(`"Forward, always" <sip:%s@%s;user=phone;transport=%s>;q=0.7`, n, s.x.sip, s.transport),
			fmt.Sprintf("<sip:%%3%c%s@%s?Subject=x&Replaces=y>", n[0], n[1:], s.x.sip),
			fmt.Sprintf("<sip:7654321@%s>;q=0.9, <sip:%s@%s>;q=0.1", s.x.sip, n, s.x.sip),
		} {
			bob.OnCall(pbxtest.AutoReject(302, 0, pbxtest.With("Contact", contact)))
			caller, callee := s.sentOn(alice, bob.User(), carol)
			if callee.Invite.Has("Replaces") || callee.Invite.Has("Subject") {
				s.Errorf("headers of %s are taken over:\n%s", contact, callee.Invite.Raw())
			}
			s.must(caller.Cancel(s.ctx))
			s.must(callee.Ended(s.ctx))
		}
		calls := carol.Count("INVITE")
		for _, mods := range [][]pbxtest.Mod{nil, {pbxtest.With("Contact", "*")}, {pbxtest.With("Contact", "<>")}, {pbxtest.With("Contact", "<sip:@>, ,;;")}} {
			bob.OnCall(pbxtest.AutoReject(302, 0, mods...))
			s.refused(alice, bob.User(), 480)
		}
		if n := carol.Count("INVITE"); n != calls {
			s.Error("a redirection to nowhere went somewhere")
		}
	})
}

func TestRedirect302Loop(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoRedirect(302, bob.User()))
		began := time.Now()
		s.refused(alice, bob.User(), 482)
		if n := bob.Count("INVITE"); n != 1 {
			s.Errorf("the phone was called %d times", n)
		}
		// Two phones that send the call to each other.
		bob.OnCall(pbxtest.AutoRedirect(302, carol.User()))
		carol.OnCall(pbxtest.AutoRedirect(302, bob.User()))
		s.refused(alice, bob.User(), 482)
		if n := carol.Count("INVITE"); n != 1 {
			s.Errorf("the second phone was called %d times", n)
		}
		if took := time.Since(began); took > 25*time.Second {
			s.Errorf("the loops ended after %v", took)
		}
	})
}

// Several Contacts: the one with the highest q first, and the next if that fails.
func TestRedirectByQ(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol, dave := s.phone(), s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoRedirect(300, dave.User()+";q=0.2", carol.User()+";q=0.9"))
		carol.OnCall(pbxtest.AutoReject(486, 0))
		caller := s.dials(alice, bob.User())
		callee := s.arrives(dave)
		s.news(caller, 181, 180)
		s.talkAndEnd(caller, callee)
		if a, b := carol.Received(), dave.Received(); carol.Count("INVITE") != 1 || firstCall(b).Before(firstCall(a)) {
			s.Error("the Contacts were not called in the order of their q")
		}
	})
}

// firstCall is when the first INVITE came.
func firstCall(all []*pbxtest.Message) time.Time {
	i := slices.IndexFunc(all, func(m *pbxtest.Message) bool { return m.Method == "INVITE" })
	return all[i].At
}

// Calls are not sent to hosts that are not ours, nor to numbers that do not exist.
func TestRedirectElsewhere(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, stranger := s.phone(), s.phone(), s.phone()
		for _, target := range []string{
			fmt.Sprintf("sip:%s@%s", stranger.User(), stranger.Addr()), // at another's address, past the PBX
			"sip:somebody@example.org",
			"mailto:bob@example.org",
			"7654321",
		} {
			bob.OnCall(pbxtest.AutoRedirect(302, target))
			s.refused(alice, bob.User(), 480, 403, 404, 502)
		}
		s.quiet(stranger)
	})
}

// The mode in which the caller gets the phone's redirection, and the mode in which it counts as a refusal.
func TestRedirectModes(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		bob.OnCall(pbxtest.AutoRedirect(302, carol.User()))
		s.services(bob.User(), "redirect", "pass")
		m := s.refused(alice, bob.User(), 302)
		contacts := m.All("Contact")
		if len(contacts) != 1 || number(contacts[0]) != carol.User() {
			s.Fatalf("the 302 has the Contacts %q", contacts)
		}
		s.rings(alice, pbxtest.AddrOf(contacts[0]), carol)
		s.services(bob.User(), "redirect", "refuse")
		s.refused(alice, bob.User(), 480, 603)
		if n := carol.Count("INVITE"); n != 1 {
			s.Errorf("the target was called %d times", n)
		}
		s.services(bob.User(), "redirect", "")
		s.talkAndEnd(s.sentOn(alice, bob.User(), carol))
	})
}

// One of several phones of a number sends the call on, while another rings.
func TestRedirectOfOnePhone(t *testing.T) {
	play(t, func(s *scene) {
		alice, carol, n := s.phone(), s.phone(), s.extension()
		first, second := s.registered(n), s.registered(n)
		first.OnCall(pbxtest.AutoRedirect(302, carol.User()))
		caller := s.dials(alice, n)
		ringing := s.arrives(second)
		ringing.Refuse(486)
		callee := s.arrives(carol)
		s.talkAndEnd(caller, callee)
	})
}
