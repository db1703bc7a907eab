package line

import (
	"errors"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/offer"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// state is how far a leg is.
type state uint8

const (
	ringing   state = iota // no final response to its INVITE
	answered               // incoming: 200 sent, ACK awaited
	confirmed              // ACK received or sent
	released               // over; an incoming one may still wait for the ACK before its BYE
)

// leg is one party's dialog with the PBX: the pbx.Signalling of a pbx.Leg. A connected leg is flat and small: what
// only its setup needs hangs on in or out and is let go.
type leg struct {
	line      *Line
	pbx       *pbx.Leg
	tag       string         // ours; key in the table
	hop       wire.Hop       // where we hear the phone from
	binding   string         // registered binding, "" if not known
	peer      string         // number at the other side: dialled, or the caller's
	contact   sip.Header     // our Contact
	ext       *pbx.Extension // whose leg it is; nil if unknown
	incoming  bool
	automaton bool // a machine answers, and its Contact says so
	focus     bool // so does that of a conference

	mu      sync.Mutex
	effects []func() // calls out of this package, in order; see enter
	calling bool     // somebody is working off effects

	state   state
	told    bool // the Exchange knows the leg, so it gets Ended
	held    bool
	rung    bool // what holds for the stream was agreed before the call was answered; see listen
	updates bool // the phone allows UPDATE
	noInfo  bool // … but no INFO
	dlg     dialog.Dialog
	sdp     *offer.Session
	stream  Stream
	in      *incoming // an incoming leg until its ACK
	out     *outgoing // an outgoing leg until Timer M
	modify  modify    // re-INVITE and UPDATE
	session session   // RFC 4028

	overtaken rack // a reliable response whose PRACK may still come, after the ACK (RFC 3262 §3)
}

// enter runs f with the leg's lock held, then what f left in effects without it: in order, and never two at a time,
// also when several goroutines enter. A panic in either ends this leg only.
func (g *leg) enter(f func()) {
	g.mu.Lock()
	g.guarded(f)
	if g.calling {
		g.mu.Unlock()
		return
	}
	g.calling = true
	for len(g.effects) > 0 {
		batch := g.effects
		g.effects = nil
		g.mu.Unlock()
		broken := false
		for _, e := range batch {
			broken = !g.line.safely(e) || broken
		}
		g.mu.Lock()
		if broken {
			g.guarded(g.broken)
		}
	}
	g.calling = false
	g.mu.Unlock()
}

func (g *leg) guarded(f func()) {
	if !g.line.safely(f) {
		g.line.safely(g.broken)
	}
}

// broken ends a leg whose handler panicked.
func (g *leg) broken() {
	g.end(pbx.Outcome{Kind: pbx.Failed, By: pbx.System, Status: 500})
}

// safely runs f and reports whether it came back without a panic.
func (l *Line) safely(f func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p)
		}
	}()
	f()
	return true
}

// after calls f, entered, when d has passed.
func (g *leg) after(d time.Duration, f func()) *transaction.Timer {
	return g.line.tx.After(d, func() { g.enter(f) })
}

func stop(t **transaction.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}

// open gets the leg its port and offer/answer session.
func (g *leg) open() error {
	s, err := g.line.o.Media.Open(g.hop.Remote.Addr(), g.silent)
	if err != nil {
		return err
	}
	g.stream = s
	g.sdp = offer.New(offer.Local{RTP: s.LocalRTP(), RTCP: s.LocalRTCP(), Mux: true, SessionID: sessionID()})
	return nil
}

// silent is told by the stream that no sound has come for too long: the phone has vanished. While it rings, early media
// or not, nobody has to be heard.
func (g *leg) silent() {
	g.enter(func() {
		if g.state < confirmed {
			g.rung = true
			return
		}
		g.end(pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Cause: 102, Reason: []string{`SIP;cause=408;text="RTP timeout"`}})
	})
}

// listen has the time in which the phone must be heard begin when the call is up.
func (g *leg) listen() {
	if g.rung {
		g.agree()
	}
}

// over tells the Exchange that the leg has ended, once, and gives its port back. Signalling may go on behind it.
func (g *leg) over(o pbx.Outcome) {
	if g.state == released {
		return
	}
	g.state = released
	g.session.stop()
	g.modify.stop()
	stream, told := g.stream, g.told
	g.effects = append(g.effects, func() {
		if stream != nil {
			stream.Close()
		}
		if told {
			g.line.o.Exchange.Ended(g.pbx, o)
		}
		g.strip()
	})
}

// strip lets go of all that a leg which is over does not need, since its transactions hold it for another 32 s.
func (g *leg) strip() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pbx, g.sdp, g.stream, g.ext, g.peer = nil, nil, nil, nil, ""
}

// gone forgets the dialog: what still comes for it is answered 481.
func (g *leg) gone() {
	g.in.stop()
	g.line.remove(g)
}

// lost ends the leg because the network or the phone let it down: with a BYE, in case somebody still hears it.
func (g *leg) lost(o pbx.Outcome) {
	if g.state == released {
		return
	}
	if g.state == confirmed {
		g.bye(o)
	}
	g.over(o)
	g.gone()
}

