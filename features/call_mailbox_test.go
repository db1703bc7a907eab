package features

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// What is heard of the two new messages and the old one that the mailboxes of these tests have.
const (
	firstMessage  = "vm-message,number:1,vm-from,digits:1001,vm-received,time/yesterday,time:22:30"
	secondMessage = "vm-message,number:2,vm-from-unknown,vm-received,time/today,time:00:00"
	thirdMessage  = "vm-message,number:3,vm-from,digits:1002,vm-received,date:1999-12-24,time:18:05"
	threeMessages = "1001 4s; - 5s; 1002 6s heard"
)

// messages fills mailbox 1000. Calls are made on 1 January 2000, at midnight.
func (x *exchange) messages() {
	x.memory.add(pbx.VoiceMessage{Mailbox: "1000", From: "1002", At: time.Date(1999, 12, 24, 18, 5, 0, 0, time.UTC), Length: 6 * s, Heard: true})
	x.memory.add(pbx.VoiceMessage{Mailbox: "1000", From: "1001", At: time.Date(1999, 12, 31, 22, 30, 0, 0, time.UTC), Length: 4 * s})
	x.memory.add(pbx.VoiceMessage{Mailbox: "1000", At: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Length: 5 * s})
	x.memory.add(pbx.VoiceMessage{Mailbox: "1001", From: "1000", Length: 5 * s})
}

// TestMailboxEntry is who gets into mailbox 1000, which has a PIN, by which code.
func TestMailboxEntry(t *testing.T) {
	const in = "mailbox:2:1 vm-main-menu"
	for name, c := range map[string]struct {
		with   func(x *exchange, box *pbx.Mailbox)
		from   string // "": 1000
		dials  string
		script string
		heard  string
	}{
		"mine":                     {dials: "*97", script: "0.5 4711#; 2.5 *", heard: "enter-pin " + in + " goodbye ."},
		"mine, wrong PIN":          {dials: "*97", script: "0.5 1#; 2.5 2#; 4.5 4711#; 6.5 *", heard: "enter-pin wrong-pin enter-pin wrong-pin enter-pin " + in + " goodbye ."},
		"mine, wrong PINs":         {dials: "*97", script: "0.5 1#; 2.5 2#; 4.5 3#", heard: "enter-pin wrong-pin enter-pin wrong-pin enter-pin wrong-pin too-many-attempts,goodbye ."},
		"mine, hangs up":           {dials: "*97", script: "0.5 1#; 1 bye", heard: "enter-pin wrong-pin ."},
		"mine, no PIN typed":       {dials: "*97", heard: "enter-pin wrong-pin enter-pin wrong-pin enter-pin wrong-pin too-many-attempts,goodbye ."},
		"mine, spared the PIN":     {with: func(_ *exchange, b *pbx.Mailbox) { b.SkipPIN = true }, dials: "*97", script: "2.5 *", heard: in + " goodbye ."},
		"mine, without PIN":        {with: func(_ *exchange, b *pbx.Mailbox) { b.PINHash = "" }, dials: "*97", script: "2.5 *", heard: in + " goodbye ."},
		"mine is another":          {with: func(x *exchange, _ *pbx.Mailbox) { x.of("1002").Voicemail.Box = "1000" }, from: "1002", dials: "*97", script: "0.5 4711#; 3 *", heard: "enter-pin " + in + " goodbye ."},
		"mine is not there":        {from: "1002", dials: "*97", heard: "vm-no-such-mailbox ."},
		"mine is disabled":         {with: func(_ *exchange, b *pbx.Mailbox) { b.Enabled = false }, dials: "*97", heard: "vm-no-such-mailbox ."},
		"any, by number":           {from: "1002", dials: "*981000", script: "0.5 4711#; 3 *", heard: "enter-pin " + in + " goodbye ."},
		"any, asked for it":        {from: "1002", dials: "*98", script: "0.5 1000#; 1.5 4711#; 4 *", heard: "vm-enter-mailbox enter-pin " + in + " goodbye ."},
		"any, my own":              {with: func(_ *exchange, b *pbx.Mailbox) { b.SkipPIN = true }, dials: "*981000", script: "2.5 *", heard: in + " goodbye ."},
		"any, only mine is spared": {with: func(_ *exchange, b *pbx.Mailbox) { b.SkipPIN = true }, from: "1002", dials: "*981000", script: "0.5 4711#; 3 *", heard: "enter-pin " + in + " goodbye ."},
		"any, which has no PIN":    {with: func(_ *exchange, b *pbx.Mailbox) { b.PINHash = "" }, from: "1002", dials: "*981000", heard: "not-allowed ."},
		"any, not there":           {from: "1002", dials: "*984242", script: "1.5 4343#; 3.5 #", heard: "vm-no-such-mailbox vm-enter-mailbox vm-no-such-mailbox vm-enter-mailbox vm-no-such-mailbox goodbye ."},
		"any, then there":          {from: "1002", dials: "*984242", script: "1.5 1000#; 2.2 4711#; 5 *", heard: "vm-no-such-mailbox vm-enter-mailbox enter-pin " + in + " goodbye ."},
		"any, hangs up":            {from: "1002", dials: "*98", script: "0.5 10; 1 bye", heard: "vm-enter-mailbox ."},
		"nothing pressed":          {with: func(_ *exchange, b *pbx.Mailbox) { b.SkipPIN = true }, dials: "*97", heard: in + " goodbye ."},
		"wrong keys":               {with: func(_ *exchange, b *pbx.Mailbox) { b.SkipPIN = true }, dials: "*97", script: "0.5 7; 2 8; 4 #", heard: "mailbox:2:1 invalid vm-main-menu invalid vm-main-menu goodbye ."},
		"of nobody":                {with: func(x *exchange, _ *pbx.Mailbox) { delete(x.mailboxes, "1000") }, dials: "*97", heard: "vm-no-such-mailbox ."},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				box := x.box("1000", true)
				x.messages()
				if c.with != nil {
					c.with(x, box)
				}
				from := c.from
				if from == "" {
					from = "1000"
				}
				if heard := x.follow(x.Call(from, c.dials), c.script); heard != c.heard {
					t.Errorf("hears %s\nwant  %s", heard, c.heard)
				}
				if kept := x.memory.in("1000"); kept != threeMessages {
					t.Error(kept)
				}
				if got := x.memory.in("1001"); got != "1000 5s" {
					t.Error(got)
				}
			})
		})
	}
}

