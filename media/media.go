// Package media carries the sound of calls: RTP ports, the relay between two legs, transcoding, sounds that the PBX makes
// itself, rooms, captures, and the keys that phones press. It knows nothing of SIP, of calls or of extensions.
//
// A leg has one Stream for its whole life. Offer/answer installs what was agreed with Stream.Agree;
// call control says who hears whom with Connect. Both may be called from any goroutine; neither blocks.
//
// The Engine owns ports, sockets and the few goroutines that read them. A packet is handled to its end by the goroutine that
// read it: checked and counted under its stream's lock (arrived, admit), rewritten and sent under the lock of the stream
// that hears it (deliver). Never are both held. A Flow, swapped by an atomic pointer, leads from one to the other.
//
// What is played is sent by one goroutine of the engine's for all streams (player), which sleeps while nothing is. Rooms are
// mixed, and captures taken, by one for each processor (clock): package mix takes what came from each phone, and makes what
// each hears.
//
// Headers are read by pion/rtp into a value that each reading goroutine uses again: that costs 1 ns more than reading the
// fields by hand did, and nothing is allocated.
package media

import (
	"net/netip"
	"strings"
	"time"
)

// Codec names an encoding as SDP does (RFC 8866 §6.6, a=rtpmap), without a payload number.
type Codec struct {
	Name      string // "PCMU", "G722", "telephone-event", in the case it was written in
	ClockRate uint32 // Hz, as in rtpmap (G.722 says 8000, RFC 3551 §4.5.2)
	Channels  uint8  // 1 unless said otherwise
	Fmtp      string // format parameters, verbatim; not part of the codec's identity
}

// Same reports whether two codecs can be passed on without transcoding: name without regard to case, rate, channels.
func (c Codec) Same(d Codec) bool {
	return c.ClockRate == d.ClockRate && max(c.Channels, 1) == max(d.Channels, 1) && strings.EqualFold(c.Name, d.Name)
}

// IsEvent reports whether c is telephone-event (RFC 4733).
func (c Codec) IsEvent() bool { return strings.EqualFold(c.Name, "telephone-event") }

// IsComfortNoise reports whether c is CN (RFC 3389).
func (c Codec) IsComfortNoise() bool { return strings.EqualFold(c.Name, "CN") }

// Linear reports whether the PBX itself can decode and encode c: it can transcode between such codecs, mix them and play in them.
func (c Codec) Linear() bool { return c.Same(PCMU) || c.Same(PCMA) || c.Same(G722) }

// The codecs that the PBX offers by itself.
var (
	PCMU      = Codec{Name: "PCMU", ClockRate: 8000, Channels: 1}
	PCMA      = Codec{Name: "PCMA", ClockRate: 8000, Channels: 1}
	G722      = Codec{Name: "G722", ClockRate: 8000, Channels: 1}
	Telephone = Codec{Name: "telephone-event", ClockRate: 8000, Channels: 1, Fmtp: "0-16"}
)

// Format is a codec with the payload types agreed for it on one leg. They may differ by direction (RFC 3264 §5.1).
type Format struct {
	Codec
	SendPT uint8 // what the remote end asked to receive
	RecvPT uint8 // what we asked to receive
}

// Agreement is the outcome of one offer/answer exchange for the audio of a leg.
type Agreement struct {
	Remote     netip.AddrPort // where RTP goes; zero: nowhere (rejected line, 0.0.0.0)
	RemoteRTCP netip.AddrPort // where RTCP goes; zero: nowhere
	Mux        bool           // RTP and RTCP share a port (RFC 5761)
	Send, Recv bool           // seen from the PBX: may we send, may the phone send
	Formats    []Format       // in order of preference; the first that is not telephone-event or CN is what we send
	PTime      time.Duration  // packet time the remote end asked for, 0 if it did not say
	// Source is where the phone's signalling comes from, the address of its NAT if it is behind one. Sound may come
	// from there too, whatever address the SDP gave (see latch). Zero: StreamOptions.Remote.
	Source netip.Addr
}

// Port is what call control needs of a leg's audio. *Stream is the real one; tests have their own.
type Port interface {
	// Formats are those of the last Agreement, nil before the first.
	Formats() []Format
	// Connect makes the two hear each other, instead of whatever they heard before.
	// It fails with ErrNoCommonCodec if neither relaying nor transcoding can do it.
	Connect(peer Port) error
	// Echo sends the phone's sound back to it.
	Echo()
	// Disconnect leaves both this port and its peer, if it has one, in silence.
	Disconnect()
	// Play sends s to the phone, instead of what it heard before. done, if not nil, is called once, from another
	// goroutine, when s has come to its end (true), or was cut short by Play, Connect, Echo, Disconnect or the end of
	// the leg (false). It must not block. Sound from the phone goes nowhere meanwhile, but for that of a member of a Room.
	// Before the first Agreement s waits for it. Where no codec that is Linear was agreed, done(false)
	// is called at once.
	Play(s Sound, done func(whole bool))
	// Keys has f called with each key that the phone presses: 0-9, *, #, A-D, once a key, from the goroutine that read the
	// packet (RFC 4733). It must not block. nil: nobody listens. f says whether it has taken the key: then a peer does not get it,
	// where it came as an event; what comes in the sound is heard anyway. Keys go on to a peer otherwise, but for one that was
	// pressed before there was a peer: it was not meant for that.
	Keys(f func(key byte) (taken bool))
	// Press sends keys to the phone, each for 100 ms, besides what it hears: by RFC 4733 where telephone-event was agreed, else
	// as tones in the sound. done, if not nil, is called once, from another goroutine: with true after the last of them; with
	// false if any could not be sent: the phone is on hold, the leg ended. At once, and nothing is sent, if there is another
	// character than 0-9, *, #, A-D among them, if more than 64 would wait, or if neither way was agreed.
	Press(keys string, done func(whole bool))
	// Stats may be read at any time, also after Close.
	Stats() Stats
}

// Stats counts what went through a Stream, seen from the PBX.
type Stats struct {
	Codec              string // what was last received, by name; "" if nothing was
	PacketsIn, BytesIn uint64
	PacketsOut         uint64
	LostIn             uint64        // RFC 3550 §6.4.1 cumulative, never negative
	JitterIn           time.Duration // RFC 3550 §6.4.1 interarrival jitter
	LostOut            uint64        // as the phone reported it by RTCP
	JitterOut          time.Duration // as the phone reported it by RTCP
	RoundTrip          time.Duration // from RTCP LSR/DLSR, 0 if unknown
	MOSIn, MOSOut      float64       // of speech from and to the phone, estimated (see quality); 0 if unknown
	Dropped            uint64        // malformed, of a payload type that was not agreed, or from an address that is not the locked one
}
