package pbx_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// onDemand is a call of 1000, who may record, with 1001, who may not.
func onDemand(t *testing.T, f func(r *rig, s *shelf, alice, bob *pbxtest.Party)) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {OnDemand: true}}), func(r *rig) {
		alice, bob := r.talking("1001")
		f(r, s, alice, bob)
		alice.Bye()
	})
}

// script presses keys: "." is a tenth of a second.
func script(p *pbxtest.Party, keys string, press func(key byte)) {
	for _, k := range []byte(keys) {
		if k == '.' {
			time.Sleep(100 * time.Millisecond)
		} else {
			press(k)
		}
		synctest.Wait()
	}
}

// infos are the keys that a phone was told by INFO.
func infos(p *pbxtest.Party) string {
	var keys strings.Builder
	for _, s := range p.Told() {
		if key, ok := strings.CutPrefix(s, "info application/dtmf-relay Signal="); ok {
			keys.WriteString(key)
		}
	}
	return keys.String()
}

// told is the time of a prompt, during which the two do not hear each other, nor their keys.
var told = strings.Repeat(".", int(promptLength/(100*time.Millisecond))+1)

// What is no code reaches the peer, in order; what is one does not. By whatever way keys come.
func TestKeysInACall(t *testing.T) {
	for _, tc := range []struct {
		keys    string
		reached string // the peer
		tapes   int
	}{
		{"5", "5", 0},
		{"*1", "", 1},
		{"*1.*1", "", 1},
		{"*1..*1..*1", "", 2},
		{"*......1", "", 1},
		{"*.......1", "*1", 0}, // too late
		{"*........", "*", 0},
		{"*2", "*2", 0},
		{"**1", "*", 1},
		{"***", "**", 0},
		{"***.......", "***", 0},
		{"*...*....", "*", 0}, // each has its own time
		{"*...*.......", "**", 0},
		{"*5*1" + told + "#", "*5#", 1},
		{"12*34*1", "12*34", 1},
		{"#*A*1" + told + "D", "#*AD", 1},
	} {
		t.Run(tc.keys, func(t *testing.T) {
			onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
				script(alice, tc.keys, func(k byte) { alice.Press(string(rune(k))) })
				if got := bob.Reached(); got != tc.reached || len(s.all()) != tc.tapes {
					t.Errorf("by RFC 4733: the peer got %q, want %q; %d tapes", got, tc.reached, len(s.all()))
				}
			})
			onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
				script(alice, tc.keys, alice.InfoKey)
				if got := infos(bob); got != tc.reached || bob.Reached() != "" || len(s.all()) != tc.tapes {
					t.Errorf("by INFO: the peer got %q, want %q; %d tapes", got, tc.reached, len(s.all()))
				}
			})
			onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
				bob.RefuseInfo()
				script(alice, tc.keys, alice.InfoKey)
				if got := bob.Reached(); got != tc.reached || infos(bob) != "" || len(s.all()) != tc.tapes {
					t.Errorf("by INFO, which the peer does not take: it got %q, want %q; %d tapes", got, tc.reached, len(s.all()))
				}
			})
		})
	}
}

// A phone whose audio can bring it no key gets it by INFO.
func TestKeysForAPhoneThatHearsNone(t *testing.T) {
	opus := media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{opus}
		alice := r.Call("1000", "1001", opus, media.Telephone)
		r.told(alice, "200", time.Second)
		alice.Press("5*")
		synctest.Wait()
		if got := infos(bob.Last()); got != "5\r\nDuration=100\r\n*\r\nDuration=100\r\n" {
			t.Errorf("by INFO it got %q", got)
		}
		bob.Last().RefuseInfo()
		alice.Press("6")
		synctest.Wait()
		if got := infos(bob.Last()); strings.Contains(got, "6") {
			t.Errorf("by INFO, which it does not take, it got %q", got)
		}
		alice.Bye()
	})
}

