package e2e

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"ringback/pbx/pbxtest"
)

// doc is a JSON document of the REST API.
type doc = map[string]any

// to is a forward that is on.
func to(number string, more ...any) doc { return with(doc{"on": true, "to": number}, more...) }

var on, off = doc{"on": true}, doc{"on": false}

func with(d doc, more ...any) doc {
	for i := 0; i+1 < len(more); i += 2 {
		d[more[i].(string)] = more[i+1]
	}
	return d
}

// services changes what an extension has switched on: name and value, one after the other.
func (s *scene) services(number string, change ...any) {
	s.Helper()
	s.must(s.x.api(s.ctx, "PATCH", "/extensions/"+number+"/services", with(doc{}, change...), nil))
}

// has is one service of an extension as the API shows it, nil if it is not set.
func (s *scene) has(number, service string) doc {
	s.Helper()
	var all doc
	s.must(s.x.api(s.ctx, "GET", "/extensions/"+number+"/services", nil, &all))
	d, _ := all[service].(doc)
	return d
}

// group adds a ring group and returns its number.
func (s *scene) group(strategy string, members []*pbxtest.Phone, more ...any) string {
	s.Helper()
	var numbers []string
	for _, p := range members {
		numbers = append(numbers, p.User())
	}
	number := fmt.Sprint(lastNumber.Add(1))
	s.must(s.x.api(s.ctx, "POST", "/groups", with(doc{"number": number, "name": "Group " + number, "enabled": true, "strategy": strategy,
		"members": numbers, "seconds": 5}, more...), nil))
	return number
}

var everyDay = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// hours adds opening hours that are always open by the clock.
func (s *scene) hours(name string, more ...any) {
	s.Helper()
	s.must(s.x.api(s.ctx, "POST", "/hours", with(doc{"name": name, "zone": "Europe/Berlin",
		"open": []doc{{"days": everyDay, "from": "00:00", "to": "24:00"}}}, more...), nil))
}

// mode switches hours: "day", "night", or "" for the clock.
func (s *scene) mode(name, mode string) {
	s.Helper()
	s.must(s.x.api(s.ctx, "PUT", "/hours/"+name+"/mode", doc{"mode": mode}, nil))
}

// office changes what holds for all; for an exchange of one's own only.
func (s *scene) office(change ...any) {
	s.Helper()
	s.must(s.x.api(s.ctx, "PATCH", "/office", with(doc{}, change...), nil))
}

// The sounds of the PBX, with the tones of North America as it has them if nothing is said, as Hz that are heard one after the other.
type sound [][]float64

var (
	soundOn     = sound{{600}, {900}}
	soundOff    = sound{{900}, {600}}
	soundDone   = sound{{350, 440}, {350, 440}, {350, 440}}
	soundError  = sound{{950}, {1400}, {1800}}              // the special information tone of ITU-T E.180
	soundNumber = sound{{350, 440}, {350, 440}, {350, 440}} // dial tone
	soundPIN    = sound{{700}, {700}, {700}}
	soundPress1 = sound{{1000}, {1000}}
	congestion  = sound{{480, 620}}
)

// refusal is why a call cannot be: the special information tone, some pips and the congestion tone.
func refusal(pips int) sound {
	all := slices.Clone(soundError)
	for range pips {
		all = append(all, []float64{700})
	}
	return append(all, congestion...)
}

var (
	soundClosed     = refusal(2)
	soundNotAllowed = refusal(3)
	soundRejected   = refusal(4)
	soundAnonymous  = refusal(5)
)

// code dials a feature code: it is answered, says what became of it, and hangs up by itself.
func (s *scene) code(p *pbxtest.Phone, code string, says sound) {
	s.Helper()
	s.spoken(p, code, says)
}

// spoken is a call that the PBX answers by itself, says something in, and ends.
func (s *scene) spoken(p *pbxtest.Phone, number string, says sound) *pbxtest.CallLeg {
	s.Helper()
	l, err := p.Call(s.ctx, number)
	s.must(err)
	s.must(l.Answered(s.ctx))
	s.must(l.HearsInOrder(s.ctx, says...))
	s.must(l.Ended(s.ctx))
	if l.Bye() == nil {
		s.Errorf("%s did not end with BYE", l)
	}
	return l
}

// within is a context for what takes longer than a phone is patient.
func (s *scene) within(seconds int) context.Context {
	ctx, cancel := context.WithTimeout(s.ctx, time.Duration(seconds)*time.Second)
	s.Cleanup(cancel)
	return ctx
}

// idle waits until the exchange knows of no call of a number any more: its BYE is on the wire a moment before.
func (s *scene) idle(number string) {
	s.Helper()
	s.eventually("nobody calls "+number+" or is called by it", func() bool {
		found, err := s.x.about(s.ctx, "/calls", []string{"from", "to", "dialled"}, number)
		s.must(err)
		return len(found) == 0
	})
}

// arrives waits for a call at a phone, which rings.
func (s *scene) arrives(p *pbxtest.Phone) *pbxtest.CallLeg {
	s.Helper()
	l, err := p.Incoming(s.ctx)
	s.must(err)
	l.Ring()
	return l
}

