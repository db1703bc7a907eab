package pbx

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Kind says how an attempt to reach somebody ended. Branches of a plan are chosen by it.
type Kind uint8

// The kinds of Outcome. Busy is what a phone or the PBX said of a line in use, or that does not want to be disturbed; a phone that rejects a
// call itself (480, 486 from a reject key is still Busy, 603) is Declined; nobody there at all is Unreachable.
const (
	Answered    Kind = iota
	NoAnswer         // it rang until its time was over
	Busy             // 486, 600
	Declined         // 480 or 603 sent by the phone
	Unreachable      // no binding, transport failure, or no response at all
	Looped           // 482: the call came by a number it had passed already
	Cancelled        // the caller gave up, or another branch or leg took the call
	Redirected       // 3xx, see Outcome.Contacts
	Screened         // refused by a rule
	Failed           // everything else, see Outcome.Status
)

var kindNames = [...]string{"answered", "no answer", "busy", "declined", "unreachable", "looped", "cancelled", "redirected", "screened", "failed"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// MarshalText makes the kind a word in JSON.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%.40q is no kind of outcome", text)
	}
	*k = Kind(i)
	return nil
}

// Side says whose doing an ending was.
type Side uint8

// The sides of a call.
const (
	System  Side = iota // the PBX, by its settings or for lack of something
	Caller              // the calling party
	Callee              // the called party
	Network             // a transport failure, a timeout, a phone that vanished
	Admin               // somebody at the web page, the REST API or the command line
)

func (s Side) String() string {
	return [...]string{"system", "caller", "callee", "network", "admin"}[min(int(s), 4)]
}

// Outcome is how an attempt ended, and everything that came with it. Its text fields come from remote
// parties: they are bounded by the line, and must be escaped wherever they are shown.
type Outcome struct {
	Kind       Kind
	By         Side
	Status     int           // SIP status that says it best, 0 for none (RFC 3261 §21)
	Phrase     string        // reason phrase that came with Status, "" for the standard one
	Cause      int           // Q.850 cause (RFC 3326), 0 if none came
	Reason     []string      // Reason header values, verbatim (RFC 3326)
	ErrorInfo  []string      // Error-Info values, verbatim (RFC 3261 §20.18)
	Contacts   []Redirection // of a redirection, best q first
	ToCaller   bool          // the redirection is for the caller to follow
	Announced  string        // prompt that says why; the line puts its URI into Error-Info (RFC 3261 §20.18)
	RetryAfter time.Duration // 0 if none
	Unsure     bool          // the peer may still be in a call (no final response came)
}

// Redirection is where a 3xx sends the caller.
type Redirection struct {
	Number string // user part, unescaped, without parameters; "" if it has none
	Host   string // as written; ours if Local
	Local  bool   // the host is this PBX
	URI    string // verbatim and bounded; "" of our own making: sip:Number at this PBX
	Q      int    // thousandths
}

// OK reports whether somebody answered.
func (o Outcome) OK() bool { return o.Kind == Answered }

// String is what a person reads in a log or a call record.
func (o Outcome) String() string {
	if o.Status == 0 || o.Kind == Answered {
		return o.Kind.String() + " (" + o.By.String() + ")"
	}
	return o.Kind.String() + " " + strconv.Itoa(o.Status) + " (" + o.By.String() + ")"
}

// KindOf is the Kind that a final SIP status from a called phone stands for.
func KindOf(status int) Kind {
	switch {
	case status < 300:
		return Answered
	case status < 400:
		return Redirected
	case status == 486 || status == 600:
		return Busy
	case status == 480 || status == 603:
		return Declined
	case status == 482:
		return Looped
	case status == 487:
		return Cancelled
	case status == 408 || status == 430:
		return Unreachable
	default:
		return Failed
	}
}

// The outcomes that the PBX itself arrives at.
var (
	NotFound      = Outcome{Kind: Failed, By: System, Status: 404}
	NotRegistered = Outcome{Kind: Unreachable, By: System, Status: 480}
	RangOut       = Outcome{Kind: NoAnswer, By: System, Status: 480}
	Elsewhere     = Outcome{Kind: Cancelled, By: System, Status: 200, Phrase: "Call completed elsewhere",
		Reason: []string{`SIP;cause=200;text="Call completed elsewhere"`}}
	LineInUse     = Outcome{Kind: Busy, By: System, Status: 486}
	Disturbed     = Outcome{Kind: Busy, By: System, Status: 486, Phrase: "Do Not Disturb"}
	Loop          = Outcome{Kind: Looped, By: System, Status: 482}
	Unconfirmed   = Outcome{Kind: NoAnswer, By: Callee, Status: 480}
	GaveUp        = Outcome{Kind: Cancelled, By: Caller, Status: 487}
	Hangup        = Outcome{Kind: Answered, By: System, Cause: 16}
	NotAcceptable = Outcome{Kind: Failed, By: System, Status: 488}
	TooManyHops   = Outcome{Kind: Failed, By: System, Status: 483}
	GoingDown     = Outcome{Kind: Failed, By: System, Status: 503, RetryAfter: 30 * time.Second}
	NoPorts       = Outcome{Kind: Failed, By: System, Status: 503, RetryAfter: 5 * time.Second}
)

// ByWhom returns o as the doing of another side.
func (o Outcome) ByWhom(s Side) Outcome { o.By = s; return o }

// Error makes an Outcome usable as the cause of a cancelled context.
func (o Outcome) Error() string { return o.String() }

// cause is why ctx is done.
func cause(ctx context.Context) Outcome {
	if o, ok := context.Cause(ctx).(Outcome); ok {
		return o
	}
	return GaveUp
}
