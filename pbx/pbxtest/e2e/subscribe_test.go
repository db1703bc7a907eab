package e2e

import (
	"slices"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// watches subscribes a phone for ten minutes.
func (s *scene) watches(p *pbxtest.Phone, event, target string) *pbxtest.Subscription {
	s.Helper()
	sub, err := p.Subscribe(s.ctx, event, target, 600)
	s.must(err)
	return sub
}

// mwi_subscribe: 200 and a NOTIFY at once, with Messages-Waiting; a refresh is followed by another, the end by the last.
func TestMessageSummary(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		alice := s.another(number) // not registered: nothing comes that it has not asked for
		sub := s.watches(alice, "message-summary;id=3", number)
		n, err := sub.Next(s.ctx)
		s.must(err)
		if n.State != "active" || n.Summary == nil || n.Summary.Waiting || n.Summary.Voice() != (pbxtest.Count{}) || sub.Granted() != 600 {
			s.Errorf("%s", n.Raw())
		}
		s.must(sub.Refresh(s.ctx, 300))
		if sub.Granted() != 300 {
			s.Error("granted for ", sub.Granted())
		}
		s.must(sub.Unsubscribe(s.ctx))
		if all := sub.Came(); len(all) != 3 || all[2].State != "terminated" {
			s.Errorf("%d NOTIFYs came", len(all))
		}
		once, err := alice.Fetch(s.ctx, "message-summary", number)
		s.must(err)
		if once.State != "terminated" || once.Summary == nil || once.Summary.Waiting {
			s.Errorf("%s", once.Raw())
		}
		m, err := sub.TryRefresh(s.ctx, 300)
		s.status(m, err, 481)
	})
}

// unknown_event_489, and what else is refused.
func TestSubscribeRefused(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		alice, bob := s.registered(number), s.phone()
		try := func(p *pbxtest.Phone, event, target string, seconds int, mods ...pbxtest.Mod) (*pbxtest.Message, error) {
			_, m, err := p.TrySubscribe(s.ctx, event, target, seconds, mods...)
			return m, err
		}
		m, err := try(alice, "no-such-event", number, 600)
		m = s.status(m, err, 489)
		for _, event := range []string{"message-summary", "conference"} {
			if !m.Lists("Allow-Events", event) {
				s.Errorf("Allow-Events is %q", m.All("Allow-Events"))
			}
		}
		m, err = try(bob, "message-summary", number, 600) // another's
		s.status(m, err, 403)
		m, err = try(alice, "message-summary", number, 1)
		s.status(m, err, 423)
		m, err = try(alice, "message-summary", number, 600, pbxtest.With("Accept", "text/plain"))
		s.status(m, err, 406)
		m, err = try(alice, "message-summary", number, 600, pbxtest.Without("Event"))
		s.status(m, err, 489)
		m, err = try(alice, "conference", s.extension(), 600) // no room
		s.status(m, err, 404)
		if n := alice.Count("NOTIFY"); n > 1 { // that of its registration
			s.Errorf("%d NOTIFYs came", n)
		}
	})
}

// auth_everywhere: who has not said who it is is told nothing.
func TestSubscribeNeedsAuthentication(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		for _, password := range []string{"", "wrong-horse"} {
			mallory := s.another(number, func(c *pbxtest.Config) { c.Password = password })
			_, m, err := mallory.TrySubscribe(s.ctx, "message-summary", number, 600)
			m = s.status(m, err, 401, 403, 407)
			if m.Has("Expires") || mallory.Count("NOTIFY") > 0 {
				s.Errorf("%s", m.Raw())
			}
		}
	})
}

// A phone that registers is told of its messages though it has not subscribed; one that has subscribed is told there only.
func TestUnsolicitedSummary(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		alice := s.registered(number)
		n, err := alice.Unsolicited(s.ctx, "message-summary")
		s.must(err)
		if n.ToTag() != "" || n.Summary == nil || n.Summary.Waiting {
			s.Errorf("%s", n.Raw())
		}
	})
}

