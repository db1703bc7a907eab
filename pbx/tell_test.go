package pbx_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// announced is a call that is recorded by the policy of 1000, who has it announced.
func announced(t *testing.T, f func(r *rig, alice, bob *pbxtest.Party)) {
	withOptions(t, taped(new(shelf), policies{"1000": {Outgoing: true, Announce: true}}), func(r *rig) {
		alice, bob := r.talking("1001")
		f(r, alice, bob)
		alice.Bye()
		synctest.Wait()
	})
}

func TestBothAreToldThatTheyAreRecorded(t *testing.T) {
	announced(t, func(r *rig, alice, bob *pbxtest.Party) {
		r.both(alice, "call-recorded", bob, "call-recorded")
		pass(promptLength)
		r.both(alice, "1001", bob, "1000")
	})
}

func TestAnnouncementAndHold(t *testing.T) {
	t.Run("the other one is told first", func(t *testing.T) {
		announced(t, func(r *rig, alice, bob *pbxtest.Party) {
			pass(time.Second)
			alice.Hold(true)
			r.both(alice, "", bob, "call-recorded")
			pass(time.Second)
			r.both(alice, "", bob, "music")
			alice.Hold(false) // now he is told, from the beginning
			r.both(alice, "call-recorded", bob, "")
			pass(promptLength - time.Millisecond)
			r.both(alice, "call-recorded", bob, "")
			pass(time.Millisecond)
			r.both(alice, "1001", bob, "1000")
		})
	})
	t.Run("held and back during it", func(t *testing.T) {
		announced(t, func(r *rig, alice, bob *pbxtest.Party) {
			pass(time.Second)
			bob.Hold(true)
			r.both(alice, "call-recorded", bob, "")
			bob.Hold(false)
			r.both(alice, "call-recorded", bob, "call-recorded")
			pass(time.Second)
			r.both(alice, "", bob, "call-recorded")
			pass(time.Second)
			r.both(alice, "1001", bob, "1000")
		})
	})
	t.Run("both hold", func(t *testing.T) {
		announced(t, func(r *rig, alice, bob *pbxtest.Party) {
			alice.Hold(true)
			bob.Hold(true)
			r.both(alice, "", bob, "")
			pass(time.Minute)
			alice.Hold(false)
			r.both(alice, "call-recorded", bob, "")
			pass(promptLength)
			r.both(alice, "music", bob, "")
			bob.Hold(false)
			r.both(alice, "", bob, "call-recorded")
			pass(promptLength)
			r.both(alice, "1001", bob, "1000")
		})
	})
	t.Run("hung up", func(t *testing.T) {
		announced(t, func(r *rig, alice, bob *pbxtest.Party) {
			pass(time.Second)
			bob.Bye()
			r.told(alice, "hangup", 0)
			r.both(alice, "", bob, "")
		})
	})
}

// Codecs that change meanwhile are looked at afterwards, and it is remembered whose they are.
func TestAnnouncementAndOtherCodecs(t *testing.T) {
	for _, callee := range []bool{false, true} {
		withOptions(t, taped(new(shelf), policies{"1001": {Incoming: true, Announce: true}}), func(r *rig) {
			phone := r.Register("1001", pbxtest.Answer(0))
			phone.Codecs = []media.Codec{media.PCMU, g729}
			alice := r.Call("1000", "1001", media.PCMU, g729)
			r.told(alice, "200", time.Second)
			bob := phone.Last()
			r.both(alice, "call-recorded", bob, "call-recorded")
			changes, other := alice, bob
			if callee {
				changes, other = bob, alice
			}
			before := len(other.Told())
			changes.Reoffer(g729)
			pass(promptLength - time.Second)
			r.both(alice, "call-recorded", bob, "call-recorded")
			if told := other.Told()[before:]; len(told) > 0 {
				t.Errorf("told %q meanwhile", told)
			}
			pass(time.Second)
			r.told(other, "renegotiate G729", 0)
			alice.Bye()
		})
	}
}

func TestAnnouncementWithoutItsPrompt(t *testing.T) {
	set := taped(new(shelf), policies{"1000": {Outgoing: true, Announce: true, OnDemand: true}})
	withOptions(t, func(o *pbx.Options) {
		set(o)
		o.Prompt = func(string) media.Sound { return nil }
	}, func(r *rig) {
		alice, bob := r.talking("1001")
		r.both(alice, "1001", bob, "1000")
		alice.Press("*1")
		r.both(alice, "1001", bob, "1000")
		alice.Bye()
	})
}

