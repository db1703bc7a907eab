package pbx_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

func TestPolicySaysWhichCallsAreRecorded(t *testing.T) {
	in, out := pbx.RecordPolicy{Incoming: true}, pbx.RecordPolicy{Outgoing: true}
	for _, tc := range []struct {
		name string
		policies
		by string // "": it is not
	}{
		{"nobody's", nil, ""},
		{"the caller's", policies{"1000": out}, "policy of 1000"},
		{"the caller's for the other direction", policies{"1000": in}, ""},
		{"that of who answers", policies{"1001": in}, "policy of 1001"},
		{"that of who answers, for the other direction", policies{"1001": out}, ""},
		{"both", policies{"1000": out, "1001": in}, "policy of 1000"},
		{"on demand only", policies{"1000": {OnDemand: true}, "1001": {OnDemand: true, Announce: true}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := new(shelf)
			withOptions(t, taped(s, tc.policies), func(r *rig) {
				alice, bob := r.talking("1001")
				alice.Speak(100)
				bob.Speak(200)
				pass(10 * time.Second)
				if got := r.sb.Calls()[0].Recorded; got != (tc.by != "") {
					t.Error("shown as recorded:", got)
				}
				r.both(alice, "1001", bob, "1000")
				alice.Bye()
				got := r.recorded()
				if tc.by == "" {
					if len(got) != 0 || len(s.all()) != 0 {
						t.Errorf("%+v", got)
					}
					return
				}
				c := r.journal.last(t)
				if len(got) != 1 || got[0].ID != "tape-1" || got[0].By != tc.by || got[0].Problem != "" || got[0].Started != c.Answered || got[0].Ended != c.Ended {
					t.Fatalf("%+v of %+v", got, c)
				}
				tape := s.all()[0]
				want := pbx.Recording{Call: c.ID, From: "1000", To: "1001", By: tc.by, Started: c.Answered, Channels: 2}
				if tape.what != want {
					t.Errorf("%+v, want %+v", tape.what, want)
				}
				if !tape.kept || tape.dropped || tape.length() < 9900*time.Millisecond || !slices.Contains(tape.left, 100) || !slices.Contains(tape.right, 200) ||
					slices.Contains(tape.left, 200) {
					t.Errorf("%+v", tape)
				}
			})
		})
	}
}

// Phones that share a codec which cannot be recorded are not offered it where a policy wants the call recorded.
func TestRecordedCallsAreInWhatCanBeRecorded(t *testing.T) {
	opus := media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}
	for _, tc := range []struct {
		name string
		policies
		offers []media.Codec
		agreed string
	}{
		{"by policy", policies{"1001": {Incoming: true}}, []media.Codec{opus, media.PCMA, media.Telephone}, "200 PCMA telephone-event"},
		{"by the caller's", policies{"1000": {Outgoing: true}}, []media.Codec{opus, media.PCMA, media.Telephone}, "200 PCMA telephone-event"},
		{"the caller has no other", policies{"1001": {Incoming: true}}, []media.Codec{opus}, "200 opus"},
		{"no policy", policies{"1001": {OnDemand: true, Outgoing: true}}, []media.Codec{opus, media.PCMA, media.Telephone}, "200 opus PCMA telephone-event"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withOptions(t, taped(new(shelf), tc.policies), func(r *rig) {
				bob := r.Register("1001", pbxtest.Answer(0))
				bob.Codecs = []media.Codec{opus, media.PCMU, media.PCMA, media.Telephone}
				alice := r.Call("1000", "1001", tc.offers...)
				r.told(alice, tc.agreed, time.Second)
				alice.Bye()
			})
		})
	}
}

