package pbxtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Audio is the sound of a call: RTP and RTCP sockets, a sender with a packet each 20 ms, and a receiver that keeps
// the last 30 seconds and complains of what a phone's jitter buffer would stumble over.
type Audio struct {
	phone     *Phone
	rtp, rtcp PacketConn
	port      int
	stop      context.CancelFunc

	mu sync.Mutex
	// Sending.
	to, toRTCP netip.AddrPort // invalid: nothing is sent
	format     format
	event      format
	ssrc       uint32
	seq        uint16
	ts         uint32
	marker     bool // the next packet begins a talkspurt
	muted      bool
	lose       int           // after so many packets one is lost, 0: none
	lost       bool          // the last one was
	away       time.Duration // see Away
	tone       tone
	keys       []keyPress
	sent       uint64
	sentBytes  uint64
	coder      codec
	// Receiving.
	decoder  codec
	formats  map[uint8]format
	from     netip.AddrPort // where RTP may come from
	over     bool
	got      []frame
	last     frame // newest packet of sound
	have     bool
	count    uint64
	highest  uint32 // extended sequence number
	base     uint32
	pressed  []Key
	eventTS  map[uint32]bool // events that were counted
	eventEnd map[uint32]bool
	reports  []Report
	strays   int // packets from elsewhere
}

// frame is a packet of sound that came.
type frame struct {
	at      time.Time
	from    netip.AddrPort
	pt      uint8
	codec   string
	seq     uint16
	ts      uint32
	ssrc    uint32
	marker  bool
	samples []int16
}

// openAudio opens an RTP port, an even one, and the RTCP port beside it.
func (l *CallLeg) openAudio() error {
	p := l.Phone
	a := &Audio{phone: p, ssrc: rand.Uint32(), seq: uint16(rand.Uint32() >> 17), ts: rand.Uint32() >> 1, marker: true,
		formats: make(map[uint8]format), eventTS: make(map[uint32]bool), eventEnd: make(map[uint32]bool)}
	l.audio = a
	if p.c.NoAudio {
		a.port = 40000
		return nil
	}
	for range 100 {
		port := 2 * (10000 + rand.IntN(6000)) // below the ports that the kernel gives away
		rtp, err := p.c.Network.ListenPacket(netip.AddrPortFrom(p.local.Addr(), uint16(port)))
		if err != nil {
			continue
		}
		rtcp, err := p.c.Network.ListenPacket(netip.AddrPortFrom(p.local.Addr(), uint16(port+1)))
		if err != nil {
			_ = rtp.Close()
			continue
		}
		a.rtp, a.rtcp, a.port = rtp, rtcp, port
		ctx, cancel := context.WithCancel(p.ctx)
		a.stop = cancel
		p.spawn(func() { a.play(ctx) })
		p.spawn(a.listen)
		p.spawn(a.listenRTCP)
		return nil
	}
	return errors.New("no pair of free ports in 100 tries")
}

func (a *Audio) localPort() int { return a.port }

func (l *CallLeg) closeAudio() {
	a := l.audio
	if a == nil || a.rtp == nil {
		return
	}
	a.mu.Lock()
	done := a.over
	a.over = true
	a.mu.Unlock()
	if done {
		return
	}
	a.stop()
	_ = a.rtp.Close()
	_ = a.rtcp.Close()
}

// stopAudio ends the sound of a call that is over. It needs p.mu.
func (l *CallLeg) stopAudio() { l.closeAudio() }

// expect says what may come, as soon as it was offered.
func (a *Audio) expect(formats []format) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range formats {
		a.formats[f.pt] = f
	}
}

// agree says where and what to send; an invalid address means nothing.
func (a *Audio) agree(to, rtcp netip.AddrPort, use, event format, from netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.to.IsValid() && to.IsValid() {
		a.marker = true
	}
	a.to, a.toRTCP, a.format, a.event, a.from = to, rtcp, use, event, from
}

// hush stops sending.
func (a *Audio) hush() {
	a.agree(netip.AddrPort{}, netip.AddrPort{}, format{}, format{}, netip.AddrPort{})
}

// play sends a packet each 20 ms, and a report each 5 s. On a busy machine it catches up, as a sound card does.
func (a *Audio) play(ctx context.Context) {
	const every = 20 * time.Millisecond
	samples := make([]int16, frameSize)
	packet := make([]byte, 0, 12+frameSize)
	due := time.Now()
	for n := 1; ; n++ {
		due = due.Add(every)
		if !wait(ctx, time.Until(due)) {
			return
		}
		a.mu.Lock()
		to, rtcp := a.to, a.toRTCP
		packet = a.next(packet[:0], samples)
		var report []byte
		if n%250 == 25 && rtcp.IsValid() {
			report = a.report()
		}
		a.mu.Unlock()
		if len(packet) > 0 && to.IsValid() {
			_, _ = a.rtp.WriteToUDPAddrPort(packet, to)
		}
		if report != nil {
			_, _ = a.rtcp.WriteToUDPAddrPort(report, rtcp)
		}
	}
}

// next makes the packet of this tick; empty if nothing is to be sent. It needs a.mu.
func (a *Audio) next(b []byte, samples []int16) []byte {
	a.tone.fill(samples)
	ts := a.ts
	a.ts += frameSize
	if !a.to.IsValid() || a.muted {
		a.marker = true
		return b
	}
	if len(a.keys) > 0 && a.event.name != "" {
		return a.nextEvent(b, ts)
	}
	if a.lose > 0 && a.sent > 0 && int(a.sent)%a.lose == 0 && !a.lost {
		a.seq++
		a.lost = true
		return b
	}
	a.lost = false
	b = a.header(b, a.marker, a.format.pt, ts)
	a.marker = false
	b = a.coder.encode(a.format.name, samples, b)
	a.sent++
	a.sentBytes += uint64(len(b) - 12)
	return b
}

