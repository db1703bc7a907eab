// Package real drives phones that others wrote, as child processes on loopback: baresip and sipp.
//
// A test asks for a program with Need. Each program has its own temporary directory and free ports, is ended by its
// process id, and cannot outlive the test.
package real

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

var packages = map[string]string{"baresip": "baresip-core", "sipp": "sip-tester"}

// Need skips the test if the program is not installed, and says what to install. With RINGBACK_REQUIRE_REAL=1 in the
// environment, as in CI, the test fails instead.
func Need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	text := fmt.Sprintf("%s is not installed: apt-get install %s (Debian)", program, packages[program])
	if os.Getenv("RINGBACK_REQUIRE_REAL") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// limit is the longest that any program may run.
const limit = 2 * time.Minute

// process is a child that is ended with the test.
type process struct {
	name string
	cmd  *exec.Cmd
	out  output
	done chan struct{}
	err  error
}

// output collects what a program writes, at most 1 MiB.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.b.Len() < 1<<20 {
		o.b.Write(b)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func start(t testing.TB, dir, program string, args ...string) *process {
	t.Helper()
	p := &process{name: program, cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.WaitDelay = 2 * time.Second
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	timer := time.AfterFunc(limit, func() { _ = p.cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		p.stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.name, tail(p.out.String(), 6000))
		}
	})
	return p
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// stop asks the program to end, and ends it after a second.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return
	case <-time.After(time.Second):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// wait returns the exit status.
func (p *process) wait(d time.Duration) (int, error) {
	select {
	case <-p.done:
	case <-time.After(d):
		return 0, fmt.Errorf("%s is still running after %v:\n%s", p.name, d, tail(p.out.String(), 4000))
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		return 0, p.err
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// Ports are given out from below the kernel's ephemeral range, so that no connection takes one before its program does.
const firstPort, lastPort = 5200, 9996

var nextPort = struct {
	sync.Mutex
	n int
}{n: firstPort + 4*(os.Getpid()*31%((lastPort-firstPort)/4))}

// Port finds a loopback port that is free for UDP and TCP, as are the three above it: baresip takes one of them for TLS,
// sipp all for RTP. No two calls return the same.
func Port(t testing.TB) netip.AddrPort {
	t.Helper()
	nextPort.Lock()
	defer nextPort.Unlock()
	for range (lastPort - firstPort) / 4 {
		p := nextPort.n
		if nextPort.n += 4; nextPort.n > lastPort {
			nextPort.n = firstPort
		}
		if free(p) && free(p+1) && free(p+2) && free(p+3) {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(p))
		}
	}
	t.Fatal("no port is free for UDP and TCP")
	return netip.AddrPort{}
}

func free(port int) bool {
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return false
	}
	defer u.Close()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return false
	}
	return l.Close() == nil
}
