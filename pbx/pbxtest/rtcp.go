package pbxtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Report is an RTCP sender or receiver report that came (RFC 3550 §6.4).
type Report struct {
	At       time.Time
	Sender   bool   // SR, not RR
	NTP      uint32 // SR: the middle 32 bits of its time
	SSRC     uint32
	Packets  uint32 // SR: sent so far
	Of       uint32 // SSRC reported on, 0 if none
	Lost     int
	Jitter   uint32 // timestamp units
	CNAME    string
	From     netip.AddrPort
	Goodbye  bool
	Fraction uint8
}

// report makes a compound packet: SR with one block, SDES with CNAME. It needs a.mu.
func (a *Audio) report() []byte {
	now := time.Now()
	blocks := byte(0)
	if a.have {
		blocks = 1
	}
	b := []byte{0x80 | blocks, 200, 0, 6 + 6*blocks}
	b = binary.BigEndian.AppendUint32(b, a.ssrc)
	seconds := uint64(now.Unix()) + 2208988800
	b = binary.BigEndian.AppendUint32(b, uint32(seconds))
	b = binary.BigEndian.AppendUint32(b, uint32(uint64(now.Nanosecond())<<32/1e9))
	b = binary.BigEndian.AppendUint32(b, a.ts)
	b = binary.BigEndian.AppendUint32(b, uint32(a.sent))
	b = binary.BigEndian.AppendUint32(b, uint32(a.sentBytes))
	if blocks == 1 {
		lost := max(0, int(a.highest-a.base)+1-int(a.count))
		b = binary.BigEndian.AppendUint32(b, a.last.ssrc)
		b = binary.BigEndian.AppendUint32(b, uint32(min(lost, 0x7fffff)))
		b = binary.BigEndian.AppendUint32(b, a.highest)
		b = binary.BigEndian.AppendUint32(b, 0) // jitter
		lsr, dlsr := a.held(now)
		b = binary.BigEndian.AppendUint32(b, lsr)
		b = binary.BigEndian.AppendUint32(b, dlsr)
	}
	name := "pbxtest@" + a.phone.local.Addr().String()
	item := append([]byte{1, byte(len(name))}, name...)
	for item = append(item, 0); len(item)%4 != 0; {
		item = append(item, 0)
	}
	b = append(b, 0x81, 202, 0, byte(1+len(item)/4))
	b = binary.BigEndian.AppendUint32(b, a.ssrc)
	return append(b, item...)
}

// held are LSR and DLSR (§6.4.1): the last sender report that came, and how long ago, in 1/65536 s; both 0 if none came. A
// phone that is far away was given its report earlier, and its own arrives later. It needs a.mu.
func (a *Audio) held(now time.Time) (lsr, dlsr uint32) {
	for i := len(a.reports) - 1; i >= 0; i-- {
		r := &a.reports[i]
		if since := now.Sub(r.At) - a.away; r.Sender && since >= 0 {
			return r.NTP, uint32(since * (1 << 16) / time.Second)
		}
	}
	return 0, 0
}

// Away makes the network seem to take so long to this phone and back, to whoever measures it by RTCP.
func (l *CallLeg) Away(roundTrip time.Duration) {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	l.audio.away = roundTrip
}

// Report sends a report at once, besides those of each 5 s.
func (l *CallLeg) Report() error {
	l.audio.mu.Lock()
	to := l.audio.toRTCP
	b := l.audio.report()
	l.audio.mu.Unlock()
	if l.audio.rtcp == nil || !to.IsValid() {
		return errors.New("nowhere to send RTCP to")
	}
	_, err := l.audio.rtcp.WriteToUDPAddrPort(b, to)
	return err
}

// listenRTCP takes reports until the socket is closed.
func (a *Audio) listenRTCP() {
	b := make([]byte, 2048)
	for {
		n, from, err := a.rtcp.ReadFromUDPAddrPort(b)
		if err != nil {
			if a.isOver() || a.phone.isClosed() {
				return
			}
			continue
		}
		r, err := parseRTCP(b[:n])
		if err != nil {
			a.phone.complain("RTCP: %v", err)
			continue
		}
		r.At, r.From = time.Now(), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		a.mu.Lock()
		wrong := ""
		if a.have && r.Sender && r.SSRC != a.last.ssrc {
			wrong = fmt.Sprintf("the report is of SSRC %08x, the sound has %08x", r.SSRC, a.last.ssrc)
		}
		if r.Of != 0 && r.Of != a.ssrc {
			wrong = fmt.Sprintf("the report is on SSRC %08x, ours is %08x", r.Of, a.ssrc)
		}
		if len(a.reports) < 1000 {
			a.reports = append(a.reports, r)
		}
		a.mu.Unlock()
		if wrong != "" {
			a.phone.complain("RTCP: %s", wrong)
		}
	}
}

// parseRTCP reads a compound packet (RFC 3550 §6.1): first an SR or RR, and a CNAME.
func parseRTCP(b []byte) (Report, error) {
	var r Report
	for first := true; len(b) > 0; first = false {
		if len(b) < 8 || b[0]>>6 != 2 {
			return r, fmt.Errorf("%d bytes that are not RTCP version 2", len(b))
		}
		length := 4 * (1 + int(binary.BigEndian.Uint16(b[2:])))
		if length > len(b) || length < 8 {
			return r, fmt.Errorf("a packet says %d bytes, %d are there", length, len(b))
		}
		p, kind, count := b[:length], b[1], int(b[0]&0x1f)
		b = b[length:]
		if first && kind != 200 && kind != 201 {
			return r, fmt.Errorf("the first packet has type %d, not SR or RR (RFC 3550 §6.1)", kind)
		}
		switch kind {
		case 200, 201:
			r.SSRC = binary.BigEndian.Uint32(p[4:])
			at := 8
			if kind == 200 {
				if length < 28 {
					return r, fmt.Errorf("a sender report of %d bytes", length)
				}
				r.Sender, r.Packets, at = true, binary.BigEndian.Uint32(p[20:]), 28
				r.NTP = binary.BigEndian.Uint32(p[10:])
			}
			if count > 0 {
				if length < at+24*count {
					return r, fmt.Errorf("%d report blocks do not fit into %d bytes", count, length)
				}
				r.Of = binary.BigEndian.Uint32(p[at:])
				r.Fraction = p[at+4]
				r.Lost = int(int32(binary.BigEndian.Uint32(p[at+4:])<<8) >> 8)
				r.Jitter = binary.BigEndian.Uint32(p[at+12:])
			}
		case 202:
			if length > 10 && p[8] == 1 && 10+int(p[9]) <= length {
				r.CNAME = string(p[10 : 10+int(p[9])])
			}
		case 203:
			r.Goodbye = true
		}
	}
	if r.CNAME == "" {
		return r, fmt.Errorf("a compound packet without CNAME (RFC 3550 §6.1)")
	}
	return r, nil
}

// Reports are the RTCP reports that came.
func (l *CallLeg) Reports() []Report {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	return append([]Report(nil), l.audio.reports...)
}
