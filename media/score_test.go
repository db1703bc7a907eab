package media

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"ringback/media/quality"
)

// Scores follow from what was counted: loss inward by oneself, in bursts or not, and outward as the phone reports it.
func TestScores(t *testing.T) {
	for _, burst := range []int{1, 4} {
		virtual(t, Options{}, func(l *lab) {
			alice, bob, sa, sb := l.call([]Format{alaw, ulaw}, []Format{ulaw})
			defer sa.Close()
			defer sb.Close()
			bobs := l.control(bob, sb)
			if st := sb.Stats(); st.MOSIn != 0 || st.MOSOut != 0 {
				t.Errorf("before the first packet: %+v", st)
			}
			for i := range 1000 {
				pause(20 * time.Millisecond)
				if i == quality.Enough-10 {
					if st := sb.Stats(); st.MOSIn != 0 {
						t.Errorf("after %d packets: %+v", i, st)
					}
				}
				if i%40 >= 20 && i%40 < 20+burst*2 && (burst > 1 || i%2 == 0) { // each time eight, or one
					alice.seq, alice.ts = alice.seq+1, alice.ts+160
				} else {
					alice.say(0, frame(0))
				}
				bob.say(0, frame(0))
				alice.heard()
				bob.heard()
			}
			lost := uint64(25 * 1)
			gaps := lost
			if burst > 1 {
				lost, gaps = 25*8, 25
			}
			st := sa.Stats()
			want := quality.Sample{Codec: "PCMU", Received: 1000 - lost, Lost: lost, Gaps: gaps}
			if st.LostIn != lost || st.MOSIn != want.MOS() || st.MOSIn == 0 {
				t.Errorf("in bursts of %d: %+v, not MOS %v of %+v", burst, st, want.MOS(), want)
			}
			if st.MOSOut != 0 {
				t.Errorf("nobody has reported: %+v", st)
			}

			// Bob reports what he misses, which is what alice lost.
			st = sb.Stats()
			if clean := (quality.Sample{Codec: "PCMU", Received: 1000}).MOS(); st.MOSIn != clean || st.MOSOut != 0 {
				t.Errorf("bob: %+v, not MOS %v", st, clean)
			}
			rr := &rtcp.ReceiverReport{SSRC: bob.ssrc, Reports: []rtcp.ReceptionReport{{SSRC: sb.tx.ssrc, TotalLost: uint32(lost), Jitter: 80}}}
			b, err := rtcp.Marshal([]rtcp.Packet{rr})
			if err != nil {
				t.Fatal(err)
			}
			bobs.send(b)
			bob.nothing()
			for range 500 { // what he has not reported on does not count
				alice.say(0, frame(0))
				bob.heard()
			}
			want = quality.Sample{Codec: "PCMU", Received: 1000 - lost, Lost: lost, Jitter: 10 * time.Millisecond}
			if st := sb.Stats(); st.MOSOut != want.MOS() || st.MOSOut == 0 {
				t.Errorf("reported: %+v, not MOS %v", st, want.MOS())
			}
		})
	}
}

// The codec sent is the one the packets have, which need not be the first that was agreed; keys are none.
func TestScoreIsOfTheCodecSent(t *testing.T) {
	gsm := Format{Codec{Name: "GSM", ClockRate: 8000, Channels: 1, Fmtp: ""}, 3, 3}
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw, gsm, event}, []Format{ulaw, gsm, event})
		defer sa.Close()
		defer sb.Close()
		alice.say(3, make([]byte, 33))
		alice.say(event.RecvPT, []byte{5, 0x80, 0, 160})
		bob.heard()
		sb.mu.Lock()
		defer sb.mu.Unlock()
		if got := sb.sends(); got != "GSM" {
			t.Errorf("it sends %q", got)
		}
	})
}
