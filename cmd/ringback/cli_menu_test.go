package main

import (
	"strings"
	"testing"
)

func TestMenuCommands(t *testing.T) {
	i := testOffice(t)
	has(t, command(t, i, "menu", "set", "700", `{"prompt":"menu/sales","keys":{"1":"1000","12":"1001"},"timeout":"1002"}`),
		"number 700", "name 700", "enabled yes", "prompt menu/sales", "key 1 1000", "key 12 1001", "dial extension no", "waits for 5 s", "tries 3", "timeout 1002", "invalid -", "changed by local")
	has(t, command(t, i, "menu", "set", "700", `{"name":"Sales","timeout":null,"dial_extension":true}`), "name Sales", "key 1 1000", "dial extension yes", "timeout -")
	has(t, command(t, i, "menus", "list"), "700 Sales yes 1 12 - -")
	has(t, command(t, i, "menu", "show", "700"), "name Sales")
	has(t, command(t, i, "plan", "1000", "700"), "menu 700, takes numbers of extensions [menu Sales, set by local", "ring 1001 for 25s [key 12]")
	for _, c := range []struct{ number, change, want string }{
		{"701", `{"enabled":true}`, "needs keys"}, {"1000", `{"keys":{"1":"1001"}}`, "extension 1000"}, {"700", `{"keys":{"#":"1001"}}`, "1 to 8 digits"},
		{"*60", `{"keys":{"1":"1001"}}`, "feature code"},
	} {
		if _, errs, status := commandStatus(t, i, "menu", "set", c.number, c.change); status != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%s %s: %d %s, want %q", c.number, c.change, status, errs, c.want)
		}
	}
	command(t, i, "menu", "remove", "700")
	if i.store.Menu("700") != nil {
		t.Error("it is still there")
	}
}
