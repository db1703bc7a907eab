package pbx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// all reads what a Listener has without waiting.
func all(t *testing.T, l *pbx.Listener) (events []pbx.Event) {
	t.Helper()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		before := len(events)
		var err error
		if events, err = l.Next(done, events); err != nil {
			if !errors.Is(err, context.Canceled) || len(events) != before {
				t.Fatal(err, len(events))
			}
			return events
		}
		if len(events) == before {
			t.Fatal("Next returned nothing, and no error")
		}
	}
}

func mailbox(f *pbx.Feed, n int) {
	for range n {
		f.MailboxChanged("1000", pbx.MessageCount{New: n})
	}
}

func TestFeedOrder(t *testing.T) {
	f := pbx.NewFeed()
	if e := all(t, f.Listen(f.Last())); e != nil {
		t.Fatal(e)
	}
	early := f.Listen(f.Last())
	mailbox(f, 1000)
	events := all(t, early)
	if len(events) != 1000 {
		t.Fatal(len(events))
	}
	for i, e := range events {
		if e.ID.Number != uint64(i+1) || e.ID.Run != f.Last().Run || e.Type != pbx.MailboxChange || e.Mailbox != "1000" || e.At.IsZero() || e.At.Location() != time.UTC {
			t.Fatal(i, e)
		}
	}
	if e := all(t, f.Listen(events[989].ID)); len(e) != 10 || e[0].ID != events[990].ID {
		t.Error(e)
	}
	if f.Last() != events[999].ID {
		t.Error(f.Last())
	}
}

// TestFeedGap: who is too slow is told how much it lost, and goes on; and so is who comes from another run.
func TestFeedGap(t *testing.T) {
	const kept = 4096
	f := pbx.NewFeed()
	slow := f.Listen(f.Last())
	mailbox(f, kept)
	exact := f.Listen(pbx.EventID{Run: f.Last().Run})
	if e := all(t, exact); len(e) != kept || e[0].ID.Number != 1 {
		t.Error(len(e), "events of those kept")
	}
	mailbox(f, 100)
	e := all(t, slow)
	if len(e) != kept+1 || e[0].Type != pbx.EventGap || e[0].Data != (pbx.Gap{Lost: 100}) || e[0].ID.Number != 100 || e[1].ID.Number != 101 {
		t.Fatal(len(e), e[0], e[1])
	}
	if again := all(t, f.Listen(e[0].ID)); len(again) != kept || again[0].ID != e[1].ID { // a gap's ID is a place to go on from
		t.Error(len(again), again[0])
	}
	other := e[9].ID
	other.Run++
	for _, id := range []pbx.EventID{{}, other, {Run: other.Run - 1, Number: 1 << 60}} {
		if e := all(t, f.Listen(id)); len(e) != kept+1 || e[0].Data != (pbx.Gap{Lost: 100, Restart: true}) {
			t.Error(id, len(e), e[0])
		}
	}
	fresh := pbx.NewFeed()
	if e := all(t, fresh.Listen(other)); len(e) != 1 || e[0].Data != (pbx.Gap{Restart: true}) {
		t.Error(e)
	}
}

func TestEventID(t *testing.T) {
	for _, id := range []pbx.EventID{{}, {Run: 0x1234abcd, Number: 77}, {Run: 1<<64 - 1, Number: 1<<64 - 1}} {
		if got, ok := pbx.ParseEventID(id.String()); !ok || got != id {
			t.Error(id, got, ok)
		}
	}
	for _, s := range []string{"", "-", "1", "1-", "-1", "x-1", "1-x", "1--1", "1-1-1", "1 - 1", "18446744073709551616-1", "1-18446744073709551616"} {
		if id, ok := pbx.ParseEventID(s); ok {
			t.Errorf("%q is %v", s, id)
		}
	}
}

