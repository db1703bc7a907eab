package media

import (
	"bytes"
	"math"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ringback/media/g722"
	"ringback/media/mix"
)

// coder is a phone's own: octets of sound and sound of octets, in one codec.
type coder struct {
	codec mix.Codec
	enc   *g722.Encoder
	dec   *g722.Decoder
}

func newCoder(f Format) *coder { return &coder{f.mixed(), g722.NewEncoder(), g722.NewDecoder()} }

func (c *coder) encode(linear []int16) []byte {
	b := make([]byte, len(linear))
	switch c.codec {
	case mix.ULaw:
		mix.EncodeULaw(b, linear)
	case mix.ALaw:
		mix.EncodeALaw(b, linear)
	default:
		c.enc.Encode(b, linear, nil)
	}
	return b
}

func (c *coder) decode(b []byte) []int16 {
	linear := make([]int16, len(b))
	switch c.codec {
	case mix.ULaw:
		mix.DecodeULaw(linear, b)
	case mix.ALaw:
		mix.DecodeALaw(linear, b)
	default:
		c.dec.Decode(linear, nil, b)
	}
	return linear
}

// snr compares, in dB, what was heard with what was said, from a while after the beginning on.
func snr(said, heard []int16) float64 {
	var signal, noise float64
	for i := 800; i < len(heard); i++ {
		d := float64(said[i]) - float64(heard[i])
		signal += float64(said[i]) * float64(said[i])
		noise += d * d
	}
	return 10 * math.Log10(signal/(noise+1e-9))
}

// The sounds of these tests: a tone of 1020 Hz at -10 dBm0, as lines are measured with (ITU-T O.132), and what is like speech.
var sounds = sync.OnceValue(func() map[string][]int16 {
	sine := make([]int16, 24000)
	for i := range sine {
		sine[i] = int16(amplitude(-10) * math.Sin(2*math.Pi*1020*float64(i)/8000))
	}
	speech := newScore(1)
	voices(speech)
	return map[string][]int16{"a tone": sine, "speech": speech.linear()[:80000]}
})

// Two phones of which one knows G.722 only and the other G.711 only hear each other as well as the worse of the two codecs lets them:
// what is lost by the second coding is less than half of what the first one lost.
func TestTranscodedSound(t *testing.T) {
	all := sounds()
	for _, law := range []Format{ulaw, alaw} {
		for name, said := range all {
			limit := min(snr(said, through(said, newCoder(law))), snr(said, through(said, newCoder(wide)))) - 3
			virtual(t, Options{}, func(l *lab) {
				alice, bob, sa, sb := l.call([]Format{wide, event}, []Format{law, event})
				defer sa.Close()
				defer sb.Close()
				there, back := relay(t, alice, bob, wide, law, said), relay(t, bob, alice, law, wide, said)
				for way, heard := range map[string][]int16{"G722 to " + law.Name: there, law.Name + " to G722": back} {
					if got := snr(said, heard); got < limit {
						t.Errorf("%s, %s: SNR %.1f dB, less than %.1f", name, way, got, limit)
					} else {
						t.Logf("%s, %s: SNR %.1f dB, at least %.1f", name, way, got, limit)
					}
				}
			})
			virtual(t, Options{}, func(l *lab) { // and over two such exchanges, G.711 to G.722 to G.711
				alice, bob, sa, sb := l.call([]Format{law}, []Format{wide})
				carol, dave, sc, sd := l.call([]Format{wide}, []Format{law})
				for _, s := range []*Stream{sa, sb, sc, sd} {
					defer s.Close()
				}
				var heard []int16
				ears := newCoder(law)
				mouth := newCoder(law)
				for i := 0; i+160 <= len(said); i += 160 {
					alice.say(law.SendPT, mouth.encode(said[i:i+160]))
					carol.say(wide.SendPT, payload(t, bob.one()))
					heard = append(heard, ears.decode(payload(t, dave.one()))...)
				}
				if got := snr(said, heard); got < limit-3 {
					t.Errorf("%s, %s to G722 and back: SNR %.1f dB, less than %.1f", name, law.Name, got, limit-3)
				} else {
					t.Logf("%s, %s to G722 and back: SNR %.1f dB", name, law.Name, got)
				}
			})
		}
	}
}

// through is what a codec makes of sound.
func through(said []int16, c *coder) []int16 { return c.decode(c.encode(said)) }

