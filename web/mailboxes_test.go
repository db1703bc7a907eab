package web

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/pbx"
)

func withMessages() *memory {
	m := filled()
	m.mailboxes["1000"] = pbx.Mailbox{Number: "1000", Name: "Alice", Enabled: true}
	m.messages = &memoryMessages{memory: m, greetings: map[string]string{"1000 busy": "RIFF busy"}, list: []pbx.VoiceMessage{
		{ID: "m2", Mailbox: "1000", From: "1001", FromName: "<b>Bob</b>", At: epoch.Add(time.Minute), Length: 3 * time.Second, Urgent: true, Call: "r2"},
		{ID: "m1", Mailbox: "1000", At: epoch, Length: time.Second, Heard: true},
		{ID: "m3", Mailbox: "1001", At: epoch, Length: time.Second},
	}}
	return m
}

func TestMailboxes(t *testing.T) {
	m := withMessages()
	c := serve(t, m)
	w := c.ok("POST", "/api/v1/mailboxes", `{"number":"info","name":"<b>Reception</b>","enabled":true,"email":"info@example.com","max_messages":7,"pin":"4711","set":{"by":"somebody else"}}`, 201, nil)
	body := w.Body.String()
	if strings.Contains(body, "hash") || strings.Contains(body, "4711") || !strings.Contains(body, `"has_pin":true`) || !strings.Contains(body, `"messages":{"new":0,"old":0,"urgent_new":0,"urgent_old":0}`) {
		t.Errorf("created: %s", body)
	}
	at := w.Header().Get("Location")
	want := m.mailboxes["info"]
	if at != "/api/v1/mailboxes/info" || want.PINHash != "hash of 4711" || want.MaxMessages != 7 || m.by[0].By != "monitoring" {
		t.Errorf("%s: %+v", at, want)
	}
	// What was got can be put back, and changes nothing.
	if w = c.ok("GET", at, "", 200, nil); w.Body.String() != body {
		t.Errorf("got %s, created %s", w.Body, body)
	}
	c.ok("PUT", at, body, 200, nil)
	if m.mailboxes["info"] != want {
		t.Errorf("the way there and back changed it: %+v", m.mailboxes["info"])
	}
	for _, x := range [][2]string{{`"pin":"1234"`, "hash of 1234"}, {`"name":"x"`, "hash of 1234"}, {`"pin":null`, ""}, {`"pin":"5678"`, "hash of 5678"}, {`"pin":""`, ""}} {
		c.ok("PUT", at, `{"number":"info","enabled":true,`+x[0]+`}`, 200, nil)
		if b := m.mailboxes["info"]; b.PINHash != x[1] {
			t.Errorf("%s: %+v", x[0], b)
		}
	}
	c.ok("PUT", "/api/v1/mailboxes/2000", `{"number":"2000","enabled":false}`, 201, nil)
	var l page[mailbox]
	c.ok("GET", "/api/v1/mailboxes?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "1000" || l.Items[0].Messages != (messageCount{1, 1, 1, 0}) || !slices.Equal(l.Items[0].Greetings, []pbx.Greeting{pbx.GreetBusy}) {
		t.Errorf("first page: %+v", l)
	}
	for _, x := range []struct {
		method, path, body string
		status             int
		where              string
	}{
		{"POST", "", `{"number":"1000","enabled":true}`, 409, "already"},
		{"POST", "", `{"number":"3000"}`, 422, "property enabled"},
		{"POST", "", `{"number":"3000","enabled":true,"pin_hash":"x"}`, 422, "body.pin_hash"},
		{"POST", "", `{"number":"3000","enabled":true,"pin":"1"}`, 422, "A PIN has"},
		{"POST", "", `{"number":"3000","enabled":true,"max_seconds":"long"}`, 422, "body.max_seconds"},
		{"POST", "", `null`, 422, ""},
		{"PUT", "/1000", `{"number":"2000","enabled":true}`, 422, "number must be the one in the address"},
		{"GET", "/9", "", 404, "no mailbox"},
		{"DELETE", "/9", "", 404, "no mailbox"},
		{"GET", "/" + strings.Repeat("1", 33), "", 422, "path.number"},
		{"PATCH", "/1000", "{}", 405, ""},
	} {
		w := c.ask(x.method, "/api/v1/mailboxes"+x.path, x.body)
		bad(t, w, x.status, "")
		if !strings.Contains(w.Body.String(), x.where) {
			t.Errorf("%s %s: %s", x.method, x.path, w.Body)
		}
	}
	m.services["1001"] = pbx.Services{Voicemail: pbx.Voicemail{Box: "1000"}}
	bad(t, c.ask("DELETE", "/api/v1/mailboxes/1000", ""), 409, "used by extension 1001")
	bad(t, c.ask("DELETE", "/api/v1/extensions/1000", ""), 409, "used by extension 1001")
	c.ok("DELETE", "/api/v1/mailboxes/2000", "", 204, nil)
	bad(t, c.ask("GET", "/api/v1/mailboxes/2000", ""), 404, "no mailbox")
}

