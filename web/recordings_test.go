package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func withRecordings() *memory {
	m := filled()
	m.recordings = &memoryRecordings{memory: m, list: []pbx.Recording{
		{ID: "x3", Room: "800", By: "room 800", Started: epoch.Add(2 * time.Minute), Length: time.Minute, Bytes: 960044, Channels: 1},
		{ID: "x2", Call: "r2", From: "1000", To: "1001", By: "policy of 1000", Started: epoch.Add(time.Minute), Length: time.Second, Bytes: 32044, Channels: 2, Problem: "The disk is full."},
		{ID: "x1", Call: "r1", From: "1001", To: "1000", By: "1001", Started: epoch, Length: time.Second, Bytes: 32044, Channels: 2},
	}}
	return m
}

func TestRecordings(t *testing.T) {
	m := withRecordings()
	c := serve(t, m)
	const path = "/api/v1/recordings"
	var l page[pbx.Recording]
	c.ok("GET", path+"?limit=2", "", 200, &l)
	if len(l.Items) != 2 || l.Next != "x2" || l.Items[1] != m.recordings.list[1] {
		t.Errorf("first page: %+v", l)
	}
	l = page[pbx.Recording]{}
	c.ok("GET", path+"?limit=2&after=x2", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].ID != "x1" || l.Next != "" {
		t.Errorf("second page: %+v", l)
	}
	for query, want := range map[string]string{
		"call=r2": "x2", "number=1000": "x2 x1", "room=800": "x3", "since=2026-11-21T12:01:00Z": "x3 x2", "until=2026-11-21T12:01:00Z": "x1", "call=9": "",
	} {
		l = page[pbx.Recording]{}
		w := c.ok("GET", path+"?"+query, "", 200, &l)
		var ids []string
		for _, r := range l.Items {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != want || l.Items == nil {
			t.Errorf("%s: %q, want %q: %s", query, got, want, w.Body)
		}
	}
	var one pbx.Recording
	c.ok("GET", path+"/x2", "", 200, &one)
	if one != m.recordings.list[1] {
		t.Errorf("%+v", one)
	}
	c.ok("DELETE", path+"/x2", "", 204, nil)
	for _, x := range []string{"GET /x2", "DELETE /x2", "GET /x2/sound", "GET /..%2Fx1", "GET /..%2Fx1/sound", "DELETE /..%2f..%2fringback.db", "GET /%00", "GET /x1%00/sound", "GET /%2e%2e/sound", "GET /x1.wav/sound"} {
		method, id, _ := strings.Cut(x, " ")
		bad(t, c.ask(method, path+id, ""), 404, "")
	}
	bad(t, c.ask("GET", path+"/"+strings.Repeat("x", 201)+"/sound", ""), 422, "")
	for _, q := range []string{"limit=0", "limit=1001", "since=yesterday", "nonsense=1", "number=" + strings.Repeat("1", 65)} {
		bad(t, c.ask("GET", path+"?"+q, ""), 422, "")
	}
	if len(m.recordings.list) != 2 || m.recordings.open != 0 {
		t.Errorf("%d recordings, %d files open", len(m.recordings.list), m.recordings.open)
	}
	m.broken = errors.New("disk /secret/place is on fire")
	for _, p := range []string{"", "/x1", "/x1/sound"} {
		w := c.ask("GET", path+p, "")
		bad(t, w, 500, "inside")
		if strings.Contains(w.Body.String(), "secret") {
			t.Error(w.Body)
		}
	}
}

// Ranges of bytes: RFC 9110 §13 and §14.
func TestRanges(t *testing.T) {
	m := withRecordings()
	m.recordings.long = " 0123456789" // "RIFF x1 0123456789", 18 bytes
	c := serve(t, m)
	const path = "/api/v1/recordings/x1/sound"
	w := c.ask("GET", path, "")
	tag, modified := w.Header().Get("ETag"), w.Header().Get("Last-Modified")
	if w.Code != 200 || w.Body.Len() != 18 || w.Header().Get("Accept-Ranges") != "bytes" || w.Header().Get("Content-Length") != "18" || w.Header().Get("Content-Type") != "audio/wav" ||
		!strings.HasPrefix(tag, `"`) || modified != "Sat, 21 Nov 2026 12:00:00 GMT" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, x := range []struct {
		header []string
		status int
		body   string
		length string // Content-Range
	}{
		{[]string{"Range: bytes=0-3"}, 206, "RIFF", "bytes 0-3/18"},
		{[]string{"Range: bytes=8-"}, 206, "0123456789", "bytes 8-17/18"},
		{[]string{"Range: bytes=-2"}, 206, "89", "bytes 16-17/18"},
		{[]string{"Range: bytes=16-99"}, 206, "89", "bytes 16-17/18"},
		{[]string{"Range: bytes=0-3", "If-Range: " + tag}, 206, "RIFF", "bytes 0-3/18"},
		{[]string{"Range: bytes=0-3", `If-Range: "another"`}, 200, "RIFF x1 0123456789", ""},
		{[]string{"Range: bytes=0-3", "If-Range: " + modified}, 206, "RIFF", "bytes 0-3/18"},
		{[]string{"If-None-Match: " + tag}, 304, "", ""},
		{[]string{"If-Modified-Since: " + modified}, 304, "", ""},
		{[]string{"Range: lines=1-2"}, 200, "RIFF x1 0123456789", ""},
		{[]string{"Range: nonsense"}, 200, "RIFF x1 0123456789", ""},
		{[]string{"Range: bytes=18-"}, 416, "", "bytes */18"},
		{[]string{"Range: bytes=5-1"}, 416, "", ""},
		{[]string{"If-Match: \"another\""}, 412, "", ""},
	} {
		w := c.ask("GET", path, "", x.header...)
		if x.status == 416 {
			bad(t, w, 416, "no such range")
			if w.Header().Get("Content-Disposition") != "" || w.Header().Get("Content-Length") != "" {
				t.Errorf("%v: %v", x.header, w.Header())
			}
		} else if w.Code != x.status || w.Body.String() != x.body || w.Header().Get("Content-Range") != x.length {
			t.Errorf("%v: %d %v %q", x.header, w.Code, w.Header(), w.Body)
		}
		if x.status == 416 && x.length != "" && w.Header().Get("Content-Range") != x.length {
			t.Errorf("%v: %v", x.header, w.Header())
		}
	}
	w = c.ask("GET", path, "", "Range: bytes=0-3,8-9")
	kind, params, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || w.Code != 206 || kind != "multipart/byteranges" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	parts := multipart.NewReader(w.Body, params["boundary"])
	for _, want := range []string{"RIFF", "01"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(p); err != nil || string(b) != want || p.Header.Get("Content-Type") != "audio/wav" {
			t.Errorf("%q %v %v", b, p.Header, err)
		}
	}
	for _, header := range []string{"X-None: 1", "Range: bytes=0-3", "Range: bytes=18-"} {
		if w := c.ask("HEAD", path, "", header); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Content-Length") != "18" || w.Header().Get("ETag") != tag {
			t.Errorf("HEAD with %s: %d %v %q", header, w.Code, w.Header(), w.Body)
		}
	}
	if m.recordings.open != 0 {
		t.Errorf("%d files are open", m.recordings.open)
	}
}

