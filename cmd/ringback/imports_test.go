package main

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type arrow struct {
	pkg string
	may []string
}

// arrows are the import arrows of docs/design.md: which packages of ours a package may name. The first rule that fits
// a package (itself, or a folder above it with "/...") is the one that holds.
var arrows = []arrow{
	{"cmd/...", []string{"cmd/...", "web", "features", "pbx/...", "media/...", "migrations", "sounds"}},
	{"web/...", []string{"web/...", "pbx"}},
	{"features/...", []string{"features/...", "pbx"}},
	{"pbx/line/...", []string{"pbx/line/...", "pbx", "media"}},
	{"pbx/store/...", []string{"pbx/store/...", "pbx", "migrations"}},
	{"pbx/archive", []string{"pbx", "media", "media/wav"}},
	{"pbx/mail", []string{"pbx"}},
	{"pbx/pbxtest/...", []string{"pbx/pbxtest/...", "pbx", "media"}},
	{"pbx", []string{"media"}},
	{"media/...", []string{"media/...", "sounds"}},
	{"migrations", nil},
	{"sounds", nil},
	{"sounds/make", []string{"media/wav"}},
}

// strangers are what a package must not reach, on whatever way: pbx knows no SIP text, no SQL and no HTTP; pbxtest has a
// SIP stack of its own, because a shared one hides shared mistakes; and the others do not do each other's work.
var strangers = map[string][]string{
	"pbx":             {"github.com/emiago/sipgo", "database/sql", "gorm.io", "net/http"},
	"features":        {"github.com/emiago/sipgo", "database/sql", "gorm.io", "net/http"},
	"media":           {"github.com/emiago/sipgo", "database/sql", "gorm.io", "net/http"},
	"pbx/line/...":    {"gorm.io", "modernc.org"},
	"pbx/store":       {"github.com/emiago/sipgo"},
	"web":             {"github.com/emiago/sipgo", "gorm.io", "modernc.org"},
	"pbx/pbxtest/...": {"github.com/emiago/sipgo", "ringback/pbx/line", "ringback/pbx/store", "database/sql", "gorm.io"},
}

// pure are packages of protocol state: they name nothing that does I/O, waits or locks.
var pure = map[string][]string{
	"pbx/line/offer":  {"net", "os", "sync", "context", "log/slog"},
	"pbx/line/dialog": {"net", "os", "sync", "context", "log/slog"},
	"media/quality":   {"net", "os", "sync", "context", "log/slog"},
}

func TestImports(t *testing.T) {
	const module = "ringback/"
	list := exec.Command("go", "list", "-f", `{{.ImportPath}};{{join .Imports " "}};{{join .Deps " "}}`, module+"...")
	var problem bytes.Buffer
	list.Stderr = &problem
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &problem)
	}
	used := map[string]bool{}
	packages := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), ";")
		if len(fields) != 3 {
			t.Fatalf("go list says %q", line)
		}
		packages++
		pkg := strings.TrimPrefix(fields[0], module)
		imports, deps := strings.Fields(fields[1]), strings.Fields(fields[2])

		rule := slices.IndexFunc(arrows, func(a arrow) bool { return covers(a.pkg, pkg) })
		if rule < 0 {
			t.Errorf("%s: no import rule for it", pkg)
			continue
		}
		used[arrows[rule].pkg] = true
		for _, i := range imports {
			to, own := strings.CutPrefix(i, module)
			if own && !slices.ContainsFunc(arrows[rule].may, func(may string) bool { return covers(may, to) }) {
				t.Errorf("%s imports %s, against the arrows of docs/design.md", pkg, to)
			}
		}
		for of, what := range strangers {
			if !covers(of, pkg) {
				continue
			}
			used[of] = true
			for _, d := range deps {
				if slices.ContainsFunc(what, func(w string) bool { return d == w || strings.HasPrefix(d, w+"/") }) {
					t.Errorf("%s reaches %s", pkg, d)
				}
			}
		}
		if what, ok := pure[pkg]; ok {
			used[pkg] = true
			for _, i := range imports {
				if slices.Contains(what, i) {
					t.Errorf("%s is pure and imports %s", pkg, i)
				}
			}
		}
	}
	if packages < 10 {
		t.Errorf("go list knows %d packages only", packages)
	}
	for rule := range strangers { // a rule for what does not exist guards nothing
		if !used[rule] {
			t.Errorf("no package for the rule of %s", rule)
		}
	}
	for rule := range pure {
		if !used[rule] {
			t.Errorf("no package for the rule of %s", rule)
		}
	}
}

// covers reports whether a rule's name ("pbx", "web/...") stands for a package.
func covers(rule, pkg string) bool {
	folder, all := strings.CutSuffix(rule, "/...")
	return pkg == folder || all && strings.HasPrefix(pkg, folder+"/")
}

// TestTopLevelNames: what lies at the top of the repository is what docs/design.md says, and nothing else.
func TestTopLevelNames(t *testing.T) {
	allowed := []string{
		".ci", ".gitignore", "cmd", "docs", "features", "media", "migrations", "pbx", "sounds", "web",
		"CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "config.example.toml", "go.mod", "go.sum",
	}
	for _, name := range topLevel(t) {
		if !slices.Contains(allowed, name) {
			t.Errorf("%s is not a name for the top of the repository", name)
		}
	}
}

// topLevel are the names that git keeps; where there is no git (an unpacked archive), those that are there.
func topLevel(t *testing.T) (names []string) {
	const top = "../.."
	git := exec.Command("git", "ls-files", "-z")
	git.Dir = top
	if out, err := git.Output(); err == nil && len(out) > 0 {
		for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			name, _, _ := strings.Cut(file, "/")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names
	}
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"ringback", "dist", "ringback-data"}, e.Name()) { // as .gitignore says
			names = append(names, e.Name())
		}
	}
	return names
}
