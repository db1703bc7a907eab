package features

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// What callers of mailbox 1000 are told.
const (
	notThere = "vm-extension,digits:1000,vm-is-unavailable,vm-leave-message"
	isBusy   = "vm-extension,digits:1000,vm-is-busy,vm-leave-message"
)

// follow has a party do what a script says: "0.5 #; 3 speak; 6 quiet; 7 12#; 9 bye" by seconds since now. It says all that the party
// hears until the call ends; "." is its end.
func (x *exchange) follow(p *pbxtest.Party, script string) string {
	x.Helper()
	type step struct {
		at time.Duration
		do string
	}
	began, steps := since(), []step{}
	for _, s := range strings.Split(script, ";") {
		if s = strings.TrimSpace(s); s != "" {
			at, do, _ := strings.Cut(s, " ")
			sec, err := strconv.ParseFloat(at, 64)
			if err != nil {
				x.Fatal(err)
			}
			steps = append(steps, step{began + time.Duration(sec*1000)*time.Millisecond, do})
		}
	}
	var heard []string
	look := func() {
		synctest.Wait()
		if h := p.Hears(); h != "" && (len(heard) == 0 || heard[len(heard)-1] != h) {
			heard = append(heard, h)
		}
	}
	const beside = 11 * time.Millisecond // so that nothing is done in the moment in which a prompt ends
	time.Sleep(beside)
	for since() < began+10*time.Minute {
		look()
		for len(steps) > 0 && since() >= steps[0].at {
			switch do := steps[0].do; do {
			case "speak":
				p.Speak(1000)
			case "quiet":
				p.Speak(0)
			case "bye":
				p.Bye()
			default:
				x.types(p, do)
			}
			steps = steps[1:]
			look()
			time.Sleep(beside)
		}
		select {
		case <-p.Done():
			if len(steps) > 0 {
				x.Errorf("the call ended before %v", steps)
			}
			return strings.Join(append(heard, "."), " ")
		default:
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.Errorf("the call does not end: %q", heard)
	p.Bye()
	return strings.Join(heard, " ")
}

// voicemail switches it on for 1000, with a mailbox.
func (x *exchange) voicemail() *pbx.Mailbox {
	x.of("1000").Voicemail = pbx.Voicemail{On: true}
	return x.box("1000", true)
}

// TestLeaveMessage has 1001 call 1000, whose phone is not there.
func TestLeaveMessage(t *testing.T) {
	for name, c := range map[string]struct {
		with   func(x *exchange, box *pbx.Mailbox)
		script string
		heard  string
		kept   string
	}{
		"says it, presses #, saves":           {script: "2 speak; 5 quiet; 6 #; 6.5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 4s"},
		"skips the greeting":                  {script: "0.5 #; 1.5 speak; 4.5 #; 5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"by any key":                          {script: "0.5 5; 1.5 speak; 4.5 #; 5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"0 without an operator":               {script: "0.5 0; 1.5 speak; 4.5 #; 5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"keys before the tone do not end it":  {script: "0.5 #; 0.7 ##; 1.5 speak; 4.5 #; 5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"other keys do not end it":            {script: "2 speak; 3 1*0; 5 #; 5.5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"hangs up in the greeting":            {script: "0.5 bye", heard: notThere + " .", kept: ""},
		"hangs up in the beep":                {script: "1.5 bye", heard: notThere + " beep .", kept: ""},
		"hangs up after it":                   {script: "2 speak; 5 bye", heard: notThere + " beep .", kept: "1001 3s"},
		"hangs up too soon":                   {script: "2 speak; 3.9 bye", heard: notThere + " beep .", kept: ""},
		"hangs up without a word":             {script: "9 bye", heard: notThere + " beep .", kept: ""},
		"hangs up in the review":              {script: "2 speak; 5 #; 5.5 bye", heard: notThere + " beep vm-review .", kept: "1001 3s"},
		"no key in the review":                {script: "2 speak; 5 #", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"wrong keys in the review":            {script: "2 speak; 5 #; 5.5 9; 8 5; 10.5 6", heard: notThere + " beep vm-review invalid vm-review invalid vm-review vm-message-sent .", kept: "1001 3s"},
		"falls silent":                        {script: "2 speak; 5 quiet", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 8s"},
		"says nothing":                        {heard: notThere + " beep goodbye .", kept: ""},
		"a click is nothing":                  {script: "2.1 speak; 2.2 quiet", heard: notThere + " beep goodbye .", kept: ""},
		"speaks again after a pause":          {script: "2 speak; 3 quiet; 7 speak; 8 #; 8.5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 6s"},
		"speaks on and on":                    {with: func(_ *exchange, b *pbx.Mailbox) { b.MaxSeconds = 20 }, script: "2 speak; 23 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 20s"},
		"listens to it":                       {script: "2 speak; 5 #; 5.5 2; 8 1", heard: notThere + " beep vm-review message:1000:m1 vm-review vm-message-sent .", kept: "1001 3s"},
		"listens, hangs up":                   {script: "2 speak; 5 #; 5.5 2; 6 bye", heard: notThere + " beep vm-review message:1000:m1 .", kept: "1001 3s"},
		"says it again":                       {script: "2 speak; 5 #; 5.5 3; 8.5 #; 9 1", heard: notThere + " beep vm-review beep vm-review vm-message-sent .", kept: "1001 2s"},
		"listens, says it again":              {script: "2 speak; 5 #; 5.5 2; 6 3; 9 #; 9.5 1", heard: notThere + " beep vm-review message:1000:m1 beep vm-review vm-message-sent .", kept: "1001 2s"},
		"hangs up instead of saying it again": {script: "2 speak; 5 #; 5.5 3; 7 bye", heard: notThere + " beep vm-review beep .", kept: ""},
		"urgent":                              {script: "2 speak; 5 #; 5.5 4; 6 1", heard: notThere + " beep vm-review vm-urgent vm-message-sent .", kept: "1001 3s urgent"},
		"urgent, hangs up":                    {script: "2 speak; 5 #; 5.5 4; 6 bye", heard: notThere + " beep vm-review vm-urgent .", kept: "1001 3s urgent"},
		"not urgent after all":                {script: "2 speak; 5 #; 5.5 4; 5.6 4; 6 1", heard: notThere + " beep vm-review vm-urgent vm-not-urgent vm-message-sent .", kept: "1001 3s"},
		"urgent after listening":              {script: "2 speak; 5 #; 5.5 2; 6 4; 6.2 1", heard: notThere + " beep vm-review message:1000:m1 vm-urgent vm-message-sent .", kept: "1001 3s urgent"},
		"too short":                           {script: "2 speak; 3 #; 5 speak; 9 #; 9.5 1", heard: notThere + " beep vm-too-short beep vm-review vm-message-sent .", kept: "1001 4s"},
		"too short, does not want to hear it": {script: "2 speak; 3 #; 3.2 #; 8.2 #; 8.5 1", heard: notThere + " beep vm-too-short beep vm-review vm-message-sent .", kept: "1001 4s"},
		"too short thrice":                    {script: "2 speak; 3 #; 6 #; 9 #", heard: notThere + " beep vm-too-short beep vm-too-short beep goodbye .", kept: ""},
		"nothing but #":                       {script: "4 #; 8 bye", heard: notThere + " beep vm-too-short beep .", kept: ""},

		"its own greeting": {with: func(x *exchange, _ *pbx.Mailbox) {
			x.memory.greetings["1000:unavailable"] = s
			x.memory.greetings["1000:name"] = s
		},
			script: "3 bye", heard: "greeting:1000:unavailable beep .", kept: ""},
		"its own name": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.greetings["1000:name"] = s },
			script: "3.5 bye", heard: "greeting:1000:name vm-is-unavailable,vm-leave-message beep .", kept: ""},
		"a greeting for when it is busy is not heard": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.greetings["1000:busy"] = s },
			script: "3 bye", heard: notThere + " beep .", kept: ""},

		"it is full": {with: func(x *exchange, b *pbx.Mailbox) {
			b.MaxMessages = 1
			x.memory.add(pbx.VoiceMessage{Mailbox: "1000", From: "1002", Length: 2 * s})
		},
			heard: notThere + " vm-mailbox-full,goodbye .", kept: "1002 2s"},
		"the disk takes no message": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.leaveFails = errors.New("no disk") },
			heard: notThere + " error .", kept: ""},
		"the disk loses it": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.keepFails = errors.New("disk full") },
			script: "2 speak; 5 #; 5.5 1", heard: notThere + " beep vm-review error .", kept: ""},
		"the disk loses it, and he has gone": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.keepFails = errors.New("disk full") },
			script: "2 speak; 5 bye", heard: notThere + " beep .", kept: ""},
		"the disk is full after 3 s": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.takes = 150 },
			script: "2 speak; 6 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
		"it cannot be removed": {with: func(x *exchange, _ *pbx.Mailbox) { x.memory.changeFails = errors.New("no disk") },
			script: "2 speak; 5 #; 5.5 2; 6 3", heard: notThere + " beep vm-review message:1000:m1 error .", kept: "1001 3s"},

		"0 for the operator": {with: func(x *exchange, b *pbx.Mailbox) { b.Operator = "1002"; x.Register("1002", pbxtest.Answer(2*s)) },
			script: "0.5 0; 5 bye", heard: notThere + " ringing 1002 .", kept: ""},
		"an operator who does not answer": {with: func(x *exchange, b *pbx.Mailbox) { b.Operator = "1002" },
			script: "0.5 0", heard: notThere + " congestion .", kept: ""},
		"the mailbox itself as operator goes round only once": {with: func(x *exchange, b *pbx.Mailbox) { b.Operator = "1000" },
			script: "0.5 0", heard: notThere + " congestion .", kept: ""},
		"* for its owner": {with: func(x *exchange, _ *pbx.Mailbox) {
			x.memory.add(pbx.VoiceMessage{Mailbox: "1000", From: "1002", Length: 2 * s})
		},
			script: "0.5 *; 1 4711#; 3 *", heard: notThere + " enter-pin mailbox:1:0 vm-main-menu goodbye .", kept: "1002 2s"},
		"* without the PIN": {script: "0.5 *; 1 1#; 3 2#; 5 3#", heard: notThere + " enter-pin wrong-pin enter-pin wrong-pin enter-pin wrong-pin too-many-attempts,goodbye .", kept: ""},
		"* where there is no PIN": {with: func(_ *exchange, b *pbx.Mailbox) { b.PINHash = "" },
			script: "0.5 *; 1.5 speak; 4.5 #; 5 1", heard: notThere + " beep vm-review vm-message-sent .", kept: "1001 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				box := x.voicemail()
				if c.with != nil {
					c.with(x, box)
				}
				p := x.Call("1001", "1000")
				if heard := x.follow(p, c.script); heard != c.heard {
					t.Errorf("hears %s\nwant  %s", heard, c.heard)
				}
				synctest.Wait()
				if kept := x.memory.in("1000"); kept != c.kept {
					t.Errorf("the mailbox has %q, want %q", kept, c.kept)
				}
				if name == "urgent" && !x.memory.told[0].Urgent {
					t.Error("it came into the mailbox before it was urgent: its owner, and e-mail, are told of another message")
				}
			})
		})
	}
}

