package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ringback/pbx"
	"ringback/web"
)

// office is an instance with three extensions.
func testOffice(t *testing.T) *instance {
	t.Helper()
	i := testInstance(t, testConfig(t, map[string]string{"calls.time_zone": "Europe/Berlin"}))
	for _, n := range []string{"1000", "1001", "1002"} {
		command(t, i, "extension", "add", n, "--name", "Name of "+n, "--password", "password-"+n)
	}
	return i
}

// has wants a table to have lines with these words.
func has(t *testing.T, table string, lines ...string) {
	t.Helper()
	have := strings.Split(table, "\n")
	for i, l := range have {
		have[i] = strings.Join(strings.Fields(l), " ")
	}
	for _, want := range lines {
		found := false
		for _, l := range have {
			found = found || strings.HasPrefix(l, want)
		}
		if !found {
			t.Errorf("no line %q in:\n%s", want, table)
		}
	}
}

func TestServiceCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "services", "1000"), "nothing is switched on")
	out := command(t, i, "services", "set", "1000", `{"forward_no_answer":{"on":true,"to":"1001","after":15,"ring":20},"one_call":{"on":true},"class":"national","pin":"4711",
		"find_me":{"on":true,"steps":[{"places":[{"number":"1000"},{"number":"1002","confirm":true}],"seconds":20}],"schedule":{"days":["mon"],"from":"08:00","to":"17:00"}},
		"incoming":[{"name":"no ads","prefixes":["0900"],"action":"reject"}],"speed_dials":{"1":"1001"},"redirect":"pass"}`)
	has(t, out, "forward no answer on, to 1001, after 15 s, for 20 s, set by local on ", "one call on, set by local", "find me on, mon 08:00-17:00, set by local",
		"find me step 1 1000 and 1002 (to press 1), for 20 s", "incoming 1 no ads: reject if prefix 0900, set by local", "class national", "pin set", "redirect pass", "speed dial 1 1001")
	if v := i.store.Extension("1000").Services; !v.NoAnswer.On || v.NoAnswer.Set.By != "local" || v.PINHash == "" || !i.store.CheckPIN(t.Context(), "1000", "4711") {
		t.Errorf("stored: %+v", v)
	}
	var in bytes.Buffer
	in.WriteString(`{"one_call":null,"pin":null}`)
	var o, e bytes.Buffer
	if status := run(t.Context(), []string{"services", "set", "1000", "-", "--json", "--data", i.store.Dir()}, app{&in, &o, &e, none}); status != 0 {
		t.Fatal(e.String())
	}
	var got subscribed
	if err := json.Unmarshal(o.Bytes(), &got); err != nil || got.OneCall.On || got.HasPIN || !got.NoAnswer.On || strings.Contains(o.String(), "hash") {
		t.Errorf("%v: %s", err, o.String())
	}
}

func TestGroupAndHoursCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "group", "set", "600", `{"members":["1000","1001"],"strategy":"in order","overflow":"1002"}`), "number 600", "enabled yes", "members 1000 1001", "overflow 1002", "changed by local")
	has(t, command(t, i, "group", "set", "600", `{"name":"Sales","overflow":null}`), "name Sales", "strategy in order", "overflow -")
	has(t, command(t, i, "groups", "list"), "600 Sales yes in order 1000 1001")
	has(t, command(t, i, "hours", "set", "office", `{"open":[{"days":["mon","tue"],"from":"08:00","to":"17:30"}],"holidays":[{"name":"Christmas","first":"--12-25","last":"--12-26"}]}`),
		"open mon tue 08:00-17:30", "holiday Christmas --12-25 to --12-26", "mode clock")
	has(t, command(t, i, "hours", "mode", "office", "night"), "mode night, set by local on")
	has(t, command(t, i, "hours", "list"), "office night mon tue 08:00-17:30 1")
	has(t, command(t, i, "hours", "mode", "office", "clock"), "mode clock, set by local")
	has(t, command(t, i, "group", "set", "600", `{"closed":{"hours":"office","to":"1002"}}`), "closed outside of office to 1002, set by local")
	if _, errs, status := commandStatus(t, i, "hours", "remove", "office"); status != 1 || !strings.Contains(errs, "office: ") || !strings.Contains(errs, "600") {
		t.Errorf("hours in use were removed: %d %s", status, errs)
	}
	command(t, i, "group", "delete", "600")
	command(t, i, "hours", "delete", "office")
	if i.store.Group("600") != nil || i.store.Hours("office") != nil {
		t.Error("they are still there")
	}
}

func TestOfficeCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "office"), "feature codes ringback", "day/night office")
	has(t, command(t, i, "codes"), "*43 - echo", "*72 number forward_always_on")
	has(t, command(t, i, "office", "set", `{"codes":{"changed":{"echo":"*44"}},"classes":[{"prefix":"00","class":"international"}],"redirect_hosts":["example.com"]}`),
		"code of echo *44", "class of 00 international", "redirect hosts example.com")
	var all []web.Code
	if err := json.Unmarshal([]byte(command(t, i, "codes", "--json")), &all); err != nil || len(all) < 15 {
		t.Fatal(err, all)
	}
	for _, c := range all {
		if c.Code == "*43" {
			t.Errorf("*43 is still %s", c.Service)
		}
	}
	has(t, command(t, i, "plan", "1000", "*44"), "echo")
	has(t, command(t, i, "extension", "set", "1000", "--numbers", "4930123,5"), "further numbers 4930123 5")
	has(t, command(t, i, "extension", "list"), "1000 Name of 1000")
	if i.store.Owner("5").Number != "1000" {
		t.Error("5 reaches nobody")
	}
}

func TestPlanCommand(t *testing.T) {
	i := testOffice(t)
	command(t, i, "hours", "set", "office", `{"open":[{"days":["mon","tue","wed","thu","fri"],"from":"08:00","to":"18:00"}]}`)
	command(t, i, "services", "set", "1000", `{"closed":{"hours":"office","to":"1002"},"incoming":[{"name":"<i>ads</i>","prefixes":["0900"],"action":"reject"},{"anonymous":true,"action":"reject"}]}`)
	for _, c := range []struct {
		from, to, at string
		want         string
	}{
		{"1001", "1000", "2026-03-02T17:05:00Z", "if closed (now): forward from 1000 to 1002"}, // 18:05 in the zone of the PBX
		{"1001", "1000", "2026-03-02T18:05:00+01:00", "if closed (now)"},
		{"1001", "1000", "2026-03-02T16:55:00Z", "if open (now): ring 1000 for 25s"},
		{"090012", "1000", "2026-03-02T16:55:00Z", "screened 403"},
		{"anonymous", "1000", "2026-03-02T16:55:00Z", "screened 433"},
		{"1001", "*43", "", "echo"},
		{"+4930123", "*43", "", "404"}, // codes are for extensions
		{"1001", "9999", "", "404"},
	} {
		args := []string{"plan", c.from, c.to}
		if c.at != "" {
			args = append(args, "--at", c.at)
		}
		text := command(t, i, args...)
		if !strings.Contains(text, c.want) {
			t.Errorf("%v: no %q in\n%s", args, c.want, text)
		}
		var p plan
		if err := json.Unmarshal([]byte(command(t, i, append(args, "--json")...)), &p); err != nil || p.Text != text || p.Plan.String() != text || p.From != c.from {
			t.Errorf("%v: %v: %+v", args, err, p)
		}
	}
	if out := command(t, i, "plan", "090012", "1000", "--json"); !strings.Contains(out, "<i>ads</i>") {
		t.Errorf("what people wrote is mangled: %s", out)
	}
}

func TestSettingCommandErrors(t *testing.T) {
	i := testOffice(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"services", "show", "9"}, "There is no extension of that number."},
		{[]string{"services", "set", "9", `{"class":"local"}`}, "There is no extension of that number."},
		{[]string{"services", "set", "1000", `{"forward":{"on":true}}`}, "forward: unexpected property"},
		{[]string{"services", "set", "1000", `{"pin_hash":"x"}`}, "pin_hash: unexpected property"},
		{[]string{"services", "set", "1000", `{"forward_busy":{"on":true}}`}, "needs a number"},
		{[]string{"services", "set", "1000", `{"pin":"1"}`}, "A PIN has"},
		{[]string{"services", "set", "1000", `{"a"`}, "this is no JSON: unexpected end of JSON input"},
		{[]string{"services", "set", "1000", `[]`}, "must be a JSON object"},
		{[]string{"services", "set", "1000", `null`}, "must be a JSON object"},
		{[]string{"services", "set", "1000", `{}`}, "nothing to change"},
		{[]string{"services", "set", "1000", `-`}, "this is no JSON"},
		{[]string{"group", "show", "600"}, "There is no ring group of that number."},
		{[]string{"group", "delete", "600"}, "600: There is no ring group of that number."},
		{[]string{"group", "set", "600", `{"members":["9"]}`}, "There is no extension"},
		{[]string{"group", "set", "600", `{"number":"601","members":["1000"]}`}, "number must be the one in the address"},
		{[]string{"group", "set", "1001", `{"members":["1000"]}`}, "is already extension 1001"},
		{[]string{"group", "set", "*43", `{"members":["1000"]}`}, "is a feature code"},
		{[]string{"extension", "add", "*43"}, "is a feature code"},
		{[]string{"extension", "add", "1003", "--numbers", "1000"}, "is already extension 1000"},
		{[]string{"hours", "show", "x"}, "There are no opening hours of that name."},
		{[]string{"hours", "mode", "x", "day"}, "There are no opening hours of that name."},
		{[]string{"hours", "set", "x", `{"zone":"Mars/Base"}`}, "not a time zone"},
		{[]string{"office", "set", `{"codes":{"changed":{"echo":"*72"}}}`}, "two services"},
		{[]string{"office", "set", `{"codes":{"changed":{"echo":"1000"}}}`}, "is a number in use"},
		{[]string{"plan", "1000", "1001", "--at", "tomorrow"}, "is no time such as"},
	} {
		out, errs, status := commandStatus(t, i, c.args...)
		if status != 1 || !strings.Contains(errs, c.want) || out != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: status %d, %q, %q", c.args, status, out, errs)
		}
	}
	if _, errs, status := commandStatus(t, i, "hours", "mode", "x", "dusk"); status != 2 || !strings.Contains(errs, "must be one of") {
		t.Errorf("status %d, %q", status, errs)
	}
}

