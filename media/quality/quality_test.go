package quality

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s is %.4f, not %.4f within %g", what, got, want, within)
	}
}

// G.107 §7.7: with all defaults R is 93.2; the intermediate values are those that follow from Table 2.
func TestDefaults(t *testing.T) {
	near(t, "No", no, -61.18, 0.01)
	near(t, "Ro", ro, 94.77, 0.01)
	near(t, "Is", simultaneous(0), 1.41, 0.01)
	near(t, "R", R(Path{}), 93.2062, 0.0001)
	near(t, "MOS", MOS(R(Path{})), 4.41, 0.005)
}

// G.107 Table B.1 (the same as G.109 Table 1 with its categories): lower limits of R, and MOS_CQE there.
func TestMOSOfTable(t *testing.T) {
	for r, want := range map[float64]float64{90: 4.34, 80: 4.03, 70: 3.60, 60: 3.10, 50: 2.58, 0: 1, -5: 1, 100: 4.5, 120: 4.5} {
		near(t, "MOS", MOS(r), want, 0.0065) // the table has 4.03 for 4.024
	}
}

// Cole and Rosenbluth fitted Id of the same model, for the same defaults, by two straight lines:
// 0.024 d + 0.11 (d - 177.3) where d > 177.3 (Voice over IP performance monitoring, 2001).
func TestDelayAgainstTheFit(t *testing.T) {
	for _, d := range []float64{20, 50, 100, 150, 177, 200, 250, 300, 350} {
		near(t, "Id", delay(d)-delay(0), 0.024*d+0.11*max(d-177.3, 0), 2)
	}
}

// G.107 §7.5 by hand: Ie,eff = Ie + (95 - Ie) Ppl / (Ppl/BurstR + Bpl).
func TestEquipment(t *testing.T) {
	for _, c := range []struct {
		codec              string
		loss, burst, wants float64
	}{
		{"PCMU", 0, 1, 0},
		{"PCMA", 0.01, 1, 95 * 1 / (1 + 25.1)},
		{"pcmu", 0.05, 1, 95 * 5 / (5 + 25.1)},
		{"PCMU", 0.05, 2, 95 * 5 / (2.5 + 25.1)},
		{"PCMU", 0.05, 0, 95 * 5 / (5 + 25.1)},
		{"G729", 0, 1, 11},
		{"G729", 0.02, 1, 11 + 84*2/(2+19.)},
		{"GSM-EFR", 0.03, 1, 5 + 90*3/(3+10.)},
		{"PCMU", 1, 1, 95 * 100 / (100 + 25.1)},
	} {
		codec, known := CodecOf(c.codec)
		if !known {
			t.Fatalf("%s is not known", c.codec)
		}
		near(t, c.codec, equipment(Path{Codec: codec, Loss: c.loss, BurstR: c.burst}), c.wants, 1e-9)
	}
}

