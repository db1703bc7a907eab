package mix

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// wait is how long the sound of a packet waits that comes now, in ms.
func (v *Voice) wait() float64 { return float64(int32(v.newest-v.at)) / ms }

// A packet that comes in time is on its way again within 30 ms, at whatever moment of a frame it comes.
func TestShortDelay(t *testing.T) {
	for phase := 0.; phase < 20; phase += .25 {
		var v Voice
		v.Use(ULaw)
		v.Take(0)
		for i := range 100 {
			at := phase + float64(i*20)
			v.Put(uint32(i*160), wave(ULaw, nil, hz, i*160, 160), int64(at*1e6))
			out := float64(v.due) / 1e6
			if int32(v.newest-v.at) > Frame {
				out += 20 // its end is sent with the frame after the next
			}
			if out-at > 30 {
				t.Fatalf("phase %v: packet %d waits %.1f ms", phase, i, out-at)
			}
			v.Take(int64(20*(i+1)) * 1e6)
		}
		if c := v.Counts; c.Late+c.Duplicate+c.Excess+c.Resets+c.Concealed != 0 {
			t.Errorf("phase %v: %+v", phase, c)
		}
	}
}

// talk sends 20 ms packets of a tone, with a pause each second if there are any, with some jitter in ms.
func talk(v *Voice, rnd *rand.Rand, seconds int, from *int, jitter float64, pauses bool) (sharp int) {
	var last []int16
	type arrival struct {
		at float64
		i  int
	}
	var due []arrival
	first := *from
	for i := first; i < first+50*seconds; i++ {
		due = append(due, arrival{float64(20*i) + 1 + rnd.Float64()*jitter, i})
	}
	for now := float64(20 * first); now < float64(20*(first+50*seconds)); now += 20 {
		if low, _ := v.Take(int64(now * 1e6)); low != nil {
			sharp = max(sharp, sharpest(append(last, low...)))
			last = append(last[:0], low[Frame-1])
		}
		for k := 0; k < len(due); k++ {
			if due[k].at >= now+20 {
				continue
			}
			b := wave(ULaw, nil, hz, due[k].i*160, 160)
			if pauses && due[k].i%50 > 35 {
				for j := range b {
					b[j] = 0xff
				}
			}
			v.Put(uint32(due[k].i*160), b, int64(due[k].at*1e6))
			due = append(due[:k], due[k+1:]...)
			k--
		}
	}
	*from += 50 * seconds
	return sharp
}

// The delay grows with jitter, so that little is lost, and shrinks when the jitter ends.
func TestDelayAdapts(t *testing.T) {
	for _, pauses := range []bool{true, false} {
		rnd := rand.New(rand.NewPCG(3, 4))
		var v Voice
		v.Use(ULaw)
		at := 0
		sharp := talk(&v, rnd, 5, &at, 0, pauses)
		if w := v.wait(); w > 41 || v.Late != 0 {
			t.Errorf("pauses %v, without jitter: %.0f ms, %+v", pauses, w, v.Counts)
		}
		sharp = max(sharp, talk(&v, rnd, 5, &at, 80, pauses))
		before := v.Counts
		sharp = max(sharp, talk(&v, rnd, 20, &at, 80, pauses))
		if late, made := v.Late-before.Late, v.Concealed-before.Concealed; late > 15 || made > 30*Frame {
			t.Errorf("pauses %v, jitter of 80 ms: %d late, %d ms made up for, of 1000 packets", pauses, late, made/ms)
		}
		if w := v.wait(); w < 40 || w > 200 {
			t.Errorf("pauses %v, jitter of 80 ms: %.0f ms", pauses, w)
		}
		sharp = max(sharp, talk(&v, rnd, 30, &at, 0, pauses))
		if w := v.wait(); w > 60 {
			t.Errorf("pauses %v, long after jitter: %.0f ms", pauses, w)
		}
		if float64(sharp) > 1.6*natural && !pauses { // a pause begins in the midst of the tone
			t.Errorf("a change by %d", sharp)
		}
	}
}