// TestFeedWaits: many listeners wait, each gets everything in order, and leaves nothing behind.
func TestFeedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers, each = 4, 200
		f := pbx.NewFeed()
		ctx, cancel := context.WithCancel(t.Context())
		var reading, writing sync.WaitGroup
		for range 10 {
			l := f.Listen(f.Last())
			reading.Go(func() {
				var events []pbx.Event
				for len(events) < writers*each {
					var err error
					if events, err = l.Next(ctx, events); err != nil {
						t.Error(err)
						return
					}
				}
				for i, e := range events {
					if e.ID.Number != uint64(i+1) {
						t.Errorf("event %d is %v", i+1, e.ID)
						return
					}
				}
				if more, err := l.Next(ctx, nil); !errors.Is(err, context.Canceled) || more != nil {
					t.Error(more, err)
				}
			})
		}
		for range writers {
			writing.Go(func() {
				for range each {
					f.MailboxChanged("1000", pbx.MessageCount{})
				}
			})
		}
		writing.Wait()
		synctest.Wait()
		cancel()
		reading.Wait()
	})
}

func TestNoFeed(t *testing.T) {
	var f *pbx.Feed
	f.Publish(pbx.Event{})
	f.MailboxChanged("1000", pbx.MessageCount{})
	f.ConferenceChanged(pbx.ConferenceInfo{})
	f.RecordingBegun(pbx.Recording{})
	f.RecordingOver(pbx.Recording{})
}

// TestCallEvents: a call tells of itself, with the quality of both legs at the end.
func TestCallEvents(t *testing.T) {
	f := pbx.NewFeed()
	listener := f.Listen(f.Last())
	withOptions(t, func(o *pbx.Options) {
		o.Feed = f
		o.Route = func(c *pbx.Call) pbx.Target {
			if c.Dialled == "9" {
				return pbx.Refuse(pbx.NotFound)
			}
			return pbx.Ring(c.Dialled, 20*time.Second)
		}
	}, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(2*time.Second))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", 3*time.Second)
		alice.SetStats(media.Stats{Codec: "PCMU", PacketsIn: 500, LostIn: 5, JitterIn: 3 * time.Millisecond, RoundTrip: 20 * time.Millisecond, MOSIn: 4.1, MOSOut: 4.2})
		time.Sleep(10 * time.Second)
		bob.Last().Bye()
		r.told(alice, "hangup", time.Second)
		synctest.Wait()
		whole := r.journal.last(t)
		events := all(t, listener)
		var types []pbx.EventType
		for _, e := range events {
			types = append(types, e.Type)
			if e.Call != whole.ID {
				t.Errorf("%s is of call %s, not %s", e.Type, e.Call, whole.ID)
			}
		}
		if want := []pbx.EventType{pbx.CallStarted, pbx.CallRinging, pbx.CallAnswered, pbx.CallEnded}; !slices.Equal(types, want) {
			t.Fatal(types)
		}
		records := make([]pbx.CDR, len(events))
		for i, e := range events {
			records[i] = *e.Data.(*pbx.CDR)
		}
		if c := records[0]; c.From != "1000" || c.To != "1001" || !c.Rang.IsZero() || !c.Ended.IsZero() {
			t.Errorf("started: %+v", c)
		}
		if c := records[1]; c.Rang.IsZero() || !c.Answered.IsZero() {
			t.Errorf("ringing: %+v", c)
		}
		if c := records[2]; c.Answered.IsZero() || c.By != "1001" || !c.Ended.IsZero() || events[2].Extension != "1001" {
			t.Errorf("answered: %+v", c)
		}
		if c := records[3]; fmt.Sprintf("%+v", c) != fmt.Sprintf("%+v", whole) || c.FromPhone.MOSIn != 4.1 || c.FromPhone.LostIn != 5 || c.FromPhone.RoundTrip == 0 || len(c.Path) == 0 {
			t.Errorf("ended: %+v, want %+v", c, whole)
		}

		refused := r.Call("1000", "9")
		r.told(refused, "refuse 404", time.Second)
		synctest.Wait()
		if e := all(t, listener); len(e) != 2 || e[0].Type != pbx.CallStarted || e[1].Type != pbx.CallEnded || e[1].Data.(*pbx.CDR).Status != 404 {
			t.Error(e)
		}
	})
}

// TestServiceEvents: a service of the PBX answers too.
func TestServiceEvents(t *testing.T) {
	f := pbx.NewFeed()
	withOptions(t, func(o *pbx.Options) {
		o.Feed = f
		o.Route = func(*pbx.Call) pbx.Target { return pbx.Echo() }
	}, func(r *rig) {
		alice := r.Call("1000", "*43")
		r.told(alice, "200", time.Second)
		alice.Bye()
		synctest.Wait()
		var types []pbx.EventType
		for _, e := range all(t, f.Listen(pbx.EventID{Run: f.Last().Run})) {
			types = append(types, e.Type)
		}
		if want := []pbx.EventType{pbx.CallStarted, pbx.CallAnswered, pbx.CallEnded}; !slices.Equal(types, want) {
			t.Error(types)
		}
	})
}

