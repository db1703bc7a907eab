package speech

import (
	"strconv"
	"time"
)

// grammar is how a language puts prompts together. Its functions are pure; numbers are from 0 to maxNumber.
type grammar struct {
	number       func(n int64) []string
	clock        func(hour, minute int) []string
	date         func(year int, month time.Month, day int) []string
	mailbox      func(fresh, old int64) []string
	participants func(n int64) []string // two or more
}

var grammars = map[string]*grammar{"en": &english, "zh": &chinese, "ko": &korean, "ru": &russian}

func num[T int | int64](n T) string { return "numbers/" + strconv.FormatInt(int64(n), 10) }

// tens are the words of 1 to 99 in a language that has one for each number to 20 and each ten.
func tens(n int64) []string {
	if n <= 20 || n%10 == 0 {
		return []string{num(n)}
	}
	return []string{num(n - n%10), num(n % 10)}
}

func weekday(year int, month time.Month, day int) string {
	return "weekdays/" + strconv.Itoa(int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()))
}

func month(m time.Month) string { return "months/" + strconv.Itoa(int(m)) }
