package line

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
)

// session is the session timer of RFC 4028 on one leg; interval 0: there is none.
type session struct {
	interval time.Duration
	min      time.Duration // Min-SE that the phone demanded in a 422
	ours     bool          // we are the refresher
	ends     time.Time     // when the session is over, if nobody refreshes it
	timer    *transaction.Timer
}

func (s *session) stop() { stop(&s.timer) }

// sessionExpires reads a Session-Expires header (RFC 4028 §4).
func sessionExpires(m sip.Message) (interval time.Duration, refresher string, ok bool) {
	v := value(m, "Session-Expires")
	n, ok := seconds(v)
	if !ok {
		return 0, "", false
	}
	_, params, _ := strings.Cut(v, ";")
	for _, p := range strings.Split(params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	return time.Duration(min(n, 1<<30)) * time.Second, refresher, true
}

// tooBrief reports a session interval below what we grant, asked for by one who understands a 422 (RFC 4028 §9).
func (l *Line) tooBrief(req *sip.Request) bool {
	d, _, ok := sessionExpires(req)
	return ok && d < l.o.MinSE && hasToken(req, "Supported", "timer")
}

// grant decides on the session timer that a request asks for, and returns the headers of its 2xx (RFC 4028 §9).
// Who supports timers gets one; where the choice of refresher is ours, it is us.
func (g *leg) grant(req *sip.Request) []sip.Header {
	s := &g.session
	d, refresher, asked := sessionExpires(req)
	peer := hasToken(req, "Supported", "timer")
	if !asked && !peer {
		s.interval = 0
		return nil
	}
	if !asked || d > g.line.o.SessionExpires {
		d = g.line.o.SessionExpires
	}
	least := g.line.o.MinSE
	if n, ok := seconds(value(req, "Min-SE")); ok {
		least = max(least, time.Duration(n)*time.Second)
	}
	s.interval = max(d, least)
	s.ours = !peer || refresher != "uac"
	if s.ours {
		return []sip.Header{expiresHeader(s.interval, "uas")}
	}
	return []sip.Header{expiresHeader(s.interval, "uac"), g.line.stock.requireTimer}
}

// ask is what our INVITE, re-INVITE or UPDATE says of the session timer.
func (g *leg) ask() []sip.Header {
	s := &g.session
	d := s.interval
	refresher := ""
	if d == 0 {
		if g.state == confirmed {
			return nil // the phone has none; leave it so
		}
		d = g.line.o.SessionExpires
	} else if refresher = "uas"; s.ours {
		refresher = "uac"
	}
	h := []sip.Header{expiresHeader(max(d, s.min), refresher)}
	if least := max(g.line.o.MinSE, s.min); least > 90*time.Second {
		h = append(h, wholeSeconds("Min-SE", least))
	}
	return h
}

func expiresHeader(d time.Duration, refresher string) sip.Header {
	v := strconv.Itoa(int(d / time.Second))
	if refresher != "" {
		v += ";refresher=" + refresher
	}
	return sip.NewHeader("Session-Expires", v)
}

// granted takes what a 2xx to our request says of the session timer, and starts it anew (RFC 4028 §7.2).
func (g *leg) granted(res *sip.Response) {
	s := &g.session
	d, refresher, ok := sessionExpires(res)
	if ok {
		s.interval = max(d, 20*time.Second) // a phone cannot make us refresh all the time
		s.ours = refresher != "uas"
	} else {
		s.interval = 0
	}
	g.startSession()
}

// startSession starts the timer anew: half the interval until our refresh, or almost all of it until the phone's is
// overdue (RFC 4028 §10).
func (g *leg) startSession() {
	s := &g.session
	s.stop()
	if s.interval == 0 || g.state == released {
		return
	}
	s.ends = time.Now().Add(s.interval)
	if s.ours {
		s.timer = g.after(s.interval/2, g.refresh)
		return
	}
	s.timer = g.after(s.interval-min(32*time.Second, s.interval/3), g.expired)
}

// refresh is due.
func (g *leg) refresh() {
	g.session.timer = nil
	if g.state != confirmed {
		return
	}
	g.session.timer = g.after(max(time.Second, time.Until(g.session.ends)-min(32*time.Second, g.session.interval/6)), g.expired)
	g.modify.refresh = true
	g.kick()
}

// refreshFailed is told of a refresh that was refused. After a 422 it is repeated with the interval demanded;
// otherwise it is tried once more before the session ends (RFC 4028 §10).
func (g *leg) refreshFailed(res *sip.Response) {
	s := &g.session
	if n, ok := seconds(value(res, "Min-SE")); ok && res.StatusCode == 422 && time.Duration(n)*time.Second > s.min {
		s.min = time.Duration(n) * time.Second
		s.interval = max(s.interval, s.min)
		g.modify.refresh = true
		return
	}
	if left := time.Until(s.ends); left > s.interval/4 {
		s.stop()
		s.timer = g.after(left/2, g.refresh)
	}
}

// expired ends a call whose session nobody has refreshed.
func (g *leg) expired() {
	g.session.timer = nil
	if g.state == confirmed {
		g.lost(pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Status: 408, Cause: 102,
			Reason: []string{`SIP;cause=408;text="Session expired"`}})
	}
}
