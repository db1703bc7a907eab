// Package offer is SDP offer/answer (RFC 3264) for one leg with one audio stream: what the PBX offers, what it
// answers, and what is then agreed. It is pure: descriptions in, descriptions and a media.Agreement out; no I/O,
// no clock, no goroutine. A Session belongs to one dialog and is not safe for concurrent use: whoever owns the leg
// holds its lock around every call.
//
// The order of calls:
//
//	we call:       Offer, Accept of a 18x or 2xx                  Rollback when the request fails
//	we are called: Peek (INVITE arrives), … Answer(nil, prefer)   Rollback when it is refused; Repeat in a later 18x or 200
//	re-INVITE, UPDATE of the phone: Answer(offer, prefer)
//	INVITE or re-INVITE without SDP: Offer goes into the 200 (or reliable 18x), Accept takes what the ACK (PRACK) brings
//	session refresh of ours by re-INVITE: Refresh, Accept
//
// An answer of ours accepts one voice codec, and telephone-event beside it. RFC 3264 §6.1 allows several, but then the
// phone may change between them at any packet, and the other leg, which agreed on its own, cannot follow.
// A remote answer with several codecs is taken as it is: the first is sent, all may come.
//
// The first m= line of plain RTP audio with a codec that fits is ours; every other keeps its place with port 0: video,
// T.38, encrypted or second audio. RTP/AVPF is answered in kind. CN (RFC 3389) is neither offered nor accepted, so that
// nobody stops sending in silence. We put nobody on hold: our offers are sendrecv. A c= line with a host name, a
// multicast address, or the IP version that we do not have here is refused with 488.
package offer

import (
	"cmp"
	"net/netip"
	"strings"

	"ringback/media"
)

// Local is our end of the audio stream. It does not change during the life of a Session.
type Local struct {
	RTP       netip.AddrPort // where we receive RTP; its address family is that of every description we write
	RTCP      netip.AddrPort // where we receive RTCP; written as a=rtcp (RFC 3605) unless it is RTP's port + 1
	Mux       bool           // offer and accept rtcp-mux (RFC 5761)
	SessionID uint64         // of the o= line, constant for the dialog
	User      string         // of the o= line, "" is "-"
	Name      string         // of the s= line, "" is "-"
}

// Error says with what status a request is refused for its SDP (400, 488), or for coming at a wrong time: 491 while an
// offer of ours waits, 500 (with Retry-After of 0 to 10 s) while the phone's does (RFC 3261 §14.2, RFC 3311 §5.2).
// Text is our own words, fit for a Warning header or a log.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Session is the offer/answer state of one dialog.
type Session struct {
	local   Local
	state   State
	numbers numbers

	// What we wrote. sent is the last one that left, its text from head on is what a next one is compared with.
	version uint64
	sent    []byte
	head    int
	current described // in force; its body is nil before the first exchange
	pending described // our offer that waits, in state Sent
	ours    bool      // the exchange in force began with our offer

	// What the phone wrote.
	incoming *description // its offer that waits, in state Received
	codecs   []media.Codec
	held     bool

	agreement media.Agreement
}

// described is a plan and its text.
type described struct {
	plan
	body []byte
}

// New makes a Session in which nothing has been offered.
func New(l Local) *Session {
	l.RTP = netip.AddrPortFrom(l.RTP.Addr().Unmap().WithZone(""), l.RTP.Port())
	if l.RTCP.IsValid() {
		l.RTCP = netip.AddrPortFrom(l.RTCP.Addr().Unmap().WithZone(""), l.RTCP.Port())
	}
	l.User = strings.Join(strings.Fields(l.User), "_")
	l.Name = strings.Join(strings.Fields(l.Name), " ")
	if l.User == "" || !printable(l.User) {
		l.User = "-"
	}
	if l.Name == "" || !printable(l.Name) {
		l.Name = "-"
	}
	return &Session{local: l}
}

// Offer returns our offer of these codecs, preferred first; nil means Defaults. It is the first offer or a re-offer.
// Telephone-event is added for every clock rate and for 8000 Hz; CN is left out. It returns nil in another state than Idle, and when
// codecs has no voice codec. The bytes must not be changed.
func (s *Session) Offer(codecs []media.Codec) []byte {
	state, err := s.state.next(weOffer)
	if err != nil {
		return nil
	}
	if codecs == nil {
		codecs = Defaults
	}
	p := plan{lines: s.current.lines, at: s.current.at, proto: s.current.proto, dir: sendrecv, mux: s.local.Mux}
	if p.lines == nil {
		p.lines, p.proto = ownLine, "RTP/AVP"
	}
	p.payloads = s.offerable(codecs)
	if len(p.payloads) == 0 {
		return nil
	}
	s.state = state
	s.pending = described{p, s.publish(&p)}
	return s.pending.body
}

var ownLine = []string{""}

