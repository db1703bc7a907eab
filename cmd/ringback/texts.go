package main

import (
	"fmt"
	"strings"

	"ringback/pbx"
)

// What settings are in words, for the tables that people read.

// by is who set something, for people.
func by(s pbx.Set) string {
	switch {
	case s.By == "":
		return ""
	case s.At.IsZero():
		return ", set by " + s.By
	}
	return ", set by " + s.By + " on " + s.At.Local().Format("2006-01-02 15:04")
}

// whose is the same in a line of its own.
func whose(s pbx.Set) string { return strings.TrimPrefix(by(s), ", set ") }

func switched(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// described joins the parts that say something.
func described(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}

// labelled is "label value", nothing without a value.
func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + " " + value
}

func seconds(label string, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s %d s", label, n)
}

// ruleRows are the lines of a list of rules in a table.
func ruleRows(t *table, list string, rules []pbx.Rule) {
	for i, r := range rules {
		action := string(r.Action)
		if r.To != "" {
			action += " to " + r.To
		}
		anonymous := ""
		if r.Anonymous {
			anonymous = "anonymous"
		}
		if r.Name != "" {
			action = r.Name + ": " + action
		}
		t.row(fmt.Sprintf("%s %d", list, i+1), action+labelled(" if", described(labelled("number", strings.Join(r.Numbers, " ")), labelled("prefix", strings.Join(r.Prefixes, " ")),
			labelled("in group", r.Group), anonymous, labelled("by trunk", r.Trunk), scheduleText(r.Schedule), labelled("outside of", r.Hours)))+by(r.Set))
	}
}

func scheduleText(s *pbx.Schedule) string {
	if s == nil {
		return ""
	}
	text := "every day"
	if len(s.Days) > 0 {
		text = strings.Join(s.Days, " ")
	}
	if s.From != "" || s.To != "" {
		text += " " + s.From + "-" + s.To
	}
	return strings.TrimSpace(text + " " + s.Zone)
}

func closedText(c pbx.Closed) string {
	if c.Hours == "" {
		return ""
	}
	if c.To == "" {
		return "outside of " + c.Hours + " callers are told" + by(c.Set)
	}
	return "outside of " + c.Hours + " to " + c.To + by(c.Set)
}
