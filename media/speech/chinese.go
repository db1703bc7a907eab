package speech

import (
	"slices"
	"time"
)

var chinese = grammar{
	number: chineseNumber, clock: chineseClock, date: chineseDate, mailbox: chineseMailbox,
	participants: func(n int64) []string {
		return slices.Concat([]string{"conf-there-are"}, chineseCount(n), []string{"conf-participants"})
	},
}

// liang is 两: two of something, and the two at the head of 两千, 两万, 两亿. Further inside it stays 二: 两万二千.
const liang = "numbers/liang"

// chineseNumber goes in groups of four digits: 三亿零五万一千零二十.
func chineseNumber(n int64) (words []string) {
	if n == 0 {
		return []string{num(0)}
	}
	for _, unit := range []int64{1e8, 1e4, 1} {
		group := n / unit
		n %= unit
		if group == 0 {
			continue
		}
		first := len(words) == 0
		if !first && group < 1000 {
			words = append(words, num(0))
		}
		if first && group == 2 && unit > 1 {
			words = append(words, liang)
		} else {
			words = append(words, chineseGroup(group, first)...)
		}
		if unit > 1 {
			words = append(words, num(unit))
		}
	}
	return words
}

// chineseGroup is 1 to 9999. At the head of a number ten is 十, elsewhere 一十.
func chineseGroup(n int64, head bool) (words []string) {
	for _, unit := range []int64{1000, 100} {
		digit := n / unit
		n %= unit
		switch {
		case digit == 2 && unit == 1000 && head:
			words = append(words, liang, num(unit))
		case digit > 0:
			words = append(words, num(digit), num(unit))
		}
		if len(words) > 0 && digit == 0 && n >= unit/10 && n > 0 {
			words = append(words, num(0)) // 一千零五十
		}
	}
	switch {
	case n == 0:
	case n < 10 && len(words) > 0:
		if words[len(words)-1] != num(0) {
			words = append(words, num(0)) // 一百零五
		}
		words = append(words, num(n))
	case n >= 10 && n < 20 && (len(words) > 0 || !head):
		words = append(words, num(1), num(n)) // 一百一十五
	default:
		words = append(words, tens(n)...)
	}
	return words
}

// chineseCount is how many of something: 两 instead of 二.
func chineseCount(n int64) []string {
	if n == 2 {
		return []string{liang}
	}
	return chineseNumber(n)
}

// chineseClock: 下午三点零四分.
func chineseClock(hour, minute int) []string {
	var words []string
	switch {
	case hour < 5:
		words = append(words, "time/before-dawn")
	case hour < 12:
		words = append(words, "time/morning")
	case hour < 13:
		words = append(words, "time/noon")
	case hour < 18:
		words = append(words, "time/afternoon")
	default:
		words = append(words, "time/evening")
	}
	if hour > 12 {
		hour -= 12
	}
	words = append(append(words, chineseCount(int64(hour))...), "time/oclock")
	switch {
	case minute == 0:
		return append(words, "time/exactly")
	case minute < 10:
		words = append(words, num(0), num(minute))
	default:
		words = append(words, tens(int64(minute))...)
	}
	return append(words, "time/minute")
}

// chineseDate: 二零二六年十一月二十一日，星期六. The year is read out.
func chineseDate(year int, m time.Month, day int) []string {
	words := []string{num(year / 1000), num(year / 100 % 10), num(year / 10 % 10), num(year % 10), "time/year", month(m)}
	words = append(words, tens(int64(day))...)
	return append(words, "time/day", pause, weekday(year, m, day))
}

// chineseMailbox: 您有三条新留言和一条旧留言.
func chineseMailbox(fresh, old int64) []string {
	words := []string{"vm-you-have"}
	switch {
	case fresh == 0 && old == 0:
		return []string{"vm-no-messages"}
	case old == 0:
		return append(append(words, chineseCount(fresh)...), "vm-new-messages")
	case fresh == 0:
		return append(append(words, chineseCount(old)...), "vm-old-messages")
	}
	return slices.Concat(words, chineseCount(fresh), []string{"vm-new-messages", "numbers/and"}, chineseCount(old), []string{"vm-old-messages"})
}
