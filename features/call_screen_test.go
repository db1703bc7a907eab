package features

import (
	"strings"
	"testing"
	"testing/synctest"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// RFC 5359 §2.13, and RFC 5079 for anonymous callers.
func TestScreenIncoming(t *testing.T) {
	blocked := []pbx.Rule{{Numbers: []string{"1001"}, Action: pbx.Reject}, {Anonymous: true, Action: pbx.Reject}}
	calls(t, func(x *exchange) {
		x.of("1000").Incoming = blocked
		own := x.Register("1000", pbxtest.Answer(0))
		x.told(x.Call("1001", "1000"), "refuse 403 see rejected")
		x.rang(own, 0)
		x.of("1002").HideNumber.On = true
		x.told(x.Call("1002", "1000"), "refuse 433 see anonymous-rejected")
		x.rang(own, 0)
		carol := x.Call("1003", "1000")
		x.rang(own, 1)
		carol.Bye()
		if r := x.last(); r.Outcome != "answered" {
			t.Errorf("%+v", r)
		}
	})
	// A forward is none of a blocked caller's business.
	calls(t, func(x *exchange) {
		x.of("1000").Incoming = blocked
		x.of("1000").Always = pbx.Forward{On: true, To: "1002"}
		other := x.Register("1002", pbxtest.Answer(0))
		x.told(x.Call("1001", "1000"), "refuse 403 see rejected")
		x.rang(other, 0)
	})
	// Nor does a detour help him: it is the caller who counts, not by whom he was sent.
	calls(t, func(x *exchange) {
		x.of("1000").Incoming = blocked
		x.of("1002").Always = pbx.Forward{On: true, To: "1000"}
		own := x.Register("1000", pbxtest.Answer(0))
		x.told(x.Call("1001", "1002"), "181", "refuse 403 see rejected")
		x.rang(own, 0)
	})
}

func TestScreenAnnounces(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Incoming = []pbx.Rule{{Action: pbx.TellWhy}}
		alice := x.Call("1001", "1000")
		after(ms)
		if alice.Hears() != "rejected" || alice.Answered() {
			t.Error(alice.Hears(), alice.Told())
		}
		after(2 * s)
		x.told(alice, "183 early PCMU PCMA telephone-event", "refuse 403 see rejected")
	})
}

// The URI of Error-Info: answered as by a machine, played, hung up. Also by whom everything else is forbidden.
func TestAnnouncementNumbers(t *testing.T) {
	for _, name := range Announcements {
		calls(t, func(x *exchange) {
			x.of("1001").Class = "internal"
			x.of("1001").Outgoing = []pbx.Rule{{Action: pbx.Reject}}
			alice := x.Call("1001", "announcement."+name)
			after(ms)
			if alice.Hears() != name {
				t.Error(alice.Hears(), alice.Told())
			}
			after(2 * s)
			if _, over := alice.Ended(); !over || alice.Told()[0] != "automaton" {
				t.Error(alice.Told())
			}
		})
	}
}

// RFC 5359 §2.14.
func TestScreenOutgoing(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1001").Outgoing = []pbx.Rule{{Numbers: []string{"1000"}, Action: pbx.Reject}}
		own, other := x.Register("1000", pbxtest.Answer(0)), x.Register("1002", pbxtest.Answer(0))
		x.told(x.Call("1001", "1000"), "refuse 403 see not-allowed")
		x.rang(own, 0)
		alice := x.Call("1001", "1002")
		x.rang(other, 1)
		alice.Bye()
	})
	// Who may not call a number cannot send calls there either. Whoever else calls may.
	calls(t, func(x *exchange) {
		x.of("1001").Outgoing = []pbx.Rule{{Numbers: []string{"1000"}, Action: pbx.Reject}}
		x.of("1001").Always = pbx.Forward{On: true, To: "1000"}
		x.of("1002").Always = pbx.Forward{On: true, To: "1000"}
		own := x.Register("1000", pbxtest.Answer(0))
		x.told(x.Call("1003", "1001"), "181", "refuse 403 see not-allowed")
		alice := x.Call("1001", "1002")
		x.rang(own, 1)
		alice.Bye()
	})
}

func TestHideNumber(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1001").HideNumber.On = true
		x.of("1000").NoAnswer = pbx.Forward{On: true, To: "1002", After: 2}
		own, other := x.Register("1000", pbxtest.RingForever()), x.Register("1002", pbxtest.Answer(0))
		alice := x.Call("1001", "1000")
		after(3 * s)
		for _, h := range []*pbxtest.Handset{own, other} {
			if from := h.Last().Invitation.From; !from.Hidden || from.Number != "1001" {
				t.Errorf("%+v", from)
			}
		}
		if v := x.via(other); v != "1000>1002 no-answer 408" {
			t.Error(v)
		}
		alice.Bye()
	})
}

func TestClassOfServiceByPIN(t *testing.T) {
	for name, c := range map[string]struct {
		keys  []string
		hears string // last, before the end
		asked string
	}{
		"right":             {[]string{"4711#"}, "congestion", "1001:4711"}, // there is no such number
		"right at last":     {[]string{"1#", "22#", "4711#"}, "congestion", "1001:1 1001:22 1001:4711"},
		"wrong three times": {[]string{"1#", "2#", "3#"}, "not-allowed", "1001:1 1001:2 1001:3"},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.of("1001").Class, x.of("1001").PINHash = "internal", "set"
				alice := x.Call("1001", "00441234")
				var heard string
				for _, keys := range c.keys {
					for range 30 { // until it is asked
						if synctest.Wait(); alice.Hears() == "enter-pin" {
							break
						}
						after(since() + 100*ms)
					}
					alice.Press(keys)
					synctest.Wait()
				}
				for range 100 {
					if synctest.Wait(); alice.Hears() != "" {
						heard = alice.Hears()
					}
					after(since() + 100*ms)
				}
				if _, over := alice.Ended(); !over || heard != c.hears {
					t.Errorf("heard %q, told %q", heard, alice.Told())
				}
				if got := strings.Join(x.pins.asked, " "); got != c.asked {
					t.Errorf("asked for %q", got)
				}
			})
		})
	}
}

// A caller is not asked for the PIN of who sends him on.
func TestNoPINForForwards(t *testing.T) {
	calls(t, func(x *exchange) {
		x.of("1000").Class, x.of("1000").PINHash = "internal", "set"
		x.of("1000").Always = pbx.Forward{On: true, To: "00441234"}
		x.told(x.Call("1001", "1000"), "181", "refuse 403 see not-allowed")
	})
}
