package pbx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// The recording ends, the call does not, and its record says so.
func TestFullDiskEndsTheRecordingOnly(t *testing.T) {
	s := &shelf{room: 100}
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		alice, bob := r.talking("1001")
		pass(10 * time.Second)
		if r.sb.Calls()[0].Recorded {
			t.Error("shown as recorded")
		}
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
		got := r.recorded()
		if len(got) != 1 || got[0].ID != "tape-1" || got[0].Problem != "The disk is full." || got[0].Ended.Sub(got[0].Started) < 2*time.Second ||
			got[0].Ended.Sub(got[0].Started) > 3*time.Second {
			t.Errorf("%+v", got)
		}
		if tape := s.all()[0]; tape.frames != 100 || !tape.kept || tape.late {
			t.Errorf("%+v", tape)
		}
	})
}

func TestRecordingThatCannotBegin(t *testing.T) {
	for _, s := range []*shelf{{fails: errors.New("The disk is full.")}, {broken: true}} {
		withOptions(t, taped(s, policies{"1000": {Outgoing: true, Announce: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			r.both(alice, "1001", bob, "1000")
			pass(time.Second)
			alice.Bye()
			got := r.recorded()
			if len(got) != 1 || got[0].ID != "" || got[0].By != "policy of 1000" || got[0].Started.IsZero() || !got[0].Ended.IsZero() || got[0].Problem == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A disk that takes its time keeps nobody waiting but the record of the call.
func TestSlowDisk(t *testing.T) {
	t.Run("at the beginning", func(t *testing.T) {
		s := &shelf{begins: 3 * time.Second}
		withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			r.both(alice, "1001", bob, "1000")
			if r.sb.Calls()[0].Recorded {
				t.Error("shown as recorded")
			}
			pass(8 * time.Second)
			alice.Bye()
			if got := r.recorded(); len(got) != 1 || got[0].Problem != "" || s.all()[0].length() < 4900*time.Millisecond {
				t.Errorf("%+v", got)
			}
		})
	})
	t.Run("at the beginning of a short call", func(t *testing.T) {
		s := &shelf{begins: 3 * time.Second}
		withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
			alice, _ := r.talking("1001")
			alice.Bye()
			if got := r.recorded(); len(got) != 1 || got[0].ID != "" || got[0].Problem != "It was over before the disk was ready." { // at once
				t.Errorf("%+v", got)
			}
			pass(4 * time.Second)
			if !s.all()[0].dropped || r.journal.count() != 1 {
				t.Errorf("%+v, %d records", s.all()[0], r.journal.count())
			}
		})
	})
	t.Run("at the beginning when the PBX stops", func(t *testing.T) {
		s := &shelf{begins: 3 * time.Second}
		withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
			alice, _ := r.talking("1001")
			start := time.Now()
			r.sb.Close()
			if took := time.Since(start); took > 0 {
				t.Error("closed after", took)
			}
			alice.Bye()
			if got := r.recorded(); len(got) != 1 || got[0].Problem == "" {
				t.Errorf("%+v", got)
			}
			pass(4 * time.Second)
		})
	})
	t.Run("hanging at the beginning", func(t *testing.T) {
		s := &shelf{begins: time.Hour}
		withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			pass(time.Second)
			r.both(alice, "1001", bob, "1000")
			alice.Bye()
			pass(9 * time.Second) // 10 s after the beginning
			if got := r.recorded(); len(got) != 1 || got[0].ID != "" || got[0].Problem == "" {
				t.Errorf("%+v", got)
			}
			pass(time.Hour)
			if !s.all()[0].dropped {
				t.Error("a tape that came too late is not dropped")
			}
		})
	})
	t.Run("hanging at the end", func(t *testing.T) {
		s := &shelf{keeps: time.Hour}
		withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			pass(time.Second)
			alice.Bye()
			r.told(bob, "hangup", 0)
			pass(9 * time.Second)
			if r.journal.count() != 0 {
				t.Error("the record does not wait for the recording")
			}
			pass(time.Second)
			got, c := r.recorded(), r.journal.last(t)
			if len(got) != 1 || got[0].ID != "tape-1" || got[0].Problem == "" || got[0].Ended != c.Ended || c.Ended.Sub(c.Answered) != time.Second {
				t.Errorf("%+v", c)
			}
		})
	})
}

