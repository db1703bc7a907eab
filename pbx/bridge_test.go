package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx/pbxtest"
)

func TestInfoAndHoldReachTheOtherSide(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		alice := r.Call("1000", "1001")
		r.told(alice, "200", time.Second)
		synctest.Wait()
		alice.Info("application/dtmf-relay", []byte("Signal=5"))
		r.told(bob.Last(), "info application/dtmf-relay Signal=5", time.Second)
		bob.Last().Hold(true)
		if !r.sb.Calls()[0].Held {
			t.Error("not shown as held")
		}
		bob.Last().Hold(false)
		if r.sb.Calls()[0].Held {
			t.Error("shown as held")
		}
		alice.Bye()
	})
}

func TestRenegotiatedCodecReachesTheOtherSide(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{media.PCMU, g729}
		alice := r.Call("1000", "1001", media.PCMU, g729)
		r.told(alice, "200", time.Second)
		synctest.Wait()
		alice.Reoffer(g729)
		r.told(bob.Last(), "renegotiate G729", time.Second)
		alice.Bye()
	})
}

func TestIncompatibleCodecs(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.Answer(0))
		bob.Codecs = []media.Codec{g729}
		alice := r.Call("1000", "1001", media.PCMA)
		r.told(alice, "refuse 488", time.Second)
	})
}

// Where there is no common codec the PBX transcodes, and nobody is asked for anything.
func TestNarrowbandCallsWideband(t *testing.T) {
	for _, c := range [][2]media.Codec{{media.PCMA, media.G722}, {media.G722, media.PCMU}} {
		with(t, nil, func(r *rig) {
			bob := r.Register("1001", pbxtest.Answer(0))
			bob.Codecs = []media.Codec{c[1]}
			alice := r.Call("1000", "1001", c[0])
			r.told(alice, "200 "+c[0].Name, time.Second)
			r.both(alice, "1001", bob.Last(), "1000")
			alice.Bye()
		})
	}
}