// TestRecordingEvents: a recording tells of its beginning and its end.
func TestRecordingEvents(t *testing.T) {
	f := pbx.NewFeed()
	withOptions(t, func(o *pbx.Options) {
		taped(new(shelf), policies{"1000": {Outgoing: true}})(o)
		o.Feed = f
	}, func(r *rig) {
		alice, _ := r.talking("1001")
		pass(10 * time.Second)
		alice.Bye()
		synctest.Wait()
		var got []pbx.Recording
		for _, e := range all(t, f.Listen(pbx.EventID{Run: f.Last().Run})) {
			if e.Type == pbx.RecordingStarted || e.Type == pbx.RecordingEnded {
				got = append(got, e.Data.(pbx.Recording))
				if e.Call != r.journal.last(t).ID {
					t.Error(e)
				}
			}
		}
		if len(got) != 2 || got[0].ID != "tape-1" || got[0].Length != 0 || got[1].ID != "tape-1" || got[1].Length < 9900*time.Millisecond || got[1].Problem != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestPhoneEvents(t *testing.T) {
	f := pbx.NewFeed()
	l := f.Listen(f.Last())
	p := pbx.NewPhoneFeed(f)
	desk, soft := pbx.Binding{Extension: "1000", Contact: "sip:1000@192.0.2.1"}, pbx.Binding{Extension: "1000", Contact: "sip:1000@192.0.2.2", UserAgent: "x"}
	p.Known(desk)
	p.Known(desk)
	for i, step := range []struct {
		now  []pbx.Binding
		want []string
	}{
		{[]pbx.Binding{desk}, nil},
		{[]pbx.Binding{soft, desk}, []string{"registration.added " + soft.Contact}},
		{[]pbx.Binding{desk, soft}, nil},
		{[]pbx.Binding{soft}, []string{"registration.removed " + desk.Contact}},
		{[]pbx.Binding{desk}, []string{"registration.removed " + soft.Contact, "registration.added " + desk.Contact}},
		{nil, []string{"registration.removed " + desk.Contact}},
		{nil, nil},
	} {
		p.Changed("1000", step.now)
		var got []string
		for _, e := range all(t, l) {
			b := e.Data.(pbx.Binding)
			got = append(got, string(e.Type)+" "+b.Contact)
			if e.Extension != "1000" || b.Extension != "1000" {
				t.Error(e)
			}
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}

// BenchmarkPublish is an event that nobody waits for, and one that a listener reads.
func BenchmarkPublish(b *testing.B) {
	b.Run("alone", func(b *testing.B) {
		f := pbx.NewFeed()
		b.ReportAllocs()
		for b.Loop() {
			f.MailboxChanged("1000", pbx.MessageCount{New: 1})
		}
	})
	b.Run("read", func(b *testing.B) {
		f := pbx.NewFeed()
		l := f.Listen(f.Last())
		var events []pbx.Event
		b.ReportAllocs()
		for b.Loop() {
			f.MailboxChanged("1000", pbx.MessageCount{New: 1})
			events, _ = l.Next(b.Context(), events[:0])
		}
	})
}

// BenchmarkCallTold is BenchmarkCall with a Feed.
func BenchmarkCallTold(b *testing.B) {
	l := &instant{over: make(chan pbx.CDR, 1), answered: make(chan struct{}, 1)}
	l.sb = pbx.New(pbx.Options{Line: l, Journal: l, Directory: l, Feed: pbx.NewFeed(), Route: func(*pbx.Call) pbx.Target { return pbx.Ring("1001", 20*time.Second) }})
	defer l.sb.Close()
	b.ReportAllocs()
	for b.Loop() {
		caller := l.leg("1000", true)
		l.sb.Incoming(caller, "1001", 70)
		<-l.answered
		l.sb.Ended(caller, pbx.Hangup.ByWhom(pbx.Caller))
		<-l.over
	}
}
