package pbx_test

import (
	"context"
	"testing"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// BenchmarkCall is a call's way through call control alone: Incoming, the plan, 180, 200, BYE, record. The line says at once
// what phones would, and has no messages. Calls could be recorded, but are not.
func BenchmarkCall(b *testing.B) {
	for _, bench := range []struct {
		name string
		plan pbx.Target
	}{
		{"ring", pbx.Ring("1001", 20*time.Second)},
		{"else", pbx.Else(pbx.Because("set by 1001", pbx.Ring("1001", 20*time.Second)), pbx.On(pbx.Refuse(pbx.NotFound), pbx.Busy, pbx.NoAnswer))},
		{"two phones", pbx.Fork(pbx.Ring("1001", 20*time.Second), pbx.Ring("1002", 20*time.Second))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := &instant{over: make(chan pbx.CDR, 1), answered: make(chan struct{}, 1)}
			l.sb = pbx.New(pbx.Options{Line: l, Journal: l, Directory: l, Recordings: l, NewCapture: pbxtest.NewCapture,
				Route: func(*pbx.Call) pbx.Target { return bench.plan }})
			defer l.sb.Close()
			b.ReportAllocs()
			for b.Loop() {
				caller := l.leg("1000", true)
				l.sb.Incoming(caller, "1001", 70)
				<-l.answered
				l.sb.Ended(caller, pbx.Hangup.ByWhom(pbx.Caller))
				if r := <-l.over; r.Outcome != "answered" {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}

// instant is a Line, a Journal and a Directory that take no time.
type instant struct {
	sb       *pbx.Switchboard
	answered chan struct{}
	over     chan pbx.CDR
}

func (l *instant) leg(number string, incoming bool) *pbx.Leg {
	s := &instantLeg{line: l}
	s.self = pbx.NewLeg(s, "1", incoming, pbx.Identity{Number: number}, pbx.Contact{Extension: number, Number: number, URI: "sip:" + number + "@192.0.2.1"}, "1")
	return s.self
}

func (l *instant) Contacts(extension string) []pbx.Contact {
	return []pbx.Contact{{Extension: extension, Number: extension, ID: extension}}
}

var nobody = new(pbx.Extension)

func (l *instant) Extension(string) *pbx.Extension { return nobody }

// instant is a RecordingStore and its tapes too.
func (l *instant) Record(pbx.Recording) (string, pbx.Tape, error) { return "1", l, nil }
func (l *instant) Write([]int16) bool                             { return true }
func (l *instant) Keep(context.Context) error                     { return nil }
func (l *instant) Drop()                                          {}
func (l *instant) Miss(string)                                    {}

// Dial has 1001 answer, and any other phone ring.
func (l *instant) Dial(ctx context.Context, inv pbx.Invitation) (*pbx.Leg, pbx.Outcome) {
	inv.Progress(pbx.Progress{Status: 180})
	if inv.To.Extension != "1001" {
		<-ctx.Done()
		return nil, context.Cause(ctx).(pbx.Outcome)
	}
	return l.leg(inv.To.Extension, false), pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200}
}

func (l *instant) Message(context.Context, pbx.Contact, pbx.Message) pbx.Outcome { return pbx.NotFound }
func (l *instant) Bindings(string, []pbx.Binding, func(error))                   {}
func (l *instant) Answered(pbx.CDR) error                                        { return nil }
func (l *instant) Ended(r pbx.CDR)                                               { l.over <- r }

// instantLeg is a leg of it.
type instantLeg struct {
	line *instant
	self *pbx.Leg
}

func (*instantLeg) Progress(pbx.Progress)        {}
func (s *instantLeg) Answer([]media.Codec) error { s.line.answered <- struct{}{}; return nil }
func (s *instantLeg) Refuse(o pbx.Outcome)       { s.line.sb.Ended(s.self, o) }
func (s *instantLeg) Hangup(o pbx.Outcome)       { s.line.sb.Ended(s.self, o) }
func (*instantLeg) Info(string, []byte)          {}
func (*instantLeg) TakesInfo() bool              { return true }
func (*instantLeg) Renegotiate([]media.Codec)    {}
func (*instantLeg) Automaton()                   {}
func (*instantLeg) Focus()                       {}
func (*instantLeg) Port() media.Port             { return nil }
func (*instantLeg) Offered() []media.Codec       { return []media.Codec{media.PCMU, media.PCMA} }
