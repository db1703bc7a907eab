// Package e2e calls through the real program, run as a child process on loopback, with the phones of pbxtest and with
// baresip and sipp. Each test is a row of FLOWS: what phones must see and hear.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// exchange is a running ringback.
type exchange struct {
	sip  netip.AddrPort
	http string
	cmd  *exec.Cmd
	log  logbook
	done chan struct{}
}

const apiToken = "e2e-token-of-the-tests"

var (
	program string    // the executable
	shared  *exchange // the one that most tests use
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // scenes wait more than they work; -parallel on the command line comes after it
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ringback-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ringback")
	build := exec.Command("go", "build", "-o", program, "ringback/cmd/ringback")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if raceDetector { // then the program is watched as well
		build = exec.Command("go", "build", "-race", "-o", program, "ringback/cmd/ringback")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	shared, err = startExchange(filepath.Join(dir, "data"), "--set", "sip.qualify=10s", "--set", "registrar.min_expires=2s")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	for _, x := range []*exchange{shared} {
		err := x.leftovers()
		if err == nil {
			err = x.stop()
		} else {
			_ = x.stop()
		}
		if text := x.log.String(); err == nil && (strings.Contains(text, "panic") || strings.Contains(text, "DATA RACE")) {
			err = fmt.Errorf("the exchange has panicked, or has a race:\n%s", text)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = max(status, 1)
		}
	}
	return status
}

// logbook keeps what the program writes.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() < 16<<20 {
		l.b.Write(b)
	}
	return len(b), nil
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freePort is a loopback port that is free for UDP and TCP. It is none that the system gives to connections, which would come
// to have it before the program does, and no two calls return the same.
func freePort() (netip.AddrPort, error) {
	const first, n = 21000, 11000 // RTP and what package real takes are below
	for range n {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), first+uint16((37*uint32(os.Getpid())+lastPort.Add(1))%n))
		u, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(a))
		if err != nil {
			continue
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(a))
		_ = u.Close()
		if err == nil {
			return a, l.Close()
		}
	}
	return netip.AddrPort{}, fmt.Errorf("no port is free for UDP and TCP")
}

var lastPort atomic.Uint32

var ranges struct {
	sync.Mutex
	n int
}

func startExchange(data string, more ...string) (*exchange, error) {
	sip, err := freePort()
	if err != nil {
		return nil, err
	}
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	ranges.Lock()
	rtp := 10000 + 2000*((os.Getpid()+ranges.n)%5)
	ranges.n++
	ranges.Unlock()
	x := &exchange{sip: sip, http: "http://" + web.String(), done: make(chan struct{})}
	args := append([]string{"serve", "--data", data, "--sip-listen", sip.String(), "--http-listen", web.String(),
		"--rtp-ports", fmt.Sprintf("%d-%d", rtp, rtp+1999), "--log-level", "info", "--set", "calls.grace=1s",
		"--set", "calls.language=tones"}, more...)
	x.cmd = exec.Command(program, args...)
	x.cmd.Env = append(os.Environ(), "RINGBACK_API_TOKEN="+apiToken)
	x.cmd.Stdout, x.cmd.Stderr = &x.log, &x.log
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := x.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = x.cmd.Wait()
		close(x.done)
	}()
	for range 200 {
		if res, err := http.Get(x.http + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == 200 {
				return x, nil
			}
		}
		select {
		case <-x.done:
			return nil, fmt.Errorf("ringback has ended:\n%s", x.log.String())
		case <-time.After(25 * time.Millisecond): // a child process: it says that it is ready only when asked
		}
	}
	_ = x.stop()
	return nil, fmt.Errorf("ringback is not ready:\n%s", x.log.String())
}

// patience is how long something may take on a busy machine before it counts as something that does not happen.
const patience = 30 * time.Second

// stop ends the program in order, and fails if that does not work.
func (x *exchange) stop() error {
	_ = x.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-x.done:
	case <-time.After(patience):
		_ = x.cmd.Process.Kill()
		<-x.done
		return fmt.Errorf("ringback did not end within %v of SIGTERM:\n%s", patience, x.log.String())
	}
	if code := x.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("ringback ended with %d:\n%s", code, x.log.String())
	}
	return nil
}

// api asks the REST API.
func (x *exchange) api(ctx context.Context, method, path string, body, into any) error {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, x.http+"/api/v1"+path, send)
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+apiToken)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	if into != nil {
		return json.Unmarshal(text, into)
	}
	return nil
}

// list is a page of the API.
type list struct {
	Items []map[string]any `json:"items"`
}

// about lists those items of a resource that name the number.
func (x *exchange) about(ctx context.Context, path string, fields []string, number string) ([]map[string]any, error) {
	var l list
	if err := x.api(ctx, "GET", path, nil, &l); err != nil {
		return nil, err
	}
	var found []map[string]any
	for _, item := range l.Items {
		for _, f := range fields {
			if item[f] == number {
				found = append(found, item)
				break
			}
		}
	}
	return found, nil
}

// leftovers fails if a call is still there once all tests are over.
func (x *exchange) leftovers() error {
	var l list
	for range 100 {
		if err := x.api(context.Background(), "GET", "/calls", nil, &l); err != nil {
			return err
		}
		if len(l.Items) == 0 {
			return nil
		}
		time.Sleep(50 * time.Millisecond) // another process: its last BYEs
	}
	return fmt.Errorf("calls are left over: %v", l.Items)
}
