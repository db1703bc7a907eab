package transaction

import (
	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Server is a server transaction: a request that came, and the responses to it.
type Server struct {
	// Request is the request as it came; read-only. It is nil once the final response has gone (2xx of INVITE: too):
	// whoever needs it longer keeps it himself.
	Request *sip.Request
	From    wire.Hop
}

// Respond sends a provisional or the final response. The first final response decides: later ones give
// ErrTerminated, except that the 2xx of an INVITE may be repeated until Timer L (RFC 6026 §7.1).
// A transport error is returned and ends the transaction. If nothing was responded to an INVITE for 200 ms, the layer
// sends 100 Trying by itself.
func (s *Server) Respond(res *sip.Response) error { return nil }