// TestMailboxMessages has 1000 listen to its messages: it presses 1 after half a second.
func TestMailboxMessages(t *testing.T) {
	for name, c := range map[string]struct {
		with   func(x *exchange)
		script string // after 1
		heard  string // after the counts
		kept   string
	}{
		"hears the first":                  {script: "3.5 *", heard: firstMessage + " message:1000:m2 vm-message-menu goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"hears less than 1 s":              {script: "2.3 *", heard: firstMessage + " message:1000:m2 goodbye .", kept: threeMessages},
		"# skips what it is":               {script: "1 #; 2.5 *", heard: firstMessage + " message:1000:m2 vm-message-menu goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"# skips the message":              {script: "1.6 #; 2 *", heard: firstMessage + " message:1000:m2 vm-message-menu goodbye .", kept: threeMessages},
		"hangs up in what it is":           {script: "1 bye", heard: firstMessage + " .", kept: threeMessages},
		"hangs up in the message":          {script: "2 bye", heard: firstMessage + " message:1000:m2 .", kept: threeMessages},
		"hangs up after it":                {script: "3 bye", heard: firstMessage + " message:1000:m2 vm-message-menu .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"presses nothing":                  {heard: firstMessage + " message:1000:m2 vm-message-menu goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"presses what is nothing":          {script: "1 2; 3 *", heard: firstMessage + " invalid vm-message-menu goodbye .", kept: threeMessages},
		"goes through all":                 {script: "1 6; 1.5 6; 2 6; 4.5 *", heard: firstMessage + " " + secondMessage + " " + thirdMessage + " vm-no-more-messages vm-main-menu goodbye .", kept: threeMessages},
		"back":                             {script: "1 6; 1.5 4; 2 4; 4.5 *", heard: firstMessage + " " + secondMessage + " " + firstMessage + " vm-first-message vm-message-menu goodbye .", kept: threeMessages},
		"again":                            {script: "3 5; 4.2 *", heard: firstMessage + " message:1000:m2 vm-message-menu message:1000:m2 vm-message-menu goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"deletes":                          {script: "1 7; 3 *", heard: firstMessage + " vm-deleted vm-message-menu goodbye .", kept: "- 5s; 1002 6s heard"},
		"deletes, hangs up":                {script: "1 7; 1.5 bye", heard: firstMessage + " vm-deleted .", kept: "- 5s; 1002 6s heard"},
		"deletes all":                      {script: "1 7; 1.2 6; 1.4 7; 1.6 6; 1.8 7; 2 6; 3.5 1; 5 *", heard: firstMessage + " vm-deleted " + secondMessage + " vm-deleted " + thirdMessage + " vm-deleted vm-no-more-messages vm-main-menu vm-no-messages vm-main-menu goodbye .", kept: ""},
		"restores":                         {script: "1 7; 1.5 7; 2 *", heard: firstMessage + " vm-deleted vm-undeleted goodbye .", kept: threeMessages},
		"deletes, then saves":              {script: "1 7; 1.5 9; 2 *", heard: firstMessage + " vm-deleted vm-saved goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"saves":                            {script: "1 9; 1.5 *", heard: firstMessage + " vm-saved goodbye .", kept: "- 5s; 1002 6s heard; 1001 4s heard"},
		"goes back to what he has deleted": {script: "1 7; 1.5 6; 2 4; 2.5 7; 3 *", heard: firstMessage + " vm-deleted " + secondMessage + " " + firstMessage + " vm-undeleted goodbye .", kept: threeMessages},
		"calls back": {with: func(x *exchange) { x.Register("1001", pbxtest.Answer(2*s)) },
			script: "1 8; 6 bye", heard: firstMessage + " vm-calling-back ringing 1001 .", kept: threeMessages},
		"deletes, calls back": {with: func(x *exchange) { x.Register("1001", pbxtest.Answer(2*s)) },
			script: "1 7; 1.5 8; 6 bye", heard: firstMessage + " vm-deleted vm-calling-back ringing 1001 .", kept: "- 5s; 1002 6s heard"},
		"calls back whom he may not call": {with: func(x *exchange) { x.of("1000").Outgoing = []pbx.Rule{{Numbers: []string{"1001"}, Action: pbx.Reject}} },
			script: "1 8", heard: firstMessage + " vm-calling-back congestion .", kept: threeMessages},
		"calls back whose mailbox takes it": {with: func(x *exchange) { x.of("1001").Voicemail.On = true; x.box("1001", false) },
			script: "1 8; 4 bye", heard: firstMessage + " vm-calling-back vm-extension,digits:1001,vm-is-unavailable,vm-leave-message beep .", kept: threeMessages},
		"calls back nobody": {script: "1 6; 1.5 8; 2 *", heard: firstMessage + " " + secondMessage + " vm-no-number goodbye .", kept: threeMessages},
		"an urgent one comes first": {with: func(x *exchange) { x.memory.all[2].Urgent = true },
			script: "1 *", heard: strings.Replace("vm-urgent,"+secondMessage, "number:2", "number:1", 1) + " goodbye .", kept: "- 5s urgent; 1001 4s; 1002 6s heard"},
		"a number that is none": {with: func(x *exchange) { x.memory.all[1].From = "a,closed" },
			script: "1 *", heard: strings.Replace(firstMessage, "vm-from,digits:1001", "vm-from-unknown", 1) + " goodbye .", kept: "a,closed 4s; - 5s; 1002 6s heard"},
		"the list cannot be read": {with: func(x *exchange) { x.memory.changeFails = errors.New("no disk") },
			script: "2.5 *", heard: "error vm-main-menu goodbye .", kept: threeMessages},
		"there are none": {with: func(x *exchange) { x.memory.all = nil },
			script: "2.5 *", heard: "vm-no-messages vm-main-menu goodbye ."},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.box("1000", false)
				x.messages()
				if c.with != nil {
					c.with(x)
				}
				heard := x.follow(x.Call("1000", "*97"), strings.TrimSuffix("0.5 1; "+c.script, "; "))
				if _, rest, _ := strings.Cut(heard, " "); rest != c.heard {
					t.Errorf("hears %s\nwant  %s", rest, c.heard)
				}
				synctest.Wait()
				if kept := x.memory.in("1000"); kept != c.kept {
					t.Errorf("the mailbox has %q, want %q", kept, c.kept)
				}
			})
		})
	}
}

// A disk that fails in the middle is said, and the session goes on.
func TestMailboxFails(t *testing.T) {
	calls(t, func(x *exchange) {
		x.box("1000", false)
		x.messages()
		p := x.Call("1000", "*97")
		after(500 * ms)
		x.types(p, "1")
		x.memory.changeFails = errors.New("no disk")
		if heard := x.follow(p, "0.5 9; 2 7; 3.5 *"); heard != firstMessage+" error vm-message-menu vm-deleted vm-message-menu goodbye ." {
			t.Error(heard)
		}
		if kept := x.memory.in("1000"); kept != threeMessages {
			t.Error(kept)
		}
	})
}

// Two listen at the same time: what one deletes the other cannot hear or keep, and nothing breaks.
func TestMailboxTwice(t *testing.T) {
	calls(t, func(x *exchange) {
		x.box("1000", false)
		x.messages()
		one, other := x.Call("1000", "*97"), x.Call("1000", "*97")
		after(500 * ms)
		x.types(one, "1")
		x.types(other, "1")
		after(s)
		x.types(one, "7*")
		after(3 * s)
		if kept := x.memory.in("1000"); kept != "- 5s; 1002 6s heard" {
			t.Error(kept)
		}
		if heard := x.follow(other, "0.5 9; 1 7; 1.5 *"); heard != "message:1000:m2 vm-saved vm-deleted goodbye ." && heard != "vm-message-menu vm-saved vm-deleted goodbye ." {
			t.Error(heard)
		}
		if kept := x.memory.in("1000"); kept != "- 5s; 1002 6s heard" {
			t.Error(kept)
		}
	})
}

// A caller who has hidden his number cannot be called back, and the subscriber who calls back stays hidden, if he hides.
func TestCallBackIsHisOwnCall(t *testing.T) {
	calls(t, func(x *exchange) {
		x.box("1000", false)
		x.messages()
		x.of("1000").HideNumber.On = true
		phone := x.Register("1001", pbxtest.Answer(s))
		x.follow(x.Call("1000", "*97"), "0.5 1; 1 8; 5 bye")
		if from := phone.Last().Invitation.From; from.Number != "1000" || !from.Hidden {
			t.Errorf("%+v", from)
		}
		if via := x.via(phone); via != "" {
			t.Error(via)
		}
	})
}

// TestMailboxGreetings has 1000 change its greetings: 2 is pressed after half a second.
func TestMailboxGreetings(t *testing.T) {
	for name, c := range map[string]struct {
		with   func(x *exchange)
		script string // after 2
		heard  string // after the counts
		has    string // greetings then
	}{
		"records the usual one": {script: "1 1; 1.5 2; 3.5 speak; 6.5 #; 8.2 *; 8.5 *; 9 *", has: "unavailable 3s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved vm-greeting-menu vm-which-greeting vm-main-menu goodbye ."},
		"records the busy one": {script: "1 2; 1.5 2; 3.5 speak; 6.5 #; 7 bye", has: "busy 3s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved ."},
		"records the name": {script: "1 3; 1.5 2; 3.5 speak; 4.5 #; 5 bye", has: "name 1s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved ."},
		"hangs up in it": {script: "1 1; 1.5 2; 3.5 speak; 6.5 bye",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep ."},
		"does not want to hear what to do": {script: "1 1; 1.5 2; 1.8 #; 3.2 speak; 6 #; 6.5 bye", has: "unavailable 3.2s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved ."},
		"ends it by silence, which all callers would hear": {script: "1 1; 1.5 2; 3.5 speak; 6.5 quiet; 12 bye", has: "unavailable 6s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved vm-greeting-menu ."},
		"hangs up before it": {script: "1 1; 1.5 2; 2 bye", heard: "vm-which-greeting vm-greeting-menu vm-record-greeting ."},
		"says nothing":       {script: "1 1; 1.5 2; 5 #; 7 bye", heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-too-short vm-greeting-menu ."},
		"in place of another, hangs up": {with: func(x *exchange) { x.memory.greetings["1000:busy"] = 9 * s },
			script: "1 2; 1.5 2; 3.5 speak; 6.5 bye", has: "busy 9s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep ."},
		"in place of another": {with: func(x *exchange) { x.memory.greetings["1000:busy"] = 9 * s },
			script: "1 2; 1.5 2; 3.5 speak; 6.5 #; 7 bye", has: "busy 3s",
			heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep vm-greeting-saved ."},
		"listens to the words":           {script: "1 1; 1.5 1; 3 bye", heard: "vm-which-greeting vm-greeting-menu " + notThere + " vm-greeting-menu ."},
		"listens to the words when busy": {script: "1 2; 1.5 1; 3 bye", heard: "vm-which-greeting vm-greeting-menu " + isBusy + " vm-greeting-menu ."},
		"listens to the number":          {script: "1 3; 1.5 1; 3 bye", heard: "vm-which-greeting vm-greeting-menu vm-extension,digits:1000 vm-greeting-menu ."},
		"listens to the name": {with: func(x *exchange) { x.memory.greetings["1000:name"] = s }, script: "1 3; 1.5 1; 3 bye", has: "name 1s",
			heard: "vm-which-greeting vm-greeting-menu greeting:1000:name vm-greeting-menu ."},
		"listens to his own": {with: func(x *exchange) { x.memory.greetings["1000:unavailable"] = s }, script: "1 1; 1.5 1; 3 bye", has: "unavailable 1s",
			heard: "vm-which-greeting vm-greeting-menu greeting:1000:unavailable vm-greeting-menu ."},
		"back to the standard": {with: func(x *exchange) { x.memory.greetings["1000:unavailable"] = s }, script: "1 1; 1.5 3; 3 bye",
			heard: "vm-which-greeting vm-greeting-menu vm-greeting-standard vm-greeting-menu ."},
		"presses nothing at which":  {heard: "vm-which-greeting goodbye ."},
		"presses nothing at what":   {script: "1 1", heard: "vm-which-greeting vm-greeting-menu goodbye ."},
		"the disk takes none":       {with: func(x *exchange) { x.memory.leaveFails = errors.New("no disk") }, script: "1 1; 1.5 2; 4 bye", heard: "vm-which-greeting vm-greeting-menu vm-record-greeting error vm-greeting-menu ."},
		"the disk loses it":         {with: func(x *exchange) { x.memory.keepFails = errors.New("disk full") }, script: "1 1; 1.5 2; 3.5 speak; 6.5 #; 8 bye", heard: "vm-which-greeting vm-greeting-menu vm-record-greeting beep error vm-greeting-menu ."},
		"the disk does not give it": {with: func(x *exchange) { x.memory.changeFails = errors.New("no disk") }, script: "1 1; 1.5 3; 3 bye", heard: "vm-which-greeting vm-greeting-menu error vm-greeting-menu ."},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.box("1000", false)
				if c.with != nil {
					c.with(x)
				}
				heard := x.follow(x.Call("1000", "*97"), strings.TrimSuffix("0.5 2; "+c.script, "; "))
				if _, rest, _ := strings.Cut(heard, " "); rest != c.heard {
					t.Errorf("hears %s\nwant  %s", rest, c.heard)
				}
				synctest.Wait()
				has := ""
				for g, length := range x.memory.greetings {
					has += strings.TrimPrefix(g, "1000:") + " " + length.Round(100*ms).String()
				}
				if has != c.has {
					t.Errorf("it has %q, want %q", has, c.has)
				}
			})
		})
	}
}

