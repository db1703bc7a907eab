package store

import (
	"fmt"
	"slices"
	"strings"

	"ringback/pbx"
)

func (v *validator) services(x *pbx.Services) error {
	err := first(
		v.forward("forward_always", &x.Always),
		v.forward("forward_busy", &x.Busy),
		v.forward("forward_no_answer", &x.NoAnswer),
		v.forward("forward_unreachable", &x.Unreachable),
		checkSet("do_not_disturb.set", x.DoNotDisturb.Set),
		checkSet("one_call.set", x.OneCall.Set),
		checkSet("hide_number.set", x.HideNumber.Set),
		v.findMe(&x.FindMe),
		v.closed("closed", &x.Closed),
		v.rules("incoming", x.Incoming),
		v.rules("outgoing", x.Outgoing),
		checkClass("class", x.Class, true),
		checkMusic("music", x.Music),
		v.voicemail("voicemail", &x.Voicemail),
		checkSet("record.set", x.Record.Set),
		checkSpeedDials(x.SpeedDials))
	switch {
	case err != nil:
		return err
	case x.Redirect != pbx.Follow && x.Redirect != pbx.PassOn && x.Redirect != pbx.NoOther:
		return invalid("redirect", `%s is not a way to treat a redirection; known are "" (follow it), "%s" and "%s".`, quoted(string(x.Redirect)), pbx.PassOn, pbx.NoOther)
	case x.PINHash != "" && (len(x.PINHash) > 200 || !strings.HasPrefix(x.PINHash, "$argon2id$")):
		return invalid("pin", "The PIN is not given as a PIN.")
	}
	return nil
}

func (v *validator) forward(field string, f *pbx.Forward) error {
	if f.On && f.To == "" {
		return invalid(field+".to", "A forward that is on needs a number to forward to.")
	}
	if f.Answer != "" && f.Answer != "redirect" {
		return invalid(field+".answer", `%s is no way to forward; known are "" (the PBX forwards) and "redirect".`, quoted(f.Answer))
	}
	return first(checkTarget(field+".to", f.To), checkSeconds(field+".after", f.After, 5), checkSeconds(field+".ring", f.Ring, 5), checkSet(field+".set", f.Set))
}

// voicemail of an extension that has no mailbox of its own is not looked at: it is made when voicemail is switched on.
func (v *validator) voicemail(field string, m *pbx.Voicemail) error {
	if m.Box != "" && v.d.mailboxes[m.Box] == nil {
		return invalid(field+".box", "There is no mailbox %s.", quoted(m.Box))
	}
	return first(checkSeconds(field+".after", m.After, 5), checkSet(field+".set", m.Set))
}

func (v *validator) findMe(f *pbx.FindMe) error {
	if f.On && len(f.Steps) == 0 {
		return invalid("find_me.steps", "Find-me needs a step when it is on.")
	}
	if len(f.Steps) > maxSteps {
		return invalid("find_me.steps", "Find-me has at most %d steps.", maxSteps)
	}
	all := 0
	for i, step := range f.Steps {
		field := fmt.Sprintf("find_me.steps[%d]", i)
		if n := len(step.Places); n == 0 || n > maxPlaces {
			return invalid(field+".places", "A step of find-me has 1 to %d places.", maxPlaces)
		}
		if all += len(step.Places); all > maxAllPlaces {
			return invalid("find_me.steps", "Find-me has at most %d places in all.", maxAllPlaces)
		}
		if err := checkSeconds(field+".seconds", step.Seconds, 3); err != nil {
			return err
		}
		for k, place := range step.Places {
			field := fmt.Sprintf("%s.places[%d].number", field, k)
			if place.Number == "" {
				return invalid(field, "A place of find-me needs a number.")
			}
			if err := checkTarget(field, place.Number); err != nil {
				return err
			}
			if strings.HasPrefix(place.Number, pbx.MailboxTarget) {
				return invalid(field, "A mailbox cannot be a place of find-me: it would take the call from all others. When nobody has been found, that of voicemail takes it.")
			}
		}
	}
	return first(checkSchedule("find_me.schedule", f.Schedule), checkSet("find_me.set", f.Set))
}