// request starts a request in the dialog, User-Agent included.
func (g *leg) request(method sip.RequestMethod) *sip.Request {
	req := g.dlg.Request(method)
	req.AppendHeader(g.line.stock.userAgent)
	return req
}

// way is where requests of the dialog go now. A phone that has registered anew over a stream is reached there.
func (g *leg) way() wire.Hop { return g.line.way(&g.dlg, g.binding, g.hop) }

// way is where the requests of a dialog go: with a phone that is heard from a hop, and whose binding is known or not ("").
func (l *Line) way(d *dialog.Dialog, binding string, heard wire.Hop) wire.Hop {
	if heard.Reliable() && binding != "" {
		if _, hop, ok := l.o.Registrar.Binding(binding); ok && hop.Reliable() {
			return hop
		}
	}
	return reach(d.NextHop(), heard)
}

// send sends a request in the dialog; done, entered, gets each response, or the error that came instead.
func (g *leg) send(req *sip.Request, done func(res *sip.Response, err error)) *transaction.Client {
	return g.line.tx.Send(req, g.way(), &user{g: g, done: done})
}

// user is the transaction.ClientUser of one request of a leg.
type user struct {
	g       *leg
	done    func(res *sip.Response, err error)
	retried bool
}

func (u *user) Response(tx *transaction.Client, res *sip.Response) {
	u.g.enter(func() { u.done(res, nil) })
}

func (u *user) Failed(tx *transaction.Client, err error) {
	u.g.enter(func() {
		// A broken connection: the phone may have registered again, or listen for a new one (RFC 3261 §18.4).
		if req := tx.Request; req != nil && !u.retried && tx.To.Reliable() && !errors.Is(err, transaction.ErrTimeout) && !u.g.line.closed.Load() {
			if hop := u.g.way(); hop != tx.To || hop.Conn != 0 {
				hop.Conn = 0
				u.retried = true
				req.RemoveHeader("Via")
				u.g.line.tx.Send(req, hop, u)
				return
			}
		}
		u.done(nil, err)
	})
}

// fatal reports whether a response or its absence ends the dialog (RFC 3261 §12.2.1.2).
func fatal(res *sip.Response, err error) bool {
	return err != nil || res.StatusCode == 481 || res.StatusCode == 408
}

// lostBy is the outcome of a request that got no answer, or one that says the dialog is not there.
func (g *leg) lostBy(res *sip.Response, err error) pbx.Outcome {
	o := pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Cause: 102, Status: 408}
	if res != nil {
		o.Status = res.StatusCode
		o.Reason = texts(res, "Reason")
	}
	return o
}

// Port implements pbx.Signalling.
func (g *leg) Port() media.Port {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stream == nil {
		return nil
	}
	return g.stream
}

// Automaton implements pbx.Signalling.
func (g *leg) Automaton() {
	// The tag is automata (RFC 3840 §10.7); the examples of RFC 4235 §5.2 and RFC 5359 §2.13 have automaton.
	g.says(&g.automaton, `;automata;automaton;+sip.rendering="no"`)
}

// Focus implements pbx.Signalling.
func (g *leg) Focus() { g.says(&g.focus, ";isfocus") }

// says adds feature parameters to our Contact, once.
func (g *leg) says(already *bool, features string) {
	g.enter(func() {
		if g.contact != nil && !*already {
			*already = true
			g.contact = sip.NewHeader("Contact", g.contact.Value()+features)
		}
	})
}

// Offered implements pbx.Signalling.
func (g *leg) Offered() []media.Codec {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sdp == nil {
		return nil
	}
	return g.sdp.Offered()
}

// agree installs what offer/answer arrived at and tells the Exchange what that changes.
func (g *leg) agree() {
	before := g.stream.Formats()
	a := g.sdp.Agreement()
	a.Source = g.hop.Remote.Addr() // a phone that has moved sends its sound from there as well
	g.stream.Agree(a)
	g.rung = g.state == ringing
	if !g.told || g.state == released {
		return
	}
	if held := g.sdp.Held(); held != g.held {
		g.held = held
		g.effects = append(g.effects, func() { g.line.o.Exchange.Held(g.pbx, held) })
	}
	if g.state == confirmed && mismatch(before, a.Formats) {
		g.effects = append(g.effects, func() { g.line.o.Exchange.Mismatch(g.pbx) })
	}
}

// mismatch reports whether the codec that was being sent is not possible any more, nor one that it can be
// transcoded to.
func mismatch(before, after []media.Format) bool {
	was, ok := voice(before)
	if !ok {
		return false
	}
	for _, f := range after {
		if f.Same(was) || f.Linear() && was.Linear() {
			return false
		}
	}
	_, ok = voice(after)
	return ok
}

// voice is the first codec that carries sound.
func voice(fs []media.Format) (media.Codec, bool) {
	for _, f := range fs {
		if !f.IsEvent() && !f.IsComfortNoise() {
			return f.Codec, true
		}
	}
	return media.Codec{}, false
}
