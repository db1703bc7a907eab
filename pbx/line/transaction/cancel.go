package transaction

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

func (c *client) cancel(headers []sip.Header) {
	c.mu.Lock()
	if !c.invite || c.wanted || c.state != calling && c.state != proceeding {
		c.mu.Unlock()
		return
	}
	c.wanted, c.with = true, headers
	var cancelled *client
	// §9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent; rather, the client MUST wait
	// for the arrival of a provisional response before sending the request."
	if c.state == proceeding {
		cancelled = c.makeCancel()
	}
	c.mu.Unlock()
	if cancelled != nil {
		cancelled.start(cancelled.out, false)
	}
}

// makeCancel builds the CANCEL's own transaction and starts the wait for the INVITE's final response; c.mu is held.
func (c *client) makeCancel() *client {
	c.cancelSent = true
	c.limit.arm(64 * c.l.timers.T1)
	req := c.h.Request
	branch, _ := req.Via().Params.Get("branch")
	return &client{
		l: c.l, key: c.l.hash.client(branch, sip.CANCEL), to: c.to, reliable: c.reliable,
		// "The Request-URI, Call-ID, To, the numeric part of CSeq, and From header fields in the CANCEL request MUST be identical
		// to those in the request being cancelled, including tags. A CANCEL constructed by a client MUST have only a single Via
		// header field value matching the top Via value in the request being cancelled."
		out: derived(req, sip.CANCEL, req.To(), c.with),
	}
}

// ackOf is the ACK of a final response that is not 2xx (§17.1.1.3).
func ackOf(req *sip.Request, res *sip.Response) []byte {
	// "The To header field in the ACK MUST equal the To header field in the response being acknowledged".
	return derived(req, sip.ACK, res.To(), nil)
}

// derived is a request of the transaction of req, hop by hop: same Request-URI, top Via, Route, From, Call-ID, CSeq number.
func derived(req *sip.Request, method sip.RequestMethod, to *sip.ToHeader, more []sip.Header) []byte {
	d := sip.NewRequest(method, sip.Uri{})
	d.Recipient = req.Recipient
	d.AppendHeader(req.Via())
	mf := sip.MaxForwardsHeader(70)
	d.AppendHeader(&mf)
	for _, h := range req.Headers() {
		switch h.Name() { // not by type: package dialog gives From and To as text
		case "Route", "From", "Call-ID":
			d.AppendHeader(h)
		case "CSeq":
			d.AppendHeader(to)
			d.AppendHeader(&sip.CSeqHeader{SeqNo: req.CSeq().SeqNo, MethodName: method})
		}
	}
	for _, h := range more {
		d.AppendHeader(h)
	}
	return wire.Append(make([]byte, 0, 512), d)
}