// offerable gives every voice codec its number, and telephone-event to each clock rate.
func (s *Session) offerable(codecs []media.Codec) []payload {
	list := make([]payload, 0, len(codecs)+1)
	for _, c := range codecs {
		if !sound(c) || c.ClockRate == 0 || same(list, c) >= 0 {
			continue
		}
		if pt, ok := s.numbers.of(c); ok {
			list = append(list, payload{c, pt})
		}
	}
	for _, voice := range list {
		c := media.Telephone
		c.ClockRate = voice.ClockRate
		if eventAt(list, c.ClockRate) >= 0 {
			continue
		}
		if pt, ok := s.numbers.of(c); ok {
			list = append(list, payload{c, pt})
		}
	}
	if len(list) > 0 && eventAt(list, narrow) < 0 { // many phones know no other rate, whatever the codec
		if pt, ok := s.numbers.of(media.Telephone); ok {
			list = append(list, payload{media.Telephone, pt})
		}
	}
	return list
}

// Refresh returns our description unchanged, as an offer, for a session refresh (RFC 4028 §7.4): Accept takes the answer.
// It returns nil in another state than Idle, and before anything is agreed.
func (s *Session) Refresh() []byte {
	state, err := s.state.next(weOffer)
	if err != nil || s.current.body == nil {
		return nil
	}
	p := s.current.plan
	s.state = state
	s.pending = described{p, s.publish(&p)}
	return s.pending.body
}

// Accept takes the answer to our offer. In state Idle it takes a further answer to our last offer (another
// branch's, or a 200 that differs from an unreliable 183), which replaces the one before.
// Errors are *Error and change nothing: a later answer may be better; if none comes, Rollback.
func (s *Session) Accept(answer []byte) error {
	state, e := s.state.next(theyAnswer)
	if e != nil {
		return e
	}
	offered := &s.pending
	if s.state == Idle {
		if !s.ours {
			return &Error{500, "an answer came to no offer"}
		}
		offered = &s.current
	}
	d, e := read(answer)
	if e != nil {
		return e
	}
	if len(d.streams) <= offered.at || !d.streams[offered.at].usable {
		return &Error{488, "the audio was refused"}
	}
	m := &d.streams[offered.at]
	a, dir, e := remote(d, m, &s.local, offered.mux)
	if e != nil {
		return e
	}
	a.Formats = matched(m.payloads, offered.payloads)
	if len(a.Formats) == 0 {
		return &Error{488, "the answer has no codec that was offered"}
	}
	if s.state = state; offered == &s.pending {
		s.current, s.pending, s.ours = s.pending, described{}, true
	}
	s.agree(a, dir, m.codecs())
	return nil
}

// matched are the codecs of an answer that were offered, with the numbers of both sides, in the answer's order; nil
// if there is no voice among them. A number that the answer leaves unexplained means what it meant in the offer.
func matched(answer, offered []payload) []media.Format {
	list, voice := make([]media.Format, 0, len(answer)), false
	for i := range answer {
		a := &answer[i]
		for j := range offered {
			o := &offered[j]
			if a.Name == "" && a.pt == o.pt {
				a.Name, a.ClockRate, a.Channels = o.Name, o.ClockRate, o.Channels
			}
			if a.Same(o.Codec) {
				list = append(list, media.Format{Codec: keep(a.Codec), SendPT: a.pt, RecvPT: o.pt})
				voice = voice || sound(a.Codec)
				break
			}
		}
	}
	if !voice {
		return nil
	}
	return list
}

// Peek takes the phone's offer without answering it and returns its codecs as Offered does: the state is
// then Received until Answer or Rollback. Errors are *Error and change nothing.
func (s *Session) Peek(offer []byte) ([]media.Codec, error) {
	state, e := s.state.next(theyOffer)
	if e != nil {
		return nil, e
	}
	d, e := read(offer)
	if e != nil {
		return nil, e
	}
	var refusal *Error
	for i := range d.streams {
		m := &d.streams[i]
		if !m.usable || !m.hears() {
			continue
		}
		if _, _, e := remote(d, m, &s.local, false); e != nil {
			refusal = cmp.Or(refusal, e)
			continue
		}
		s.state, s.incoming, s.codecs = state, d, m.codecs()
		return s.codecs, nil
	}
	return nil, cmp.Or(refusal, noAudio(d))
}

func noAudio(d *description) *Error {
	for i := range d.streams {
		if m := &d.streams[i]; strings.EqualFold(m.media, "audio") && m.port != 0 && !m.usable {
			return &Error{488, "audio only with a transport profile that is not supported"}
		}
	}
	return &Error{488, "no audio in a known codec"}
}