func (v *validator) closed(field string, c *pbx.Closed) error {
	return first(v.hoursExist(field+".hours", c.Hours), checkTarget(field+".to", c.To), checkSet(field+".set", c.Set))
}

func (v *validator) hoursExist(field, name string) error {
	if name != "" && v.d.hours[name] == nil {
		return invalid(field, "There are no hours %s.", quoted(name))
	}
	return nil
}

func (v *validator) rules(field string, list []pbx.Rule) error {
	if len(list) > maxRules {
		return invalid(field, "A list has at most %d rules.", maxRules)
	}
	for i := range list {
		if err := v.rule(fmt.Sprintf("%s[%d]", field, i), &list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) rule(field string, r *pbx.Rule) error {
	switch {
	case r.Action != pbx.LetIn && r.Action != pbx.Reject && r.Action != pbx.TellWhy && r.Action != pbx.SendTo:
		return invalid(field+".action", `%s is not an action; known are "%s", "%s", "%s" and "%s".`, quoted(string(r.Action)), pbx.LetIn, pbx.Reject, pbx.TellWhy, pbx.SendTo)
	case r.Action == pbx.SendTo && r.To == "":
		return invalid(field+".to", "A rule that sends calls on needs a number to send them to.")
	case len(r.Numbers)+len(r.Prefixes) > maxRuleNumbers:
		return invalid(field+".numbers", "A rule has at most %d numbers and prefixes.", maxRuleNumbers)
	case r.Group != "" && v.d.groups[r.Group] == nil:
		return invalid(field+".group", "There is no ring group %s.", quoted(r.Group))
	}
	for _, list := range [...]struct {
		name    string
		numbers []string
	}{{"numbers", r.Numbers}, {"prefixes", r.Prefixes}} {
		for i, n := range list.numbers {
			at := fmt.Sprintf("%s.%s[%d]", field, list.name, i)
			if n == "" {
				return invalid(at, "A number in a rule must not be empty.")
			}
			if err := checkTarget(at, n); err != nil {
				return err
			}
		}
	}
	return first(checkLabel(field+".name", r.Name), checkTarget(field+".to", r.To), checkLabel(field+".trunk", r.Trunk),
		checkSchedule(field+".schedule", r.Schedule), v.hoursExist(field+".hours", r.Hours), checkSet(field+".set", r.Set))
}

func checkSpeedDials(dials map[string]string) error {
	if len(dials) > maxSpeedDials {
		return invalid("speed_dials", "An extension has at most %d speed dials.", maxSpeedDials)
	}
	for key, number := range dials {
		if key == "" || len(key) > 8 || strings.ContainsFunc(key, func(r rune) bool { return r < '0' || r > '9' }) {
			return invalid("speed_dials", "A speed dial is called by 1 to 8 digits, not by %s.", quoted(key))
		}
		if number == "" {
			return invalid("speed_dials", "The speed dial %s needs a number.", key)
		}
		if err := checkTarget("speed_dials", number); err != nil {
			return err
		}
	}
	return nil
}

func checkClass(field, class string, none bool) error {
	if class == "" && none || slices.Contains(pbx.Classes, class) {
		return nil
	}
	return invalid(field, "%s is not a class of calls; known are %s.", quoted(class), strings.Join(pbx.Classes, ", "))
}

// checkMusic takes any name that a class of music may have: its files may come later, and until then it is the usual music.
func checkMusic(field, class string) error {
	if len(class) > 32 || strings.Trim(class, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return invalid(field, "%s is not the name of a class of music: 1 to 32 of a-z, 0-9 and -.", quoted(class))
	}
	return nil
}
