package line

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// What is watched goes: the last NOTIFY says so, and puts out the lamp.
func TestMailboxThatIsRemovedEndsItsSubscriptions(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		b.set(func() { delete(b.boxes, "1000") })
		s.line.MailboxChanged("1000")
		n := c.notified("terminated;reason=noresource")
		if body(n) != "Messages-Waiting: no\r\nMessage-Account: sip:1000@pbx.test\r\n" {
			t.Errorf("got\n%s", n)
		}
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// The subscriptions of an extension that is deleted end; those of others go on.
func TestForgottenExtensionIsToldNothing(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		c, d := a.watching(600), other.watching(600)
		room := a.subscribe("conference", "800", 600)
		room.granted(600)
		room.notified("active;expires=600")
		s.line.Forget("1000")
		for range 2 {
			n := a.expect("NOTIFY")
			wantHeader(t, n, "Subscription-State", "terminated;reason=rejected")
			if body(n) != "" {
				t.Errorf("who may not watch is told\n%s", n)
			}
			a.respond(n, "200 OK", "", "")
		}
		synctest.Wait()
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 481")
		d.subscribe("message-summary", 600)
		d.granted(600)
		d.notified("active;expires=600")
		s.line.Forget("4711")
	})
}

// An extension that was disabled cannot refresh.
func TestRefreshOfADisabledExtension(t *testing.T) {
	off := &switched{}
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		off.off = true
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 403")
		if n := c.notified("terminated;reason=rejected"); body(n) != "" {
			t.Errorf("who may not watch is told\n%s", n)
		}
	}, func(o *Options) { o.Directory = off })
}

type switched struct{ off bool }

func (d *switched) Extension(n string) *pbx.Extension {
	e := directory{}.Extension(n)
	e.Enabled = !d.off
	return e
}

func TestTooManySubscriptions(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		b.set(func() {
			for i := range maxWatches {
				b.rooms[strconv.Itoa(8000+i)] = pbx.ConferenceInfo{}
			}
		})
		for i := range maxWatches {
			c := a.subscribe("conference", strconv.Itoa(8000+i), 600)
			c.granted(600)
			c.notified("active;expires=600")
		}
		a.subscribe("message-summary", "1000", 600)
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "60")

		// A phone that has been restarted subscribes to what it was subscribed to.
		c := a.subscribe("conference", "8007", 600)
		c.granted(600)
		c.notified("active;expires=600")
		if n := s.line.Stats().Subscriptions; n != maxWatches {
			t.Errorf("%d subscriptions", n)
		}
		a.silent()

		other := s.phone("1001", "192.0.2.20") // has a bound of its own
		other.watching(600)
		third := s.phone("1002", "192.0.2.30")
		third.subscribe("conference", "800", 600)
		wantHeader(t, third.expect("SIP/2.0 503"), "Retry-After", "60")
		s.line.events.endAll(0)
		for range maxWatches {
			a.respond(a.expect("NOTIFY"), "200 OK", "", "")
		}
		other.respond(other.expect("NOTIFY"), "200 OK", "", "")
	}, func(o *Options) { o.MaxSub = maxWatches + 1 })
}

// A phone that tries again and again does not fill the log.
func TestTooManySubscriptionsAreLoggedOnceAMinute(t *testing.T) {
	var log strings.Builder
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		a.watching(600)
		for minute := 1; minute <= 2; minute++ {
			for range 5 {
				a.subscribe("conference", "800", 600)
				a.expect("SIP/2.0 503")
			}
			if n := strings.Count(log.String(), "too many subscriptions"); n != minute {
				t.Errorf("logged %d times in %d minutes", n, minute)
			}
			time.Sleep(time.Minute)
		}
	}, func(o *Options) {
		o.MaxSub = 1
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
}

