package line

import (
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// unsolicited is the Subscription-State of a NOTIFY that nobody has subscribed to. RFC 3842 knows none, but phones expect it and other
// PBXs send it so, with "terminated": Asterisk (res_pjsip_mwi) and FreeSWITCH (mod_sofia). It says what is true: no other will
// follow in this dialog, which there is not.
const unsolicited = "terminated"

// lamps are the phones that are told of their messages without having subscribed: by NOTIFY outside a dialog, one at a time
// each. Only those are kept that are being told, or that do not want to be.
type lamps struct {
	line *Line

	mu    sync.Mutex
	all   map[string]*lamp // by binding
	purge int              // when to look for those that are gone
}

type lamp struct {
	of *lamps
	id string // of the binding

	mu       sync.Mutex
	waiting  bool // a NOTIFY has not been answered yet
	due      bool // there is something to tell
	deaf     bool // it does not take such a NOTIFY, until it registers anew
	gone     bool // it is not kept any more
	earliest time.Time
	timer    *transaction.Timer
}

// changed is told that an extension's mailbox has other messages, or is gone.
func (ls *lamps) changed(extension string) {
	l := ls.line
	watching := l.events.watching(topic{&messageSummary, extension})
	for _, c := range l.o.Registrar.Contacts(extension) {
		if b, hop, ok := l.o.Registrar.Binding(c.ID); ok && !subscribed(watching, c.ID, b, hop) {
			ls.tell(c.ID, false)
		}
	}
}

// added is told of a phone that has registered.
func (ls *lamps) added(id string) {
	l := ls.line
	b, hop, ok := l.o.Registrar.Binding(id)
	if !ok {
		return
	}
	if _, ok := l.o.State.Messages(b.Extension); !ok {
		return
	}
	if !subscribed(l.events.watching(topic{&messageSummary, b.Extension}), id, b, hop) {
		ls.tell(id, true)
	}
}

// subscribed reports whether the phone of a binding is among those that watch. Behind a proxy all phones come by the same way.
func subscribed(watching []*watch, id string, b pbx.Binding, hop wire.Hop) bool {
	var contact sip.Uri
	parsed := sip.ParseUri(b.Contact, &contact) == nil
	for _, w := range watching {
		if len(b.Path) == 0 && w.isOf(id, hop) || parsed && w.isAt(&contact, hop) {
			return true
		}
	}
	return false
}

// isOf reports whether a subscription came by the same way as a binding.
func (w *watch) isOf(id string, hop wire.Hop) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.binding == id || w.hop.Transport == hop.Transport && w.hop.Remote == hop.Remote && w.hop.Conn == hop.Conn
}

// isAt reports whether it is of the phone that has registered this contact from the same host.
func (w *watch) isAt(contact *sip.Uri, hop wire.Hop) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &w.dlg.Target
	return w.hop.Remote.Addr() == hop.Remote.Addr() && t.Host == contact.Host && t.Port == contact.Port && t.User == contact.User
}

// get is the lamp of a binding, made where there is none.
func (ls *lamps) get(id string) *lamp {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	p := ls.all[id]
	if p == nil {
		if len(ls.all) >= max(ls.purge, 1024) {
			for id := range ls.all {
				if _, _, ok := ls.line.o.Registrar.Binding(id); !ok {
					delete(ls.all, id)
				}
			}
			ls.purge = 2 * len(ls.all)
		}
		p = &lamp{of: ls, id: id}
		ls.all[id] = p
	}
	return p
}

// remove gives a lamp up, with its lock held.
func (ls *lamps) remove(p *lamp) {
	p.gone = true
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all[p.id] == p {
		delete(ls.all, p.id)
	}
}

// tell has a phone told of its messages. anew: it has registered, and may take what it did not take before.
func (ls *lamps) tell(id string, anew bool) {
	for !ls.get(id).tell(anew) {
	}
}

// tell reports false if the lamp has just been given up.
func (p *lamp) tell(anew bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return false
	}
	if anew {
		p.deaf = false
	}
	if !p.deaf {
		p.due = true
		p.step()
	}
	return true
}

// step is next; a panic costs this lamp only.
func (p *lamp) step() {
	if !p.of.line.safely(p.next) {
		p.of.remove(p)
	}
}

// next sends what is due, or says when it will be, or forgets the lamp if nothing is.
func (p *lamp) next() {
	now := time.Now()
	switch {
	case p.waiting || p.deaf || p.timer != nil:
	case now.Before(p.earliest):
		p.timer = p.of.line.tx.After(p.earliest.Sub(now), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.timer = nil
			p.step()
		})
	case !p.due:
		p.of.remove(p)
	default:
		p.due = false
		p.earliest = now.Add(messageSummary.rules.Pause)
		p.send()
	}
}

func (p *lamp) send() {
	l := p.of.line
	b, hop, ok := l.o.Registrar.Binding(p.id)
	if !ok {
		p.of.remove(p)
		return
	}
	var target sip.Uri
	routes, err := pathOf(b.Path)
	v := view{resource: b.Extension, who: b.Extension, domain: l.domain(hop)}
	body := messageSummary.body(l, v)
	if body == nil {
		body = messageSummary.gone(l, v)
	}
	if err != nil || sip.ParseUri(b.Contact, &target) != nil {
		p.of.remove(p)
		return
	}
	self := nameAddr("", b.Extension, l.domain(hop))
	d := dialog.Caller(newCallID(), newTag(), self, self, dialog.RequestURI(target), routes)
	req := d.Request(sip.NOTIFY)
	req.AppendHeader(sip.NewHeader("Contact", l.contact(hop)))
	req.AppendHeader(sip.NewHeader("Event", messageSummary.name))
	req.AppendHeader(sip.NewHeader("Subscription-State", unsolicited))
	req.AppendHeader(l.stock.allowEvents)
	req.AppendHeader(l.stock.userAgent)
	setBody(req, messageSummary.typeHeader, body)
	p.waiting = true
	l.tx.Send(req, reach(d.NextHop(), hop), p)
}

// Response implements transaction.ClientUser.
func (p *lamp) Response(_ *transaction.Client, res *sip.Response) {
	if res.StatusCode >= 200 {
		p.answered(refuses(res.StatusCode))
	}
}

// Failed implements transaction.ClientUser. Whether the phone is there is found out by others; what it has missed it is told with the
// next change, or when it registers.
func (p *lamp) Failed(*transaction.Client, error) { p.answered(false) }

// refuses reports whether an answer means that the phone takes no such NOTIFY: it does not know the method (405, 501), the event (489),
// or a subscription (481), or says no in other words. It may only not have been there, or be busy with itself.
func refuses(status int) bool {
	switch {
	case status == 408, status == 480, status == 486, status == 491:
		return false
	case status == 501, status >= 400 && status < 500, status >= 600:
		return true
	}
	return false
}

func (p *lamp) answered(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = false
	if p.deaf = deaf; deaf {
		p.due = false
		return
	}
	p.step()
}