// The next one may begin while the disk still takes the one before.
func TestRecordingAfterRecordingOnASlowDisk(t *testing.T) {
	s := &shelf{keeps: 5 * time.Second}
	withOptions(t, taped(s, nil), func(r *rig) {
		alice, _ := r.talking("1001")
		for range 3 {
			if err := r.sb.StartRecording(r.call(), "admin"); err != nil {
				t.Error(err)
			}
			pass(time.Second)
			if err := r.sb.StopRecording(r.call(), "admin"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		alice.Bye()
		pass(5 * time.Second)
		if got := r.recorded(); len(got) != 3 || got[0].ID != "tape-1" || got[2].ID != "tape-3" || got[2].Ended.Sub(got[0].Started) != 3*time.Second {
			t.Errorf("%+v", got)
		}
	})
}

func TestDrainAndCloseEndRecordings(t *testing.T) {
	s := &shelf{keeps: time.Second}
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		r.talking("1001")
		start := time.Now()
		if err := r.sb.Drain(r.T.Context(), 5*time.Second); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 6*time.Second {
			t.Error("drained after", took)
		}
		if got := r.recorded(); len(got) != 1 || got[0].Problem != "" {
			t.Errorf("%+v", got)
		}
	})
	s = &shelf{keeps: time.Second}
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		alice, _ := r.talking("1001")
		pass(3 * time.Second)
		start := time.Now()
		r.sb.Close()
		if took := time.Since(start); took != time.Second || !s.all()[0].kept {
			t.Error("closed after", took)
		}
		if err := r.sb.StartRecording(r.call(), "admin"); !errors.Is(err, pbx.ErrNotConnected) {
			t.Error(err)
		}
		alice.Bye()
		if got := r.recorded(); len(got) != 1 || got[0].Problem != "" {
			t.Errorf("%+v", got)
		}
	})
}

// Listeners hear when a recording begins, and what it came to.
func TestRecordingsAreTold(t *testing.T) {
	for _, tc := range []struct {
		*shelf
		want string
	}{
		{new(shelf), "recording.started tape-1 0s, recording.ended tape-1 3s"},
		{&shelf{room: 50}, "recording.started tape-1 0s, recording.ended tape-1 1.02s The disk is full."},
		{&shelf{fails: errors.New("The disk is full.")}, "recording.ended  0s The disk is full."},
	} {
		set, feed := taped(tc.shelf, policies{"1000": {Outgoing: true}}), (*pbx.Feed)(nil)
		withOptions(t, func(o *pbx.Options) {
			set(o)
			feed = pbx.NewFeed()
			o.Feed = feed
		}, func(r *rig) {
			heard := feed.Listen(feed.Last())
			alice, _ := r.talking("1001")
			pass(3 * time.Second)
			alice.Bye()
			c := r.recorded()
			events, err := heard.Next(r.T.Context(), nil)
			if err != nil {
				t.Error(err)
			}
			var got []string
			for _, e := range events {
				if rec, ok := e.Data.(pbx.Recording); ok {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %v %s", e.Type, rec.ID, rec.Length, rec.Problem)))
					if e.Call == "" || rec.By != c[0].By {
						t.Errorf("%+v", e)
					}
				}
			}
			if s := strings.Join(got, ", "); s != tc.want {
				t.Errorf("told %q, want %q", s, tc.want)
			}
		})
	}
}

// A capture may still be at a frame when it is closed: that comes too late for the tape.
func TestFrameAfterTheEndIsLeftOut(t *testing.T) {
	s := new(shelf)
	set, sink := taped(s, policies{"1000": {Outgoing: true}}), func([]int16) {}
	withOptions(t, func(o *pbx.Options) {
		set(o)
		o.NewCapture = func(channels int, f func([]int16)) media.Capture {
			sink = f
			return pbxtest.NewCapture(channels, f)
		}
	}, func(r *rig) {
		alice, _ := r.talking("1001")
		alice.Bye()
		synctest.Wait()
		sink(make([]int16, 2*media.FrameSamples))
		if tape := s.all()[0]; tape.late || !tape.kept {
			t.Errorf("%+v", tape)
		}
	})
}
