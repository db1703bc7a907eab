package pbxtest

import (
	"context"
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"time"
)

// Heard is what came in a stretch of time.
type Heard struct {
	Duration  time.Duration
	Packets   int
	Lost      int // gaps in the sequence numbers
	Twice     int // packets that came twice
	Late      int // packets that were overtaken
	Codecs    []string
	SSRCs     []uint32
	From      []netip.AddrPort
	Samples   []int16 // in the order of sequence numbers
	PacketGap time.Duration
}

// String is what a person wants to know.
func (h Heard) String() string {
	return fmt.Sprintf("%d packets in %v (%s), %d lost, %d twice, %d late, %.0f dB", h.Packets, h.Duration.Round(time.Millisecond),
		strings.Join(h.Codecs, " "), h.Lost, h.Twice, h.Late, Loudness(h.Samples))
}

// Level is how loud a frequency is, in dB below full scale.
func (h Heard) Level(frequency float64) float64 { return Level(h.Samples, frequency) }

// Hears reports whether the tone is there.
func (h Heard) Hears(frequency float64) bool { return h.Level(frequency) > audible }

// Silent reports whether nothing can be heard: no packets, or silence in them.
func (h Heard) Silent() bool { return Loudness(h.Samples) < quiet }

// Listen waits for d and returns what came meanwhile.
func (l *CallLeg) Listen(ctx context.Context, d time.Duration) Heard {
	start := time.Now()
	wait(ctx, d)
	return l.heard(start, time.Now())
}

// Heard is what came since a time, of the last 30 seconds.
func (l *CallLeg) Heard(since time.Time) Heard { return l.heard(since, time.Now()) }

func (l *CallLeg) heard(from, to time.Time) Heard {
	a := l.audio
	a.mu.Lock()
	var all []frame
	for _, f := range a.got {
		if !f.at.Before(from) && !f.at.After(to) {
			all = append(all, f)
		}
	}
	a.mu.Unlock()
	h := Heard{Duration: to.Sub(from), Packets: len(all)}
	last := from
	for i, f := range all {
		h.Codecs = add(h.Codecs, f.codec)
		h.SSRCs = add(h.SSRCs, f.ssrc)
		h.From = add(h.From, f.from)
		h.PacketGap = max(h.PacketGap, f.at.Sub(last))
		last = f.at
		if i > 0 && int16(f.seq-all[i-1].seq) < 0 {
			h.Late++
		}
	}
	h.PacketGap = max(h.PacketGap, to.Sub(last))
	if len(all) == 0 {
		return h
	}
	first := all[0].seq
	sort.SliceStable(all, func(i, j int) bool { return int16(all[i].seq-first) < int16(all[j].seq-first) })
	for i, f := range all {
		if i > 0 {
			prev := all[i-1]
			switch {
			case f.ssrc != prev.ssrc:
			case f.seq == prev.seq:
				h.Twice++
				continue
			default:
				missing := int(f.seq-prev.seq) - 1
				if missing < 100 && int32(f.ts-prev.ts) <= int32(missing+1)*frameSize { // events take sequence numbers, too
					h.Lost += missing
				}
			}
		}
		h.Samples = append(h.Samples, f.samples...)
	}
	return h
}

func add[T comparable](all []T, v T) []T {
	for _, have := range all {
		if have == v {
			return all
		}
	}
	return append(all, v)
}

// Hears waits until the last 300 ms have all of these tones and no others of note; without tones, until they are silent.
func (l *CallLeg) Hears(ctx context.Context, frequencies ...float64) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Phone.c.Patience)
		defer cancel()
	}
	began := time.Now()
	for {
		now := time.Now()
		h := l.heard(now.Add(-300*time.Millisecond), now)
		if now.Sub(began) >= 300*time.Millisecond && h.only(frequencies) {
			return nil
		}
		if !wait(ctx, 50*time.Millisecond) {
			want := "silence"
			if len(frequencies) > 0 {
				want = fmt.Sprintf("%v Hz", frequencies)
			}
			return fmt.Errorf("%s hears no %s: %s%s", l, want, h, h.tones())
		}
	}
}

// HearsTone waits for a tone, however short: 100 ms that have all of these frequencies and no others of note. It looks at
// what came since half a second ago.
func (l *CallLeg) HearsTone(ctx context.Context, frequencies ...float64) error {
	return l.hearsSoon(ctx, fmt.Sprintf("tone of %v Hz", frequencies), func(h Heard) bool { return h.has(frequencies) })
}

// HearsInOrder is HearsTone for several tones, one after the other, with whatever between them.
func (l *CallLeg) HearsInOrder(ctx context.Context, tones ...[]float64) error {
	return l.hearsSoon(ctx, fmt.Sprintf("tones of %v Hz in this order", tones), func(h Heard) bool {
		at, ok := 0, true
		for _, frequencies := range tones {
			if at, ok = h.find(at, frequencies); !ok {
				return false
			}
		}
		return true
	})
}

// HearsSound waits until anything can be heard. It looks at what came since half a second ago.
func (l *CallLeg) HearsSound(ctx context.Context) error {
	return l.hearsSoon(ctx, "sound", func(h Heard) bool { return len(h.Samples) > 0 && !h.Silent() })
}

func (l *CallLeg) hearsSoon(ctx context.Context, what string, there func(Heard) bool) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Phone.c.Patience)
		defer cancel()
	}
	since := time.Now().Add(-500 * time.Millisecond)
	for !there(l.Heard(since)) {
		if !wait(ctx, 100*time.Millisecond) {
			h := l.Heard(since)
			return fmt.Errorf("%s hears no %s: %s%s", l, what, h, h.tones())
		}
	}
	return nil
}

// find is behind the first 100 ms, from a sample on, that have just these tones.
func (h Heard) find(from int, frequencies []float64) (end int, found bool) {
	for ; from+block <= len(h.Samples); from += frameSize {
		if (Heard{Samples: h.Samples[from : from+block]}).only(frequencies) {
			return from + block, true
		}
	}
	return 0, false
}

func (h Heard) has(frequencies []float64) bool {
	_, found := h.find(0, frequencies)
	return found
}

// only: these tones are all there is.
func (h Heard) only(frequencies []float64) bool {
	if len(frequencies) == 0 {
		return h.Silent()
	}
	power := 0.0
	for _, f := range frequencies {
		level := h.Level(f)
		if level <= audible {
			return false
		}
		power += fromDecibel(level)
	}
	return power > 0.7*fromDecibel(Loudness(h.Samples))
}

// tones lists what can be heard, of the frequencies that are multiples of 10 Hz.
func (h Heard) tones() string {
	var all []string
	for f := 100.0; f <= 3400; f += 10 {
		if level := h.Level(f); level > audible && level > h.Level(f-10) && level >= h.Level(f+10) {
			all = append(all, fmt.Sprintf("%.0f", f))
		}
	}
	if all == nil {
		return ""
	}
	return "; tones at " + strings.Join(all, ", ") + " Hz"
}
