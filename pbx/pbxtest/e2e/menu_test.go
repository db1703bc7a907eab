package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"testing"

	"ringback/pbx/pbxtest"
)

// menu adds an IVR menu and returns its number.
func (s *scene) menu(more ...any) string {
	s.Helper()
	number := fmt.Sprint(lastNumber.Add(1))
	s.must(s.x.api(s.ctx, "POST", "/menus", with(doc{"number": number, "name": "Menu " + number, "enabled": true}, more...), nil))
	return number
}

// asked dials a menu, which answers and plays its prompt.
func (s *scene) asked(p *pbxtest.Phone, number string, says sound) *pbxtest.CallLeg {
	s.Helper()
	l := s.dials(p, number)
	s.must(l.Answered(s.ctx))
	s.must(l.HearsInOrder(s.ctx, says...))
	return l
}

// Keys as events (RFC 4733) and by INFO lead to a phone; a nested menu takes numbers of extensions.
func TestMenu(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone(codecs("PCMA", "telephone-event"))
		more := s.menu("prompt", "digits:88", "dial_extension", true)
		menu := s.menu("prompt", "digits:55", "keys", doc{"1": bob.User(), "2": more})
		for _, press := range []func(*pbxtest.CallLeg, string) error{
			func(l *pbxtest.CallLeg, keys string) error { return l.Press(s.ctx, keys) },
			func(l *pbxtest.CallLeg, keys string) error { return l.PressByInfo(s.ctx, keys) },
		} {
			l := s.asked(alice, menu, spelt("55"))
			s.must(press(l, "1"))
			callee := s.arrives(bob)
			s.answer(l, callee)
			s.talk(l, callee)
			s.over(callee, l)

			l = s.asked(alice, menu, spelt("55"))
			s.must(press(l, "2"))
			s.must(l.HearsInOrder(s.ctx, spelt("88")...))
			s.must(press(l, carol.User()))
			callee = s.arrives(carol)
			s.answer(l, callee)
			s.talk(l, callee)
			s.over(l, callee)
		}
	})
}

// A wrong key is told, and the caller asked again; who types nothing is sent on; who hangs up is gone.
func TestMenuWithoutChoice(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		menu := s.menu("prompt", "digits:55", "keys", doc{"1": bob.User()}, "seconds", 1, "tries", 2, "timeout", carol.User())
		l := s.asked(alice, menu, spelt("55"))
		s.must(l.Press(s.ctx, "7"))
		s.must(l.HearsInOrder(s.ctx, soundError...))
		s.must(l.HearsInOrder(s.ctx, spelt("55")...))
		callee := s.arrives(carol)
		s.answer(l, callee)
		s.talk(l, callee)
		s.over(l, callee)

		end := s.menu("prompt", "digits:5", "keys", doc{"1": bob.User()}, "seconds", 1, "tries", 1)
		l = s.asked(alice, end, spelt("5"))
		s.must(l.Ended(s.ctx))
		if l.Bye() == nil {
			s.Error("it did not end with BYE")
		}

		l = s.asked(alice, menu, spelt("55"))
		s.must(l.Hangup(s.ctx))
		s.idle(alice.User())
		s.quiet(bob)
	})
}

// A menu is where a forward leads; the phone that forwards does not ring.
func TestForwardToMenu(t *testing.T) {
	play(t, func(s *scene) {
		alice, bob, carol := s.phone(), s.phone(), s.phone()
		menu := s.menu("prompt", "digits:55", "keys", doc{"1": carol.User()})
		s.services(bob.User(), "forward_always", doc{"on": true, "to": menu})
		l := s.asked(alice, bob.User(), spelt("55"))
		s.must(l.Press(s.ctx, "1"))
		callee := s.arrives(carol)
		s.answer(l, callee)
		s.talk(l, callee)
		s.over(l, callee)
		s.quiet(bob)
	})
}

// wavTone is a WAV file with a second of a tone: PCM, 16 bits, 8 kHz.
func wavTone(hz float64) []byte {
	const rate = 8000
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, 36+2*rate)...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, 2*rate)
	b = append(b, "\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, 2*rate)
	for i := range rate {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hz*float64(i)/rate))))
	}
	return b
}

// A prompt of one's own, put there by REST, is what a menu asks with.
func TestMenuWithOwnPrompt(t *testing.T) {
	own(t, func(s *scene, _ func()) {
		q, err := http.NewRequestWithContext(s.ctx, "PUT", s.x.http+"/api/v1/prompts/en/menu%2Fsales", bytes.NewReader(wavTone(1000)))
		s.must(err)
		q.Header.Set("Authorization", "Bearer "+apiToken)
		q.Header.Set("Content-Type", "audio/wav")
		res, err := http.DefaultClient.Do(q)
		s.must(err)
		s.must(res.Body.Close())
		if res.StatusCode != http.StatusNoContent {
			s.Fatal(res.Status)
		}
		alice, bob := s.phone(), s.phone()
		l := s.asked(alice, s.menu("prompt", "menu/sales", "keys", doc{"1": bob.User()}), sound{{1000}})
		s.must(l.Press(s.ctx, "1"))
		callee := s.arrives(bob)
		s.answer(l, callee)
		s.talk(l, callee)
		s.over(l, callee)
	}, "--set", "calls.language=en")
}
