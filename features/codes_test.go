package features

import (
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// FuzzCodes changes two codes and dials something. Codes that are not refused are found, and are never in doubt: at most one
// of them can be meant.
func FuzzCodes(f *testing.F) {
	f.Add("*60", "*0", "*05")
	f.Add("*72A", "", "*72A")
	f.Add("*72*", "#", "*72*5")
	f.Add("", "5", "5")
	f.Add("*1", "*1+", "*1+49")
	f.Fuzz(func(t *testing.T, echo, speed, dialled string) {
		office := &pbx.Office{Codes: pbx.FeatureCodes{Changed: map[string]string{"echo": echo, "speed_dial": speed}}}
		s, argument := codesOf(office).find(dialled)
		if s == nil && argument != "" {
			t.Fatalf("argument %q of nothing", argument)
		}
		if s != nil && codeOf(&office.Codes, s.name)+argument != dialled {
			t.Fatalf("%q is taken for %s and %q", dialled, s.name, argument)
		}
		if CheckCodes(office, func(string) bool { return false }) != nil {
			return
		}
		var meant []string
		for _, c := range Codes(office) {
			rest, begins := strings.CutPrefix(dialled, c.Code)
			if begins && (rest == "" || c.Argument != NoArgument && isArgument(rest)) {
				meant = append(meant, c.Service)
			}
			if found, rest := codesOf(office).find(c.Code); found == nil || found.name != c.Service || rest != "" {
				t.Errorf("the code %q of %s is not found", c.Code, c.Service)
			}
		}
		if len(meant) > 1 {
			t.Errorf("%q can be any of %q", dialled, meant)
		}
		if len(meant) == 1 != (s != nil) || s != nil && meant[0] != s.name {
			t.Errorf("%q is found as %v, but means %q", dialled, s, meant)
		}
		if IsCode(office, dialled) != (s != nil) {
			t.Error("IsCode says otherwise")
		}
	})
}

// TestCodesOfNewOffice: an office that takes the place of another brings its own codes, for the next call.
func TestCodesOfNewOffice(t *testing.T) {
	before, after := new(pbx.Office), &pbx.Office{Codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*96", "redial": ""}}}
	for range 3 {
		if !IsCode(before, "*43") || IsCode(before, "*96") || !IsCode(before, "*870") {
			t.Error("codes before")
		}
		if IsCode(after, "*43") || !IsCode(after, "*96") || IsCode(after, "*870") {
			t.Error("codes after")
		}
	}
}

// TestIsMyMailbox: the code in force, and no other.
func TestIsMyMailbox(t *testing.T) {
	changed := &pbx.Office{Codes: pbx.FeatureCodes{Changed: map[string]string{"my_mailbox": "*600"}}}
	for dialled, of := range map[string]*pbx.Office{"*97": new(pbx.Office), "*600": changed} {
		if !IsMyMailbox(of, dialled) {
			t.Errorf("%s does not lead to one's mailbox", dialled)
		}
	}
	for _, dialled := range []string{"", "97", "*97", "*971000", "*981000", "*99", "1000"} {
		if IsMyMailbox(changed, dialled) || dialled != "*97" && IsMyMailbox(new(pbx.Office), dialled) {
			t.Errorf("%q leads to one's mailbox", dialled)
		}
	}
}

// TestLongestCode: codes that were never checked are found too, the longest first.
func TestLongestCode(t *testing.T) {
	office := &pbx.Office{Codes: pbx.FeatureCodes{Changed: map[string]string{"echo": "*721", "block": "*7"}}}
	for dialled, want := range map[string]string{"*721": "echo", "*7211": "forward_always_on", "*72": "forward_always_on", "*75": "block", "*7": "block"} {
		if s, _ := codesOf(office).find(dialled); s == nil || s.name != want {
			t.Errorf("%s is %+v, want %s", dialled, s, want)
		}
	}
}

// TestCodesAtOnce: many extensions dial codes at the same time, and two of them change the same settings.
func TestCodesAtOnce(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		var wait sync.WaitGroup
		for _, from := range []string{"1000", "1001", "1002"} {
			for _, dialled := range []string{"*78", "*71", "*301002", "*65", "*43", "*72", "1999"} {
				wait.Go(func() {
					p := r.Call(from, dialled)
					time.Sleep(time.Second)
					p.Press("1#")
					time.Sleep(20 * time.Second)
					p.Bye()
				})
			}
			wait.Go(func() {
				for range 100 {
					IsCode(new(pbx.Office), "*78")
				}
			})
		}
		wait.Wait()
		synctest.Wait()
		for _, n := range []string{"1000", "1001", "1002"} {
			s := r.office.Extension(n).Services
			if !s.DoNotDisturb.On || !s.OneCall.On || len(s.Incoming) != 1 || s.Always.On {
				t.Errorf("%s: %+v", n, s)
			}
		}
	})
}

// TestLookupAllocates: what is no code costs no memory, nor does what is one.
func TestLookupAllocates(t *testing.T) {
	office := new(pbx.Office)
	for _, dialled := range []string{"1000", "+493012345678", "*999999", "*721002", "**1000"} {
		if n := testing.AllocsPerRun(100, func() { codesOf(office).find(dialled) }); n != 0 {
			t.Errorf("looking up %s makes %v allocations", dialled, n)
		}
	}
}

func BenchmarkCodeLookup(b *testing.B) {
	office := new(pbx.Office)
	for name, dialled := range map[string]string{"number": "1000", "star": "**1000", "code": "*78", "argument": "*0123456"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				codesOf(office).find(dialled)
			}
		})
	}
}

func BenchmarkCodeTable(b *testing.B) {
	office := new(pbx.Office)
	b.ReportAllocs()
	for b.Loop() {
		compile(office)
	}
}

// TestCodesAreDocumented wants the table in docs/features.md to have each service with its codes.
func TestCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range codeServices {
		row := "| " + s.name + " |"
		for _, profile := range []string{"ringback", "fusionpbx", "mikopbx"} {
			switch code := profiles[profile][s.name]; {
			case code == "":
				row += " – |"
			case s.takes == NoArgument:
				row += " `" + code + "` |"
			default:
				row += " `" + code + "` n |"
			}
		}
		if row += " " + s.text + " |"; !strings.Contains(string(text), row+"\n") {
			t.Errorf("the table has no row %s", row)
		}
	}
	if len(profiles) != 3 {
		t.Errorf("%d profiles, of which the table has 3", len(profiles))
	}
}
