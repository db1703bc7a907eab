package pbx

import "time"

// Set says who switched something on, and when. It is shown with the plan.
type Set struct {
	By string    `json:"by,omitempty"` // an extension's number, or the name of a user or token
	At time.Time `json:"at,omitzero"`
}

// Switch is a setting that is on or off.
type Switch struct {
	On  bool `json:"on"`
	Set Set  `json:"set,omitzero"`
}

// Services are what a subscriber has switched on: an immutable snapshot, part of an Extension. The zero value is an
// extension that simply rings.
type Services struct {
	Always      Forward `json:"forward_always,omitzero"`
	Busy        Forward `json:"forward_busy,omitzero"`        // also when the phone rejects the call, and in place of do-not-disturb
	NoAnswer    Forward `json:"forward_no_answer,omitzero"`   // also when no phone is there, unless Unreachable is on
	Unreachable Forward `json:"forward_unreachable,omitzero"` // no phone is registered, or none gives a sign

	DoNotDisturb Switch `json:"do_not_disturb,omitzero"`
	OneCall      Switch `json:"one_call,omitzero"` // call waiting is off: busy while a call is up
	HideNumber   Switch `json:"hide_number,omitzero"`

	FindMe   FindMe   `json:"find_me,omitzero"`
	Closed   Closed   `json:"closed,omitzero"`
	Incoming []Rule   `json:"incoming,omitempty"` // screening, the first rule that matches decides
	Outgoing []Rule   `json:"outgoing,omitempty"`
	Class    string   `json:"class,omitempty"`    // the dearest class of call allowed, see Office.Classes; "": every one
	PINHash  string   `json:"pin_hash,omitempty"` // with this PIN calls beyond Class are allowed too
	Redirect Redirect `json:"redirect,omitempty"` // what a 3xx from the phone does
	Music    string   `json:"music,omitempty"`    // the class of music that those hear whom it holds; "": the usual

	Voicemail Voicemail    `json:"voicemail,omitzero"` // whoever nobody takes the call of may leave a message
	Record    RecordPolicy `json:"record,omitzero"`

	SpeedDials map[string]string `json:"speed_dials,omitempty"` // what is dialled after *0, and the number it stands for
}

// Forward sends calls on.
type Forward struct {
	On     bool   `json:"on"`
	To     string `json:"to,omitempty"`     // any number that the extension itself may dial
	After  int    `json:"after,omitempty"`  // no answer: seconds it rings before; 0: the extension's ring time
	Ring   int    `json:"ring,omitempty"`   // seconds the target rings; 0: as long as it does anyway
	Answer string `json:"answer,omitempty"` // "": the PBX forwards; "redirect": it answers 302, so that the caller's side calls the target
	Set    Set    `json:"set,omitzero"`
}

// Voicemail takes the calls that nobody does: no answer, busy, rejected, or no phone is there.
type Voicemail struct {
	On    bool   `json:"on"`
	Box   string `json:"box,omitempty"`   // number of the Mailbox; "": the extension's own
	After int    `json:"after,omitempty"` // no answer: seconds it rings before; 0: the extension's ring time
	Set   Set    `json:"set,omitzero"`
}

// FindMe looks for a person at several places, a step after the other.
type FindMe struct {
	On       bool      `json:"on"`
	Steps    []Step    `json:"steps,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"` // nil: always
	Set      Set       `json:"set,omitzero"`
}

// Step is the places that ring at a time.
type Step struct {
	Places  []Place `json:"places"`
	Seconds int     `json:"seconds,omitempty"` // 0: the ring time of the extension whose find-me it is
}

// Place is somewhere a person may be.
type Place struct {
	Number  string `json:"number"`            // the extension's own number stands for its phones
	Confirm bool   `json:"confirm,omitempty"` // who answers has to press 1, so that no machine takes the call
}

// Closed is where calls go outside opening hours.
type Closed struct {
	Hours string `json:"hours,omitempty"` // name of Hours; "": always open
	To    string `json:"to,omitempty"`    // number; "": the caller is told, and the call ends
	Set   Set    `json:"set,omitzero"`
}

// Redirect says what a redirection (3xx) from a phone does.
type Redirect string

// The ways to treat a redirection.
const (
	Follow  Redirect = ""       // the PBX calls its targets, as far as they are extensions or permitted
	PassOn  Redirect = "pass"   // the caller gets it
	NoOther Redirect = "refuse" // it counts as the phone's refusal
)

// Rule is one line of screening. Conditions that are given must all hold; lists hold if one of their members does.
type Rule struct {
	Name      string    `json:"name,omitempty"`
	Numbers   []string  `json:"numbers,omitempty"`
	Prefixes  []string  `json:"prefixes,omitempty"`
	Group     string    `json:"group,omitempty"`     // members of that ring group
	Anonymous bool      `json:"anonymous,omitempty"` // the caller hides his number
	Trunk     string    `json:"trunk,omitempty"`     // the call came by that trunk
	Schedule  *Schedule `json:"schedule,omitempty"`
	Hours     string    `json:"hours,omitempty"` // outside these Hours
	Action    Action    `json:"action"`
	To        string    `json:"to,omitempty"` // of SendTo
	Set       Set       `json:"set,omitzero"`
}

// Action is what a Rule does with a call.
type Action string

