package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/pbx/line/registrar"
	"ringback/pbx/pbxtest"
	"ringback/pbx/store"
	"ringback/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings of an instance that is alone on its ports.
func testConfig(t *testing.T, flags map[string]string) *Config {
	t.Helper()
	all := map[string]string{"data": filepath.Join(t.TempDir(), "data"), "sip.listen": "127.0.0.1:0", "http.listen": "127.0.0.1:0",
		"rtp.ports": "39000-39399", "calls.grace": "0s", "sip.readers": "1"}
	for k, v := range flags {
		all[k] = v
	}
	l, err := load(sources{environ: none, flags: all})
	if err != nil {
		t.Fatal(err)
	}
	return &l.Config
}

func testInstance(t *testing.T, cfg *Config) *instance {
	t.Helper()
	i, err := startInstance(cfg, options{log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), apiToken: "token-of-the-tests"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.close)
	return i
}

// command runs the command line against an instance, and wants it to end well.
func command(t *testing.T, i *instance, args ...string) string {
	t.Helper()
	out, errs, status := commandStatus(t, i, args...)
	if status != 0 {
		t.Fatalf("ringback %s: status %d: %s", strings.Join(args, " "), status, errs)
	}
	return out
}

func commandStatus(t *testing.T, i *instance, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	if i != nil {
		args = append(args, "--data", i.store.Dir())
	}
	status = run(t.Context(), args, app{strings.NewReader(""), &o, &e, none})
	return o.String(), e.String(), status
}

func phone(t *testing.T, i *instance, number, password string) *pbxtest.Phone {
	t.Helper()
	p, err := pbxtest.NewPhone(pbxtest.Config{User: number, Password: password, Server: i.transport.Locals("udp")[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if _, err := p.Register(t.Context(), 600); err != nil {
		t.Fatal(err)
	}
	return p
}

// What started comes back after a restart; what was told once is not told again.
func TestRestart(t *testing.T) {
	cfg := testConfig(t, nil)
	i := testInstance(t, cfg)
	if i.first == nil || i.first.password == "" {
		t.Error("the first start tells no password")
	}
	command(t, i, "extension", "add", "1000", "--name", "Alice", "--password", "password-1000")
	phone(t, i, "1000", "password-1000")
	i.close()
	i = testInstance(t, cfg)
	if i.first != nil {
		t.Error("the second start tells passwords")
	}
	if out := command(t, i, "registrations"); !strings.Contains(out, "1000") {
		t.Errorf("the registration did not survive:\n%s", out)
	}
}

// Whatever cannot be had, nothing stays behind: no socket, no goroutine (goleak), no lock.
func TestStartFails(t *testing.T) {
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	locked := testInstance(t, testConfig(t, nil))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		flags map[string]string
		want  string
	}{
		{"SIP port", map[string]string{"sip.listen": "udp://" + udp.LocalAddr().String()}, "SIP"},
		{"SIP port over TCP", map[string]string{"sip.listen": "tcp://" + tcp.Addr().String()}, "SIP"},
		{"HTTP port", map[string]string{"http.listen": tcp.Addr().String()}, "HTTP"},
		{"data directory in use", map[string]string{"data": locked.store.Dir()}, "in use"},
		{"no directory", map[string]string{"data": file}, file},
		{"no certificate", map[string]string{"sip.tls_listen": "127.0.0.1:0", "sip.tls_certificate": "/nonexistent.pem", "sip.tls_key": "/nonexistent.key"}, "/nonexistent.pem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig(t, c.flags)
			i, err := startInstance(cfg, options{log: slog.New(slog.DiscardHandler)})
			if err == nil {
				i.close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q", err)
			}
			if s, err := store.Open(cfg.Data, store.Options{}); err == nil {
				s.Close()
			} else if cfg.Data != locked.store.Dir() && cfg.Data != file {
				t.Errorf("the data directory is still in use: %v", err)
			}
		})
	}
}

// A data directory whose name is longer than a socket's may be.
func TestLongDataDirectory(t *testing.T) {
	i := testInstance(t, testConfig(t, map[string]string{"data": filepath.Join(t.TempDir(), strings.Repeat("long", 30))}))
	if out := command(t, i, "health"); out != "ready\n" {
		t.Errorf("got %q", out)
	}
}

func TestSocketIsPrivate(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	for _, name := range []string{"", socketName} {
		st, err := os.Stat(filepath.Join(i.store.Dir(), name))
		if err != nil || st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q: %v %v", name, st.Mode(), err)
		}
	}
}

