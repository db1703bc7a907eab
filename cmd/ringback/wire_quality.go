package main

import (
	"ringback/pbx"
	"ringback/web"
)

// measuredJournal shows the quality of each call that has ended to /metrics.
type measuredJournal struct {
	pbx.Journal
	mos, loss, jitter, roundTrip web.Sample
}

// measured registers the metrics. The bounds for the score are those of user satisfaction in ITU-T G.107 Annex B.
func (i *instance) measured(j pbx.Journal) pbx.Journal {
	m := i.metrics
	return &measuredJournal{
		Journal: j,
		mos: m.Histogram("ringback_call_mos", "Mean opinion score of each leg of calls that are over, estimated by the E-model (ITU-T G.107).",
			[]float64{2, 2.58, 3.1, 3.6, 4.03, 4.2, 4.34, 4.5}, "direction"),
		loss: m.Histogram("ringback_call_loss_ratio", "Share of packets lost, of each leg of calls that are over.",
			[]float64{0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}, "direction"),
		jitter: m.Histogram("ringback_call_jitter_seconds", "Jitter at the end, of each leg of calls that are over.",
			[]float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2}, "direction"),
		roundTrip: m.Histogram("ringback_call_round_trip_seconds", "Time to a phone and back by RTCP, of each leg of calls that are over.",
			[]float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1}),
	}
}

// Ended implements pbx.Journal.
func (j *measuredJournal) Ended(c pbx.CDR) {
	j.leg(&c.FromPhone)
	j.leg(&c.ToPhone)
	j.Journal.Ended(c)
}

// leg counts a direction only where there is a score: elsewhere too little was heard, or was reported.
func (j *measuredJournal) leg(q *pbx.Quality) {
	if q.MOSIn > 0 {
		j.mos(q.MOSIn, "in")
		j.loss(float64(q.LostIn)/float64(q.LostIn+q.PacketsIn), "in")
		j.jitter(q.JitterIn.Seconds(), "in")
	}
	if q.MOSOut > 0 {
		j.mos(q.MOSOut, "out")
		j.loss(min(float64(q.LostOut)/float64(max(q.PacketsOut, 1)), 1), "out")
		j.jitter(q.JitterOut.Seconds(), "out")
	}
	if q.RoundTrip > 0 {
		j.roundTrip(q.RoundTrip.Seconds())
	}
}
