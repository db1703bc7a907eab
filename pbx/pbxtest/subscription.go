package pbxtest

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// Subscription is a phone's wish to be told of a state, and its dialog (RFC 6665). The phone holds each NOTIFY against the RFC and
// complains. It does not refresh by itself.
type Subscription struct {
	Phone  *Phone
	Event  string // as in the header Event, with its id
	Target string // URI whose state it is
	CallID string

	// Guarded by Phone.mu.
	localTag, remoteTag string
	target              string // Contact of the other end
	routes              []string
	cseq, remoteCSeq    uint32
	asked               int // seconds, by the newest SUBSCRIBE
	granted             int // seconds, by the newest 200
	refused             bool
	ended               bool // a NOTIFY said so, or the phone answered one with 481
	came                []*Notification
	fetched             int
	conference          *Conference // as the documents have made it
}

// Notification is a NOTIFY that came, and what it says.
type Notification struct {
	*Message
	State      string      // "active", "pending", "terminated" (RFC 6665 §4.1.3)
	Reason     string      // why it is terminated
	Expires    int         // seconds left, 0: it does not say
	Summary    *Summary    // of message-summary
	Conference *Conference // of conference: what is known with it, not only what it says
}

// Reply is how a phone answers a NOTIFY.
type Reply struct {
	Status int // 0: not at all
	After  time.Duration
}

// OnNotify says how the phone answers each NOTIFY to come; nil: 200 at once. f is not to call the phone.
func (p *Phone) OnNotify(f func(*Notification) Reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onNotify = f
}

// Subscribe subscribes for some seconds to the state of a number, or a URI, and waits for the first NOTIFY. It fails if that is
// refused. With 0 seconds it fetches the state once (RFC 6665 §4.4.3).
func (p *Phone) Subscribe(ctx context.Context, event, target string, seconds int, mods ...Mod) (*Subscription, error) {
	s, res, err := p.TrySubscribe(ctx, event, target, seconds, mods...)
	if err := must(res, err); err != nil {
		return nil, err
	}
	_, err = s.atLeast(ctx, 1)
	return s, err
}

// Fetch asks once for the state of a number, or a URI.
func (p *Phone) Fetch(ctx context.Context, event, target string, mods ...Mod) (*Notification, error) {
	s, err := p.Subscribe(ctx, event, target, 0, mods...)
	if err != nil {
		return nil, err
	}
	return s.Next(ctx)
}

// TrySubscribe is Subscribe with any final response, and does not wait for a NOTIFY.
func (p *Phone) TrySubscribe(ctx context.Context, event, target string, seconds int, mods ...Mod) (*Subscription, *Message, error) {
	m := p.NewRequest("SUBSCRIBE", target, With("Event", event), With("Expires", strconv.Itoa(seconds)), With("Allow", allow))
	if accept := acceptable[packageOf(event)]; accept != "" {
		m.Add("Accept", accept)
	}
	for _, mod := range mods {
		mod(m)
	}
	s := &Subscription{Phone: p, Event: m.Get("Event"), Target: m.URI, CallID: m.CallID(), localTag: m.FromTag(), asked: seconds}
	p.mu.Lock()
	p.subs = append(p.subs, s) // its NOTIFY may overtake its 200
	p.mu.Unlock()
	res, err := s.ask(ctx, m)
	return s, res, err
}

// Refresh asks for some seconds more and waits for the NOTIFY that follows (RFC 6665 §4.1.2.2).
func (s *Subscription) Refresh(ctx context.Context, seconds int, mods ...Mod) error {
	s.Phone.mu.Lock()
	before := len(s.came)
	s.Phone.mu.Unlock()
	if err := must(s.TryRefresh(ctx, seconds, mods...)); err != nil {
		return err
	}
	_, err := s.atLeast(ctx, before+1)
	return err
}

// TryRefresh is Refresh with any final response, and does not wait for a NOTIFY.
func (s *Subscription) TryRefresh(ctx context.Context, seconds int, mods ...Mod) (*Message, error) {
	p := s.Phone
	p.mu.Lock()
	s.cseq++
	s.asked = seconds
	m := p.NewRequest("SUBSCRIBE", s.Target, With("Event", s.Event), With("Expires", strconv.Itoa(seconds)), With("Allow", allow))
	m.URI = s.target
	m.Set("From", fmt.Sprintf("<%s>;tag=%s", p.AOR(), s.localTag)).Set("To", fmt.Sprintf("<%s>;tag=%s", s.Target, s.remoteTag))
	m.Set("Call-ID", s.CallID).Set("CSeq", fmt.Sprintf("%d SUBSCRIBE", s.cseq))
	for _, r := range s.routes {
		m.Add("Route", r)
	}
	m.next = s.hop()
	p.mu.Unlock()
	for _, mod := range mods {
		mod(m)
	}
	return s.ask(ctx, m)
}

// Unsubscribe ends it and waits for the last NOTIFY (RFC 6665 §4.1.2.3). On one that is over it does nothing.
func (s *Subscription) Unsubscribe(ctx context.Context) error {
	if !s.Active() {
		return nil
	}
	if err := s.Refresh(ctx, 0); err != nil {
		return err
	}
	return s.Ended(ctx)
}

