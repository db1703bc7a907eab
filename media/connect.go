package media

// Connect makes the two hear each other, instead of whatever they heard before. Streams that have no Agreement yet may be
// connected; their sound flows once they have. On an error both stay as they were.
//
// It fails with ErrNoCommonCodec if one of them could not hear the other even by transcoding, ErrForeign if peer is not
// a stream of the same engine, ErrClosed if one is closed.
func (s *Stream) Connect(peer Port) error {
	p, ok := peer.(*Stream)
	if !ok || p == nil || p == s || p.engine != s.engine {
		return ErrForeign
	}
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.isClosed() || p.isClosed() {
		return ErrClosed
	}
	there, back := s.flowTo(p), p.flowTo(s)
	if there != nil && (!there.sound || !back.sound) {
		return ErrNoCommonCodec
	}
	if s.peer != p {
		s.detach()
		p.detach()
		s.peer, p.peer = p, s
	}
	join(s, p, there)
	join(p, s, back)
	return nil
}

// Echo sends the phone's sound back to it. A peer is left in silence.
func (s *Stream) Echo() {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.isClosed() {
		return
	}
	if !s.echo {
		s.detach()
		s.echo = true
	}
	join(s, s, s.flowTo(s))
}

// Disconnect leaves both this stream and its peer, if it has one, in silence.
func (s *Stream) Disconnect() {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	s.detach()
}

// What follows is called with Engine.topology held.

// detach takes the flows away, and ends what is played. The stream leaves its room.
func (s *Stream) detach() {
	s.hush()
	s.rise()
	if p := s.peer; p != nil {
		join(s, p, nil)
		join(p, s, nil)
		s.peer, p.peer = nil, nil
	}
	if s.echo {
		join(s, s, nil)
		s.echo = false
	}
}

// reflow computes the flows anew after an Agreement.
func (s *Stream) reflow() {
	if p := s.peer; p != nil {
		join(s, p, s.flowTo(p))
		join(p, s, p.flowTo(s))
	}
	if s.echo {
		join(s, s, s.flowTo(s))
	}
	if s.seat != nil {
		s.seat.turned.Store(s.turnsBack())
	}
}

// flowTo is nil while there is nothing agreed on one side, and where both sides are other streams of the engine. Of
// the flows that would close a circle the last one to be made is such a one, so that there is no circle.
func (s *Stream) flowTo(p *Stream) *Flow {
	from, to := s.Formats(), p.Formats()
	if from == nil || to == nil {
		return nil
	}
	if s.turnsBack() && p.turnsBack() {
		s.engine.log.Warn("media: sound would go round in the exchange", "port", s.pair.port)
		return nil
	}
	return newFlow(from, p, to)
}

// turnsBack says whether the other side is a stream of the engine, now that it may have been opened.
func (s *Stream) turnsBack() bool {
	s.mu.Lock()
	to, inward := s.terms.Remote, s.inward
	s.mu.Unlock()
	return inward || s.engine.own(s, to)
}

// join swaps the flow: the receiving side lets only this one in, so that nothing of the old one comes after.
// One that maps alike stays, and with it the receiver's idea of its source: refreshing a session is not heard.
func join(from, to *Stream, f *Flow) {
	if old := from.flow.Load(); f != nil && old != nil && *old == *f {
		return
	}
	to.mu.Lock()
	to.from = f
	if f != nil && f.coded && to.coder == nil {
		to.coder = &transcoder{encoder: to.wideband()}
	}
	to.mu.Unlock()
	from.flow.Store(f)
}

func (s *Stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}
