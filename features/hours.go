package features

import (
	"strings"
	"time"

	"ringback/pbx"
)

// open is the condition that opening hours are open.
func (r *route) open(h *pbx.Hours) pbx.Condition { return &hours{h, r.zone(h.Zone)} }

type hours struct {
	*pbx.Hours
	zone *time.Location
}

// Holds looks at the day before too: its last span may reach past midnight. A holiday is a day as any other then, with spans of its
// own.
func (h *hours) Holds(now time.Time) bool {
	switch h.Mode {
	case "day":
		return true
	case "night":
		return false
	}
	now = now.In(h.zone)
	m := now.Hour()*60 + now.Minute()
	return h.opens(now, m) || h.opens(time.Date(now.Year(), now.Month(), now.Day()-1, 12, 0, 0, 0, h.zone), m+dayMinutes)
}

// opens reports whether it is open at minute m since the beginning of a day, by the spans that begin on that day.
func (h *hours) opens(day time.Time, m int) bool {
	spans, holiday := h.Open, false
	if x := h.holiday(day); x != nil {
		spans, holiday = x.Open, true
	}
	for i := range spans {
		names := spans[i].Days
		if holiday {
			names = nil
		}
		if s, ok := spanOf(names, spans[i].From, spans[i].To); ok && s.today(day.Weekday(), m) {
			return true
		}
	}
	return false
}

// holiday is what a day is by the first holiday that it falls into; nil if it is an ordinary one.
func (h *hours) holiday(day time.Time) *pbx.Holiday {
	if len(h.Holidays) == 0 {
		return nil
	}
	date := day.Format(time.DateOnly)
	for i := range h.Holidays {
		x := &h.Holidays[i]
		first, last := x.First, x.Last
		if last == "" {
			last = first
		}
		on := date
		if strings.HasPrefix(first, "--") { // every year
			on = "-" + date[len("2006"):]
			if last < first { // over New Year
				if first <= on || on <= last {
					return x
				}
				continue
			}
		}
		if first <= on && on <= last {
			return x
		}
	}
	return nil
}

func (h *hours) String() string {
	text := h.Name + " hours"
	if h.Mode != "" {
		text += ", switched to " + h.Mode
	}
	return text
}

func (h *hours) Yes() string { return "open" }
func (h *hours) No() string  { return "closed" }
