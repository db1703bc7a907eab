package web

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ringback/pbx"
)

// describeTypes says in the API's description what the fields of pbx's types mean: pbx itself knows nothing of HTTP.
// Routes that use the types are registered after it.
func describeTypes(r huma.Registry) {
	for _, t := range []reflect.Type{reflect.TypeFor[services](), reflect.TypeFor[pbx.Group](), reflect.TypeFor[pbx.Menu](), reflect.TypeFor[room](), reflect.TypeFor[mailbox](),
		reflect.TypeFor[pbx.VoiceMessage](), reflect.TypeFor[pbx.Recording](), reflect.TypeFor[pbx.Hours](), reflect.TypeFor[pbx.Office](),
		reflect.TypeFor[pbx.Node](), reflect.TypeFor[pbx.CDR]()} {
		r.Schema(t, true, "")
	}
	for name, text := range meanings {
		p := property(r, name)
		p.Description = text
		if strings.HasSuffix(name, ".set") {
			p.ReadOnly = true
		}
		if p.Type == huma.TypeArray { // a list that is left out is empty; null is for what PATCH clears
			p.Nullable = false
		}
	}
	for name, words := range choices {
		p := property(r, name)
		if p.Type == huma.TypeArray {
			p = p.Items
		}
		for _, w := range words {
			p.Enum = append(p.Enum, w)
		}
	}
	var kinds []any
	for k := pbx.Answered; k <= pbx.Failed; k++ {
		kinds = append(kinds, k.String())
	}
	on := property(r, "Node.on") // huma takes a list of small numbers for bytes, though each is a word in JSON
	on.Type, on.ContentEncoding, on.Items = huma.TypeArray, "", &huma.Schema{Type: huma.TypeString, Enum: kinds}
	for _, s := range []*huma.Schema{r.Map()["Group"], r.Map()["Room"], r.Map()["Menu"], r.Map()["Mailbox"]} { // these have defaults; what is disabled says so itself
		s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return name == "name" || name == "strategy" || name == "seconds" })
	}
	for _, s := range r.Map() {
		s.PrecomputeMessages()
	}
}

// property is "Type.property" of the description. A name that is not there is a mistake in the tables below.
func property(r huma.Registry, name string) *huma.Schema {
	typeName, field, _ := strings.Cut(name, ".")
	if s := r.Map()[typeName]; s != nil && s.Properties[field] != nil {
		return s.Properties[field]
	}
	panic("web: nothing is called " + name)
}

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// choices are the values of fields that have few.
var choices = map[string][]string{
	"Services.redirect":    {"", string(pbx.PassOn), string(pbx.NoOther)},
	"Services.class":       append([]string{""}, pbx.Classes...),
	"Forward.answer":       {"", "redirect"},
	"Rule.action":          {string(pbx.LetIn), string(pbx.Reject), string(pbx.TellWhy), string(pbx.SendTo)},
	"Schedule.days":        days,
	"Span.days":            days,
	"Group.strategy":       {string(pbx.RingAll), string(pbx.InTurn), string(pbx.RoundRobin), string(pbx.LongestIdle), string(pbx.Random)},
	"Hours.mode":           {"", "day", "night"},
	"ClassRule.class":      pbx.Classes,
	"FeatureCodes.profile": {"", "ringback", "fusionpbx", "mikopbx"},
}

