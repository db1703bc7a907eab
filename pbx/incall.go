package pbx

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/media"
)

// holdBack is how long a key is kept that may begin a code. It is the time that people leave between two keys of one.
const holdBack = 700 * time.Millisecond

// maxKeys bounds the keys of a party that wait for their way to its peer.
const maxKeys = 64

// inCall is a code that a party may press while it talks to another, and what it does. No code begins with another one.
type inCall struct {
	keys string
	may  func(*Services) bool // who has it
	do   func(*Switchboard, *Leg)
}

var inCallCodes = []inCall{
	{"*1", func(x *Services) bool { return x.Record.OnDemand }, (*Switchboard).recordOnDemand},
}

// pressed is a key of a party, or something else that it said by INFO.
type pressed struct {
	key         byte // 0: none
	contentType string
	body        []byte // of an INFO; contentType is "" if it came otherwise
}

// pass sends on what another phone said by INFO: a key by the audio, if this one takes no INFO.
func (l *Leg) pass(p pressed) {
	if p.key == 0 || l.TakesInfo() {
		l.Info(p.contentType, p.body)
	} else {
		l.press(p.key, func(bool) {})
	}
}

// press has a phone get a key: by the audio (media.Port.Press), or where that can carry none, by INFO.
func (l *Leg) press(key byte, done func(whole bool)) {
	port := l.Port()
	switch {
	case port == nil:
		done(false)
	case !l.hearsKeys() && l.TakesInfo():
		l.Info("application/dtmf-relay", fmt.Appendf(nil, "Signal=%c\r\nDuration=100\r\n", key))
		done(true)
	default:
		port.Press(string(rune(key)), done)
	}
}

// hearsKeys reports whether the audio of a phone can bring it keys, as events (RFC 4733) or as tones.
func (l *Leg) hearsKeys() bool {
	return slices.ContainsFunc(codecsOf(l), func(c media.Codec) bool { return c.IsEvent() || c.Linear() })
}

// listenInCall hears the keys of a party that is connected now, if there are codes that it may press, or if its peer cannot get them
// by the audio.
func (s *Switchboard) listenInCall(leg, peer *Leg) {
	port := leg.Port()
	if port == nil {
		return
	}
	r := s.codesOf(leg)
	switch {
	case r == nil && peer.hearsKeys():
		return
	case r != nil:
		s.mu.Lock()
		ended := leg.ended
		if !ended {
			leg.codes = r
		}
		s.mu.Unlock()
		if ended {
			return
		}
	}
	port.Keys(func(key byte) bool {
		if r != nil && r.press(pressed{key: key}) {
			return true
		}
		if peer := s.peer(leg); peer != nil && !peer.hearsKeys() {
			peer.press(key, func(bool) {})
		}
		return false
	})
}

// codesOf reads the codes that a party may press; nil if it may press none.
func (s *Switchboard) codesOf(leg *Leg) *codeReader {
	x := s.extension(leg)
	if x == nil {
		return nil
	}
	var codes []inCall
	for _, c := range inCallCodes {
		if c.may(&x.Services) {
			codes = append(codes, c)
		}
	}
	if codes == nil {
		return nil
	}
	return &codeReader{s: s, leg: leg, codes: codes}
}

// codeReader finds codes among the keys of a party. What is no code goes on to its peer: in order, and but for what may begin a
// code, at once. Its methods may be called from any goroutine.
type codeReader struct {
	s     *Switchboard
	leg   *Leg
	codes []inCall // that the party may press

	mu      sync.Mutex // held for fields only
	held    []pressed  // may begin a code
	since   int        // counts up with each new first of held
	timer   *time.Timer
	out     []pressed // are no code, and go to the peer
	sending bool      // somebody is at it
	typing  int       // of them that are being typed to the peer
	over    bool
}

// press takes a key. It reports false if that goes to the peer by itself.
func (r *codeReader) press(p pressed) (taken bool) {
	r.mu.Lock()
	if r.over || len(r.held) == 0 && r.typing == 0 && !r.sending && len(r.out) == 0 && !r.begins(p) {
		r.mu.Unlock()
		return false
	}
	code := r.read(p)
	r.mu.Unlock()
	r.send()
	if code != nil {
		code.do(r.s, r.leg)
	}
	return true
}

// begins reports whether keys are the beginning of a code.
func (r *codeReader) begins(keys ...pressed) bool {
	return slices.ContainsFunc(r.codes, func(c inCall) bool { return strings.HasPrefix(c.keys, text(keys)) })
}

func text(keys []pressed) string {
	b := make([]byte, len(keys))
	for i, p := range keys {
		b[i] = p.key
	}
	return string(b)
}

// read adds a key to those that are held, and lets go of what begins no code. It returns the code that they are. The caller
// holds r.mu.
func (r *codeReader) read(p pressed) (code *inCall) {
	r.held = append(r.held, p)
	first := len(r.held) == 1
	for len(r.held) > 0 && !r.begins(r.held...) {
		r.release(1)
		first = true
	}
	for i := range r.codes {
		if len(r.held) > 0 && r.codes[i].keys == text(r.held) {
			code, r.held = &r.codes[i], nil
		}
	}
	if len(r.held) == 0 {
		r.stop()
	} else if first {
		r.stop()
		n := r.since
		r.timer = time.AfterFunc(holdBack, func() { r.late(n) })
	}
	return code
}

// release gives the first n that are held to the peer. The caller holds r.mu.
func (r *codeReader) release(n int) {
	if len(r.out) < maxKeys {
		r.out = append(r.out, r.held[:n]...)
	}
	r.held = r.held[n:]
}

// stop ends the time of what is held. The caller holds r.mu.
func (r *codeReader) stop() {
	r.since++
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// late lets go of what is held: no further key has come in time.
func (r *codeReader) late(n int) {
	defer r.s.survive()
	r.mu.Lock()
	if n == r.since {
		r.release(len(r.held))
	}
	r.mu.Unlock()
	r.send()
}

// end forgets everything: the party has gone.
func (r *codeReader) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over, r.held, r.out = true, nil, nil
	r.stop()
}

// send gives the peer what waits for it. One goroutine at a time does, so that the order stays.
func (r *codeReader) send() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sending {
		return
	}
	r.sending = true
	defer func() { r.sending = false }()
	for len(r.out) > 0 {
		p := r.out[0]
		r.out = r.out[1:]
		r.typing++
		r.mu.Unlock()
		r.deliver(p)
		r.mu.Lock()
	}
}

// deliver gives the peer one key. While it is typed, which takes its time, later ones wait behind it.
func (r *codeReader) deliver(p pressed) {
	done := func(bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.typing--
	}
	peer := r.s.peer(r.leg)
	if peer == nil || p.contentType == "" && !r.silent() {
		done(false)
		return
	}
	if p.contentType != "" && peer.TakesInfo() {
		peer.Info(p.contentType, p.body)
		done(true)
	} else {
		peer.press(p.key, done)
	}
}

// silent reports whether the keys of the party come as events (RFC 4733). Else they are tones in its sound, which the peer
// has heard.
func (r *codeReader) silent() bool {
	return slices.ContainsFunc(codecsOf(r.leg), media.Codec.IsEvent)
}