func (a *Audio) header(b []byte, marker bool, pt uint8, ts uint32) []byte {
	if marker {
		pt |= 0x80
	}
	b = append(b, 0x80, pt)
	b = binary.BigEndian.AppendUint16(b, a.seq)
	b = binary.BigEndian.AppendUint32(b, ts)
	b = binary.BigEndian.AppendUint32(b, a.ssrc)
	a.seq++
	return b
}

// listen takes RTP until the socket is closed.
func (a *Audio) listen() {
	b := make([]byte, 2048)
	for {
		n, from, err := a.rtp.ReadFromUDPAddrPort(b)
		if err != nil {
			if a.isOver() || a.phone.isClosed() {
				return
			}
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if n == 0 {
			continue
		}
		if complaint := a.take(b[:n], from); complaint != "" {
			a.phone.complain("RTP: %s", complaint)
		}
	}
}

func (a *Audio) isOver() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over
}

// take looks at one packet and returns what is wrong with it.
func (a *Audio) take(b []byte, from netip.AddrPort) string {
	if len(b) < 12 || b[0]>>6 != 2 {
		return fmt.Sprintf("%d bytes that are not RTP version 2", len(b))
	}
	head := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 && len(b) >= head+4 {
		head += 4 + 4*int(binary.BigEndian.Uint16(b[head+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		end -= int(b[len(b)-1])
	}
	if head > end {
		return "a packet shorter than its header says"
	}
	f := frame{at: time.Now(), from: from, pt: b[1] & 0x7f, marker: b[1]&0x80 != 0, seq: binary.BigEndian.Uint16(b[2:]),
		ts: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:])}
	payload := b[head:end]
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.from.IsValid() && from != a.from {
		a.strays++
		if a.strays == 1 {
			return fmt.Sprintf("a packet from %v, the SDP says %v", from, a.from)
		}
		return ""
	}
	format, known := a.formats[f.pt]
	if !known {
		return fmt.Sprintf("payload type %d was not agreed", f.pt)
	}
	a.count++
	if a.got == nil || !a.have && a.count == 1 {
		a.base, a.highest = uint32(f.seq), uint32(f.seq)
	} else if delta := int16(f.seq - uint16(a.highest)); delta > 0 {
		a.highest += uint32(delta)
	}
	if format.event() {
		return a.takeEvent(payload, f)
	}
	f.codec = format.name
	f.samples = a.decoder.decode(format.name, payload, nil)
	complaint := a.continuity(f)
	for len(a.got) > 0 && f.at.Sub(a.got[0].at) > 30*time.Second {
		a.got = a.got[1:]
	}
	a.got = append(a.got, f)
	return complaint
}

// continuity: one SSRC for the life of the leg, sequence and timestamp without jumps. It needs a.mu.
func (a *Audio) continuity(f frame) string {
	last, had := a.last, a.have
	if !had {
		a.last, a.have = f, true
		return ""
	}
	if f.ssrc != last.ssrc {
		a.last = f
		return fmt.Sprintf("the SSRC goes from %08x to %08x in one leg", last.ssrc, f.ssrc)
	}
	seq, ts := int16(f.seq-last.seq), int32(f.ts-last.ts)
	ahead := time.Duration(ts)*time.Second/rate - f.at.Sub(last.at) // a pause in sending is no jump
	if seq <= 0 && seq > -100 {
		return "" // late or twice: the network's doing
	}
	a.last = f
	switch {
	case seq > 1000 || seq <= -100:
		return fmt.Sprintf("the sequence number jumps from %d to %d", last.seq, f.seq)
	case ts <= 0:
		return fmt.Sprintf("the timestamp goes back by %d as the sequence number goes up", -ts)
	case seq == 1 && !f.marker && ahead > 400*time.Millisecond:
		return fmt.Sprintf("the timestamp jumps by %d without a marker", ts)
	case ts > rate*3600:
		return fmt.Sprintf("the timestamp jumps by %d", ts)
	}
	return ""
}

// Play sends a tone, or several; 0 or none means silence.
func (l *CallLeg) Play(frequencies ...float64) {
	if len(frequencies) == 1 && frequencies[0] == 0 {
		frequencies = nil
	}
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	l.audio.tone.frequencies = frequencies
}

// Lose has one packet lost on the way after so many that were not: of 1 + after. 0: none.
func (l *CallLeg) Lose(after int) {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	l.audio.lose = after
}

// Mute stops sending packets at all, or goes on.
func (l *CallLeg) Mute(on bool) {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	l.audio.muted = on
}

// SetSSRC goes on sending with another SSRC and other numbers, as gateways do when a call is answered.
func (l *CallLeg) SetSSRC(ssrc uint32) {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	l.audio.ssrc, l.audio.seq, l.audio.ts, l.audio.marker = ssrc, 1, 1, true
}

// SendRTP sends any bytes from the phone's RTP port to where the other side wants its RTP.
func (l *CallLeg) SendRTP(b []byte) error {
	l.audio.mu.Lock()
	to := l.audio.to
	l.audio.mu.Unlock()
	if l.audio.rtp == nil || !to.IsValid() {
		return errors.New("nowhere to send RTP to")
	}
	_, err := l.audio.rtp.WriteToUDPAddrPort(b, to)
	return err
}

// RTPPort is the phone's own.
func (l *CallLeg) RTPPort() int { return l.audio.port }

// RTPRemote is where the phone sends its RTP; invalid if nowhere.
func (l *CallLeg) RTPRemote() netip.AddrPort {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	return l.audio.to
}

// Sent counts the packets of sound that the phone has sent.
func (l *CallLeg) Sent() uint64 {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	return l.audio.sent
}
