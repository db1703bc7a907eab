package line

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/subscription"
	"ringback/pbx/line/transaction"
)

// retryFull is the Retry-After where there are too many subscriptions.
const retryFull = time.Minute

// subscribe takes an authenticated SUBSCRIBE outside a dialog (RFC 6665 §4.2.1).
func (l *Line) subscribe(tx *transaction.Server, req *sip.Request, ext *pbx.Extension) {
	switch {
	case l.draining.Load():
		l.refuse(tx, 503, "", l.retryAfter(l.o.DrainRetry))
		return
	case forwards(req) == 0:
		l.refuse(tx, 483, "")
		return
	}
	name, _ := subscription.ParseEvent(value(req, "Event"))
	pkg := l.packageNamed(name.Package)
	if pkg == nil {
		l.refuse(tx, 489, "", l.stock.allowEvents)
		return
	}
	if c := req.Contact(); c == nil || c.Address.Host == "" || c.Address.Wildcard {
		l.refuse(tx, 400, "Contact Missing or Unusable")
		return
	}
	granted, ok := l.grant(tx, req, pkg)
	if !ok {
		return
	}
	resource, status := pkg.admit(l, ext, dialled(&req.Recipient))
	if status != 0 {
		l.refuse(tx, status, "")
		return
	}
	from := tx.From
	w := &watch{line: l, pkg: pkg, resource: resource, who: ext.Number, tag: newTag(), hop: from,
		event: sip.NewHeader("Event", name.String()), contact: sip.NewHeader("Contact", l.contact(from)), binding: l.bindingAt(ext.Number, from), heard: time.Now()}
	w.dlg = dialog.UAS(req, w.tag)
	w.from = w.dlg.Target.String()
	if !l.events.add(w) {
		if l.events.complain() {
			l.log.Warn("too many subscriptions", "from", ext.Number, "event", pkg.name)
		}
		l.refuse(tx, 503, "", l.retryAfter(retryFull))
		return
	}
	w.take(tx, func() {
		if !w.allowed() { // it was forgotten before it was known here
			l.refuse(tx, 403, "")
			w.forget()
			return
		}
		w.accept(tx, req, granted)
	})
}

// allowed reports whether the extension that watches is still one.
func (w *watch) allowed() bool {
	ext := w.line.o.Directory.Extension(w.who)
	return ext != nil && ext.Enabled
}

// grant says for how long a SUBSCRIBE is granted. One that cannot be is answered.
func (l *Line) grant(tx *transaction.Server, req *sip.Request, pkg *eventPackage) (granted time.Duration, ok bool) {
	if !takes(req, pkg.contentType) {
		l.refuse(tx, 406, "", sip.NewHeader("Accept", pkg.contentType))
		return 0, false
	}
	asked := pkg.rules.Default
	if h := req.GetHeader("Expires"); h != nil {
		if asked, ok = subscription.ParseExpires(h.Value()); !ok {
			l.refuse(tx, 400, "Expires Is Not a Number of Seconds")
			return 0, false
		}
	}
	if granted, ok = pkg.rules.Grant(asked); !ok {
		l.refuse(tx, 423, "", wholeSeconds("Min-Expires", pkg.rules.Min))
	}
	return granted, ok
}

// takes reports whether a phone can read a type of body. Without Accept it is the package's own (RFC 6665 §4.1.2.1).
func takes(req *sip.Request, contentType string) bool {
	any := false
	for t := range tokens(req, "Accept") {
		any = true
		main, _, _ := strings.Cut(contentType, "/")
		switch mediaType(t) {
		case contentType, main + "/*", "*/*":
			return true
		}
	}
	return !any
}

// accept answers a SUBSCRIBE 200 (202 is not to be sent any more, RFC 6665 §8.3.1), and then NOTIFY follows at once (§4.2.1.2).
func (w *watch) accept(tx *transaction.Server, req *sip.Request, granted time.Duration) {
	l := w.line
	res := l.respond(req, 200, "", w.tag)
	res.AppendHeader(w.contact)
	res.AppendHeader(wholeSeconds("Expires", granted))
	res.AppendHeader(l.stock.allowEvents)
	l.reply(tx, res)
	w.on(subscription.Event{Kind: subscription.Subscribed, Granted: granted})
}

// handle takes a request in the dialog of a subscription.
func (w *watch) handle(tx *transaction.Server, req *sip.Request) {
	l := w.line
	switch from := tx.From; {
	case !w.dlg.Matches(req):
		l.refuse(tx, 481, "")
		return
	case !w.dlg.Receive(req.CSeq().SeqNo):
		l.refuse(tx, 500, "")
		return
	case !l.requires(tx, req):
		return
	case from.Reliable() || from.Remote.Addr() == w.hop.Remote.Addr():
		w.hop, w.heard = from, time.Now() // a new connection, or another port of the NAT in front of the phone
	}
	switch req.Method {
	case sip.SUBSCRIBE:
		w.again(tx, req)
	case sip.OPTIONS:
		l.options(tx, req)
	case sip.INVITE, sip.BYE, sip.UPDATE, sip.PRACK, sip.INFO, sip.NOTIFY, sip.MESSAGE:
		l.refuse(tx, 481, "") // of the usages of a dialog there is this subscription only (RFC 5057 §5.1)
	case sip.REFER:
		l.refuse(tx, 405, "", l.stock.allow)
	case sip.PUBLISH:
		l.refuse(tx, 489, "", l.stock.allowEvents)
	default:
		l.refuse(tx, 501, "", l.stock.allow)
	}
}

// again is a SUBSCRIBE that refreshes the subscription, or ends it (RFC 6665 §4.1.2.2, §4.1.2.3).
func (w *watch) again(tx *transaction.Server, req *sip.Request) {
	l := w.line
	if !w.state.Live(time.Now()) {
		l.refuse(tx, 481, "")
		return
	}
	if name, ok := subscription.ParseEvent(value(req, "Event")); !ok || name.String() != w.event.Value() {
		// Another event, or another id, would be a second subscription in this dialog (RFC 6665 §4.5.2), which there cannot be.
		l.refuse(tx, 489, "", l.stock.allowEvents)
		return
	}
	if !w.allowed() {
		l.refuse(tx, 403, "")
		w.on(subscription.Event{Kind: subscription.Ended, Reason: subscription.Rejected})
		return
	}
	granted, ok := l.grant(tx, req, w.pkg)
	if !ok {
		return
	}
	if id := l.bindingAt(w.who, tx.From); id != "" { // it may have registered since
		w.binding = id
	}
	w.dlg.Refresh(req.Contact()) // SUBSCRIBE is a target refresh request (RFC 6665)
	w.accept(tx, req, granted)
}

// shared answers a SUBSCRIBE in the dialog of a call. Each subscription has a dialog of its own here: RFC 6665 §4.5.2 wants no other
// usage in it. 481 would tell the phone that its call is not there (RFC 5057 §5.1).
func (l *Line) shared(tx *transaction.Server, req *sip.Request) {
	name, _ := subscription.ParseEvent(value(req, "Event"))
	if l.packageNamed(name.Package) == nil {
		l.refuse(tx, 489, "", l.stock.allowEvents)
		return
	}
	l.refuse(tx, 403, "Subscribe Outside of the Call")
}
