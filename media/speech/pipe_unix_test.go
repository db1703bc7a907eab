//go:build unix

package speech

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Nobody waits for a pipe.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "en"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "en", "on.wav"), 0o644); err != nil {
		t.Skip(err)
	}
	s, log := open(t, Options{Dir: dir})
	listen(t, s.Prompt("en", "on"))
	if log.lines() != 1 {
		t.Errorf("logged:\n%s", log)
	}
}