// However much comes, no more than 200 ms wait.
func TestDelayIsBounded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var v Voice
	v.Use(ALaw)
	ts := uint32(0)
	b := make([]byte, 160)
	for now := int64(0); now < 60e9; now += 20e6 {
		for range rnd.IntN(4) {
			v.Put(ts, b, now)
			ts += 160
		}
		v.Take(now)
		if w := v.wait(); w > 200 {
			t.Fatalf("%.0f ms wait", w)
		}
	}
	if v.Excess == 0 {
		t.Error("nothing was too much")
	}
}

// Any headers at any time: nothing grows, hangs or is out of bounds, and a source that is steady afterwards is heard.
func FuzzVoice(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 160, 1, 0, 0, 0, 160, 160, 2})
	f.Add([]byte{0xff, 0xff, 0xff, 0, 200, 1, 0, 0, 0, 0, 1, 0, 0x80, 0, 0, 0, 255, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		var v Voice
		now := int64(0)
		data = data[:min(len(data), 3000)]
		octets := make([]byte, 2048)
		for len(data) >= 6 {
			ts, n, what := binary.BigEndian.Uint32(data), int(data[4]), data[5]
			data = data[6:]
			switch what & 7 {
			case 0:
				v.Reset()
			case 1:
				v.ComfortNoise(byte(n))
			case 2:
				v.Use(Codec(n % 4))
			case 3:
				ts >>= 20
				n *= 8
			}
			v.Put(ts, octets[:n], now)
			now += int64(what>>3) * 2e6
			for v.due <= now {
				low, high := v.Take(v.due)
				if low != nil && len(low) != Frame || high != nil && len(high) != Frame {
					t.Fatalf("frames of %d, %d", len(low), len(high))
				}
			}
			if w := v.wait(); v.started && (w > 2*200 || w < -1e5) {
				t.Fatalf("%.0f ms wait", w)
			}
		}
		v.Use(ULaw)
		heard := 0
		for i := range 40 {
			v.Put(uint32(i*160), wave(ULaw, nil, hz, i*160, 160), now)
			if low, _ := v.Take(v.due); low != nil && meanSquare(low) > 1e6 {
				heard++
			}
			now = v.due
		}
		if heard < 30 {
			t.Fatalf("heard %d of 40 frames afterwards", heard)
		}
	})
}

// A phone whose clock is fast or slow is heard with the same delay after ten minutes as in the first: two of them stay in step.
func TestClocksThatDrift(t *testing.T) {
	for _, pauses := range []bool{true, false} {
		for _, ppm := range []float64{0, 100, -100, 1000, -1000} {
			var v Voice
			v.Use(ULaw)
			period := 20e6 / (1 + ppm/1e6) // ns from packet to packet
			delay := [10]float64{}         // ms, of the clicks at each full second, by minute
			sent, heard := 3e6, int64(-1)
			for i, now := 0, int64(0); now < 600e9; now += 20e6 {
				for ; sent <= float64(now); sent += period {
					b := make([]byte, 160)
					for k := range b {
						switch _, at := math.Modf((sent - period + float64(k)*period/160) / 1e9); {
						case at < .02:
							b[k] = 0x00
						case pauses && at > .6:
							b[k] = 0xff
						default:
							b[k] = 0x9f
						}
					}
					v.Put(uint32(160*i), b, int64(sent))
					i++
				}
				low, _ := v.Take(now)
				for k, x := range low {
					at := now + int64(k)*1e9/Rate
					if x < -30000 && at/1e9 > heard {
						heard = at / 1e9
						delay[heard/60] = max(delay[heard/60], float64(at%1e9)/1e6)
					}
				}
			}
			if v.Late+v.Excess+v.Resets > 0 || heard != 599 {
				t.Errorf("pauses %v, %+.0f ppm: %+v, the last click at %d s", pauses, ppm, v.Counts, heard)
			}
			for minute, d := range delay {
				if d < 20 || d > 70 {
					t.Errorf("pauses %v, %+.0f ppm: %.0f ms in minute %d", pauses, ppm, d, minute)
				}
			}
		}
	}
}