func TestCodecs(t *testing.T) {
	for name, c := range codecs {
		if c.Bpl <= 0 || c.Ie < 0 || c.Ie >= 95 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if _, known := CodecOf("telephone-event"); known {
		t.Error("telephone-event is no speech")
	}
}

func TestBurstR(t *testing.T) {
	for _, c := range []struct {
		received, lost, gaps uint64
		want                 float64
	}{
		{100, 0, 0, 1}, {100, 10, 0, 1}, {90, 10, 10, 1}, {90, 10, 5, 1.8}, {90, 10, 1, 9}, {90, 10, 1000, 1},
	} {
		near(t, "BurstR", Sample{Received: c.received, Lost: c.lost, Gaps: c.gaps}.BurstR(), c.want, 1e-9)
	}
	// Loss of each packet by itself has a burst ratio of about 1, as the definition says.
	random := rand.New(rand.NewPCG(1, 2))
	s, before := Sample{}, false
	for range 200_000 {
		lost := random.Float64() < 0.2
		switch {
		case !lost:
			s.Received++
		case !before:
			s.Gaps++
			fallthrough
		default:
			s.Lost++
		}
		before = lost
	}
	near(t, "BurstR of random loss", s.BurstR(), 1, 0.02)
}

func TestDelay(t *testing.T) {
	for _, c := range []struct {
		s    Sample
		want time.Duration
	}{
		{Sample{Codec: "PCMU"}, 40 * ms},
		{Sample{Codec: "G729", RoundTrip: 100 * ms, Jitter: 10 * ms}, (20 + 5 + 50 + 30) * ms},
		{Sample{Codec: "PCMA", Packet: 60 * ms, Jitter: 5 * ms}, 120 * ms},
		{Sample{Codec: "PCMA", RoundTrip: -time.Second, Jitter: -time.Second, Packet: -1}, 40 * ms},
	} {
		if got := c.s.Delay(); got != c.want {
			t.Errorf("%+v: %v, not %v", c.s, got, c.want)
		}
	}
}

func TestSample(t *testing.T) {
	for _, c := range []struct {
		name     string
		s        Sample
		from, to float64
	}{
		{"clean G.711", Sample{Codec: "PCMU", Received: 3000}, 4.37, 4.40},
		{"clean G.711 over 300 ms there and back", Sample{Codec: "PCMA", Received: 3000, RoundTrip: 300 * ms}, 4.15, 4.3},
		{"a satellite", Sample{Codec: "PCMA", Received: 3000, RoundTrip: 600 * ms}, 2.9, 3.7},
		{"clean G.729", Sample{Codec: "G729", Received: 3000}, 4.0, 4.15},
		{"1 % lost", Sample{Codec: "PCMU", Received: 2970, Lost: 30, Gaps: 30}, 4.2, 4.35},
		{"5 % lost", Sample{Codec: "PCMU", Received: 2850, Lost: 150, Gaps: 150}, 3.7, 3.9},
		{"20 % lost", Sample{Codec: "PCMU", Received: 2400, Lost: 600, Gaps: 600}, 2.2, 2.6},
		{"nothing came", Sample{Codec: "PCMU", Lost: 3000}, 1, 1.5},
		{"too few", Sample{Codec: "PCMU", Received: Enough - 1}, 0, 0},
		{"just enough", Sample{Codec: "PCMU", Received: Enough}, 4.37, 4.40},
		{"nothing was known of it", Sample{Codec: "x-own", Received: 3000}, 0, 0},
		{"no sound", Sample{Received: 3000}, 0, 0},
	} {
		if got := c.s.MOS(); got < c.from || got > c.to {
			t.Errorf("%s: %.2f, not %.2f to %.2f", c.name, got, c.from, c.to)
		}
	}
}

// Whatever is worse of a path does not make its score better, and a score is never outside 1 to 4.5.
func TestMonotonous(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		p := Path{
			Codec:  Codec{Ie: 40 * random.Float64(), Bpl: 1 + 30*random.Float64()},
			Loss:   random.Float64() * random.Float64(),
			BurstR: 1 + 4*random.Float64(),
			Delay:  time.Duration(float64(time.Second) * random.Float64() * random.Float64()),
		}
		was := MOS(R(p))
		if !(was >= 1 && was <= 4.5) {
			t.Fatalf("%+v: MOS %v", p, was)
		}
		worse := []Path{p, p, p, p, p}
		worse[0].Loss = min(p.Loss+random.Float64()/10, 1)
		worse[1].BurstR += random.Float64()
		worse[2].Delay += time.Duration(float64(200*ms) * random.Float64())
		worse[3].Codec.Ie += 10 * random.Float64()
		worse[4].Codec.Bpl *= random.Float64()
		for i, w := range worse {
			if now := MOS(R(w)); now > was+1e-9 {
				t.Fatalf("%d: %+v has %.4f, %+v has %.4f", i, p, was, w, now)
			}
		}
	}
	for r, was := 0., 0.; r <= 100; r += 0.01 {
		now := MOS(r)
		if now < was {
			t.Fatalf("MOS falls at R = %v", r)
		}
		was = now
	}
}

// FuzzMOS: whatever a receiver has counted, there is a score or none.
func FuzzMOS(f *testing.F) {
	f.Add("PCMU", uint64(100), uint64(3), uint64(2), int64(20*ms), int64(ms), int64(20*ms))
	f.Add("opus", uint64(math.MaxUint64), uint64(math.MaxUint64), uint64(1), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, codec string, received, lost, gaps uint64, trip, jitter, packet int64) {
		s := Sample{codec, received, lost, gaps, time.Duration(jitter), time.Duration(trip), time.Duration(packet)}
		if m := s.MOS(); m != 0 && !(m >= 1 && m <= 4.5) {
			t.Errorf("%+v: %v", s, m)
		}
	})
}

func BenchmarkMOS(b *testing.B) {
	b.ReportAllocs()
	s := Sample{Codec: "PCMU", Received: 2950, Lost: 50, Gaps: 40, Jitter: 3 * ms, RoundTrip: 80 * ms}
	for b.Loop() {
		if s.MOS() == 0 {
			b.Fatal("no score")
		}
	}
}