// Phones that can be subscribed to say so (RFC 6665 §7.2).
func TestAllowEvents(t *testing.T) {
	play(t, func(s *scene) {
		alice := s.phone()
		m, err := alice.Options(s.ctx, "sip:"+s.x.sip.String())
		m = s.status(m, err, 200)
		if events := m.All("Allow-Events"); !slices.Contains(events, "message-summary") || !slices.Contains(events, "conference") {
			s.Errorf("Allow-Events is %q", events)
		}
	})
}

// Who subscribes to a room sees who is in it: comes, is muted, goes.
func TestConferencePackage(t *testing.T) {
	play(t, func(s *scene) {
		room, alice, bob, watcher := s.room("quiet", true), s.phone(), s.phone(), s.phone()
		sub := s.watches(watcher, "conference", room)
		if n, err := sub.Next(s.ctx); err != nil || n.Conference.Active || len(n.Conference.Users) != 0 || n.Conference.Entity != sub.Target {
			s.Fatal(n, err)
		}
		tells := func(what string, ready func(c *pbxtest.Conference) bool) {
			s.Helper()
			_, err := sub.Until(s.within(30), what, func(n *pbxtest.Notification) bool { return n.Conference != nil && ready(n.Conference) })
			s.must(err)
		}
		has := func(c *pbxtest.Conference, p *pbxtest.Phone, media string) bool {
			for _, e := range c.Users[p.AOR()].Endpoints {
				for _, m := range e.Media {
					return e.Status == "connected" && e.JoiningMethod == "dialed-in" && m.Type == "audio" && m.Status == media
				}
			}
			return false
		}
		a, b := s.enters(alice, room, 440), s.enters(bob, room, 620)
		tells("both to be in the room", func(c *pbxtest.Conference) bool {
			return c.Active && c.UserCount == 2 && has(c, alice, "sendrecv") && has(c, bob, "sendrecv")
		})
		id := s.memberOf(room, alice.User())["call"].(string)
		s.must(s.x.api(s.ctx, "PATCH", "/conferences/"+room+"/members/"+id, doc{"muted": true}, nil))
		tells("one to be muted", func(c *pbxtest.Conference) bool { return has(c, alice, "recvonly") && has(c, bob, "sendrecv") })
		s.leaves(a)
		tells("one to be alone", func(c *pbxtest.Conference) bool { return c.UserCount == 1 && has(c, bob, "sendrecv") })
		s.leaves(b)
	})
}

// A phone that says 481 to a NOTIFY is told nothing more; one that answers late is told of what there is then.
func TestNotifyAnswered(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		deaf, slow, bob := s.another(number), s.another(number), s.phone()
		gone, sub := s.watches(deaf, "message-summary", number), s.watches(slow, "message-summary", number)
		deaf.OnNotify(func(*pbxtest.Notification) pbxtest.Reply { return pbxtest.Reply{Status: 481} })
		slow.OnNotify(func(*pbxtest.Notification) pbxtest.Reply { return pbxtest.Reply{Status: 200, After: time.Second} })
		s.leavesMessage(s.dials(bob, "*99"+number), 440)
		m := s.holds(number, 1)[0]
		s.must(slow.LampIs(s.ctx, true))
		s.must(gone.Ended(s.ctx))
		s.must(s.x.api(s.ctx, "DELETE", "/mailboxes/"+number+"/messages/"+m.ID, nil, nil))
		s.must(slow.LampIs(s.ctx, false))
		slow.OnNotify(nil) // or else it goes without an answer to the last one, which is then repeated to whoever gets its port
		if n := len(gone.Came()); n != 2 || !sub.Active() {
			s.Errorf("%d NOTIFYs came to who is not there", n)
		}
	})
}

// The subscriptions of an extension end when it is removed.
func TestSubscriberIsRemoved(t *testing.T) {
	play(t, func(s *scene) {
		number := s.extension()
		s.mailbox(number)
		sub := s.watches(s.another(number), "message-summary", number)
		s.must(s.x.api(s.ctx, "DELETE", "/extensions/"+number, nil, nil))
		s.must(sub.Ended(s.ctx))
	})
}
