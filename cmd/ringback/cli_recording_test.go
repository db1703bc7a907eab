package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

// keep puts a recording of half a second into the archive.
func keep(t *testing.T, i *instance, r pbx.Recording) (id string) {
	t.Helper()
	id, tape, err := i.archive.Record(r)
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		if !tape.Write(make([]int16, 160*r.Channels)) {
			t.Fatal("the tape takes nothing")
		}
	}
	if err := tape.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRecordingCommands(t *testing.T) {
	i := testOffice(t)
	old := keep(t, i, pbx.Recording{Call: "c1", From: "1000", To: "1001", By: "policy of 1000", Channels: 2, Started: time.Now().Add(-48 * time.Hour)})
	call := keep(t, i, pbx.Recording{Call: "c2", From: "1002", To: "1001", By: "1002", Channels: 2})
	room := keep(t, i, pbx.Recording{Room: "800", By: "room 800", Channels: 1})
	ids := func(args ...string) string {
		t.Helper()
		var all []pbx.Recording
		if err := json.Unmarshal([]byte(command(t, i, append([]string{"recordings", "--json"}, args...)...)), &all); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range all {
			ids = append(ids, r.ID)
		}
		return strings.Join(ids, " ")
	}
	for _, x := range []struct{ args, want string }{
		{"", room + " " + call + " " + old}, {"--limit 2", room + " " + call}, {"--limit 0", room + " " + call + " " + old}, {"--last 24h", room + " " + call}, {"--call c1", old},
		{"--number 1001", call + " " + old}, {"--room 800", room}, {"--number 9", ""},
	} {
		if got := ids(strings.Fields(x.args)...); got != x.want {
			t.Errorf("%s: %q, want %q", x.args, got, x.want)
		}
	}
	listed := strings.Join(strings.Fields(command(t, i, "recording", "list")), " ")
	if !strings.Contains(listed, " 1002 1001 1s 1002 - "+call) || !strings.Contains(listed, " - conference 800 1s room 800 - "+room) {
		t.Error(listed)
	}
	has(t, command(t, i, "recording", "show", call), "ID "+call, "from 1002", "to 1001", "by 1002", "call c2", "bytes 16044", "channels 2", "problem -")
	file := filepath.Join(t.TempDir(), "call.wav")
	command(t, i, "recording", "get", call, file)
	if info, err := os.Stat(file); err != nil || info.Size() != 16044 || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	for _, x := range []struct {
		args, says string
	}{
		{"get 9 " + file + ".x", "There is no recording of that ID."}, {"show ..", "There is no"}, {"get ../" + call + " -", "There is no recording of that ID."},
		{"get ../ringback.db -", "There is no recording of that ID."}, {"get " + call + ".wav -", "There is no recording of that ID."}, {"remove ../ringback.db", "There is no recording of that ID."},
		{"list --call " + strings.Repeat("c", 65), "call"}, {"get " + call + " " + file, "file exists"},
	} {
		if _, errs, status := commandStatus(t, i, append([]string{"recording"}, strings.Fields(x.args)...)...); status != 1 || !strings.Contains(errs, x.says) {
			t.Errorf("%s: %d %s", x.args, status, errs)
		}
	}
	command(t, i, "recording", "remove", call, old)
	if got := ids(); got != room {
		t.Errorf("left: %s", got)
	}
	if _, err := os.Stat(filepath.Join(i.store.Dir(), "ringback.db")); err != nil {
		t.Error(err)
	}
}

func TestRecordCommands(t *testing.T) {
	i := testOffice(t)
	bob := phone(t, i, "1001", "password-1001")
	caller, err := phone(t, i, "1000", "password-1000").Call(t.Context(), "1001")
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
	listed := func() call {
		t.Helper()
		var all []call
		if err := json.Unmarshal([]byte(command(t, i, "calls", "--json")), &all); err != nil || len(all) != 1 {
			t.Fatal(err, all)
		}
		return all[0]
	}
	id := listed().ID
	refused := func(says string, args ...string) {
		t.Helper()
		if _, errs, status := commandStatus(t, i, args...); status != 1 || !strings.Contains(errs, says) {
			t.Errorf("%v: %d %s", args, status, errs)
		}
	}
	refused("Nobody talks to anybody in this call.", "calls", "record", id)
	if err := callee.Answer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := caller.Answered(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("It is not being recorded.", "calls", "record", id, "--end")
	refused("There is no call of that ID now.", "calls", "record", "nonsense")
	refused("There is no conference in a room of that number now.", "conference", "record", "800")
	for range 2 { // the second time it is as it was to be
		command(t, i, "calls", "record", id)
	}
	for end := time.Now().Add(10 * time.Second); !listed().Recorded; time.Sleep(20 * time.Millisecond) { // once the disk has begun
		if time.Now().After(end) {
			t.Fatal("it does not say that it is recorded")
		}
	}
	if out := command(t, i, "calls"); !strings.Contains(out, "answered, recorded") {
		t.Error(out)
	}
	command(t, i, "calls", "record", id, "--end")
	if err := caller.Hangup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := i.switchboard.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var records []pbx.CDR
	if err := json.Unmarshal([]byte(command(t, i, "cdr", "--json", "--outcome", "answered")), &records); err != nil || len(records) != 1 || len(records[0].Recorded) != 1 {
		t.Fatalf("%+v %v", records, err)
	}
	if r := records[0].Recorded[0]; r.By != "local" || (r.ID == "") != (r.Problem != "") {
		t.Errorf("%+v", r)
	} else if r.ID != "" {
		has(t, command(t, i, "recording", "show", r.ID), "from 1000", "to 1001", "by local", "call "+records[0].ID, "channels 2")
	}
}