// Answer answers the phone's offer: the one given, or with nil (or the same bytes) the one of Peek. prefer lists what
// the other side speaks, preferred first, of which the first that the phone offered is accepted; if there is none and
// both speak G.711, the phone's law of it. A nil prefer means what is in use already, or else the first of the
// phone's that is among Defaults. The bytes returned must not be changed.
// Errors are *Error and change nothing; a peeked offer still waits, so that Answer can be tried with other codecs.
func (s *Session) Answer(offer []byte, prefer []media.Codec) ([]byte, error) {
	state, d, e := s.owed(offer)
	if e != nil {
		return nil, e
	}
	var refusal *Error
	for i := range d.streams {
		m := &d.streams[i]
		if !m.usable {
			continue
		}
		n, ok := 0, false
		if prefer == nil {
			n, ok = chooseDefault(m.payloads, s.agreement.Formats)
		} else {
			n, ok = choose(m.payloads, prefer)
		}
		if !ok {
			continue
		}
		a, dir, e := remote(d, m, &s.local, m.mux && s.local.Mux)
		if e != nil {
			refusal = cmp.Or(refusal, e)
			continue
		}
		p := plan{lines: refused(d.streams, i), at: i, proto: profile(m.proto), dir: dir.reverse(), mux: a.Mux}
		if !a.Remote.IsValid() { // RFC 3264 §8.4: nothing can be sent to 0.0.0.0
			p.dir &= recvonly
		}
		p.payloads, a.Formats = accepted(m.payloads, n, prefer)
		for _, f := range p.payloads {
			s.numbers.learn(f)
		}
		s.state, s.incoming, s.ours = state, nil, false
		s.current = described{p, s.publish(&p)}
		s.agree(a, dir, m.codecs())
		return s.current.body, nil
	}
	return nil, cmp.Or(refusal, noAudio(d))
}

// owed finds the offer that Answer is to answer, and the state after it.
func (s *Session) owed(offer []byte) (State, *description, *Error) {
	if s.incoming != nil && (offer == nil || string(offer) == s.incoming.text) {
		state, e := s.state.next(weAnswer)
		return state, s.incoming, e
	}
	if offer == nil {
		_, e := s.state.next(weAnswer)
		return s.state, nil, e
	}
	state, e := s.state.next(theyOffer)
	if e != nil {
		return s.state, nil, e
	}
	d, e := read(offer)
	if e != nil {
		return s.state, nil, e
	}
	state, e = state.next(weAnswer)
	return state, d, e
}

// accepted is what an answer lists, with the offerer's numbers: the voice codec at n with the parameters that the other
// side named (else those of the offer, which an iLBC or AMR answer has to repeat), and telephone-event of its rate,
// or of 8000 Hz where the phone has no other, as many have beside opus.
func accepted(offered []payload, n int, prefer []media.Codec) ([]payload, []media.Format) {
	voice := payload{keep(offered[n].Codec), offered[n].pt}
	formats := append(make([]media.Format, 0, 2), media.Format{Codec: voice.Codec, SendPT: voice.pt, RecvPT: voice.pt})
	for _, p := range prefer {
		if p.Same(voice.Codec) && p.Fmtp != "" {
			voice.Fmtp = p.Fmtp
			break
		}
	}
	list := append(make([]payload, 0, 2), voice)
	i := eventAt(offered, voice.ClockRate)
	if i < 0 {
		i = eventAt(offered, narrow)
	}
	if i >= 0 {
		keys := payload{keep(offered[i].Codec), offered[i].pt}
		formats = append(formats, media.Format{Codec: keys.Codec, SendPT: keys.pt, RecvPT: keys.pt})
		keys.Fmtp = events(keys.Fmtp)
		list = append(list, keys)
	}
	return list, formats
}

// agree completes and installs what an exchange has brought.
func (s *Session) agree(a media.Agreement, theirs direction, codecs []media.Codec) {
	a.Send = a.Remote.IsValid() && theirs&recvonly != 0 && s.current.dir&sendonly != 0
	a.Recv = theirs&sendonly != 0 && s.current.dir&recvonly != 0
	s.held = !a.Remote.IsValid() || theirs&recvonly == 0
	s.agreement, s.codecs = a, codecs
}

// Rollback forgets the offer that waits, whoever made it. RFC 3261 §14.1: the session then stays as it was.
func (s *Session) Rollback() {
	s.state, _ = s.state.next(reject)
	s.pending, s.incoming = described{}, nil
}

// Repeat returns our description once more, byte for byte: the offer that waits, else what is in force; for a repeated
// 18x or 200 and an INVITE sent again with credentials. Nil before the first. It changes no state: to refresh a session
// by re-INVITE, take Refresh.
func (s *Session) Repeat() []byte {
	if s.state == Sent {
		return s.pending.body
	}
	return s.current.body
}

// Agreement is what both have agreed on; zero before the first answer. Its slice must not be changed.
func (s *Session) Agreement() media.Agreement { return s.agreement }

// Offered are the codecs of the phone's newest description that was taken, preferred first, with telephone-event
// and CN; nil before it. The slice must not be changed.
func (s *Session) Offered() []media.Codec { return s.codecs }

// Held reports whether the phone has put us on hold: sendonly, inactive, or the address 0.0.0.0 (RFC 3264 §8.4).
func (s *Session) Held() bool { return s.held }

// Pending says which offer waits for its answer.
func (s *Session) Pending() State { return s.state }
