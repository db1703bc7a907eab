package archive

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// wavOf is a WAV file of so many samples.
func wavOf(samples int) *bytes.Buffer {
	var b bytes.Buffer
	_ = wav.WritePCM(&b, ramp(0, samples), wav.Rate)
	return &b
}

// put gives a mailbox a greeting.
func put(t testing.TB, a *Archive, mailbox string, g pbx.Greeting, seconds int) {
	t.Helper()
	if err := a.PutGreeting(t.Context(), mailbox, g, wavOf(seconds*wav.Rate)); err != nil {
		t.Fatal(err)
	}
}

func greetingLength(t testing.TB, a *Archive, mailbox string, g pbx.Greeting) time.Duration {
	t.Helper()
	f, size, _, err := a.Greeting(mailbox, g)
	if err != nil {
		t.Fatal(err)
	}
	return lengthOf(2*int64(len(sound(t, f, size, 1))), 1)
}

func TestGreetings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, rows := t.TempDir(), newTable()
		a := open(t, Options{Dir: dir, Rows: rows, Changed: func(string) { t.Error("no message has changed") }})
		ctx := t.Context()
		if a.HasGreeting("1000", pbx.GreetBusy) || !errors.Is(opened(a.Greeting("1000", pbx.GreetBusy)), pbx.ErrNoSuchSound) || a.RemoveGreeting(ctx, "1000", pbx.GreetBusy) != nil {
			t.Error("there is none yet")
		}
		tape, err := a.Greet(ctx, "1000", pbx.GreetBusy)
		if err != nil {
			t.Fatal(err)
		}
		write(tape, ramp(0, 2*wav.Rate), 1)
		if a.HasGreeting("1000", pbx.GreetBusy) {
			t.Error("before Keep")
		}
		if err := tape.Keep(ctx); err != nil || !a.HasGreeting("1000", pbx.GreetBusy) || a.HasGreeting("1000", pbx.GreetName) {
			t.Fatal(err)
		}
		if n := greetingLength(t, a, "1000", pbx.GreetBusy); n != 2*time.Second {
			t.Error(n)
		}
		other, err := a.Greet(ctx, "1000", pbx.GreetBusy)
		if err != nil {
			t.Fatal(err)
		}
		write(other, ramp(0, wav.Rate), 1)
		other.Drop()
		if err := other.Keep(ctx); err != errDropped || greetingLength(t, a, "1000", pbx.GreetBusy) != 2*time.Second {
			t.Error("what was dropped took the place of the one before:", err)
		}

		var wide bytes.Buffer // 3 s at 16 kHz
		if err := errors.Join(wav.WritePCM(&wide, ramp(0, 3*16000), 16000), a.PutGreeting(ctx, "1000", pbx.GreetBusy, &wide)); err != nil {
			t.Fatal(err)
		}
		if n := greetingLength(t, a, "1000", pbx.GreetBusy); n != 3*time.Second {
			t.Error(n)
		}
		var long bytes.Buffer
		if err := wav.WritePCM(&long, make([]int16, 181*wav.Rate), wav.Rate); err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string]string{"MP3": "ID3\x04 and so on", "nothing": "", "long": long.String(), "no sound": string(wav.AppendHeader(nil, 1, 8000, 0))} {
			var refused wav.Refused
			if err := a.PutGreeting(ctx, "1000", pbx.GreetBusy, strings.NewReader(bad)); !errors.As(err, &refused) || greetingLength(t, a, "1000", pbx.GreetBusy) != 3*time.Second {
				t.Error(name, err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		if err := a.PutGreeting(ctx, "1000", pbx.GreetBusy, strings.NewReader("")); err == nil {
			t.Error("closed")
		}
		a = open(t, Options{Dir: dir, Rows: rows})
		if !a.HasGreeting("1000", pbx.GreetBusy) || a.HasGreeting("1000", pbx.GreetName) {
			t.Error("not as before")
		}
		if err := a.RemoveGreeting(ctx, "1000", pbx.GreetBusy); err != nil || a.HasGreeting("1000", pbx.GreetBusy) || len(tree(t, dir)) > 0 {
			t.Error(err, tree(t, dir))
		}
	})
}
