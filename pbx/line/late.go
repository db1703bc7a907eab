package line

import (
	"sync"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// won is the user of an INVITE's transaction once a 2xx has won, until Timer M. It needs nothing of the leg, which may
// be long over, and so keeps nothing of it: all that an ACK takes is in the 2xx.
type won struct {
	line *Line
	hop  wire.Hop
	tag  string // of the 2xx that won

	mu    sync.Mutex
	ended declined
}

// Response implements transaction.ClientUser: the same 2xx is ACKed again; one of another branch is ACKed and sent BYE
// (RFC 3261 §13.2.2.4).
func (w *won) Response(tx *transaction.Client, res *sip.Response) {
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return
	}
	d := dialog.Answered(res)
	if d.RemoteTag == w.tag {
		w.line.sendAck(w.hop, &d, d.LocalSeq)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended.decline(w.line, w.hop, &d, d.LocalSeq)
}

// Failed implements transaction.ClientUser; a 2xx came, so nothing has failed.
func (w *won) Failed(*transaction.Client, error) {}

// declined are the To-tags whose dialogs were sent BYE.
type declined map[string]bool

// decline ends the dialog of a 2xx that nobody wants: ACK each time it comes, BYE once.
func (ended *declined) decline(l *Line, from wire.Hop, d *dialog.Dialog, seq uint32) {
	l.sendAck(from, d, seq)
	if (*ended)[d.RemoteTag] || len(*ended) >= 2*maxEarly {
		return
	}
	if *ended == nil {
		*ended = make(declined)
	}
	(*ended)[d.RemoteTag] = true
	bye := d.Request(sip.BYE)
	bye.AppendHeader(l.stock.userAgent)
	l.tx.Send(bye, reach(d.NextHop(), from), ignore{})
}

// sendAck sends the ACK of a 2xx; seq is that of its INVITE.
func (l *Line) sendAck(from wire.Hop, d *dialog.Dialog, seq uint32) {
	ack := d.RequestSeq(sip.ACK, seq)
	if err := l.tx.SendStateless(ack, reach(d.NextHop(), from)); err != nil {
		l.log.Debug("an ACK did not leave", "call", d.CallID, "err", err)
	}
}
