package archive

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/media/wav"
	"ringback/pbx"
)

// listen hears a sound to its end, a frame each 20 ms.
func listen(s media.Sound) (all []int16) {
	dst := make([]int16, media.FrameSamples)
	for s.Frame(dst) {
		all = append(all, dst...)
		time.Sleep(20 * time.Millisecond)
	}
	return all
}

func TestMessagesAndGreetingsAreHeard(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		for _, samples := range []int{1, 159, 160, 161, ahead / 2, ahead/2 + 1, ahead, 11*wav.Rate + 7} {
			if err := a.PutGreeting(t.Context(), "*1", pbx.GreetName, wavOf(samples)); err != nil {
				t.Fatal(err)
			}
			s := a.Sound("greeting:*1:name")
			if s == nil {
				t.Fatal(samples, "samples are not heard")
			}
			heard := listen(s)
			want := ramp(0, samples)
			if n := (samples + 159) / 160 * 160; len(heard) != n || !slices.Equal(heard[:samples], want) || slices.ContainsFunc(heard[samples:], func(v int16) bool { return v != 0 }) {
				t.Error(samples, "samples:", len(heard), "are heard")
			}
			if s.Frame(make([]int16, media.FrameSamples)) {
				t.Error("after its end")
			}
		}
		id := leave(t, a, "1000", 9)
		if heard := listen(a.Sound("message:1000:" + id)); !slices.Equal(heard, ramp(0, 9*wav.Rate)) {
			t.Error("another message", len(heard))
		}
		for _, prompt := range []string{"message:1001:" + id, "greeting:1000:busy", "closed", "message:1000"} {
			if a.Sound(prompt) != nil {
				t.Error(prompt)
			}
		}
	})
}

func TestASoundThatIsRemovedEnds(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id := leave(t, a, "1000", 60)
		s := a.Sound("message:1000:" + id)
		if err := a.Remove(t.Context(), "1000", id); err != nil {
			t.Fatal(err)
		}
		if n := len(listen(s)); n < wav.Rate || n > 10*wav.Rate {
			t.Error(n)
		}
	})
}

// A frame never waits: where the disk is late there is silence, and where it does not come at all an end.
func TestASoundOfADiskThatHangs(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		id := leave(t, a, "1000", 20)
		s := a.Sound("message:1000:" + id)
		dst := make([]int16, media.FrameSamples)
		hold := make(chan struct{})
		d.set(func() { d.hold = hold })
		began, n, silent := time.Now(), 0, 0
		frame := func() bool {
			if !s.Frame(dst) {
				return false
			}
			n++
			if slices.Max(dst) == 0 && slices.Min(dst) == 0 {
				silent++
			}
			time.Sleep(20 * time.Millisecond)
			return true
		}
		for silent < 50 && frame() {
		}
		if took := time.Since(began); n != 250 || took != 5*time.Second {
			t.Error("4 s, and one of silence:", n, silent, took)
		}
		close(hold)
		d.set(func() { d.hold = nil })
		synctest.Wait()
		for frame() {
		}
		if n != 20*50+50 || silent != 50 {
			t.Error("it goes on where it was:", n, silent)
		}

		s = a.Sound("message:1000:" + id)
		hold = make(chan struct{})
		d.set(func() { d.hold = hold })
		if heard := listen(s); len(heard) != 6*wav.Rate {
			t.Error("its end:", len(heard))
		}
		close(hold)
		d.set(func() { d.hold = nil })
		d.set(func() { d.bad["read"] = syscall.EIO })
		if a.Sound("message:1000:"+id) != nil {
			t.Error("it cannot be read")
		}
	})
}

func TestAFileOfSomebodyElseIsNotPlayed(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		put(t, a, "1000", pbx.GreetBusy, 1)
		name := filepath.Join(a.opts.Dir, filepath.FromSlash(greetingPath("1000", pbx.GreetBusy)))
		for what, file := range map[string]string{"nothing": "", "text": "hello", "stereo": string(wav.AppendHeader(nil, 2, 8000, 4)) + "abcd", "cut": string(wav.AppendHeader(nil, 1, 8000, 100)) + "ab"} {
			if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
				t.Fatal(err)
			}
			if a.Sound("greeting:1000:busy") != nil {
				t.Error(what)
			}
		}
		outside := filepath.Join(t.TempDir(), "secret.wav")
		if err := os.WriteFile(outside, wavOf(wav.Rate).Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for what, make := range map[string]func() error{
			"link": func() error { return os.Symlink(outside, name) }, "pipe": func() error { return syscall.Mkfifo(name, 0o600) }, "folder": func() error { return os.Mkdir(name, 0o700) },
		} {
			_ = os.Remove(name)
			if err := make(); err != nil {
				t.Fatal(err)
			}
			if a.Sound("greeting:1000:busy") != nil || opened(a.Greeting("1000", pbx.GreetBusy)) == nil {
				t.Error("a", what, "is opened")
			}
		}
	})
}