// TestMailboxPIN has 1000 change its PIN: 3 is pressed after half a second.
func TestMailboxPIN(t *testing.T) {
	for name, c := range map[string]struct {
		fails  error
		script string // after 3
		heard  string // after the counts
		given  string
	}{
		"another":          {script: "1 1234#; 1.5 1234#; 4 *", heard: "vm-new-pin vm-repeat-pin vm-pin-changed vm-main-menu goodbye .", given: "1000:1234 by 1000"},
		"not the same":     {script: "1 1234#; 1.5 1235#; 3 1234#; 3.5 1234#; 6 *", heard: "vm-new-pin vm-repeat-pin vm-pin-mismatch vm-new-pin vm-repeat-pin vm-pin-changed vm-main-menu goodbye .", given: "1000:1234 by 1000"},
		"too short":        {script: "1 123#; 2.5 bye", heard: "vm-new-pin vm-pin-too-short vm-new-pin ."},
		"too long":         {script: "1 1234567890123#; 2.5 bye", heard: "vm-new-pin invalid vm-new-pin ."},
		"no digits":        {script: "1 12*34#; 2.5 bye", heard: "vm-new-pin invalid vm-new-pin ."},
		"none after all":   {script: "1 #; 2 *", heard: "vm-new-pin vm-main-menu goodbye ."},
		"hangs up":         {script: "1 1234#; 1.5 12; 2 bye", heard: "vm-new-pin vm-repeat-pin ."},
		"it cannot be set": {fails: errors.New("no disk"), script: "1 1234#; 1.5 1234#; 4 *", heard: "vm-new-pin vm-repeat-pin error vm-main-menu goodbye ."},
		"never right":      {script: "1 1#; 2.5 1#; 4 1#; 6 *", heard: "vm-new-pin vm-pin-too-short vm-new-pin vm-pin-too-short vm-new-pin vm-pin-too-short vm-main-menu goodbye ."},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.box("1000", false)
				x.pins.fails = c.fails
				heard := x.follow(x.Call("1000", "*97"), "0.5 3; "+c.script)
				if _, rest, _ := strings.Cut(heard, " "); rest != c.heard {
					t.Errorf("hears %s\nwant  %s", rest, c.heard)
				}
				if given := strings.Join(x.pins.given, " "); given != c.given {
					t.Errorf("%q", given)
				}
			})
		})
	}
}

