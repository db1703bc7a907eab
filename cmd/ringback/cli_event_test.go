package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEventCommand: phones come, a call comes and goes, and all of it is told in order.
func TestEventCommand(t *testing.T) {
	i := testInstance(t, testConfig(t, nil))
	for _, n := range []string{"1000", "1001"} {
		command(t, i, "extension", "add", n, "--name", "Name of "+n, "--password", "password-"+n)
	}
	alice, bob := phone(t, i, "1000", "password-1000"), phone(t, i, "1001", "password-1001")
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
	if err := caller.Hangup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := callee.Ended(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.switchboard.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	want := []string{"registration.added", "registration.added", "call.started", "call.ringing", "call.answered", "call.ended"}
	var first event
	for n, line := range strings.Split(strings.TrimSpace(command(t, i, "events", "--json", "--after", "0", "--count", "6")), "\n") {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil || n >= len(want) || e.Type != want[n] {
			t.Fatalf("%d: %s %v", n, line, err)
		}
		if n == 0 {
			first = e
		}
	}
	if first.Extension != "1000" {
		t.Errorf("%+v", first)
	}
	out := command(t, i, "events", "--types", "call.started,call.ended", "--after", first.ID, "--count", "2")
	if lines := strings.Split(out, "\n"); len(lines) != 3 || !strings.HasSuffix(lines[0], "  call.started          1000 Name of 1000 to 1001") || !strings.Contains(lines[1], "1000 Name of 1000 to 1001: answered for ") {
		t.Error(out)
	}
	if out := command(t, i, "events", "--after", "1-1", "--count", "2"); !strings.Contains(out, "the exchange was started anew") || !strings.Contains(out, "1000 at sip:1000@") {
		t.Error(out)
	}
	if _, errs, status := commandStatus(t, i, "events", "--types", "nonsense"); status != 1 || !strings.Contains(errs, "no events of one of these types") {
		t.Error(status, errs)
	}
}
