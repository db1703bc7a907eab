package media

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"ringback/media/g722"
)

// chord is 1 kHz and, for who hears it, 6 kHz.
type chord struct {
	at           int // in ms
	frames       int
	narrow, wide atomic.Int64 // calls
}

func (c *chord) Frame(dst []int16) bool {
	c.narrow.Add(1)
	return c.fill(dst, func(t float64) float64 { return math.Sin(2 * math.Pi * 1000 * t) })
}

func (c *chord) Wide(dst []int16) bool {
	c.wide.Add(1)
	return c.fill(dst, func(t float64) float64 { return math.Sin(2*math.Pi*1000*t) + math.Sin(2*math.Pi*6000*t) })
}

func (c *chord) fill(dst []int16, wave func(t float64) float64) bool {
	if c.frames == 0 {
		return false
	}
	c.frames--
	for i := range dst {
		dst[i] = int16(4000 * wave(float64(c.at)/1000+float64(i)/float64(len(dst))/50))
	}
	c.at += 20
	return true
}

// bandsHeard are what a phone hears, below and above 4 kHz: in the upper band of G.722 6 kHz is 2 kHz.
type bandsHeard struct {
	low, high []int16
	dec       *g722.Decoder
	law       *coder
}

func (h *bandsHeard) hear(t testing.TB, p *phone) {
	t.Helper()
	for _, b := range p.heard() {
		o := payload(t, b)
		low, high := make([]int16, len(o)), make([]int16, len(o))
		if read(t, b).pt == wide.SendPT {
			h.dec.Decode(low, high, o)
		} else {
			low = h.law.decode(o)
		}
		h.low, h.high = append(h.low, low...), append(h.high, high...)
	}
}

// wants checks the last second.
func (h *bandsHeard) wants(t testing.TB, why string, low, high bool) {
	t.Helper()
	for band, want := range map[*[]int16]bool{&h.low: low, &h.high: high} {
		hz := map[*[]int16]float64{&h.low: 1000, &h.high: 2000}[band]
		got := (&caller{heard: *band}).loudness(hz)
		if want && math.Abs(got-4000) > 400 || !want && got > 40 {
			t.Errorf("%s: %v Hz is at %.0f", why, hz, got)
		}
	}
}

// A phone with G.722 hears what is above 4 kHz, in packets of any length; one with G.711 hears the rest.
func TestPlayWide(t *testing.T) {
	for _, ptime := range []time.Duration{10, 20, 30, 60} {
		for _, f := range []Format{wide, ulaw, alaw} {
			t.Run(fmt.Sprint(f.Name, int(ptime)), func(t *testing.T) {
				virtual(t, Options{}, func(l *lab) {
					s := l.stream()
					defer s.Close()
					alice := l.phone(aliceAddr, s)
					sound, end := &chord{frames: 100}, newEnding(t)
					s.Play(sound, end.done)
					pause(50 * time.Millisecond)
					agreed := terms(alice, f, event)
					agreed.PTime = ptime * time.Millisecond
					s.Agree(agreed)
					h := bandsHeard{dec: g722.NewDecoder(), law: newCoder(f)}
					for range 99 {
						pause(20 * time.Millisecond)
						h.hear(t, alice)
					}
					isWide := f.Same(G722)
					h.wants(t, f.Name, true, isWide)
					if (sound.wide.Load() > 0) != isWide || (sound.narrow.Load() > 0) == isWide {
						t.Errorf("%d frames and %d wide ones were read", sound.narrow.Load(), sound.wide.Load())
					}
					pause(200 * time.Millisecond)
					h.hear(t, alice)
					end.want("at the end", true)
					if n := len(h.low); n < 16000 || n > 16000+480 {
						t.Errorf("%d samples of 16000 were heard", n)
					}
				})
			})
		}
	}
}

