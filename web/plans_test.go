package web

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
)

func TestServices(t *testing.T) {
	m := filled()
	c := serve(t, m)
	const path = "/api/v1/extensions/1000/services"
	w := c.ok("GET", path, "", 200, nil)
	if got := strings.TrimSpace(w.Body.String()); got != `{"has_pin":false}` {
		t.Errorf("nothing is set: %s", got)
	}
	c.ok("PATCH", path, `{"forward_always":{"on":true,"to":"1001"},"do_not_disturb":{"on":true},"speed_dials":{"1":"1001"},"class":"national",
		"find_me":{"on":true,"steps":[{"places":[{"number":"1000"},{"number":"0171","confirm":true}],"seconds":20}],"schedule":{"days":["mon"],"from":"08:00","to":"17:00"}},
		"incoming":[{"name":"<b>x</b>","prefixes":["0900"],"action":"reject"}],"pin":"4711"}`, 200, nil)
	want := m.services["1000"]
	if !want.Always.On || want.Always.To != "1001" || want.PINHash != "hash of 4711" || want.Incoming[0].Name != "<b>x</b>" || want.FindMe.Schedule.Days[0] != "mon" || want.Class != "national" {
		t.Errorf("stored: %+v", want)
	}
	w = c.ok("GET", path, "", 200, nil)
	if s := w.Body.String(); strings.Contains(s, "pin_hash") || strings.Contains(s, "4711") || !strings.Contains(s, `"has_pin":true`) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %s", s)
	}

	// what was got can be sent back, and changes nothing
	c.ok("PATCH", path, w.Body.String(), 200, nil)
	if got, _ := json.Marshal(m.services["1000"]); string(got) != mustJSON(t, want) {
		t.Errorf("the way there and back changed it:\n%s\n%s", got, mustJSON(t, want))
	}

	// a section that is given replaces the one before as a whole, null clears it, the others stay
	c.ok("PATCH", path, `{"forward_always":{"on":false},"do_not_disturb":null,"speed_dials":{"2":"1002"},"class":null,"incoming":[]}`, 200, nil)
	got := m.services["1000"]
	if got.Always != (pbx.Forward{}) || got.DoNotDisturb.On || len(got.SpeedDials) != 1 || got.SpeedDials["2"] != "1002" || got.Class != "" || len(got.Incoming) != 0 ||
		!got.FindMe.On || got.PINHash == "" {
		t.Errorf("after the change: %+v", got)
	}
	c.ok("PATCH", path, `{"pin":null}`, 200, nil)
	if m.services["1000"].PINHash != "" {
		t.Error("the PIN is still there")
	}
	c.ok("PATCH", path, `{}`, 200, nil)
	if !m.services["1000"].FindMe.On {
		t.Error("nothing given changed something")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What was changed is marked with whoever asked for it.
func TestWhoChangedIt(t *testing.T) {
	m := filled()
	s := New(m.backend(), Options{})
	c := client{t, s.Handler()}
	before := time.Now().Add(-time.Second)
	c.ok("PATCH", "/api/v1/extensions/1000/services", `{"do_not_disturb":{"on":true,"set":{"by":"somebody else"}}}`, 200, nil)
	c.ask("PATCH", "/api/v1/office", `{}`, "Authorization: Basic YWRtaW46cmlnaHQ=")
	w := httptest.NewRecorder()
	r := httptest.NewRequest("PATCH", "/api/v1/office", strings.NewReader(`{}`))
	r.Header.Set("Content-Type", "application/json")
	s.Local().ServeHTTP(w, r)
	c.ok("POST", "/api/v1/groups", `{"number":"600","enabled":true,"members":["1000"]}`, 201, nil)
	c.ok("PUT", "/api/v1/groups/600", `{"number":"600","enabled":false,"members":["1000"]}`, 200, nil)
	c.ok("POST", "/api/v1/hours", `{"name":"office","open":[]}`, 201, nil)
	c.ok("PUT", "/api/v1/hours/office/mode", `{"mode":"night"}`, 200, nil)
	var by []string
	for _, s := range m.by {
		by = append(by, s.By)
		if s.At.Before(before) || s.At.After(time.Now()) || s.At.Location() != time.UTC {
			t.Errorf("at %s", s.At)
		}
	}
	if want := []string{"monitoring", "admin", "local", "monitoring", "monitoring", "monitoring", "monitoring"}; !slices.Equal(by, want) {
		t.Errorf("by %v, want %v", by, want)
	}
}

func TestSettingErrors(t *testing.T) {
	m := filled()
	m.groups["600"] = pbx.Group{Number: "600", Closed: pbx.Closed{Hours: "shop"}}
	c := serve(t, m)
	const services, group = "/api/v1/extensions/1000/services", `{"number":"601","enabled":true,"members":["1000"]}`
	for _, x := range []struct {
		method, path, body string
		status             int
		where              string // in the problem
	}{
		{"GET", "/api/v1/extensions/9/services", "", 404, "There is no extension of that number."},
		{"PATCH", "/api/v1/extensions/9/services", "{}", 404, "There is no extension of that number."},
		{"PATCH", services, `{"forward_allways":{"on":true}}`, 422, "body.forward_allways"},
		{"PATCH", services, `{"forward_always":{"on":true,"target":"1001"}}`, 422, "body.forward_always.target"},
		{"PATCH", services, `{"forward_always":{"to":"1001"}}`, 422, "property on"},
		{"PATCH", services, `{"forward_always":{"on":true}}`, 422, "A forward needs a number."},
		{"PATCH", services, `{"forward_always":{"on":true}}`, 422, `"location":"body.forward_always.to"`},
		{"PATCH", services, `{"forward_always":{"on":"yes"}}`, 422, "body.forward_always.on"},
		{"PATCH", services, `{"Forward_Always":{"on":true}}`, 422, "body.Forward_Always"},
		{"PATCH", services, `{"pin_hash":"x"}`, 422, "body.pin_hash"},
		{"PATCH", services, `{"PINHash":"x"}`, 422, "body.PINHash"},
		{"PATCH", services, `{"pin":"1"}`, 422, "A PIN has"},
		{"PATCH", services, `{"redirect":"maybe"}`, 422, "body.redirect"},
		{"PATCH", services, `{"class":"moon"}`, 422, "body.class"},
		{"PATCH", services, `{"incoming":[{"action":"shout"}]}`, 422, "body.incoming[0].action"},
		{"PATCH", services, `{"find_me":{"on":true,"steps":[{"places":[{}]}]}}`, 422, "body.find_me.steps[0].places[0]"},
		{"PATCH", services, `{"find_me":{"on":true,"schedule":{"days":["Montag"]}}}`, 422, "body.find_me.schedule.days[0]"},
		{"PATCH", services, `[]`, 422, "object"},
		{"PATCH", services, `null`, 422, ""},
		{"PATCH", services, `{"forward_always":`, 400, ""},
		{"PATCH", services, ``, 400, ""},
		{"PATCH", services, `{"class":"` + strings.Repeat("x", maxBody) + `"}`, 413, ""},
		{"PATCH", services, strings.Repeat(`{"find_me":`, 5000), 400, ""},
		{"POST", "/api/v1/groups", `{"number":"600","enabled":true,"members":[]}`, 409, "already"},
		{"POST", "/api/v1/groups", `{"number":"601","members":[]}`, 422, "property enabled"},
		{"POST", "/api/v1/groups", `{"number":"601","enabled":true,"members":[],"strategy":"loudest"}`, 422, "body.strategy"},
		{"PUT", "/api/v1/groups/600", group, 422, "number must be the one in the address"},
		{"GET", "/api/v1/groups/9", "", 404, "no ring group"},
		{"DELETE", "/api/v1/groups/9", "", 404, "no ring group"},
		{"GET", "/api/v1/hours/9", "", 404, "no opening hours"},
		{"DELETE", "/api/v1/hours/9", "", 404, "no opening hours"},
		{"DELETE", "/api/v1/hours/shop", "", 409, "ring group 600"},
		{"PUT", "/api/v1/hours/9/mode", `{"mode":"day"}`, 404, "no opening hours"},
		{"PUT", "/api/v1/hours/9/mode", `{"mode":"dusk"}`, 422, "body.mode"},
		{"PUT", "/api/v1/hours/a", `{"name":"b","open":[]}`, 422, "name must be the one in the address"},
		{"PATCH", "/api/v1/office", `{"classes":[{"prefix":"00"}]}`, 422, "body.classes[0]"},
		{"PATCH", "/api/v1/office", `{"codes":{"profile":"asterisk"}}`, 422, "body.codes.profile"},
		{"GET", "/api/v1/plan?from=1001", "", 422, "query.to"},
		{"GET", "/api/v1/plan?to=1001", "", 422, "query.from"},
		{"GET", "/api/v1/plan?from=1001&to=", "", 422, "query.to"},
		{"GET", "/api/v1/plan?from=1001&to=1000&at=tomorrow", "", 422, "at must be a time"},
		{"GET", "/api/v1/plan?from=1001&to=" + strings.Repeat("1", 65), "", 422, "query.to"},
	} {
		t.Run(x.method+" "+x.path[:min(len(x.path), 40)]+" "+x.body[:min(len(x.body), 40)], func(t *testing.T) {
			w := c.ask(x.method, x.path, x.body)
			bad(t, w, x.status, "")
			if !strings.Contains(w.Body.String(), x.where) {
				t.Errorf("it does not say %q: %s", x.where, w.Body)
			}
		})
	}
	if len(m.by) != 0 {
		t.Errorf("%d changes were made", len(m.by))
	}
}

func TestGroups(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var g pbx.Group
	w := c.ok("POST", "/api/v1/groups", `{"number":"*6#0","name":"<i>Sales</i>","enabled":true,"strategy":"round robin","members":["1000","1001"],"seconds":20,"overflow":"1001"}`, 201, &g)
	if g.Name != "<i>Sales</i>" || len(g.Members) != 2 {
		t.Errorf("created: %+v", g)
	}
	at := w.Header().Get("Location")
	c.ok("GET", at, "", 200, &g)
	if g.Number != "*6#0" || at != "/api/v1/groups/%2A6%230" {
		t.Errorf("%s leads to %+v", at, g)
	}
	w = c.ok("PUT", "/api/v1/groups/600", `{"number":"600","enabled":true,"members":[]}`, 201, nil)
	if w.Header().Get("Location") != "/api/v1/groups/600" {
		t.Errorf("Location %q", w.Header().Get("Location"))
	}
	w = c.ok("PUT", "/api/v1/groups/600", `{"number":"600","enabled":false,"members":["1000"]}`, 200, &g)
	if g.Enabled || w.Header().Get("Location") != "" {
		t.Errorf("replaced: %+v", g)
	}
	var l page[pbx.Group]
	c.ok("GET", "/api/v1/groups?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != "*6#0" || l.Next != "*6#0" {
		t.Errorf("first page: %+v", l)
	}
	l = page[pbx.Group]{}
	c.ok("GET", "/api/v1/groups?limit=5&after=%2A6%230", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Number != "600" || l.Next != "" {
		t.Errorf("second page: %+v", l)
	}
	c.ok("DELETE", "/api/v1/groups/600", "", 204, nil)
	bad(t, c.ask("GET", "/api/v1/groups/600", ""), 404, "no ring group")
}

func TestHours(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var h pbx.Hours
	w := c.ok("PUT", "/api/v1/hours/Haupt%2Fstra%C3%9Fe", `{"name":"Haupt/straße","zone":"Europe/Berlin","open":[{"days":["mon","fri"],"from":"08:00","to":"17:30"}],
		"holidays":[{"name":"Christmas","first":"--12-25","last":"--12-26"}]}`, 201, &h)
	if len(h.Open) != 1 || h.Holidays[0].First != "--12-25" {
		t.Errorf("created: %+v", h)
	}
	at := w.Header().Get("Location")
	c.ok("PUT", at+"/mode", `{"mode":"night"}`, 200, &h)
	if h.Mode != "night" || h.Name != "Haupt/straße" {
		t.Errorf("switched: %+v", h)
	}
	h = pbx.Hours{}
	c.ok("PUT", at+"/mode", `{"mode":""}`, 200, &h)
	if h.Mode != "" || len(h.Open) != 1 {
		t.Errorf("switched: %+v", h)
	}
	m.hours["empty"] = pbx.Hours{Name: "empty"}
	if w := c.ok("GET", "/api/v1/hours/empty", "", 200, nil); !strings.Contains(w.Body.String(), `"open":[]`) {
		t.Errorf("a null where there is a list: %s", w.Body)
	}
	var l page[pbx.Hours]
	c.ok("GET", "/api/v1/hours?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "Haupt/straße" {
		t.Errorf("first page: %+v", l)
	}
	c.ok("DELETE", at, "", 204, nil)
	bad(t, c.ask("GET", at, ""), 404, "no opening hours")
}

func TestOffice(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var o pbx.Office
	c.ok("PATCH", "/api/v1/office", `{"classes":[{"prefix":"00","class":"international"}],"codes":{"profile":"fusionpbx","changed":{"echo":"*44"}},"day_night":"shop"}`, 200, &o)
	c.ok("PATCH", "/api/v1/office", `{"classes":null,"redirect_hosts":["example.com"]}`, 200, nil)
	o = pbx.Office{}
	c.ok("GET", "/api/v1/office", "", 200, &o)
	if o.Classes != nil || o.Codes.Profile != "fusionpbx" || o.Codes.Changed["echo"] != "*44" || o.DayNight != "shop" || o.RedirectHosts[0] != "example.com" {
		t.Errorf("got %+v", o)
	}
	var l page[Code]
	c.ok("GET", "/api/v1/codes", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].Code != "*43" {
		t.Errorf("codes: %+v", l)
	}
}

func TestPlan(t *testing.T) {
	m := filled()
	c := serve(t, m)
	var p plan
	w := c.ok("GET", "/api/v1/plan?from=1001&to=1000&at=2026-03-02T18:05:00%2B01:00", "", 200, &p)
	const text = "ring 1000 for 25s\n  on busy or no answer: if open (now): refuse: busy 486 (system) [<b>because</b>]\n"
	if p.From != "1001" || p.To != "1000" || p.At.Format(time.RFC3339) != "2026-03-02T18:05:00+01:00" || p.Text != text || p.Plan.Type != "ring" || p.Plan.Then[0].On[1] != pbx.NoAnswer {
		t.Errorf("got %s", w.Body)
	}
	if !strings.Contains(w.Body.String(), `"on":["busy","no answer"]`) {
		t.Errorf("outcomes are no words: %s", w.Body)
	}
	// a query as people type it: + is a blank there
	c.ok("GET", "/api/v1/plan?from=+4930123&to=*43&at=2026-03-02T18:05:00+01:00", "", 200, &p)
	if want := []string{"1001 1000 2026-03-02T18:05:00+01:00", "+4930123 *43 2026-03-02T18:05:00+01:00"}; !slices.Equal(m.asked, want) {
		t.Errorf("asked for %q, want %q", m.asked, want)
	}
	c.ok("GET", "/api/v1/plan?from=1001&to=1000", "", 200, &p)
	if d := time.Since(p.At); d < 0 || d > time.Minute {
		t.Errorf("without a time it is now, not %s", p.At)
	}
}

// Every field and parameter of the description says what it means.
func TestEverythingIsDescribed(t *testing.T) {
	api := New(filled().backend(), Options{}).api.OpenAPI()
	for name, s := range api.Components.Schemas.Map() {
		if name == "ErrorModel" || name == "ErrorDetail" { // huma's, described there
			continue
		}
		for field, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s is not described", name, field)
			}
		}
	}
	for path, item := range api.Paths {
		for _, o := range operations(item) {
			for _, p := range o.Parameters {
				if p.In == "query" && p.Description == "" {
					t.Errorf("%s %s: %s is not described", o.Method, path, p.Name)
				}
			}
		}
	}
}