// hop is where requests of the dialog go over UDP. It needs p.mu.
func (s *Subscription) hop() netip.AddrPort {
	if s.Phone.udp == nil {
		return netip.AddrPort{}
	}
	if len(s.routes) > 0 {
		return hostPortOf(AddrOf(s.routes[0]))
	}
	return hostPortOf(s.target)
}

// ask sends a SUBSCRIBE and takes what the final response says.
func (s *Subscription) ask(ctx context.Context, m *Message) (*Message, error) {
	p := s.Phone
	tx, err := p.do(ctx, m, nil, p.c.Password)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, _ := tx.Request.CSeq(); n > s.cseq {
		s.cseq = n
	}
	if err != nil {
		return nil, err
	}
	res := tx.final
	if res.Status/100 != 2 {
		s.refused = s.remoteTag == ""
		s.ended = s.ended || res.Status == 481
		return res, nil
	}
	s.check2xx(res)
	s.target = AddrOf(res.Get("Contact"))
	if m.ToTag() == "" {
		s.remoteTag = res.ToTag()
		s.routes = nil
		for _, r := range res.All("Record-Route") {
			s.routes = append([]string{r}, s.routes...)
		}
	}
	s.granted, _ = strconv.Atoi(res.Get("Expires"))
	return res, nil
}

// atLeast waits until so many NOTIFYs have come.
func (s *Subscription) atLeast(ctx context.Context, n int) (last *Notification, err error) {
	err = s.Phone.await(ctx, fmt.Sprintf("NOTIFY %d of %s", n, s.Event), func() bool {
		if len(s.came) >= n {
			last = s.came[n-1]
		}
		return last != nil
	})
	return last, err
}

// Next waits for the NOTIFY after those that Next has returned already.
func (s *Subscription) Next(ctx context.Context) (*Notification, error) {
	s.Phone.mu.Lock()
	s.fetched++
	n := s.fetched
	s.Phone.mu.Unlock()
	return s.atLeast(ctx, n)
}

// Until waits until the newest NOTIFY is as wanted, and returns it.
func (s *Subscription) Until(ctx context.Context, what string, ready func(*Notification) bool) (*Notification, error) {
	var last *Notification
	err := s.Phone.await(ctx, what, func() bool {
		if len(s.came) > 0 {
			last = s.came[len(s.came)-1]
		}
		return last != nil && ready(last)
	})
	return last, err
}

// Ended waits until a NOTIFY has ended it.
func (s *Subscription) Ended(ctx context.Context) error {
	return s.Phone.await(ctx, "the end of the subscription to "+s.Event, func() bool { return s.ended })
}

// Came are the NOTIFYs that came, oldest first.
func (s *Subscription) Came() []*Notification {
	s.Phone.mu.Lock()
	defer s.Phone.mu.Unlock()
	return append([]*Notification(nil), s.came...)
}

// Active reports whether it was accepted and is not over.
func (s *Subscription) Active() bool {
	s.Phone.mu.Lock()
	defer s.Phone.mu.Unlock()
	return s.remoteTag != "" && !s.ended && !s.refused
}

// Granted is for how many seconds the newest 200 has granted it.
func (s *Subscription) Granted() int {
	s.Phone.mu.Lock()
	defer s.Phone.mu.Unlock()
	return s.granted
}

// Subscriptions are all that the phone has asked for, oldest first.
func (p *Phone) Subscriptions() []*Subscription {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Subscription(nil), p.subs...)
}

// Unsolicited waits for the next NOTIFY of an event package that the phone has not subscribed to, as phones take message-summary.
func (p *Phone) Unsolicited(ctx context.Context, event string) (*Notification, error) {
	return p.unsolicitedUntil(ctx, event, func(*Notification) bool { return true })
}

// Lamp waits until message-summary, asked for or not, has switched the phone's lamp on or off, and returns what the newest NOTIFY said.
func (p *Phone) Lamp(ctx context.Context, on bool) (*Summary, error) {
	var last *Summary
	err := p.await(ctx, fmt.Sprintf("the lamp to be on: %v", on), func() bool {
		last = p.lamp
		return last != nil && last.Waiting == on
	})
	return last, err
}

// LampIs is Lamp for who does not want to know more.
func (p *Phone) LampIs(ctx context.Context, on bool) error {
	_, err := p.Lamp(ctx, on)
	return err
}

func (p *Phone) unsolicitedUntil(ctx context.Context, event string, ready func(*Notification) bool) (*Notification, error) {
	var found *Notification
	err := p.await(ctx, "an unsolicited NOTIFY of "+event, func() bool {
		for i, n := range p.unsolicited {
			if packageOf(n.Get("Event")) == event && ready(n) {
				found = n
				p.unsolicited = append(p.unsolicited[:i:i], p.unsolicited[i+1:]...)
				return true
			}
		}
		return false
	})
	return found, err
}
