package line

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/transaction"
)

// sayEvents adds Allow-Events, if there are any.
func (l *Line) sayEvents(m sip.Message) {
	if l.o.State != nil {
		m.AppendHeader(l.stock.allowEvents)
	}
}

// options answers OPTIONS with what we can do (RFC 3261 §11.2), in a dialog and outside.
func (l *Line) options(tx *transaction.Server, req *sip.Request) {
	res := l.respond(req, 200, "", newTag())
	for _, h := range [...]sip.Header{l.stock.allow, l.stock.supported, l.stock.accept, l.stock.encoding} {
		res.AppendHeader(h)
	}
	l.sayEvents(res)
	l.reply(tx, res)
}
