package e2e

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// music fails unless a phone hears music, and neither of the tones that the two phones play. Those are louder than the music is.
func (s *scene) music(l *pbxtest.CallLeg) {
	s.Helper()
	s.must(l.HearsSound(s.ctx))
	s.packets(l, 25) // it begins softly, and the peer's last packets may have been on their way
	h := s.packets(l, 25)
	for end := time.Now().Add(20 * time.Second); pbxtest.Loudness(h.Samples) < -28 && time.Now().Before(end); { // our piece is made when it is first wanted
		h = s.packets(l, 25)
	}
	loud := pbxtest.Loudness(h.Samples)
	switch {
	case h.Lost > 0 || h.Late > 0 || h.Twice > 0:
		s.Errorf("%s: the music is not whole: %s", l, h)
	case loud < -28 || loud > -13:
		s.Errorf("%s: the music is of %.0f dBFS", l, loud)
	case h.Level(440) > -16 || h.Level(620) > -16:
		s.Errorf("%s hears a phone's tone: 440 Hz %.0f dB, 620 Hz %.0f dB", l, h.Level(440), h.Level(620))
	}
}

// packets waits for the next ones, however long they take on a busy machine.
func (s *scene) packets(l *pbxtest.CallLeg, n int) (h pbxtest.Heard) {
	s.Helper()
	since := time.Now()
	s.eventually("packets come", func() bool {
		h = l.Heard(since)
		return h.Packets >= n
	})
	return h
}

// nothing fails if a phone gets any packet of sound.
func (s *scene) nothing(l *pbxtest.CallLeg) {
	s.Helper()
	l.Listen(s.ctx, 150*time.Millisecond) // what is on its way
	if h := l.Listen(s.ctx, 400*time.Millisecond); h.Packets > 0 {
		s.Errorf("%s: the holder gets %s", l, h)
	}
}

func (s *scene) offer(l *pbxtest.CallLeg, method string, media pbxtest.Media) {
	s.Helper()
	send := l.Reinvite
	if method == "UPDATE" {
		send = l.Update
	}
	m, err := send(s.ctx, media)
	s.status(m, err, 200)
}

// RFC 5359 §2.3.
func TestMusicOnHold(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		for _, way := range []struct {
			by, held *pbxtest.CallLeg
			method   string
			media    pbxtest.Media
		}{
			{callee, caller, "INVITE", pbxtest.Media{Direction: "sendonly"}},
			{caller, callee, "INVITE", pbxtest.Media{Direction: "sendonly"}},
			{callee, caller, "INVITE", pbxtest.Media{Direction: "inactive"}},
			{callee, caller, "INVITE", pbxtest.Media{Zero: true}},
			{caller, callee, "INVITE", pbxtest.Media{Zero: true}},
			{callee, caller, "UPDATE", pbxtest.Media{Direction: "sendonly"}},
			{caller, callee, "UPDATE", pbxtest.Media{Direction: "inactive"}},
		} {
			s.Logf("%s holds by %s, %+v", way.by, way.method, way.media)
			s.offer(way.by, way.method, way.media)
			s.music(way.held)
			s.nothing(way.by)
			s.offer(way.by, way.method, way.media) // refreshed
			s.nothing(way.by)
			s.packets(way.held, 5)
			s.offer(way.by, way.method, pbxtest.Media{})
			s.talk(caller, callee)
		}
		s.must(callee.Hold(s.ctx))
		s.music(caller)
		s.over(caller, callee) // while held
	})
}

// RFC 5359 §2.1, both: in whatever order they resume, one flag for the two would be wrong.
func TestMusicWhenBothHold(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(codecs("PCMA", "telephone-event")), s.phone(codecs("PCMU", "telephone-event")))
		s.talk(caller, callee)
		for _, first := range []*pbxtest.CallLeg{caller, callee} {
			second := callee
			if first == callee {
				second = caller
			}
			s.must(first.Hold(s.ctx))
			s.music(second)
			s.must(second.HoldInactive(s.ctx))
			s.nothing(first)
			s.nothing(second)
			s.must(first.Resume(s.ctx))
			s.music(first)
			s.nothing(second)
			s.must(first.Hold(s.ctx))
			s.must(second.Resume(s.ctx))
			s.music(second)
			s.nothing(first)
			s.must(first.Resume(s.ctx))
			s.talk(caller, callee)
		}
		s.over(callee, caller)
	})
}

// RFC 5359 §2.2.
func TestMusicWhileConsulting(t *testing.T) {
	play(t, func(s *scene) {
		bob := s.phone()
		atAlice, atBob := s.up(s.phone(), bob)
		s.talk(atAlice, atBob)
		s.must(atBob.Hold(s.ctx))
		s.music(atAlice)
		consult, atCarol := s.up(bob, s.phone())
		s.talk(consult, atCarol)
		s.music(atAlice)
		s.over(consult, atCarol)
		s.must(atBob.Resume(s.ctx))
		s.talk(atAlice, atBob)
		s.over(atAlice, atBob)
	})
}

// An answer in another codec while on hold: the music goes on in that one.
func TestMusicInAnotherCodec(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		s.talk(caller, callee)
		s.must(callee.Hold(s.ctx))
		s.music(caller)
		s.offer(caller, "INVITE", pbxtest.Media{Codecs: []string{"PCMA", "telephone-event"}})
		s.music(caller)
		if h := caller.Listen(s.ctx, 300*time.Millisecond); len(h.Codecs) != 1 || h.Codecs[0] != "PCMA" {
			s.Errorf("music in %v", h.Codecs)
		}
		s.nothing(callee)
		s.must(callee.Resume(s.ctx))
		s.talk(caller, callee)
		s.over(caller, callee)
	})
}

// A class of files, put there while the exchange runs.
func TestMusicOfAClass(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x, err := startExchange(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.stop(); err != nil {
			t.Error(err)
		}
	})
	t.Run("call", func(t *testing.T) {
		playOn(t, x, "udp", func(s *scene) {
			bob := s.phone()
			s.must(x.api(s.ctx, "PATCH", "/extensions/"+bob.User()+"/services", map[string]any{"music": "spring"}, nil))
			caller, callee := s.up(s.phone(), bob)
			s.talk(caller, callee)
			s.must(callee.Hold(s.ctx))
			s.music(caller) // ours: there are no files yet
			spring := filepath.Join(dir, "data", "music", "spring")
			s.must(os.MkdirAll(spring, 0o755))
			s.must(os.WriteFile(filepath.Join(spring, "1.wav"), sine(1000, 44100, 10), 0o644))
			s.must(caller.Hears(s.ctx, 1000)) // noticed within seconds
			s.must(callee.Resume(s.ctx))
			s.talk(caller, callee)
			s.must(caller.Hold(s.ctx)) // who has no class
			s.music(callee)
			s.over(caller, callee)
		})
	})
}

// sine is a WAV file, 16 bits, mono.
func sine(hz float64, samples, seconds int) []byte {
	n, le := samples*seconds, binary.LittleEndian
	var b bytes.Buffer
	b.WriteString("RIFF")
	b.Write(le.AppendUint32(nil, uint32(36+2*n)))
	b.WriteString("WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b.Write(le.AppendUint32(le.AppendUint32(nil, uint32(samples)), uint32(2*samples)))
	b.WriteString("\x02\x00\x10\x00data")
	b.Write(le.AppendUint32(nil, uint32(2*n)))
	for i := range n {
		b.Write(le.AppendUint16(nil, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/float64(samples))))))
	}
	return b.Bytes()
}
