package main

import (
	"encoding/csv"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func TestExtensionCommands(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	out := command(t, i, "extension", "add", "1000", "--name", "Alice", "--codecs", "PCMA,G722", "--ring-seconds", "40")
	_, password, ok := strings.Cut(out, "password")
	if password = strings.TrimSpace(password); !ok || len(password) < 16 {
		t.Errorf("no password was generated:\n%s", out)
	}
	if e := i.store.Extension("1000"); e == nil || e.Name != "Alice" || e.Ring != 40*time.Second || len(e.Codecs) != 2 || !e.Enabled {
		t.Errorf("stored: %+v", e)
	}
	if out := command(t, i, "extension", "add", "1001", "--password", "password-1001", "--disabled"); strings.Contains(out, "password") {
		t.Errorf("a given password is shown:\n%s", out)
	}
	var all []extension
	if err := json.Unmarshal([]byte(command(t, i, "extension", "list", "--json")), &all); err != nil || len(all) != 2 || all[0].Number != "1000" || all[1].Enabled {
		t.Errorf("list: %+v %v", all, err)
	}
	if out := command(t, i, "extensions", "list"); !strings.Contains(out, "Alice") || len(strings.Split(strings.TrimSpace(out), "\n")) != 3 {
		t.Errorf("list:\n%s", out)
	}
	before := i.store.Extension("1000").HA1MD5
	command(t, i, "extension", "set", "1000", "--name", "Alicia", "--no-enabled", "--max-contacts", "2", "--codecs", "", "--password", "another-password")
	if e := i.store.Extension("1000"); e.Name != "Alicia" || e.Enabled || e.MaxContacts != 2 || len(e.Codecs) != 0 || e.HA1MD5 == before || e.Ring != 40*time.Second {
		t.Errorf("changed: %+v", e)
	}
	if out := command(t, i, "extension", "set", "1000", "--password", ""); !strings.Contains(out, "password") {
		t.Errorf("an empty password must be generated and shown:\n%s", out)
	}
	if out := command(t, i, "extension", "show", "1000", "--json"); strings.Contains(out, "password") || !strings.Contains(out, `"Alicia"`) {
		t.Errorf("show: %s", out)
	}
	command(t, i, "extension", "remove", "1000", "1001")
	if i.store.CountExtensions() != 0 {
		t.Error("they were not removed")
	}
}

// A new password is asked for from the next request on, but phones that are registered can be called until they have to
// register again, so that it can be given to one after the other. Disabling and removing drop them at once.
func TestRegisteredPhonesAndChanges(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	command(t, i, "extension", "add", "1000", "--password", "password-1000")
	p := phone(t, i, "1000", "password-1000")
	registered := func() bool { return strings.Contains(command(t, i, "registrations"), "1000") }
	command(t, i, "extension", "set", "1000", "--password", "another-password")
	if !registered() {
		t.Error("a new password dropped the phone")
	}
	if status, err := p.Register(t.Context(), 600); err == nil {
		t.Errorf("the old password still registers: %v", status)
	}
	if !registered() {
		t.Error("a refused REGISTER dropped the phone")
	}
	for _, args := range [][]string{{"set", "1000", "--no-enabled"}, {"remove", "1000"}} {
		command(t, i, "extension", "set", "1000", "--enabled")
		phone(t, i, "1000", "another-password")
		if !registered() {
			t.Fatal("the new password does not register")
		}
		if command(t, i, append([]string{"extension"}, args...)...); registered() {
			t.Errorf("still registered after %v", args)
		}
	}
}

func TestCommandErrors(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	command(t, i, "extension", "add", "1000")
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"extension add 1000", 1, "There is an extension of that number already."},
		{"extension add 1001 --password short", 1, "8 to 128 characters"},
		{"extension add 1001 --max-contacts 99", 1, "max_contacts: expected number <= 32"},
		{"extension add 1001 --codecs nonsense", 1, "nonsense"},
		{"extension add 10/00", 1, "A number consists of"},
		{"extension add", 2, "expected"},
		{"extension show 9", 1, "There is no extension of that number."},
		{"extension set 9 --name x", 1, "There is no extension of that number."},
		{"extension set 1000", 1, "nothing to change"},
		{"extension remove 9", 1, "9: There is no extension"},
		{"calls hangup c1", 1, "There is no call of that ID now."},
		{"registrations remove x", 1, "There is no registration of that ID."},
		{"token revoke x", 1, "There is no token of that name."},
		{"cdr --outcome nonsense", 1, "outcome"},
		{"cdr --csv --json", 1, "can't be used together"},
		{"nonsense", 2, "unexpected argument nonsense"},
	} {
		out, errs, status := commandStatus(t, i, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(errs, c.want) || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: status %d, %q, %q", c.args, status, out, errs)
		}
	}
}

