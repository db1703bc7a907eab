package pbxtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// Key is a key that was pressed at the other end (RFC 4733).
type Key struct {
	Digit    byte // '0'–'9', '*', '#', 'A'–'D', or '?' for other events
	Duration time.Duration
	At       time.Time
	ended    bool
	ts       uint32
}

const digits = "0123456789*#ABCD"

// keyPress is a key that is being sent, or waits.
type keyPress struct {
	event   byte
	ticks   int // how long it is pressed, in packets
	done    int // packets sent
	ts      uint32
	pause   int // ticks of silence behind it
	started bool
}

// Press sends keys by RFC 4733, each for 100 ms with a pause of 60 ms, and returns when they have been sent, or
// the call has ended.
func (l *CallLeg) Press(ctx context.Context, keys string) error {
	a := l.audio
	a.mu.Lock()
	if a.event.name == "" {
		a.mu.Unlock()
		return fmt.Errorf("%s: telephone-event was not agreed", l)
	}
	for _, k := range []byte(keys) {
		i := strings.IndexByte(digits, k)
		if i < 0 {
			a.mu.Unlock()
			return fmt.Errorf("no such key: %q", k)
		}
		a.keys = append(a.keys, keyPress{event: byte(i), ticks: 5, pause: 3})
	}
	a.mu.Unlock()
	for {
		a.mu.Lock()
		left := len(a.keys)
		a.mu.Unlock()
		if left == 0 || l.State() == "end" {
			return nil
		}
		if !wait(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// PressByInfo sends keys by INFO, each when the one before was answered (application/dtmf-relay).
func (l *CallLeg) PressByInfo(ctx context.Context, keys string) error {
	for _, k := range keys {
		if err := l.Info(ctx, "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", k)); err != nil {
			return err
		}
	}
	return nil
}

// nextEvent makes the next packet of a key press (RFC 4733 §2.5.1): same timestamp, growing duration, the end three
// times. It needs a.mu.
func (a *Audio) nextEvent(b []byte, ts uint32) []byte {
	k := &a.keys[0]
	first := !k.started
	if first {
		k.started, k.ts = true, ts
	}
	k.done++
	if k.done > k.ticks+2 {
		if k.done >= k.ticks+2+k.pause {
			a.keys = a.keys[1:]
			a.marker = true
		}
		return b
	}
	end, duration := byte(0), uint16(min(k.done, k.ticks)*frameSize)
	if k.done >= k.ticks {
		end = 0x80
	}
	b = a.header(b, first, a.event.pt, k.ts)
	b = append(b, k.event, end|10)
	return binary.BigEndian.AppendUint16(b, duration)
}

// takeEvent counts each event once, however often its packets come. It needs a.mu.
func (a *Audio) takeEvent(payload []byte, f frame) string {
	if len(payload) < 4 {
		return "a telephone-event shorter than 4 bytes"
	}
	end := payload[1]&0x80 != 0
	duration := time.Duration(binary.BigEndian.Uint16(payload[2:])) * time.Second / rate
	digit := byte('?')
	if int(payload[0]) < len(digits) {
		digit = digits[payload[0]]
	}
	if a.have && f.ssrc != a.last.ssrc {
		return fmt.Sprintf("a telephone-event has the SSRC %08x, the sound %08x", f.ssrc, a.last.ssrc)
	}
	if !a.eventTS[f.ts] {
		a.eventTS[f.ts] = true
		a.pressed = append(a.pressed, Key{Digit: digit, Duration: duration, At: f.at, ended: end, ts: f.ts})
	} else {
		for i := range a.pressed {
			if k := &a.pressed[i]; k.ts == f.ts {
				k.Duration, k.ended = max(k.Duration, duration), k.ended || end
				if k.Digit != digit {
					return fmt.Sprintf("the key changes from %c to %c within an event", k.Digit, digit)
				}
			}
		}
	}
	if a.have && int16(f.seq-a.last.seq) > 0 {
		a.last.seq = f.seq // events and sound share their sequence numbers
	}
	return ""
}

// Keys are the keys heard so far, those that have ended.
func (l *CallLeg) Keys() []Key {
	l.audio.mu.Lock()
	defer l.audio.mu.Unlock()
	var all []Key
	for _, k := range l.audio.pressed {
		if k.ended {
			all = append(all, k)
		}
	}
	return all
}

// KeysHeard are the keys heard so far, as text.
func (l *CallLeg) KeysHeard() string {
	var b strings.Builder
	for _, k := range l.Keys() {
		b.WriteByte(k.Digit)
	}
	return b.String()
}

// HearsKeys waits until exactly these keys were heard since the call began.
func (l *CallLeg) HearsKeys(ctx context.Context, keys string) error {
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Phone.c.Patience)
		defer cancel()
	}
	for l.KeysHeard() != keys {
		if !wait(ctx, 20*time.Millisecond) {
			return fmt.Errorf("%s heard the keys %q and not %q", l, l.KeysHeard(), keys)
		}
	}
	return nil
}
