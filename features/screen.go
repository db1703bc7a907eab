package features

import (
	"slices"
	"strings"

	"ringback/pbx"
)

// ScreenIncoming asks the rules of the office, then those of the subscriber, whether a caller gets through. In each list the first rule
// that matches decides. It goes by the authenticated caller, whatever the call came by.
func ScreenIncoming(r *route, ext *pbx.Extension, inside plan) pbx.Target {
	if len(ext.Services.Incoming) == 0 && len(r.Directory.Office().Incoming) == 0 {
		return inside(r)
	}
	own := screening{by: ext, other: r.from.Number, from: r.from, whose: ext.Number, favour: !r.from.Hidden}
	return r.screenedByOffice(func(r *route) pbx.Target { return r.screened(own, ext.Services.Incoming, inside) })
}

// screenedByOffice asks the rules of the office for incoming calls alone.
func (r *route) screenedByOffice(inside plan) pbx.Target {
	s := screening{other: r.from.Number, from: r.from, whose: "the office", favour: true}
	return r.screened(s, r.Directory.Office().Incoming, inside)
}

// ScreenOutgoing asks the rules of the office, then those of the subscriber, whether he may call a number, also by a forward.
func ScreenOutgoing(r *route, by *pbx.Extension, number string, inside plan) pbx.Target {
	office := r.Directory.Office().Outgoing
	if len(by.Services.Outgoing) == 0 && len(office) == 0 {
		return inside(r)
	}
	s := screening{by: by, other: number, from: r.from, outgoing: true, whose: "the office", favour: true}
	own := s
	own.whose = by.Number
	return r.screened(s, office, func(r *route) pbx.Target { return r.screened(own, by.Services.Outgoing, inside) })
}

// screening is whom a list of rules is asked about.
type screening struct {
	by       *pbx.Extension // whose permissions a call has that a rule sends elsewhere; nil: nobody's
	other    string         // number of the other party
	from     pbx.Identity   // the caller
	outgoing bool
	whose    string // rules they are
	// favour says that rules may also let in or send on by the number. By the rules of a subscriber a hidden number is only
	// kept out: else he could tell from where a call arrives who it is that hides.
	favour bool
}

// screened asks rules, and what is inside if none keeps the call from it.
func (r *route) screened(s screening, rules []pbx.Rule, inside plan) pbx.Target {
	for i := range rules {
		rule := &rules[i]
		if !r.matches(s, rule) {
			continue
		}
		when, never := r.whenOf(rule)
		if never {
			continue
		}
		t := r.decide(s, rule, inside)
		if when == nil {
			return t
		}
		return pbx.When(when, r.at, t, r.screened(s, rules[i+1:], inside))
	}
	return inside(r)
}

// matches reports whether all conditions of a rule hold but for those on the time.
func (r *route) matches(s screening, rule *pbx.Rule) bool {
	if rule.Trunk != "" { // no call comes by a trunk yet
		return false
	}
	if rule.Anonymous && !s.from.Hidden && s.from.Number != "" {
		return false
	}
	if s.outgoing && rule.Action == pbx.SendTo && rule.To == s.other { // that is where it goes
		return false
	}
	byNumber := len(rule.Numbers) > 0 || len(rule.Prefixes) > 0 || rule.Group != ""
	if byNumber && !s.favour && (rule.Action == pbx.LetIn || rule.Action == pbx.SendTo) {
		return false
	}
	if len(rule.Numbers) > 0 && !slices.Contains(rule.Numbers, s.other) {
		return false
	}
	if len(rule.Prefixes) > 0 && !slices.ContainsFunc(rule.Prefixes, func(p string) bool { return strings.HasPrefix(s.other, p) }) {
		return false
	}
	return rule.Group == "" || r.inGroup(s.other, rule.Group)
}

// inGroup reports whether a number is that of a group, or of a member of it.
func (r *route) inGroup(number, group string) bool {
	if number == group {
		return true
	}
	g := r.Directory.Group(group)
	return g != nil && slices.Contains(g.Members, r.self(number))
}

// decide is what a rule makes of a call.
func (r *route) decide(s screening, rule *pbx.Rule, inside plan) pbx.Target {
	o := pbx.Outcome{Kind: pbx.Screened, By: pbx.System, Status: 403, Announced: "rejected"}
	switch {
	case rule.Anonymous: // RFC 5079
		o.Status, o.Announced = 433, "anonymous-rejected"
	case s.outgoing:
		o.Announced = "not-allowed"
	}
	var t pbx.Target
	switch rule.Action {
	case pbx.LetIn:
		t = inside(r)
	case pbx.SendTo:
		t = r.sent(s, rule.To)
	case pbx.TellWhy:
		t = pbx.Announce(o.Announced, o)
	default:
		t = pbx.Refuse(o)
	}
	what := "a rule of " + s.whose
	if rule.Name != "" {
		what = "rule " + rule.Name + " of " + s.whose
	}
	return r.because(what, rule.Set, t)
}

// sent is the call sent to another number than the one called.
func (r *route) sent(s screening, to string) pbx.Target {
	if !s.outgoing {
		return r.divert(s.by, to, causeAlways, 0)
	}
	on := r.reaching(r.self(s.other), s.other) // so that two rules cannot send it to and fro
	return on.divert(s.by, to, causeAlways, r.wait)
}
