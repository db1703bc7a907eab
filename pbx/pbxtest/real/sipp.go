package real

import (
	"embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/*.xml
var scenarios embed.FS

// Scenario is what a sipp does.
type Scenario struct {
	Name           string         // file in testdata without .xml: uac, uac_auth, uac_refused, uas, uas_busy, uas_redirect, register, subscribe
	Transport      string         // as sipp has it: u1 (default), un, t1, tn
	Addr           netip.AddrPort // where it listens; zero: any free port
	Remote         netip.AddrPort // where a caller sends to
	Service        string         // the number called, or for uas_redirect, the one that the call is sent to
	Domain         string         // of that number
	Status         int            // with which uac_refused is refused
	Waiting        string         // what subscribe is told: "yes" or "no"
	User, Password string
	Calls          int  // how many; default 1
	Rate           int  // calls a second; default 10
	Echo           bool // sends RTP back to where it came from
}

// Sipp is a running sipp 3.6.
type Sipp struct {
	Addr netip.AddrPort

	dir string
	p   *process
}

// StartSipp starts a scenario. Callees listen when it returns.
func StartSipp(t testing.TB, s Scenario) *Sipp {
	t.Helper()
	Need(t, "sipp")
	if s.Transport == "" {
		s.Transport = "u1"
	}
	if !s.Addr.IsValid() {
		s.Addr = Port(t)
	}
	media := Port(t)
	dir := t.TempDir()
	text, err := scenarios.ReadFile("testdata/" + s.Name + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"scenario.xml": strings.NewReplacer("[status]", fmt.Sprint(s.Status), "[waiting]", s.Waiting).Replace(string(text)),
		"users.csv":    fmt.Sprintf("SEQUENTIAL\n%s;\n", s.User),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.Rate == 0 {
		s.Rate = 10
	}
	args := []string{"-sf", "scenario.xml", "-inf", "users.csv", "-i", s.Addr.Addr().String(), "-p", fmt.Sprint(s.Addr.Port()),
		"-mi", s.Addr.Addr().String(), "-mp", fmt.Sprint(media.Port()), "-t", s.Transport, "-m", fmt.Sprint(max(s.Calls, 1)), "-r", fmt.Sprint(s.Rate),
		"-nostdin", "-max_socket", "1000", "-timeout", "60", "-timeout_error", "-trace_err", "-error_file", "errors.log", "-recv_timeout", "30000"}
	if s.Password != "" {
		args = append(args, "-au", s.User, "-ap", s.Password)
	}
	if s.Service != "" {
		args = append(args, "-s", s.Service)
	}
	if s.Domain != "" {
		args = append(args, "-key", "domain", s.Domain)
	}
	if s.Echo {
		args = append(args, "-rtp_echo")
	}
	if s.Remote.IsValid() {
		args = append(args, s.Remote.String())
	}
	p := &Sipp{Addr: s.Addr, dir: dir, p: start(t, dir, "sipp", args...)}
	if !s.Remote.IsValid() {
		p.listening(t, s.Transport)
	}
	return p
}

// listening waits until the kernel knows of the program's socket.
func (s *Sipp) listening(t testing.TB, transport string) {
	t.Helper()
	file := "/proc/net/udp"
	if transport[0] == 't' {
		file = "/proc/net/tcp"
	}
	a := s.Addr.Addr().As4()
	want := fmt.Sprintf(" %02X%02X%02X%02X:%04X ", a[3], a[2], a[1], a[0], s.Addr.Port())
	for range 100 {
		text, _ := os.ReadFile(file)
		if strings.Contains(string(text), want) {
			return
		}
		select {
		case <-s.p.done:
			t.Fatalf("sipp has ended: %s", s.Errors())
		case <-time.After(50 * time.Millisecond): // a child process: nothing else tells
		}
	}
	t.Fatalf("sipp does not listen at %s", s.Addr)
}

// Wait waits for the end and fails unless all calls were good.
func (s *Sipp) Wait(d time.Duration) error {
	code, err := s.p.wait(d)
	if err == nil && code != 0 {
		err = fmt.Errorf("sipp ends with %d: %s", code, s.Errors())
	}
	return err
}

// Errors is what sipp says went wrong.
func (s *Sipp) Errors() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "errors.log"))
	return tail(string(text), 3000) + tail(s.p.out.String(), 2000)
}