// The plan that was made is the one that is carried out and written down; what was dialled last outlives a restart.
func TestForwardedCall(t *testing.T) {
	cfg := testConfig(t, nil)
	i := testInstance(t, cfg)
	for _, n := range []string{"1000", "1001"} {
		command(t, i, "extension", "add", n, "--password", "password-"+n)
	}
	command(t, i, "services", "set", "1001", `{"forward_always":{"on":true,"to":"1000"}}`)
	alice := phone(t, i, "1000", "password-1000")
	command(t, i, "extension", "add", "1002", "--password", "password-1002")
	carol := phone(t, i, "1002", "password-1002")
	text := command(t, i, "plan", "1002", "1001")
	has(t, text, "forward from 1001 to 1000 (unconditional) [forward always, set by local", "ring 1000 for 25s")

	caller, err := carol.Call(t.Context(), "1001")
	if err != nil {
		t.Fatal(err)
	}
	callee, err := alice.Incoming(t.Context())
	if err != nil {
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
	if err := i.switchboard.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var records []pbx.CDR
	if err := json.Unmarshal([]byte(command(t, i, "cdr", "--json")), &records); err != nil || len(records) != 1 {
		t.Fatal(err, records)
	}
	if r := records[0]; r.Plan != text || len(r.Path) < 2 || r.Path[0].Node != "forward from 1001 to 1000 (unconditional)" || r.By != "1000" {
		t.Errorf("record: %+v", r)
	}
	if out := command(t, i, "cdr", "--csv"); !strings.Contains(out, "forward from 1001 to 1000 (unconditional): answered; ring 1000 for 25s: answered") {
		t.Errorf("CSV:\n%s", out)
	}
	if out := command(t, i, "cdr", "--path"); !strings.Contains(out, "; ring 1000 for 25s: answered (callee)\n") {
		t.Errorf("path:\n%s", out)
	}
	i.close()
	i = testInstance(t, cfg)
	if last := i.planner.recent.LastDialled("1002"); last != "1001" {
		t.Errorf("after a restart 1002 called %q last", last)
	}
	command(t, i, "extension", "remove", "1002")
	if last := i.planner.recent.LastDialled("1002"); last != "" {
		t.Errorf("whoever gets 1002 next would redial %s", last)
	}
}

// Settings that change plans take effect with the next plan, whatever the clock's zone is.
func TestTimeZone(t *testing.T) {
	for name, ok := range map[string]bool{"": true, "Europe/Berlin": true, "UTC": true, "Mars/Base": false, "../passwd": false} {
		if _, err := timeZone(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if z, _ := timeZone(""); z != time.Local {
		t.Errorf("without a name it is %s", z)
	}
	for toml, want := range map[string]string{
		"[calls]\ntime_zone = 'Mars/Base'\n": `line 2: calls.time_zone must be an IANA time zone such as Europe/Berlin, not "Mars/Base"`,
		"[calls]\ntones = 'xx'\n":            `line 2: calls.tones must be one of cn, de, eu, jp, kr, ru, uk, us, not "xx"`,
	} {
		if _, err := load(sources{file: write(t, toml), environ: none}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", toml, err)
		}
	}
}

// What is changed over the network is the doing of the token's owner.
func TestChangedByToken(t *testing.T) {
	i := testOffice(t)
	url := "http://" + i.web.addrs[0].String()
	token := strings.TrimSpace(command(t, i, "token", "add", "front desk"))
	for secret, want := range map[string]string{token: "front desk", "token-of-the-tests": fromEnvironment} {
		for _, state := range []string{"false", "true"} {
			if _, errs, status := commandStatus(t, nil, "services", "set", "1000", `{"do_not_disturb":{"on":`+state+`}}`, "--url", url, "--token", secret); status != 0 {
				t.Fatal(errs)
			}
		}
		if by := i.store.Extension("1000").Services.DoNotDisturb.Set.By; by != want {
			t.Errorf("by %q, want %q", by, want)
		}
	}
}
