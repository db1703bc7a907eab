package media

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"
)

// DefaultTimeout is how long a stream may be silent before its call counts as dead, where nothing else is configured.
const DefaultTimeout = 60 * time.Second

// DefaultRest is how long a port rests after a stream was closed. Packets sent to that stream and still on their way
// find nobody there.
const DefaultRest = 500 * time.Millisecond

var (
	// ErrNoPorts: every port of the range is in use, resting or taken by another program. Worth a 503 with Retry-After.
	ErrNoPorts = errors.New("media: no free RTP port")
	// ErrNoCommonCodec: two streams cannot be connected, not even by transcoding.
	ErrNoCommonCodec = errors.New("media: no common codec")
	// ErrClosed: the engine or the stream is closed.
	ErrClosed = errors.New("media: closed")
	// ErrFamily: the engine has no address of the family (IPv4 or IPv6) that was asked for.
	ErrFamily = errors.New("media: no address of this family")
	// ErrForeign: a stream can be connected only to another stream of the same engine.
	ErrForeign = errors.New("media: not a stream of this engine")
	// ErrChannel: a capture has fewer channels.
	ErrChannel = errors.New("media: no channel")
)

// PacketConn is a UDP socket: *net.UDPConn, or one of an in-memory network.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	Close() error
}

// Options configure an Engine. The zero value of each field is its default.
type Options struct {
	// Bind are the local addresses, at most one a family; unspecified ones are allowed. Default: 0.0.0.0 and, where the
	// host has IPv6, [::].
	Bind []netip.Addr
	// Advertise are the addresses that phones are told to send to, at most one a family: the external ones if the PBX
	// is behind NAT. Default: the bound address or, if that is unspecified, the address the host would use towards the phone.
	Advertise []netip.Addr
	// AdvertiseFor, if it gives a valid address of the right family, goes before Advertise: local phones may be told another
	// address than those outside. It is called by Open and must not block.
	AdvertiseFor func(remote netip.Addr) netip.Addr

	// MinPort and MaxPort bound the range, both inclusive. RTP takes even ports, RTCP the odd one above (RFC 3550 §11).
	// Default 20000 to 29999.
	MinPort, MaxPort uint16
	// Rest is how long a port rests after Close; default DefaultRest, negative: not at all.
	Rest time.Duration
	// Timeout is how long a stream may hear neither RTP nor RTCP where it should; 0: for ever.
	Timeout time.Duration
	// MaxSockets bounds the sockets kept open, two a stream; default four fifths of the limit of open files (RLIMIT_NOFILE).
	// It is shared equally by the families.
	MaxSockets int
	// DSCP marks outgoing packets; default 46, EF (RFC 4594 §4.1); negative: not marked.
	DSCP int

	// Listen opens a socket. If it is set, each socket is read by a goroutine of its own; default: the system's UDP sockets,
	// on Linux read by a few epoll loops.
	Listen func(netip.AddrPort) (PacketConn, error)
	// Loops is the number of epoll loops, default GOMAXPROCS.
	Loops int

	busy int64 // packets a second from which a loop reads by beats, for tests; default busyRate

	Log *slog.Logger // default slog.Default()
}

// StreamOptions are what Open needs to know of a stream.
type StreamOptions struct {
	// Remote is the address of the phone, from signalling: it chooses the family and the advertised address, and is the
	// Source of agreements that give none. Zero: the first address of Options.Bind.
	Remote netip.Addr
	// OnTimeout is called when the stream has heard nothing for Options.Timeout although the phone should be sending:
	// once for each silence, on the engine's timer goroutine, without a lock held; it must not block. It may call Close.
	OnTimeout func(*Stream)
}

// EngineStats counts what an Engine has done and what it has left.
type EngineStats struct {
	PortsInUse, PortsFree int             // pairs; free ones include those that are not bound yet
	PortsResting          int             // pairs of streams closed less than Options.Rest ago
	PortsTaken            int             // pairs that another program had when last tried
	Sockets               int             // open ones, at most Options.MaxSockets
	Exhausted             uint64          // Opens that failed with ErrNoPorts
	Opened, Closed        uint64          // streams
	PacketsIn, BytesIn    uint64          // RTP that was accepted
	PacketsOut            uint64          // RTP that was sent
	ReportsIn, ReportsOut uint64          // RTCP packets
	TimedOut              uint64          // silences reported by OnTimeout
	Panics                uint64          // packets whose handling panicked; logged with the stack
	Dropped               [Reasons]uint64 // packets that were not passed on, by Reason
}

// Reason is why a packet was not passed on.
type Reason uint8

const (
	Malformed   Reason = iota // not RTP or RTCP version 2, or cut short
	Payload                   // payload type that was not agreed, or that the other side cannot take
	Source                    // from an address that is not the locked one
	Held                      // the phone was not to send, or the other one not to hear, or hears keys instead
	Unconnected               // nobody to pass it to
	Late                      // to a port without a stream, or to a stream before its first Agree
	Unsent                    // the socket refused to send it
	Reasons                   // how many there are
)

var reasonNames = [Reasons]string{"malformed", "payload", "source", "held", "unconnected", "late", "unsent"}

func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return "unknown"
}
