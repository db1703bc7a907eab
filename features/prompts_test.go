package features

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringback/media/speech"
	"ringback/pbx"
	"ringback/sounds"
)

// Whatever mailboxes say is said in every language: the words that are in the source, and what is made of them.
func TestMailboxPromptsAreSpoken(t *testing.T) {
	names := make(map[string]bool)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`vm-[a-z-]+[a-z]`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range word.FindAllString(string(source), -1) {
			names[name] = true
		}
	}
	if len(names) < 30 {
		t.Errorf("%d words", len(names))
	}
	r := &route{Router: &Router{Messages: newMemory()}}
	for _, g := range pbx.Greetings {
		for _, name := range r.greeting(&pbx.Mailbox{Number: "1000"}, g) {
			names[name] = true
		}
	}
	v := &visitor{route: r}
	for _, m := range []pbx.VoiceMessage{{}, {From: "+49301234", Urgent: true, At: time.Now()}, {From: "1001", At: time.Now().AddDate(0, 0, -1)}, {At: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)}} {
		if m.At.IsZero() {
			m.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		}
		names[v.envelope(999, m)] = true
	}
	for _, name := range []string{promptError, promptInvalid, promptGoodbye, "wrong-pin", "enter-pin", "too-many-attempts", "not-allowed", "mailbox:0:0", "mailbox:21:1"} {
		names[name] = true
	}
	for _, language := range sounds.Languages {
		s, err := speech.New(speech.Options{Language: language})
		if err != nil {
			t.Fatal(err)
		}
		for name := range names {
			if s.Prompt("", name) == nil {
				t.Errorf("%s has no %s", language, name)
			}
		}
	}
}