// The actions of screening.
const (
	LetIn   Action = "allow"    // no further rule of this list is asked
	Reject  Action = "reject"   // 403 with Error-Info; 433 where the rule is about anonymous callers (RFC 5079)
	TellWhy Action = "announce" // the caller hears why, then the call ends
	SendTo  Action = "send"     // to another number
)

// Schedule is a time of the week.
type Schedule struct {
	Days []string `json:"days,omitempty"` // "mon" … "sun"; empty: every day
	From string   `json:"from,omitempty"` // "08:00"; both empty: the whole day
	To   string   `json:"to,omitempty"`   // "17:30", exclusive; before From: the next day
	Zone string   `json:"zone,omitempty"` // IANA name such as Europe/Berlin; "": the PBX's
}

// Group is a ring group: a number that several extensions answer.
type Group struct {
	Number       string   `json:"number"`
	Name         string   `json:"name"`
	Enabled      bool     `json:"enabled"`
	Strategy     Strategy `json:"strategy"`
	Members      []string `json:"members"`
	Seconds      int      `json:"seconds"`                 // how long a member rings, or with RingAll, everybody
	KeepForwards bool     `json:"keep_forwards,omitempty"` // members' own forwards and find-me apply
	Overflow     string   `json:"overflow,omitempty"`      // number to call when nobody answers; "": the caller is told
	Closed       Closed   `json:"closed,omitzero"`
	Set          Set      `json:"set,omitzero"`
}

// Strategy is the order in which the members of a group ring.
type Strategy string

// The strategies.
const (
	RingAll     Strategy = "all"
	InTurn      Strategy = "in order"
	RoundRobin  Strategy = "round robin"
	LongestIdle Strategy = "longest idle" // whose last call ended first
	Random      Strategy = "random"
)

// Hours are opening hours, with holidays and a switch.
type Hours struct {
	Name     string    `json:"name"`
	Zone     string    `json:"zone,omitempty"` // IANA name; "": the PBX's
	Open     []Span    `json:"open"`
	Holidays []Holiday `json:"holidays,omitempty"`
	Mode     string    `json:"mode,omitempty"` // "": by the clock; "day", "night": as switched
	Set      Set       `json:"set,omitzero"`   // of Mode
}

// Span is a time of some days of the week.
type Span struct {
	Days []string `json:"days"` // "mon" … "sun"
	From string   `json:"from"` // "08:00"
	To   string   `json:"to"`   // "17:30", exclusive; "24:00" is the end of the day
}

// Holiday is a closed day, or several, or one with other hours.
type Holiday struct {
	Name  string `json:"name"`
	First string `json:"first"`          // "2026-12-24"; "--12-25": every year
	Last  string `json:"last,omitempty"` // "": only First
	Open  []Span `json:"open,omitempty"` // Days are not looked at
}

// Office is what holds for all extensions.
type Office struct {
	Incoming      []Rule       `json:"incoming,omitempty"` // asked before the extension's own
	Outgoing      []Rule       `json:"outgoing,omitempty"`
	Classes       []ClassRule  `json:"classes,omitempty"`
	RedirectHosts []string     `json:"redirect_hosts,omitempty"` // domains whose users a redirection may name besides our own
	DayNight      string       `json:"day_night,omitempty"`      // Hours that *28 switches; "": "office"
	Codes         FeatureCodes `json:"codes,omitzero"`
}

// ClassRule says what a number costs, by its longest prefix. Numbers of the PBX itself are Internal; other numbers
// without a rule are Local.
type ClassRule struct {
	Prefix string `json:"prefix"`
	Class  string `json:"class"`
}

// Classes of calls, from the cheapest. Who may make calls of a class may make those before it.
var Classes = []string{"internal", "local", "national", "international", "premium"}

// FeatureCodes are the numbers that reach services of the PBX.
type FeatureCodes struct {
	Profile string            `json:"profile,omitempty"` // "ringback" (also ""), "fusionpbx" or "mikopbx"
	Changed map[string]string `json:"changed,omitempty"` // service → code; "": switched off
}

// Room is a conference room: a number where callers meet (RFC 4579).
type Room struct {
	Number           string `json:"number"`
	Name             string `json:"name"`
	Enabled          bool   `json:"enabled"`
	PINHash          string `json:"pin_hash,omitempty"`           // to be asked for; "": nobody is asked
	ModeratorPINHash string `json:"moderator_pin_hash,omitempty"` // makes a moderator of whoever knows it; "": everybody is one
	Limit            int    `json:"limit,omitempty"`              // members at a time; 0: 100
	Quiet            bool   `json:"quiet,omitempty"`              // nobody hears who comes and goes
	Muted            bool   `json:"muted,omitempty"`              // members come in muted; a moderator does not
	WaitForModerator bool   `json:"wait_for_moderator,omitempty"` // until one is there, members hear music
	EndWithModerator bool   `json:"end_with_moderator,omitempty"` // when the last moderator leaves, so do all
	Record           bool   `json:"record,omitempty"`             // conferences are recorded, and members told
	Set              Set    `json:"set,omitzero"`
}

// Private reports whether not everybody gets into the room.
func (r *Room) Private() bool { return r.PINHash != "" }

// Bounds of Room.Limit.
const (
	MinRoomLimit = 2
	MaxRoomLimit = 1000
)

// RoomPINs are new PINs of a Room, as people know them. nil leaves what there is, "" takes it away.
type RoomPINs struct{ PIN, Moderator *string }
