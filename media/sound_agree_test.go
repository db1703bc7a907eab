package media

import (
	"bytes"
	"net/netip"
	"testing"
	"time"
)

func TestPlayWithoutCodec(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		play := func(why string) {
			t.Helper()
			end := newEnding(t)
			s.Play(&ramp{t: t, frames: -1}, end.done)
			end.want(why, false)
			s.Play(&ramp{t: t, frames: -1}, nil)
			pause(time.Second)
			alice.nothing()
			end.want(why, false)
		}
		s.Agree(terms(alice, event, opus, Format{Codec: PCMU, SendPT: 200}))
		play("no linear codec")
		s.Agree(terms(alice, ulaw))
		s.Close()
		play("closed")
	})
}

// A phone that was called without an offer of its own answers in its ACK: the sound waits for that, and begins at its beginning.
func TestPlayWaitsForAgreement(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: 50}, end.done)
		pause(3 * time.Second)
		alice.nothing()
		end.want("nothing agreed yet")
		s.Agree(terms(alice, ulaw))
		pause(30 * time.Millisecond) // at most 20 ms until it looks again
		heard := line{t: t}
		for i, b := range alice.heard() {
			heard.follows(b, 0, 160, i == 0, "agreed")
			if i == 0 && !bytes.Equal(payload(t, b), part(PCMU, 0, 160)) {
				t.Errorf("it begins with %x", payload(t, b))
			}
		}
		if !heard.any {
			t.Error("nothing is heard")
		}
		pause(time.Second)
		end.want("at the end", true)
		s.Close()

		// What can never be heard, and what nobody waits for any more.
		s = l.stream()
		end = newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		s.Agree(terms(alice, event, opus))
		end.want("no linear codec", false)
		s.Close()
		s = l.stream()
		end = newEnding(t)
		s.Play(&ramp{t: t, frames: -1}, end.done)
		pause(time.Second)
		s.Close()
		end.want("closed", false)
	})
}

// On hold nothing is sent, but the sound goes on in time.
func TestPlayOnHold(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		agreed := terms(alice, ulaw)
		held := agreed
		held.Send = false
		s.Agree(held)
		end := newEnding(t)
		s.Play(&ramp{t: t, frames: 200}, end.done)
		pause(slotTime + 100*time.Millisecond) // frames 0 to 5
		alice.nothing()
		s.Agree(agreed)
		heard := line{t: t}
		for i := range 10 {
			pause(20 * time.Millisecond)
			b := alice.one()
			heard.follows(b, 0, 160, i == 0, "retrieved")
			if !bytes.Equal(payload(t, b), part(PCMU, (6+i)*160, 160)) {
				t.Fatalf("frame %d after hold: %x", i, payload(t, b))
			}
		}
		nowhere := agreed
		nowhere.Remote = netip.AddrPort{} // 0.0.0.0
		s.Agree(nowhere)
		pause(200 * time.Millisecond)
		alice.nothing()
		s.Agree(agreed)
		pause(20 * time.Millisecond)
		b := alice.one()
		heard.follows(b, 0, 11*160, true, "after the second hold")
		if !bytes.Equal(payload(t, b), part(PCMU, 26*160, 160)) {
			t.Errorf("after the second hold: %x", payload(t, b))
		}
		s.Agree(held)
		pause(10 * time.Second)
		alice.nothing()
		end.want("it ended on hold", true)
	})
}

// Another codec, another address, another packet time: the sound goes on with them.
func TestPlayAgreesAgain(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice, bob := l.phone(aliceAddr, s), l.phone(bobAddr, s)
		s.Agree(terms(alice, ulaw))
		s.Play(&ramp{t: t, frames: -1}, nil)
		heard := line{t: t}
		pause(slotTime)
		heard.follows(alice.one(), 0, 160, true, "first")
		s.Agree(terms(alice, alaw, ulaw))
		pause(20 * time.Millisecond)
		b := alice.one()
		heard.follows(b, 8, 160, false, "A-law")
		if !bytes.Equal(payload(t, b), part(PCMA, 160, 160)) {
			t.Errorf("A-law: %x", payload(t, b))
		}
		s.Agree(terms(bob, alaw))
		pause(20 * time.Millisecond)
		alice.nothing()
		heard.follows(bob.one(), 8, 160, false, "elsewhere")
		a := terms(bob, alaw)
		a.PTime = 40 * time.Millisecond
		s.Agree(a)
		pause(20 * time.Millisecond)
		heard.follows(bob.one(), 8, 160, false, "the last of 20 ms")
		pause(20 * time.Millisecond)
		b = bob.one()
		heard.follows(b, 8, 160, false, "the first of 40 ms")
		if !bytes.Equal(payload(t, b), part(PCMA, 4*160, 320)) {
			t.Errorf("40 ms: %x", payload(t, b))
		}
		pause(20 * time.Millisecond)
		bob.nothing()
		pause(20 * time.Millisecond)
		heard.follows(bob.one(), 8, 320, false, "the second of 40 ms")
	})
}

// A phone behind NAT is heard from elsewhere than its SDP says: the sound follows.
func TestPlayFollowsTheLatch(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		defer s.Close()
		alice, outside := l.phone(aliceAddr, s), l.phone(natAddr, s)
		a := terms(alice, ulaw)
		a.Source = natAddr
		s.Agree(a)
		s.Play(&ramp{t: t, frames: -1}, nil)
		pause(slotTime)
		alice.one()
		outside.say(0, frame(0))
		pause(20 * time.Millisecond)
		outside.one()
		alice.nothing()
	})
}
