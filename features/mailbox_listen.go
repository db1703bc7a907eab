package features

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"ringback/pbx"
)

// heardFrom is how much of a message must be heard so that it is not new any more.
const heardFrom = time.Second

// listen plays the messages, new ones first: what each is, then itself, then what can be done with it. It reports whether the visitor
// goes on to the main menu, and if not, whom he calls.
func (v *visitor) listen(ctx context.Context) (next pbx.Target, stay bool) {
	list, err := v.Messages.Messages(ctx, v.box.Number)
	if err != nil {
		return nil, v.failed(ctx, "messages could not be listed", err)
	}
	list = slices.DeleteFunc(list, func(m pbx.VoiceMessage) bool { return v.deleted[m.ID] })
	if len(list) == 0 {
		return nil, v.t.Play(ctx, "vm-no-messages")
	}
	at, say, sound := 0, v.envelope(0, list[0]), true
	for silent := 0; silent < menuTries; {
		m := &list[at]
		key, there := v.play(ctx, m, say, sound)
		if !there {
			return nil, false
		}
		say, sound = "", false
		if silent++; key != 0 {
			silent = 0
		}
		switch key {
		case 0:
		case '4':
			if say = "vm-first-message"; at > 0 {
				at--
				say, sound = v.envelope(at, list[at]), true
			}
		case '5':
			sound = true
		case '6':
			if at++; at == len(list) {
				return nil, v.t.Play(ctx, "vm-no-more-messages")
			}
			say, sound = v.envelope(at, list[at]), true
		case '7':
			v.deleted[m.ID] = !v.deleted[m.ID]
			if say = "vm-undeleted"; v.deleted[m.ID] {
				say = "vm-deleted"
			}
		case '8':
			if next, say = v.callBack(m); next != nil {
				v.t.Play(ctx, "vm-calling-back")
				return next, false
			}
		case '9':
			say = v.save(ctx, m)
		case '*':
			v.t.Play(ctx, promptGoodbye)
			return nil, false
		default:
			say = promptInvalid
		}
	}
	v.t.Play(ctx, promptGoodbye)
	return nil, false
}

// play says something, plays the message if that is wanted, and then says the menu. Each key cuts it short; # leads on to the
// next of these.
func (v *visitor) play(ctx context.Context, m *pbx.VoiceMessage, say string, sound bool) (key byte, there bool) {
	if say != "" {
		if key, there = v.t.Key(ctx, 0, say); !there || key != 0 && key != '#' {
			return key, there
		}
	}
	if sound {
		began := time.Now()
		key, there = v.t.Key(ctx, 0, pbx.PromptMessage+":"+m.Mailbox+":"+m.ID)
		if !m.Heard && time.Since(began) >= heardFrom {
			v.heard(ctx, m)
		}
		if !there || key != 0 && key != '#' {
			return key, there
		}
	}
	if key, there = v.t.Key(ctx, menuWait, "vm-message-menu"); key == '#' {
		key = 0
	}
	return key, there
}

// heard notes that a message is not new any more, also of somebody who has hung up in its middle.
func (v *visitor) heard(ctx context.Context, m *pbx.VoiceMessage) error {
	ctx, stop := toTheEnd(ctx)
	defer stop()
	err := v.Messages.MarkHeard(ctx, m.Mailbox, m.ID, true)
	if errors.Is(err, pbx.ErrNoSuchSound) { // somebody else has deleted it
		err = nil
	}
	if err != nil {
		v.log("a message could not be marked as heard", err)
		return err
	}
	m.Heard = true
	return nil
}

// save keeps a message as an old one, also if it was deleted a moment ago.
func (v *visitor) save(ctx context.Context, m *pbx.VoiceMessage) (say string) {
	v.deleted[m.ID] = false
	if !m.Heard && v.heard(ctx, m) != nil {
		return promptError
	}
	return "vm-saved"
}

// callBack is a call by the extension from which the visitor calls, by its permissions.
func (v *visitor) callBack(m *pbx.VoiceMessage) (next pbx.Target, whyNot string) {
	by := v.Directory.Extension(v.from.Number)
	switch {
	case m.From == "":
		return nil, "vm-no-number"
	case by == nil:
		return nil, "not-allowed"
	}
	on := v.on()
	on.via = nil // it is no call that was sent on
	return on.dial(by, m.From), ""
}

// envelope says which message it is, from whom, and when it came.
func (v *visitor) envelope(at int, m pbx.VoiceMessage) string {
	from := "vm-from-unknown"
	if isNumber(m.From) {
		from = "vm-from," + promptDigits + m.From
	}
	zone := v.zone("")
	came, now := m.At.In(zone), time.Now().In(zone)
	day := "date:" + came.Format(time.DateOnly)
	switch came.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		day = "time/today"
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		day = "time/yesterday"
	}
	urgent := ""
	if m.Urgent {
		urgent = "vm-urgent,"
	}
	return urgent + "vm-message,number:" + strconv.Itoa(at+1) + "," + from + ",vm-received," + day + ",time:" + came.Format("15:04")
}
