package store

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ringback/pbx"
)

func TestLoadRecent(t *testing.T) {
	s := withOffice(t, t.TempDir(), Options{IsCode: func(_ *pbx.Office, n string) bool { return strings.HasPrefix(n, "*") }})
	numbers := []string{"2001"}
	if _, _, err := s.UpdateExtension(t.Context(), "1001", ExtensionUpdate{Numbers: &numbers}); err != nil {
		t.Fatal(err)
	}
	n := 0
	call := func(from, to, by string, hidden bool, plan string) {
		n++
		c := record(n)
		c.From, c.FromName, c.To, c.By, c.Hidden, c.Plan = from, "name of "+from, to, by, hidden, plan
		s.Journal().Ended(c)
	}
	check := func(r *pbx.Recent, extension, dialled string, caller pbx.Identity) {
		t.Helper()
		from, ok := r.LastCaller(extension)
		if got := r.LastDialled(extension); got != dialled || from != caller || ok != (caller != pbx.Identity{}) {
			t.Errorf("%s: dialled %q, was called by %+v; want %q, %+v", extension, got, from, dialled, caller)
		}
	}
	call("1000", "1002", "1002", false, "old")
	call("1000", "2001", "", false, "ring")    // by a further number, not answered
	call("1000", "*43", "", false, "echo")     // a code is not dialled again
	call("1002", "600", "1000", true, "group") // hidden, answered by a member
	call("404", "1000", "1000", false, "")     // of before the records knew who hides; an extension that is gone
	call("1001", "404", "", false, "refuse")
	flush(t, s)
	r := pbx.NewRecent()
	r.Dialled("1002", "what it knows already")
	if err := s.LoadRecent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	check(r, "1000", "2001", pbx.Identity{Number: "1002", Name: "name of 1002", Hidden: true})
	check(r, "1001", "404", pbx.Identity{Number: "1000", Name: "name of 1000"})
	check(r, "1002", "what it knows already", pbx.Identity{Number: "1000", Name: "name of 1000"})
	check(r, "404", "", pbx.Identity{})

	for range recentCalls {
		call("x", "y", "", false, "refuse")
	}
	flush(t, s)
	r = pbx.NewRecent()
	if err := s.LoadRecent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	check(r, "1000", "", pbx.Identity{}) // too long ago
}

// What a record keeps of plan and path is bounded, and still text.
func TestPlansInRecordsAreBounded(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	c := record(1)
	c.Plan = strings.Repeat("ü", 20_000)
	c.Path = nil
	for i := range 1000 {
		c.Path = append(c.Path, pbx.Passed{Node: fmt.Sprint(i, strings.Repeat("é", 500)), At: c.Started, Until: c.Ended, Outcome: strings.Repeat("é", 500)})
	}
	if b := appendCDR(nil, &c); len(b) > 200<<10 {
		t.Error(len(b), "bytes in the journal")
	}
	if err := s.Journal().Answered(c); err != nil {
		t.Error(err)
	}
	s.Journal().Ended(c)
	flush(t, s)
	got, err := s.GetCDR(t.Context(), c.ID)
	if err != nil || len(got.Plan) != longestPlan || len(got.Path) != longestPath || len(got.Path[7].Node) > longestNode || len(got.Path[7].Outcome) > longestNode {
		t.Fatal(len(got.Plan), len(got.Path), err)
	}
	if !utf8.ValidString(got.Plan) || !utf8.ValidString(got.Path[7].Node) || strings.Contains(got.Plan, "\uFFFD") || !strings.HasPrefix(got.Path[199].Node, "199é") {
		t.Error("cut in the middle of a character")
	}
	page, err := s.ListCDRs(t.Context(), CDRFilter{})
	if err != nil || len(page.CDRs) != 1 || len(page.CDRs[0].Path) != longestPath || !page.CDRs[0].Hidden {
		t.Error(err)
	}
}

// A record of before has no recordings; one of before that no estimates of quality, and one of still before neither plan nor path.
func TestRecordsOfBeforeAreRead(t *testing.T) {
	c := record(1)
	c.Recorded = nil
	unrecorded := appendCDR(nil, &c)
	unrecorded = unrecorded[:len(unrecorded)-1] // none: a zero
	if got, ok := decodeCDR(unrecorded); !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("%v\ngot  %+v\nwant %+v", ok, got, c)
	}
	for _, q := range []*pbx.Quality{&c.FromPhone, &c.ToPhone} {
		q.RoundTrip, q.MOSIn, q.MOSOut = 0, 0, 0
	}
	b := appendCDR(nil, &c)
	b = b[:len(b)-1-6] // three a leg, each a zero, and no recordings
	if got, ok := decodeCDR(b); !ok || !reflect.DeepEqual(got, c) {
		t.Errorf("%v\ngot  %+v\nwant %+v", ok, got, c)
	}
	c.Plan, c.Path, c.Hidden = "", nil, false
	b = appendCDR(nil, &c)
	got, ok := decodeCDR(b[:len(b)-1-6-3]) // hidden, plan and path are a zero each
	if !ok || got.Plan != "" || got.Path != nil || got.Hidden || got.ToPhone != c.ToPhone || !got.Ended.Equal(c.Started.Add(63*time.Second)) {
		t.Errorf("%v %+v", ok, got)
	}
}
