package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	reference = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)\\w+)`")
	declared  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`)
)

// TestConformance keeps docs/conformance.md true: every row says whether something is supported, names its tests if it
// is, and each test it names exists.
func TestConformance(t *testing.T) {
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{} // by package
	rows, section, first := 0, "", true
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			section = line
		}
		if !strings.HasPrefix(line, "|") {
			first = true
			continue
		}
		if first || strings.HasPrefix(line, "|---") { // headings of a table
			first = false
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 {
			t.Errorf("%s: %d cells: %s", section, len(cells), line)
			continue
		}
		what, status, named := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), cells[3]
		found := reference.FindAllStringSubmatch(named, -1)
		switch {
		case status != "yes" && status != "part" && status != "no":
			t.Errorf("%s: %q is %q", section, what, status)
		case status != "no" && len(found) == 0:
			t.Errorf("%s: %q names no test", section, what)
		}
		if rest := strings.TrimSpace(reference.ReplaceAllString(named, "")); rest != "" {
			t.Errorf("%s: %q is not a test: %s", section, what, rest)
		}
		for _, f := range found {
			if tests[f[1]] == nil {
				tests[f[1]] = testsOf(t, f[1])
			}
			if !tests[f[1]][f[2]] {
				t.Errorf("%s: %q names %s, which package %s does not have", section, what, f[2], f[1])
			}
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows were understood", rows)
	}
}

// testsOf are the tests and fuzz targets of a package of this repository.
func testsOf(t *testing.T, pkg string) map[string]bool {
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("package %s has no tests (%v)", pkg, err)
	}
	all := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllSubmatch(text, -1) {
			all[string(m[1])] = true
		}
	}
	return all
}
