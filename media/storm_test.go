package media

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What call control does to two streams in any order, while one phone talks: what the other hears is one source all the time,
// whose packets follow one another without a gap in their numbers, never overlap in time, and stay on the wall clock; each
// sound and each Press ends once.
func TestSoundStorm(t *testing.T) {
	for seed := range uint64(60) {
		virtual(t, Options{}, func(l *lab) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			sa, sb := l.stream(), l.stream()
			alice, bob := l.phone(aliceAddr, sa), l.phone(bobAddr, sb)
			sa.Agree(terms(alice, ulaw, event))
			begun, ended := 0, make(map[int]int)
			guard := make(chan struct{}, 1)
			done := func() func(bool) {
				n := begun
				begun++
				return func(bool) {
					guard <- struct{}{}
					ended[n]++
					<-guard
				}
			}
			var order []string
			do := func() {
				what, n := "", rnd.IntN(12)
				switch n {
				case 0, 1:
					what = "play"
					sb.Play(&ramp{t: t, frames: rnd.IntN(60)}, done())
				case 2:
					what = "play twice"
					sb.Play(&ramp{t: t, frames: -1}, done())
					sb.Play(&ramp{t: t, frames: -1}, done())
				case 3, 4, 5:
					what = "connect"
					_ = sa.Connect(sb)
				case 6:
					what = "disconnect"
					sb.Disconnect()
				case 7, 8:
					a := terms(bob, []Format{ulaw, alaw}[rnd.IntN(2)], event)
					a.PTime = time.Duration(1+rnd.IntN(6)) * 10 * time.Millisecond
					a.Send = rnd.IntN(4) > 0
					what = "agree"
					sb.Agree(a)
				case 9:
					what = "press"
					sb.Press("1#", done())
				case 10:
					what = "play to the other"
					sa.Play(&ramp{t: t, frames: rnd.IntN(60)}, done())
				case 11:
					if what = "on"; rnd.IntN(10) == 0 {
						what = "close"
						sb.Close()
						sb.Play(&ramp{t: t, frames: -1}, done())
						sb.Press("1", done())
						sb.Agree(terms(bob, ulaw))
					}
				}
				order = append(order, what)
			}
			var last, sound seen
			var soundAt time.Time
			var span uint32 // of the last packet of sound
			any := false
			for range 600 {
				if rnd.IntN(12) == 0 {
					do()
				}
				if rnd.IntN(8) > 0 {
					alice.say(0, frame(0))
				}
				bob.say(0, frame(0))
				pause(20*time.Millisecond - time.Duration(rnd.IntN(2))*time.Microsecond)
				for _, b := range bob.heard() {
					h := read(t, b)
					if any && (h.ssrc != last.ssrc || h.seq != last.seq+1) {
						t.Fatalf("seed %d, %v: SSRC %x after %x, sequence +%d", seed, order, h.ssrc, last.ssrc, h.seq-last.seq)
					}
					last, any = h, true
					if h.pt == event.SendPT { // a key may begin within a packet of sound
						continue
					}
					advanced, passed := h.ts-sound.ts, uint32(time.Since(soundAt)/(time.Millisecond/8))
					if span > 0 && int32(advanced) < int32(span) {
						t.Fatalf("seed %d, %v: timestamp +%d after a packet of %d", seed, order, int32(advanced), span)
					}
					if off := int32(advanced - passed); span > 0 && (off > 800 || off < -800) {
						t.Fatalf("seed %d, %v: timestamp +%d after %d", seed, order, advanced, passed)
					}
					sound, soundAt, span = h, time.Now(), uint32(len(payload(t, b)))
				}
				alice.heard()
			}
			sa.Close()
			sb.Close()
			synctest.Wait()
			pause(time.Second)
			synctest.Wait()
			if len(bob.heard()) > 0 {
				t.Errorf("seed %d: heard after Close", seed)
			}
			for n := range begun {
				if ended[n] != 1 {
					t.Errorf("seed %d, %v: the end of number %d was told %d times", seed, order, n, ended[n])
				}
			}
			if p := &l.engine.player; p.count != 0 || slices.ContainsFunc(p.slots[:], func(p *playing) bool { return p != nil }) {
				t.Errorf("seed %d: the player has %d left", seed, p.count)
			}
		})
	}
}
