package line

import (
	"slices"
	"sync"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/dialog"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// late is the user of an INVITE's transaction once the call was answered or given up, until Timer M. It needs nothing of
// the leg, which may be long over, and so keeps nothing of it: nearly all that an ACK takes is in the 2xx.
type late struct {
	line  *Line
	hop   wire.Hop
	early []early // of other branches: they have used sequence numbers already

	mu   sync.Mutex
	seen []string // To-tags of the dialog that stands, and of those that were sent BYE
}

// leave hands what still comes for the INVITE to a late. tags are those of the dialog that has won, if one has.
func (out *outgoing) leave(tags ...string) {
	g := out.g
	out.late = &late{line: g.line, hop: g.hop, seen: tags}
	if len(out.early) > len(tags) {
		out.late.early = out.early
	}
	out.early = nil
	if out.tx != nil {
		out.tx.HandOver(out.late)
	}
}

// Response implements transaction.ClientUser: each 2xx is ACKed, and the dialog of one that nobody wants is sent BYE
// (RFC 3261 §13.2.2.4, §15).
func (l *late) Response(_ *transaction.Client, res *sip.Response) {
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return
	}
	d := l.dialogOf(res)
	hop := reach(d.NextHop(), l.hop)
	if err := l.line.tx.SendStateless(d.RequestSeq(sip.ACK, res.CSeq().SeqNo), hop); err != nil {
		l.line.log.Debug("an ACK did not leave", "call", d.CallID, "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.seen, d.RemoteTag) || len(l.seen) >= 2*maxEarly {
		return
	}
	l.seen = append(l.seen, d.RemoteTag)
	bye := d.Request(sip.BYE)
	bye.AppendHeader(l.line.stock.userAgent)
	l.line.tx.Send(bye, hop, ignore{})
}

// Failed implements transaction.ClientUser; nobody waits for the INVITE any more.
func (*late) Failed(*transaction.Client, error) {}

// dialogOf is the dialog of a 2xx.
func (l *late) dialogOf(res *sip.Response) dialog.Dialog {
	tag := tagOf(res.To().Params)
	for _, e := range l.early {
		if e.dlg.RemoteTag == tag {
			e.dlg.Confirm(res)
			return e.dlg
		}
	}
	return dialog.Answered(res)
}
