package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

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
