package pbx_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// tape keeps the levels that it was given, a frame each.
type tape struct {
	mu     sync.Mutex
	levels []int16
	most   int  // frames that it takes; 0: all
	over   bool // nothing may be written any more
	late   int  // frames that were
}

func (t *tape) Write(frame []int16) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		t.late++
	}
	if t.most > 0 && len(t.levels) == t.most {
		return false
	}
	t.levels = append(t.levels, frame[0])
	return true
}

func (*tape) Keep(context.Context) error { return nil }
func (*tape) Drop()                      {}
func (*tape) Miss(string)                {}

// recorded is what Record gave, and when it had.
type recorded struct {
	pbx.Take
	err   error
	after time.Duration
}

// records is a plan whose service records, with the tape.
func records(got *recorded, on *tape, o pbx.TakeOptions) func(*pbx.Options) {
	p := pbx.Service("records", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		start := time.Now()
		got.Take, got.err = t.Record(ctx, on, o)
		got.after = time.Since(start)
		on.mu.Lock()
		on.over = true
		on.mu.Unlock()
		t.Play(ctx, "done")
		return nil
	})
	return func(options *pbx.Options) { options.Route, options.NewCapture = plan(p), pbxtest.NewCapture }
}

// TestRecord has a beep of 2 s, and then somebody who speaks.
func TestRecord(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	speak := func(from, to time.Duration) func(*pbxtest.Party) {
		return func(p *pbxtest.Party) {
			time.AfterFunc(promptLength+from+10*ms, func() { p.Speak(2000) })
			time.AfterFunc(promptLength+to+10*ms, func() { p.Speak(0) })
		}
	}
	press := func(at time.Duration, keys string) func(*pbxtest.Party) {
		return func(p *pbxtest.Party) { time.AfterFunc(promptLength+at+10*ms, func() { p.Press(keys) }) }
	}
	for name, c := range map[string]struct {
		o    pbx.TakeOptions
		most int
		acts []func(*pbxtest.Party)
		want pbx.Take
	}{
		"a key":                {acts: []func(*pbxtest.Party){speak(0, 3*s), press(4*s, "#")}, want: pbx.Take{By: pbx.EndedByKey, Key: '#', Length: 4 * s, Speech: true}},
		"another key":          {o: pbx.TakeOptions{Keys: "*0"}, acts: []func(*pbxtest.Party){speak(0, 3*s), press(2*s, "#1"), press(4*s, "0")}, want: pbx.Take{By: pbx.EndedByKey, Key: '0', Length: 4 * s, Speech: true}},
		"a key in the beep":    {acts: []func(*pbxtest.Party){press(-s, "##"), speak(0, s), press(2*s, "#")}, want: pbx.Take{By: pbx.EndedByKey, Key: '#', Length: 2 * s, Speech: true}},
		"silence":              {want: pbx.Take{By: pbx.EndedBySilence, Length: 10 * s}},
		"silence after words":  {acts: []func(*pbxtest.Party){speak(s, 3*s)}, want: pbx.Take{By: pbx.EndedBySilence, Length: 8 * s, Speech: true}},
		"words after silence":  {acts: []func(*pbxtest.Party){speak(9*s, 10*s), speak(14*s, 15*s)}, want: pbx.Take{By: pbx.EndedBySilence, Length: 20 * s, Speech: true}},
		"a click":              {acts: []func(*pbxtest.Party){speak(s, s+40*ms)}, want: pbx.Take{By: pbx.EndedBySilence, Length: 10 * s}},
		"a knock":              {acts: []func(*pbxtest.Party){speak(s, s+100*ms)}, want: pbx.Take{By: pbx.EndedBySilence, Length: 6*s + 100*ms}},
		"other times":          {o: pbx.TakeOptions{Silence: 2 * s, First: 4 * s}, acts: []func(*pbxtest.Party){speak(3*s, 4*s)}, want: pbx.Take{By: pbx.EndedBySilence, Length: 6 * s, Speech: true}},
		"the greatest length":  {o: pbx.TakeOptions{Most: 7 * s}, acts: []func(*pbxtest.Party){speak(0, 20*s)}, want: pbx.Take{By: pbx.EndedByLength, Length: 7 * s, Speech: true}},
		"the tape is full":     {most: 100, acts: []func(*pbxtest.Party){speak(0, 20*s)}, want: pbx.Take{By: pbx.EndedByTape, Length: 2 * s, Speech: true}},
		"hangs up":             {acts: []func(*pbxtest.Party){speak(0, 20*s), func(p *pbxtest.Party) { time.AfterFunc(promptLength+3*s+10*ms, p.Bye) }}, want: pbx.Take{By: pbx.EndedByParty, Length: 3 * s, Speech: true}},
		"hangs up in the beep": {acts: []func(*pbxtest.Party){func(p *pbxtest.Party) { time.AfterFunc(s, p.Bye) }}, want: pbx.Take{By: pbx.EndedByParty}},
	} {
		t.Run(name, func(t *testing.T) {
			var got recorded
			on := &tape{most: c.most}
			withOptions(t, records(&got, on, c.o), func(r *rig) {
				alice := r.Call("1000", "x")
				for _, act := range c.acts {
					act(alice)
				}
				<-alice.Done()
				pass(time.Minute)
				got.Length = got.Length.Round(50 * ms) // a frame more or less
				if got.Take != c.want || got.err != nil {
					t.Errorf("%+v, want %+v", got, c.want)
				}
				if on.late > 0 {
					t.Errorf("%d frames after the end", on.late)
				}
			})
		})
	}
}