// Whoever hangs up at any moment of a long session leaves nothing behind (calls looks after that), and loses nothing: what was
// deleted is, what was heard is, and no more.
func TestMailboxHangupAnywhere(t *testing.T) {
	for tenths := range 150 {
		calls(t, func(x *exchange) {
			x.box("1000", true)
			x.messages()
			p := x.Call("1000", "*97")
			hangup := time.AfterFunc(time.Duration(tenths)*100*ms+50*ms, p.Bye)
			defer hangup.Stop()
			for i, keys := range []string{"", "4711#", "1", "7", "6", "", "", "4", "7", "9", "*", "2", "1", "2", "", "#"} {
				after(time.Duration(i) * 900 * ms)
				p.Speak(1000)
				x.types(p, keys)
			}
			after(time.Minute)
			p.Bye()
			synctest.Wait()
			if n := len(x.memory.all); n < 3 {
				t.Errorf("hung up after %d tenths: %s", tenths, x.memory.in("1000"))
			}
		})
	}
}

// Two who hear the same messages at once delete the same one, and a third goes by REST while it is heard: nothing fails of that.
func TestMailboxVisitedTwiceAtOnce(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	calls(t, func(x *exchange) {
		x.box("1000", false)
		x.messages()
		first, second := x.Call("1000", "*97"), x.Call("1000", "*97")
		for _, p := range []*pbxtest.Party{first, second} {
			time.Sleep(500 * ms)
			x.types(p, "1")
			time.Sleep(500 * ms)
			x.types(p, "7")
		}
		x.types(first, "6#")
		synctest.Wait()
		if h := first.Hears(); h != "message:1000:m3" {
			t.Error(h)
		}
		if err := x.memory.Remove(t.Context(), "1000", "m3"); err != nil {
			t.Error(err)
		}
		x.types(first, "7")
		first.Bye()
		time.Sleep(s)
		second.Bye()
		synctest.Wait()
		if kept := x.memory.in("1000"); kept != "1002 6s heard" {
			t.Error(kept)
		}
	})
	if log.Len() > 0 {
		t.Error(log.String())
	}
}
