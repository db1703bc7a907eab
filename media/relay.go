package media

import "net/netip"

// arrived handles one datagram. b and h are overwritten. It runs on the goroutine that read the socket: one for each socket.
func (s *Stream) arrived(b []byte, rtcp bool, from netip.AddrPort, now int64, h *header, c *counters) {
	if rtcp || isRTCP(b) {
		s.report(b, rtcp, from, now, c)
		return
	}
	f, epoch, key, kept, ok := s.admit(b, h, from, now, c)
	if !ok {
		return
	}
	if key != 0 && s.press(key) && s.take(h) {
		kept = f != nil
	}
	if kept {
		s.keep(h, f, epoch, c)
		return
	}
	if f == nil {
		if !s.mixes(b, h, epoch, now) {
			c.drop(Unconnected)
		}
		return
	}
	switch r := &f.routes[f.index[h.PayloadType]]; r.op {
	case refuse:
		s.refused(h, f, epoch, c)
	case toTone:
		f.to.dial(key, h, f, epoch, c)
	default:
		f.to.deliver(b, h, f, *r, epoch, now, c)
	}
}

// admit checks a packet and takes it into the statistics. It is the only place that reads what a phone sends.
func (s *Stream) admit(b []byte, h *header, from netip.AddrPort, now int64, c *counters) (f *Flow, epoch uint32, key byte, kept, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || !s.agreed {
		c.drop(Late)
		return
	}
	if !h.read(b) {
		s.drop(c, Malformed)
		return
	}
	accepted, moved := s.accept(&s.latch, from, now)
	if !accepted {
		s.drop(c, Source)
		return
	}
	if moved {
		s.to.set(s.latch.peer)
	}
	s.heard, s.silent = now, false
	if !s.mayRecv {
		c.drop(Held)
		return
	}
	t, known := s.format(h.PayloadType)
	if !known {
		s.drop(c, Payload)
		return
	}
	if !s.rx.observe(h, len(b), t.rate, !t.event, now) {
		s.drop(c, Malformed)
		return
	}
	c.in(len(b))
	if s.taps != nil {
		s.tapped(b, h, now)
	}
	f = s.flow.Load()
	if t.keys {
		if key = s.keypad.press(b[h.payload:h.end], h, s.rx.epoch, s.rx.extended(h.SequenceNumber)); key != 0 {
			s.keypad.alone = f == nil
		}
		kept = f != nil && s.keypad.keeps(h)
	} else if t.law != noLaw {
		key = s.ear.hear(b[h.payload:h.end], h, t.law, s.rx.epoch)
	}
	return f, s.rx.epoch, key, kept, true
}

// accept asks the latch. One of the engine's own ports is only heard where one was agreed.
func (s *Stream) accept(l *latch, from netip.AddrPort, now int64) (ok, moved bool) {
	if !l.locked && !s.inward && s.engine.own(s, from) {
		return false, false
	}
	return l.accept(from, now)
}

// deliver sends a packet of f on to the phone of s.
func (s *Stream) deliver(b []byte, h *header, f *Flow, r route, epoch uint32, now int64, c *counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.from != f {
		c.drop(Unconnected)
		return
	}
	if !s.maySend || s.hushed {
		s.tx.drop()
		s.coder.drop()
		c.drop(Held)
		return
	}
	payload := b[h.payload:h.end]
	if r.apart {
		if !s.tx.stampEvent(b, h, f, r, epoch, now) {
			c.drop(Malformed)
			return
		}
	} else {
		s.tx.stamp(b, h, f, r, epoch, now)
	}
	s.transcode(r.op, payload, h, f, epoch)
	if !s.socket.send(b, &s.to) {
		c.drop(Unsent)
		return
	}
	s.tx.packets++
	s.tx.octets += uint64(len(payload))
	c.out()
}

// keep does not pass on a packet of a key that was pressed before there was f.
func (s *Stream) keep(h *header, f *Flow, epoch uint32, c *counters) {
	f.to.mu.Lock()
	f.to.tx.skip(h, f, epoch)
	f.to.mu.Unlock()
	c.drop(Unconnected)
}

// dial gives the phone of s, which knows no events, the tone of a key that began with a packet of f; 0: none did.
func (s *Stream) dial(key byte, h *header, f *Flow, epoch uint32, c *counters) {
	s.mu.Lock()
	if s.closed || s.from != f {
		s.mu.Unlock()
		c.drop(Unconnected)
		return
	}
	s.tx.skip(h, f, epoch)
	var job *playing
	if key != 0 {
		job, _ = s.enter(string(rune(key)), nil)
	}
	s.mu.Unlock()
	if job != nil {
		s.engine.player.add(job, s.engine.now())
	}
}

// refused handles a payload type that the other side has not agreed to.
func (s *Stream) refused(h *header, f *Flow, epoch uint32, c *counters) {
	f.to.mu.Lock()
	f.to.tx.skip(h, f, epoch)
	f.to.mu.Unlock()
	s.mu.Lock()
	s.drop(c, Payload)
	s.mu.Unlock()
}

func (s *Stream) drop(c *counters, why Reason) {
	s.dropped++
	c.drop(why)
}
