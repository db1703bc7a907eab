package speech

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/sounds"
)

var update = flag.Bool("update", false, "write the golden lists anew")

// textsOf says what each prompt of a language says.
func textsOf(t testing.TB, language string) map[string]string {
	t.Helper()
	all, err := texts(language)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// goldenNames are what the golden lists have.
func goldenNames() (names []string) {
	add := func(format string, args ...any) { names = append(names, fmt.Sprintf(format, args...)) }
	for n := range 121 {
		add("number:%d", n)
	}
	for _, n := range []int64{
		199, 200, 201, 211, 222, 300, 342, 400, 500, 555, 600, 700, 800, 900, 999, 1000, 1001, 1002, 1010, 1011, 1021, 1050, 1100, 1110, 1111, 1200,
		1234, 1999, 2000, 2002, 2012, 2020, 2200, 2222, 3000, 5000, 9999, 10000, 10001, 10010, 10012, 10100, 11000, 12000, 12345, 20000, 20002,
		21000, 22000, 22222, 42000, 90009, 99999, 100000, 100001, 101000, 110000, 111000, 112000, 120000, 200000, 222222, 1000000, 1000001,
		1001000, 1010000, 1200345, 2000000, 5000000, 10000000, 20000000, 21000000, 22002000, 100000000, 100000005, 100010000, 100010005,
		110000000, 123456789, 200000000, 220000000, 1000000000, 1001001001, 2000000002, 12000000000, 999999999999,
	} {
		add("number:%d", n)
	}
	for hour := range 24 {
		add("time:%d:00", hour)
	}
	for minute := 1; minute < 60; minute++ {
		add("time:%02d:%02d", []int{0, 2, 15, 21}[minute%4], minute)
	}
	for day := 1; day <= 31; day++ {
		add("date:2026-%02d-%02d", []int{1, 3, 5, 7, 8, 10, 12}[day%7], day)
	}
	for _, date := range []string{"2000-02-29", "2001-02-01", "2009-04-09", "2010-06-10", "2011-09-11", "2019-11-19", "2020-02-20", "2021-06-21",
		"2030-06-30", "2040-10-04", "2050-05-05", "2060-06-06", "2070-07-07", "2080-08-08", "2090-09-09", "2099-12-31"} {
		add("date:%s", date)
	}
	for _, n := range []int{0, 1, 2, 3, 4, 5, 11, 12, 14, 20, 21, 22, 25, 99, 101, 111, 121} {
		add("mailbox:%d:0", n)
		add("mailbox:0:%d", n)
		add("mailbox:%d:%d", n, n/2+1)
		add("participants:%d", n)
	}
	return append(names, "digits:1002*#+", "digits:ext 7, digits:b", "digits:ab-12", "slot:71", "slot:701", "slot:07", "number:007", "number:-3",
		"press-1", "parked-at,digits:71", "clock,time:15:04")
}

// The lists have the words as they are written, with | between recordings. To read them is the test that counts.
func TestGrammar(t *testing.T) {
	for _, language := range sounds.Languages {
		texts := textsOf(t, language)
		var b strings.Builder
		for _, name := range goldenNames() {
			phrases, ok := compose(grammars[language], name)
			if !ok {
				fmt.Fprintf(&b, "%-22s nothing\n", name)
				continue
			}
			var said []string
			for _, p := range phrases {
				var words []string
				for _, w := range p.words {
					if w == pause {
						words = append(words, ",")
					} else if text := texts[w]; text != "" {
						words = append(words, text)
					} else {
						t.Errorf("%s, %s: no prompt %s", language, name, w)
					}
				}
				said = append(said, strings.ReplaceAll(strings.Join(words, "|"), "|,|", ", "))
			}
			fmt.Fprintf(&b, "%-22s %s\n", name, strings.Join(said, ", "))
		}
		file := "testdata/" + language + ".golden"
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, got := strings.Split(string(golden), "\n"), strings.Split(b.String(), "\n")
		for i := range max(len(want), len(got)) {
			if i >= len(want) || i >= len(got) || want[i] != got[i] {
				t.Errorf("%s, line %d:\n got %q\nwant %q", language, i+1, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
				break
			}
		}
	}
}

// everything is all that a grammar can say.
func everything(g *grammar) map[string]bool {
	said := map[string]bool{}
	say := func(words []string) {
		for _, w := range words {
			said[w] = true
		}
	}
	for n := int64(0); n < 10000; n++ {
		for unit := int64(1); unit <= 1e8; unit *= 10000 {
			say(g.number(n * unit))
		}
		say(g.number(n*1e8 + 9999 - n))
		say(g.number(n * 1000))
	}
	for unit := int64(1); unit <= maxNumber/999; unit *= 1000 {
		for n := range int64(1000) {
			say(g.number(n * unit))
		}
	}
	for n := range int64(1000) {
		say(g.mailbox(n, 0))
		say(g.mailbox(0, n))
		say(g.mailbox(n, n))
		say(g.participants(n + 2))
	}
	for minute := range 24 * 60 {
		say(g.clock(minute/60, minute%60))
	}
	for day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2100; day = day.AddDate(0, 0, 1) {
		say(g.date(day.Date()))
	}
	say(spell("0123456789*#+abcdefghijklmnopqrstuvwxyz"))
	delete(said, pause)
	return said
}

// What a grammar can say is recorded, what is recorded of numbers and dates can be said, and all other prompts are there in
// every language.
func TestEveryWord(t *testing.T) {
	all := map[string]bool{}
	byLanguage := map[string]map[string]bool{}
	for _, language := range sounds.Languages {
		said, texts := everything(grammars[language]), textsOf(t, language)
		byLanguage[language] = said
		for word := range said {
			if _, err := fs.Stat(sounds.Files, language+"/"+word+".wav"); err != nil || texts[word] == "" {
				t.Errorf("%s: %s is not there", language, word)
			}
		}
		for word := range texts {
			switch path.Dir(word) {
			case "numbers", "ordinals", "months", "weekdays", "digits", "letters":
				if !said[word] {
					t.Errorf("%s: nobody says %s", language, word)
				}
			default:
				all[word] = true
			}
		}
	}
	grammatical := func(word string) bool {
		for _, said := range byLanguage {
			if said[word] {
				return true
			}
		}
		return false
	}
	plain := 0
	for word := range all {
		if grammatical(word) {
			continue
		}
		plain++
		for _, language := range sounds.Languages {
			if _, err := fs.Stat(sounds.Files, language+"/"+word+".wav"); err != nil {
				t.Errorf("%s: there is no %s", language, word)
			}
		}
	}
	if plain < 100 {
		t.Errorf("%d sentences only", plain)
	}
	for _, name := range []string{"press-1", "on", "off", "done", "error", "enter-number", "enter-pin", "rejected", "anonymous-rejected", "closed", "not-allowed", "no-such-number"} {
		if !all[name] {
			t.Errorf("call control plays %s, which is not there", name)
		}
	}
}

func TestNamesThatMeanNothing(t *testing.T) {
	for _, name := range []string{
		"", ",", "press-1,", ":", "digits:", "digits:!", "number:", "number:-3", "number:+3", "number:1000000000000", "time:", "time:24:00", "time:12:60", "time:noon", "date:2026-02-29", "date:1999-12-31",
		"date:2100-01-01", "mailbox:3", "mailbox:-1:0", "participants:x", "slot:", "what:1", "../en/on", "/on", "on/", "a//b", ".", "..", "a.b", "ON", "on\x00",
		"on\\off", "été", strings.Repeat("a", 65), strings.Repeat("on,", 16) + "on",
	} {
		if phrases, ok := compose(&english, name); ok {
			t.Errorf("%q is %v", name, phrases)
		}
	}
	if words := spell(strings.Repeat("1", 1000)); len(words) != maxDigits {
		t.Errorf("%d digits are read out", len(words))
	}
}

func FuzzCompose(f *testing.F) {
	for _, name := range []string{"press-1", "digits:1*#+a", "number:1234,time:15:04", "date:2026-11-21", "mailbox:3:1", "participants:4", "slot:71", "../x"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, language := range sounds.Languages {
			phrases, ok := compose(grammars[language], name)
			if ok != (len(phrases) > 0) || len(phrases) > maxParts {
				t.Fatalf("%v, %d phrases", ok, len(phrases))
			}
			for _, p := range phrases {
				if len(p.words) == 0 || len(p.words) > maxDigits+1 || !slices.ContainsFunc(p.words, isID) {
					t.Fatalf("%q", p.words)
				}
				for _, w := range p.words {
					if w != pause && !isID(w) {
						t.Fatalf("%q is no id", w)
					}
				}
			}
		}
	})
}