// dials calls a number and does not wait.
func (s *scene) dials(p *pbxtest.Phone, number string, mods ...pbxtest.Mod) *pbxtest.CallLeg {
	s.Helper()
	l, err := p.Call(s.ctx, number, mods...)
	s.must(err)
	return l
}

// sentOn calls a number and finds the call at another's phone, which rings: the caller is told of the forward, and then of
// the ringing.
func (s *scene) sentOn(from *pbxtest.Phone, number string, to *pbxtest.Phone, mods ...pbxtest.Mod) (caller, callee *pbxtest.CallLeg) {
	s.Helper()
	caller = s.dials(from, number, mods...)
	callee = s.arrives(to)
	s.news(caller, 181, 180)
	return caller, callee
}

// talkAndEnd answers, checks that each hears the other, and hangs up.
func (s *scene) talkAndEnd(caller, callee *pbxtest.CallLeg) {
	s.Helper()
	s.answer(caller, callee)
	s.talk(caller, callee)
	s.over(caller, callee)
}

// rings calls a number that rings at a phone, and gives up.
func (s *scene) rings(from *pbxtest.Phone, number string, at *pbxtest.Phone) {
	s.Helper()
	l := s.dials(from, number)
	callee := s.arrives(at)
	s.must(l.Gets(s.ctx, 180))
	s.must(l.Cancel(s.ctx))
	s.must(callee.Ended(s.ctx))
}

// refused calls a number and returns the failure, which has one of these statuses.
func (s *scene) refused(from *pbxtest.Phone, number string, want ...int) *pbxtest.Message {
	s.Helper()
	m, err := s.dials(from, number).Failed(s.ctx)
	return s.status(m, err, want...)
}

// news waits until the caller has got these responses, in this order, and no others.
func (s *scene) news(l *pbxtest.CallLeg, want ...int) {
	s.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got := l.Statuses()
		if slices.Equal(got, want) {
			return
		}
		if len(got) > len(want) || time.Now().After(end) {
			s.Fatalf("%s: the responses are %v, not %v", l, got, want)
		}
	}
}

// quiet: these phones were never called.
func (s *scene) quiet(phones ...*pbxtest.Phone) {
	s.Helper()
	for _, p := range phones {
		if n := p.Count("INVITE"); n > 0 {
			s.Errorf("%s was called %d times", p.Name(), n)
		}
	}
}

// ringsOut waits until the PBX gives up a phone that rings: CANCEL, and not because somebody else has answered.
func (s *scene) ringsOut(l *pbxtest.CallLeg) {
	s.Helper()
	if r := s.cancelled(l); strings.Contains(r, "cause=200") {
		s.Errorf("%s: the Reason of the CANCEL is %q, and nobody has answered", l, r)
	}
}

// elsewhere waits until a phone that rings is told that another has answered.
func (s *scene) elsewhere(l *pbxtest.CallLeg) {
	s.Helper()
	if r := s.cancelled(l); r != `SIP;cause=200;text="Call completed elsewhere"` {
		s.Errorf("%s: the Reason of the CANCEL is %q", l, r)
	}
}

// plan is what GET /plan says of a call, as text.
func (s *scene) plan(from, to string) string { return s.planAt(from, to, "") }

// planAt is plan of another time, if it is not "".
func (s *scene) planAt(from, to, at string) string {
	s.Helper()
	var p struct {
		Text string `json:"text"`
		Plan struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"plan"`
	}
	s.must(s.x.api(s.ctx, "GET", "/plan?from="+url.QueryEscape(from)+"&to="+url.QueryEscape(to)+"&at="+url.QueryEscape(at), nil, &p))
	if p.Text == "" || !strings.Contains(p.Text, p.Plan.Text) || p.Plan.Type == "" {
		s.Errorf("the plan of %s calling %s is %+v", from, to, p)
	}
	return p.Text
}

// record is a call record as far as scenes look at it.
type record struct {
	Outcome, Plan string
	Status        int
	By            string `json:"answered_by"`
	EndedBy       string `json:"ended_by"`
	CallID        string `json:"call_id"`
	Path          []struct{ Node, Outcome string }
}

// way is what became of each node that the call came through, a line each.
func (r record) way() []string {
	var all []string
	for _, p := range r.Path {
		all = append(all, p.Node+": "+p.Outcome)
	}
	return all
}

// record waits for that of the newest call that a phone has made to a number.
func (s *scene) record(from, to string) record {
	s.Helper()
	callID := ""
	for _, p := range s.phones {
		for _, l := range p.Legs() {
			if p.User() == from && !l.Incoming {
				callID = l.CallID
			}
		}
	}
	var found struct{ Items []record }
	s.eventually("there is a record of "+from+" calling "+to, func() bool {
		s.must(s.x.api(s.ctx, "GET", "/cdrs?from="+url.QueryEscape(from)+"&to="+url.QueryEscape(to), nil, &found))
		return len(found.Items) > 0 && found.Items[0].EndedBy != "" && (callID == "" || found.Items[0].CallID == callID)
	})
	return found.Items[0]
}

// number is how a party is shown in a header.
func number(value string) string { return pbxtest.UserOf(pbxtest.AddrOf(value)) }
