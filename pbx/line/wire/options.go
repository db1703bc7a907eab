package wire

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"
)

// Options say where to listen and what the limits are. Zero values mean the defaults in brackets.
type Options struct {
	Network Network // nil: the operating system's, OS{}

	UDP []netip.AddrPort // addresses to listen on; port 0 lets the network choose (see Transport.Locals)
	TCP []netip.AddrPort
	TLS []netip.AddrPort // needs TLSConfig

	TLSConfig *tls.Config // of the listeners
	TLSClient *tls.Config // of outgoing connections; nil: the system's roots

	Readers int // sockets and goroutines for each UDP address where the network can share one (OS on Linux) [1]

	PerSource float64 // messages a second that one address (IPv6: /64) may send in the long run [2000]
	Burst     int     // … and at once [4000]
	// Exempt says that an address (a registered phone, a trunk) is not limited. It is asked beyond a limit only, and must not call the Transport. May be nil.
	Exempt func(source netip.Addr) bool

	MaxConns       int           // stream connections in all; beyond, the one that was silent longest gives way [4096]
	MaxConnsPerIP  int           // … from one address; beyond, its own longest silent one [128]
	HeaderTimeout  time.Duration // a started message must be complete after [10 s]; also a TLS handshake
	FirstTimeout   time.Duration // a new connection must have sent a whole message after [30 s]
	IdleTimeout    time.Duration // a connection without any traffic is closed after [2 h]
	WriteTimeout   time.Duration // a write that does not get through closes the connection [10 s]
	WriteQueue     int           // messages waiting for one connection; beyond, Send fails [256]
	ConnectTimeout time.Duration // outgoing [5 s]

	// Closed is told of every connection that has ended, after its last message was handed up. May be nil.
	Closed func(hop Hop)
	// Trace sees every message and keep-alive as it is on the wire; b is only valid during the call. May be nil.
	Trace func(dir Direction, hop Hop, b []byte)

	Log *slog.Logger // nil: slog.Default()
}

// Direction is which way a traced message went.
type Direction string

const (
	In  Direction = "in"
	Out Direction = "out"
)
