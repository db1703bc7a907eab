package line

import (
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// Request implements transaction.User.
func (l *Line) Request(tx *transaction.Server) {
	req := tx.Request
	if !l.safely(func() { l.dispatch(tx, req) }) {
		l.safely(func() { l.reply(tx, l.respond(req, 500, "", newTag())) })
	}
}

// Ack implements transaction.User.
func (l *Line) Ack(req *sip.Request, from wire.Hop) {
	if g := l.find(tagOf(req.To().Params)); g != nil {
		g.enter(func() { g.ack(req, from) })
	}
}

// Cancel implements transaction.User.
func (l *Line) Cancel(tx *transaction.Server, cancel *sip.Request) {
	g, ok := l.invites.Load(tx)
	if !ok {
		return // it has just been answered, or is still being looked at: invite will see
	}
	o := pbx.GaveUp
	o.Reason = texts(cancel, "Reason")
	o.Cause = q850(o.Reason)
	leg := g.(*leg)
	leg.enter(func() { leg.cancelled(o) })
}

// Stray implements transaction.User. A 2xx after Timer M has nobody left who could ACK it.
func (l *Line) Stray(res *sip.Response, from wire.Hop) {}

func tagOf(p sip.HeaderParams) string {
	for _, kv := range p {
		if strings.EqualFold(kv.K, "tag") {
			return kv.V
		}
	}
	return ""
}

// dispatch sends a request on its way (RFC 3261 §8.2, §12.2.2).
func (l *Line) dispatch(tx *transaction.Server, req *sip.Request) {
	if tag := tagOf(req.To().Params); tag != "" && req.Method != sip.REGISTER {
		g := l.find(tag)
		if g == nil {
			if w := l.events.find(tag); w != nil {
				w.take(tx, func() { w.handle(tx, req) })
				return
			}
			l.refuse(tx, 481, "") // not, or no longer, a dialog of ours (RFC 3261 §12.2.2)
			return
		}
		from := tx.From
		g.enter(func() { g.handle(tx, req, from) })
		return
	}
	if !l.understood(tx, req) {
		return
	}
	switch req.Method {
	case sip.OPTIONS:
		if l.requires(tx, req) {
			l.options(tx, req)
		}
		return
	case sip.BYE, sip.UPDATE, sip.PRACK, sip.INFO, sip.NOTIFY:
		// They only make sense in a dialog or a subscription, and there is none without a To-tag.
		l.refuse(tx, 481, "")
		return
	}
	who := l.o.Authenticator.Check(req, tx.From)
	if !who.OK {
		if err := tx.RespondStateless(who.Response); err != nil {
			l.log.Debug("a challenge did not leave", "err", err)
		}
		return
	}
	if !l.requires(tx, req) {
		return
	}
	switch req.Method {
	case sip.REGISTER:
		l.o.Registrar.Register(tx, who.Extension)
	case sip.INVITE:
		l.invite(tx, req, who.Extension)
	case sip.MESSAGE:
		l.message(tx, req, who.Extension)
	case sip.SUBSCRIBE:
		l.subscribe(tx, req, who.Extension)
	case sip.PUBLISH:
		l.refuse(tx, 489, "", l.stock.allowEvents)
	default: // REFER
		l.refuse(tx, 405, "", l.stock.allow)
	}
}

// understood checks method and Request-URI (RFC 3261 §8.2.1, §8.2.2.1). It answers what it cannot take.
func (l *Line) understood(tx *transaction.Server, req *sip.Request) bool {
	switch req.Method {
	case sip.INVITE, sip.REGISTER, sip.OPTIONS, sip.MESSAGE, sip.BYE, sip.UPDATE, sip.PRACK, sip.INFO,
		sip.SUBSCRIBE, sip.PUBLISH, sip.REFER, sip.NOTIFY:
	default:
		// RFC 3261 §21.5.2: 501 is for a method that is not recognised, 405 for one that is not allowed.
		l.refuse(tx, 501, "", l.stock.allow)
		return false
	}
	switch strings.ToLower(req.Recipient.Scheme) {
	case "sip", "sips", "":
	case "tel":
		if req.Method == sip.INVITE || req.Method == sip.MESSAGE {
			break
		}
		fallthrough
	default:
		l.refuse(tx, 416, "")
		return false
	}
	return true
}

var understands = map[string]bool{"100rel": true, "timer": true, "path": true, "gruu": true}

// requires checks Require and Proxy-Require (RFC 3261 §8.2.2.3): what is not understood goes back in Unsupported.
func (l *Line) requires(tx *transaction.Server, req *sip.Request) bool {
	var bad []string
	for _, name := range [...]string{"Require", "Proxy-Require"} {
		for t := range tokens(req, name) {
			if !understands[strings.ToLower(t)] && len(bad) < 16 {
				bad = append(bad, bounded(t))
			}
		}
	}
	if bad == nil {
		return true
	}
	l.refuse(tx, 420, "", sip.NewHeader("Unsupported", strings.Join(bad, ", ")))
	return false
}

// dialled is the number that a Request-URI asks for: its user part, or the number of a tel: URI, unescaped and
// without parameters. The host is not looked at: phones write an address, a name or the realm.
func dialled(u *sip.Uri) string {
	user := u.User
	if strings.EqualFold(u.Scheme, "tel") {
		user = strings.Map(func(r rune) rune {
			if strings.ContainsRune("-.()", r) { // visual separators, RFC 3966 §3
				return -1
			}
			return r
		}, cut(u.Raw()))
	}
	plain, err := url.PathUnescape(cut(user))
	if err != nil {
		return ""
	}
	return bounded(plain)
}

func cut(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return s
}

// forwards is the Max-Forwards of a request, 70 if it has none (RFC 2543).
func forwards(req *sip.Request) int {
	if h := req.MaxForwards(); h != nil {
		return int(min(h.Val(), 255))
	}
	return 70
}
