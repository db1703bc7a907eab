package features

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"ringback/pbx"
)

// codeService is what a code reaches. Its name and what it takes are for programs and stay; the text is for people.
type codeService struct {
	name  string
	takes Argument
	text  string
	plan  func(*codeCall) pbx.Target
}

// codeServices are all services that codes reach, in the order in which people are shown them. It is set below as the lists of features
// are: services call numbers, which may be codes.
var codeServices []codeService

func init() {
	codeServices = []codeService{
		{"forward_always_on", ANumber, "forward all calls to a number", forwardOn(always)},
		{"forward_always_off", NoArgument, "stop forwarding all calls", forwardOff(always)},
		{"forward_always_toggle", NoArgument, "forward all calls to the last number, or stop it", forwardToggle(always)},
		{"forward_busy_on", ANumber, "forward calls to a number when busy", forwardOn(whenBusy)},
		{"forward_busy_off", NoArgument, "stop forwarding calls when busy", forwardOff(whenBusy)},
		{"forward_no_answer_on", ANumber, "forward calls to a number when nobody answers", forwardOn(unanswered)},
		{"forward_no_answer_off", NoArgument, "stop forwarding calls when nobody answers", forwardOff(unanswered)},
		{"forward_unreachable_on", ANumber, "forward calls to a number when no phone is there", forwardOn(unreachable)},
		{"forward_unreachable_off", NoArgument, "stop forwarding calls when no phone is there", forwardOff(unreachable)},
		{"do_not_disturb_on", NoArgument, "do not disturb", switchTo(dndSetting, true)},
		{"do_not_disturb_off", NoArgument, "calls ring again", switchTo(dndSetting, false)},
		{"do_not_disturb_toggle", NoArgument, "do not disturb, or calls ring again", toggle(dndSetting)},
		{"call_waiting_on", NoArgument, "let a second call ring", switchTo(callWaitingSetting, true)},
		{"call_waiting_off", NoArgument, "be busy while a call is up", switchTo(callWaitingSetting, false)},
		{"find_me_toggle", NoArgument, "ring at several places, or only here", toggle(findMeSetting)},
		{"day_night", NoArgument, "open or close the office, or leave it to the clock again", dayNight},
		{"block", ANumber, "reject calls from a number", block},
		{"unblock", ANumber, "accept calls from a number again", unblock},
		{"block_last_caller", NoArgument, "reject calls from whoever called last", blockLastCaller},
		{"hide_number_once", ANumber, "call a number without showing one's own", hideNumber},
		{"return_call", NoArgument, "call whoever called last", returnCall},
		{"redial", NoArgument, "call the number called last", redial},
		{"speed_dial", ASpeedDial, "call a number by its short form", speedDial},
		{"my_mailbox", NoArgument, "hear one's messages", myMailbox},
		{"any_mailbox", ANumber, "hear the messages of a mailbox", anyMailbox},
		{"leave_message", ANumber, "leave a message in a mailbox", leaveMessage},
		{"echo", NoArgument, "hear oneself", func(*codeCall) pbx.Target { return pbx.Echo() }},
		{"my_number", NoArgument, "hear one's own number", myNumber},
		{"clock", NoArgument, "hear what time it is", clock},
	}
}

// codeCall is a code that an extension has dialled.
type codeCall struct {
	*codeService
	route    *route
	caller   *pbx.Extension
	argument string // "" if it takes none, or none was dialled
}

// Prompts that services play. The sounds behind them are the switchboard's.
const (
	promptOn     = "on"
	promptOff    = "off"
	promptDone   = "done"
	promptError  = "error"
	promptNumber = "enter-number"
	promptDigits = "digits:"     // and the digits
	promptClock  = "clock,time:" // and the time, 15:04
)

// keyWait is how long a caller who is asked for a number may think about the next key.
const keyWait = 5 * time.Second

// errRefused is what the caller has asked for and cannot have. He hears it; it is nobody else's business.
var errRefused = errors.New("refused")

// errNoSettings is a router that was not given any.
var errNoSettings = errors.New("settings cannot be changed")

// label is the service in words: "forward always on".
func (c *codeCall) label() string {
	s := strings.ReplaceAll(c.name, "_", " ")
	if c.argument != "" && c.takes == ASpeedDial {
		s += " " + c.argument
	}
	return s
}

// String is the service as the plan shows it: "service: forward always on, to 1002".
func (c *codeCall) String() string {
	s := "service: " + c.label()
	switch {
	case c.takes == NoArgument:
		return s
	case c.argument == "":
		return s + ", asks for the " + string(c.takes)
	case c.takes == ASpeedDial:
		return s
	case strings.HasPrefix(c.name, "forward"):
		return s + ", to " + c.argument
	default:
		return s + ", " + c.argument
	}
}

// act is a service that changes something: it answers, asks for the argument where that is missing, does it, and says how it
// went. A caller who hangs up before he is through changes nothing.
func (c *codeCall) act(do func(ctx context.Context, argument string) (prompt string, err error)) pbx.Target {
	return pbx.Service(c.String(), func(ctx context.Context, t *pbx.Talk) pbx.Target {
		argument, there := c.ask(ctx, t)
		if !there {
			return nil
		}
		if argument == "" && c.takes != NoArgument {
			return confirm(ctx, t, promptError)
		}
		prompt, err := do(ctx, argument)
		if err != nil {
			if !errors.Is(err, errRefused) && ctx.Err() == nil {
				slog.Warn("a feature code failed", "service", c.name, "extension", c.caller.Number, "err", err)
			}
			prompt = promptError
		}
		return confirm(ctx, t, prompt)
	})
}

// ask collects the argument, if it was not dialled with the code. It reports whether the caller is still there.
func (c *codeCall) ask(ctx context.Context, t *pbx.Talk) (argument string, there bool) {
	if c.argument != "" || c.takes == NoArgument {
		return c.argument, true
	}
	return t.Keys(ctx, promptNumber, maxArgument, keyWait)
}

// confirm tells the caller what has been done. It is the last that a service does, so it returns that there is nothing more to do.
func confirm(ctx context.Context, t *pbx.Talk, prompt string) pbx.Target {
	t.Play(ctx, prompt)
	return nil
}

// change changes the caller's services.
func (c *codeCall) change(ctx context.Context, f func(*pbx.Services) error) error {
	if c.route.Settings == nil {
		return errNoSettings
	}
	return c.route.Settings.ChangeServices(ctx, c.caller.Number, f)
}

// set says that it was the caller, now.
func (c *codeCall) set() pbx.Set {
	return pbx.Set{By: c.caller.Number, At: time.Now().UTC().Truncate(time.Second)}
}
