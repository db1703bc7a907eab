package speech

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ringback/sounds"
)

// asteriskSets finds the set of each language in a directory: dir/en or dir/en_US_f_Allison, as Asterisk and Debian lay them
// out; or dir is a set itself, of the language that is spoken where none is asked for.
func asteriskSets(dir, language string) map[string]string {
	sets := map[string]string{}
	for _, l := range sounds.Languages {
		others, _ := filepath.Glob(filepath.Join(dir, l+"_*")) // sorted; the pattern is good
		for _, candidate := range append([]string{filepath.Join(dir, l)}, others...) {
			if isSet(candidate) {
				sets[l] = candidate
				break
			}
		}
	}
	if len(sets) == 0 && isSet(dir) {
		sets[language] = dir
	}
	return sets
}

// isSet reports whether a directory has what every set has.
func isSet(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "digits", "1.wav"))
	return err == nil && info.Mode().IsRegular()
}

// fromAsterisk gives what stands for a prompt in a set, nil if it is not there as a whole.
func (l *library) fromAsterisk(set, language, name string) (recordings []*recording) {
	theirs := asteriskNames[name]
	if theirs == "" && language == "en" {
		theirs = asteriskEnglish[name]
	}
	for theirs := range strings.FieldsSeq(theirs) {
		r := l.file(set, theirs+".wav")
		if r == nil {
			return nil
		}
		recordings = append(recordings, r)
	}
	return recordings
}

// asteriskNames are the sounds of Asterisk's core sets that stand for our prompts. Those that there are none for, and those that
// mean something else, are ours.
var asteriskNames = withWords(map[string]string{
	"on": "activated", "off": "de-activated", "error": "im-sorry",
	"press-1": "vm-press digits/1", "enter-number": "vm-enter-num-to-call vm-then-pound", "enter-pin": "agent-pass",
	"wrong-pin": "vm-incorrect", "invalid": "pm-invalid-option", "try-again": "please-try-again", "please-wait": "one-moment-please",
	"thank-you": "auth-thankyou", "goodbye": "vm-goodbye", "clock": "at-tone-time-exactly", "your-number": "your telephone-number is",
	"call-from": "followme/call-from", "echo-test": "demo-echotest",
	"forward-on": "call-forwarding is-set-to", "forward-off": "call-forwarding de-activated",
	"dnd-on": "do-not-disturb activated", "dnd-off": "do-not-disturb de-activated",
	"call-waiting-on": "call-waiting activated", "call-waiting-off": "call-waiting de-activated",
	"blocked": "num-was-successfully added", "unblocked": "num-was-successfully removed", "no-last-caller": "unidentified-no-callback",

	"anonymous-rejected": "privacy-unident", "not-allowed": "feature-not-avail-line",
	"no-such-number": "cannot-complete-as-dialed check-number-dial-again", "no-answer": "number-not-answering",
	"all-lines-busy": "all-circuits-busy-now please-try-call-later", "transferring": "pls-hold-while-try",
	"park-full": "pbx-parkingfailed", "park-empty": "pbx-invalidpark",

	"conf-enter-number": "conf-getconfno", "conf-enter-pin": "conf-getpin", "conf-no-such-room": "conf-invalid", "conf-full": "conf-full",
	"conf-locked": "conf-locked", "conf-now-locked": "conf-lockednow", "conf-now-unlocked": "conf-unlockednow", "conf-muted": "conf-muted",
	"conf-unmuted": "conf-unmuted", "conf-all-muted": "conf-now-muted", "conf-all-unmuted": "conf-now-unmuted", "conf-say-name": "vm-rec-name",
	"conf-has-joined": "conf-hasjoin", "conf-has-left": "conf-hasleft", "conf-alone": "conf-onlyperson",
	"conf-there-are": "confbridge-there-are", "conf-participants": "confbridge-participants",
	"conf-wait-moderator": "conf-waitforleader", "conf-moderator-left": "conf-leaderhasleft",
	"conf-removed": "conf-kicked", "conf-ended": "confbridge-conf-end", "conf-recorded": "conf-now-recording",

	"vm-extension": "vm-theperson", "vm-is-unavailable": "vm-isunavail", "vm-is-busy": "vm-isonphone", "vm-unavailable": "vm-nobodyavail",
	"vm-leave-message": "vm-intro", "vm-review": "vm-review", "vm-message-sent": "vm-msgsaved", "vm-too-short": "vm-tooshort",
	"vm-mailbox-full": "vm-mailboxfull", "vm-no-such-mailbox": "vm-incorrect-mailbox",
	"vm-you-have": "vm-youhave", "vm-no-messages": "vm-youhave vm-no vm-messages", "vm-message": "vm-message", "vm-from": "vm-from",
	"vm-from-unknown": "vm-unknown-caller", "vm-received": "vm-received", "vm-deleted": "vm-deleted", "vm-undeleted": "vm-undeleted",
	"vm-saved": "vm-saved", "vm-no-more-messages": "vm-nomore", "vm-no-number": "vm-nonumber", "vm-record-greeting": "vm-rec-unv",
	"vm-greeting-saved": "vm-msgsaved", "vm-new-pin": "vm-newpassword", "vm-repeat-pin": "vm-reenterpassword",
	"vm-pin-changed": "vm-passchanged", "vm-pin-mismatch": "vm-mismatch",
})

// asteriskEnglish are those of which other languages have forms that the sets lack.
var asteriskEnglish = func() map[string]string {
	names := map[string]string{
		"numbers/100": "digits/hundred", "numbers/1000": "digits/thousand", "numbers/1000000": "digits/million",
		"numbers/1000000000": "digits/billion", "numbers/and": "vm-and",
		"time/am": "digits/a-m", "time/pm": "digits/p-m", "time/oclock": "digits/oclock", "time/oh": "digits/oh",
		"time/today": "digits/today", "time/yesterday": "digits/yesterday",
		"vm-new-message": "vm-INBOX vm-message", "vm-new-messages": "vm-INBOX vm-messages",
		"vm-old-message": "vm-Old vm-message", "vm-old-messages": "vm-Old vm-messages",
	}
	for n := 1; n <= 30; n++ {
		if n <= 20 || n == 30 {
			names[ordinal(n)] = "digits/h-" + strconv.Itoa(n)
		}
		if n <= 12 {
			names["months/"+strconv.Itoa(n)] = "digits/mon-" + strconv.Itoa(n-1)
		}
	}
	return names
}()

// withWords adds digits, letters, numbers and days of the week, which are named by rule.
func withWords(names map[string]string) map[string]string {
	names = maps.Clone(names)
	for n := range 10 {
		digit := "digits/" + strconv.Itoa(n)
		names[digit] = digit
	}
	names["digits/star"], names["digits/pound"], names["digits/plus"] = "digits/star", "digits/pound", "letters/plus"
	for c := 'a'; c <= 'z'; c++ {
		names["letters/"+string(c)] = "letters/" + string(c)
	}
	for _, n := range slices.Concat([]int{30, 40, 50, 60, 70, 80, 90}, upTo(20)) {
		names[num(n)] = "digits/" + strconv.Itoa(n)
	}
	for n := range 7 {
		names["weekdays/"+strconv.Itoa(n)] = "digits/day-" + strconv.Itoa(n)
	}
	return names
}

func upTo(n int) (numbers []int) {
	for i := range n + 1 {
		numbers = append(numbers, i)
	}
	return numbers
}
