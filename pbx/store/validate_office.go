package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
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

// sentence makes a sentence of an error's text.
func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "It is wrong."
	}
	if c := text[0]; c >= 'a' && c <= 'z' {
		text = string(c-32) + text[1:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

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

func (v *validator) services(x *pbx.Services) error {
	err := first(
		v.forward("forward_always", &x.Always),
		v.forward("forward_busy", &x.Busy),
		v.forward("forward_no_answer", &x.NoAnswer),
		v.forward("forward_unreachable", &x.Unreachable),
		checkSet("do_not_disturb.set", x.DoNotDisturb.Set),
		checkSet("one_call.set", x.OneCall.Set),
		checkSet("hide_number.set", x.HideNumber.Set),
		v.findMe(&x.FindMe),
		v.closed("closed", &x.Closed),
		v.rules("incoming", x.Incoming),
		v.rules("outgoing", x.Outgoing),
		checkClass("class", x.Class, true),
		checkSpeedDials(x.SpeedDials))
	switch {
	case err != nil:
		return err
	case x.Redirect != pbx.Follow && x.Redirect != pbx.PassOn && x.Redirect != pbx.NoOther:
		return invalid("redirect", `%s is not a way to treat a redirection; known are "" (follow it), "%s" and "%s".`, quoted(string(x.Redirect)), pbx.PassOn, pbx.NoOther)
	case x.PINHash != "" && (len(x.PINHash) > 200 || !strings.HasPrefix(x.PINHash, "$argon2id$")):
		return invalid("pin", "The PIN is not given as a PIN.")
	}
	return nil
}

func (v *validator) forward(field string, f *pbx.Forward) error {
	if f.On && f.To == "" {
		return invalid(field+".to", "A forward that is on needs a number to forward to.")
	}
	if f.Answer != "" && f.Answer != "redirect" {
		return invalid(field+".answer", `%s is no way to forward; known are "" (the PBX forwards) and "redirect".`, quoted(f.Answer))
	}
	return first(checkTarget(field+".to", f.To), checkSeconds(field+".after", f.After, 5), checkSeconds(field+".ring", f.Ring, 5), checkSet(field+".set", f.Set))
}

func (v *validator) findMe(f *pbx.FindMe) error {
	if f.On && len(f.Steps) == 0 {
		return invalid("find_me.steps", "Find-me needs a step when it is on.")
	}
	if len(f.Steps) > maxSteps {
		return invalid("find_me.steps", "Find-me has at most %d steps.", maxSteps)
	}
	all := 0
	for i, step := range f.Steps {
		field := fmt.Sprintf("find_me.steps[%d]", i)
		if n := len(step.Places); n == 0 || n > maxPlaces {
			return invalid(field+".places", "A step of find-me has 1 to %d places.", maxPlaces)
		}
		if all += len(step.Places); all > maxAllPlaces {
			return invalid("find_me.steps", "Find-me has at most %d places in all.", maxAllPlaces)
		}
		if err := checkSeconds(field+".seconds", step.Seconds, 3); err != nil {
			return err
		}
		for k, place := range step.Places {
			field := fmt.Sprintf("%s.places[%d].number", field, k)
			if place.Number == "" {
				return invalid(field, "A place of find-me needs a number.")
			}
			if err := checkTarget(field, place.Number); err != nil {
				return err
			}
		}
	}
	return first(checkSchedule("find_me.schedule", f.Schedule), checkSet("find_me.set", f.Set))
}

func (v *validator) closed(field string, c *pbx.Closed) error {
	return first(v.hoursExist(field+".hours", c.Hours), checkTarget(field+".to", c.To), checkSet(field+".set", c.Set))
}

func (v *validator) hoursExist(field, name string) error {
	if name != "" && v.d.hours[name] == nil {
		return invalid(field, "There are no hours %s.", quoted(name))
	}
	return nil
}

func (v *validator) rules(field string, list []pbx.Rule) error {
	if len(list) > maxRules {
		return invalid(field, "A list has at most %d rules.", maxRules)
	}
	for i := range list {
		if err := v.rule(fmt.Sprintf("%s[%d]", field, i), &list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) rule(field string, r *pbx.Rule) error {
	switch {
	case r.Action != pbx.LetIn && r.Action != pbx.Reject && r.Action != pbx.TellWhy && r.Action != pbx.SendTo:
		return invalid(field+".action", `%s is not an action; known are "%s", "%s", "%s" and "%s".`, quoted(string(r.Action)), pbx.LetIn, pbx.Reject, pbx.TellWhy, pbx.SendTo)
	case r.Action == pbx.SendTo && r.To == "":
		return invalid(field+".to", "A rule that sends calls on needs a number to send them to.")
	case len(r.Numbers)+len(r.Prefixes) > maxRuleNumbers:
		return invalid(field+".numbers", "A rule has at most %d numbers and prefixes.", maxRuleNumbers)
	case r.Group != "" && v.d.groups[r.Group] == nil:
		return invalid(field+".group", "There is no ring group %s.", quoted(r.Group))
	}
	for _, list := range [...]struct {
		name    string
		numbers []string
	}{{"numbers", r.Numbers}, {"prefixes", r.Prefixes}} {
		for i, n := range list.numbers {
			at := fmt.Sprintf("%s.%s[%d]", field, list.name, i)
			if n == "" {
				return invalid(at, "A number in a rule must not be empty.")
			}
			if err := checkTarget(at, n); err != nil {
				return err
			}
		}
	}
	return first(checkLabel(field+".name", r.Name), checkTarget(field+".to", r.To), checkLabel(field+".trunk", r.Trunk),
		checkSchedule(field+".schedule", r.Schedule), v.hoursExist(field+".hours", r.Hours), checkSet(field+".set", r.Set))
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

func checkSpeedDials(dials map[string]string) error {
	if len(dials) > maxSpeedDials {
		return invalid("speed_dials", "An extension has at most %d speed dials.", maxSpeedDials)
	}
	for key, number := range dials {
		if key == "" || len(key) > 8 || strings.ContainsFunc(key, func(r rune) bool { return r < '0' || r > '9' }) {
			return invalid("speed_dials", "A speed dial is called by 1 to 8 digits, not by %s.", quoted(key))
		}
		if number == "" {
			return invalid("speed_dials", "The speed dial %s needs a number.", key)
		}
		if err := checkTarget("speed_dials", number); err != nil {
			return err
		}
	}
	return nil
}

func checkClass(field, class string, none bool) error {
	if class == "" && none || slices.Contains(pbx.Classes, class) {
		return nil
	}
	return invalid(field, "%s is not a class of calls; known are %s.", quoted(class), strings.Join(pbx.Classes, ", "))
}

// checkTarget checks a number that may be dialled, or a part of one.
func checkTarget(field, number string) error {
	if len(number) > 32 || strings.ContainsFunc(number, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("*#+._-", r)
	}) {
		return invalid(field, "%s is not a number: it has 1 to 32 digits, letters and * # + . - _.", quoted(number))
	}
	return nil
}

func checkSeconds(field string, n, least int) error {
	if n != 0 && (n < least || n > 600) {
		return invalid(field, "%s must be 0 or between %d and 600 seconds.", field, least)
	}
	return nil
}

// checkLabel checks a short text that may be left out.
func checkLabel(field, text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 128 || strings.ContainsFunc(text, hidden) {
		return invalid(field, "%s has at most 128 characters, and no control characters.", field)
	}
	return nil
}

func checkSet(field string, set pbx.Set) error {
	if y := set.At.Year(); !set.At.IsZero() && (y < 1970 || y > 9999) {
		return invalid(field, "%s is of no plausible time.", field)
	}
	return checkLabel(field, set.By)
}

func checkPIN(pin string) error {
	if len(pin) < 4 || len(pin) > 12 || strings.ContainsFunc(pin, func(r rune) bool { return r < '0' || r > '9' }) {
		return invalid("pin", "A PIN has 4 to 12 digits.")
	}
	return nil
}

// checkFree checks that a number can be given to somebody new.
func (s *Store) checkFree(d *directory, field, number string) error {
	if who := d.holder(number); who != "" {
		return invalid(field, "%s is already %s.", number, who)
	}
	if s.opts.IsCode != nil && s.opts.IsCode(d.office, number) {
		return invalid(field, "%s is a feature code.", number)
	}
	return nil
}

// checkFurther checks the further numbers of e that it did not have before.
func (s *Store) checkFurther(d *directory, e, before *pbx.Extension) error {
	for i, n := range e.Numbers {
		field := fmt.Sprintf("numbers[%d]", i)
		if n == e.Number {
			return invalid(field, "%s is the extension's own number already.", n)
		}
		if before != nil && slices.Contains(before.Numbers, n) {
			continue
		}
		if err := s.checkFree(d, field, n); err != nil {
			return err
		}
	}
	return nil
}

// checkNumbers checks the form of further numbers and returns them as they are stored.
func checkNumbers(list []string) (string, error) {
	if len(list) > maxNumbers {
		return "", invalid("numbers", "An extension has at most %d further numbers.", maxNumbers)
	}
	for i, n := range list {
		field := fmt.Sprintf("numbers[%d]", i)
		if err := checkNumber(n); err != nil {
			return "", invalid(field, "%s", err.Error())
		}
		if slices.Contains(list[:i], n) {
			return "", invalid(field, "The further number %s is listed twice.", n)
		}
	}
	return strings.Join(list, " "), nil
}

// usesOfHours says what names them.
func (d *directory) usesOfHours(name string) (where []string) {
	rules := func(list []pbx.Rule) bool {
		return slices.ContainsFunc(list, func(r pbx.Rule) bool { return r.Hours == name })
	}
	if d.office.DayNight == name || rules(d.office.Incoming) || rules(d.office.Outgoing) {
		where = append(where, "the office")
	}
	for number, g := range d.groups {
		if g.Closed.Hours == name {
			where = append(where, "ring group "+number)
		}
	}
	for number, e := range d.extensions {
		if v := &e.Services; v.Closed.Hours == name || rules(v.Incoming) || rules(v.Outgoing) {
			where = append(where, "extension "+number)
		}
	}
	slices.Sort(where)
	return where
}

// usesOfGroup says which rules name it.
func (d *directory) usesOfGroup(number string) (where []string) {
	rules := func(list []pbx.Rule) bool {
		return slices.ContainsFunc(list, func(r pbx.Rule) bool { return r.Group == number })
	}
	if rules(d.office.Incoming) || rules(d.office.Outgoing) {
		where = append(where, "the office")
	}
	for ext, e := range d.extensions {
		if rules(e.Services.Incoming) || rules(e.Services.Outgoing) {
			where = append(where, "extension "+ext)
		}
	}
	slices.Sort(where)
	return where
}

// checkHoursName: a name stands in URLs.
func checkHoursName(name string) error {
	if name == "" || name != strings.TrimSpace(name) || utf8.RuneCountInString(name) > 64 || name == "." || name == ".." || strings.ContainsAny(name, `/\?#%`) {
		return invalid("name", `The name of hours has 1 to 64 characters, none of / \ ? # %% and no space at its ends.`)
	}
	return checkName(name)
}

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func checkDays(field string, list []string) error {
	for i, d := range list {
		if !slices.Contains(days, d) {
			return invalid(field, "%s is not a day; known are %s.", quoted(d), strings.Join(days, ", "))
		}
		if slices.Contains(list[:i], d) {
			return invalid(field, "The day %s is listed twice.", d)
		}
	}
	return nil
}

// minutes of a time of day, -1 if it is none.
func minutes(text string) int {
	if text == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != 5 {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

func checkTimes(field, from, to string) error {
	if m := minutes(from); m < 0 || m == 24*60 {
		return invalid(field+".from", "%s is not a time of day such as 08:00.", quoted(from))
	}
	if minutes(to) < 0 {
		return invalid(field+".to", "%s is not a time of day such as 17:30, or 24:00 for its end.", quoted(to))
	}
	return nil
}

func checkSchedule(field string, s *pbx.Schedule) error {
	if s == nil {
		return nil
	}
	if err := first(checkDays(field+".days", s.Days), checkZone(field+".zone", s.Zone)); err != nil {
		return err
	}
	if s.From == "" && s.To == "" {
		return nil
	}
	if err := checkTimes(field, s.From, s.To); err != nil {
		return err
	}
	if s.From == s.To {
		return invalid(field+".to", "A schedule that ends when it begins has no time in it; leave both out for the whole day.")
	}
	return nil
}

func checkZone(field, zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || len(zone) > 64 {
		return invalid(field, "%s is not a time zone such as Europe/Berlin.", quoted(zone))
	}
	return nil
}

func checkSpans(field string, spans []pbx.Span, ofDays bool) error {
	if len(spans) > maxSpans {
		return invalid(field, "There are at most %d opening times.", maxSpans)
	}
	for i, s := range spans {
		field := fmt.Sprintf("%s[%d]", field, i)
		if ofDays && len(s.Days) == 0 {
			return invalid(field+".days", "An opening time needs a day.")
		}
		if err := first(checkDays(field+".days", s.Days), checkTimes(field, s.From, s.To)); err != nil {
			return err
		}
		if minutes(s.From) >= minutes(s.To) {
			return invalid(field+".to", "An opening time ends after it begins; give what is open past midnight as two.")
		}
	}
	return nil
}

// date reads "2026-12-24", or "--12-24", which is every year's.
func date(text string) (day time.Time, yearly, ok bool) {
	if strings.HasPrefix(text, "--") {
		yearly, text = true, "2000-"+text[2:] // a leap year
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, yearly, err == nil
}

func checkHoliday(field string, h *pbx.Holiday) error {
	from, yearly, ok := date(h.First)
	if !ok {
		return invalid(field+".first", "%s is not a date such as 2026-12-24, or --12-24 for every year.", quoted(h.First))
	}
	if h.Last != "" {
		to, every, ok := date(h.Last)
		switch {
		case !ok:
			return invalid(field+".last", "%s is not a date such as 2026-12-24, or --12-24 for every year.", quoted(h.Last))
		case every != yearly:
			return invalid(field+".last", "The first and the last day of a holiday are both of one year or both of every year.")
		case to.Before(from):
			return invalid(field+".last", "The last day of a holiday is not before its first; give what goes past New Year as two.")
		}
	}
	return first(checkLabel(field+".name", h.Name), checkSpans(field+".open", h.Open, false))
}