// relay has one phone say something, and returns what the other hears. It checks what comes as RTP.
func relay(t *testing.T, from, to *phone, in, out Format, said []int16) (heard []int16) {
	t.Helper()
	mouth, ears := newCoder(in), newCoder(out)
	var last seen
	for i := 0; i+160 <= len(said); i += 160 {
		from.say(in.SendPT, mouth.encode(said[i:i+160]))
		b := to.one()
		h := read(t, b)
		if h.pt != out.SendPT || len(payload(t, b)) != 160 || i > 0 && (h.seq != last.seq+1 || h.ts != last.ts+160 || h.ssrc != last.ssrc) {
			t.Fatalf("%+v with %d octets after %+v", h, len(payload(t, b)), last)
		}
		last = h
		heard = append(heard, ears.decode(payload(t, b))...)
	}
	return heard
}

// Where they share a codec nothing is transcoded; where they do not, one law of G.711 becomes the other before it becomes G.722.
func TestTranscodedOnlyWhereItMust(t *testing.T) {
	gsm := fmtOf(Codec{Name: "GSM", ClockRate: 8000, Channels: 1}, 3)
	for _, c := range []struct {
		from, to []Format
		says     Format
		hears    uint8
		same     bool
	}{
		{[]Format{wide, ulaw}, []Format{ulaw, wide}, wide, 9, true},
		{[]Format{wide, ulaw}, []Format{ulaw, wide}, ulaw, 0, true},
		{[]Format{gsm, wide}, []Format{ulaw, gsm}, gsm, 3, true},
		{[]Format{ulaw}, []Format{wide, alaw}, ulaw, 8, false},
		{[]Format{alaw}, []Format{wide, fmtOf(PCMU, 96)}, alaw, 96, false},
		{[]Format{wide}, []Format{alaw, ulaw}, wide, 0, false},
		{[]Format{wide}, []Format{opus, alaw}, wide, 8, false},
		{[]Format{alaw}, []Format{opus, fmtOf(G722, 97)}, alaw, 97, false},
	} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call(c.from, c.to)
			defer sa.Close()
			defer sb.Close()
			said := newCoder(c.says).encode(sounds()["a tone"][:160])
			alice.say(c.says.SendPT, said)
			if b := bob.one(); read(t, b).pt != c.hears || bytes.Equal(payload(t, b), said) != c.same {
				t.Errorf("%v to %v: %+v, the same octets: %v", c.from, c.to, read(t, b), bytes.Equal(payload(t, b), said))
			}
		})
	}
}

// What is lost makes no click: what follows is no sharper than the sound itself. What comes again or late changes nothing in what
// follows. The same numbers are missing as were.
func TestTranscodedOnABadNetwork(t *testing.T) {
	said := sounds()["a tone"]
	natural := 2 * math.Pi * 1020 / 8000 * amplitude(-10)
	for _, f := range [][2]Format{{wide, ulaw}, {alaw, wide}} {
		run := func(each func(n int, alice *phone, b []byte) (lost bool)) (heard [][]int16) {
			virtual(t, Options{}, func(l *lab) {
				alice, bob, sa, sb := l.call(f[:1], f[1:])
				defer sa.Close()
				defer sb.Close()
				mouth, ears := newCoder(f[0]), newCoder(f[1])
				newest := uint16(0)
				for n := range 150 {
					lost := each(n, alice, mouth.encode(said[160*n:160*n+160]))
					var frame []int16
					for i, b := range bob.heard() {
						h := read(t, b)
						if i == 0 && !lost { // what comes again or late a phone has no use for
							if n > 0 && h.seq != newest+1 && n%10 != 1 {
								t.Errorf("%s: %d comes after %d", f[0].Name, h.seq, newest)
							}
							newest = h.seq
							frame = ears.decode(payload(t, b))
						} else if int16(h.seq-newest) > 0 {
							t.Errorf("%s: %d is ahead of %d", f[0].Name, h.seq, newest)
						}
					}
					heard = append(heard, frame)
				}
			})
			return
		}
		say := func(alice *phone, b []byte) { alice.say(f[0].SendPT, b) }
		clean := run(func(_ int, alice *phone, b []byte) bool { say(alice, b); return false })
		var before []byte
		again := run(func(n int, alice *phone, b []byte) bool {
			say(alice, b)
			if n%3 == 2 {
				alice.seq, alice.ts = alice.seq-2, alice.ts-320
				say(alice, before)
				say(alice, b)
			}
			before = slices.Clone(b)
			return false
		})
		for n := range clean {
			if !slices.Equal(clean[n], again[n]) {
				t.Fatalf("%s: packets that come again change the sound of packet %d", f[0].Name, n)
			}
		}
		lossy := run(func(n int, alice *phone, b []byte) bool {
			if n%10 == 0 {
				alice.seq, alice.ts = alice.seq+1, alice.ts+160
				return true
			}
			say(alice, b)
			return false
		})
		for n, frame := range lossy {
			if n%10 == 0 {
				continue
			}
			for i := 1; i < len(frame); i++ {
				if d := math.Abs(float64(frame[i]) - float64(frame[i-1])); d > 1.6*natural {
					t.Fatalf("%s: after a loss, packet %d changes by %.0f at %d, the tone by %.0f", f[0].Name, n, d, i, natural)
				}
			}
			if n%10 == 9 {
				if p := power(frame) * math.Sqrt2 / amplitude(-10); p < .9 || p > 1.1 {
					t.Errorf("%s: packet %d is at %.2f", f[0].Name, n, p)
				}
			}
		}
	}
}

