package pbx

import (
	"context"
	"slices"

	"ringback/media"
)

// Service answers the call by the PBX itself. talk holds the conversation; then the PBX hangs up, or if talk gives
// a target, the call goes on to that: the caller, who is answered already, then hears tones. name is shown with the plan, and
// so is then, where the call may go on to.
func Service(name string, talk func(ctx context.Context, t *Talk) Target, then ...Target) Target {
	return service{name: name, talk: talk, then: then}
}

// Announcement answers as a machine that nobody talks to (automaton, RFC 3840), plays a prompt and hangs up.
func Announcement(prompt string) Target {
	return service{name: "announcement " + prompt, automaton: true, talk: func(ctx context.Context, t *Talk) Target {
		t.Play(ctx, prompt)
		return nil
	}}
}

type service struct {
	name      string
	automaton bool
	focus     bool
	talk      func(context.Context, *Talk) Target
	then      []Target
}

func (s service) Node() Node     { return inner("service", s, s.then) }
func (s service) String() string { return s.name }

func (s service) Reach(ctx context.Context, c *Call) (*Leg, Outcome) {
	switch caller := c.Caller(); {
	case caller == nil:
	case s.automaton:
		caller.Automaton()
	case s.focus:
		caller.Focus()
	}
	leg, o := c.Answer(spoken(c.Offered()))
	if leg == nil {
		return nil, o
	}
	t := c.sb.talk(c, leg)
	if !t.listen() { // another branch has him
		return nil, Elsewhere
	}
	next := s.converse(ctx, t)
	if next == nil || !t.there(ctx) { // who has gone is not looked for any more, though ctx may end a moment later
		return nil, t.ends
	}
	return c.Reach(ctx, next)
}

func (s service) converse(ctx context.Context, t *Talk) Target {
	defer t.end()
	return s.talk(ctx, t)
}

// spoken are the codecs in which the PBX itself can talk, of those offered, in the phone's order: who prefers G.722 hears prompts and
// conferences in its full width, and keeps it when the call goes on to a phone that has it. Where keys can only come in the sound,
// it is G.711, in which they are heard, if that was offered.
func spoken(offered []media.Codec) []media.Codec {
	if offered == nil {
		return []media.Codec{media.PCMU, media.PCMA, media.Telephone}
	}
	speaks := media.Codec.Linear
	if !slices.ContainsFunc(offered, media.Codec.IsEvent) && slices.ContainsFunc(offered, isG711) {
		speaks = isG711
	}
	return slices.DeleteFunc(slices.Clone(offered), func(c media.Codec) bool { return !speaks(c) && !c.IsEvent() })
}

func isG711(c media.Codec) bool { return c.Same(media.PCMU) || c.Same(media.PCMA) }