// What a message says of its call.
func TestMessageOfACall(t *testing.T) {
	for name, hidden := range map[string]bool{"shown": false, "hidden": true} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.voicemail()
				x.of("1001").HideNumber.On = hidden
				p := x.Call("1001", "1000")
				x.follow(p, "2 speak; 5 bye")
				synctest.Wait()
				r := x.last()
				want := pbx.VoiceMessage{ID: "m1", Mailbox: "1000", Call: r.ID, From: "1001", FromName: "Name of 1001", At: r.Started.Add(s), Length: x.memory.all[0].Length}
				if hidden {
					want.From, want.FromName = "", ""
				}
				if got := x.memory.all[0]; got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
				if r.Outcome != "answered" || r.Hidden != hidden || r.Answered != r.Started || r.By != "" {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// TestVoicemailTakes is which calls of 1001 a mailbox takes, when, and with which greeting. 1000 has voicemail, if a row does not say else.
func TestVoicemailTakes(t *testing.T) {
	night := func(x *exchange) { x.hours["office"] = &pbx.Hours{Name: "office", Mode: "night"} }
	forward := func(to string) pbx.Forward { return pbx.Forward{On: true, To: to} }
	own := func(x *exchange, number string) { x.box(number, false); x.of(number).Voicemail.On = true }
	for name, c := range map[string]struct {
		with  func(x *exchange)
		calls string // "": 1000
		want  string // what is heard first, and when; "": nothing, and how the call ended
	}{
		"nobody is there": {want: notThere + " 0s"},
		"no answer":       {func(x *exchange) { x.Register("1000", pbxtest.RingForever()) }, "", notThere + " 30s"},
		"after a time":    {func(x *exchange) { x.Register("1000", pbxtest.RingForever()); x.of("1000").Voicemail.After = 8 }, "", notThere + " 8s"},
		"busy":            {func(x *exchange) { x.Register("1000", pbxtest.Busy()) }, "", isBusy + " 0s"},
		"declined":        {func(x *exchange) { x.Register("1000", pbxtest.Reject(603, s)) }, "", notThere + " 1s"},
		"do not disturb":  {func(x *exchange) { x.of("1000").DoNotDisturb.On = true; x.Register("1000", pbxtest.RingForever()) }, "", isBusy + " 0s"},
		"a greeting for when it is busy": {func(x *exchange) {
			x.Register("1000", pbxtest.Busy())
			x.memory.greetings["1000:busy"], x.memory.greetings["1000:unavailable"] = s, s
		}, "", "greeting:1000:busy 0s"},
		"busy, with the usual greeting": {func(x *exchange) { x.Register("1000", pbxtest.Busy()); x.memory.greetings["1000:unavailable"] = s }, "", "greeting:1000:unavailable 0s"},
		"the phone cannot":              {func(x *exchange) { x.Register("1000", pbxtest.Reject(500, 0)) }, "", "refuse 500"},
		"off":                           {func(x *exchange) { x.of("1000").Voicemail.On = false }, "", "refuse 480"},
		"no mailbox":                    {func(x *exchange) { delete(x.mailboxes, "1000") }, "", "refuse 480"},
		"a disabled mailbox":            {func(x *exchange) { x.mailboxes["1000"].Enabled = false }, "", "refuse 480"},
		"another mailbox":               {func(x *exchange) { x.of("1000").Voicemail.Box = "3000"; x.box("3000", false) }, "", "vm-extension,digits:3000,vm-is-unavailable,vm-leave-message 0s"},
		"by a further number":           {nil, "2000", notThere + " 0s"},
		"by himself":                    {func(x *exchange) { own(x, "1001") }, "1001", "vm-extension,digits:1001,vm-is-unavailable,vm-leave-message 0s"},

		"forward when busy, which fails": {func(x *exchange) {
			x.Register("1000", pbxtest.Busy())
			x.Register("1002", pbxtest.RingForever())
			x.of("1000").Busy = forward("1002")
		}, "", isBusy + " 30s"},
		"forward on no answer, which is busy": {func(x *exchange) {
			x.Register("1000", pbxtest.RingForever())
			x.Register("1002", pbxtest.Busy())
			x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 5}
		}, "", notThere + " 5s"},
		"both have a time: that of the forward counts": {func(x *exchange) {
			x.Register("1000", pbxtest.RingForever())
			x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 5}
			x.of("1000").Voicemail.After = 8
		}, "", notThere + " 5s"},
		"the time of voicemail before a forward that has none": {func(x *exchange) {
			x.Register("1000", pbxtest.RingForever())
			x.of("1000").NoAnswer = forward("1002")
			x.of("1000").Voicemail.After = 8
		}, "", notThere + " 8s"},
		"forward to somebody with a mailbox": {func(x *exchange) { x.of("1000").Unreachable = forward("1002"); own(x, "1002") }, "", "vm-extension,digits:1002,vm-is-unavailable,vm-leave-message 0s"},
		"forward to nobody":                  {func(x *exchange) { x.of("1000").Unreachable = forward("4242") }, "", notThere + " 0s"},
		"forward to and fro":                 {func(x *exchange) { x.of("1000").NoAnswer, x.of("1002").NoAnswer = forward("1002"), forward("1000") }, "", notThere + " 0s"},
		"forward that is refused": {func(x *exchange) {
			x.of("1000").Unreachable = forward("1002")
			x.of("1002").Incoming = []pbx.Rule{{Action: pbx.Reject}}
		}, "", "refuse 403 see rejected"},
		"forward always, which fails": {func(x *exchange) { x.of("1000").Always = forward("1002"); x.Register("1002", pbxtest.Busy()) }, "", notThere + " 0s"},
		"forward always, after a time": {func(x *exchange) {
			x.of("1000").Always, x.of("1000").Voicemail.After = forward("1002"), 8
			x.Register("1002", pbxtest.RingForever())
		}, "", notThere + " 8s"},
		"forward always to the mailbox": {func(x *exchange) { x.of("1000").Always = forward("mailbox.1000"); x.of("1000").Voicemail.On = false }, "", notThere + " 0s"},
		"forward when busy to the mailbox": {func(x *exchange) {
			x.of("1000").Busy, x.of("1000").Voicemail.On = forward("mailbox.1000"), false
			x.Register("1000", pbxtest.Busy())
		}, "", isBusy + " 0s"},
		"forward by do not disturb to the mailbox": {func(x *exchange) {
			x.of("1000").Busy, x.of("1000").Voicemail.On, x.of("1000").DoNotDisturb.On = forward("mailbox.1000"), false, true
		}, "", isBusy + " 0s"},
		"forward to a mailbox that is not there": {func(x *exchange) { x.of("1000").Unreachable = forward("mailbox.4242") }, "", notThere + " 0s"},
		"forward by 302":                         {func(x *exchange) { x.of("1000").Unreachable = pbx.Forward{On: true, To: "1002", Answer: "redirect"} }, "", "refuse 302 call 1002"},
		"closed, to a number":                    {func(x *exchange) { night(x); x.of("1000").Closed = pbx.Closed{Hours: "office", To: "1002"} }, "", notThere + " 0s"},
		"closed, to the mailbox":                 {func(x *exchange) { night(x); x.of("1000").Closed = pbx.Closed{Hours: "office", To: "mailbox.1000"} }, "", notThere + " 0s"},
		"closed, and told so":                    {func(x *exchange) { night(x); x.of("1000").Closed = pbx.Closed{Hours: "office"} }, "", "closed 0s"},
		"screened":                               {func(x *exchange) { x.of("1000").Incoming = []pbx.Rule{{Action: pbx.Reject}} }, "", "refuse 403 see rejected"},
		"sent to the mailbox":                    {func(x *exchange) { x.of("1000").Incoming = []pbx.Rule{{Action: pbx.SendTo, To: "mailbox.1000"}} }, "", notThere + " 0s"},
		"the mailbox, screened by the office":    {func(x *exchange) { x.office.office.Incoming = []pbx.Rule{{Action: pbx.Reject}} }, "mailbox.1000", "refuse 403 see rejected"},
		"a call that is refused by class":        {func(x *exchange) { x.of("1001").Class = "internal" }, "mailbox.1000", notThere + " 0s"},
		"no such mailbox":                        {nil, "mailbox.4242", "refuse 404 see no-such-number"},
		"one call": {func(x *exchange) {
			x.of("1000").OneCall.On = true
			x.Register("1000", pbxtest.Answer(0))
			x.Call("1003", "1000")
			synctest.Wait()
		}, "", isBusy + " 0s"},
		"a phone that redirects":              {func(x *exchange) { x.Register("1000", pbxtest.Redirect("1002")); own(x, "1002") }, "", "vm-extension,digits:1002,vm-is-unavailable,vm-leave-message 0s"},
		"a phone that redirects to several":   {func(x *exchange) { x.Register("1000", pbxtest.Redirect("1002", "1003")); own(x, "1002") }, "", notThere + " 0s"},
		"a phone that redirects to a mailbox": {func(x *exchange) { x.Register("1000", pbxtest.Redirect("mailbox.1000")) }, "", notThere + " 0s"},

		"find-me, a place with a mailbox": {func(x *exchange) {
			x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}, {Number: "1003", Confirm: true}}, Seconds: 10}}}
			own(x, "1002")
			own(x, "1003")
			x.Register("1002", pbxtest.RingForever())
			x.Register("1003", pbxtest.Busy())
		}, "", isBusy + " 10s"}, // of the places that is what says most (RFC 3261 §16.7)
		"find-me, a place that forwards to its mailbox": {func(x *exchange) {
			x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}}, Seconds: 10}, {Places: []pbx.Place{{Number: "1003"}}, Seconds: 5}}}
			x.box("1002", false)
			x.of("1002").Always = forward("mailbox.1002")
			x.of("1003").NoAnswer = forward("mailbox.1002")
			x.Register("1003", pbxtest.RingForever())
		}, "", notThere + " 5s"},
		"find-me, a place that forwards to somebody with a mailbox": {func(x *exchange) {
			x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "1002"}}}}}
			x.of("1002").Always = forward("1003")
			own(x, "1003")
		}, "", notThere + " 0s"},
		"find-me at a mailbox is none": {func(x *exchange) {
			x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "mailbox.1000"}}}}}
			x.Register("1000", pbxtest.RingForever())
		}, "", notThere + " 30s"},

		"a group does not ask its members' mailboxes": {func(x *exchange) {
			x.groups["600"] = &pbx.Group{Number: "600", Enabled: true, Strategy: pbx.InTurn, Members: []string{"1000", "1002"}, Seconds: 5, KeepForwards: true}
		}, "600", "refuse 480"},
		"nor those that they forward to": {func(x *exchange) {
			x.groups["600"] = &pbx.Group{Number: "600", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1000", "1002"}, Seconds: 5, KeepForwards: true}
			x.of("1002").Always = forward("mailbox.1000")
			x.of("1000").NoAnswer = forward("mailbox.1000")
		}, "600", "refuse 480"},
		"the overflow of a group": {func(x *exchange) {
			x.groups["600"] = &pbx.Group{Number: "600", Enabled: true, Strategy: pbx.InTurn, Members: []string{"1002"}, Seconds: 5, Overflow: "mailbox.1000"}
			x.Register("1002", pbxtest.RingForever())
		}, "600", notThere + " 5s"},
		"a group outside its hours": {func(x *exchange) {
			night(x)
			x.groups["600"] = &pbx.Group{Number: "600", Enabled: true, Members: []string{"1002"}, Closed: pbx.Closed{Hours: "office", To: "mailbox.1000"}}
		}, "600", notThere + " 0s"},
		"a code":                      {nil, "*991000", notThere + " 0s"},
		"a code, by a further number": {nil, "*992000", notThere + " 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.voicemail()
				if c.with != nil {
					c.with(x)
				}
				number := c.calls
				if number == "" {
					number = "1000"
				}
				p := x.Call("1001", number)
				got := ""
				for began := since(); got == "" && since() < began+2*time.Minute; time.Sleep(100 * ms) {
					synctest.Wait()
					if h := p.Hears(); h != "" {
						got = h + " " + (since() - began).String()
					} else if _, over := p.Ended(); over {
						got = p.Told()[len(p.Told())-1]
					}
				}
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				p.Bye()
				for _, h := range x.memory.all {
					t.Errorf("a message was left: %+v", h)
				}
				for _, c := range x.sb.Calls() { // those beside
					x.sb.HangupCall(c.ID, pbx.Hangup)
				}
			})
		})
	}
}

