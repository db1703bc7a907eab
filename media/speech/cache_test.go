package speech

import (
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"testing"

	"ringback/media"
	"ringback/media/wav"
	"ringback/sounds"
)

// The cache stays within its bound, whoever asks for what, and what is played does not suffer.
func TestMemory(t *testing.T) {
	const room = 200_000
	s, _ := open(t, Options{Memory: room})
	want := listen(t, s.Prompt("en", "number:121"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 40 {
				language := sounds.Languages[(i+j)%len(sounds.Languages)]
				listen(t, s.Prompt(language, goldenNames()[(i*37+j*11)%300]))
				if !slices.Equal(listen(t, s.Prompt("en", "number:121")), want) {
					t.Error("it sounds different")
				}
			}
		})
	}
	wg.Wait()
	c := &s.library.cache
	used := 0
	for _, e := range c.entries {
		used += overhead + e.recording.bytes()
	}
	if c.used != used || used > room || c.recent.Len() != len(c.entries) || used == 0 {
		t.Errorf("%d bytes are counted, %d used, of %d", c.used, used, room)
	}
}

// An error of the machine is not kept: the next call may hear the file, though it is the same. One of the file is.
func TestTroubleIsNotKept(t *testing.T) {
	c := cache{room: 1 << 20}
	v := version{root: "prompts", path: "en/on.wav"}
	for _, trouble := range []error{syscall.EMFILE, &fs.PathError{Op: "open", Path: "en/on.wav", Err: syscall.EIO}, fs.ErrPermission} {
		if _, err := c.get(v, func() (*recording, error) { return nil, trouble }); err != trouble {
			t.Error(err)
		}
		if len(c.entries) != 0 || c.used != 0 || c.recent.Len() != 0 {
			t.Errorf("%v is kept: %d entries, %d bytes", trouble, len(c.entries), c.used)
		}
	}
	refused := wav.Refused("no")
	_, _ = c.get(v, func() (*recording, error) { return nil, refused })
	if _, err := c.get(v, func() (*recording, error) { t.Error("read again"); return nil, nil }); err != refused {
		t.Error(err)
	}
}

// Calls share what was decoded, and a frame takes nothing.
func TestAllocations(t *testing.T) {
	s, _ := open(t, Options{})
	a := s.Prompt("en", "vm-message-menu").(*utterance)
	b := s.Prompt("en", "vm-message-menu").(*utterance)
	if a.pieces[0].recording != b.pieces[0].recording {
		t.Error("decoded twice")
	}
	frame := make([]int16, media.FrameSamples)
	sound := s.Prompt("en", "vm-message-menu,number:1234567")
	if n := testing.AllocsPerRun(200, func() { sound.Frame(frame) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	s, _ := open(b, Options{})
	sounds := make([]media.Sound, 0, 1000)
	frame := make([]int16, media.FrameSamples)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i == len(sounds) {
			b.StopTimer()
			sounds = append(sounds[:0], s.Prompt("en", "vm-message-menu,number:1234567"))
			i = 0
			b.StartTimer()
		}
		if !sounds[i].Frame(frame) {
			i++
		}
	}
}

func BenchmarkPrompt(b *testing.B) {
	dir := b.TempDir()
	put(b, dir, "en/on.wav", tone(500))
	for _, o := range []struct {
		what string
		Options
	}{{"ours", Options{}}, {"with-directory", Options{Dir: dir}}} {
		for _, name := range []string{"on", "number:1234", "digits:1000"} {
			b.Run(o.what+"/"+name, func(b *testing.B) {
				s, _ := open(b, o.Options)
				b.ReportAllocs()
				for b.Loop() {
					if s.Prompt("en", name) == nil {
						b.Fatal("nothing")
					}
				}
			})
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, _ := open(b, Options{})
		if s.Prompt("en", "vm-leave-message") == nil {
			b.Fatal("nothing")
		}
	}
}
