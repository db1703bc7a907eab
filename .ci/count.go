//go:build ignore

// Command count reads the output of "go test -json" and keeps score for the gate.
//
//	go test -json ./... | count SCORE   prints a line a package and the whole output of what failed, and skipped tests
//	                                    with their reason; appends what became of each test to the file SCORE
//	count -total SCORE                  prints "N passed, N failed, N skipped"; exit status 1 unless all passed
//
// A test that ran more than once (with and without the race detector) counts once, by its worst result.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "-total" {
		total(os.Args[2])
		return
	}
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: count [-total] SCORE"))
	}
	score, err := os.OpenFile(os.Args[1], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	fail(err)
	defer score.Close()

	output := map[string][]string{} // by package and test, until the test has passed
	running := map[string]string{}  // by the same: a test that has not ended, and its package
	tests := map[string]int{}       // ended, by package
	failed := map[string]bool{}     // packages in which a test has failed
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := e.Package + "\t" + e.Test
		switch e.Action {
		case "run":
			running[key] = e.Package
		case "output":
			output[key] = append(output[key], e.Output)
		case "build-output":
			fmt.Print(e.Output)
		case "pass", "fail", "skip":
			if e.Test != "" {
				fmt.Fprintf(score, "%s\t%s\n", e.Action, key)
				tests[e.Package]++
				failed[e.Package] = failed[e.Package] || e.Action == "fail"
				delete(running, key)
				if e.Action != "pass" {
					fmt.Printf("--- %s: %s %s\n%s", strings.ToUpper(e.Action), e.Package, e.Test, strings.Join(output[key], ""))
				}
				delete(output, key)
				continue
			}
			if e.Action == "fail" { // also a panic, a leak, a build that failed, a test that never ended
				fmt.Print(strings.Join(output[key], ""))
				for test, pkg := range running {
					if pkg == e.Package {
						fmt.Printf("--- DID NOT END: %s\n%s", test, strings.Join(output[test], ""))
						fmt.Fprintf(score, "fail\t%s\n", test)
						failed[e.Package] = true
					}
				}
				if !failed[e.Package] {
					fmt.Fprintf(score, "fail\t%s\t(package)\n", e.Package)
				}
			}
			if e.Action == "fail" || tests[e.Package] > 0 {
				fmt.Printf("%-4s %-40s %5d tests %7.1f s\n", e.Action, e.Package, tests[e.Package], e.Elapsed)
			}
			delete(output, key)
		}
	}
	fail(in.Err())
}

func total(file string) {
	b, err := os.ReadFile(file)
	fail(err)
	rank := map[string]int{"pass": 1, "skip": 2, "fail": 3}
	worst := map[string]int{}
	for line := range strings.Lines(string(b)) {
		action, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		worst[name] = max(worst[name], rank[action])
	}
	var n [4]int
	for _, r := range worst {
		n[r]++
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", n[1], n[3], n[2])
	if n[1] == 0 || n[2]+n[3] > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
}