// A menu leads to mailboxes, and so does the number of nobody typed.
func TestMenuToMailbox(t *testing.T) {
	calls(t, func(x *exchange) {
		x.voicemail()
		m := x.sales()
		m.Keys = map[string]string{"1": "mailbox.1000"}
		m.Timeout = "mailbox.1000"
		p := x.Call("1001", "700")
		if heard := x.follow(p, "0.5 1; 2.5 speak; 5.5 #; 6 1"); heard != "menu/sales "+notThere+" beep vm-review vm-message-sent ." {
			t.Error(heard)
		}
		p = x.Call("1001", "700")
		after(since() + 19*s)
		if p.Hears() != notThere && p.Hears() != "beep" {
			t.Error(p.Hears())
		}
		p.Bye()
		synctest.Wait()
		if kept := x.memory.in("1000"); kept != "1001 3s" {
			t.Error(kept)
		}
	})
}

// A phone that answers while a message is being left takes the caller over, and the message is not kept.
func TestPhoneTakesOverFromMailbox(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Voicemail.On = false
		x.box("1002", false)
		x.of("1002").Voicemail.On = true
		x.Register("1000", pbxtest.Redirect("1002"))
		x.Register("1000", pbxtest.Answer(6*s))
		p := x.Call("1001", "1000")
		after(2 * s)
		p.Speak(1000)
		after(7 * s)
		if p.Hears() != "1000" {
			t.Error(p.Hears(), p.Told())
		}
		p.Bye()
		synctest.Wait()
		if kept := x.memory.in("1002"); kept != "" {
			t.Error(kept)
		}
	})
}