func TestRecordsTellTheWay(t *testing.T) {
	m := filled()
	m.records[0].Plan = "ring 1000 for 25s\n"
	m.records[0].Path = []pbx.Passed{{Node: "ring 1000 for 25s", At: epoch, Until: epoch, Outcome: "no answer 480 (system)"}, {Node: "ring 1001 for 25s", At: epoch, Outcome: "answered (callee)"}, {Node: "echo test", At: epoch}}
	c := serve(t, m)
	var one pbx.CDR
	c.ok("GET", "/api/v1/cdrs/r3", "", 200, &one)
	if one.Plan != m.records[0].Plan || len(one.Path) != 3 || one.Path[1].Node != "ring 1001 for 25s" {
		t.Errorf("got %+v", one)
	}
	if w := c.ask("GET", "/api/v1/cdrs?format=csv", ""); !strings.Contains(w.Body.String(), "ring 1000 for 25s: no answer 480; ring 1001 for 25s: answered; echo test") {
		t.Errorf("got %s", w.Body)
	}
}

func TestRegistrationPages(t *testing.T) {
	c := serve(t, filled())
	var l page[registration]
	c.ok("GET", "/api/v1/registrations?limit=1", "", 200, &l)
	if len(l.Items) != 1 || l.Next != "1000-a" {
		t.Errorf("first page: %+v", l)
	}
	l = page[registration]{}
	c.ok("GET", "/api/v1/registrations?limit=2&after=1000-a", "", 200, &l)
	if len(l.Items) != 1 || l.Items[0].ID != "1001-b" || l.Next != "" {
		t.Errorf("second page: %+v", l)
	}
	bad(t, c.ask("GET", "/api/v1/registrations?limit=0", ""), 422, "")
}
