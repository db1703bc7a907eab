package music

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringback/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// studio is a library in virtual time.
type studio struct {
	*testing.T
	*Library
	dir string
	log lines
}

// lines is what is logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func inStudio(t *testing.T, f func(*studio)) {
	dir := filepath.Join(t.TempDir(), "music")
	synctest.Test(t, func(t *testing.T) {
		s := &studio{T: t, dir: dir}
		s.open()
		f(s)
		s.Close()
	})
}

func (s *studio) open() {
	s.Library = Open(s.dir, slog.New(slog.NewTextHandler(&s.log, nil)))
	s.settle()
}

// settle waits for what the library does.
func (s *studio) settle() {
	synctest.Wait()
	s.work.Wait()
}

// put writes a file of so many seconds, each sample of which is the same.
func (s *studio) put(name string, seconds float64, value int16) {
	s.Helper()
	s.write(name, wavOf(slices.Repeat([]int16{value}, int(seconds*rate)), rate))
}

func (s *studio) write(name string, b []byte) {
	s.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		s.Fatal(err)
	}
}

// hear lets time pass and gives what was heard.
func (s *studio) hear(x media.Sound, d time.Duration) []int16 {
	s.Helper()
	var heard []int16
	frame := make([]int16, media.FrameSamples)
	for range d / (20 * time.Millisecond) {
		if !x.Frame(frame) {
			s.Fatal("the music has ended")
		}
		heard = append(heard, frame...)
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
	}
	return heard
}

// tune is a new listener whose class is read or rendered.
func (s *studio) tune(class string) media.Sound {
	s.Class(class)
	s.settle()
	return s.Class(class)
}

func TestOurPieceIsHeardWhereItIsNow(t *testing.T) {
	inStudio(t, func(s *studio) {
		time.Sleep(time.Minute)
		first := s.tune(Default)
		for i, v := range s.hear(first, fadeIn*20*time.Millisecond) {
			if w := piece().samples[60*rate+i]; math.Abs(float64(v)) > math.Abs(float64(w)) {
				t.Fatalf("sample %d of the fade is %d of %d", i, v, w)
			}
		}
		at := 60*rate + fadeIn*media.FrameSamples
		if got := s.hear(first, 20*time.Second); !slices.Equal(got, piece().samples[at:at+20*rate]) {
			t.Error("it is not the piece from its first minute on")
		}
		time.Sleep(10 * time.Second)
		again := s.Class("no-such-class") // held again: ten seconds were missed
		s.hear(again, fadeIn*20*time.Millisecond)
		at += 30*rate + fadeIn*media.FrameSamples
		if got := s.hear(again, time.Second); !slices.Equal(got, piece().samples[at:at+rate]) {
			t.Error("it does not go on where it is now")
		}
	})
}

func TestItGoesRound(t *testing.T) {
	inStudio(t, func(s *studio) {
		x := s.tune(Default)
		n := len(piece().samples)
		heard := s.hear(x, time.Duration(n)*time.Second/rate+10*time.Second)
		if !slices.Equal(heard[n:n+9*rate], piece().samples[:9*rate]) {
			t.Error("after its end it does not begin again")
		}
	})
}

func TestFilesAreHeardInOrder(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.put("spring/2.wav", 2, 2000)
		s.put("spring/1.WAV", 1, 1000)
		s.write("spring/README.txt", []byte("no music"))
		time.Sleep(lookEvery)
		heard := s.hear(s.tune("spring"), 10*time.Second) // the clock is at 2 s
		for second, want := range []int16{2000, 1000, 2000, 2000, 1000} {
			if got := heard[second*rate+rate/2]; got != want {
				t.Errorf("second %d: %d, want %d", second, got, want)
			}
		}
		for i := 1; i < len(heard); i++ { // joints are smooth
			if d := int(heard[i]) - int(heard[i-1]); d > 50 || d < -50 {
				t.Fatalf("a click of %d at sample %d", d, i)
			}
		}
		if got := s.Classes(); !slices.Equal(got, []string{"spring"}) {
			t.Errorf("classes %q", got)
		}
	})
}