// The policy of the extension that answers counts, not that of the one that was called.
func TestForwardedCallIsRecordedByWhoAnswers(t *testing.T) {
	for called, recorded := range map[string]int{"1001": 0, "1002": 1} {
		s := new(shelf)
		set := taped(s, policies{called: {Incoming: true}})
		withOptions(t, func(o *pbx.Options) {
			set(o)
			o.Route = plan(pbx.Else(ring("1001", 5), pbx.On(ring("1002", 5), pbx.Busy)))
		}, func(r *rig) {
			r.Register("1001", pbxtest.Busy())
			r.Register("1002", pbxtest.Answer(0))
			alice := r.Call("1000", "1001")
			r.told(alice, "200", time.Second)
			pass(time.Second)
			alice.Bye()
			if got := r.recorded(); len(got) != recorded {
				t.Errorf("%s records: %+v", called, got)
			}
		})
	}
}

// A caller who was answered by a service of the PBX before.
func TestServedCallIsRecordedFromWhenSomebodyAnswers(t *testing.T) {
	s := new(shelf)
	set := taped(s, policies{"1000": {Outgoing: true}})
	withOptions(t, func(o *pbx.Options) {
		set(o)
		o.Route = plan(pbx.Service("menu", func(ctx context.Context, t *pbx.Talk) pbx.Target {
			t.Play(ctx, "welcome")
			return ring("1001", 20)
		}))
	}, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "700")
		pass(promptLength + 2*time.Second)
		if len(s.all()) != 0 {
			t.Error("recorded before anybody has answered")
		}
		pass(5 * time.Second)
		r.both(alice, "1001", bob.Last(), "1000")
		alice.Bye()
		if got := r.recorded(); len(got) != 1 || got[0].Ended.Sub(got[0].Started) != 4*time.Second {
			t.Errorf("%+v", got)
		}
	})
}

func TestRecordingByAPI(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, nil), func(r *rig) {
		want := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		want(r.sb.StartRecording("nonsense", "admin"), pbx.ErrNoSuchCall)
		want(r.sb.StopRecording("nonsense", "admin"), pbx.ErrNoSuchCall)
		r.Register("1001", pbxtest.Answer(2*time.Second))
		alice := r.Call("1000", "1001")
		pass(time.Second)
		want(r.sb.StartRecording(r.call(), "admin"), pbx.ErrNotConnected)
		pass(2 * time.Second)
		want(r.sb.StopRecording(r.call(), "admin"), pbx.ErrNotRecorded)
		want(r.sb.StartRecording(r.call(), "admin"), nil)
		want(r.sb.StartRecording(r.call(), "eve"), pbx.ErrRecorded)
		pass(3 * time.Second)
		if !r.sb.Calls()[0].Recorded {
			t.Error("not shown as recorded")
		}
		want(r.sb.StopRecording(r.call(), "eve"), nil)
		want(r.sb.StopRecording(r.call(), "eve"), pbx.ErrNotRecorded)
		pass(time.Second)
		if r.sb.Calls()[0].Recorded {
			t.Error("shown as recorded")
		}
		want(r.sb.StartRecording(r.call(), "eve"), nil)
		pass(time.Second)
		alice.Bye()
		got := r.recorded()
		if len(got) != 2 || got[0].By != "admin" || got[1].By != "eve" || got[0].Ended.Sub(got[0].Started) != 3*time.Second || got[1].ID != "tape-2" {
			t.Errorf("%+v", got)
		}
	})
}

func TestNothingIsRecordedWithoutAStore(t *testing.T) {
	set := taped(nil, policies{"1000": {Outgoing: true, OnDemand: true}})
	withOptions(t, func(o *pbx.Options) { set(o); o.Recordings = nil }, func(r *rig) {
		alice, bob := r.talking("1001")
		if err := r.sb.StartRecording(r.call(), "admin"); !errors.Is(err, pbx.ErrNoRecordings) {
			t.Error(err)
		}
		alice.Press("*1")
		r.both(alice, "error", bob, "")
		pass(promptLength)
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
		if got := r.recorded(); got != nil {
			t.Error(got)
		}
	})
}