// A prompt, a call, a hold, another codec and another party, all in one codec for the phone that listens: its decoder and what is made
// for it stay in step, so that nothing is sharper than the sounds themselves.
func TestTranscodingGoesOn(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		said := sounds()["a tone"]
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{wide})
		defer sa.Close()
		defer sb.Close()
		sa.Disconnect()
		ears := newCoder(wide)
		var heard []int16
		mouth, in := newCoder(ulaw), ulaw
		at := 0
		talk := func(packets int) {
			for range packets {
				alice.say(in.SendPT, mouth.encode(said[at:at+160]))
				at = (at + 160) % (len(said) - 160)
				pause(20 * time.Millisecond)
				for _, b := range bob.heard() {
					heard = append(heard, ears.decode(payload(t, b))...)
				}
			}
		}
		sb.Play(&tune{hz: 1020, peak: amplitude(-10), frames: 50}, nil)
		talk(60)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(sa.Connect(sb))
		talk(50)
		held := terms(bob, wide)
		held.Send = false
		sb.Agree(held)
		talk(50)
		sb.Agree(terms(bob, wide))
		talk(50)
		in, mouth = alaw, newCoder(alaw)
		sa.Agree(terms(alice, alaw))
		talk(50)
		sb.Play(&tune{hz: 1020, peak: amplitude(-10), frames: 50}, nil)
		talk(50)
		must(sa.Connect(sb))
		talk(50)
		most := 0.
		for i := 1; i < len(heard); i++ {
			most = max(most, math.Abs(float64(heard[i])-float64(heard[i-1])))
		}
		// Where one sound ends and the next begins there may be as much as both have.
		if peak := 2 * amplitude(-10) * 1.1; most > peak {
			t.Errorf("a change by %.0f, more than %.0f", most, peak)
		}
		if n := len(heard) / 160; n < 290 {
			t.Errorf("heard %d packets", n)
		}
	})
}

// Any number of octets goes through, and nothing is allocated.
func TestTranscodingOfAnyLength(t *testing.T) {
	e := benchEngine(t, Options{Listen: inMemory})
	for _, f := range [][2]Format{{wide, ulaw}, {wide, alaw}, {ulaw, wide}, {alaw, wide}} {
		sa, sb := must(t, e), must(t, e)
		sa.Agree(agreed(1000, f[0]))
		sb.Agree(agreed(2000, f[1]))
		if err := sa.Connect(sb); err != nil {
			t.Fatal(err)
		}
		h, from, seq := new(header), netip.AddrPortFrom(loopback, 1000), uint16(0)
		buf := make([]byte, 1500)
		for _, n := range []int{0, 1, 80, 159, 160, 161, 480, 1488} {
			p := packet(f[0].RecvPT, 0, 0, 1, make([]byte, n))
			if allocs := testing.AllocsPerRun(100, func() { // so many that what the runtime does meanwhile makes no difference
				b := buf[:copy(buf, p)]
				b[2], b[3] = byte(seq>>8), byte(seq)
				seq++
				sa.arrived(b, false, from, e.now(), h, &e.counters)
			}); allocs != 0 {
				t.Errorf("%s, %d octets: %v allocations", f[0].Name, n, allocs)
			}
		}
		if got := sb.Stats().PacketsOut; got != uint64(seq) {
			t.Errorf("%d of %d packets", got, seq)
		}
	}
}
