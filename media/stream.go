package media

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ringback/media/g722"
	"ringback/media/mix"
)

// Stream is the audio of one leg: a pair of ports, what was agreed for it, and who hears it. All methods may be called
// from any goroutine; after Close they do nothing, except Stats.
type Stream struct {
	// Written once, by Open.
	engine    *Engine
	pair      *pair
	rtp, rtcp netip.AddrPort // advertised
	remote    netip.Addr     // of signalling
	onTimeout func(*Stream)

	// Who hears whom, guarded by Engine.topology.
	peer *Stream
	echo bool
	seat *seat // in a room; nil: in none. Written with mu held, too

	timer timer // guarded by the engine's wheel

	flow atomic.Pointer[Flow] // where the phone's sound goes; nil: nowhere

	// What a packet needs is kept together: with a thousand streams each cache line counts.
	mu       sync.Mutex // held for one packet, or for a few assignments
	closed   bool
	agreed   bool
	mayRecv  bool // terms.Recv
	maySend  bool // terms.Send, and there is where to
	lastPT   uint8
	silent   bool // the present silence was reported
	hushed   bool // keys of our own are sent, and nothing else
	inward   bool // agreed with one of the engine's own ports, so that may be heard
	taps     *tap // what captures hear; nil: none
	lastType format
	heard    int64 // when anything last came that was the phone's, or an Agreement
	latch    latch // of RTP, and of RTCP if they share a port
	rx       receiver

	socket *socket // of RTP
	from   *Flow   // the only one that may come in from the other side
	to     target
	tx     sender

	terms   Agreement // Formats are never changed in place
	control latch     // of RTCP
	toRTCP  target
	last    string // name of the codec last received
	reports reports
	dropped uint64

	voice   voice         // of terms
	encoder *g722.Encoder // nil: nothing was made in G.722
	coder   *transcoder   // nil: nothing was transcoded by G.722
	playing *playing      // nil: nothing
	typing  *typing       // nil: nothing
	keypad  keypad
	ear     *ear // nil: nobody listens to keys in the sound
	onKey   atomic.Pointer[func(byte) bool]
}

// format is what the receiving side needs to know of a payload type.
type format struct {
	rate  uint32
	event bool // telephone-event or CN: its timestamps say nothing of jitter
	keys  bool // telephone-event
	law   law  // of sound in which keys are listened to
}

// LocalRTP is the address to be written into SDP for RTP.
func (s *Stream) LocalRTP() netip.AddrPort { return s.rtp }

// LocalRTCP is the address for RTCP, the port above that for RTP.
func (s *Stream) LocalRTCP() netip.AddrPort { return s.rtcp }

// Formats are those of the last Agreement, nil before the first. They must not be changed.
func (s *Stream) Formats() []Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.terms.Formats
}

// Agree installs the outcome of an offer/answer exchange. The address of the phone is learned anew (see latch);
// if it is connected, the flows from and to the peer follow the new formats. An address that cannot be sent to counts as
// nowhere. It may be another stream's port (two calls of a third party's, RFC 3725), but sound never goes from one such
// stream to another, since then it could go round for ever.
func (s *Stream) Agree(a Agreement) {
	a.Formats = slices.Clip(slices.Clone(a.Formats))
	a.Remote, a.RemoteRTCP = s.engine.usable(s, a.Remote), s.engine.usable(s, a.RemoteRTCP)
	if !a.Source.IsValid() {
		a.Source = s.remote
	}
	a.Source = a.Source.Unmap().WithZone("")

	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	now, inward := s.engine.now(), s.engine.own(s, a.Remote) || s.engine.own(s, a.RemoteRTCP)
	if !s.install(a, inward, now) {
		return
	}
	s.reflow()
	s.engine.wheel.set(s, s.due(), now)
}

// install reports whether the stream is still open.
func (s *Stream) install(a Agreement, inward bool, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if !a.Recv {
		s.rx.pause()
		for t := s.taps; t != nil; t = t.next {
			t.voice.Quiet()
		}
	}
	s.terms, s.agreed, s.inward = a, true, inward
	s.mayRecv, s.maySend = a.Recv, a.Send && a.Remote.IsValid()
	s.heard, s.silent = now, false
	s.lastType, s.lastPT = format{}, 0
	s.latch.open(a.Remote, a.Source)
	s.to.set(s.latch.peer)
	if !a.Mux {
		s.control.open(a.RemoteRTCP, a.Source)
		s.toRTCP.set(s.control.peer)
	}
	s.voice = newVoice(&a)
	if s.seat != nil {
		s.seat.out = newOutlet(&a)
	}
	s.listen()
	if s.playing != nil && s.voice.codec == mix.None {
		s.playing.cut()
		s.playing = nil
	}
	s.reports.begin(now)
	return true
}

// format finds what was agreed for a payload type that the phone sends.
func (s *Stream) format(pt uint8) (format, bool) {
	if pt == s.lastPT && s.lastType.rate != 0 {
		return s.lastType, true
	}
	for _, f := range s.terms.Formats {
		if f.RecvPT == pt && f.ClockRate != 0 {
			s.lastPT = pt
			s.lastType = format{rate: f.ClockRate, event: f.IsEvent() || f.IsComfortNoise(), keys: f.IsEvent()}
			if !s.lastType.event {
				s.last = f.Name
			}
			if s.ear != nil {
				s.lastType.law = lawOf(f.Codec)
			}
			return s.lastType, true
		}
	}
	return format{}, false
}

// Stats may be read at any time, also after Close.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	st := Stats{
		Codec:      s.last,
		PacketsIn:  s.rx.packets,
		BytesIn:    s.rx.bytes,
		PacketsOut: s.tx.packets,
		LostIn:     s.rx.lostBefore + s.rx.lost(),
		LostOut:    s.reports.lostBefore + s.reports.lost,
		RoundTrip:  s.reports.roundTrip,
		JitterOut:  s.reports.jitter,
		Dropped:    s.dropped,
	}
	if s.rx.rate != 0 {
		st.JitterIn = time.Duration(s.rx.jitter>>4) * time.Second / time.Duration(s.rx.rate)
	}
	in, out := s.inwardSample(&st), s.outwardSample(&st)
	s.mu.Unlock()
	st.MOSIn, st.MOSOut = in.MOS(), out.MOS()
	return st
}

// Close ends the stream with an RTCP BYE if it was ever heard, and gives its ports back to rest. When it has returned, no
// packet is passed on from or to the stream; only an OnTimeout that has begun may still run. The second Close does nothing.
func (s *Stream) Close() Stats {
	e := s.engine
	e.topology.Lock()
	s.detach()
	open := s.shut()
	e.topology.Unlock()
	e.wheel.remove(s)
	if open {
		e.ports.release(s.pair, e.now()+e.rest)
		e.closed.Add(1)
	}
	return s.Stats()
}

func (s *Stream) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.untype()
	s.bye()
	s.closed, s.taps = true, nil
	s.pair.rtp.owner.Store(nil)
	s.pair.rtcp.owner.Store(nil)
	return true
}
