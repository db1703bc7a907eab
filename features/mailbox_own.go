package features

import (
	"context"
	"time"

	"ringback/pbx"
)

// What visitors change of a mailbox by phone: its greetings and its PIN.

const (
	longestGreeting  = 2 * time.Minute
	shortestGreeting = 500 * time.Millisecond
	// greetingPause ends a greeting. It is heard by all callers before the tone.
	greetingPause = 3 * time.Second
	shortestPIN   = 4
	longestPIN    = 12
)

// greetings is the menu of the greetings: first which of them, then what to do with it. It reports whether the visitor goes on to the
// main menu.
func (v *visitor) greetings(ctx context.Context) bool {
	for {
		key, stays := v.ask(ctx, nil, "vm-which-greeting")
		if !stays || key == '*' {
			return stays
		}
		if !v.changeGreeting(ctx, pbx.Greetings[key-'1']) {
			return false
		}
	}
}

// ask has the visitor choose 1, 2, 3 or *. He does not stay if he has gone, or has chosen nothing and been told goodbye.
func (v *visitor) ask(ctx context.Context, first []string, menu string) (key byte, stays bool) {
	key, there := choose(ctx, v.t, "123*", first, menu)
	if there && key == 0 {
		v.t.Play(ctx, promptGoodbye)
	}
	return key, there && key != 0
}

// changeGreeting is the menu of one greeting.
func (v *visitor) changeGreeting(ctx context.Context, g pbx.Greeting) (there bool) {
	var first []string
	for {
		key, stays := v.ask(ctx, first, "vm-greeting-menu")
		first = nil
		switch {
		case !stays || key == '*':
			return stays
		case key == '1':
			first = v.asHeard(g)
		case key == '2':
			say, there := v.recordGreeting(ctx, g)
			if !there {
				return false
			}
			first = []string{say}
		case key == '3':
			if err := v.Messages.RemoveGreeting(ctx, v.box.Number, g); err != nil {
				if !v.failed(ctx, "a greeting could not be removed", err) {
					return false
				}
				continue
			}
			first = []string{"vm-greeting-standard"}
		}
	}
}

// asHeard is what callers hear of a greeting.
func (v *visitor) asHeard(g pbx.Greeting) []string {
	if g != pbx.GreetName {
		return v.greeting(v.box, g)
	}
	if v.Messages.HasGreeting(v.box.Number, g) {
		return []string{pbx.PromptGreeting + ":" + v.box.Number + ":" + string(g)}
	}
	return []string{"vm-extension," + promptDigits + v.box.Number}
}

// recordGreeting records a greeting, which holds from then on. Who hangs up in its middle leaves the one before.
func (v *visitor) recordGreeting(ctx context.Context, g pbx.Greeting) (say string, there bool) {
	if _, there := v.t.Key(ctx, 0, "vm-record-greeting"); !there {
		return "", false
	}
	const what = "a greeting could not be recorded"
	tape, err := v.Messages.Greet(ctx, v.box.Number, g)
	if err != nil {
		return "", v.failed(ctx, what, err)
	}
	defer tape.Drop() // what was not kept
	sound, err := v.t.Record(ctx, tape, pbx.TakeOptions{Most: longestGreeting, Silence: greetingPause})
	switch {
	case err != nil:
		return "", v.failed(ctx, what, err)
	case sound.By == pbx.EndedByParty:
		return "", false
	case !sound.Speech || sound.Length < shortestGreeting:
		return "vm-too-short", true
	}
	saving, stop := toTheEnd(ctx)
	defer stop()
	if err := tape.Keep(saving); err != nil {
		return "", v.failed(ctx, what, err)
	}
	return "vm-greeting-saved", true
}

// changePIN asks for a new PIN, twice. It reports whether the visitor is still there.
func (v *visitor) changePIN(ctx context.Context) bool {
	for range pinAttempts {
		pin, there := v.t.Keys(ctx, "vm-new-pin", pinDigits, pinWait)
		switch {
		case !there:
			return false
		case pin == "": // he does not want to
			return true
		case len(pin) < shortestPIN:
			if !v.t.Play(ctx, "vm-pin-too-short") {
				return false
			}
			continue
		case len(pin) > longestPIN || !digitsOnly(pin):
			if !v.t.Play(ctx, promptInvalid) {
				return false
			}
			continue
		}
		again, there := v.t.Keys(ctx, "vm-repeat-pin", pinDigits, pinWait)
		if !there {
			return false
		}
		if again == pin {
			return v.setPIN(ctx, pin)
		}
		if !v.t.Play(ctx, "vm-pin-mismatch") {
			return false
		}
	}
	return true
}

func (v *visitor) setPIN(ctx context.Context, pin string) bool {
	const what = "the PIN of a mailbox could not be changed"
	if v.Settings == nil {
		return v.failed(ctx, what, errNoSettings)
	}
	by := pbx.Set{By: v.from.Number, At: time.Now().UTC().Truncate(time.Second)}
	if err := v.Settings.SetMailboxPIN(ctx, v.box.Number, pin, by); err != nil {
		return v.failed(ctx, what, err)
	}
	return v.t.Play(ctx, "vm-pin-changed")
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
