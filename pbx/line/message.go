package line

import (
	"context"
	"errors"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// maxMessage bounds the body of an instant message, in bytes (pbx.Message).
const maxMessage = 64 << 10

// message takes an authenticated MESSAGE outside a dialog (RFC 3428 §7). It is answered when the other side has.
func (l *Line) message(tx *transaction.Server, req *sip.Request, ext *pbx.Extension) {
	number := dialled(&req.Recipient)
	switch {
	case forwards(req) == 0:
		l.refuse(tx, 483, "")
		return
	case number == "":
		l.refuse(tx, 484, "")
		return
	}
	l.deliver(tx, req, ext, number)
}

// messaged takes a MESSAGE in a dialog: it goes to the one at the other end of the call.
func (g *leg) messaged(tx *transaction.Server, req *sip.Request) {
	if g.ext == nil || g.peer == "" {
		g.answer(tx, req, 405, nil, g.line.stock.allow)
		return
	}
	ext, peer := g.ext, g.peer
	g.effects = append(g.effects, func() { g.line.deliver(tx, req, ext, peer) })
}

// deliver gives a message to the Exchange and its outcome to the sender.
func (l *Line) deliver(tx *transaction.Server, req *sip.Request, ext *pbx.Extension, to string) {
	body := req.Body()
	kind := dialog.Clean(value(req, "Content-Type"))
	if kind == "" {
		kind = "text/plain"
	}
	if len(body) > maxMessage || len(kind) > maxText {
		l.refuse(tx, 413, "")
		return
	}
	m := pbx.Message{From: pbx.Identity{Number: ext.Number, Name: ext.Name, Hidden: hidden(req)}, To: to, ContentType: kind, Body: body}
	tag := newTag()
	l.o.Exchange.Message(m, func(o pbx.Outcome) {
		status, phrase := 200, ""
		switch {
		case !o.OK():
			status, phrase = statusFor(o), bounded(o.Phrase)
		case o.Status == 202:
			status = 202
		}
		res := l.respond(req, status, phrase, tag)
		if o.RetryAfter > 0 && !o.OK() {
			res.AppendHeader(l.retryAfter(o.RetryAfter))
		}
		l.reply(tx, res)
	})
}

// Message implements pbx.Line.
func (l *Line) Message(ctx context.Context, to pbx.Contact, m pbx.Message) pbx.Outcome {
	b, hop, ok := l.o.Registrar.Binding(to.ID)
	if !ok {
		return pbx.NotRegistered
	}
	var target sip.Uri
	if err := sip.ParseUri(b.Contact, &target); err != nil {
		return pbx.Outcome{Kind: pbx.Unreachable, By: pbx.System, Status: 480}
	}
	routes, err := pathOf(b.Path)
	if err != nil {
		return pbx.Outcome{Kind: pbx.Unreachable, By: pbx.System, Status: 480}
	}
	d := dialog.Caller(newCallID(), newTag(), l.from(m.From, hop), nameAddr("", called(to), l.domain(hop)), dialog.RequestURI(target), routes)
	req := d.Request(sip.MESSAGE)
	req.AppendHeader(l.stock.userAgent)
	setBody(req, sip.NewHeader("Content-Type", bounded(m.ContentType)), m.Body)
	w := &waiter{line: l, hop: hop, done: make(chan pbx.Outcome, 1)}
	l.tx.Send(req, reach(d.NextHop(), hop), w)
	select {
	case o := <-w.done:
		return o
	case <-ctx.Done():
		o := causeOf(ctx)
		o.Unsure = true
		return o
	}
}

// waiter is the transaction.ClientUser of a request that somebody waits for.
type waiter struct {
	line *Line
	hop  wire.Hop
	done chan pbx.Outcome
}

func (w *waiter) Response(_ *transaction.Client, res *sip.Response) {
	switch {
	case res.StatusCode < 200:
		return
	case res.StatusCode < 300:
		w.tell(pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: res.StatusCode})
	default:
		w.tell(w.line.outcomeOf(res, w.hop))
	}
}

func (w *waiter) Failed(_ *transaction.Client, err error) {
	o := pbx.Outcome{Kind: pbx.Unreachable, By: pbx.Network, Status: 408, Unsure: errors.Is(err, transaction.ErrTimeout)}
	w.tell(o)
}

func (w *waiter) tell(o pbx.Outcome) {
	select {
	case w.done <- o:
	default:
	}
}
