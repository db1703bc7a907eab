package speech

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ringback/media/wav"
)

func find(t *testing.T, s *Speech, name string) *Recording {
	t.Helper()
	all, err := s.Recordings("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Name == name {
			return &r
		}
	}
	return nil
}

func TestReplaceAndRestore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "prompts")
	s, log := open(t, Options{Dir: dir})
	ours := listen(t, s.Prompt("en", "off"))
	if err := s.Restore("en", "off"); err != nil {
		t.Errorf("nothing to restore: %v", err)
	}
	if r := find(t, s, "off"); r == nil || *r != (Recording{"off", "Switched off.", false}) {
		t.Errorf("listed as %+v", r)
	}
	if err := s.Replace("en", "off", bytes.NewReader(tone(500))); err != nil {
		t.Fatal(err)
	}
	if r := find(t, s, "off"); r == nil || !r.Replaced || !is(listen(t, s.Prompt("en", "off")), 500) {
		t.Errorf("replaced, and listed as %+v", r)
	}
	for _, hz := range []float64{700, 500} { // as large, and written at the same moment
		if err := s.Replace("en", "off", bytes.NewReader(tone(hz))); err != nil || !is(listen(t, s.Prompt("en", "off")), hz) {
			t.Errorf("%.0f Hz is not heard at once, %v", hz, err)
		}
	}
	if got, err := s.Samples("en-GB", "off,off"); err != nil || !is(got, 500) || len(got) < 5000 {
		t.Errorf("%d samples, %v", len(got), err)
	}
	if got, err := s.Samples("en", "nothing"); err != nil || got != nil {
		t.Errorf("%d samples of nothing, %v", len(got), err)
	}
	if _, err := s.Samples("tlh", "off"); err == nil {
		t.Error("samples of Klingon")
	}
	if got, err := s.Samples("ru", "off,digits:"+strings.Repeat("7", 64)+strings.Repeat(",digits:"+strings.Repeat("8", 64), 14)); err != nil || len(got) > longestSound+160 {
		t.Errorf("%d samples, %v", len(got), err)
	}
	if err := s.Replace("en", "menu/welcome", bytes.NewReader(tone(900))); err != nil {
		t.Fatal(err)
	}
	if r := find(t, s, "menu/welcome"); r == nil || r.Text != "" || !is(listen(t, s.Prompt("en", "menu/welcome")), 900) {
		t.Errorf("one of one's own is listed as %+v", r)
	}

	var refused wav.Refused
	for _, test := range []struct{ lang, name, file string }{
		{"en", "off", "no sound"}, {"en", "off", ""}, {"en", "off", string(make([]byte, maxFile+2))},
		{"tlh", "off", string(tone(500))}, {"en", "../off", string(tone(500))}, {"en", "/off", string(tone(500))}, {"en", "", string(tone(500))},
	} {
		if err := s.Replace(test.lang, test.name, bytes.NewReader([]byte(test.file))); !errors.As(err, &refused) {
			t.Errorf("%s/%s: %v", test.lang, test.name, err)
		}
	}
	if !is(listen(t, s.Prompt("en", "off")), 500) {
		t.Error("what was refused has changed something")
	}
	if err := s.Restore("en", "../off"); !errors.As(err, &refused) {
		t.Errorf("restored %v", err)
	}
	if err := s.Restore("en", "off"); err != nil || !slices.Equal(listen(t, s.Prompt("en", "off")), ours) {
		t.Errorf("not as before, %v", err)
	}
	if err := s.Restore("en", "menu/welcome"); err != nil || s.Prompt("en", "menu/welcome") != nil || find(t, s, "menu/welcome") != nil {
		t.Errorf("it is still there, %v", err)
	}
	left := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			left++
		}
		return err
	})
	if err != nil || left > 0 || log.lines() > 0 {
		t.Errorf("%d files are left, %v\n%s", left, err, log)
	}
	none, _ := open(t, Options{})
	if err := none.Replace("en", "off", bytes.NewReader(tone(500))); err == nil || errors.As(err, &refused) {
		t.Errorf("without a directory: %v", err)
	}
	if all, err := none.Recordings("ru"); err != nil || len(all) < 200 {
		t.Errorf("%d recordings, %v", len(all), err)
	}
	if _, err := none.Recordings("tlh"); err == nil {
		t.Error("recordings of Klingon")
	}
}

// A link in the directory does not lead Replace out of it.
func TestReplaceNoWayOut(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "prompts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "en")); err != nil {
		t.Skip(err)
	}
	s, _ := open(t, Options{Dir: dir})
	if err := s.Replace("en", "off", bytes.NewReader(tone(500))); err == nil {
		t.Error("written outside")
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