func TestRecordingGoesOnDuringHold(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		alice, bob := r.talking("1001")
		alice.Speak(100)
		bob.Speak(200)
		pass(time.Second)
		bob.Hold(true)
		bob.Speak(0)
		pass(time.Minute)
		bob.Hold(false)
		bob.Speak(201)
		pass(time.Second)
		alice.Bye()
		got := r.recorded()
		if tape := s.all()[0]; len(got) != 1 || tape.length() < 61*time.Second || !slices.Contains(tape.right, 0) || tape.right[len(tape.right)-1] != 201 {
			t.Errorf("%+v %+v", got, tape)
		}
	})
}

func TestRecordingsOfACallAreBounded(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {OnDemand: true}}), func(r *rig) {
		alice, _ := r.talking("1001")
		for range 300 {
			alice.Press("*1")
			synctest.Wait()
		}
		pass(promptLength)
		if err := r.sb.StartRecording(r.call(), "admin"); !errors.Is(err, pbx.ErrManyRecorded) {
			t.Error(err)
		}
		alice.Bye()
		if got := r.recorded(); len(got) != 100 || len(s.all()) != 100 {
			t.Errorf("%d recordings", len(got))
		}
	})
}

// What a phone plays to whoever it holds is nobody's business: that one hears music.
func TestWhoHoldsIsNotRecorded(t *testing.T) {
	for _, first := range []bool{true, false} {
		s := new(shelf)
		withOptions(t, taped(s, policies{"1000": {Outgoing: !first, OnDemand: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			alice.Speak(100)
			bob.Speak(200)
			pass(time.Second)
			bob.Hold(true)
			bob.Speak(666)
			if first {
				alice.Press("*1") // on hold already as it begins
			}
			pass(time.Minute)
			alice.Hold(true)
			alice.Speak(667)
			pass(time.Minute)
			bob.Speak(201)
			bob.Hold(false)
			pass(time.Second)
			alice.Speak(101)
			alice.Hold(false)
			pass(time.Second)
			alice.Bye()
			left, right := []int16{100, 0, 101}, []int16{200, 0, 201}
			if first {
				right = right[1:]
			}
			if got, tape := r.recorded(), s.all()[0]; len(got) != 1 || !slices.Equal(tape.left, left) || !slices.Equal(tape.right, right) {
				t.Errorf("%+v, left %v, right %v", got, tape.left, tape.right)
			}
		})
	}
}

// What cannot be decoded is missing in a recording, and it is said.
func TestRecordingSaysWhoseCodecItDoesNotKnow(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{g729}
		alice := r.Call("1000", "1001", g729)
		r.told(alice, "200", time.Second)
		bob.Last().Speak(200)
		pass(time.Second)
		alice.Bye()
		if got := r.recorded(); len(got) != 1 || got[0].ID == "" || got[0].Problem != "What 1001 said in G729 is missing." || s.all()[0].late {
			t.Errorf("%+v", got)
		}
	})
}

// Before the answer there is nothing to be recorded, nor to be told.
func TestEarlyMediaIsNotRecorded(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {Outgoing: true, Announce: true}}), func(r *rig) {
		bob := r.Register("1001", pbxtest.EarlyMedia(time.Second, pbxtest.Answer(5*time.Second)))
		alice := r.Call("1000", "1001")
		pass(3 * time.Second)
		r.both(alice, "1001", bob.Last(), "1000")
		if len(s.all()) != 0 {
			t.Error("early media is recorded")
		}
		r.told(alice, "200", 5*time.Second)
		r.both(alice, "call-recorded", bob.Last(), "call-recorded")
		alice.Bye()
	})
}

// A call whose codecs cannot be brought together never was one.
func TestCallThatIsNoneIsNotRecorded(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {Outgoing: true}}), func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{g729}
		alice := r.Call("1000", "1001", media.PCMA)
		r.told(alice, "refuse 488", time.Second)
		if got := r.recorded(); got != nil || len(s.all()) != 0 {
			t.Error(got)
		}
	})
}
