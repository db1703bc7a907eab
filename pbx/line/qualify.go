package line

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/registrar"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// sweeper asks the phones by OPTIONS whether they are there, a slot of all bindings at a time, so that one timer
// does for any number of phones and their answers are spread over the interval.
type sweeper struct {
	mu    sync.Mutex
	slot  int
	timer *transaction.Timer
	off   bool
}

func (l *Line) startQualify() {
	if l.o.Qualify > 0 {
		l.nextSlot()
	}
}

func (l *Line) stopQualify() {
	l.sweep.mu.Lock()
	defer l.sweep.mu.Unlock()
	l.sweep.off = true
	stop(&l.sweep.timer)
}

func (l *Line) nextSlot() {
	l.sweep.mu.Lock()
	defer l.sweep.mu.Unlock()
	if !l.sweep.off {
		l.sweep.timer = l.tx.After(l.o.Qualify/registrar.Slots, l.qualifySlot)
	}
}

func (l *Line) qualifySlot() {
	l.sweep.mu.Lock()
	slot := l.sweep.slot
	l.sweep.slot = (slot + 1) % registrar.Slots
	l.sweep.mu.Unlock()
	l.safely(func() { l.o.Registrar.Qualify(slot, l.qualify) })
	l.nextSlot()
}

// qualify asks one phone. Any final response says that it is there (RFC 3261 §11).
func (l *Line) qualify(id string, b pbx.Binding, hop wire.Hop) {
	var target sip.Uri
	if sip.ParseUri(b.Contact, &target) != nil {
		return
	}
	routes, err := pathOf(b.Path)
	if err != nil {
		return
	}
	self := "<sip:ringback@" + l.domain(hop) + ">"
	d := dialog.Caller(newCallID(), newTag(), self, nameAddr("", b.Extension, l.domain(hop)), dialog.RequestURI(target), routes)
	req := d.Request(sip.OPTIONS)
	req.AppendHeader(sip.NewHeader("Contact", l.contact(hop)))
	req.AppendHeader(l.stock.acceptSDP)
	req.AppendHeader(l.stock.userAgent)
	l.tx.Send(req, reach(d.NextHop(), hop), &asked{l: l, id: id, at: time.Now()})
}

// asked is the transaction.ClientUser of one such OPTIONS.
type asked struct {
	l  *Line
	id string
	at time.Time
}

func (a *asked) Response(_ *transaction.Client, res *sip.Response) {
	if res.StatusCode >= 200 {
		a.l.safely(func() { a.l.o.Registrar.Mark(a.id, true, time.Since(a.at)) })
	}
}

func (a *asked) Failed(*transaction.Client, error) {
	if !a.l.closed.Load() {
		a.l.safely(func() { a.l.o.Registrar.Mark(a.id, false, 0) })
	}
}

// Contacts implements pbx.Line.
func (l *Line) Contacts(extension string) []pbx.Contact { return l.o.Registrar.Contacts(extension) }
