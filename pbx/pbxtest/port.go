package pbxtest

import (
	"sync"
	"time"

	"ringback/media"
)

// Port is a Party's audio without sound: it knows who would hear whom.
type Port struct {
	party   *Party
	formats []media.Format
	hears   *Port // itself for an echo
	playing *playing
	room    *Room
	keys    func(byte) bool
	pressed string        // by the PBX, to the phone
	reached string        // pressed, and what its peer's keys were
	typing  time.Duration // that a key of the PBX takes
	over    bool          // the leg has ended: nothing is heard any more
	stats   media.Stats
	speaks  int16 // level of what the phone says
}

// playing is a sound of the PBX on its way to a Port.
type playing struct {
	name string
	stop chan struct{}
}

// Prompt is a sound of a length that can be told from others by its name.
type Prompt struct {
	Name   string
	Length time.Duration // <0: endless
	played time.Duration
}

// Frame implements media.Sound.
func (p *Prompt) Frame([]int16) bool {
	p.played += 20 * time.Millisecond
	return p.Length < 0 || p.played <= p.Length
}

// Play implements media.Port: the sound takes its time, but is not heard but by its name.
func (p *Port) Play(s media.Sound, done func(bool)) {
	ports.Lock()
	defer ports.Unlock()
	p.part()
	if p.over {
		if done != nil {
			go done(false)
		}
		return
	}
	name := "sound"
	if n, ok := s.(*Prompt); ok {
		name = n.Name
	}
	now := &playing{name: name, stop: make(chan struct{})}
	p.playing = now
	go func() {
		whole := now.play(s)
		ports.Lock()
		if p.playing == now {
			p.playing = nil
		}
		ports.Unlock()
		if done != nil {
			done(whole)
		}
	}()
}

func (p *playing) play(s media.Sound) bool {
	if n, ok := s.(*Prompt); ok {
		return p.last(n.Length)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	frame := make([]int16, media.FrameSamples)
	for s.Frame(frame) {
		select {
		case <-tick.C:
		case <-p.stop:
			return false
		}
	}
	return true
}

// last is a sound of a length; it reports whether it was heard to its end.
func (p *playing) last(d time.Duration) bool {
	if d < 0 {
		<-p.stop
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.stop:
		return false
	}
}

// Keys implements media.Port.
func (p *Port) Keys(f func(byte) bool) {
	ports.Lock()
	defer ports.Unlock()
	p.keys = f
}

// Press implements media.Port: the keys are there at once, as if they were sent in no time, or after that of KeysTake.
func (p *Port) Press(keys string, done func(bool)) {
	ports.Lock()
	ok := !p.over && keys != ""
	if ok {
		p.pressed += keys
		p.reached += keys
	}
	wait := p.typing * time.Duration(len(keys))
	ports.Unlock()
	if done != nil {
		go func() {
			time.Sleep(wait)
			done(ok)
		}()
	}
}

// KeysTake says how long the PBX takes to send a key to the phone.
func (p *Party) KeysTake(d time.Duration) {
	ports.Lock()
	defer ports.Unlock()
	p.port.typing = d
}

// Reached is which keys have come to the phone by its audio: the PBX's, and those of its peer that nobody took.
func (p *Party) Reached() string {
	ports.Lock()
	defer ports.Unlock()
	return p.port.reached
}

// Pressed is which keys the PBX has sent to the phone by its audio.
func (p *Port) Pressed() string {
	ports.Lock()
	defer ports.Unlock()
	return p.pressed
}

// Press presses keys of the phone, as RFC 4733 would bring them.
func (p *Party) Press(keys string) {
	ports.Lock()
	f := p.port.keys
	ports.Unlock()
	for _, k := range []byte(keys) {
		if f == nil || !f(k) {
			p.port.pass(k)
		}
	}
}

// pass is a key that goes to the peer.
func (p *Port) pass(key byte) {
	ports.Lock()
	defer ports.Unlock()
	if p.hears != nil && p.hears != p {
		p.hears.reached += string(rune(key))
	}
}

// ports guards who hears whom on all Ports: they point at one another.
var ports sync.Mutex

var _ media.Port = (*Port)(nil)

// Formats implements media.Port.
func (p *Port) Formats() []media.Format {
	ports.Lock()
	defer ports.Unlock()
	return append([]media.Format(nil), p.formats...)
}

func (p *Port) set(codecs []media.Codec) {
	ports.Lock()
	defer ports.Unlock()
	p.formats = formatsOf(codecs)
}

// Connect implements media.Port: it needs a codec that both have, or that both sides can be transcoded.
func (p *Port) Connect(peer media.Port) error {
	other, ok := peer.(*Port)
	if !ok {
		return media.ErrNoCommonCodec
	}
	ports.Lock()
	defer ports.Unlock()
	if p.over || other.over {
		return nil
	}
	if !p.fits(other) {
		return media.ErrNoCommonCodec
	}
	p.leave()
	other.leave()
	p.hears, other.hears = other, p
	return nil
}

func (p *Port) fits(other *Port) bool {
	mine, theirs := p.sound(), other.sound()
	return mine != nil && theirs != nil && (mine.Same(*theirs) || mine.Linear() && theirs.Linear())
}

// sound is the codec that the port sends.
func (p *Port) sound() *media.Codec {
	for _, f := range p.formats {
		if !f.IsEvent() && !f.IsComfortNoise() {
			return &f.Codec
		}
	}
	return nil
}

// leave needs ports.
func (p *Port) leave() {
	p.part()
	if p.room != nil {
		p.room.drop(p)
	}
}

// part ends what is heard, but for a room, which goes on behind a prompt. It needs ports.
func (p *Port) part() {
	if p.playing != nil {
		close(p.playing.stop)
		p.playing = nil
	}
	if p.hears != nil && p.hears != p {
		p.hears.hears = nil
	}
	p.hears = nil
}

// close is the end of the leg.
func (p *Port) close() {
	ports.Lock()
	defer ports.Unlock()
	p.leave()
	p.over = true
}

// Echo implements media.Port.
func (p *Port) Echo() {
	ports.Lock()
	defer ports.Unlock()
	p.leave()
	p.hears = p
}

// Disconnect implements media.Port.
func (p *Port) Disconnect() {
	ports.Lock()
	defer ports.Unlock()
	p.leave()
}

// Hears is the number of the party heard, "echo" for oneself, the name of a Prompt, "" for silence.
func (p *Port) Hears() string {
	ports.Lock()
	defer ports.Unlock()
	if p.playing != nil {
		return p.playing.name
	}
	switch p.hears {
	case nil:
		if p.room != nil {
			return p.room.heard(p)
		}
		return ""
	case p:
		return "echo"
	default:
		return p.hears.party.Number
	}
}

// Stats implements media.Port: what SetStats said.
func (p *Port) Stats() media.Stats {
	ports.Lock()
	defer ports.Unlock()
	return p.stats
}

// SetStats is what the call record shall say of this party's audio.
func (p *Party) SetStats(s media.Stats) {
	ports.Lock()
	defer ports.Unlock()
	p.port.stats = s
}

func formatsOf(codecs []media.Codec) []media.Format {
	var all []media.Format
	for i, c := range codecs {
		all = append(all, media.Format{Codec: c, SendPT: uint8(i), RecvPT: uint8(i)})
	}
	return all
}

// Listened reports whether somebody of the PBX hears the keys of the phone.
func (p *Party) Listened() bool {
	ports.Lock()
	defer ports.Unlock()
	return p.port.keys != nil
}
