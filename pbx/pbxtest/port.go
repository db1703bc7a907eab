package pbxtest

import (
	"sync"

	"ringback/media"
)

// Port is a Party's audio without sound: it knows who would hear whom.
type Port struct {
	party   *Party
	formats []media.Format
	hears   *Port // itself for an echo
	stats   media.Stats
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
	if p.hears != nil && p.hears != p {
		p.hears.hears = nil
	}
	p.hears = nil
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

// Hears is the number of the party heard, "echo" for oneself, "" for silence.
func (p *Port) Hears() string {
	ports.Lock()
	defer ports.Unlock()
	switch p.hears {
	case nil:
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
