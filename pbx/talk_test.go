package pbx_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

var pbxtestCodecs = []media.Codec{media.PCMU, media.PCMA}

// keys is what a caller typed, as a talk got it, and whether he was still there.
type keys struct {
	typed string
	there bool
	after time.Duration
}

// asks is a plan whose service asks for up to limit keys.
func asks(got *keys, limit int, wait time.Duration, next pbx.Target) func(*pbx.Call) pbx.Target {
	return plan(pbx.Service("asks", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		start := time.Now()
		got.typed, got.there = t.Keys(ctx, "enter-number", limit, wait)
		got.after = time.Since(start)
		return next
	}))
}

func TestKeys(t *testing.T) {
	for _, tc := range []struct {
		name  string
		typed func(alice *pbxtest.Party)
		want  keys
	}{
		{"to the limit, in the prompt", func(a *pbxtest.Party) { pass(time.Second); a.Press("12"); pass(time.Second); a.Press("34") }, keys{"1234", true, 2 * time.Second}},
		{"ended by #", func(a *pbxtest.Party) { pass(3 * time.Second); a.Press("7#9") }, keys{"7", true, 3 * time.Second}},
		{"# alone", func(a *pbxtest.Party) { pass(time.Second); a.Press("#") }, keys{"", true, time.Second}},
		{"none", func(*pbxtest.Party) {}, keys{"", true, promptLength + 5*time.Second}},
		{"too few", func(a *pbxtest.Party) {
			pass(4 * time.Second)
			a.Press("1")
			pass(4 * time.Second)
			a.Press("2")
		}, keys{"12", true, 13 * time.Second}},
		{"stars and letters", func(a *pbxtest.Party) { pass(time.Second); a.Press("*A0D") }, keys{"*A0D", true, time.Second}},
		{"too many", func(a *pbxtest.Party) { pass(time.Second); a.Press(strings.Repeat("1234567890", 20)) }, keys{"1234", true, time.Second}},
		{"hangs up in the prompt", func(a *pbxtest.Party) { pass(time.Second); a.Bye() }, keys{"", false, time.Second}},
		{"hangs up in the middle", func(a *pbxtest.Party) { pass(time.Second); a.Press("12"); pass(time.Second); a.Bye() }, keys{"", false, 2 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got keys
			with(t, asks(&got, 4, 5*time.Second, nil), func(r *rig) {
				alice := r.Call("1000", "x")
				synctest.Wait()
				r.told(alice, "200", 0)
				r.hears(alice, "enter-number")
				tc.typed(alice)
				pass(time.Minute)
				if _, over := alice.Ended(); !over || got != tc.want {
					t.Errorf("%+v, want %+v; %v", got, tc.want, alice.Told())
				}
				if c := r.journal.last(t); c.Outcome != "answered" || len(r.journal.ended) != 1 || c.Answered.IsZero() || c.By != "" {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestTypeahead(t *testing.T) {
	var first, second, third string
	p := plan(pbx.Service("asks", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		t.Play(ctx, "done") // keys do not end it, and are not lost
		first, _ = t.Keys(ctx, "enter-number", 2, time.Second)
		second, _ = t.Keys(ctx, "enter-pin", 10, time.Second)
		third, _ = t.Keys(ctx, "none", 10, time.Second)
		return nil
	}))
	with(t, p, func(r *rig) {
		alice := r.Call("1000", "x")
		pass(time.Second)
		r.hears(alice, "done")
		alice.Press("4711#82")
		pass(500 * time.Millisecond)
		r.hears(alice, "done")
		r.told(alice, "hangup", time.Minute)
		if first != "47" || second != "11" || third != "82" {
			t.Errorf("%q %q %q", first, second, third)
		}
	})
	with(t, p, func(r *rig) { // more than is kept: the first 64
		alice := r.Call("1000", "x")
		pass(time.Second)
		alice.Press(strings.Repeat("1", 1000))
		r.told(alice, "hangup", time.Minute)
		if len(first)+len(second)+len(third) != 22 {
			t.Errorf("%q %q %q", first, second, third)
		}
	})
}

func TestKeysByINFOReachTheTalk(t *testing.T) {
	var got keys
	with(t, asks(&got, 2, 5*time.Second, nil), func(r *rig) {
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.InfoKey('4')
		alice.Press("2")
		r.told(alice, "hangup", time.Second)
		if got.typed != "42" {
			t.Error(got)
		}
		alice.InfoKey('5') // after the end
	})
}

func TestServiceGoesOn(t *testing.T) {
	var got keys
	with(t, asks(&got, 1, 5*time.Second, ring("1001", 10)), func(r *rig) {
		bob := r.Register("1001", pbxtest.Ringing(time.Second, 3*time.Second, pbx.Outcome{Kind: pbx.Answered, By: pbx.Callee, Status: 200}))
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.Press("1")
		pass(500 * time.Millisecond)
		r.hears(alice, "") // nothing rings yet
		pass(time.Second)
		r.hears(alice, pbx.PromptRinging)
		if list := r.sb.Calls(); list[0].State != "answered" {
			t.Error(list)
		}
		pass(3 * time.Second)
		r.hears(alice, "1001")
		r.hears(bob.Last(), "1000")
		pass(time.Second)
		bob.Last().Bye()
		synctest.Wait()
		if got := strings.Join(alice.Told(), ", "); got != "200 PCMU PCMA telephone-event, hangup answered (callee)" {
			t.Error(got)
		}
		r.went("0s-4s asks: answered (callee)\n0s-4s ring 1001 for 10s: answered (callee)\n")
		c := r.journal.last(t)
		if c.Answered != c.Started || c.By != "1001" || c.Contact != bob.Contact.URI || c.Ended.Sub(c.Started) != 5500*time.Millisecond {
			t.Errorf("%+v", c)
		}
	})
	for _, tc := range []struct {
		phone  pbxtest.Script
		prompt string
	}{{pbxtest.Busy(), pbx.PromptBusy}, {pbxtest.Reject(404, 0), pbx.PromptCongestion}, {nil, pbx.PromptCongestion}} {
		with(t, asks(&got, 1, 5*time.Second, ring("1001", 10)), func(r *rig) {
			if tc.phone != nil {
				r.Register("1001", tc.phone)
			}
			alice := r.Call("1000", "x")
			synctest.Wait()
			alice.Press("1")
			pass(time.Second)
			r.hears(alice, tc.prompt)
			r.told(alice, "hangup", 10*time.Second)
			if took := time.Since(alice.Created); took != 4*time.Second {
				t.Error("hung up after", took)
			}
			synctest.Wait()
			if c := r.journal.last(t); c.Outcome != "answered" || c.Status != 0 {
				t.Errorf("%+v", c)
			}
		})
	}
	with(t, asks(&got, 1, 5*time.Second, ring("1001", 10)), func(r *rig) { // the caller hangs up while it rings
		bob := r.Register("1001", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.Press("1")
		pass(time.Second)
		alice.Bye()
		synctest.Wait()
		if o, over := bob.Last().Ended(); !over || o.Kind != pbx.Cancelled || o.By != pbx.Caller {
			t.Error(o, over)
		}
		if p := r.journal.last(t).Path; p[1].Outcome != "cancelled 487 (caller)" {
			t.Errorf("%+v", p)
		}
	})
}

func TestServedCallerHearsEarlyMediaAndThenRinging(t *testing.T) {
	var got keys
	with(t, asks(&got, 1, 5*time.Second, pbx.InOrder(ring("1001", 10), ring("1002", 10))), func(r *rig) {
		r.Register("1001", pbxtest.EarlyMedia(time.Second, pbxtest.Reject(486, 2*time.Second)))
		r.Register("1002", pbxtest.Answer(3*time.Second))
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.Press("1")
		pass(2 * time.Second)
		r.hears(alice, "1001")
		pass(2 * time.Second)
		r.hears(alice, pbx.PromptRinging)
		pass(2 * time.Second)
		r.hears(alice, "1002")
		alice.Bye()
	})
}

func TestSecondServiceEndsTheRingingTone(t *testing.T) {
	talk := func(ctx context.Context, t *pbx.Talk) pbx.Target {
		t.Play(ctx, "sorry")
		return ring("1002", 10)
	}
	var got keys
	p := asks(&got, 1, 5*time.Second, pbx.Else(ring("1001", 5), pbx.On(pbx.Service("again", talk), pbx.NoAnswer)))
	with(t, p, func(r *rig) {
		r.Register("1001", pbxtest.RingForever())
		r.Register("1002", pbxtest.Answer(2*time.Second))
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.Press("1")
		for _, want := range []string{pbx.PromptRinging, pbx.PromptRinging, "sorry", pbx.PromptRinging} {
			pass(2 * time.Second)
			r.hears(alice, want)
		}
		pass(time.Second)
		r.hears(alice, "1002")
		alice.Bye()
		if n := slices.IndexFunc(alice.Told(), func(s string) bool { return strings.HasPrefix(s, "18") }); n >= 0 {
			t.Error("provisional response after the answer", alice.Told())
		}
	})
}

func TestAnnounce(t *testing.T) {
	rejected := pbx.Outcome{Kind: pbx.Screened, By: pbx.System, Status: 403, Announced: "rejected"}
	p := pbx.Announce("rejected", rejected)
	with(t, plan(p), func(r *rig) {
		alice := r.Call("1000", "1001")
		pass(time.Second)
		r.hears(alice, "rejected")
		if alice.Answered() {
			t.Error("answered")
		}
		r.refused(alice, "refuse 403 see rejected", promptLength)
		if told := alice.Told()[0]; told != "183 early PCMU PCMA telephone-event" {
			t.Error(told)
		}
		r.went("0s-2s announce rejected, then refuse: screened 403 (system): screened 403 (system)\n")
		if c := r.journal.last(t); !c.Answered.IsZero() || !c.Rang.IsZero() || c.Outcome != "screened" || c.Status != 403 {
			t.Errorf("%+v", c)
		}
	})
	with(t, plan(p), func(r *rig) { // no offer: nothing can be heard
		alice := r.CallWithoutOffer("1000", "1001")
		r.refused(alice, "refuse 403 see rejected", 0)
	})
	with(t, plan(pbx.Announce("none", rejected)), func(r *rig) { // no such prompt
		r.refused(r.Call("1000", "1001"), "refuse 403 see rejected", 0)
	})
	with(t, plan(p), func(r *rig) { // the caller gives up
		alice := r.Call("1000", "1001")
		pass(time.Second)
		alice.Cancel()
		synctest.Wait()
		if c := r.journal.last(t); c.Outcome != "cancelled" {
			t.Errorf("%+v", c)
		}
	})
	var got keys
	with(t, asks(&got, 1, 5*time.Second, p), func(r *rig) { // a caller who is answered already
		alice := r.Call("1000", "x")
		synctest.Wait()
		alice.Press("1")
		pass(time.Second)
		r.hears(alice, "rejected")
		pass(2 * time.Second)
		r.hears(alice, pbx.PromptCongestion)
		r.told(alice, "hangup", 10*time.Second)
	})
	with(t, plan(pbx.Else(ring("1001", 5), pbx.On(p, pbx.NoAnswer))), func(r *rig) { // after ringing
		r.Register("1001", pbxtest.RingForever())
		r.refused(r.Call("1000", "1001"), "refuse 403 see rejected", 7*time.Second)
	})
}

func TestAnnouncement(t *testing.T) {
	with(t, plan(pbx.Announcement("closed")), func(r *rig) {
		alice := r.Call("1000", "x")
		pass(time.Second)
		r.hears(alice, "closed")
		r.told(alice, "hangup", 2*time.Second)
		if got := strings.Join(alice.Told(), ", "); got != "automaton, 200 PCMU PCMA telephone-event, hangup answered (system)" {
			t.Error(got)
		}
		r.went("0s-2s announcement closed: answered (system)\n")
	})
	with(t, plan(pbx.Announcement("closed")), func(r *rig) { // codecs the PBX cannot speak
		r.refused(r.Call("1000", "x", media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}), "refuse 488", 0)
	})
	for want, offered := range map[string][]media.Codec{ // G.711, which can go on to anybody; G.722 where there is nothing else
		"200 G722 telephone-event": {media.G722, media.Telephone},
		"200 PCMA":                 {media.G722, media.PCMA},
	} {
		with(t, plan(pbx.Announcement("closed")), func(r *rig) {
			alice := r.Call("1000", "x", offered...)
			pass(time.Second)
			r.hears(alice, "closed")
			r.told(alice, "hangup", 2*time.Second)
			if told := alice.Told(); !slices.Contains(told, want) {
				t.Errorf("%q, want %s", told, want)
			}
		})
	}
}

func TestPanicInATalkEndsOneCall(t *testing.T) {
	p := pbx.Service("boom", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		if key, _ := t.Keys(ctx, "enter-number", 1, time.Minute); key == "9" {
			panic("defect")
		}
		return nil
	})
	with(t, plan(p), func(r *rig) {
		alice, carol := r.Call("1000", "x"), r.Call("1002", "x")
		synctest.Wait()
		alice.Press("9")
		synctest.Wait()
		r.told(alice, "hangup", 0)
		if _, over := carol.Ended(); over {
			t.Error("another call ended")
		}
		if r.sb.Stats().Panics != 1 {
			t.Error(r.sb.Stats())
		}
		if c := r.journal.last(t); c.Outcome != "answered" || c.EndedBy != "system" {
			t.Errorf("%+v", c)
		}
		carol.Press("1")
		synctest.Wait()
		r.told(carol, "hangup", 0)
	})
}

// In a fork a service takes the call like anybody else who answers; a phone that answers later takes it over.
func TestServiceBesidePhones(t *testing.T) {
	p := plan(pbx.Fork(pbx.Service("wait", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		for t.Play(ctx, "music") {
		}
		return nil
	}), ring("1001", 30)))
	with(t, p, func(r *rig) {
		r.Register("1001", pbxtest.Answer(11*time.Second))
		alice := r.Call("1000", "x")
		pass(10 * time.Second)
		r.hears(alice, "music")
		pass(2 * time.Second)
		r.hears(alice, "1001")
		alice.Bye()
	})
}

// What a caller hears before the answer comes from one branch at a time: an announcement too.
func TestAnnouncementBesidePhones(t *testing.T) {
	p := plan(pbx.Fork(ring("1001", 10), pbx.InOrder(ring("1002", 1), pbx.Announce("sorry", pbx.NotFound)), pbx.InOrder(ring("1003", 2), pbx.Announce("closed", pbx.NotFound))))
	with(t, p, func(r *rig) {
		r.Register("1001", pbxtest.EarlyMedia(1500*time.Millisecond, pbxtest.Answer(4*time.Second)))
		r.Register("1002", pbxtest.RingForever())
		r.Register("1003", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		pass(2500 * time.Millisecond)
		r.hears(alice, "sorry") // and neither the early media nor the other announcement
		pass(time.Second)
		r.hears(alice, "ringing")
		pass(3 * time.Second)
		r.hears(alice, "1001")
		alice.Bye()
	})
	with(t, p, func(r *rig) { // whom he hears already
		r.Register("1001", pbxtest.EarlyMedia(0, pbxtest.Answer(4*time.Second)))
		r.Register("1002", pbxtest.RingForever())
		r.Register("1003", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		pass(2 * time.Second)
		r.hears(alice, "1001")
		r.connected(alice, "1001", 4*time.Second)
	})
}

// A key that comes as the audio has ended already, and the exchange has not been told yet, is a key.
func TestKeyWithoutAudio(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, t *pbx.Talk) string{
		"Keys": func(ctx context.Context, t *pbx.Talk) string {
			typed, _ := t.Keys(ctx, "enter-number", 1, time.Second)
			return typed
		},
		"Key": func(ctx context.Context, t *pbx.Talk) string {
			key, _ := t.Key(ctx, time.Second, "enter-number")
			return string(key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			with(t, plan(pbx.Service("asks", func(ctx context.Context, t *pbx.Talk) pbx.Target {
				got = ask(ctx, t)
				return nil
			})), func(r *rig) {
				alice := r.Call("1000", "x")
				synctest.Wait()
				r.hears(alice, "enter-number")
				alice.LoseAudio()
				alice.Press("7")
				pass(time.Second)
				if n := r.sb.Stats().Panics; got != "7" || n != 0 {
					t.Errorf("%q was typed, %d panics", got, n)
				}
			})
		})
	}
}