func TestOtherRatesAreHeardAsLong(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.write("spring/1.wav", wavOf(slices.Repeat([]int16{3000}, 3*44100), 44100))
		time.Sleep(lookEvery)
		s.tune("spring")
		if n := len(s.programme.Load().tracks["spring"].samples); n != 3*rate {
			t.Errorf("%d samples of 3 s", n)
		}
	})
}

// Whoever listens hears what has changed, without a click.
func TestFilesComeAndGoWhileSomebodyListens(t *testing.T) {
	inStudio(t, func(s *studio) {
		x := s.tune("spring")
		steep := 12000 // as our piece is
		last := func(want int16) {
			t.Helper()
			if got := s.hear(x, 15*time.Second); got[len(got)-rate/2] != want {
				t.Errorf("heard %d, want %d", got[len(got)-rate/2], want)
			} else {
				for i := 1; i < len(got); i++ {
					if d := int(got[i]) - int(got[i-1]); d > steep || d < -steep {
						t.Errorf("a click of %d at sample %d", d, i)
					}
				}
			}
			steep = 50 // files that are constants, faded
		}
		s.put("default/1.wav", 100, 1500)
		last(1500)
		s.put("spring/1.wav", 100, 2500)
		last(2500)
		s.put("spring/1.wav", 101, 3500)
		last(3500)
		if err := os.RemoveAll(filepath.Join(s.dir, "spring")); err != nil {
			t.Fatal(err)
		}
		last(1500)
		if err := os.RemoveAll(s.dir); err != nil {
			t.Fatal(err)
		}
		s.hear(x, 6*time.Second)
		at := int(s.now() % int64(len(piece().samples)))
		if got := s.hear(x, 20*time.Millisecond); !slices.Equal(got, piece().samples[at:at+media.FrameSamples]) {
			t.Error("it is not our piece again")
		}
	})
}

func TestBadFilesAreLeftOutAndToldOnce(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.put("spring/a.wav", 1, 1000)
		s.write("spring/b.wav", []byte("ID3 no WAV at all\n\x1b[2J"))
		s.write("spring/c.wav", nil)
		s.write("broken/a.wav", []byte("RIFF"))
		time.Sleep(lookEvery)
		x := s.tune("spring")
		if got := s.hear(x, 2*time.Second); got[rate+rate/2] != 1000 {
			t.Errorf("the good file is not heard: %d", got[rate+rate/2])
		}
		text := s.log.take()
		if n := strings.Count(text, "left out"); n != 3 || strings.Contains(text, "\x1b") {
			t.Errorf("%d lines:\n%s", n, text)
		}
		s.hear(x, 20*time.Second)
		if text := s.log.take(); text != "" {
			t.Errorf("told again:\n%s", text)
		}
		y := s.tune("broken") // nothing good in it
		s.hear(y, time.Second)
		at := int(s.now() % int64(len(piece().samples)))
		if got := s.hear(y, 20*time.Millisecond); !slices.Equal(got, piece().samples[at:at+media.FrameSamples]) {
			t.Error("a class without a good file is not our piece")
		}
	})
}

func TestOnlyDirectoriesAndFilesOfTheLibraryAreRead(t *testing.T) {
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "1.wav"), wavOf(make([]int16, rate), rate), 0o644); err != nil {
		t.Fatal(err)
	}
	inStudio(t, func(s *studio) {
		for _, name := range []string{"Spring", "a.b", "a b", "späte", strings.Repeat("x", 33)} {
			s.put(name+"/1.wav", 1, 1000)
		}
		s.put("1.wav", 1, 1000)
		if err := os.Symlink(elsewhere, filepath.Join(s.dir, "away")); err != nil {
			t.Fatal(err)
		}
		s.put("spring/sub.wav/1.wav", 1, 1000)
		if err := os.Symlink(filepath.Join(elsewhere, "1.wav"), filepath.Join(s.dir, "spring", "1.wav")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookEvery)
		s.tune(Default)
		if got := s.Classes(); len(got) > 0 {
			t.Errorf("classes %q", got)
		}
	})
}

