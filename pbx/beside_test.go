package pbx_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// waits plays a prompt until the caller presses a key.
func waits(prompt string) pbx.Target {
	return pbx.Service(prompt, func(ctx context.Context, t *pbx.Talk) pbx.Target {
		t.Keys(ctx, prompt, 1, time.Hour)
		return nil
	})
}

// What the PBX says to a caller is not spoilt by what phones beside it do.
func TestPhonesThatRingBesideAService(t *testing.T) {
	with(t, plan(pbx.Fork(waits("music"), ring("1001", 60), ring("1002", 60))), func(r *rig) {
		r.Register("1001", pbxtest.EarlyMedia(2*time.Second, pbxtest.RingForever()))
		r.Register("1002", pbxtest.EarlyMedia(3*time.Second, pbxtest.Reject(480, 5*time.Second)))
		alice := r.Call("1000", "x")
		for range 10 {
			pass(time.Second)
			r.hears(alice, "music")
		}
		alice.Press("1")
		r.told(alice, "hangup", time.Second)
	})
}

// A caller talks with one service at a time, and it has all his keys.
func TestTwoServicesInAFork(t *testing.T) {
	with(t, plan(pbx.Fork(pbx.InOrder(ring("1001", 1), waits("second")), waits("first"), pbx.InOrder(ring("1001", 2), pbx.Echo()),
		pbx.InOrder(ring("1001", 3), pbx.Announce("third", pbx.NotFound)))), func(r *rig) {
		r.Register("1001", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		synctest.Wait()
		r.hears(alice, "first")
		pass(4 * time.Second)
		r.hears(alice, "")
		alice.Press("1")
		r.told(alice, "hangup", time.Second)
	})
}

// An announcement that a service comes into the midst of ends without a sound.
func TestServiceDuringAnAnnouncement(t *testing.T) {
	with(t, plan(pbx.Fork(pbx.Announce("sorry", pbx.NotFound), pbx.InOrder(ring("1001", 1), waits("music")), ring("1002", 60))), func(r *rig) {
		r.Register("1001", pbxtest.RingForever())
		r.Register("1002", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		synctest.Wait()
		r.hears(alice, "sorry")
		pass(1500 * time.Millisecond)
		r.hears(alice, "music")
		pass(promptLength)
		r.hears(alice, "music")
		alice.Bye()
	})
}

// A defect while a phone that has answered is asked to confirm leaves it with no call.
func TestPanicDuringConfirmation(t *testing.T) {
	for _, plan := range []pbx.Target{confirmed("1001", 10), pbx.Fork(confirmed("1001", 10), ring("1002", 5))} {
		withOptions(t, func(o *pbx.Options) {
			o.Prompt = func(name string) media.Sound {
				if name == pbx.PromptConfirm {
					panic("defect")
				}
				return prompt(name)
			}
			o.Route = func(*pbx.Call) pbx.Target { return plan }
		}, func(r *rig) {
			h := r.Register("1001", pbxtest.Answer(time.Second))
			r.Register("1002", pbxtest.RingForever())
			alice := r.Call("1000", "x")
			pass(2 * time.Second)
			r.told(h.Last(), "hangup", time.Second)
			r.told(alice, "refuse", 10*time.Second)
		})
	}
}

// The audio of a leg ends a moment before the leg. Nobody is called for who has gone.
func TestNobodyIsCalledForWhoHangsUpDuringAPrompt(t *testing.T) {
	p := pbx.Service("greeting", func(ctx context.Context, t *pbx.Talk) pbx.Target {
		t.Play(ctx, "greeting")
		return ring("1001", 20)
	})
	with(t, plan(p), func(r *rig) {
		phone := r.Register("1001", pbxtest.RingForever())
		alice := r.Call("1000", "x")
		pass(time.Second)
		alice.Leg.Port().Disconnect()
		pass(50 * time.Millisecond)
		alice.Bye()
		pass(time.Minute)
		if phone.Last() != nil {
			t.Error("1001 was called")
		}
	})
}
