package speech

import (
	"slices"
	"strconv"
	"time"
)

var korean = grammar{
	number: koreanNumber, clock: koreanClock, date: koreanDate, mailbox: koreanMailbox,
	participants: func(n int64) []string {
		return slices.Concat([]string{"conf-there-are"}, koreanCount(n), []string{"conf-participants"})
	},
}

// koreanNumber is Sino-Korean, in groups of four digits: 이억 오만 천이백삼십사. One ten thousand at the head is 만, not 일만.
func koreanNumber(n int64) (words []string) {
	if n == 0 {
		return []string{num(0)}
	}
	for _, unit := range []int64{1e8, 1e4, 1} {
		group := n / unit
		n %= unit
		if group == 0 {
			continue
		}
		if unit != 1e4 || group != 1 || len(words) > 0 {
			words = append(words, koreanGroup(group)...)
		}
		if unit > 1 {
			words = append(words, num(unit))
		}
	}
	return words
}

// koreanGroup is 1 to 9999: 천이백삼십사. A single thousand or hundred has no one before it.
func koreanGroup(n int64) (words []string) {
	for _, unit := range []int64{1000, 100} {
		digit := n / unit
		n %= unit
		if digit > 1 {
			words = append(words, num(digit))
		}
		if digit > 0 {
			words = append(words, num(unit))
		}
	}
	if n > 0 {
		words = append(words, tens(n)...)
	}
	return words
}

// koreanCount is how many of something, in native words: 세 (개), 스물한 (개). Hundreds are Sino-Korean: 백한 (개).
func koreanCount(n int64) (words []string) {
	if n == 0 {
		return koreanNumber(n)
	}
	if rest := n % 100; rest != n {
		words = koreanNumber(n - rest)
		n = rest
	}
	switch one := n % 10; {
	case n == 0:
	case n == 20: // 스무
		words = append(words, native(20))
	case n < 10:
		words = append(words, native(n))
	case n < 30 && n > 20: // 스물
		words = append(words, "numbers/native-20s", native(one))
	case one == 0:
		words = append(words, native(n))
	default:
		words = append(words, native(n-one), native(one))
	}
	return words
}

func native(n int64) string { return "numbers/native-" + strconv.FormatInt(n, 10) }

// koreanClock: 오후 세 시 사 분. The hour is native, the minute Sino-Korean. Twelve o'clock is of the night or of the day.
func koreanClock(hour, minute int) []string {
	var words []string
	switch {
	case hour == 0:
		words = append(words, "time/night")
	case hour < 12:
		words = append(words, "time/am")
	case hour == 12:
		words = append(words, "time/midday")
	default:
		words = append(words, "time/pm")
	}
	words = append(append(words, koreanCount(int64((hour+11)%12+1))...), "time/oclock")
	if minute == 0 {
		return append(words, "time/exactly")
	}
	return append(append(words, tens(int64(minute))...), "time/minute")
}

// koreanDate: 이천이십육 년 십일월 이십일 일, 토요일.
func koreanDate(year int, m time.Month, day int) []string {
	words := append(koreanNumber(int64(year)), "time/year", month(m))
	words = append(words, tens(int64(day))...)
	return append(words, "time/day", pause, weekday(year, m, day))
}

// koreanMailbox: 새 메시지 세 개, 저장된 메시지 한 개가 있습니다.
func koreanMailbox(fresh, old int64) []string {
	are := "vm-there-are" // 개가 있습니다
	switch {
	case fresh == 0 && old == 0:
		return []string{"vm-no-messages"}
	case old == 0:
		return slices.Concat([]string{"vm-new-messages"}, koreanCount(fresh), []string{are})
	case fresh == 0:
		return slices.Concat([]string{"vm-old-messages"}, koreanCount(old), []string{are})
	}
	return slices.Concat([]string{"vm-new-messages"}, koreanCount(fresh), []string{"vm-pieces", pause, "vm-old-messages"}, koreanCount(old), []string{are})
}
