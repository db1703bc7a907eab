package speech

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/media"
	"ringback/sounds"
)

// Every prompt of ours: speech, as loud as the others, without silence at its ends, and it begins and ends without a click.
func TestRecordings(t *testing.T) {
	total := int64(0)
	for _, language := range sounds.Languages {
		texts := textsOf(t, language)
		s, _ := open(t, Options{Language: language})
		files := 0
		err := fs.WalkDir(sounds.Files, language, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			info, err := d.Info()
			if err != nil {
				return err
			}
			total += info.Size()
			name := strings.TrimSuffix(strings.TrimPrefix(path, language+"/"), ".wav")
			if texts[name] == "" {
				t.Errorf("%s: nobody knows what it says", path)
			}
			recordings := s.library.find(language, name)
			if len(recordings) != 1 {
				t.Errorf("%s: %d recordings", path, len(recordings))
				return nil
			}
			r := recordings[0].narrow
			length := time.Duration(len(r)) * time.Second / 8000
			least := max(100, 8*time.Duration(len([]rune(texts[name])))) * time.Millisecond
			if length < least || length > 25*time.Second {
				t.Errorf("%s: %v long", path, length)
			}
			var loud []int16
			silence, longest := 0, 0
			peak := int16(0)
			for i := 0; i+80 <= len(r); i += 80 {
				block := r[i : i+80]
				if rms(block) > -35 {
					loud = append(loud, block...)
					silence = 0
				} else if silence += 80; silence > longest {
					longest = silence
				}
				peak = max(peak, slices.Max(block), -slices.Min(block))
			}
			if l := rms(loud); l < -21 || l > -14 {
				t.Errorf("%s: %.1f dBFS", path, l)
			}
			if peak > 32000 {
				t.Errorf("%s: peak of %d", path, peak)
			}
			if longest > 8000/2 {
				t.Errorf("%s: %d ms of silence", path, longest/8)
			}
			const end = 400 * 8 // the first consonant of "four" and the last ones of "attempts" are faint
			if head, tail := rms(r[:min(end, len(r))]), rms(r[max(0, len(r)-end):]); head < -50 || tail < -50 {
				t.Errorf("%s: %.0f dBFS at the beginning, %.0f at the end", path, head, tail)
			}
			if r[0] != 0 || r[len(r)-1] != 0 {
				t.Errorf("%s: begins with %d, ends with %d", path, r[0], r[len(r)-1])
			}
			return nil
		})
		if err != nil || files != len(texts) {
			t.Errorf("%s: %d files, %d texts, %v", language, files, len(texts), err)
		}
	}
	t.Logf("%.1f MB", float64(total)/1e6)
	if total > 12e6 {
		t.Errorf("%d bytes of recordings", total)
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Options{Language: "tlh"}); err == nil || !strings.Contains(err.Error(), "tlh") {
		t.Errorf("Klingon: %v", err)
	}
	if _, err := New(Options{Asterisk: t.TempDir()}); err == nil {
		t.Error("an empty directory is a set of Asterisk's")
	}
	s, _ := open(t, Options{Language: "ru_RU"})
	russian := listen(t, s.Prompt("", "number:40"))
	for tag, same := range map[string]bool{"ru": true, "RU-ru": true, "xx": true, "en": false, "en-GB": false, "zh_CN": false} {
		if heard := listen(t, s.Prompt(tag, "number:40")); slices.Equal(heard, russian) != same {
			t.Errorf("%q: same as Russian is not %v", tag, same)
		}
	}
	for _, name := range []string{"", "ringing", "busy", "congestion", "no-such-prompt", "press-1,no-such-prompt", "../ru/on", "/etc/passwd", "ru.toml"} {
		if sound := s.Prompt("", name); sound != nil {
			t.Errorf("%q gives %v", name, sound)
		}
	}
}

// Every name of the golden lists is a sound in every language.
func TestEverythingSounds(t *testing.T) {
	s, log := open(t, Options{})
	for _, language := range Languages() {
		for _, name := range goldenNames() {
			if _, ok := compose(grammars[language], name); ok != (s.Prompt(language, name) != nil) {
				t.Errorf("%s: %s means something: %v, sounds: %v", language, name, ok, !ok)
			}
		}
	}
	if log.lines() > 0 {
		t.Error(log.String())
	}
}

func TestReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "prompts")
	s, log := open(t, Options{Dir: dir})
	ours := listen(t, s.Prompt("en", "on"))
	put(t, dir, "en/on.wav", tone(500))
	if !is(listen(t, s.Prompt("en", "on")), 500) {
		t.Error("the file is not heard")
	}
	if !slices.Equal(listen(t, s.Prompt("en-US", "on")), listen(t, s.Prompt("", "on"))) {
		t.Error("not the same in the same language")
	}
	if is(listen(t, s.Prompt("ru", "on")), 500) {
		t.Error("heard in another language")
	}

	playing := s.Prompt("en", "on")
	put(t, dir, "en/on.wav", tone(900))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "en", "on.wav"), later, later); err != nil {
		t.Fatal(err)
	}
	if !is(listen(t, s.Prompt("en", "on")), 900) {
		t.Error("the new file is not heard")
	}
	if !is(listen(t, playing), 500) {
		t.Error("what was being played has changed")
	}
	if n := len(s.library.cache.entries); n > 3 {
		t.Errorf("%d versions are kept", n)
	}

	put(t, dir, "en/on.wav", []byte("ID3 this is not a WAV file\x1b[31m"))
	for range 3 {
		if !slices.Equal(listen(t, s.Prompt("en", "on")), ours) {
			t.Error("a bad file, and ours is not heard")
		}
	}
	if log.lines() != 1 || !strings.Contains(log.String(), "MP3") || !strings.Contains(log.String(), "en/on.wav") {
		t.Errorf("logged:\n%s", log)
	}
	put(t, dir, "en/on.wav", []byte("bad in another way"))
	listen(t, s.Prompt("en", "on"))
	if log.lines() != 2 {
		t.Errorf("logged:\n%s", log)
	}
	if err := os.Remove(filepath.Join(dir, "en", "on.wav")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(listen(t, s.Prompt("en", "on")), ours) || log.lines() != 2 {
		t.Errorf("the file is gone, and ours is not heard:\n%s", log)
	}

	put(t, dir, "en/menu/welcome.wav", tone(700)) // one of one's own
	if !is(listen(t, s.Prompt("en", "menu/welcome")), 700) || s.Prompt("ko", "menu/welcome") != nil {
		t.Error("a prompt that only the directory has")
	}
}

// The words of a phrase are heard in their order, with silence between.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "en/digits/1.wav", tone(500))
	put(t, dir, "en/digits/2.wav", tone(900))
	s, _ := open(t, Options{Dir: dir})
	heard := listen(t, s.Prompt("en", "digits:121,digits:2"))
	want := 4*2000 + 2*digitGap + pauseGap
	if len(heard) < want || len(heard) >= want+media.FrameSamples {
		t.Errorf("%d samples, want %d", len(heard), want)
	}
	at := 0
	for i, word := range []struct {
		hz  float64
		gap int
	}{{500, digitGap}, {900, digitGap}, {500, pauseGap}, {900, len(heard) - want}} {
		if !is(heard[at:at+2000], word.hz) {
			t.Errorf("word %d is not %.0f Hz", i, word.hz)
		}
		at += 2000
		if gap := heard[at : at+word.gap]; slices.Max(append(gap, 0)) != 0 || slices.Min(append(gap, 0)) != 0 {
			t.Errorf("no silence after word %d", i)
		}
		at += word.gap
	}
	for i := 1; i < len(heard); i++ { // 12000 at 900 Hz moves by 8200 a sample at most
		if d := int(heard[i]) - int(heard[i-1]); d > 8300 || d < -8300 {
			t.Fatalf("a click of %d at %d", d, i)
		}
	}
}

// Silence around a word is left out, silence alone is not.
func TestTrim(t *testing.T) {
	quiet := make([]int16, 4000)
	for i := range quiet {
		quiet[i] = int16(i % 100)
	}
	loud := slices.Repeat([]int16{5000, -5000}, 400)
	for _, test := range []struct {
		in   []int16
		want int
	}{
		{slices.Concat(quiet, loud, quiet), 800 + 2*little},
		{slices.Concat(quiet[:50], loud, quiet[:20]), 870},
		{slices.Concat(loud, quiet[:1000]), 800 + little},
		{slices.Concat(loud, quiet, loud), 5600},
		{quiet, 4000},
		{nil, 0},
	} {
		if from, to := bounds(test.in); to-from != test.want {
			t.Errorf("%d samples became %d, want %d", len(test.in), to-from, test.want)
		}
	}
}

