package line

import (
	"errors"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/subscription"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// watch is a subscription of a phone: a dialog of its own, and what the phone was told in it. It is the user of its NOTIFYs, of which
// there is one at a time.
type watch struct {
	line     *Line
	pkg      *eventPackage
	resource string     // what is watched
	who      string     // extension that watches
	tag      string     // ours; key in the table
	from     string     // remote target that it subscribed with
	event    sip.Header // of each NOTIFY
	contact  sip.Header // ours

	mu      sync.Mutex
	hop     wire.Hop // where we hear the phone from
	heard   time.Time
	binding string // registered binding, "" if not known
	dlg     dialog.Dialog
	state   subscription.State
	version uint32 // NOTIFYs with a body
	retried bool   // the NOTIFY that is under way took another connection
	timer   *transaction.Timer
	wake    time.Time // when timer is due
}

// enter runs f with the lock held. A panic ends this subscription only.
func (w *watch) enter(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.line.safely(f) {
		w.line.safely(w.forget)
	}
}

// take is enter for a request, which is answered 500 if f panics.
func (w *watch) take(tx *transaction.Server, f func()) {
	w.enter(func() {
		defer func() {
			if p := recover(); p != nil {
				w.line.refuse(tx, 500, "")
				panic(p)
			}
		}()
		f()
	})
}

// on has something happen to the subscription.
func (w *watch) on(e subscription.Event) {
	var fx subscription.Effects
	e.Now = time.Now()
	w.state, fx = w.state.On(e, w.pkg.rules)
	if fx.Notify {
		w.notify(e.Now, &fx)
	}
	if fx.Forget {
		w.forget()
		return
	}
	if fx.Wake.Equal(w.wake) {
		return
	}
	stop(&w.timer)
	if w.wake = fx.Wake; !w.wake.IsZero() {
		w.timer = w.line.tx.After(w.wake.Sub(e.Now), w.woken)
	}
}

func (w *watch) woken() {
	w.enter(func() {
		w.wake = time.Time{}
		w.on(subscription.Event{Kind: subscription.Woken})
	})
}

// changed is told that there is something new about the resource.
func (w *watch) changed() {
	w.enter(func() { w.on(subscription.Event{Kind: subscription.Changed}) })
}

// end ends the subscription from our side.
func (w *watch) end(why subscription.Reason, retry time.Duration) {
	w.enter(func() { w.on(subscription.Event{Kind: subscription.Ended, Reason: why, Retry: retry}) })
}

func (w *watch) forget() {
	stop(&w.timer)
	w.wake = time.Time{}
	w.state = subscription.State{Phase: subscription.Gone}
	w.line.events.remove(w)
}

// notify sends a NOTIFY with the state as it is now.
func (w *watch) notify(now time.Time, fx *subscription.Effects) {
	var body []byte
	if w.state.Reason != subscription.Rejected { // who may not watch is told nothing
		v := view{w.resource, w.who, w.line.domain(w.hop), w.version}
		if body = w.pkg.body(w.line, v); body != nil {
			w.version++
		} else {
			if w.state = w.state.Missing(); w.state.Phase != subscription.Active {
				fx.Wake = time.Time{}
			}
			if w.pkg.gone != nil {
				body = w.pkg.gone(w.line, v)
			}
		}
	}
	req := w.dlg.Request(sip.NOTIFY)
	req.AppendHeader(w.contact)
	req.AppendHeader(w.event)
	req.AppendHeader(sip.NewHeader("Subscription-State", w.state.Header(now)))
	req.AppendHeader(w.line.stock.allowEvents)
	req.AppendHeader(w.line.stock.userAgent)
	setBody(req, w.pkg.typeHeader, body)
	w.retried = false
	w.line.tx.Send(req, w.way(), w)
}

// way is where a NOTIFY goes. Subscriptions are long: where the phone has registered since it was heard last, through another port of the
// NAT in front of it or by another connection, it is there.
func (w *watch) way() wire.Hop {
	heard := w.hop
	if w.binding != "" {
		if b, hop, ok := w.line.o.Registrar.Binding(w.binding); ok && hop.Reliable() == heard.Reliable() && b.Updated.After(w.heard) {
			if hop.Reliable() {
				return hop
			}
			heard = hop
		}
	}
	return reach(w.dlg.NextHop(), heard)
}

// bindingAt is the registered contact of the phone at the other end of a hop, "" if there is none.
func (l *Line) bindingAt(extension string, from wire.Hop) string {
	for _, c := range l.o.Registrar.Contacts(extension) {
		if _, hop, ok := l.o.Registrar.Binding(c.ID); ok && hop.Transport == from.Transport && hop.Remote == from.Remote && hop.Conn == from.Conn {
			return c.ID
		}
	}
	return ""
}

// Response implements transaction.ClientUser.
func (w *watch) Response(_ *transaction.Client, res *sip.Response) {
	if res.StatusCode < 200 {
		return
	}
	e := subscription.Event{Kind: subscription.Answered, Status: res.StatusCode}
	if n, ok := seconds(value(res, "Retry-After")); ok {
		e.Retry = time.Duration(n) * time.Second
	}
	w.enter(func() {
		if e.Status >= 300 {
			w.line.log.Debug("a NOTIFY was refused", "event", w.event.Value(), "of", w.resource, "by", w.who, "status", e.Status)
		}
		w.on(e)
	})
}

// Failed implements transaction.ClientUser.
func (w *watch) Failed(tx *transaction.Client, err error) {
	w.enter(func() {
		// A broken connection: the phone may have registered again, or listen for a new one (RFC 3261 §18.4).
		if req := tx.Request; req != nil && !w.retried && tx.To.Reliable() && !errors.Is(err, transaction.ErrTimeout) && !w.line.closed.Load() {
			if hop := w.way(); hop != tx.To || hop.Conn != 0 {
				hop.Conn = 0
				w.retried = true
				req.RemoveHeader("Via")
				w.line.tx.Send(req, hop, w)
				return
			}
		}
		status := 0
		if errors.Is(err, transaction.ErrFull) { // it is not the phone that is at fault
			status = 503
		}
		w.on(subscription.Event{Kind: subscription.Answered, Status: status})
	})
}
