package features

import (
	"strings"
	"sync"
	"time"

	"ringback/pbx"
)

// A time of day is minutes since midnight by the clock on the wall, so that on the days when the clock is changed the office still opens
// at eight.
const dayMinutes = 24 * 60

// minutes reads "08:00", up to "24:00".
func minutes(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range [...]int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return h*60 + m, m < 60 && h*60+m <= dayMinutes
}

// days is a set of days of the week, a bit each, Sunday first. No names are every day.
type days uint8

const everyDay days = 1<<7 - 1

var dayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func daysOf(names []string) days {
	if len(names) == 0 {
		return everyDay
	}
	var d days
	for _, name := range names {
		for i, n := range dayNames {
			if strings.EqualFold(name, n) {
				d |= 1 << i
			}
		}
	}
	return d
}

func (d days) has(day time.Weekday) bool { return d&(1<<day) != 0 }

// span is a time of some days: from a minute of the day until before another, which may be one of the next day.
type span struct {
	days     days
	from, to int // to > from
}

func spanOf(names []string, from, to string) (span, bool) {
	s := span{daysOf(names), 0, dayMinutes}
	if from == "" && to == "" {
		return s, true
	}
	f, okFrom := minutes(from)
	t, okTo := minutes(to)
	if t <= f {
		t += dayMinutes
	}
	s.from, s.to = f, t
	return s, okFrom && okTo
}

// today and yesterday report whether minute m of a day is in the span as it begins on that day, or on the day before.
func (s span) today(day time.Weekday, m int) bool {
	return s.days.has(day) && s.from <= m && m < s.to
}

func (s span) yesterday(day time.Weekday, m int) bool {
	return s.days.has((day+6)%7) && m+dayMinutes < s.to
}

// schedule is a pbx.Schedule as a condition.
type schedule struct {
	span
	zone *time.Location
	text string
}

func (s *schedule) Holds(now time.Time) bool {
	now = now.In(s.zone)
	m := now.Hour()*60 + now.Minute()
	return s.today(now.Weekday(), m) || s.yesterday(now.Weekday(), m)
}

func (s *schedule) String() string { return s.text }
func (s *schedule) Yes() string    { return "then" }
func (s *schedule) No() string     { return "else" }

// during is the condition that it is the time of a schedule; nil if that says no time.
func (r *route) during(s *pbx.Schedule) pbx.Condition {
	p, ok := spanOf(s.Days, s.From, s.To)
	if !ok || p.days == 0 {
		return nil
	}
	text := "every day"
	if len(s.Days) > 0 {
		text = strings.Join(s.Days, " ")
	}
	if s.From != "" || s.To != "" {
		text += " " + s.From + "-" + s.To
	}
	if s.Zone != "" {
		text += " " + s.Zone
	}
	return &schedule{p, r.zone(s.Zone), text}
}

// whenOf is the condition on the time of a rule, nil if it has none. never says that it cannot hold.
func (r *route) whenOf(rule *pbx.Rule) (when pbx.Condition, never bool) {
	if rule.Schedule != nil {
		if when = r.during(rule.Schedule); when == nil {
			return nil, true
		}
	}
	if rule.Hours == "" {
		return when, false
	}
	hours := r.Directory.Hours(rule.Hours)
	if hours == nil {
		return nil, true
	}
	outside := pbx.Condition(not{r.open(hours)})
	if when != nil {
		outside = both{when, outside}
	}
	return outside, false
}

// not is the opposite of a condition.
type not struct{ of pbx.Condition }

func (n not) Holds(now time.Time) bool { return !n.of.Holds(now) }
func (n not) String() string           { return n.of.String() }
func (n not) Yes() string              { return n.of.No() }
func (n not) No() string               { return n.of.Yes() }

// both is two conditions that must hold.
type both struct{ a, b pbx.Condition }

func (c both) Holds(now time.Time) bool { return c.a.Holds(now) && c.b.Holds(now) }
func (c both) String() string           { return c.a.String() + ", and " + c.b.String() + " " + c.b.Yes() }
func (both) Yes() string                { return "then" }
func (both) No() string                 { return "else" }

// zones are the time zones that were asked for, so that none is read from disk for a call again.
var zones sync.Map // string → *time.Location

// zone is a time zone by its IANA name; the PBX's if that is "" or unknown.
func (r *Router) zone(name string) *time.Location {
	if name != "" {
		if z, ok := zones.Load(name); ok {
			return z.(*time.Location)
		}
		if z, err := time.LoadLocation(name); err == nil {
			zones.Store(name, z)
			return z
		}
	}
	if r.Zone != nil {
		return r.Zone
	}
	return time.UTC
}