// meanings are what fields mean.
var meanings = map[string]string{
	"Set.by": "Whose doing it was: the number of an extension (by its phone), the name of a token or user, or \"local\" for the Unix socket.",
	"Set.at": "When.",

	"Switch.on":  "Whether it is on.",
	"Switch.set": "Who switched it, and when.",

	"Services.forward_always":      "Every call goes elsewhere.",
	"Services.forward_busy":        "Where calls go while the line is in use; also when the phone rejects the call, and instead of do-not-disturb's busy.",
	"Services.forward_no_answer":   "Where calls go that nobody answers; also when no phone is there, unless forward_unreachable is on.",
	"Services.forward_unreachable": "Where calls go when no phone is registered, or none gives a sign.",
	"Services.do_not_disturb":      "The phones do not ring: callers get busy.",
	"Services.one_call":            "Call waiting is off: busy while a call is up.",
	"Services.hide_number":         "Called parties are not shown its number and name.",
	"Services.find_me":             "Places where the person is looked for, one step after the other.",
	"Services.closed":              "Where calls go outside opening hours.",
	"Services.incoming":            "Screening of calls to it: the first rule that matches decides.",
	"Services.outgoing":            "Screening of calls by it: the first rule that matches decides.",
	"Services.class":               "The dearest class of call allowed, see classes of the office; \"\": every one.",
	"Services.redirect":            "What a redirection (3xx) by its phone does: \"\" the PBX follows it to extensions and permitted hosts, \"pass\" the caller gets it, \"refuse\" it counts as a refusal.",
	"Services.music":               "The class of music that those hear whom it puts on hold: a directory of the data directory's music/; \"\", or one that is not there: the usual.",
	"Services.voicemail":           "Whoever nobody takes the call of may leave a message: no answer, busy, rejected, or no phone is there; a forward of the same case comes first. Switched on for an extension without a mailbox it makes one, of its number.",
	"Services.record":              "Which of its calls are recorded.",
	"Services.speed_dials":         "What is dialled after the speed dial code, and the number it stands for.",

	"Forward.on":     "Whether it is on; one that is off keeps its target for when it is switched on by code.",
	"Forward.to":     "Any number that the extension itself may dial.",
	"Forward.after":  "No answer: seconds it rings before; 0: ring_seconds of the extension.",
	"Forward.ring":   "Seconds that the target rings; 0: as long as it does anyway.",
	"Forward.answer": "\"\": the PBX calls the target; \"redirect\": it answers 302, so that the caller's side does.",
	"Forward.set":    "Who changed it last, and when.",

	"Voicemail.on":    "Whether it is on.",
	"Voicemail.box":   "Number of the mailbox; \"\": the extension's own.",
	"Voicemail.after": "No answer: seconds it rings before; 0: ring_seconds of the extension.",
	"Voicemail.set":   "Who changed it last, and when.",

	"RecordPolicy.incoming":  "All calls that it answers.",
	"RecordPolicy.outgoing":  "All calls that it makes.",
	"RecordPolicy.on_demand": "It may begin and end a recording by *1 in a call.",
	"RecordPolicy.announce":  "Both parties are told when a recording begins.",
	"RecordPolicy.set":       "Who changed it last, and when.",

	"FindMe.on":       "Whether it is on.",
	"FindMe.steps":    "Tried one after the other.",
	"FindMe.schedule": "When it holds; left out: always.",
	"FindMe.set":      "Who changed it last, and when.",
	"Step.places":     "Ring at a time.",
	"Step.seconds":    "How long they ring; 0: ring_seconds of the extension.",
	"Place.number":    "Any number that the extension itself may dial; its own stands for its phones.",
	"Place.confirm":   "Who answers has to press 1, so that no machine takes the call.",

	"Closed.hours": "Name of opening hours; \"\": always open.",
	"Closed.to":    "Number that calls go to outside of them; \"\": the caller is told, and the call ends.",
	"Closed.set":   "Who changed it last, and when.",

	"Rule.name":      "For people: shown with the plan.",
	"Rule.numbers":   "The other party has one of these numbers. Of the conditions that are given all must hold.",
	"Rule.prefixes":  "The other party's number begins with one of these.",
	"Rule.group":     "The other party is a member of the ring group of this number.",
	"Rule.anonymous": "The caller hides his number.",
	"Rule.trunk":     "The call came by this trunk.",
	"Rule.schedule":  "It is this time of the week.",
	"Rule.hours":     "It is outside the opening hours of this name.",
	"Rule.action":    "\"allow\": no further rule of the list is asked; \"reject\": 403 with an announcement in Error-Info, 433 where the rule is about anonymous callers; \"announce\": the caller hears why; \"send\": the call goes to another number.",
	"Rule.to":        "Number that \"send\" sends the call to.",
	"Rule.set":       "Who changed it last, and when.",

	"Schedule.days": "Left out: every day.",
	"Schedule.from": "Such as \"08:00\"; without from and to: the whole day.",
	"Schedule.to":   "Such as \"17:30\", exclusive; before from: on the next day.",
	"Schedule.zone": "IANA time zone such as Europe/Berlin; \"\": that of the PBX.",

	"Group.number":        "What is dialled to reach it.",
	"Group.name":          "For people; the number when left out.",
	"Group.enabled":       "A disabled group cannot be called.",
	"Group.strategy":      "In which order the members ring: all at a time, in order, round robin, the one whose last call ended first, or random; left out: all.",
	"Group.members":       "Numbers of extensions, in order.",
	"Group.seconds":       "How long a member rings, or with \"all\" everybody; left out: 25.",
	"Group.keep_forwards": "Members' own forwards and find-me apply.",
	"Group.overflow":      "Number that is called when nobody answers; \"\": the caller is told.",
	"Group.closed":        "Where calls go outside opening hours.",
	"Group.set":           "Who changed it last, and when.",

	"Menu.number":         "What is dialled to reach it.",
	"Menu.name":           "For people; the number when left out.",
	"Menu.enabled":        "A disabled menu cannot be called.",
	"Menu.prompt":         "Name of the prompt that is played, as in /prompts, or of several with commas between; \"\": that an extension may be dialled.",
	"Menu.keys":           "What callers may type, 1 to 8 digits or *, and the number that it calls: any of an extension, group, room or menu.",
	"Menu.dial_extension": "The number of an extension may be typed, too.",
	"Menu.seconds":        "How long the first key after the prompt is waited for; 0: 5.",
	"Menu.tries":          "How often the caller is asked; 0: 3.",
	"Menu.timeout":        "Number that is called when nothing was typed in the end; \"\": the caller is told goodbye.",
	"Menu.invalid":        "Number that is called when what was typed in the end leads nowhere; \"\": the caller is told goodbye.",
	"Menu.set":            "Who changed it last, and when.",

	"Room.number":             "What is dialled to reach it.",
	"Room.name":               "For people; the number when left out.",
	"Room.enabled":            "A disabled room cannot be called.",
	"Room.limit":              "How many members there may be at a time, 2 to 1000; 0: 100.",
	"Room.quiet":              "Nobody hears who comes and goes.",
	"Room.muted":              "Members come in muted; moderators do not.",
	"Room.wait_for_moderator": "Until a moderator is there, members hear music.",
	"Room.end_with_moderator": "When the last moderator leaves, so does everybody.",
	"Room.record":             "Conferences are recorded, and members told.",
	"Room.set":                "Who changed it last, and when.",

	"Mailbox.number":       "Usually that of the extension whose messages it keeps. It is not dialled itself; calls go to it as mailbox. and the number, such as mailbox.1000, in forwards, menus and groups.",
	"Mailbox.name":         "For people; the number when left out.",
	"Mailbox.enabled":      "A disabled mailbox takes no messages, and nobody hears them by phone.",
	"Mailbox.skip_pin":     "The phones of the extension of that number are not asked for the PIN.",
	"Mailbox.email":        "Address where new messages are announced; \"\": nowhere.",
	"Mailbox.attach":       "The e-mail has the message with it.",
	"Mailbox.delete_sent":  "A message whose sound was sent is not kept here.",
	"Mailbox.operator":     "Number that is called for a caller who presses 0 instead of leaving a message; \"\": none.",
	"Mailbox.max_messages": "How many messages it keeps, up to 1000; 0: 100.",
	"Mailbox.max_seconds":  "How long a message may be, 10 to 1800 seconds; 0: 180.",
	"Mailbox.set":          "Who changed it last, and when.",

	"VoiceMessage.id":        "Unique; sorts by time.",
	"VoiceMessage.mailbox":   "Number of the mailbox.",
	"VoiceMessage.call":      "ID of the call's record.",
	"VoiceMessage.from":      "Number of the caller; absent where he hid it.",
	"VoiceMessage.from_name": "Display name of the caller, likewise.",
	"VoiceMessage.at":        "When it was begun.",
	"VoiceMessage.length_ns": "How long it is, in nanoseconds.",
	"VoiceMessage.urgent":    "It comes before others.",
	"VoiceMessage.heard":     "Somebody has heard it; it is not new any more.",

	"Recording.id":        "Unique; sorts by time.",
	"Recording.call":      "ID of the call's record; absent for a conference.",
	"Recording.room":      "Number of the conference room; absent for a call.",
	"Recording.from":      "Who called.",
	"Recording.to":        "Who answered; the number as dialled where that is nobody of the PBX.",
	"Recording.by":        "Whose doing it was: an extension, a token or user, or the policy of an extension or a room.",
	"Recording.started":   "When it was begun.",
	"Recording.length_ns": "How long it is, in nanoseconds.",
	"Recording.bytes":     "Size of the file.",
	"Recording.channels":  "2: the caller is left and the called party right; 1: a conference.",
	"Recording.problem":   "Why something is missing; absent where nothing is.",

	"Hours.name":     "How extensions, groups and rules name them.",
	"Hours.zone":     "IANA time zone such as Europe/Berlin; \"\": that of the PBX.",
	"Hours.open":     "When it is open.",
	"Hours.holidays": "Days that are different.",
	"Hours.mode":     "\"\": by the clock; \"day\" and \"night\": as switched.",
	"Hours.set":      "Who set the mode, and when.",
	"Span.days":      "Days of the week.",
	"Span.from":      "Such as \"08:00\".",
	"Span.to":        "Such as \"17:30\", exclusive; \"24:00\" is the end of the day.",
	"Holiday.name":   "For people: shown with the plan.",
	"Holiday.first":  "Such as \"2026-12-24\"; \"--12-25\": every year.",
	"Holiday.last":   "Last day; left out: only the first.",
	"Holiday.open":   "When it is open all the same; days are not looked at.",

	"Office.incoming":       "Screening of calls to every extension, asked before the extension's own.",
	"Office.outgoing":       "Screening of calls by every extension, asked before the extension's own.",
	"Office.classes":        "What numbers cost, by their longest prefix. Numbers of the PBX itself are internal, other numbers without a rule local.",
	"Office.redirect_hosts": "Domains whose users a phone's redirection may name, besides those of the PBX.",
	"Office.day_night":      "Name of the hours that the day/night code switches; \"\": \"office\".",
	"Office.codes":          "Feature codes.",
	"ClassRule.prefix":      "Beginning of the numbers.",
	"ClassRule.class":       "Who may make calls of a class may make those before it.",
	"FeatureCodes.profile":  "Which codes there are: \"ringback\" (also \"\"), \"fusionpbx\" or \"mikopbx\".",
	"FeatureCodes.changed":  "Other codes than those of the profile, by service as GET /codes names it; \"\": switched off.",

	"Node.type":   "\"ring\", \"else\", \"fork\", \"in order\", \"hunt\", \"when\", \"divert\", \"refuse\" …",
	"Node.text":   "One line for people.",
	"Node.reason": "Why it is part of the plan.",
	"Node.on":     "The outcomes of the node above that lead here.",
	"Node.if":     "The answer to the question of the node above that leads here.",
	"Node.chosen": "That is the answer at the time of the plan.",
	"Node.then":   "What is below, in order.",

	"CDR.id":              "Unique; sorts by the start.",
	"CDR.from":            "Who called.",
	"CDR.from_name":       "Display name of the caller.",
	"CDR.hidden":          "The caller hid his number: only those who administer the PBX see it.",
	"CDR.to":              "Number as dialled.",
	"CDR.started":         "When the call came.",
	"CDR.rang":            "When the first phone rang.",
	"CDR.answered":        "When it was answered.",
	"CDR.ended":           "When it was over.",
	"CDR.answered_by":     "Extension that answered.",
	"CDR.contact":         "URI of the phone that answered.",
	"CDR.outcome":         "How it ended, in words.",
	"CDR.status":          "SIP status that the caller got; left out if answered.",
	"CDR.cause":           "Q.850 cause.",
	"CDR.ended_by":        "Whose doing the end was: caller, callee, system, network or admin.",
	"CDR.reason":          "Text that came with the end.",
	"CDR.codec":           "What the caller sent.",
	"CDR.call_id":         "SIP Call-ID of the caller's leg.",
	"CDR.plan":            "Where the call was to go: a tree, one line a node.",
	"CDR.path":            "What came of the plan, in the order of time.",
	"CDR.recorded":        "Recordings of the call, in the order of time; those that were removed since are named, too.",
	"Recorded.id":         "As in /recordings; absent where there is none: problem says why.",
	"Recorded.by":         "Whose doing it was: an extension, a token or user, or the policy of an extension.",
	"Recorded.started":    "When it was begun.",
	"Recorded.ended":      "When it was ended.",
	"Recorded.problem":    "Why something is missing; absent where nothing is.",
	"CDR.from_phone":      "The sound of the caller's leg.",
	"CDR.to_phone":        "The sound of the leg that answered.",
	"Passed.node":         "Node of the plan.",
	"Passed.at":           "When the call came to it.",
	"Passed.until":        "When it was done with.",
	"Passed.outcome":      "How it ended; \"\" while it lasts.",
	"Quality.packets_in":  "RTP packets from the phone.",
	"Quality.packets_out": "RTP packets to the phone.",
	"Quality.lost_in":     "Packets lost on the way from the phone.",
	"Quality.lost_out":    "Packets lost on the way to the phone, as it reports; with those that the other phone's way had lost already.",

	"Quality.jitter_in_ns":  "Jitter of what comes from the phone, in nanoseconds.",
	"Quality.jitter_out_ns": "Jitter of what goes to the phone, as it reports, in nanoseconds.",
	"Quality.round_trip_ns": "Time to the phone and back, by RTCP, in nanoseconds; absent where the phone did not help to measure it.",
	"Quality.mos_in":        "Mean opinion score, 1 to 4.5, of what comes from the phone, estimated by the E-model (ITU-T G.107); absent where it is not known.",
	"Quality.mos_out":       "Mean opinion score, 1 to 4.5, of what goes to the phone, estimated likewise from what it reports; absent where it does not.",
}