// While draining nobody new is taken; who is there goes on. At the end everybody is told to come back later.
func TestSubscriptionsAsThePBXGoesDown(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		s.line.Drain()
		a.subscribe("message-summary", "1000", 600)
		wantHeader(t, a.expect("SIP/2.0 503"), "Retry-After", "30")
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
		s.line.HangupAll(pbx.GoingDown)
		n := a.expect("NOTIFY")
		state, after, _ := strings.Cut(header(n, "Subscription-State"), ";retry-after=")
		if d, err := strconv.Atoi(after); err != nil || d < 30 || d > 60 || state != "terminated;reason=probation" {
			t.Errorf("got\n%s", n)
		}
		a.respond(n, "200 OK", "", "")
	})
}

// A board that panics costs the subscription, and the request is answered.
func TestPanicInASubscription(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		c, d := a.watching(600), other.watching(600)
		s.bind(s.phone("1000", "192.0.2.30"))
		b.set(func() { b.broken = true })
		time.Sleep(time.Minute)
		s.line.MailboxChanged("1000") // twice: the watch, and then the lamp of the phone that has not subscribed
		synctest.Wait()
		a.silent()
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 500")
		b.set(func() { b.broken = false })
		c.subscribe("message-summary", 600)
		a.expect("SIP/2.0 481")
		d.subscribe("message-summary", 600)
		d.granted(600)
		d.notified("active;expires=600")
		s.x.panics = 3
	})
}

// Without a board there are no event packages.
func TestNoPackages(t *testing.T) {
	play(t, func(s *scene) {
		a := s.phone("1000", "192.0.2.10")
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 489")
		s.line.MailboxChanged("1000")
		s.line.ConferenceChanged("800")
		s.line.BindingAdded("b1")
		s.line.Forget("1000")
		a.silent()
	})
}

// OPTIONS and the answer to a call say which events there are (RFC 6665 §4.4.4).
func TestAllowEvents(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		a.send("OPTIONS sip:pbx.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo\nMax-Forwards: 70\nFrom: <sip:1000@pbx.test>;tag=o\nTo: <sip:pbx.test>\nCall-ID: o\nCSeq: 1 OPTIONS\n\n")
		res := a.expect("SIP/2.0 200")
		wantHeader(t, res, "Allow-Events", "message-summary, conference")
		if !strings.Contains(header(res, "Allow"), "SUBSCRIBE") {
			t.Errorf("Allow: %s", header(res, "Allow"))
		}
		c := a.invite("1001", sdp(a, 4000, "0"))
		synctest.Wait()
		if err := s.x.legs[0].Answer(nil); err != nil {
			t.Fatal(err)
		}
		res = c.take(a.expect("SIP/2.0 200"))
		wantHeader(t, res, "Allow-Events", "message-summary, conference")
		c.send("ACK", "")
		c.send("BYE", "")
		a.expect("SIP/2.0 200")
	})
}

// An extension that is disabled while its SUBSCRIBE is being looked at is not forgotten for it.
func TestSUBSCRIBEOfAnExtensionThatHasJustBeenDisabled(t *testing.T) {
	off := &switched{}
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		off.off = true // the guard has not seen it
		a.subscribe("message-summary", "1000", 600)
		a.expect("SIP/2.0 403")
		a.silent()
		if n := s.line.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	}, func(o *Options) { o.Directory = off })
}

// A NOTIFY goes to a port of the phone's NAT that is not there any more; the phone refreshes from another one meanwhile, and is told
// there once the first NOTIFY has failed.
func TestPhoneThatRefreshesWhileANOTIFYIsLost(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.watching(600)
		time.Sleep(10 * time.Second)
		s.messages(b, "1000", 7)
		time.Sleep(20 * time.Second)
		a.drain() // not answered
		c.p = s.phoneAt("1000", "192.0.2.10:7777")
		c.contact = "<sip:1000@10.0.0.7:5062>"
		c.subscribe("message-summary", 600)
		c.granted(600)
		time.Sleep(13 * time.Second)
		a.drain()
		if n := c.notified("active;expires=588"); !strings.Contains(n, "Voice-Message: 7/0") {
			t.Errorf("got\n%s", n)
		}
		c.p.drain() // it came twice
		c.subscribe("message-summary", 600)
		c.granted(600)
		c.notified("active;expires=600")
	})
}