// An administrator who ends the call, or the exchange that goes down, does not lose what was said.
func TestMessageIsKeptByHangup(t *testing.T) {
	calls(t, func(x *exchange) {
		x.voicemail()
		p := x.Call("1001", "1000")
		after(2 * s)
		p.Speak(1000)
		after(6 * s)
		x.sb.HangupCall(x.sb.Calls()[0].ID, pbx.Hangup.ByWhom(pbx.Admin))
		synctest.Wait()
		if kept := x.memory.in("1000"); kept != "1001 4s" {
			t.Error(kept)
		}
	})
}

// Many leave messages at once, up to as many as there may be.
func TestMessagesAtOnce(t *testing.T) {
	calls(t, func(x *exchange) {
		x.voicemail().MaxMessages = 5
		var all []*pbxtest.Party
		for i := range 8 {
			all = append(all, x.Call("10"+strconv.Itoa(11+i), "1000"))
		}
		after(2 * s)
		for _, p := range all {
			p.Speak(1000)
		}
		after(5 * s)
		for _, p := range all {
			p.Bye()
		}
		synctest.Wait()
		if n := len(x.memory.all); n != 8 { // all had begun before there were five
			t.Error(n)
		}
		if !slices.ContainsFunc(x.memory.all, func(m pbx.VoiceMessage) bool { return m.From == "1018" }) {
			t.Error(x.memory.in("1000"))
		}
		if heard := x.follow(x.Call("1001", "1000"), ""); heard != notThere+" vm-mailbox-full,goodbye ." {
			t.Error(heard)
		}
	})
}

// On paper a mailbox answers, as soon as nobody else has.
func TestSimulateVoicemail(t *testing.T) {
	w := newWorld()
	w.box("1000", false)
	w.of("1000").Voicemail.On = true
	for want, phones := range map[string][]pbx.Behaviour{
		"ring 1000 for 30s: no answer 480 (system), voicemail 1000: answered (system)":           nil,
		"ring 1000 for 30s: busy 486 (callee), voicemail 1000, busy greeting: answered (system)": {{Status: 486}},
		"ring 1000 for 30s: unreachable 480 (system), voicemail 1000: answered (system)":         {},
		"ring 1000 for 30s: answered (callee)":                                                   {{Status: 200}},
	} {
		in := pbx.World{From: "1001"}
		if phones != nil {
			in.Phones = map[string][]pbx.Behaviour{"1000": phones}
		}
		o, path := pbx.Simulate(w.router().Plan(pbx.Identity{Number: "1001"}, "1000", morning), in)
		var way []string
		for _, p := range path {
			way = append(way, p.Node+": "+p.Outcome)
		}
		if got := strings.Join(way, ", "); got != want || !o.OK() {
			t.Errorf("%s (%s), want %s", got, o, want)
		}
	}
}
