package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"ringback/pbx/pbxtest/memnet"
)

// The network of most tests: the PBX and some phones.
var (
	pbxAddr   = netip.MustParseAddr("192.0.2.1")
	aliceAddr = netip.MustParseAddr("192.0.2.10")
	bobAddr   = netip.MustParseAddr("192.0.2.11")
	natAddr   = netip.MustParseAddr("198.51.100.7")
	thief     = netip.MustParseAddr("203.0.113.66")
)

// lab is an engine on a network in memory, in virtual time.
type lab struct {
	*testing.T
	net    *memnet.Network
	engine *Engine
}

// virtual runs a test in a bubble and checks at its end that nothing is left.
func virtual(t *testing.T, o Options, test func(*lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, net: memnet.New(1)}
		o.Bind = []netip.Addr{pbxAddr}
		o.Listen = func(at netip.AddrPort) (PacketConn, error) {
			c, err := l.net.ListenPacket(at)
			if err != nil {
				return nil, err
			}
			return c, nil
		}
		var err error
		if l.engine, err = New(o); err != nil {
			t.Fatal(err)
		}
		defer l.end()
		test(l)
	})
}

// end checks that nothing is left over.
func (l *lab) end() {
	if err := l.engine.Leaks(); err != nil {
		l.Error(err)
	}
	if n := l.engine.Stats().Panics; n != 0 {
		l.Errorf("%d panics", n)
	}
	l.engine.Close()
	for _, s := range l.net.Open() {
		if strings.Contains(s, pbxAddr.String()+":") {
			l.Errorf("left open: %s", s)
		}
	}
	l.net.Close()
}

func (l *lab) stream() *Stream {
	l.Helper()
	s, err := l.engine.Open(StreamOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return s
}

// phone sends and receives RTP on a socket of its own. What it reads is kept in order.
type phone struct {
	t     testing.TB
	conn  PacketConn
	at    netip.AddrPort
	to    netip.AddrPort
	ssrc  uint32
	seq   uint16
	ts    uint32
	inbox chan []byte
	from  chan netip.AddrPort
}

func (l *lab) phone(at netip.Addr, s *Stream) *phone {
	l.Helper()
	c, err := l.net.ListenPacket(netip.AddrPortFrom(at, 0))
	if err != nil {
		l.Fatal(err)
	}
	p := newPhone(l.T, c, c.LocalAddr().(*net.UDPAddr).AddrPort(), s.LocalRTP())
	go p.read()
	return p
}

func newPhone(t testing.TB, c PacketConn, at, to netip.AddrPort) *phone {
	return &phone{t: t, conn: c, at: at, to: to, ssrc: 0x1000 + uint32(at.Port()), seq: 65530, ts: 0xffffff00,
		inbox: make(chan []byte, 1024), from: make(chan netip.AddrPort, 1024)}
}

func (p *phone) read() {
	for {
		b := make([]byte, 1500)
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		p.inbox <- b[:n]
		p.from <- from
	}
}

// say sends the next 20 ms of payload.
func (p *phone) say(pt uint8, payload []byte) {
	p.t.Helper()
	b := packet(pt, p.seq, p.ts, p.ssrc, payload)
	p.seq++
	p.ts += 160
	p.send(b)
}

func (p *phone) send(b []byte) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, p.to); err != nil {
		p.t.Fatal(err)
	}
}

// heard returns what has come since, after everything under way has arrived.
func (p *phone) heard() (packets [][]byte) {
	synctest.Wait()
	for {
		select {
		case b := <-p.inbox:
			<-p.from
			packets = append(packets, b)
		default:
			return packets
		}
	}
}

// one wants exactly one packet.
func (p *phone) one() []byte {
	p.t.Helper()
	got := p.heard()
	if len(got) != 1 {
		p.t.Fatalf("heard %d packets, want 1", len(got))
	}
	return got[0]
}

func (p *phone) nothing() {
	p.t.Helper()
	if got := p.heard(); len(got) != 0 {
		p.t.Fatalf("heard %d packets, want none; the first: %x", len(got), got[0])
	}
}

func packet(pt uint8, seq uint16, ts, ssrc uint32, payload []byte) []byte {
	b := []byte{0x80, pt, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, payload...)
}

// seen is what a phone makes of a packet.
type seen struct {
	pt       uint8
	seq      uint16
	ts, ssrc uint32
}

func parse(t testing.TB, b []byte) *rtp.Packet {
	t.Helper()
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil {
		t.Fatalf("not RTP: %x: %v", b, err)
	}
	return &p
}

func read(t testing.TB, b []byte) seen {
	t.Helper()
	p := parse(t, b)
	return seen{p.PayloadType, p.SequenceNumber, p.Timestamp, p.SSRC}
}

func payload(t testing.TB, b []byte) []byte {
	t.Helper()
	return parse(t, b).Payload
}

func marked(b []byte) bool { return b[1]&0x80 != 0 }

func fmtOf(c Codec, pt uint8) Format { return Format{Codec: c, SendPT: pt, RecvPT: pt} }

// terms agrees on a phone's address and formats, both ways.
func terms(p *phone, formats ...Format) Agreement {
	return Agreement{Remote: p.at, RemoteRTCP: netip.AddrPortFrom(p.at.Addr(), p.at.Port()+1), Send: true, Recv: true, Formats: formats}
}

var (
	ulaw  = fmtOf(PCMU, 0)
	alaw  = fmtOf(PCMA, 8)
	event = fmtOf(Telephone, 101)
)

// call is two phones that hear each other.
func (l *lab) call(a, b []Format) (alice, bob *phone, sa, sb *Stream) {
	l.Helper()
	sa, sb = l.stream(), l.stream()
	alice, bob = l.phone(aliceAddr, sa), l.phone(bobAddr, sb)
	sa.Agree(terms(alice, a...))
	sb.Agree(terms(bob, b...))
	if err := sa.Connect(sb); err != nil {
		l.Fatal(err)
	}
	return
}

func pause(d time.Duration) { time.Sleep(d) } // virtual