// What is on the tape is what was said after the beep, and nothing of another call.
func TestRecordWhatIsSaid(t *testing.T) {
	var got recorded
	on := new(tape)
	withOptions(t, records(&got, on, pbx.TakeOptions{}), func(r *rig) {
		alice := r.Call("1000", "x")
		alice.Speak(500)
		pass(promptLength + 1010*time.Millisecond)
		r.hears(alice, "")
		alice.Speak(700)
		pass(time.Second)
		alice.Press("#")
		synctest.Wait()
		r.hears(alice, "done")
		alice.Bye()
		for i, level := range on.levels {
			if want := int16(500 + 200*(i/50)); level != want {
				t.Fatalf("frame %d: %d, want %d of %d", i, level, want, len(on.levels))
			}
		}
		if len(on.levels) != 100 {
			t.Error(len(on.levels), "frames")
		}
	})
}

// A phone that sends nothing while nobody speaks (DTX), or that has vanished, is silent too.
func TestRecordWithoutFrames(t *testing.T) {
	var got recorded
	on := new(tape)
	withOptions(t, func(o *pbx.Options) {
		records(&got, on, pbx.TakeOptions{})(o)
		o.NewCapture = func(int, func([]int16)) media.Capture { return deaf{} }
	}, func(r *rig) {
		<-r.Call("1000", "x").Done()
		synctest.Wait()
		if got.By != pbx.EndedBySilence || got.Length != 0 || got.after != promptLength+10*time.Second {
			t.Errorf("%+v", got)
		}
	})
}

type deaf struct{ err error }

func (d deaf) Hear(int, media.Port) error { return d.err }
func (deaf) Undecoded(int) string         { return "" }
func (deaf) Close()                       {}

func TestRecordFails(t *testing.T) {
	for name, c := range map[string]struct {
		capture func(int, func([]int16)) media.Capture
		want    error
		by      pbx.TakeEnd
	}{
		"no capture":     {nil, pbx.ErrNoCapture, 0},
		"another engine": {func(int, func([]int16)) media.Capture { return deaf{media.ErrForeign} }, media.ErrForeign, 0},
		"just closed":    {func(int, func([]int16)) media.Capture { return deaf{media.ErrClosed} }, nil, pbx.EndedByParty},
	} {
		t.Run(name, func(t *testing.T) {
			var got recorded
			withOptions(t, func(o *pbx.Options) {
				records(&got, new(tape), pbx.TakeOptions{})(o)
				o.NewCapture = c.capture
			}, func(r *rig) {
				<-r.Call("1000", "x").Done()
				synctest.Wait()
				if !errors.Is(got.err, c.want) || got.By != c.by {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestKey is a key among several prompts of 2 s.
func TestKey(t *testing.T) {
	for name, c := range map[string]struct {
		prompts []string
		act     func(*pbxtest.Party)
		want    keys
	}{
		"in the first":    {[]string{"a", "b"}, func(a *pbxtest.Party) { pass(time.Second); a.Press("7") }, keys{"7", true, time.Second}},
		"in the second":   {[]string{"a", "b"}, func(a *pbxtest.Party) { pass(3 * time.Second); a.Press("#") }, keys{"#", true, 3 * time.Second}},
		"after them":      {[]string{"a", "b"}, func(a *pbxtest.Party) { pass(5 * time.Second); a.Press("*") }, keys{"*", true, 5 * time.Second}},
		"none":            {[]string{"a", "b"}, func(*pbxtest.Party) {}, keys{"\x00", true, 9 * time.Second}},
		"typed ahead":     {nil, func(a *pbxtest.Party) { a.Press("12") }, keys{"1", true, 0}},
		"without prompts": {[]string{"none", ""}, func(*pbxtest.Party) {}, keys{"\x00", true, 5 * time.Second}},
		"hangs up":        {[]string{"a", "b"}, func(a *pbxtest.Party) { pass(3 * time.Second); a.Bye() }, keys{"\x00", false, 3 * time.Second}},
		"hangs up after":  {[]string{"a"}, func(a *pbxtest.Party) { pass(3 * time.Second); a.Bye() }, keys{"\x00", false, 3 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			var got keys
			with(t, plan(pbx.Service("asks", func(ctx context.Context, t *pbx.Talk) pbx.Target {
				if c.prompts == nil {
					t.Play(ctx, "before")
				}
				start := time.Now()
				key, there := t.Key(ctx, 5*time.Second, c.prompts...)
				got = keys{string(rune(key)), there, time.Since(start)}
				return nil
			})), func(r *rig) {
				alice := r.Call("1000", "x")
				synctest.Wait()
				c.act(alice)
				<-alice.Done()
				synctest.Wait()
				if got != c.want {
					t.Errorf("%+v, want %+v", got, c.want)
				}
			})
		})
	}
}

// BenchmarkRecord is 20 ms of a message.
func BenchmarkRecord(b *testing.B) {
	sinks, line := make(chan func([]int16), 1), pbxtest.NewLine()
	route := plan(pbx.Service("records", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		if _, err := t.Record(ctx, blank{}, pbx.TakeOptions{Most: time.Hour}); err != nil {
			b.Error(err)
		}
		return nil
	}))
	sb := pbx.New(pbx.Options{Line: line, Journal: &journal{}, Directory: directory{}, Route: route,
		NewCapture: func(_ int, sink func([]int16)) media.Capture { sinks <- sink; return deaf{} }})
	defer sb.Close()
	line.Exchange = sb
	alice := line.Call("1000", "x")
	defer alice.Bye()
	sink, frame := <-sinks, make([]int16, media.FrameSamples)
	for i := range frame {
		frame[i] = int16(100 * i)
	}
	b.ReportAllocs()
	for b.Loop() {
		sink(frame)
	}
}

// blank is a tape that takes everything.
type blank struct{}

func (blank) Write([]int16) bool         { return true }
func (blank) Keep(context.Context) error { return nil }
func (blank) Drop()                      {}
func (blank) Miss(string)                {}
