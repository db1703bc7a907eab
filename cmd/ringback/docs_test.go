package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ringback/pbx"
)

// TestDocumentedSettings carries out every JSON of docs/features.md, as it stands there.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	var hours, groups, rooms, menus, mailboxes, rest [][]string
	for _, m := range regexp.MustCompile("(?ms)^```json\n(.*?)^```|`(\\{\".*?\\})`").FindAllStringSubmatch(string(text), -1) {
		switch json := strings.TrimSpace(m[1] + m[2]); {
		case strings.HasPrefix(json, `{"name"`):
			hours = append(hours, []string{"hours", "set", "office", json})
		case strings.HasPrefix(json, `{"number": "800"`):
			rooms = append(rooms, []string{"room", "set", "800", json})
		case strings.HasPrefix(json, `{"number": "700"`):
			menus = append(menus, []string{"menu", "set", "700", json})
		case strings.HasPrefix(json, `{"number": "1000"`):
			mailboxes = append(mailboxes, []string{"mailbox", "set", "1000", json})
		case strings.HasPrefix(json, `{"number"`):
			groups = append(groups, []string{"group", "set", "600", json})
		case strings.HasPrefix(json, `{"classes"`), strings.HasPrefix(json, `{"codes"`):
			rest = append(rest, []string{"office", "set", json})
		case strings.HasPrefix(json, `{"mode"`):
			rest = append(rest, []string{"hours", "mode", "office", regexp.MustCompile(`\w+"}`).FindString(json)[:len("night")]})
		default:
			rest = append(rest, []string{"services", "set", "1000", json})
		}
	}
	if len(hours) != 1 || len(groups) != 1 || len(rooms) != 1 || len(menus) != 1 || len(rest) < 12 {
		t.Fatalf("%d hours, %d groups, %d rooms, %d menus and %d others were found", len(hours), len(groups), len(rooms), len(menus), len(rest))
	}
	i := testOffice(t)
	for _, args := range slices.Concat(hours, groups, rooms, menus, mailboxes, rest) {
		if _, errs, status := commandStatus(t, i, args...); status != 0 {
			t.Errorf("ringback %s: %s", strings.Join(args, " "), errs)
		}
	}
}

// TestDocumentedEvents: docs/events.md says something of every type.
func TestDocumentedEvents(t *testing.T) {
	text, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range append(slices.Clone(pbx.EventTypes), pbx.EventGap) {
		if !strings.Contains(string(text), "\n| `"+string(kind)+"` |") {
			t.Errorf("nothing is said of %s", kind)
		}
	}
}
