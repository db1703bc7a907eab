package speech

import (
	"slices"
	"time"
)

var russian = grammar{
	number: func(n int64) []string { return russianNumber(n, masculine) },
	clock:  russianClock, date: russianDate, mailbox: russianMailbox,
	participants: func(n int64) []string {
		return slices.Concat([]string{"conf-there-are"}, russianCount(n, masculine, "conf-participant"))
	},
}

// gender of what is counted: один, одна, одно.
type gender string

const (
	masculine gender = ""
	feminine  gender = "-f"
	neuter    gender = "-n"
)

// russianNumber: миллион двести тысяч две. A single thousand or million at the head has no one before it.
func russianNumber(n int64, g gender) (words []string) {
	if n == 0 {
		return []string{num(0)}
	}
	for _, unit := range []int64{1e9, 1e6, 1e3} {
		group := n / unit
		n %= unit
		if group == 0 {
			continue
		}
		of := masculine
		if unit == 1e3 {
			of = feminine
		}
		if group > 1 || len(words) > 0 {
			words = append(words, russianHundreds(group, of)...)
		}
		words = append(words, num(unit)+"-"+plural(group))
	}
	return append(words, russianHundreds(n, g)...)
}

func russianHundreds(n int64, g gender) (words []string) {
	if n >= 100 {
		words = append(words, num(n-n%100))
		n %= 100
	}
	if n > 20 && n%10 != 0 {
		words = append(words, num(n-n%10))
		n %= 10
	}
	switch {
	case n == 1, n == 2 && g == feminine:
		words = append(words, num(n)+string(g))
	case n > 0:
		words = append(words, num(n))
	}
	return words
}

// plural is the form of what is counted: одна минута, две минуты (few), пять минут (many).
func plural(n int64) string {
	switch {
	case n%100 >= 11 && n%100 <= 14:
		return "many"
	case n%10 == 1:
		return "one"
	case n%10 >= 2 && n%10 <= 4:
		return "few"
	}
	return "many"
}

func russianCount(n int64, g gender, noun string) []string {
	return append(russianNumber(n, g), noun+"-"+plural(n))
}

// russianClock: пятнадцать часов четыре минуты.
func russianClock(hour, minute int) []string {
	words := russianCount(int64(hour), masculine, "time/hour")
	if minute == 0 {
		return append(words, "time/exactly")
	}
	return append(words, russianCount(int64(minute), feminine, "time/minute")...)
}

// russianDate: суббота, двадцать первое ноября две тысячи двадцать шестого года.
func russianDate(year int, m time.Month, day int) []string {
	words := []string{weekday(year, m, day), pause}
	if day > 20 && day%10 != 0 {
		words = append(words, num(day-day%10), ordinal(day%10))
	} else {
		words = append(words, ordinal(day))
	}
	words = append(words, month(m))
	rest := year % 100
	if rest == 0 {
		return append(words, ordinal(2000)+"-gen", "time/year")
	}
	words = append(words, num(2)+string(feminine), num(1000)+"-few")
	if rest > 20 && rest%10 != 0 {
		words = append(words, num(rest-rest%10))
		rest %= 10
	}
	return append(words, ordinal(rest)+"-gen", "time/year")
}

// russianMailbox: у вас три новых сообщения и одно старое сообщение.
func russianMailbox(fresh, old int64) []string {
	words := []string{"vm-you-have"}
	switch {
	case fresh == 0 && old == 0:
		return []string{"vm-no-messages"}
	case old == 0:
		return append(words, russianCount(fresh, neuter, "vm-new-message")...)
	case fresh == 0:
		return append(words, russianCount(old, neuter, "vm-old-message")...)
	}
	return slices.Concat(words, russianCount(fresh, neuter, "vm-new-message"), []string{"numbers/and"}, russianCount(old, neuter, "vm-old-message"))
}
