package features

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is an office in which 1001 calls 1000, with extensions 1000 to 1019.
type world struct {
	*office
	memory *memory // messages of mailboxes
	abroad bool    // forwards go to 00441234, which no extension has, instead of an extension
}

func newWorld() *world {
	w := &world{memory: newMemory(), office: &office{extensions: make(map[string]*pbx.Extension), groups: make(map[string]*pbx.Group), rooms: make(map[string]*pbx.Room), menus: make(map[string]*pbx.Menu), mailboxes: make(map[string]*pbx.Mailbox), hours: make(map[string]*pbx.Hours)}}
	for i := range 20 {
		n := fmt.Sprint(1000 + i)
		w.extensions[n] = &pbx.Extension{Number: n, Enabled: true, Ring: 30 * time.Second}
	}
	w.extensions["1000"].Numbers = []string{"2000"}
	return w
}

// of are the services of an extension.
func (w *world) of(number string) *pbx.Services { return &w.extensions[number].Services }

// box is a mailbox of that number, with the PIN 4711 if pin says so.
func (w *world) box(number string, pin bool) *pbx.Mailbox {
	b := &pbx.Mailbox{Number: number, Name: "Box " + number, Enabled: true}
	if pin {
		b.PINHash = "set"
	}
	w.mailboxes[number] = b
	return b
}

// to is where a forward goes.
func (w *world) to(number string) string {
	if w.abroad {
		return "00441234"
	}
	return number
}

func (w *world) router() *Router {
	return &Router{Directory: w.office, Settings: &pins{}, Recent: pbx.NewRecent(), Messages: w.memory}
}

// by is who switched something on in these tests.
func by(number string) pbx.Set { return pbx.Set{By: number, At: morning} }

// golden compares text with a file of testdata, or writes it.
func golden(t *testing.T, file, text string) {
	t.Helper()
	file = filepath.Join("testdata", strings.NewReplacer(" × ", "×", " ", "-").Replace(file)+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./features -update writes it)", err)
	}
	if string(want) != text {
		t.Errorf("%s is not what is planned now\n--- want\n%s--- got\n%s", file, want, text)
	}
}

// redirections are the plans for when phones of a plan redirect to a number: what Text cannot know.
func redirections(n pbx.Node, to string) string {
	var b strings.Builder
	seen := make(map[string]bool)
	var walk func(pbx.Node)
	walk = func(n pbx.Node) {
		if r, ok := n.Target.(pbx.Ringing); ok && r.Redirected != nil {
			o := pbx.Outcome{Kind: pbx.Redirected, By: pbx.Callee, Status: 302, Contacts: []pbx.Redirection{{Number: to, Local: true, Q: 1000}}}
			text := n.Text + " redirects to " + to + ":\n" + indented(pbx.Text(r.Redirected(o)))
			if !seen[text] {
				seen[text] = true
				b.WriteString(text)
			}
		}
		for _, below := range n.Then {
			walk(below)
		}
	}
	walk(n)
	return b.String()
}

func indented(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}
