package media

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// reports is a stream's RTCP, RFC 3550 §6: the PBX sends its own toward each phone and keeps what the phone reports.
type reports struct {
	cname string // random, RFC 7022 §4.2; drawn when first needed
	sent  bool
	due   int64 // when the next one goes out

	lost, lostBefore uint64        // as the phone reported them of us; lostBefore of times before it began anew
	of               uint64        // sequence numbers sent to it by its last report
	jitter           time.Duration // likewise
	roundTrip        time.Duration
}

// interval is five seconds times 0.5 to 1.5, RFC 3550 §6.2 and §6.3.1: with two members the bandwidth asks for no more.
const interval = int64(5 * time.Second)

// maxReports bounds the RTCP packets of a datagram that are looked at.
const maxReports = 16

func randomised(d int64) int64 { return d/2 + mathrand.Int64N(d) }

// begin plans the first report, sooner than the following ones (§6.2).
func (p *reports) begin(now int64) {
	if p.due == 0 {
		p.due = now + randomised(interval/2)
	}
}

// report handles an incoming RTCP datagram. alone says that it came to the RTCP port.
func (s *Stream) report(b []byte, alone bool, from netip.AddrPort, now int64, c *counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.agreed {
		c.drop(Late)
		return
	}
	if !isRTCP(b) || !alone && !s.terms.Mux {
		s.drop(c, Malformed)
		return
	}
	latch, to := &s.control, &s.toRTCP
	if !alone {
		latch, to = &s.latch, &s.to
	} else if s.terms.Mux {
		s.drop(c, Source) // nothing was agreed for this port
		return
	}
	accepted, moved := s.accept(latch, from, now)
	if !accepted {
		s.drop(c, Source)
		return
	}
	if moved {
		to.set(latch.peer)
	}
	if !s.parse(b, now) {
		s.drop(c, Malformed)
		return
	}
	s.heard, s.silent = now, false
	c.reportsIn.Add(1)
}

// parse reads the sender and receiver reports of a compound packet and passes over the rest.
func (s *Stream) parse(b []byte, now int64) bool {
	for range maxReports {
		var h rtcp.Header
		if len(b) == 0 {
			return true
		}
		if h.Unmarshal(b) != nil {
			return false
		}
		size := 4 * (int(h.Length) + 1)
		if size > len(b) {
			return false
		}
		switch h.Type {
		case rtcp.TypeSenderReport:
			var sr rtcp.SenderReport
			if sr.Unmarshal(b[:size]) != nil {
				return false
			}
			s.rx.reportID, s.rx.reportAt = uint32(sr.NTPTime>>16), now
			s.received(sr.Reports, now)
		case rtcp.TypeReceiverReport:
			var rr rtcp.ReceiverReport
			if rr.Unmarshal(b[:size]) != nil {
				return false
			}
			s.received(rr.Reports, now)
		}
		b = b[size:]
	}
	return true
}

// received takes what the phone says of our own source.
func (s *Stream) received(blocks []rtcp.ReceptionReport, now int64) {
	for _, r := range blocks {
		if r.SSRC != s.tx.ssrc {
			continue
		}
		p := &s.reports
		if lost := int32(r.TotalLost<<8) >> 8; lost < 0 { // a signed 24-bit number: duplicates
			p.lost = 0
		} else {
			if uint64(lost) < p.lost/2 { // a phone that counts anew, not one that found late packets
				p.lostBefore += p.lost
			}
			p.lost = min(uint64(lost), s.tx.packets) // it cannot lose what was not sent
		}
		p.of = s.tx.numbers
		if s.tx.rate != 0 {
			p.jitter = time.Duration(r.Jitter) * time.Second / time.Duration(s.tx.rate)
		}
		if r.LastSenderReport != 0 { // §6.4.1: A - LSR - DLSR, in 1/65536 s
			trip := int64(int32(uint32(s.engine.ntp(now)>>16) - r.LastSenderReport - r.Delay))
			if trip >= 0 && trip < 60<<16 {
				p.roundTrip = time.Duration(trip * int64(time.Second) >> 16)
			}
		}
	}
}

