package transaction

import (
	"errors"
	"log/slog"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// Errors that Failed, Respond and SendStateless give. A transport's own error comes as it is.
var (
	ErrTimeout    = errors.New("no final response in time (RFC 3261 §17.1, Timer B or F)")
	ErrTerminated = errors.New("the transaction has ended")
	ErrClosed     = errors.New("the transaction layer is closed")
	ErrFull       = errors.New("too many transactions")
)

// Options say what a Layer stands on. Send and User are required.
type Options struct {
	Send   wire.Sender
	User   User
	Timers Timers

	// SentBy is what goes into the Via for a hop: the address under which the hop's far end reaches us.
	// Port 0 leaves it out. Without it the hop's Local is used.
	SentBy func(to wire.Hop) (host string, port int)

	// Max bounds the transactions alive at once, client and server together; 0 means 200,000. From 80 % on, a new
	// request outside a dialog for which Shed says true is answered 503 with Retry-After and leaves nothing behind;
	// at Max every new request is, and Send fails with ErrFull.
	Max  int
	Shed func(req *sip.Request, from wire.Hop) bool

	// Server is the Server header of the responses that the layer makes itself; "" leaves it out.
	Server string

	// Log is told of what should not happen; nil means slog.Default().
	Log *slog.Logger
}

// Layer holds all transactions.
type Layer struct{}

// New makes a Layer. It starts no goroutine until there is a timer to keep.
func New(o Options) *Layer { return &Layer{} }

// Receive is a wire.Receiver: every message that arrives goes in here.
func (l *Layer) Receive(m sip.Message, from wire.Hop) {}

// Send starts a client transaction: it puts a Via with a new branch on top of req, sends it, and tells u what became
// of it. It takes req over. It never calls u before it returns; an error comes to Failed, soon.
func (l *Layer) Send(req *sip.Request, to wire.Hop, u ClientUser) *Client { return &Client{Request: req, To: to} }

// SendStateless sends m without a transaction. An ACK without a Via gets one with a new branch (RFC 3261 §13.2.2.4:
// the ACK of a 2xx is a transaction of its own); anything else goes as it is.
func (l *Layer) SendStateless(m sip.Message, to wire.Hop) error { return nil }

// Close ends every transaction and timer; when it has returned, no callback comes any more.
func (l *Layer) Close() {}
