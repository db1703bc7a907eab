package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringback/media/wav"
	"ringback/pbx"
)

// leave puts a message of half a second into a mailbox.
func leave(t *testing.T, i *instance, m pbx.VoiceMessage) (id string) {
	t.Helper()
	id, tape, err := i.archive.Leave(t.Context(), m, 10)
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		if !tape.Write(make([]int16, 160)) {
			t.Fatal("the tape takes nothing")
		}
	}
	if err := tape.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

// samples are those of a WAV file.
func samples(t *testing.T, file []byte) int {
	t.Helper()
	s, err := wav.Read(bytes.NewReader(file), wav.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return len(s)
}

func TestMailboxCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "mailbox", "set", "1000", `{"name":"Alice","email":"alice@example.com","attach":true,"pin":"4711","skip_pin":true,"operator":"1001"}`),
		"number 1000", "name Alice", "enabled yes", "new messages 0", "greetings -", "PIN yes, not asked for by its own phones", "e-mail alice@example.com, with the message",
		"operator 1001", "keeps 100", "takes up to 180 s", "changed by local")
	has(t, command(t, i, "mailbox", "set", "1000", `{"max_messages":5}`), "PIN yes", "keeps 5", "name Alice")
	if !i.store.CheckMailboxPIN(t.Context(), "1000", "4711") {
		t.Error("the PIN is lost")
	}
	has(t, command(t, i, "mailbox", "set", "1000", `{"pin":null,"email":null,"attach":null}`), "PIN no", "e-mail -")
	has(t, command(t, i, "mailboxes", "list"), "1000 Alice yes 0 0 no -")
	if out := command(t, i, "mailbox", "show", "1000", "--json"); strings.Contains(out, "hash") || !strings.Contains(out, `"has_pin": false`) {
		t.Error(out)
	}
	has(t, command(t, i, "services", "set", "1001", `{"voicemail":{"on":true,"after":15},"record":{"incoming":true,"on_demand":true}}`),
		"voicemail on, after 15 s, set by local", "record incoming calls, on demand, set by local")
	has(t, command(t, i, "mailbox", "show", "1001"), "name Name of 1001", "enabled yes", "changed by local")
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"mailbox", "show", "9"}, "There is no mailbox of that number."},
		{[]string{"mailbox", "set", "1000", `{"pin":"12"}`}, "4 to 12 digits"},
		{[]string{"mailbox", "set", "1000", `{"email":"alice"}`}, "not an e-mail address"},
		{[]string{"mailbox", "set", "mailbox.1", `{"name":"x"}`}, "are the PBX's own"},
		{[]string{"mailbox", "remove", "1001"}, "is used by extension 1001"},
		{[]string{"services", "set", "1000", `{"voicemail":{"on":true,"box":"9"}}`}, "There is no mailbox"},
		{[]string{"mailbox", "messages", "9"}, "There is no mailbox of that number."},
	} {
		if _, errs, status := commandStatus(t, i, x.args...); status != 1 || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d %s", x.args, status, errs)
		}
	}
	command(t, i, "mailbox", "delete", "1000")
	if i.store.Mailbox("1000") != nil {
		t.Error("it is still there")
	}
}

