package speech

import (
	"slices"
	"strconv"
	"time"
)

var english = grammar{
	number: englishNumber, clock: englishClock, date: englishDate, mailbox: englishMailbox,
	participants: func(n int64) []string {
		return slices.Concat([]string{"conf-there-are"}, englishNumber(n), []string{"conf-participants"})
	},
}

// englishNumber: "one million two hundred and three thousand and four".
func englishNumber(n int64) (words []string) {
	if n == 0 {
		return []string{num(0)}
	}
	for _, unit := range []int64{1e9, 1e6, 1e3} {
		if n >= unit {
			words = append(append(words, englishHundreds(n/unit)...), num(unit))
			n %= unit
		}
	}
	switch {
	case n == 0:
		return words
	case n < 100 && len(words) > 0:
		words = append(words, "numbers/and")
	}
	return append(words, englishHundreds(n)...)
}

func englishHundreds(n int64) (words []string) {
	if n >= 100 {
		words = append(words, num(n/100), num(100))
		if n %= 100; n > 0 {
			words = append(words, "numbers/and")
		}
	}
	if n > 0 {
		words = append(words, tens(n)...)
	}
	return words
}

// englishClock: "three oh four p m".
func englishClock(hour, minute int) []string {
	half := "time/am"
	if hour >= 12 {
		half = "time/pm"
	}
	words := []string{num((hour+11)%12 + 1)}
	switch {
	case minute == 0:
		words = append(words, "time/oclock")
	case minute < 10:
		words = append(words, "time/oh", num(minute))
	default:
		words = append(words, tens(int64(minute))...)
	}
	return append(words, half)
}

// englishDate: "Saturday, November twenty-first, twenty twenty-six".
func englishDate(year int, m time.Month, day int) []string {
	words := []string{weekday(year, m, day), pause, month(m)}
	if day > 20 && day%10 != 0 {
		words = append(words, num(day-day%10), ordinal(day%10))
	} else {
		words = append(words, ordinal(day))
	}
	words = append(words, pause)
	if year < 2010 {
		return append(words, englishNumber(int64(year))...)
	}
	return append(append(words, num(20)), tens(int64(year%100))...)
}

func ordinal(n int) string { return "ordinals/" + strconv.Itoa(n) }

// englishMailbox: "you have three new messages and one old message".
func englishMailbox(fresh, old int64) []string {
	messages := func(n int64, kind string) []string {
		if n == 1 {
			return []string{num(1), "vm-" + kind + "-message"}
		}
		return append(englishNumber(n), "vm-"+kind+"-messages")
	}
	words := []string{"vm-you-have"}
	switch {
	case fresh == 0 && old == 0:
		return []string{"vm-no-messages"}
	case old == 0:
		return append(words, messages(fresh, "new")...)
	case fresh == 0:
		return append(words, messages(old, "old")...)
	}
	return slices.Concat(words, messages(fresh, "new"), []string{"numbers/and"}, messages(old, "old"))
}
