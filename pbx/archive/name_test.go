package archive

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

func TestIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands still: they are unique, and sort, all the same
		var i ids
		last := ""
		for n := range 1000 {
			id := i.next()
			if !isID(id) || id <= last {
				t.Fatal(id, "after", last)
			}
			last = id
			if n%100 == 0 {
				time.Sleep(time.Hour)
			}
		}
	})
	for _, name := range []string{"", "0", strings.Repeat("0", idChars+1), strings.Repeat("A", idChars), "../../../../../a", strings.Repeat("0", idChars-1) + "\x00", strings.Repeat("é", idChars/2)} {
		if isID(name) {
			t.Errorf("%q", name)
		}
	}
}

func TestFoldersOfMailboxes(t *testing.T) {
	folders := map[string]string{ // without regard to case
		"1000": "", "a": "", "A": "", "..": "", ".": "", ".hidden": "", "1.2": "", "*97": "", "#1": "", "+49": "", "a-b_c": "", "-rf": "", "%41": "", "CON": "",
		strings.Repeat("A", 32): "",
	}
	seen := map[string]string{}
	for number := range folders {
		if !isNumber(number) {
			if number != "%41" {
				t.Errorf("%q may be a number", number)
			}
			continue
		}
		dir := escape(number)
		if !filepath.IsLocal(dir) || strings.ContainsAny(dir, "./\\*#:") || unescape(dir) != number {
			t.Errorf("%q in %q, back %q", number, dir, unescape(dir))
		}
		if other, taken := seen[strings.ToLower(dir)]; taken {
			t.Errorf("%q and %q are in %q", number, other, dir)
		}
		seen[strings.ToLower(dir)] = number
	}
	if escape("1000") != "1000" || escape("*97") != "%2a97" {
		t.Error(escape("1000"), escape("*97"))
	}
	for _, dir := range []string{"", ".", "..", "1.2", "%2A", "%2", "%", "%zz", "%31", "a/b", "A", strings.Repeat("1", 33)} {
		if n := unescape(dir); n != "" {
			t.Errorf("folder %q is of %q", dir, n)
		}
	}
}

// Names that come from outside lead nowhere.
func TestHostileNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := open(t, Options{Dir: dir})
		id, ctx := leave(t, a, "1000", 1), t.Context()
		record(t, a, 1)
		before := tree(t, dir)
		hostile := []string{
			"", ".", "..", "/", "../recordings", "..\\recordings", "/etc/passwd", "1000/../1000", "1000/", "\x00", "1000\x00", "%2e%2e", "1000\n", "ä", "1000:1",
			strings.Repeat("1", 33), strings.Repeat("../", 10), id + whole, "../1000/" + id, "con\\", "~root", "*?", "$(x)", "busy.wav",
		}
		for _, name := range hostile {
			if name != "." && name != ".." { // these are numbers, and their folders are not
				if _, _, err := a.Leave(ctx, pbx.VoiceMessage{Mailbox: name}, 0); err == nil && !isNumber(name) {
					t.Errorf("a message is left in %q", name)
				}
				if _, err := a.Greet(ctx, name, pbx.GreetBusy); err == nil && !isNumber(name) {
					t.Errorf("a greeting is recorded in %q", name)
				}
				if err := a.PutGreeting(ctx, name, pbx.GreetBusy, wavOf(wav.Rate)); err == nil && !isNumber(name) {
					t.Errorf("a greeting is put in %q", name)
				}
			}
			if _, err := a.Greet(ctx, "1000", pbx.Greeting(name)); err == nil {
				t.Errorf("greeting %q is recorded", name)
			}
			if err := a.PutGreeting(ctx, "1000", pbx.Greeting(name), wavOf(wav.Rate)); err == nil {
				t.Errorf("greeting %q is put", name)
			}
			for what, err := range map[string]error{
				"open message": opened(a.OpenMessage("1000", name)), "open in mailbox": opened(a.OpenMessage(name, id)),
				"open recording": opened(a.OpenRecording(name)), "open greeting": opened(a.Greeting("1000", pbx.Greeting(name))),
				"open in": opened(a.Greeting(name, "x")), "message": second(a.Message(ctx, "1000", name)), "in mailbox": second(a.Message(ctx, name, id)),
				"recording": second(a.GetRecording(ctx, name)), "remove": a.Remove(ctx, "1000", name), "remove in": a.Remove(ctx, name, id),
				"remove recording": a.RemoveRecording(ctx, name), "mailed": a.MarkMailed(ctx, name), "heard": a.MarkHeard(ctx, name, id, true),
			} {
				if !errors.Is(err, pbx.ErrNoSuchSound) {
					t.Errorf("%s %q: %v", what, name, err)
				}
			}
			if err := errors.Join(a.RemoveGreeting(ctx, name, "busy"), a.RemoveGreeting(ctx, "1000", pbx.Greeting(name)), a.RemoveMailbox(ctx, name)); err != nil {
				t.Errorf("%q: %v", name, err)
			}
			for _, prompt := range []string{name, "message:" + name, "message:1000:" + name, "message:" + name + ":" + id, "greeting:1000:" + name, "greeting:" + name + ":busy", name + ":1000:" + id} {
				if a.Sound(prompt) != nil {
					t.Errorf("prompt %q is played", prompt)
				}
			}
		}
		if after := tree(t, dir); !slices.Equal(before, after) {
			t.Errorf("before %q\nafter  %q", before, after)
		}
	})
}