// After a change of codec in the midst the sound goes on in time, read as it was.
func TestPlayWideAgreesAgain(t *testing.T) {
	for _, first := range []Format{wide, ulaw} {
		virtual(t, Options{}, func(l *lab) {
			s := l.stream()
			defer s.Close()
			alice := l.phone(aliceAddr, s)
			s.Agree(terms(alice, first))
			sound := &chord{frames: -1}
			s.Play(sound, nil)
			h := bandsHeard{dec: g722.NewDecoder(), law: newCoder(ulaw)}
			for _, f := range []Format{first, wide, ulaw, wide, ulaw} {
				s.Agree(terms(alice, f))
				for range 60 {
					pause(20 * time.Millisecond)
					h.hear(t, alice)
				}
				h.wants(t, first.Name+", then "+f.Name, true, f == wide && first == wide)
			}
			if sound.wide.Load() > 0 && sound.narrow.Load() > 0 {
				t.Errorf("%d frames and %d wide ones were read", sound.narrow.Load(), sound.wide.Load())
			}
			if n := len(h.low); n < 299*160 || n > 300*160 {
				t.Errorf("%d samples were heard", n)
			}
		})
	}
}

// wideHum is a hum that is heard wide.
type wideHum struct{ hum }

func (wideHum) Wide(dst []int16) bool {
	for i := range dst {
		dst[i] = int16(i%100) << 5
	}
	return true
}

func TestPlayWideDoesNotAllocate(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	s := must(t, e)
	s.Agree(agreed(1000, wide))
	p := &playing{stream: s, sound: wideHum{}}
	s.begin(p)
	slot, pacer := int64(0), new(Engine)
	if n := testing.AllocsPerRun(1000, func() {
		pacer.step(p, slot)
		slot += 4
		pacer.player.slots[slot%slotCount] = nil
	}); n != 0 || p.upper == nil {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkPlayG722(b *testing.B)     { benchmarkPlay(b, wide, hum{}) }
func BenchmarkPlayG722Wide(b *testing.B) { benchmarkPlay(b, wide, wideHum{}) }

// A phone that speaks G.722 only hears sounds too, in its lower band: as loud as they are, whatever comes between.
func TestPlayWideband(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		s.Agree(terms(alice, opus, fmtOf(G722, 9), ulaw, event))
		end := newEnding(t)
		heard, ear := line{t: t}, g722.NewDecoder()
		low, high := make([]int16, FrameSamples), make([]int16, FrameSamples)
		s.Play(&wave{frames: 100}, end.done)
		for i := range 100 {
			if i == 0 {
				pause(slotTime)
			} else {
				pause(20 * time.Millisecond)
			}
			b := alice.one()
			heard.follows(b, 9, 160, i == 0, "playing")
			ear.Decode(low, high, payload(t, b))
			if i == 50 {
				s.Agree(terms(alice, fmtOf(G722, 9))) // a session is refreshed: the encoder goes on
			}
			if i < 3 {
				continue
			}
			if rms := power(low); rms < 5300 || rms > 6000 { // 8000/√2
				t.Fatalf("frame %d: the tone is heard at %.0f", i, rms)
			}
			if rms := power(high); rms > 100 {
				t.Fatalf("frame %d: above 4 kHz there is %.0f", i, rms)
			}
		}
		pause(20 * time.Millisecond)
		alice.nothing()
		end.want("at the end", true)
		end = newEnding(t)
		s.Press("5", end.done) // no telephone-event any more
		pause(time.Second)
		if n := len(alice.heard()); n != 8 {
			t.Errorf("a key is %d packets", n)
		}
		end.want("a key", true)
	})
}

// wave is 1 kHz.
type wave struct{ at, frames int }

func (w *wave) Frame(dst []int16) bool {
	if w.at == w.frames {
		return false
	}
	w.at++
	for i := range dst {
		dst[i] = int16(8000 * math.Sin(math.Pi/4*float64(i)))
	}
	return true
}

func power(samples []int16) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(samples)))
}
