package features

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// Whatever callers press, say and do, whenever they hang up, and whenever the disk fails: every call ends, every tape is kept or dropped (calls looks after
// both), and a message goes only if somebody has deleted it.
func TestMailboxWithAnyKeys(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		chance := func(of int, what string) bool { return rapid.IntRange(1, of).Draw(rt, what) == 1 }
		dials := rapid.SampledFrom([]string{"*97", "*97", "*98", "*981000", "*991000", "mailbox.1000", "1000", "700"}).Draw(rt, "dials")
		from := rapid.SampledFrom([]string{"1000", "1001"}).Draw(rt, "from")
		pin, skip := chance(2, "pin"), chance(2, "skip")
		operator := rapid.SampledFrom([]string{"", "1002", "700", "1000", "mailbox.1003"}).Draw(rt, "operator") // some lead back
		type act struct {
			after time.Duration
			keys  string
			speak bool
			fails bool
		}
		hangsUp := chance(2, "hangs up")
		var acts []act
		deletes := false
		for range rapid.IntRange(0, 25).Draw(rt, "acts") {
			a := act{after: time.Duration(rapid.IntRange(1, 4000).Draw(rt, "after")) * ms, speak: chance(2, "speaks"), fails: chance(20, "fails"),
				keys: rapid.SampledFrom([]string{"", "", "1", "1", "2", "2", "3", "4", "5", "6", "7", "8", "9", "0", "*", "#", "4711#", "1000#", "12", "1234#"}).Draw(rt, "keys")}
			acts, deletes = append(acts, a), deletes || slices.Contains([]byte(a.keys), '7')
		}
		calls(t, func(x *exchange) {
			box := x.box("1000", pin)
			box.SkipPIN = skip
			box.Operator = operator
			x.box("1003", false).Operator = "mailbox.1000"
			x.of("1000").Voicemail.On = true
			x.menus["700"] = &pbx.Menu{Number: "700", Name: "700", Enabled: true, Seconds: 1, Tries: 1, Keys: map[string]string{"0": "mailbox.1000"}, Timeout: "1000"}
			x.messages()
			x.Register("1001", pbxtest.Answer(s))
			x.Register("1002", pbxtest.Busy())
			before := len(x.memory.all)
			p := x.Call(from, dials)
			for _, a := range acts {
				time.Sleep(a.after)
				if p.Speak(0); a.speak {
					p.Speak(1000)
				}
				x.memory.mu.Lock()
				x.memory.leaveFails, x.memory.keepFails, x.memory.changeFails = nil, nil, nil
				if a.fails {
					err := errors.New("the disk fails")
					x.memory.leaveFails, x.memory.keepFails, x.memory.changeFails = err, err, err
				}
				x.memory.mu.Unlock()
				x.types(p, a.keys)
			}
			if hangsUp {
				p.Bye()
			}
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			if _, over := p.Ended(); !over && p.Hears() != "1001" {
				rt.Errorf("the call goes on and on: %q, hears %q", p.Told(), p.Hears())
			}
			p.Bye()
			synctest.Wait()
			if n := len(x.memory.all); !deletes && n < before {
				rt.Errorf("%d messages of %d", n, before)
			}
			if !slices.ContainsFunc(x.memory.all, func(m pbx.VoiceMessage) bool { return m.Mailbox == "1001" }) {
				rt.Error("another mailbox lost its message")
			}
			x.memory.changeFails = nil
		})
	})
}