func TestNoWayOut(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "secret.wav", tone(500))
	dir := filepath.Join(outside, "prompts")
	put(t, dir, "en/here.wav", tone(900))
	for link, to := range map[string]string{
		"absolute.wav": filepath.Join(outside, "secret.wav"), "up.wav": "../../secret.wav", "folder": outside, "inside.wav": "here.wav", "loop.wav": "loop.wav",
	} {
		if err := os.Symlink(to, filepath.Join(dir, "en", link)); err != nil {
			t.Skip(err) // a system without links
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "en", "directory.wav"), 0o755); err != nil {
		t.Fatal(err)
	}
	s, log := open(t, Options{Dir: dir})
	for _, name := range []string{"absolute", "up", "folder/secret", "loop", "directory", "../../secret", "../secret", outside + "/secret", "..", "../prompts/en/here"} {
		if sound := s.Prompt("en", name); sound != nil {
			t.Errorf("%s: %d samples", name, len(listen(t, sound)))
		}
		if s.library.file(dir, "en/"+name+".wav") != nil { // whatever the names are checked by
			t.Errorf("os.Root lets %s through", name)
		}
	}
	if !is(listen(t, s.Prompt("en", "inside")), 900) {
		t.Error("a link inside is not followed")
	}
	if before := log.lines(); before == 0 {
		t.Error("nothing was logged")
	} else if s.Prompt("en", "absolute"); log.lines() != before {
		t.Error("logged again")
	}
}

// A directory laid out like Debian's asterisk-core-sounds-en-wav, with a tone for each of its sounds.
func TestAsterisk(t *testing.T) {
	list, err := os.ReadFile("testdata/asterisk-core-sounds-en.txt")
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.Fields(string(list))
	for _, names := range []map[string]string{asteriskNames, asteriskEnglish} {
		for name, sequence := range names {
			if _, err := fs.Stat(sounds.Files, "en/"+name+".wav"); err != nil {
				t.Errorf("we have no %s", name)
			}
			for _, n := range strings.Fields(sequence) {
				if !slices.Contains(theirs, n) {
					t.Errorf("%s: Asterisk has no %s", name, n)
				}
			}
		}
	}

	top := t.TempDir()
	set := filepath.Join(top, "en_US_f_Allison")
	for _, name := range theirs {
		put(t, set, name+".wav", tone(1000))
	}
	put(t, set, "digits/1.wav", tone(500))
	put(t, set, "vm-press.wav", tone(900))
	own := t.TempDir()
	put(t, own, "en/off.wav", tone(700))
	ours, _ := open(t, Options{})
	for _, dir := range []string{top, set} {
		s, log := open(t, Options{Asterisk: dir, Dir: own})
		if heard := listen(t, s.Prompt("en", "press-1")); !is(heard, 900) || !is(heard[2000:], 500) {
			t.Error("press-1 is not what Asterisk says")
		}
		for _, name := range []string{"on", "number:1234", "time:15:04", "mailbox:3:1", "digits:0*#"} {
			if !is(listen(t, s.Prompt("en", name)), 1000) && name != "number:1234" {
				t.Errorf("%s is not from the set", name)
			}
		}
		if !is(listen(t, s.Prompt("en", "off")), 700) {
			t.Error("a file of one's own does not come first")
		}
		for _, name := range []string{"closed", "conf-menu"} {
			if !slices.Equal(listen(t, s.Prompt("en", name)), listen(t, ours.Prompt("en", name))) {
				t.Errorf("%s, which Asterisk has not, is not ours", name)
			}
		}
		if !slices.Equal(listen(t, s.Prompt("ko", "on")), listen(t, ours.Prompt("ko", "on"))) {
			t.Error("another language has become English")
		}
		if log.lines() != 0 {
			t.Error(log.String())
		}
	}
	put(t, set, "activated.wav", []byte("RIFFcut"))
	s, log := open(t, Options{Asterisk: top})
	if !slices.Equal(listen(t, s.Prompt("en", "on")), listen(t, ours.Prompt("en", "on"))) || log.lines() != 1 {
		t.Errorf("a bad sound in the set:\n%s", log)
	}
}

func TestEndOfSound(t *testing.T) {
	s, _ := open(t, Options{})
	sound := s.Prompt("en", "on")
	listen(t, sound)
	frame := slices.Repeat([]int16{7}, media.FrameSamples)
	if sound.Frame(frame) || frame[0] != 7 || frame[media.FrameSamples-1] != 7 {
		t.Error("it goes on after its end")
	}
}
