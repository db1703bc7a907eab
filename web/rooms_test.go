package web

import (
	"slices"
	"strings"
	"testing"

	"ringback/pbx"
)

func TestRooms(t *testing.T) {
	m := filled()
	c := serve(t, m)
	w := c.ok("POST", "/api/v1/rooms", `{"number":"800","name":"<b>Board</b>","enabled":true,"limit":20,"quiet":true,"pin":"4711","moderator_pin":"0815","set":{"by":"somebody else"}}`, 201, nil)
	body := w.Body.String()
	if strings.Contains(body, "hash") || strings.Contains(body, "4711") || strings.Contains(body, "0815") || !strings.Contains(body, `"has_pin":true,"has_moderator_pin":true`) {
		t.Errorf("created: %s", body)
	}
	at := w.Header().Get("Location")
	want := m.rooms["800"]
	if at != "/api/v1/rooms/800" || want.PINHash != "hash of 4711" || want.ModeratorPINHash != "hash of 0815" || want.Limit != 20 || !want.Quiet {
		t.Errorf("%s: %+v", at, want)
	}
	// What was got can be put back, and changes nothing.
	w = c.ok("GET", at, "", 200, nil)
	if w.Body.String() != body {
		t.Errorf("got %s, created %s", w.Body, body)
	}
	c.ok("PUT", at, body, 200, nil)
	if m.rooms["800"] != want {
		t.Errorf("the way there and back changed it: %+v", m.rooms["800"])
	}
	// Each PIN is changed, and taken away, alone.
	for _, x := range []struct{ given, pin, moderator string }{
		{`"pin":null`, "", "hash of 0815"}, {`"pin":"1234"`, "hash of 1234", "hash of 0815"}, {`"moderator_pin":""`, "hash of 1234", ""}, {`"limit":0`, "hash of 1234", ""},
	} {
		c.ok("PUT", at, `{"number":"800","enabled":true,`+x.given+`}`, 200, nil)
		if r := m.rooms["800"]; r.PINHash != x.pin || r.ModeratorPINHash != x.moderator || r.Limit != 0 {
			t.Errorf("%s: %+v", x.given, r)
		}
	}
	c.ok("PUT", "/api/v1/rooms/801", `{"number":"801","enabled":false,"pin":"9999"}`, 201, nil)
	var l page[room]
	c.ok("GET", "/api/v1/rooms?limit=1&after=800", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != "801" || l.Next != "801" || !l.Items[0].HasPIN || m.rooms["801"].PINHash != "hash of 9999" {
		t.Errorf("second page: %+v", l)
	}
	for _, by := range m.by {
		if by.By != "monitoring" {
			t.Errorf("by %+v", by)
		}
	}
	for _, x := range []struct {
		method, path, body string
		status             int
		where              string
	}{
		{"POST", "/api/v1/rooms", `{"number":"800","enabled":true}`, 409, "already"},
		{"POST", "/api/v1/rooms", `{"number":"802"}`, 422, "property enabled"},
		{"POST", "/api/v1/rooms", `{"number":"802","enabled":true,"pin_hash":"x"}`, 422, "body.pin_hash"},
		{"POST", "/api/v1/rooms", `{"number":"802","enabled":true,"moderator_pin_hash":"x"}`, 422, "body.moderator_pin_hash"},
		{"POST", "/api/v1/rooms", `{"number":"802","enabled":true,"pin":"1"}`, 422, "A PIN has"},
		{"POST", "/api/v1/rooms", `{"number":"802","enabled":true,"limit":"many"}`, 422, "body.limit"},
		{"POST", "/api/v1/rooms", `null`, 422, ""},
		{"PUT", "/api/v1/rooms/800", `{"number":"801","enabled":true}`, 422, "number must be the one in the address"},
		{"GET", "/api/v1/rooms/9", "", 404, "no conference room"},
		{"DELETE", "/api/v1/rooms/9", "", 404, "no conference room"},
	} {
		w := c.ask(x.method, x.path, x.body)
		bad(t, w, x.status, "")
		if !strings.Contains(w.Body.String(), x.where) {
			t.Errorf("%s %s %s does not say %q: %s", x.method, x.path, x.body, x.where, w.Body)
		}
	}
	c.ok("DELETE", at, "", 204, nil)
	bad(t, c.ask("GET", at, ""), 404, "no conference room")
}

func TestConferences(t *testing.T) {
	m := filled()
	c := serve(t, m)
	if w := c.ok("GET", "/api/v1/conferences", "", 200, nil); !strings.Contains(w.Body.String(), `"items":[]`) {
		t.Errorf("none: %s", w.Body)
	}
	m.up = []pbx.ConferenceInfo{{Number: "800", Name: "Board", Since: epoch, Members: []pbx.MemberInfo{
		{Call: "c1", From: pbx.Identity{Number: "1000", Name: "Alice"}, Since: epoch, Moderator: true, Speaking: true},
		{Call: "c2", From: pbx.Identity{Number: "1001"}, Since: epoch, Muted: true}}}, {Number: "801", Name: "Empty", Since: epoch}}
	var l page[conference]
	w := c.ok("GET", "/api/v1/conferences", "", 200, &l)
	alice, bob := member{"c1", "1000", "Alice", epoch, true, false, true}, member{"c2", "1001", "", epoch, false, true, false}
	if len(l.Items) != 2 || !slices.Equal(l.Items[0].Members, []member{alice, bob}) || l.Items[0].Name != "Board" || l.Items[0].Locked || !strings.Contains(w.Body.String(), `"members":[]`) {
		t.Errorf("got %s", w.Body)
	}
	var up conference
	c.ok("PATCH", "/api/v1/conferences/800", `{"locked":true}`, 200, &up)
	if !up.Locked || !m.up[0].Locked || m.up[1].Locked {
		t.Errorf("locked: %+v", up)
	}
	c.ok("PATCH", "/api/v1/conferences/800", `{}`, 200, &up)
	if !up.Locked {
		t.Error("nothing given changed something")
	}
	var one member
	c.ok("PATCH", "/api/v1/conferences/800/members/c2", `{"muted":false}`, 200, &one)
	if one.Muted || m.up[0].Members[1].Muted || one.From != "1001" {
		t.Errorf("muted: %+v", one)
	}
	c.ok("DELETE", "/api/v1/conferences/800/members/c2", "", 204, nil)
	if len(m.up[0].Members) != 1 {
		t.Error("he is still there")
	}
	for _, x := range [][3]string{{"PATCH", "/conferences/9", `{"locked":true}`}, {"PATCH", "/conferences/800/members/c2", `{"muted":true}`},
		{"PATCH", "/conferences/801/members/c1", `{"muted":true}`}, {"DELETE", "/conferences/801/members/c1", ""}, {"DELETE", "/conferences/800/members/c2", ""}} {
		bad(t, c.ask(x[0], "/api/v1"+x[1], x[2]), 404, "now.")
	}
	bad(t, c.ask("PATCH", "/api/v1/conferences/800", `{"locked":"yes"}`), 422, "")
	bad(t, c.ask("PATCH", "/api/v1/conferences/800", `{"looked":true}`), 422, "")
}
