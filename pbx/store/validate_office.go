package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ringback/pbx"
)

// Bounds of what plans are made from.
const (
	maxNumbers      = 50 // further numbers of an extension
	maxSteps        = 10
	maxPlaces       = 10 // a step
	maxAllPlaces    = 30
	maxRules        = 200 // a list
	maxRuleNumbers  = 500
	maxMembers      = 50
	maxSpeedDials   = 200
	maxSpans        = 100
	maxHolidays     = 500
	maxClassRules   = 1000
	maxHosts        = 100
	maxChangedCodes = 100
)

// validator checks what is about to become part of a directory.
type validator struct{ d *directory }

// fillGroup puts the defaults in.
func fillGroup(g *pbx.Group) {
	if g.Name == "" {
		g.Name = g.Number
	}
	if g.Strategy == "" {
		g.Strategy = pbx.RingAll
	}
	if g.Seconds == 0 {
		g.Seconds = DefaultRingSeconds
	}
	if g.Members == nil {
		g.Members = []string{}
	}
}

func (v *validator) group(g *pbx.Group) error {
	if err := first(checkNumber(g.Number), checkName(g.Name)); err != nil {
		return err
	}
	switch g.Strategy {
	case pbx.RingAll, pbx.InTurn, pbx.RoundRobin, pbx.LongestIdle, pbx.Random:
	default:
		return invalid("strategy", `%s is not a strategy; known are "%s", "%s", "%s", "%s" and "%s".`, quoted(string(g.Strategy)), pbx.RingAll, pbx.InTurn, pbx.RoundRobin, pbx.LongestIdle, pbx.Random)
	}
	if len(g.Members) > maxMembers {
		return invalid("members", "A ring group has at most %d members.", maxMembers)
	}
	for i, m := range g.Members {
		field := fmt.Sprintf("members[%d]", i)
		if slices.Contains(g.Members[:i], m) {
			return invalid(field, "Extension %s is a member twice.", quoted(m))
		}
		if v.d.extensions[m] != nil {
			continue
		}
		if owner, ok := v.d.owners[m]; ok {
			return invalid(field, "%s is a further number of extension %s: make %s the member.", m, owner, owner)
		}
		return invalid(field, "There is no extension %s.", quoted(m))
	}
	if g.Overflow == g.Number {
		return invalid("overflow", "A ring group cannot be its own overflow.")
	}
	return first(checkSeconds("seconds", g.Seconds, 5), checkTarget("overflow", g.Overflow), v.closed("closed", &g.Closed), checkSet("set", g.Set))
}

func (v *validator) room(r *pbx.Room) error {
	if r.Limit != 0 && (r.Limit < pbx.MinRoomLimit || r.Limit > pbx.MaxRoomLimit) {
		return invalid("limit", "limit must be 0 or between %d and %d members.", pbx.MinRoomLimit, pbx.MaxRoomLimit)
	}
	return first(checkNumber(r.Number), checkName(r.Name), checkSet("set", r.Set))
}

func (v *validator) hours(h *pbx.Hours) error {
	if err := first(checkHoursName(h.Name), checkZone("zone", h.Zone), checkSpans("open", h.Open, true), checkSet("set", h.Set)); err != nil {
		return err
	}
	if h.Mode != "" && h.Mode != "day" && h.Mode != "night" {
		return invalid("mode", `%s is not a mode; known are "" (by the clock), "day" and "night".`, quoted(h.Mode))
	}
	if len(h.Holidays) > maxHolidays {
		return invalid("holidays", "Hours have at most %d holidays.", maxHolidays)
	}
	for i := range h.Holidays {
		if err := checkHoliday(fmt.Sprintf("holidays[%d]", i), &h.Holidays[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) office(o *pbx.Office) error {
	if err := first(v.rules("incoming", o.Incoming), v.rules("outgoing", o.Outgoing), v.hoursExist("day_night", o.DayNight)); err != nil {
		return err
	}
	if len(o.Classes) > maxClassRules {
		return invalid("classes", "There are at most %d rules of classes.", maxClassRules)
	}
	seen := make(map[string]bool, len(o.Classes))
	for i, c := range o.Classes {
		field := fmt.Sprintf("classes[%d]", i)
		if c.Prefix == "" {
			return invalid(field+".prefix", "The rule of a class needs a prefix.")
		}
		if seen[c.Prefix] {
			return invalid(field+".prefix", "There are two rules for the prefix %s.", quoted(c.Prefix))
		}
		seen[c.Prefix] = true
		if err := first(checkTarget(field+".prefix", c.Prefix), checkClass(field+".class", c.Class, false)); err != nil {
			return err
		}
	}
	return first(checkHosts(o.RedirectHosts), checkFeatureCodes(&o.Codes))
}

func checkHosts(hosts []string) error {
	if len(hosts) > maxHosts {
		return invalid("redirect_hosts", "There are at most %d hosts of redirections.", maxHosts)
	}
	for i, h := range hosts {
		if h == "" || len(h) > 255 || strings.ContainsFunc(h, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(".-_:[]", r)
		}) {
			return invalid(fmt.Sprintf("redirect_hosts[%d]", i), "%s is not the name or address of a host.", quoted(h))
		}
	}
	return nil
}

// checkFeatureCodes looks at their form. What they mean is Options.CheckCodes' business.
func checkFeatureCodes(c *pbx.FeatureCodes) error {
	if len(c.Changed) > maxChangedCodes {
		return invalid("codes.changed", "At most %d codes can be changed.", maxChangedCodes)
	}
	for service, code := range c.Changed {
		if err := first(checkLabel("codes.changed", service), checkTarget("codes.changed", code)); err != nil {
			return err
		}
	}
	return checkLabel("codes.profile", c.Profile)
}

// checkHoursName: a name stands in URLs.
func checkHoursName(name string) error {
	if name == "" || name != strings.TrimSpace(name) || utf8.RuneCountInString(name) > 64 || name == "." || name == ".." || strings.ContainsAny(name, `/\?#%`) {
		return invalid("name", `The name of hours has 1 to 64 characters, none of / \ ? # %% and no space at its ends.`)
	}
	return checkName(name)
}
