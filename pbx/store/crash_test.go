package store

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

// child is the process that the crash test kills: it makes promises for ever and says each once it holds.
func child() bool {
	dir := os.Getenv("RINGBACK_STORE_CHILD")
	if dir == "" {
		return false
	}
	s, err := Open(dir, Options{Checkpoint: 30 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("failed", err)
		return true
	}
	round := len(s.Setting("round"))
	_ = s.SetSetting(context.Background(), "round", s.Setting("round")+"x")
	held := make(chan string, 100)
	for i := range 10 { // registrar
		go func() {
			for cseq := uint32(round * 1_000_000); ; cseq++ {
				number, list := bindingsOf(i)
				list[0].CSeq = cseq
				done := make(chan error)
				s.Journal().Bindings(number, list, func(err error) { done <- err })
				if err := <-done; err != nil {
					held <- "failed " + err.Error()
				}
				held <- fmt.Sprint("bound ", number, " ", cseq)
			}
		}()
	}
	go func() { // calls; every other one ends
		for i := round * 1_000_000; ; i++ {
			c := record(i)
			ended := c
			c.Ended, c.EndedBy, c.Reason = time.Time{}, "", ""
			if err := s.Journal().Answered(c); err != nil {
				held <- "failed " + err.Error()
			}
			held <- "answered " + c.ID
			if i%2 == 0 {
				s.Journal().Ended(ended)
			}
		}
	}()
	for line := range held {
		fmt.Println(line)
	}
	return true
}

func TestNothingPromisedIsLostByKill9(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	fill(t, s, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	bound, answered := map[string]int{}, map[string]bool{}
	for round := range 6 {
		runChild(t, dir, 300<<round, func(line string) {
			var number, id string
			var cseq int
			if n, _ := fmt.Sscanf(line, "bound %s %d", &number, &cseq); n == 2 {
				bound[number] = cseq
			} else if n, _ := fmt.Sscanf(line, "answered %s", &id); n == 1 {
				answered[id] = true
			} else {
				t.Fatal("child:", line)
			}
		})
		s := open(t, dir, Options{})
		checkBound(t, s, bound)
		checkAnswered(t, s, answered)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runChild lets a child work until it has said so many lines, then kills it as hard as can be.
func runChild(t *testing.T, dir string, lines int, said func(string)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RINGBACK_STORE_CHILD="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	in := bufio.NewReader(out)
	for i := 0; ; i++ {
		line, err := in.ReadString('\n')
		if err != nil { // a line that was cut off by the kill said nothing
			if i < lines {
				t.Fatal("the child ended by itself:", err)
			}
			return
		}
		if said(strings.TrimSpace(line)); i == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkBound(t *testing.T, s *Store, bound map[string]int) {
	t.Helper()
	list, err := s.LoadBindings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]pbx.Binding{}
	for _, b := range list {
		found[b.Extension] = b
	}
	for number, cseq := range bound {
		if b := found[number]; b.Contact == "" || int(b.CSeq) < cseq {
			t.Fatalf("extension %s: promised CSeq %d, stored %+v", number, cseq, b)
		}
	}
}

func checkAnswered(t *testing.T, s *Store, answered map[string]bool) {
	t.Helper()
	stopped := 0
	missing := len(answered)
	for c, err := range s.CDRs(t.Context(), CDRFilter{Limit: 1000}) {
		if err != nil {
			t.Fatal(err)
		}
		if answered[c.ID] {
			missing--
		}
		if c.Outcome != "answered" || c.Answered.IsZero() || c.EndedBy == "" {
			t.Fatalf("bad record %+v", c)
		}
		if c.Reason == stoppedReason {
			stopped++
			if c.EndedBy != "system" || !c.Ended.IsZero() {
				t.Fatalf("a call whose end nobody saw: %+v", c)
			}
		}
	}
	if missing > 0 {
		t.Fatalf("%d of %d answered calls have no record", missing, len(answered))
	}
	if stopped == 0 {
		t.Fatal("no call was going on when the PBX stopped: the test tests nothing")
	}
}
