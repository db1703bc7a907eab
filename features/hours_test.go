package features

import (
	"testing"
	"time"

	"ringback/pbx"
)

// at is a time by the clock on the wall of Berlin.
func at(t *testing.T, s string) time.Time {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
	if err != nil {
		t.Fatal(err)
	}
	return when.UTC()
}

func TestHours(t *testing.T) {
	week := []string{"mon", "tue", "wed", "thu", "fri"}
	h := &pbx.Hours{Name: "office", Zone: "Europe/Berlin",
		Open: []pbx.Span{{Days: week, From: "08:00", To: "12:00"}, {Days: week, From: "13:00", To: "17:30"}, {Days: []string{"fri"}, From: "22:00", To: "02:00"}, {Days: []string{"sat"}, From: "20:00", To: "24:00"}},
		Holidays: []pbx.Holiday{
			{Name: "Christmas", First: "--12-25", Last: "--12-26"},
			{Name: "between the years", First: "--12-31", Last: "--01-01"},
			{Name: "outing", First: "2026-06-10"},
			{Name: "inventory", First: "2026-07-01", Last: "2026-07-03", Open: []pbx.Span{{Days: []string{"sun"}, From: "10:00", To: "11:00"}}},
			{Name: "long night", First: "2026-09-09", Open: []pbx.Span{{From: "20:00", To: "03:00"}}},
		}}
	for when, want := range map[string]bool{
		"2026-03-02 07:59:59": false, // Monday
		"2026-03-02 08:00:00": true,
		"2026-03-02 11:59:59": true,
		"2026-03-02 12:00:00": false,
		"2026-03-02 17:29:59": true,
		"2026-03-02 17:30:00": false,
		"2026-03-06 22:00:00": true, // Friday night
		"2026-03-07 00:00:00": true,
		"2026-03-07 01:59:59": true,
		"2026-03-07 02:00:00": false,
		"2026-03-07 23:59:59": true, // Saturday, until the end of the day
		"2026-03-08 00:00:00": false,
		"2026-03-06 01:00:00": false, // the night before Friday

		// The clock goes forward on 29 March, back on 25 October: it opens at eight all the same.
		"2026-03-27 07:59:59": false,
		"2026-03-27 08:00:00": true,
		"2026-03-30 07:59:59": false,
		"2026-03-30 08:00:00": true,
		"2026-10-26 07:59:59": false,
		"2026-10-26 08:00:00": true,

		"2026-12-24 09:00:00": true, // Thursday
		"2026-12-25 09:00:00": false,
		"2027-12-25 21:00:00": false, // a Saturday, in another year
		"2025-12-26 23:00:00": false, // a Friday: its night does not begin
		"2025-12-27 01:00:00": false,
		"2026-12-31 09:00:00": false,
		"2027-01-01 09:00:00": false,
		"2026-01-02 09:00:00": true,
		"2026-06-10 09:00:00": false, // Wednesday
		"2026-06-11 09:00:00": true,
		"2026-07-02 09:00:00": false, // Thursday, with other hours
		"2026-07-02 10:30:00": true,  // whose days are not looked at
		"2026-07-03 22:30:00": false,
		"2026-07-04 01:30:00": false,
		"2026-09-09 23:00:00": true, // a holiday's hours may go past midnight too
		"2026-09-10 02:59:59": true,
		"2026-09-10 03:00:00": false,
	} {
		r := &route{Router: &Router{}}
		if got := r.open(h).Holds(at(t, when)); got != want {
			t.Errorf("%s: open %v, want %v", when, got, want)
		}
		for mode, want := range map[string]bool{"day": true, "night": false} {
			switched := *h
			switched.Mode = mode
			if r.open(&switched).Holds(at(t, when)) != want {
				t.Errorf("%s: %s is not %v", when, mode, want)
			}
		}
	}
}

