package pbxtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ringback/media"
	"ringback/pbx"
)

// Party is one phone's side of one call on a Line: what it does, and what the PBX told it.
type Party struct {
	Number     string
	Incoming   bool // the phone called the PBX
	Created    time.Time
	Invitation pbx.Invitation // what the phone was called with, if it was called
	Leg        *pbx.Leg

	id     string
	line   *Line
	codecs []media.Codec
	port   *Port
	news   func(pbx.Progress)

	delayed bool        // its INVITE had no offer
	noInfo  atomic.Bool // its Allow has no INFO

	mu       sync.Mutex
	told     []string
	changed  chan struct{} // closed and renewed with each entry of told
	answered bool
	over     bool
	outcome  pbx.Outcome
	done     chan struct{}

	mute atomic.Bool // see LoseAudio
}

// Told is what the PBX has told this party, in order: "180", "183 early PCMU", "200 PCMU", "refuse 486",
// "focus", "hangup …", "cancel …", "info application/dtmf-relay", "renegotiate PCMA".
func (p *Party) Told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.told...)
}

// Await waits until the party has been told something that starts with prefix, at most d. It returns what it was told.
func (p *Party) Await(prefix string, d time.Duration) (string, error) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		p.mu.Lock()
		changed := p.changed
		for _, s := range p.told {
			if strings.HasPrefix(s, prefix) {
				p.mu.Unlock()
				return s, nil
			}
		}
		p.mu.Unlock()
		select {
		case <-changed:
		case <-t.C:
			return "", fmt.Errorf("%s was not told %q within %v, but %q", p.Number, prefix, d, p.Told())
		}
	}
}

// Answered reports whether the call is, or was, up.
func (p *Party) Answered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answered
}

// Ended is how the leg ended; false as long as it has not.
func (p *Party) Ended() (pbx.Outcome, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outcome, p.over
}

// Done is closed when the leg has ended.
func (p *Party) Done() <-chan struct{} { return p.done }

// Hears is the number of the party heard, "echo" for oneself, "" for silence.
func (p *Party) Hears() string { return p.port.Hears() }

// Ring sends 180.
func (p *Party) Ring() { p.news(pbx.Progress{Status: 180}) }

// Early sends a provisional response with early media.
func (p *Party) Early(status int) {
	if p.agree(p.Invitation.Codecs) != nil {
		return
	}
	p.news(pbx.Progress{Status: status, Early: p.Leg})
}

// Bye hangs up an answered call from the phone's side.
func (p *Party) Bye() {
	p.leave(pbx.Outcome{Kind: pbx.Answered, By: p.side(), Cause: 16}, "sent bye")
}

// Cancel gives up a call that the phone made and that is not answered.
func (p *Party) Cancel() { p.leave(pbx.GaveUp, "sent cancel") }

// Vanish is the phone losing its network: the PBX notices by itself.
func (p *Party) Vanish() {
	p.leave(pbx.Outcome{Kind: pbx.Answered, By: pbx.Network, Cause: 102}, "vanished")
}

// Hold puts the other side on hold, or ends that.
func (p *Party) Hold(on bool) { p.line.Exchange.Held(p.Leg, on) }

// Info sends an INFO.
func (p *Party) Info(contentType string, body []byte) {
	p.line.Exchange.Info(p.Leg, contentType, body, 0)
}

// InfoKey sends a key by INFO.
func (p *Party) InfoKey(key byte) {
	p.line.Exchange.Info(p.Leg, "application/dtmf-relay", []byte("Signal="+string(rune(key))), key)
}

// RefuseInfo says that the phone takes no INFO.
func (p *Party) RefuseInfo() { p.noInfo.Store(true) }

// Reoffer renegotiates from the phone's side, to codecs that its bridge may not carry.
func (p *Party) Reoffer(codecs ...media.Codec) {
	p.port.set(codecs)
	p.line.Exchange.Mismatch(p.Leg)
}

func (p *Party) side() pbx.Side {
	if p.Incoming {
		return pbx.Caller
	}
	return pbx.Callee
}

func (p *Party) leave(o pbx.Outcome, note string) {
	if p.end(o, note) {
		p.line.Exchange.Ended(p.Leg, o)
	}
}

