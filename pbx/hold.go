package pbx

import (
	"slices"

	"ringback/media"
)

// PromptMusic is what a party hears who is on hold; "music:CLASS" where whoever holds him has a class of music.
const PromptMusic = "music"

// Held implements Exchange. Hold is between a phone and the PBX: the other phone is told nothing, and hears music
// (RFC 5359 §2.3).
func (s *Switchboard) Held(leg *Leg, held bool) {
	s.mu.Lock()
	leg.held = held
	again := ""
	if held && leg.notice != nil && leg.notice.played { // from the beginning, when he comes back
		again, leg.notice = leg.notice.prompt, nil
	}
	room := ""
	if leg.member != nil {
		leg.member.tell()
		room = leg.member.room
	}
	var recorded source
	if leg.call != nil && leg.call.taping != nil {
		recorded = leg.call.taping.source
	}
	s.mu.Unlock()
	if again != "" {
		s.tellSoon(again, leg)
	}
	if recorded != nil {
		recorded.look()
	}
	if room != "" {
		s.conferenceChanged(room)
	}
	s.settle(leg, !held)
}

// settle brings about who hears whom in leg's bridge of two. It is called after anything has changed of it: by leg, whose
// codecs may be others now if that is said. Of several at a time one goroutine does it for all, so that what came last counts.
func (s *Switchboard) settle(leg *Leg, codecs bool) {
	s.mu.Lock()
	b := leg.bridge
	if b == nil || len(b.legs) != 2 {
		s.mu.Unlock()
		return
	}
	mine := !b.settling
	b.settling, b.again = true, true
	if codecs {
		b.codecs = leg
	}
	s.mu.Unlock()
	for mine && s.settleOnce(b) {
	}
}

// settleOnce reports false if nothing was left to be done.
//
// The two hear each other. If one holds, the other hears music, and he himself nothing; if both do, there is nobody to hear
// anything. Whoever is being told something hears that before all, and the other nothing meanwhile.
func (s *Switchboard) settleOnce(b *Bridge) bool {
	s.mu.Lock()
	first, second := b.legs[0], b.legs[1]
	if !b.again || first.bridge != b {
		b.settling = false
		s.mu.Unlock()
		return false
	}
	codecs, one, other := b.codecs, first.held, second.held
	mine, beginMine := first.told()
	theirs, beginTheirs := second.told()
	telling := mine != nil || theirs != nil
	b.again = false
	if !telling {
		b.codecs = nil
	}
	s.mu.Unlock()
	switch {
	case telling:
		if mine == nil {
			disconnect(first)
		}
		if theirs == nil {
			disconnect(second)
		}
		if beginMine {
			s.play(first, mine)
		}
		if beginTheirs {
			s.play(second, theirs)
		}
	case one && other:
		disconnect(first)
		disconnect(second)
	case one:
		s.hold(first, second)
	case other:
		s.hold(second, first)
	case codecs == second:
		s.reconnect(second, first)
	case codecs != nil:
		s.reconnect(first, second)
	default:
		s.connect(first, second)
	}
	return true
}

// hold lets a party hear the music of the one who holds him. Where there is none, or he has no codec that it can be made in, he
// hears what the phone that holds him sends by itself (sendonly), if anything.
func (s *Switchboard) hold(by, leg *Leg) {
	port, other := leg.Port(), by.Port()
	if port == nil || other == nil {
		return
	}
	if formats := port.Formats(); formats == nil || slices.ContainsFunc(formats, func(f media.Format) bool { return f.Linear() }) {
		if sound := s.music(by); sound != nil {
			other.Disconnect() // he may have heard music himself a moment ago
			port.Play(sound, nil)
			return
		}
	}
	_ = port.Connect(other) // no codec is asked for while one of them holds
}

// music is that of the extension of a leg; nil if there is none.
func (s *Switchboard) music(leg *Leg) media.Sound {
	if x := s.extension(leg); x != nil && x.Services.Music != "" {
		return s.prompt(PromptMusic + ":" + x.Services.Music)
	}
	return s.prompt(PromptMusic)
}

// extension is that of a leg as it is now, nil if it has none.
func (s *Switchboard) extension(leg *Leg) *Extension {
	if s.directory == nil {
		return nil
	}
	return s.directory.Extension(leg.number())
}

// disconnect leaves a leg, and who it is connected to, in silence.
func disconnect(leg *Leg) {
	if port := leg.Port(); port != nil {
		port.Disconnect()
	}
}
