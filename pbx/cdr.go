package pbx

import (
	"ringback/media"
	"time"
)

// CDR is the record of one attempt to call. It is written once when the call is answered (so that an answered
// call is never lost) and again, whole, when it has ended. Times are UTC; a zero time means "did not happen".
type CDR struct {
	ID        string     `json:"id"` // unique, sorts by start time
	From      string     `json:"from"`
	FromName  string     `json:"from_name,omitempty"`
	Hidden    bool       `json:"hidden,omitempty"` // a called party was not shown From
	To        string     `json:"to"`               // as dialled
	Started   time.Time  `json:"started"`
	Rang      time.Time  `json:"rang,omitzero"`
	Answered  time.Time  `json:"answered,omitzero"`
	Ended     time.Time  `json:"ended,omitzero"`
	By        string     `json:"answered_by,omitempty"` // extension that answered
	Contact   string     `json:"contact,omitempty"`     // its contact URI
	Outcome   string     `json:"outcome"`               // Kind in words
	Status    int        `json:"status,omitempty"`      // SIP status the caller got, 0 if answered
	Cause     int        `json:"cause,omitempty"`       // Q.850
	EndedBy   string     `json:"ended_by"`              // Side in words: whose doing the end was
	Reason    string     `json:"reason,omitempty"`      // text that came with the end
	Codec     string     `json:"codec,omitempty"`       // what the caller sent
	CallID    string     `json:"call_id,omitempty"`     // SIP Call-ID of the caller's leg
	Plan      string     `json:"plan,omitempty"`        // where the call was to go, as Text
	Path      []Passed   `json:"path,omitempty"`        // what came of it, in the order of time
	Recorded  []Recorded `json:"recorded,omitempty"`    // recordings of the call, in the order of time
	FromPhone Quality    `json:"from_phone,omitzero"`   // the caller's leg
	ToPhone   Quality    `json:"to_phone,omitzero"`     // the leg that answered
}

// Passed is a node of the plan that the call came through.
type Passed struct {
	Node    string    `json:"node"` // as Target.String
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"`
	Outcome string    `json:"outcome"` // as Outcome.String; "" while it lasts
}

// Quality is what a leg's audio was like, both ways, seen from the PBX.
type Quality struct {
	PacketsIn  uint64        `json:"packets_in"`
	PacketsOut uint64        `json:"packets_out"`
	LostIn     uint64        `json:"lost_in"`
	LostOut    uint64        `json:"lost_out"`
	JitterIn   time.Duration `json:"jitter_in_ns"`
	JitterOut  time.Duration `json:"jitter_out_ns"`
	RoundTrip  time.Duration `json:"round_trip_ns,omitempty"` // by RTCP; 0: the phone did not help to measure it
	MOSIn      float64       `json:"mos_in,omitempty"`        // estimated (package media/quality), two decimals; 0: unknown
	MOSOut     float64       `json:"mos_out,omitempty"`       // likewise; loss is what the phone reports
}

// QualityOf picks out of a leg's counters what a call record keeps.
func QualityOf(s media.Stats) Quality {
	return Quality{s.PacketsIn, s.PacketsOut, s.LostIn, s.LostOut, s.JitterIn, s.JitterOut, s.RoundTrip, s.MOSIn, s.MOSOut}
}

// Journal keeps what was promised to a phone or a person. Its methods may be called from any goroutine and,
// but for what they say, do not block.
type Journal interface {
	// Bindings replaces the stored bindings of an extension. done is called, from the journal's goroutine, once that
	// is on disk (group commit) or has failed; a REGISTER's 200 waits for it. Calls are kept in order.
	Bindings(extension string, all []Binding, done func(error))
	// Answered has been written (not fsynced) when it returns. The caller's 200 goes out after it.
	Answered(CDR) error
	// Ended takes the finished record; it is stored later, in order.
	Ended(CDR)
}
