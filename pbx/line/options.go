package line

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// Options are what a Line stands on and how it behaves. Zero values mean the defaults in brackets.
type Options struct {
	Send          wire.Sender
	Exchange      pbx.Exchange
	Directory     pbx.Directory
	Authenticator Authenticator
	Registrar     Registrar
	Media         Media
	State         pbx.State // what phones may subscribe to; nil: nothing

	// MyMailbox reports whether a number leads whoever dials it to his own messages: he may subscribe to it as well. It is
	// asked for each SUBSCRIBE and must not block. May be nil.
	MyMailbox func(number string) bool

	// Locals are the bound addresses of "udp", "tcp" or "tls": (*wire.Transport).Locals. They matter for hops that
	// name no listener. May be nil.
	Locals func(transport string) []netip.AddrPort
	// Advertise, if it gives a valid address, is what Via and Contact say towards remote instead of the listener's
	// own address: the external one if the PBX is behind NAT. It is asked for each leg and must not block.
	Advertise func(remote netip.Addr) netip.Addr

	Domain  string        // host part of From and To [the advertised address]
	Realm   string        // of the passwords; phones take it for our name
	Product string        // User-Agent and Server [Ringback]
	Codecs  []media.Codec // what is offered where neither plan nor extension says it [offer's defaults]

	SessionExpires time.Duration // RFC 4028 §4, asked for in calls of ours, and the most that is granted [30 min]
	MinSE          time.Duration // RFC 4028 §5, the least that is granted [90 s]
	Qualify        time.Duration // how often a phone is asked by OPTIONS; <0: never [60 s]
	DrainRetry     time.Duration // Retry-After while draining [30 s]

	Timers transaction.Timers
	MaxTx  int                                        // transactions alive at once [500,000]
	MaxSub int                                        // subscriptions alive at once [200,000]
	Shed   func(req *sip.Request, from wire.Hop) bool // see transaction.Options; nil: strangers go first
	Log    *slog.Logger                               // nil: slog.Default()
}

// Authenticator checks who sends a request (package digest).
type Authenticator interface {
	Check(req *sip.Request, from wire.Hop) digest.Result
}

// Registrar keeps where the phones are (package registrar).
type Registrar interface {
	// Register answers an authenticated REGISTER by itself, when the journal has it.
	Register(tx *transaction.Server, ext *pbx.Extension)
	Contacts(extension string) []pbx.Contact
	Binding(id string) (pbx.Binding, wire.Hop, bool)
	// Resolve gives the extension and the bindings that a GRUU stands for; "" if it is none of ours.
	Resolve(uri *sip.Uri) (extension string, ids []string)
	// Mark notes whether the phone of a binding answers, and how fast.
	Mark(id string, reachable bool, rtt time.Duration)
	// ConnClosed is told that a stream connection has ended.
	ConnClosed(hop wire.Hop)
	// Registered reports whether a binding came from that address.
	Registered(source netip.AddrPort) bool
	// Qualify visits the bindings of one of registrar.Slots slots, without a lock held.
	Qualify(slot int, visit func(id string, b pbx.Binding, hop wire.Hop))
}

// Media opens the audio of legs. Engine makes one of a *media.Engine.
type Media interface {
	// Open fails with media.ErrNoPorts when the range is used up. remote is the phone's address as signalling sees
	// it; dead is called when nothing has been heard for too long.
	Open(remote netip.Addr, dead func()) (Stream, error)
}

// Stream is the audio of one leg: *media.Stream. None of its methods blocks, but Close is called without a lock.
type Stream interface {
	media.Port
	Agree(media.Agreement)
	LocalRTP() netip.AddrPort
	LocalRTCP() netip.AddrPort
	Close() media.Stats
}

// Engine is e as Media.
func Engine(e *media.Engine) Media { return engine{e} }

type engine struct{ *media.Engine }

func (e engine) Open(remote netip.Addr, dead func()) (Stream, error) {
	s, err := e.Engine.Open(media.StreamOptions{Remote: remote, OnTimeout: func(*media.Stream) { dead() }})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (o *Options) defaults() {
	if o.Product == "" {
		o.Product = "Ringback"
	}
	if o.SessionExpires == 0 {
		o.SessionExpires = 30 * time.Minute
	}
	if o.MinSE == 0 {
		o.MinSE = 90 * time.Second
	}
	if o.Qualify == 0 {
		o.Qualify = time.Minute
	}
	if o.DrainRetry == 0 {
		o.DrainRetry = 30 * time.Second
	}
	if o.MaxSub == 0 {
		o.MaxSub = 200_000
	}
	if o.Timers.T1 == 0 {
		o.Timers.T1 = 500 * time.Millisecond
	}
	if o.Timers.T2 == 0 {
		o.Timers.T2 = 4 * time.Second
	}
	if o.Timers.T4 == 0 {
		o.Timers.T4 = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}