func TestTLS(t *testing.T) {
	cfg := testConfig(t, map[string]string{"sip.tls_listen": "127.0.0.1:0", "sip.tls_self_signed": "true"})
	i := testInstance(t, cfg)
	command(t, i, "extension", "add", "1000", "--password", "password-1000")
	p, err := pbxtest.NewPhone(pbxtest.Config{User: "1000", Password: "password-1000", Transport: "tls", Server: i.transport.Locals("tls")[0],
		TLS: &tls.Config{InsecureSkipVerify: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Register(t.Context(), 600); err != nil {
		t.Fatal(err)
	}
	if out := command(t, i, "registrations"); !strings.Contains(out, "tls") {
		t.Errorf("got\n%s", out)
	}
	before := i.certificate.now.Load()
	i.certificate.load(cfg)
	if bytes.Equal(before.Certificate[0], i.certificate.now.Load().Certificate[0]) == false {
		t.Error("the self-signed certificate was made anew")
	}
	if st, err := os.Stat(filepath.Join(cfg.Data, "tls.key")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v", st.Mode(), err)
	}
}

// serving is the subcommand serve as a process would run it.
type serving struct {
	out, errs syncBuffer
	data      string
	status    chan int
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func startServe(t *testing.T, environ func(string) string, args ...string) *serving {
	s := &serving{data: filepath.Join(t.TempDir(), "data"), status: make(chan int, 1)}
	args = append([]string{"serve", "--data", s.data, "--sip-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--rtp-ports", "39400-39799"}, args...)
	go func() {
		s.status <- run(context.Background(), args, app{strings.NewReader(""), &s.out, &s.errs, environ})
	}()
	return s
}

// until waits for a line of the log.
func (s *serving) until(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(s.errs.String(), text) {
		select {
		case status := <-s.status:
			t.Fatalf("serve ended with %d: %s", status, s.errs.String())
		case <-t.Context().Done():
			t.Fatalf("no %q in %s", text, s.errs.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// The life of a server: greeting, SIGHUP with a mistake, SIGHUP without, a call that SIGTERM ends, status 0.
func TestServe(t *testing.T) {
	config := write(t, "[calls]\ngrace = '0s'\n")
	s := startServe(t, func(k string) string {
		return map[string]string{"RINGBACK_API_TOKEN": "x"}[k] // scripts set short ones
	}, "--config", config)
	s.until(t, "ringback is running")
	if !strings.Contains(s.errs.String(), "RINGBACK_API_TOKEN is short") {
		t.Errorf("no warning of a short token: %s", s.errs.String())
	}
	_, at, _ := strings.Cut(s.errs.String(), "http=[")
	at, _, _ = strings.Cut(at, "]")
	r, _ := http.NewRequest("GET", "http://"+at+"/api/v1/calls", nil)
	r.Header.Set("Authorization", "Bearer x")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if res, err := client.Do(r); err != nil || res.StatusCode != 200 {
		t.Errorf("the token of the environment: %v, %v", res, err)
	} else {
		res.Body.Close()
	}
	for _, want := range []string{"administrator  admin", "as set in RINGBACK_API_TOKEN", "extension add 1000", "*43"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the greeting does not say %q:\n%s", want, s.out.String())
		}
	}
	self, _ := os.FindProcess(os.Getpid())

	os.WriteFile(config, []byte("[calls]\ngrace = 'soon'\n"), 0o600)
	self.Signal(syscall.SIGHUP)
	s.until(t, "was not taken over")
	if !strings.Contains(s.errs.String(), "line 2: calls.grace must be a time") {
		t.Errorf("the log does not say what is wrong: %s", s.errs.String())
	}
	os.WriteFile(config, []byte("[calls]\ngrace = '1ms'\n[log]\nlevel='debug'\n[registrar]\nmax_expires='2h'\ndefault_expires='100m'\n[rtp]\nrest='1s'\n"), 0o600)
	self.Signal(syscall.SIGHUP)
	s.until(t, "need a restart")
	if log := s.errs.String(); !strings.Contains(log, "changed=\"[log.level registrar.max_expires registrar.default_expires calls.grace]\"") || !strings.Contains(log, "settings=[rtp.rest]") {
		t.Errorf("the log does not say what has changed: %s", log)
	}

	cli := func(args ...string) string {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append(args, "--data", s.data), app{strings.NewReader(""), &out, &errs, none}); status != 0 {
			t.Fatalf("%v: %d %s", args, status, errs.String())
		}
		return out.String()
	}
	cli("extension", "add", "1000", "--password", "password-1000")
	_, sip, _ := strings.Cut(s.errs.String(), "udp=[")
	sip, _, _ = strings.Cut(sip, "]")
	p, err := pbxtest.NewPhone(pbxtest.Config{User: "1000", Password: "password-1000", Server: netip.MustParseAddrPort(sip)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Register(t.Context(), 7000); err != nil {
		t.Fatal(err)
	}
	if p.Granted() != 7000 {
		t.Errorf("%d seconds were granted: registrar.max_expires is not in force", p.Granted())
	}
	leg, err := p.Call(t.Context(), "*43")
	if err != nil {
		t.Fatal(err)
	}
	if err := leg.Answered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := cli("calls"); !strings.Contains(out, "*43") || !strings.Contains(out, "answered") {
		t.Errorf("calls:\n%s", out)
	}
	self.Signal(syscall.SIGTERM)
	if err := leg.Ended(t.Context()); err != nil {
		t.Error(err)
	}
	if status := <-s.status; status != 0 {
		t.Errorf("status %d: %s", status, s.errs.String())
	}
	if _, err := os.Stat(filepath.Join(s.data, "ringback.db")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.data, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket was left behind: %v", err)
	}
}

func TestServeFails(t *testing.T) {
	bad := write(t, "[sip]\nlisen = []\n")
	for _, c := range []struct {
		environ map[string]string
		args    []string
		status  int
		want    string
	}{
		{nil, []string{"--config", bad}, 1, "line 2: there is no setting sip.lisen; did you mean sip.listen?"},
		{nil, []string{"--rtp-ports", "x"}, 1, "--rtp-ports: rtp.ports"},
		{nil, []string{"--set", "x.y=1"}, 1, "--set: there is no setting x.y"},
		{nil, []string{"--nonsense"}, 2, "unknown flag --nonsense"},
		{map[string]string{"RINGBACK_API_TOKEN": "two words"}, nil, 1, "RINGBACK_API_TOKEN must have printable"},
		{map[string]string{"RINGBACK_API_TOKEN": "Schlüssel-der-Anlage"}, nil, 1, "RINGBACK_API_TOKEN must have printable"},
		{map[string]string{"RINGBACK_LOG_LEVEL": "loud"}, nil, 1, "RINGBACK_LOG_LEVEL: log.level must be"},
	} {
		var out, errs bytes.Buffer
		data := filepath.Join(t.TempDir(), "data")
		args := append([]string{"serve", "--data", data, "--sip-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, c.args...)
		status := run(t.Context(), args, app{strings.NewReader(""), &out, &errs, func(k string) string { return c.environ[k] }})
		if status != c.status || !strings.Contains(errs.String(), c.want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%v: status %d, %q", c.args, status, errs.String())
		}
		if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v: something was started", c.args)
		}
	}
}

// The network listener asks for a token, and /metrics shows every part.
func TestHTTP(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	get := func(path, token string) (int, string) {
		r, _ := http.NewRequest("GET", "http://"+i.web.addrs[0].String()+path, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	made := strings.TrimSpace(command(t, i, "token", "add", "monitoring"))
	for token, want := range map[string]int{"": 401, "wrong": 401, "token-of-the-tests": 200, made: 200} {
		if status, body := get("/api/v1/calls", token); status != want {
			t.Errorf("token %q: %d %s", token, status, body)
		}
	}
	command(t, i, "token", "revoke", "monitoring")
	if status, _ := get("/api/v1/calls", made); status != 401 {
		t.Errorf("a revoked token: %d", status)
	}
	if status, _ := get("/readyz", ""); status != 200 {
		t.Errorf("/readyz: %d", status)
	}
	_, body := get("/metrics", "token-of-the-tests")
	for _, name := range []string{"ringback_calls ", "ringback_registrations ", "ringback_sip_messages_total{", "ringback_sip_transactions{",
		"ringback_rtp_packets_total{", "ringback_rtp_ports{", "ringback_auth_total{", "ringback_panics_total{", "ringback_calls_ended_total{",
		"ringback_sip_retransmissions_total{", "ringback_ready 1", "process_resident_memory_bytes", "go_goroutines"} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("/metrics says nothing of %s", name)
		}
	}
	if strings.Contains(body, "error") && !strings.Contains(body, "errors") {
		t.Error(body)
	}
	i.state.Store(&stopping)
	if status, body := get("/readyz", ""); status != 503 || !strings.Contains(body, "shutting down") {
		t.Errorf("/readyz while it ends: %d %s", status, body)
	}
}

func TestAdvertise(t *testing.T) {
	i := &instance{}
	cfg := defaultConfig()
	cfg.ExternalAddress = []netip.Addr{netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")}
	i.config.Store(&cfg)
	for remote, want := range map[string]string{"192.168.1.5": "invalid IP", "::ffff:192.168.1.5": "invalid IP", "fe80::1%eth0": "invalid IP",
		"203.0.113.9": "198.51.100.1", "2001:db8:9::1": "2001:db8::1", "127.0.0.1": "invalid IP"} {
		if got := i.advertise(netip.MustParseAddr(remote)).String(); got != want {
			t.Errorf("%s is told %s, want %s", remote, got, want)
		}
	}
}

func TestMediaAddresses(t *testing.T) {
	for listen, want := range map[string]string{"127.0.0.1:0": "[127.0.0.1]", "127.0.0.1:0,127.0.0.2:0": "[0.0.0.0]", "tcp://127.0.0.1:0": "[127.0.0.1]"} {
		cfg := testConfig(t, map[string]string{"sip.listen": listen})
		if got := mediaAddresses(cfg); "["+got[0].String()+"]" != want || len(got) != 1 {
			t.Errorf("%s: %v, want %s", listen, got, want)
		}
	}
}

// A range of RTP ports that the limit of open files does not allow is told at the start, not when calls fail.
func TestFileLimit(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	for limit, want := range map[uint64]bool{250: true, 1000: false} {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
		var log syncBuffer
		i, err := startInstance(testConfig(t, nil), options{log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		i.close()
		if got := strings.Contains(log.String(), "usable_percent=50"); got != want {
			t.Errorf("at most %d files: %s", limit, log.String())
		}
	}
}

// What the store and the registrar fail with reaches the client as what it is.
func TestWebErrors(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{fmt.Errorf("extension: %w", store.ErrNotFound), web.ErrNotFound},
		{fmt.Errorf("extension: %w", store.ErrExists), web.ErrExists},
		{registrar.ErrNotFound, web.ErrNotFound},
		{registrar.ErrBusy, web.ErrBusy},
		{store.ErrOverload, web.ErrBusy},
		{fmt.Errorf("write: %w", syscall.ENOSPC), web.ErrFull},
		{&os.PathError{Op: "write", Err: syscall.EDQUOT}, web.ErrFull},
	} {
		if got := webError(c.err); !errors.Is(got, c.want) {
			t.Errorf("%v became %v", c.err, got)
		}
	}
	var bad *web.Invalid
	if !errors.As(webError(&store.ValidationError{Field: "name", Sentence: "so not"}), &bad) || bad.Field != "name" || bad.Sentence != "so not" {
		t.Errorf("got %+v", bad)
	}
}