func TestAClassIsBounded(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.put("spring/1.wav", 8*60, 1000)
		s.put("spring/2.wav", 8*60, 2000)
		s.put("spring/3.wav", 7*60, 3000)
		time.Sleep(lookEvery)
		s.tune("spring")
		if n := len(s.programme.Load().tracks["spring"].samples); n != 15*60*rate {
			t.Errorf("%d s", n/rate)
		}
		if text := s.log.take(); strings.Count(text, "left out") != 1 || !strings.Contains(text, "2.wav") {
			t.Error(text)
		}
	})
}

// A record is as loud as it can be: nobody who waits is startled. What is softer stays as it is.
func TestARecordIsSoftened(t *testing.T) {
	for _, test := range []struct{ amplitude, gap, want float64 }{
		{1, 0, -19}, {1, 0.9, -19}, {0.5, 0, -19}, {0.1, 0, -23}, {0.01, 0, -43},
	} {
		samples := make([]int16, 10*rate)
		for i := range samples {
			if float64(i) >= test.gap*float64(len(samples)) { // before it: silence, which makes nothing softer
				samples[i] = int16(test.amplitude * math.MaxInt16 * math.Sin(2*math.Pi*440*float64(i)/rate))
			}
		}
		inStudio(t, func(s *studio) {
			s.write("spring/1.wav", wavOf(samples, rate))
			time.Sleep(lookEvery)
			s.tune("spring")
			heard := s.programme.Load().tracks["spring"].samples
			sum := 0.0
			last := heard[len(heard)-rate/2 : len(heard)-rate/10]
			for _, v := range last {
				sum += float64(v) * float64(v)
			}
			if got := 10 * math.Log10(sum/float64(len(last))/math.MaxInt16/math.MaxInt16); math.Abs(got-test.want) > 0.5 {
				t.Errorf("%+v: %.1f dBFS", test, got)
			}
		})
	}
}

// Of a directory with a great many files less than a hundredth of the time is spent on reading it.
func TestALookThatTakesLongIsRare(t *testing.T) {
	inStudio(t, func(s *studio) {
		time.Sleep(lookEvery)
		for _, took := range []time.Duration{0, 30 * time.Millisecond, time.Second, time.Hour} {
			s.wait(took)
			want := min(max(lookEvery, 100*took), lookAtMost)
			if d := time.Until(s.next); d != want {
				t.Errorf("after %v it waits for %v, want %v", took, d, want)
			}
		}
	})
}

func TestPrompt(t *testing.T) {
	inStudio(t, func(s *studio) {
		for name, class := range map[string]string{"music": Default, "music:": Default, "music:spring": "spring", "music:../x": "../x"} {
			if x, ok := s.Prompt(name).(*listener); !ok || x.class != class {
				t.Errorf("%s is %v", name, x)
			}
		}
		for _, name := range []string{"", "busy", "musical", "on"} {
			if s.Prompt(name) != nil {
				t.Errorf("%q is music", name)
			}
		}
	})
}

func TestAfterClose(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.put("spring/1.wav", 1, 1000)
		time.Sleep(lookEvery)
		x := s.tune("spring")
		s.Close()
		s.put("spring/1.wav", 2, 2000)
		if got := s.hear(x, 20*time.Second); got[len(got)-rate/2] != 1000 {
			t.Error("it still reads files")
		}
		s.hear(s.Class(Default), time.Second) // silence: it is not rendered any more
	})
}

func TestValidClass(t *testing.T) {
	for name, want := range map[string]bool{"default": true, "a": true, "spring-2": true, "": false, "Spring": false, "a/b": false, "..": false,
		strings.Repeat("a", 32): true, strings.Repeat("a", 33): false} {
		if ValidClass(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestAFrameAllocatesNothing(t *testing.T) {
	l := Open(t.TempDir(), nil)
	l.ours.Store(piece())
	l.work.Wait()
	x, frame := l.Class(Default), make([]int16, media.FrameSamples)
	if n := testing.AllocsPerRun(200, func() { x.Frame(frame) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	l.Close()
}

func BenchmarkFrame(b *testing.B) {
	l := Open(b.TempDir(), nil)
	l.ours.Store(piece())
	l.work.Wait()
	defer l.Close()
	x, frame := l.Class(Default), make([]int16, media.FrameSamples)
	b.ReportAllocs()
	for b.Loop() {
		x.Frame(frame)
	}
}

func BenchmarkRender(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		render()
	}
}