func TestMessages(t *testing.T) {
	m := withMessages()
	c := serve(t, m)
	const path = "/api/v1/mailboxes/1000/messages"
	var l page[pbx.VoiceMessage]
	w := c.ok("GET", path, "", 200, &l)
	if len(l.Items) != 2 || l.Next != "" || l.Items[0] != m.messages.list[0] || !strings.Contains(w.Body.String(), `"length_ns":3000000000`) {
		t.Errorf("%s", w.Body)
	}
	m.mailboxes["2000"] = pbx.Mailbox{Number: "2000"}
	if w := c.ok("GET", "/api/v1/mailboxes/2000/messages", "", 200, nil); w.Body.String() != `{"items":[]}`+"\n" {
		t.Errorf("none: %s", w.Body)
	}
	var one pbx.VoiceMessage
	c.ok("GET", path+"/m1", "", 200, &one)
	if one != m.messages.list[1] {
		t.Errorf("%+v", one)
	}
	for _, x := range []struct {
		body          string
		heard, urgent bool
	}{{`{"heard":true}`, true, true}, {`{"urgent":false}`, true, false}, {`{}`, true, false}, {`{"heard":false,"urgent":true}`, false, true}} {
		c.ok("PATCH", path+"/m2", x.body, 200, &one)
		if kept := m.messages.list[0]; kept.Heard != x.heard || kept.Urgent != x.urgent || one.ID != "m2" {
			t.Errorf("%s: %+v", x.body, kept)
		}
	}
	w = c.ask("GET", path+"/m2/sound", "")
	if w.Code != 200 || w.Body.String() != "RIFF 0123456789" || w.Header().Get("Content-Type") != "audio/wav" || w.Header().Get("Content-Disposition") != `attachment; filename="m2.wav"` {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if m.messages.list[0].Heard {
		t.Error("to hear it by the API is to have heard it")
	}
	c.ok("DELETE", path+"/m2", "", 204, nil)
	for _, x := range []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/1000/messages/m2", "", 404, "no message"}, {"GET", "/1000/messages/m2/sound", "", 404, "no message"}, {"DELETE", "/1000/messages/m2", "", 404, "no message"},
		{"PATCH", "/1000/messages/m2", `{"heard":true}`, 404, "no message"}, {"PATCH", "/1000/messages/m2", `{"urgent":true}`, 404, "no message"},
		{"PATCH", "/1000/messages/m2", `{}`, 404, "no message"}, {"PATCH", "/1000/messages/m1", `{"heard":"yes"}`, 422, ""}, {"PATCH", "/1000/messages/m1", `{"hears":true}`, 422, ""},
		{"GET", "/1000/messages/m3", "", 404, "no message"}, // of another mailbox
		{"DELETE", "/1000/messages/m3", "", 404, "no message"},
		{"GET", "/9/messages", "", 404, "no mailbox"}, {"GET", "/9/messages/m1", "", 404, "no mailbox"}, {"GET", "/9/messages/m1/sound", "", 404, "no mailbox"},
		{"GET", "/1001/messages/m3/sound", "", 404, "no mailbox"}, // messages that are left of one that was removed
		{"PATCH", "/9/messages/m1", `{"heard":true}`, 404, "no mailbox"}, {"DELETE", "/9/messages/m1", "", 404, "no mailbox"},
	} {
		t.Run(x.method+x.path, func(t *testing.T) { bad(t, c.ask(x.method, "/api/v1/mailboxes"+x.path, x.body), x.status, x.detail) })
	}
	for _, id := range []string{"..%2fm1", "..%2F..%2Fringback.db", "%00", "m1%00", "m1%2F", "%2e%2e", "..%5cm1", "m1.wav", "greeting-busy", "%ff"} {
		for _, end := range []string{"", "/sound"} {
			bad(t, c.ask("GET", path+"/"+id+end, ""), 404, "")
		}
		bad(t, c.ask("DELETE", path+"/"+id, ""), 404, "")
		bad(t, c.ask("GET", "/api/v1/mailboxes/"+id+"/messages", ""), 404, "no mailbox")
	}
	bad(t, c.ask("GET", path+"/"+strings.Repeat("m", 65), ""), 422, "")
	bad(t, c.ask("GET", path+"/../../../ringback.db", ""), 404, "")
	if len(m.messages.list) != 2 || m.messages.open != 0 {
		t.Errorf("%d messages, %d files open", len(m.messages.list), m.messages.open)
	}
	m.broken = fmt.Errorf("%w: no space left", ErrFull)
	bad(t, c.ask("PATCH", path+"/m1", `{"heard":true}`), 507, "full")
	bad(t, c.ask("GET", path+"/m1/sound", ""), 507, "full")
	m.broken = fmt.Errorf("a disk: %w", syscall.ENOSPC)
	bad(t, c.ask("DELETE", path+"/m1", ""), 507, "full")
}

