package line

import (
	"net/netip"
	"sync"

	"ringback/media"
)

// studio opens streams that only note what was agreed.
type studio struct {
	mu      sync.Mutex
	next    uint16
	streams []*tape
	full    bool
	host    netip.Addr // of the ports; none is pbxAddr
}

func (m *studio) Open(remote netip.Addr, dead func()) (Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return nil, media.ErrNoPorts
	}
	p := &tape{studio: m, port: 20000 + m.next, dead: dead}
	m.next += 2
	m.streams = append(m.streams, p)
	return p, nil
}

func (m *studio) open() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.streams {
		if !s.closed {
			n++
		}
	}
	return n
}

func (m *studio) last() *tape {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.streams[len(m.streams)-1]
}

type tape struct {
	studio *studio
	port   uint16
	dead   func()
	agreed []media.Agreement
	closed bool
}

func (p *tape) addr(port uint16) netip.AddrPort {
	if host := p.studio.host; host.IsValid() {
		return netip.AddrPortFrom(host, port)
	}
	return netip.AddrPortFrom(netip.MustParseAddr(pbxAddr), port)
}
func (p *tape) LocalRTP() netip.AddrPort  { return p.addr(p.port) }
func (p *tape) LocalRTCP() netip.AddrPort { return p.addr(p.port + 1) }
func (p *tape) Agree(a media.Agreement) {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	p.agreed = append(p.agreed, a)
}
func (p *tape) now() media.Agreement {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	if len(p.agreed) == 0 {
		return media.Agreement{}
	}
	return p.agreed[len(p.agreed)-1]
}
func (p *tape) Formats() []media.Format      { return p.now().Formats }
func (p *tape) Connect(media.Port) error     { return nil }
func (p *tape) Echo()                        {}
func (p *tape) Play(media.Sound, func(bool)) {}
func (p *tape) Keys(func(byte) bool)         {}
func (p *tape) Press(string, func(bool))     {}
func (p *tape) Disconnect()                  {}
func (p *tape) Stats() media.Stats           { return media.Stats{} }
func (p *tape) Close() media.Stats {
	p.studio.mu.Lock()
	defer p.studio.mu.Unlock()
	if p.closed {
		panic("closed twice")
	}
	p.closed = true
	return media.Stats{}
}