// Who presses *1 hears what that did, and the other too where recordings are announced.
func TestWhoIsToldOfARecordingOnDemand(t *testing.T) {
	demand := pbx.RecordPolicy{OnDemand: true}
	for _, tc := range []struct {
		name string
		policies
		other string // what bob hears
	}{
		{"not announced", policies{"1000": demand}, ""},
		{"announced", policies{"1000": {OnDemand: true, Announce: true}}, "recording-on"},
		{"announced, as the other wants it", policies{"1000": demand, "1001": {Announce: true}}, "recording-on"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withOptions(t, taped(new(shelf), tc.policies), func(r *rig) {
				alice, bob := r.talking("1001")
				r.both(alice, "1001", bob, "1000")
				alice.Press("*1")
				r.both(alice, "recording-on", bob, tc.other)
				pass(promptLength)
				r.both(alice, "1001", bob, "1000")
				alice.Press("*1")
				if tc.other != "" {
					tc.other = "recording-off"
				}
				r.both(alice, "recording-off", bob, tc.other)
				pass(promptLength)
				r.both(alice, "1001", bob, "1000")
				alice.Bye()
			})
		})
	}
	t.Run("recorded already", func(t *testing.T) {
		withOptions(t, taped(new(shelf), policies{"1000": {OnDemand: true, Outgoing: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			alice.Press("*1")
			r.both(alice, "recording-on", bob, "")
			alice.Bye()
		})
	})
	t.Run("it fails", func(t *testing.T) {
		withOptions(t, taped(&shelf{fails: errors.New("the disk is full")}, policies{"1000": {OnDemand: true, Announce: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			alice.Press("*1")
			r.both(alice, "error", bob, "")
			pass(promptLength)
			r.both(alice, "1001", bob, "1000")
			alice.Bye()
		})
	})
	t.Run("the disk is full", func(t *testing.T) {
		withOptions(t, taped(&shelf{room: 500}, policies{"1000": {OnDemand: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			alice.Press("*1")
			pass(9 * time.Second)
			r.both(alice, "1001", bob, "1000")
			pass(2 * time.Second)
			r.both(alice, "recording-off", bob, "")
			alice.Bye()
		})
	})
}

// Whatever two phones do while they are told something: in the end the two hear each other, or what hold says.
func TestTellingLeavesACallAsItWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 8), 1, 25).Draw(rt, "steps")
		withOptions(t, taped(new(shelf), policies{"1000": {OnDemand: true}, "1001": {OnDemand: true, Announce: true}}), func(r *rig) {
			alice, bob := r.talking("1001")
			held := [2]bool{}
			hold := func(i int, p *pbxtest.Party) {
				held[i] = !held[i]
				p.Hold(held[i])
			}
			for _, step := range steps {
				switch step {
				case 0:
					hold(0, alice)
				case 1:
					hold(1, bob)
				case 2:
					alice.Press("*1")
				case 3:
					bob.InfoKey('*')
					bob.InfoKey('1')
				case 4:
					alice.Reoffer(media.PCMA, media.Telephone)
				case 5:
					bob.Reoffer(media.PCMU, media.Telephone)
				case 6:
					_ = r.sb.StartRecording(r.call(), "admin")
				case 7:
					_ = r.sb.StopRecording(r.call(), "admin")
				case 8:
					pass(700 * time.Millisecond)
				}
			}
			pass(time.Minute)
			she, he := "1001", "1000"
			switch {
			case held[0] && held[1]:
				she, he = "", ""
			case held[0]:
				she, he = "", "music"
			case held[1]:
				she, he = "music", ""
			}
			r.both(alice, she, bob, he)
			if held[0] {
				alice.Hold(false)
			}
			if held[1] {
				bob.Hold(false)
			}
			pass(time.Minute)
			r.both(alice, "1001", bob, "1000")
			bob.Bye()
		})
		if t.Failed() {
			rt.Fatalf("%v", steps)
		}
	})
}

// Where the prompts are on a disk that hangs, nobody waits for them: not who reads the keys, nor the record of the call.
func TestPromptsThatHang(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		hangs := make(chan struct{})
		set := taped(&shelf{fails: errors.New("The disk does not answer.")}, policies{"1000": {OnDemand: true}})
		withOptions(t, func(o *pbx.Options) {
			set(o)
			if !keeps {
				o.Recordings = nil
			}
			prompt := o.Prompt
			o.Prompt = func(name string) media.Sound {
				if name == "error" {
					<-hangs
				}
				return prompt(name)
			}
		}, func(r *rig) {
			hangs = make(chan struct{}) // in the bubble
			alice, bob := r.talking("1001")
			for range 20 {
				alice.Press("*1")
				synctest.Wait()
			}
			r.both(alice, "1001", bob, "1000")
			alice.Bye()
			if got := r.recorded(); keeps && (len(got) != 20 || got[19].Problem != "The disk does not answer.") {
				t.Errorf("%+v", got)
			}
			close(hangs)
			synctest.Wait()
		})
	}
}
