package e2e

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// heard is the quality of a leg as the API shows it.
type heard struct {
	PacketsIn  float64 `json:"packets_in"`
	PacketsOut float64 `json:"packets_out"`
	LostIn     float64 `json:"lost_in"`
	LostOut    float64 `json:"lost_out"`
	RoundTrip  int64   `json:"round_trip_ns"`
	MOSIn      float64 `json:"mos_in"`
	MOSOut     float64 `json:"mos_out"`
}

type rated struct {
	From      string `json:"from"`
	Ended     string `json:"ended"`
	FromPhone heard  `json:"from_phone"`
	ToPhone   heard  `json:"to_phone"`
}

// conversation lasts until both phones have heard three seconds of sound and a sender report, and have reported of it. It
// returns what the list of calls says then, and what the record says at the end.
func (s *scene) conversation(caller, callee *pbxtest.CallLeg) (up, record rated) {
	s.Helper()
	number := caller.Phone.User()
	s.talk(caller, callee)
	for _, l := range []*pbxtest.CallLeg{caller, callee} {
		s.eventually("150 packets have been sent, and the PBX has reported a while ago", func() bool {
			r := senderReport(l)
			return l.Sent() >= 150 && r != nil && time.Since(r.At) > 300*time.Millisecond
		})
	}
	s.must(caller.Report())
	s.must(callee.Report())
	one := func(path string, done func(rated) bool) (found rated) {
		s.eventually(path+" shows the quality", func() bool {
			var list struct{ Items []rated }
			s.must(s.x.api(s.ctx, "GET", path, nil, &list))
			for _, found = range list.Items {
				if found.From == number && done(found) {
					return true
				}
			}
			return false
		})
		return found
	}
	up = one("/calls", func(r rated) bool { return r.FromPhone.MOSOut > 0 && r.ToPhone.MOSOut > 0 })
	s.over(caller, callee)
	record = one("/cdrs?from="+number, func(r rated) bool { return r.Ended != "" })
	return up, record
}

func senderReport(l *pbxtest.CallLeg) *pbxtest.Report {
	for _, r := range l.Reports() {
		if r.Sender {
			return &r
		}
	}
	return nil
}

func TestQualityOfACleanCall(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.up(s.phone(), s.phone())
		up, record := s.conversation(caller, callee)
		for _, r := range []rated{up, record} {
			for _, q := range []heard{r.FromPhone, r.ToPhone} {
				for _, mos := range []float64{q.MOSIn, q.MOSOut} {
					if mos < 4.3 || mos > 4.41 {
						s.Errorf("a clean call has a MOS of %v: %+v", mos, q)
					}
				}
				if q.LostIn+q.LostOut != 0 || q.PacketsIn < 140 || q.PacketsOut < 140 {
					s.Errorf("a clean call has %+v", q)
				}
			}
		}
	})
}

// A caller loses a packet of ten on its way; the one that is called is far away.
func TestQualityOfALossyCall(t *testing.T) {
	play(t, func(s *scene) {
		caller, callee := s.call(s.phone(), s.phone())
		s.must(callee.Answer(s.ctx))
		s.must(caller.Answered(s.ctx))
		caller.Lose(9)
		callee.Away(200 * time.Millisecond)
		caller.Play(440)
		callee.Play(620)
		_, r := s.conversation(caller, callee)
		// By hand (G.107 §7.5): Ie,eff = 95·10/(10+25.1) = 27, so that R is about 65 and MOS about 3.4.
		for name, x := range map[string][3]float64{
			"from the caller":  {r.FromPhone.PacketsIn, r.FromPhone.LostIn, r.FromPhone.MOSIn},
			"to who is called": {r.ToPhone.PacketsOut, r.ToPhone.LostOut, r.ToPhone.MOSOut},
		} {
			sent, lost, mos := x[0], x[1], x[2]
			if share := lost / (sent + lost); math.Abs(share-0.1) > 0.03 || mos < 3 || mos > 3.7 {
				s.Errorf("%s: %v of %v lost, MOS %v", name, lost, sent+lost, mos)
			}
		}
		if q := r.FromPhone; q.LostOut != 0 || q.MOSOut < 4 {
			s.Errorf("to the caller nothing was lost: %+v", q)
		}
		if q := r.ToPhone; q.LostIn != 0 || q.MOSIn < 3.8 { // a busy machine adds to the round trip
			s.Errorf("from far away nothing was lost: %+v", q)
		}
		if trip := time.Duration(r.ToPhone.RoundTrip); trip < 199*time.Millisecond || trip > 2*time.Second {
			s.Errorf("the round trip to who is called is %v", trip)
		}
		s.eventually("the metrics count it", func() bool {
			return s.metric(`ringback_call_loss_ratio_count{direction="in"}`)-s.metric(`ringback_call_loss_ratio_bucket{direction="in",le="0.05"}`) >= 1 &&
				s.metric(`ringback_call_mos_bucket{direction="in",le="4.03"}`) >= 1 && s.metric("ringback_call_round_trip_seconds_count") >= 1
		})
	})
}

// metric is a value of /metrics, 0 if it is not there.
func (s *scene) metric(name string) float64 {
	s.Helper()
	r, err := http.NewRequestWithContext(s.ctx, "GET", s.x.http+"/metrics", nil)
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+apiToken)
	w, err := http.DefaultClient.Do(r)
	s.must(err)
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	s.must(err)
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			s.must(err)
			return f
		}
	}
	return 0
}