func TestGreetings(t *testing.T) {
	m := withMessages()
	c := serve(t, m)
	const path = "/api/v1/mailboxes/1000/greetings/"
	if w := c.ask("PUT", path+"unavailable", "RIFF hello", asWAV); w.Code != 204 || w.Body.Len() > 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := c.ask("GET", path+"unavailable", "", "Range: bytes=5-")
	if w.Code != 206 || w.Body.String() != "hello" || w.Header().Get("Content-Disposition") != `attachment; filename="unavailable.wav"` {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	var b mailbox
	c.ok("GET", "/api/v1/mailboxes/1000", "", 200, &b)
	if !slices.Equal(b.Greetings, []pbx.Greeting{pbx.GreetUnavailable, pbx.GreetBusy}) {
		t.Error(b.Greetings)
	}
	for range 2 {
		c.ok("DELETE", path+"busy", "", 204, nil)
	}
	for _, x := range []struct {
		method, path, body, header string
		status                     int
		detail                     string
	}{
		{"GET", "1000/greetings/busy", "", "", 404, "no such greeting"},
		{"GET", "9/greetings/busy", "", "", 404, "no mailbox"},
		{"PUT", "9/greetings/busy", "RIFF", asWAV, 404, "no mailbox"},
		{"DELETE", "9/greetings/busy", "", "", 404, "no mailbox"},
		{"GET", "1000/greetings/nonsense", "", "", 422, ""},
		{"PUT", "1000/greetings/..%2Fm1", "RIFF", asWAV, 422, ""},
		{"DELETE", "1000/greetings/%00", "", "", 422, ""},
		{"PUT", "1000/greetings/busy", "nonsense", asWAV, 422, "This is not a WAV file."},
		{"PUT", "1000/greetings/busy", "RIFF", "Content-Type: text/html", 415, "audio/wav"},
		{"PUT", "1000/greetings/busy", strings.Repeat("RIFF", 5<<20), asWAV, 413, "16 MiB"},
		{"PUT", "9%2Fgreetings%2F", `{"number":"` + strings.Repeat("1", maxBody) + `"}`, "", 413, ""},
		{"POST", "1000/greetings/busy", "RIFF", asWAV, 405, ""},
	} {
		t.Run(x.method+" "+x.path[:min(len(x.path), 40)], func(t *testing.T) {
			if x.header == "" {
				bad(t, c.ask(x.method, "/api/v1/mailboxes/"+x.path, x.body), x.status, x.detail)
				return
			}
			bad(t, c.ask(x.method, "/api/v1/mailboxes/"+x.path, x.body, x.header), x.status, x.detail)
		})
	}
	if w := c.ask("PUT", path+"name", "RIFF"+strings.Repeat("0", 1<<20), asWAV); w.Code != 204 {
		t.Errorf("larger than other bodies: %d %s", w.Code, w.Body)
	}
	m.broken = fmt.Errorf("%w: no space left", ErrFull)
	bad(t, c.ask("PUT", path+"busy", "RIFF", asWAV), 507, "full")
	if m.messages.open != 0 || len(m.messages.greetings) != 2 {
		t.Errorf("%d files open, %v", m.messages.open, m.messages.greetings)
	}
}