// A file is given as it is over a real connection, and to a client that goes away it is closed, too.
func TestLongFile(t *testing.T) {
	m := withRecordings()
	m.recordings.long = strings.Repeat("0123456789", 1<<20)
	server := New(m.backend(), Options{})
	ended := make(chan bool, 2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- true }()
		server.Handler().ServeHTTP(w, r)
	}))
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func() *http.Response {
		r, _ := http.NewRequest("GET", s.URL+"/api/v1/recordings/x1/sound", nil)
		r.Header.Set("Authorization", "Bearer "+secret)
		res, err := client.Do(r)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(err, res)
		}
		return res
	}
	res := get()
	n, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if want := int64(len("RIFF x1") + 10<<20); err != nil || n != want || res.ContentLength != want {
		t.Errorf("%d of %d bytes, %v", n, want, err)
	}
	<-ended
	res = get()
	res.Body.Close()
	<-ended
	if m.recordings.open != 0 {
		t.Errorf("%d files are open", m.recordings.open)
	}
}

func TestRecorder(t *testing.T) {
	m := filled()
	m.recorder = &memoryRecorder{says: map[string]error{"none": pbx.ErrNoSuchCall, "ringing": pbx.ErrNotConnected, "on": pbx.ErrRecorded, "off": pbx.ErrNotRecorded,
		"many": pbx.ErrManyRecorded, "never": pbx.ErrNoRecordings, "801": pbx.ErrNoConference, "fire": errors.New("in /secret/place")}}
	c := serve(t, m)
	for _, x := range []struct {
		line   string
		status int
		detail string
	}{
		{"PUT /calls/c1/recording", 204, ""}, {"DELETE /calls/c1/recording", 204, ""}, {"PUT /conferences/800/recording", 204, ""}, {"DELETE /conferences/800/recording", 204, ""},
		{"PUT /calls/on/recording", 204, ""}, {"PUT /conferences/on/recording", 204, ""}, // as it was to be
		{"DELETE /calls/off/recording", 404, "It is not being recorded."}, {"DELETE /conferences/off/recording", 404, "It is not being recorded."},
		{"PUT /calls/none/recording", 404, "There is no call of that ID now."}, {"DELETE /calls/none/recording", 404, "There is no call of that ID now."},
		{"PUT /conferences/801/recording", 404, "no conference in a room"}, {"DELETE /conferences/801/recording", 404, "no conference in a room"},
		{"PUT /calls/ringing/recording", 409, "Nobody talks to anybody in this call."}, {"PUT /calls/many/recording", 409, "too many recordings"},
		{"PUT /calls/never/recording", 409, "This PBX keeps no recordings."}, {"PUT /conferences/never/recording", 409, "This PBX keeps no recordings."},
		{"PUT /calls/fire/recording", 500, "inside"},
		{"GET /calls/c1/recording", 405, ""}, {"PUT /conferences/" + strings.Repeat("8", 33) + "/recording", 422, ""},
	} {
		method, path, _ := strings.Cut(x.line, " ")
		if w := c.ask(method, "/api/v1"+path, ""); x.status == 204 && (w.Code != 204 || w.Body.Len() > 0) {
			t.Errorf("%s: %d %s", x.line, w.Code, w.Body)
		} else if x.status != 204 {
			bad(t, w, x.status, x.detail)
		}
	}
	if want := []string{"c1 start monitoring", "c1 stop monitoring", "800 start monitoring", "800 stop monitoring"}; !slices.Equal(m.recorder.asked[:4], want) {
		t.Errorf("asked for %q", m.recorder.asked)
	}
}

func TestRecordsTellOfRecordings(t *testing.T) {
	m := filled()
	m.records[0].Recorded = []pbx.Recorded{{ID: "x1", By: "1000", Started: epoch, Ended: epoch.Add(time.Second)}, {By: "policy of 1001", Started: epoch, Problem: "The disk is full."}}
	c := serve(t, m)
	var one pbx.CDR
	c.ok("GET", "/api/v1/cdrs/r3", "", 200, &one)
	if !slices.Equal(one.Recorded, m.records[0].Recorded) {
		t.Errorf("%+v", one.Recorded)
	}
	if w := c.ask("GET", "/api/v1/cdrs?format=csv", ""); !strings.Contains(w.Body.String(), ",x1; The disk is full.\r\n") {
		t.Errorf("%s", w.Body)
	}
	m.calls[0].Recorded = true
	m.up = []pbx.ConferenceInfo{{Number: "800", Recorded: true}}
	var calls page[call]
	c.ok("GET", "/api/v1/calls", "", 200, &calls)
	var conferences page[conference]
	c.ok("GET", "/api/v1/conferences", "", 200, &conferences)
	if !calls.Items[0].Recorded || !conferences.Items[0].Recorded {
		t.Errorf("%+v %+v", calls, conferences)
	}
}