// Keys that come while others are still typed to the peer go behind them.
func TestKeysStayInOrder(t *testing.T) {
	onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
		bob.KeysTake(160 * time.Millisecond)
		alice.Press("*5678")
		synctest.Wait()
		if got := typed(bob); got != "*5678" || bob.Reached() != got {
			t.Errorf("%q of %q", got, bob.Reached())
		}
		time.Sleep(5 * 160 * time.Millisecond)
		synctest.Wait()
		alice.Press("9")
		synctest.Wait()
		if got := bob.Reached(); got != "*56789" || typed(bob) != "*5678" {
			t.Errorf("%q, %q of them typed", got, typed(bob))
		}
		alice.Press(strings.Repeat("*", 10000)) // nobody's memory is for that
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}

// Keys in the sound of a phone have reached the peer already.
func TestKeysInTheSoundAreNotRepeated(t *testing.T) {
	s := new(shelf)
	withOptions(t, taped(s, policies{"1000": {OnDemand: true}}), func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001", media.PCMA)
		r.told(alice, "200", time.Second)
		synctest.Wait()
		alice.Press("*5*1")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := bob.Last().Reached(); got != "" || len(s.all()) != 1 {
			t.Errorf("typed again: %q", got)
		}
		alice.Bye()
	})
}

// Those who may press no code are not listened to, so that nothing changes for them.
func TestWhoMayPressNoCodeIsNotListenedTo(t *testing.T) {
	onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
		bob.Press("*1")
		if got := alice.Reached(); got != "*1" || len(s.all()) != 0 || bob.Listened() || !alice.Listened() {
			t.Errorf("%q", got)
		}
		bob.InfoKey('*')
		if got := infos(alice); got != "*" {
			t.Errorf("%q", got)
		}
	})
}

func TestInfoThatIsNoKeyPassesAtOnce(t *testing.T) {
	onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
		alice.InfoKey('*')
		alice.Info("application/dtmf-relay", []byte("Signal=!"))
		bob.RefuseInfo()
		alice.Info("text/plain", []byte("x"))
		r.told(bob, "info application/dtmf-relay Signal=!", 0)
		r.told(bob, "info text/plain x", 0)
	})
}

func TestKeysOfWhoHangsUpAreForgotten(t *testing.T) {
	onDemand(t, func(r *rig, s *shelf, alice, bob *pbxtest.Party) {
		alice.Press("*")
		bob.Bye()
		time.Sleep(time.Second)
		synctest.Wait()
		if bob.Reached() != "" {
			t.Error(bob.Reached())
		}
	})
}

// *1 ends what the same extension has begun, and nothing else.
func TestOnDemandDoesNotEndWhatOthersHaveBegun(t *testing.T) {
	demand := pbx.RecordPolicy{OnDemand: true}
	for _, tc := range []struct {
		name string
		policies
		first, second string // who presses *1: "a", "b", or "api"
		tapes, ended  int
	}{
		{"his own", policies{"1000": demand}, "a", "a", 1, 1},
		{"the other's", policies{"1000": demand, "1001": demand}, "a", "b", 1, 0},
		{"an administrator's", policies{"1000": demand}, "api", "a", 1, 0},
		{"a policy's", policies{"1000": {OnDemand: true, Outgoing: true}}, "", "a", 1, 0},
		{"his own, the second time", policies{"1001": demand}, "b", "b", 1, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := new(shelf)
			withOptions(t, taped(s, tc.policies), func(r *rig) {
				alice, bob := r.talking("1001")
				for _, who := range []string{tc.first, tc.second} {
					switch who {
					case "a":
						alice.Press("*1")
					case "b":
						bob.Press("*1")
					case "api":
						if err := r.sb.StartRecording(r.call(), "admin"); err != nil {
							t.Error(err)
						}
					}
					pass(time.Second)
				}
				ended := 0
				for _, tape := range s.all() {
					if tape.kept {
						ended++
					}
				}
				if len(s.all()) != tc.tapes || ended != tc.ended {
					t.Errorf("%d tapes, %d ended", len(s.all()), ended)
				}
				alice.Bye()
			})
		})
	}
}

// typed is which keys the PBX itself has sent to a phone.
func typed(p *pbxtest.Party) string { return p.Leg.Port().(*pbxtest.Port).Pressed() }