// A call as the command line shows it: the phones, the call, its end by the administrator, its record.
func TestCallCommands(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	for _, n := range []string{"1000", "1001"} {
		command(t, i, "extension", "add", n, "--name", "Name of "+n, "--password", "password-"+n)
	}
	alice, bob := phone(t, i, "1000", "password-1000"), phone(t, i, "1001", "password-1001")
	var phones []registration
	if err := json.Unmarshal([]byte(command(t, i, "registrations", "--json")), &phones); err != nil || len(phones) != 2 || phones[0].Extension != "1000" {
		t.Fatalf("%+v %v", phones, err)
	}
	if out := command(t, i, "registrations", "1001"); !strings.Contains(out, "1001") || strings.Contains(out, "1000") {
		t.Errorf("of 1001:\n%s", out)
	}

	caller, err := alice.Call(t.Context(), "1001")
	if err != nil {
		t.Fatal(err)
	}
	callee, err := bob.Incoming(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	callee.Ring()
	if err := caller.Ringing(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := callee.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := caller.Answered(t.Context()); err != nil {
		t.Fatal(err)
	}
	var calls []call
	if err := json.Unmarshal([]byte(command(t, i, "calls", "--json")), &calls); err != nil || len(calls) != 1 || calls[0].From != "1000" || calls[0].To != "1001" || calls[0].State != "answered" {
		t.Fatalf("%+v %v", calls, err)
	}
	if out := command(t, i, "calls", "list"); !strings.Contains(out, "1000 Name of 1000") {
		t.Errorf("calls:\n%s", out)
	}
	command(t, i, "calls", "hangup", calls[0].ID)
	if err := caller.Ended(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := callee.Ended(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.switchboard.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var records []pbx.CDR
	if err := json.Unmarshal([]byte(command(t, i, "cdr", "--json", "--number", "1001", "--last", "1h")), &records); err != nil || len(records) != 1 {
		t.Fatalf("%+v %v", records, err)
	}
	if r := records[0]; r.From != "1000" || r.By != "1001" || r.EndedBy != "admin" || r.Outcome != "answered" {
		t.Errorf("record: %+v", r)
	}
	if out := command(t, i, "cdr"); !strings.Contains(out, "admin") {
		t.Errorf("cdr:\n%s", out)
	}
	if rows, err := csv.NewReader(strings.NewReader(command(t, i, "cdr", "--csv"))).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("CSV: %v %v", rows, err)
	}
	command(t, i, "registrations", "remove", phones[0].ID)
	if i.registrar.Len() != 1 {
		t.Errorf("%d registrations", i.registrar.Len())
	}
	command(t, i, "extension", "remove", "1001")
	if i.registrar.Len() != 0 {
		t.Error("a removed extension is still registered")
	}
}

// fakeSocket answers on the socket of a data directory.
func fakeSocket(t *testing.T, h http.HandlerFunc) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rb") // shorter than t.TempDir: a socket's name has a limit
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return dir
}

func TestOddAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"no JSON", 200, "<html>", "something else than JSON"},
		{"no problem document", 502, "<html>", "502 Bad Gateway"},
		{"control characters", 404, `{"detail":"evil\u001b[2Jtext"}`, "evil?[2Jtext"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := fakeSocket(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					t.Error("a token went to the socket")
				}
				w.WriteHeader(c.status)
				w.Write([]byte(c.body))
			})
			_, errs, status := commandStatus(t, nil, "extension", "list", "--data", dir, "--token", "rb_secret")
			if status != 1 || !strings.Contains(errs, c.want) {
				t.Errorf("status %d, %q", status, errs)
			}
		})
	}
}

// Text that came from a phone does not steer the terminal.
func TestTableIsClean(t *testing.T) {
	dir := fakeSocket(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"items":[{"extension":"1000","user_agent":"\u001b]0;evil\u0007\n\u202ephone"}]}`))
	})
	out, errs, status := commandStatus(t, nil, "registrations", "--data", dir)
	if status != 0 || strings.ContainsAny(out, "\x1b\x07\u202e") || strings.Count(out, "\n") != 2 {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
}

func TestNobodyThere(t *testing.T) {
	_, errs, status := commandStatus(t, nil, "health", "--data", t.TempDir())
	if status != 1 || !strings.Contains(errs, "no exchange answers at the data directory") || !strings.Contains(errs, "is ringback serve running there?") {
		t.Errorf("status %d, %q", status, errs)
	}
	_, errs, status = commandStatus(t, nil, "health", "--url", "pbx:8080")
	if status != 1 || !strings.Contains(errs, "must be a URL") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestByURL(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	url := "http://" + i.web.addrs[0].String()
	if out, errs, status := commandStatus(t, nil, "calls", "--url", url, "--token", "token-of-the-tests"); status != 0 || !strings.HasPrefix(out, "FROM") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	if _, errs, status := commandStatus(t, nil, "calls", "--url", url, "--token", "wrong"); status != 1 || !strings.Contains(errs, "not valid") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestCheckConfig(t *testing.T) {
	file := write(t, "[log]\nlevel = 'warn'\n")
	out, errs, status := commandStatus(t, nil, "check-config", "--config", file, "--sip-listen", "127.0.0.1:5560", "--set", "registrar.max_expires=2h")
	if status != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{"log.level", "warn", file + ", line 2", "127.0.0.1:5560", "--sip-listen", "2h0m0s", "ringback-data", "default"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	out, _, status = commandStatus(t, nil, "check-config", "--config", file, "--set", "mail.user=pbx", "--set", "mail.password=hunter2")
	if status != 0 || strings.Contains(out, "hunter2") || !strings.Contains(out, "(set)") {
		t.Errorf("status %d, a password is shown, or it is not said that there is one:\n%s", status, out)
	}
	os.WriteFile(file, []byte("x = 1"), 0o600)
	if _, errs, status := commandStatus(t, nil, "check-config", "--config", file); status != 1 || !strings.Contains(errs, "line 1: there is no setting x") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if out, _, status := commandStatus(t, nil, "version"); status != 0 || !strings.HasPrefix(out, "ringback ") {
		t.Errorf("%d %q", status, out)
	}
	for _, args := range [][]string{{}, {"--help"}, {"serve", "--help"}, {"extension", "add", "--help"}} {
		if out, errs, status := commandStatus(t, nil, args...); status != 0 || !strings.Contains(out, "Usage: ringback") {
			t.Errorf("%v: %d %q %q", args, status, out, errs)
		}
	}
}
