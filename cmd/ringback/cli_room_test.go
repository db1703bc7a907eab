package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

func TestRoomCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "room", "set", "800", `{"name":"Board","limit":20,"wait_for_moderator":true,"pin":"4711","moderator_pin":"0815"}`),
		"number 800", "name Board", "enabled yes", "PIN for all, and one for moderators", "limit 20", "wait for moderator yes", "changed by local")
	has(t, command(t, i, "room", "set", "800", `{"quiet":true,"pin":null}`), "PIN for moderators", "quiet yes", "limit 20")
	has(t, command(t, i, "room", "set", "800", `{"limit":null}`), "PIN for moderators", "limit 100")
	has(t, command(t, i, "rooms", "list"), "800 Board yes 100 for moderators")
	if ok, moderator := i.store.CheckRoomPIN(t.Context(), "800", "0815"); !ok || !moderator {
		t.Error("the moderator's PIN is lost")
	}
	if out := command(t, i, "room", "show", "800", "--json"); strings.Contains(out, "hash") || !strings.Contains(out, `"has_moderator_pin": true`) {
		t.Error(out)
	}
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"room", "show", "801"}, "There is no conference room of that number."},
		{[]string{"room", "set", "1000", `{"name":"x"}`}, "is already extension 1000"},
		{[]string{"room", "set", "*43", `{"name":"x"}`}, "is a feature code"},
		{[]string{"room", "set", "800", `{"pin":"0815"}`}, "must not be the same"},
		{[]string{"room", "set", "800", `{"pin":"12"}`}, "4 to 12 digits"},
		{[]string{"group", "set", "800", `{"members":["1000"]}`}, "is already conference room 800"},
		{[]string{"conference", "lock", "800"}, "There is no conference in a room of that number now."},
		{[]string{"conference", "mute", "800", "x"}, "There is no such member"},
		{[]string{"conference", "remove", "800", "x"}, "There is no such member"},
	} {
		if _, errs, status := commandStatus(t, i, x.args...); status != 1 || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d %s", x.args, status, errs)
		}
	}
	has(t, command(t, i, "plan", "1000", "800"), "conference 800, asks for the PIN [conference room Board, set by local")
	command(t, i, "room", "delete", "800")
	if i.store.Room("800") != nil {
		t.Error("it is still there")
	}
}

func TestConferenceCommands(t *testing.T) {
	i := testOffice(t)
	command(t, i, "room", "set", "800", `{"name":"Board","quiet":true}`)
	if out := command(t, i, "conference"); strings.Contains(out, "800") {
		t.Error(out)
	}
	legs := make(map[string]*pbxtest.CallLeg)
	for _, n := range []string{"1000", "1001"} {
		l, err := phone(t, i, n, "password-"+n).Call(t.Context(), "800")
		if err == nil {
			err = l.Answered(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		legs[n] = l
	}
	listed := func() (c conference) {
		t.Helper()
		var all []conference
		if err := json.Unmarshal([]byte(command(t, i, "conference", "list", "--json")), &all); err != nil || len(all) > 1 {
			t.Fatal(err, all)
		}
		if len(all) == 1 {
			c = all[0]
		}
		return c
	}
	for end := time.Now().Add(5 * time.Second); len(listed().Members) != 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", listed())
		}
	}
	var bob string
	for _, m := range listed().Members {
		if m.From == "1001" {
			bob = m.Call
		}
	}
	command(t, i, "conference", "lock", "800")
	command(t, i, "conference", "mute", "800", bob)
	has(t, command(t, i, "conferences"), "800 Board 2 ", "- 1000 Name of 1000 0s moderator")
	if c := listed(); !c.Locked || !c.Members[1].Muted && !c.Members[0].Muted {
		t.Errorf("%+v", c)
	}
	command(t, i, "conference", "unlock", "800")
	command(t, i, "conference", "unmute", "800", bob)
	if c := listed(); c.Locked || c.Members[0].Muted || c.Members[1].Muted {
		t.Errorf("%+v", c)
	}
	metrics := metricsOf(t, i)
	for _, want := range []string{"\nringback_conferences 1\n", "\nringback_conference_members 2\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in the metrics", want)
		}
	}
	command(t, i, "conference", "remove", "800", bob)
	if err := legs["1001"].Ended(t.Context()); err != nil {
		t.Error(err)
	}
	if err := legs["1000"].Hangup(t.Context()); err != nil {
		t.Error(err)
	}
}

func metricsOf(t *testing.T, i *instance) string {
	t.Helper()
	r, _ := http.NewRequest("GET", "http://"+i.web.addrs[0].String()+"/metrics", nil)
	r.Header.Set("Authorization", "Bearer token-of-the-tests")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