// The hour that there is twice when the clock goes back is open twice; that which there is not opens nothing.
func TestHoursAtChangesOfTheClock(t *testing.T) {
	r := &route{Router: &Router{}}
	h := r.open(&pbx.Hours{Zone: "Europe/Berlin", Open: []pbx.Span{{From: "02:00", To: "03:00"}}})
	utc := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
	}
	for when, want := range map[time.Time]bool{
		utc(10, 24, 23, 59): false, // 01:59 CEST
		utc(10, 25, 0, 0):   true,  // 02:00 CEST
		utc(10, 25, 0, 59):  true,
		utc(10, 25, 1, 0):   true, // 02:00 CET
		utc(10, 25, 1, 59):  true,
		utc(10, 25, 2, 0):   false, // 03:00 CET
		utc(3, 29, 0, 59):   false, // 01:59 CET
		utc(3, 29, 1, 0):    false, // 03:00 CEST
		utc(3, 30, 0, 30):   true,
	} {
		if h.Holds(when) != want {
			t.Errorf("%v: not %v", when, want)
		}
	}
}

func TestSchedule(t *testing.T) {
	berlin := at(t, "2026-03-02 00:00:00") // Monday
	for _, c := range []struct {
		s     pbx.Schedule
		after time.Duration // since Monday, midnight
		want  bool
	}{
		{pbx.Schedule{}, 0, true},
		{pbx.Schedule{Days: []string{"mon"}}, 23*time.Hour + 59*time.Minute, true},
		{pbx.Schedule{Days: []string{"mon"}}, 24 * time.Hour, false},
		{pbx.Schedule{Days: []string{"MON", "wed"}, From: "08:00", To: "09:00"}, 8 * time.Hour, true},
		{pbx.Schedule{Days: []string{"mon", "wed"}, From: "08:00", To: "09:00"}, 9 * time.Hour, false},
		{pbx.Schedule{Days: []string{"mon", "wed"}, From: "08:00", To: "09:00"}, 32 * time.Hour, false},
		{pbx.Schedule{Days: []string{"sun"}, From: "22:00", To: "06:00"}, 5 * time.Hour, true}, // since Sunday
		{pbx.Schedule{Days: []string{"mon"}, From: "22:00", To: "06:00"}, 5 * time.Hour, false},
		{pbx.Schedule{Days: []string{"mon"}, From: "22:00", To: "06:00"}, 29 * time.Hour, true},
		{pbx.Schedule{From: "08:00", To: "08:00"}, 3 * time.Hour, true},                          // around the clock
		{pbx.Schedule{From: "08:00", To: "09:00", Zone: "UTC"}, 9*time.Hour + time.Minute, true}, // an hour behind
		{pbx.Schedule{From: "08:00", To: "09:00", Zone: "UTC"}, 8 * time.Hour, false},
	} {
		r := &route{Router: &Router{}}
		if c.s.Zone == "" {
			c.s.Zone = "Europe/Berlin"
		}
		if got := r.during(&c.s).Holds(berlin.Add(c.after)); got != c.want {
			t.Errorf("%+v after %v: %v", c.s, c.after, got)
		}
	}
	for _, bad := range []pbx.Schedule{{From: "8:00", To: "09:00"}, {From: "08:00"}, {From: "08:00", To: "24:01"}, {From: "08:60", To: "09:00"}, {Days: []string{"someday"}}, {From: "ab:cd", To: "09:00"}} {
		r := &route{Router: &Router{}}
		if r.during(&bad) != nil {
			t.Errorf("%+v is a time", bad)
		}
	}
}

// An unknown zone is the PBX's.
func TestZones(t *testing.T) {
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	r := &Router{Zone: tokyo}
	if r.zone("") != tokyo || r.zone("No/Where") != tokyo || r.zone("Europe/Berlin").String() != "Europe/Berlin" {
		t.Error("wrong zones")
	}
	if (&Router{}).zone("") != time.UTC {
		t.Error("no zone is UTC")
	}
}
