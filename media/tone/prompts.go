package tone

import (
	"strings"
	"time"

	"ringback/media"
)

// Prompts gives the sounds that stand for the PBX's prompts, by name, in the tones of a country (see Of). Each call of the
// function makes a new Sound; a name that it does not know gives nil.
//
//	ringing, busy, congestion   the country's, for ever
//	on, off                     two notes, rising or falling
//	done                        the confirmation tone
//	beep                        one, after which something is recorded
//	error, invalid              the special information tone
//	press-1                     two beeps, again after a pause, for ten seconds
//	enter-number                the dial tone for three seconds
//	enter-pin                   three low beeps
//	conf-enter-pin              as enter-pin
//	vm-enter-mailbox …          what voicemail asks for and tells: as enter-number, enter-pin, done, off and error
//	conf-joined, conf-left      two short notes, rising or falling, for all in a conference
//	conf-muted …                as on and off
//	conf-removed, conf-ended    the special information tone
//	call-recorded               a beep of 1400 Hz
//	recording-on, recording-off as on and off
//	digits:1000                 the keys' tones (DTMF), slowly; what is not a key is a pause
//	time:15:04                  the same of the four digits
//
// Of several with commas between, those that it knows are heard one after the other.
//
// Why a call cannot be is told by the special information tone, some pips, and the congestion tone for four seconds. The
// pips are: one for no-such-number, two for closed, three for not-allowed, four for rejected, five for anonymous-rejected, six for
// conf-full, seven for conf-locked.
func Prompts(country string) (func(name string) media.Sound, error) {
	plan, err := Of(country)
	if err != nil {
		return nil, err
	}
	tones := map[string]Tone{
		"ringing":       plan.Ringing,
		"busy":          plan.Busy,
		"congestion":    plan.Congestion,
		"on":            notes(600, 900),
		"off":           notes(900, 600),
		"done":          plan.Confirmation,
		"beep":          {Times: 1, Segments: []Segment{on(sine(beepLevel, 1000), 400), off(60)}},
		"error":         plan.Information,
		"invalid":       plan.Information,
		"press-1":       beeps(1000, 2, 1600).Repeated(5),
		"enter-pin":     beeps(700, 3, 200),
		"vm-main-menu":  beeps(1600, 2, 100), // a key is waited for
		"conf-joined":   notes(500, 750),
		"conf-left":     notes(750, 500),
		"call-recorded": {Times: 1, Segments: []Segment{on(sine(beepLevel, 1400), 400), off(60)}},
		"enter-number":  {Segments: []Segment{on(plan.Dial.Segments[0].Partials, 3000)}, Times: 1},
	}
	for conference, like := range map[string]string{"enter-pin": "enter-pin", "removed": "error", "ended": "error", "muted": "off", "unmuted": "on",
		"all-muted": "off", "all-unmuted": "on", "now-locked": "on", "now-unlocked": "off"} {
		tones["conf-"+conference] = tones[like]
	}
	for like, names := range map[string][]string{
		"enter-number": {"vm-enter-mailbox"},
		"enter-pin":    {"vm-new-pin", "vm-repeat-pin"},
		"done":         {"vm-message-sent", "vm-saved", "vm-undeleted", "vm-greeting-saved", "vm-greeting-standard", "vm-pin-changed"},
		"on":           {"vm-urgent", "recording-on"},
		"off":          {"vm-not-urgent", "vm-deleted", "recording-off"},
		"vm-main-menu": {"vm-message-menu", "vm-review", "vm-which-greeting", "vm-greeting-menu"},
		"error": {"wrong-pin", "too-many-attempts", "vm-too-short", "vm-mailbox-full", "vm-no-such-mailbox", "vm-pin-too-short", "vm-pin-mismatch",
			"vm-no-messages", "vm-no-more-messages", "vm-no-number", "vm-first-message"},
	} {
		for _, name := range names {
			tones[name] = tones[like]
		}
	}
	refusals := map[string]int{"no-such-number": 1, "closed": 2, "not-allowed": 3, "rejected": 4, "anonymous-rejected": 5, "conf-full": 6, "conf-locked": 7}
	one := func(name string) media.Sound {
		if t, ok := tones[name]; ok {
			return t.Sound()
		}
		if pips, ok := refusals[name]; ok {
			return refusal(plan, pips)
		}
		if digits, ok := strings.CutPrefix(name, "digits:"); ok {
			return spell(digits)
		}
		if clock, ok := strings.CutPrefix(name, "time:"); ok {
			return spell(strings.Replace(clock, ":", "", 1))
		}
		return nil
	}
	return func(name string) media.Sound {
		var all []media.Sound
		parts := strings.SplitN(name, ",", mostParts+1)
		for _, part := range parts[:min(len(parts), mostParts)] {
			if s := one(part); s != nil {
				all = append(all, s)
			}
		}
		switch len(all) {
		case 0:
			return nil
		case 1:
			return all[0]
		}
		return Join(all...)
	}, nil
}

// mostParts is how many parts of a name are heard.
const mostParts = 16

// beepLevel is that of what is no tone of the network.
const beepLevel = -13.0 // dBm0

func notes(first, second float64) Tone {
	return Tone{Times: 1, Segments: []Segment{on(sine(beepLevel, first), 160), off(20), on(sine(beepLevel, second), 240), off(40)}}
}

// beeps are some in a row, and then a pause.
func beeps(hz float64, count, pause int) Tone {
	t := Tone{Times: 1}
	for range count {
		t.Segments = append(t.Segments, on(sine(beepLevel, hz), 100), off(100))
	}
	t.Segments = append(t.Segments, off(pause))
	return t
}

func refusal(p Plan, pips int) media.Sound {
	return Join(information(information330, 300).Sound(), beeps(700, pips, 300).Sound(), Limit(p.Congestion.Sound(), 4*time.Second))
}

// longest is how many digits of a name are heard: it may have come from a phone.
const longest = 64

func spell(digits string) media.Sound {
	var t Tone
	for _, key := range []byte(digits[:min(len(digits), longest)]) {
		if d, ok := DTMF(key, 300*time.Millisecond, 300*time.Millisecond); ok {
			t.Segments = append(t.Segments, d.Segments...)
		} else {
			t.Segments = append(t.Segments, off(300))
		}
	}
	return t.Repeated(1).Sound()
}