func TestMessageCommands(t *testing.T) {
	i := testOffice(t)
	command(t, i, "mailbox", "set", "1000", `{"name":"Alice"}`)
	first := leave(t, i, pbx.VoiceMessage{Mailbox: "1000", From: "1001", FromName: "Bob\x1b[2J"})
	second := leave(t, i, pbx.VoiceMessage{Mailbox: "1000", Urgent: true})
	other := leave(t, i, pbx.VoiceMessage{Mailbox: "2000"}) // there is no such mailbox
	has(t, command(t, i, "mailbox", "list"), "1000 Alice yes 2 0 no")
	listed := strings.Join(strings.Fields(command(t, i, "mailbox", "messages", "1000")), " ")
	if !strings.Contains(listed, " 1001 Bob?[2J 1s new "+first) || !strings.Contains(listed, " - 1s new, urgent "+second) {
		t.Error(listed)
	}
	var all []pbx.VoiceMessage
	if err := json.Unmarshal([]byte(command(t, i, "mailbox", "message", "list", "1000", "--json")), &all); err != nil || len(all) != 2 || all[0].ID != second {
		t.Error(err, all)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "message.wav")
	command(t, i, "mailbox", "message", "get", "1000", first, file)
	text, err := os.ReadFile(file)
	if err != nil || samples(t, text) != 4000 {
		t.Error(err, len(text))
	}
	if out := command(t, i, "mailbox", "message", "get", "1000", first, "-"); out != string(text) {
		t.Errorf("%d bytes, the file has %d", len(out), len(text))
	}
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"get", "1000", first, file}, "file exists"},
		{[]string{"get", "1000", other, filepath.Join(dir, "x")}, "There is no message of that ID"},
		{[]string{"get", "2000", other, filepath.Join(dir, "x")}, "There is no mailbox"},
		{[]string{"get", "1000", "../../ringback.db", filepath.Join(dir, "x")}, "There is no message of that ID"},
		{[]string{"get", "1000", "..", filepath.Join(dir, "x")}, "There is no"},
		{[]string{"get", "1000", "../1000/" + first, "-"}, "There is no message of that ID"},
		{[]string{"get", "../mailboxes/1000", first, "-"}, "There is no mailbox"},
		{[]string{"get", "1000", first + "\x00", "-"}, "There is no message of that ID"},
		{[]string{"get", "1000", first + ".wav", "-"}, "There is no message of that ID"},
		{[]string{"get", "1000", "greeting-busy", "-"}, "There is no message of that ID"},
		{[]string{"remove", "1000", "../../ringback.db"}, "There is no message of that ID"},
		{[]string{"remove", "1000", other}, "There is no message of that ID"},
	} {
		if _, errs, status := commandStatus(t, i, append([]string{"mailbox", "message"}, x.args...)...); status != 1 || !strings.Contains(errs, x.says) {
			t.Errorf("%q: %d %s", x.args, status, errs)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Error("files that did not arrive are left", entries, err)
	}
	command(t, i, "mailbox", "message", "remove", "1000", first)
	has(t, command(t, i, "mailbox", "show", "1000"), "new messages 1")
	command(t, i, "mailbox", "remove", "1000")
	command(t, i, "mailbox", "set", "1000", `{"name":"Somebody else"}`)
	if n := i.archive.Count("1000"); n != (pbx.MessageCount{}) {
		t.Errorf("whoever gets the number next inherits %+v", n)
	}
}

func TestGreetingCommands(t *testing.T) {
	i := testOffice(t)
	command(t, i, "mailbox", "set", "1000", `{"name":"Alice"}`)
	file := writeTone(t, 440)
	command(t, i, "mailbox", "greeting", "set", "1000", "busy", file)
	command(t, i, "mailbox", "greeting", "set", "1000", "name", file)
	has(t, command(t, i, "mailbox", "show", "1000"), "greetings busy name")
	if !i.archive.HasGreeting("1000", pbx.GreetBusy) || i.archive.HasGreeting("1000", pbx.GreetUnavailable) {
		t.Error("the archive has others")
	}
	if n := samples(t, []byte(command(t, i, "mailbox", "greeting", "get", "1000", "busy", "-"))); n < 3900 || n > 4200 {
		t.Errorf("%d samples", n)
	}
	nonsense := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(nonsense, []byte("no sound"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"set", "1000", "busy", nonsense}, 1, "WAV"}, {[]string{"set", "9", "busy", file}, 1, "There is no mailbox"}, {[]string{"set", "1000", "busy", file + ".not"}, 1, "no such file"},
		{[]string{"get", "1000", "unavailable", "-"}, 1, "no such greeting"}, {[]string{"set", "1000", "../x", file}, 2, "must be one of"},
	} {
		if _, errs, status := commandStatus(t, i, append([]string{"mailbox", "greeting"}, x.args...)...); status != x.status || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d %s", x.args, status, errs)
		}
	}
	command(t, i, "mailbox", "greeting", "remove", "1000", "busy")
	has(t, command(t, i, "mailbox", "show", "1000"), "greetings name")
}
