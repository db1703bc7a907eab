package pbx_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// late tells of a leg's end ten seconds after it: a CANCEL takes its time to be answered with 487.
type late struct {
	pbx.Exchange
	number string
}

func (l late) Ended(leg *pbx.Leg, o pbx.Outcome) {
	if leg.Contact.Extension == l.number {
		time.Sleep(10 * time.Second)
	}
	l.Exchange.Ended(leg, o)
}

// The list of calls and the record have the quality of the two who talk, and not of a phone that rang beside them.
func TestQualityIsOfThoseWhoTalk(t *testing.T) {
	fork := func(*pbx.Call) pbx.Target {
		return pbx.Fork(pbx.Ring("1001", 20*time.Second), pbx.Ring("1002", 20*time.Second))
	}
	with(t, fork, func(r *rig) {
		r.Line.Exchange = late{r.sb, "1002"}
		bob, carol := r.Register("1001", pbxtest.Answer(2*time.Second)), r.Register("1002", pbxtest.RingForever())
		alice := r.Call("1000", "600")
		r.told(alice, "180", time.Second)
		synctest.Wait()
		carol.Last().SetStats(media.Stats{PacketsIn: 7}) // early media
		r.told(alice, "200", 3*time.Second)
		synctest.Wait()
		heard := media.Stats{Codec: "PCMA", PacketsIn: 100, PacketsOut: 101, LostIn: 2, LostOut: 3, JitterIn: 4, JitterOut: 5, RoundTrip: 6, MOSIn: 4.1, MOSOut: 4.2}
		alice.SetStats(heard)
		bob.Last().SetStats(media.Stats{Codec: "PCMU", PacketsIn: 50})
		want := pbx.Quality{PacketsIn: 100, PacketsOut: 101, LostIn: 2, LostOut: 3, JitterIn: 4, JitterOut: 5, RoundTrip: 6, MOSIn: 4.1, MOSOut: 4.2}
		if c := r.sb.Calls()[0]; c.FromPhone != want || c.ToPhone.PacketsIn != 50 || c.Codec != "PCMA" {
			t.Errorf("%+v", c)
		}
		bob.Last().Bye()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if c := r.journal.last(t); c.FromPhone != want || c.ToPhone.PacketsIn != 50 || c.By != "1001" {
			t.Errorf("%+v", c)
		}
	})
}

// While it rings there is nobody to be heard, and a call that nobody answered has no quality of who was called.
func TestQualityBeforeTheAnswer(t *testing.T) {
	with(t, nil, func(r *rig) {
		bob := r.Register("1001", pbxtest.RingForever())
		alice := r.Call("1000", "1001")
		r.told(alice, "180", time.Second)
		synctest.Wait()
		bob.Last().SetStats(media.Stats{PacketsIn: 7})
		if c := r.sb.Calls()[0]; c.FromPhone != (pbx.Quality{}) || c.ToPhone != (pbx.Quality{}) {
			t.Errorf("%+v", c)
		}
		alice.Cancel()
		synctest.Wait()
		if c := r.journal.last(t); c.ToPhone != (pbx.Quality{}) {
			t.Errorf("nobody answered: %+v", c)
		}
	})
}