func (p *Party) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteLocked(s)
}

func (p *Party) noteLocked(s string) {
	p.told = append(p.told, s)
	close(p.changed)
	p.changed = make(chan struct{})
}

// end notes the end; false if the leg was over already.
func (p *Party) end(o pbx.Outcome, note string) bool {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return false
	}
	p.over, p.outcome = true, o
	p.noteLocked(note)
	close(p.done)
	p.mu.Unlock()
	p.port.close()
	return true
}

// agree settles the codecs that both can do, in the order of offered; nil means all of the phone's.
func (p *Party) agree(offered []media.Codec) error {
	if offered == nil {
		p.port.set(p.codecs)
		return nil
	}
	var both []media.Codec
	sound := false
	for _, c := range offered {
		for _, mine := range p.codecs {
			if c.Same(mine) {
				both = append(both, c)
				sound = sound || !c.IsEvent() && !c.IsComfortNoise()
			}
		}
	}
	if !sound {
		return media.ErrNoCommonCodec
	}
	p.port.set(both)
	return nil
}

// signalling is a Party as call control sees it.
type signalling struct{ p *Party }

func (s signalling) Progress(n pbx.Progress) {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.answered {
		return
	}
	text := fmt.Sprint(n.Status)
	if n.Codecs != nil {
		text += " early " + names(n.Codecs)
	}
	if len(p.told) == 0 || p.told[len(p.told)-1] != text {
		p.noteLocked(text)
	}
}

func (s signalling) Answer(prefer []media.Codec) error {
	p := s.p
	p.mu.Lock()
	if p.over || p.answered {
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	linear := false
	for _, c := range prefer {
		linear = linear || c.Linear()
	}
	err := p.agree(prefer)
	if err != nil && linear { // the PBX may transcode
		err = p.agree([]media.Codec{media.PCMU, media.PCMA, media.G722, media.Telephone})
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = true
	p.noteLocked("200 " + names(codecs(p.port.Formats())))
	return nil
}

func (s signalling) Refuse(o pbx.Outcome) {
	note := fmt.Sprintf("refuse %d", o.Status)
	if o.Announced != "" {
		note += " see " + o.Announced
	}
	if o.ToCaller && len(o.Contacts) > 0 {
		note += " call " + o.Contacts[0].Number
	}
	s.over(o, note)
}

func (s signalling) Hangup(o pbx.Outcome) {
	s.over(o, "hangup "+o.String())
}

// over ends the leg and tells so as a line would, later and from a goroutine of its own.
func (s signalling) over(o pbx.Outcome, note string) {
	if s.p.end(o, note) {
		go s.p.line.Exchange.Ended(s.p.Leg, o)
	}
}

func (s signalling) Info(contentType string, body []byte) {
	s.p.note("info " + contentType + " " + string(body))
}

func (s signalling) TakesInfo() bool { return !s.p.noInfo.Load() }

func (s signalling) Renegotiate(c []media.Codec) {
	p := s.p
	if _, over := p.Ended(); over {
		return
	}
	p.note("renegotiate " + names(c))
	_ = p.agree(c)
}

func (s signalling) Automaton() { s.p.note("automaton") }

// Focus is noted once, as it is said once.
func (s signalling) Focus() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if !s.p.over && !slices.Contains(s.p.told, "focus") {
		s.p.noteLocked("focus")
	}
}

func (s signalling) Port() media.Port {
	if s.p.mute.Load() {
		return nil
	}
	return s.p.port
}

// LoseAudio takes the party's audio away, as it is in the moment between its end and that the exchange is told: keys of before
// still come.
func (p *Party) LoseAudio() { p.mute.Store(true) }

func (s signalling) Offered() []media.Codec {
	if !s.p.Incoming || s.p.delayed {
		return nil
	}
	return append([]media.Codec(nil), s.p.codecs...)
}

func names(c []media.Codec) string {
	var all []string
	for _, c := range c {
		all = append(all, c.Name)
	}
	return strings.Join(all, " ")
}

func codecs(formats []media.Format) []media.Codec {
	var all []media.Codec
	for _, f := range formats {
		all = append(all, f.Codec)
	}
	return all
}