// send reports to the phone, if there is an address for it. The lock is held.
func (s *Stream) sendReport(now int64, bye bool) {
	to, socket := &s.toRTCP, s.pair.rtcp
	if s.terms.Mux {
		to, socket = &s.to, s.socket
	}
	if to.isZero() {
		return
	}
	var buf [128]byte
	if socket.send(s.compound(buf[:0], now, bye), to) {
		s.reports.sent = true
		s.engine.counters.reportsOut.Add(1)
	}
}

// compound writes SR or RR, SDES with CNAME and, if asked for, BYE (§6.1).
func (s *Stream) compound(b []byte, now int64, bye bool) []byte {
	be := binary.BigEndian
	blocks := byte(0)
	if s.rx.started {
		blocks = 1
	}
	if s.tx.packets != s.tx.reported { // has sent since the last report
		s.tx.reported = s.tx.packets
		b = append(b, 0x80|blocks, byte(rtcp.TypeSenderReport), 0, 6+6*blocks)
		b = be.AppendUint32(b, s.tx.ssrc)
		b = be.AppendUint64(b, s.engine.ntp(now))
		b = be.AppendUint32(b, s.tx.clock(now))
		b = be.AppendUint32(b, uint32(s.tx.packets))
		b = be.AppendUint32(b, uint32(s.tx.octets))
	} else {
		b = append(b, 0x80|blocks, byte(rtcp.TypeReceiverReport), 0, 1+6*blocks)
		b = be.AppendUint32(b, s.tx.ssrc)
	}
	if blocks == 1 {
		r := &s.rx
		b = be.AppendUint32(b, r.ssrc)
		b = be.AppendUint32(b, uint32(r.fraction())<<24|uint32(min(r.lost(), 1<<23-1)))
		b = be.AppendUint32(b, r.max-seqCycle) // restart begins a cycle high
		b = be.AppendUint32(b, uint32(r.jitter>>4))
		if r.reportAt != 0 {
			b = be.AppendUint32(b, r.reportID)
			b = be.AppendUint32(b, uint32((now-r.reportAt)/1000*(1<<16)/1e6))
		} else {
			b = be.AppendUint64(b, 0)
		}
	}
	if s.reports.cname == "" {
		s.reports.cname = newCNAME()
	}
	// One chunk: SSRC, CNAME item, then zeros to a multiple of four, at least one.
	items := 2 + len(s.reports.cname)
	items += 4 - items%4
	b = append(b, 0x81, byte(rtcp.TypeSourceDescription), 0, byte(1+items/4))
	b = be.AppendUint32(b, s.tx.ssrc)
	end := len(b) + items
	b = append(b, byte(rtcp.SDESCNAME), byte(len(s.reports.cname)))
	b = append(b, s.reports.cname...)
	for len(b) < end {
		b = append(b, 0)
	}
	if bye {
		b = append(b, 0x81, byte(rtcp.TypeGoodbye), 0, 1)
		b = be.AppendUint32(b, s.tx.ssrc)
	}
	return b
}

// bye says goodbye if the phone ever heard of this source (§6.3.7). The lock is held.
func (s *Stream) bye() {
	if s.tx.packets > 0 || s.reports.sent {
		s.sendReport(s.engine.now(), true)
	}
}

func newCNAME() string {
	var b [12]byte
	rand.Read(b[:])
	return base64.RawStdEncoding.EncodeToString(b[:])
}

// ntpEpoch is 1900-01-01 in Unix seconds.
const ntpEpoch = -2208988800

// ntp is the time as RTCP writes it, §4.
func (e *Engine) ntp(now int64) uint64 {
	t := e.start.Add(time.Duration(now))
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}
