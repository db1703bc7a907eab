package pbx

import "time"

// RecordPolicy says which calls of an extension are recorded.
type RecordPolicy struct {
	Incoming bool `json:"incoming,omitempty"`  // all calls that it answers
	Outgoing bool `json:"outgoing,omitempty"`  // all calls that it makes
	OnDemand bool `json:"on_demand,omitempty"` // it may begin and end a recording by *1 in a call
	Announce bool `json:"announce,omitempty"`  // both parties are told when a recording begins
	Set      Set  `json:"set,omitzero"`
}

// Recording is the sound of a call or a conference that is kept: the caller left and the called party right, or a conference in one
// channel.
type Recording struct {
	ID       string        `json:"id"`             // unique, sorts by time; never a path
	Call     string        `json:"call,omitempty"` // ID of the call's record; "" of a conference
	Room     string        `json:"room,omitempty"` // number of the conference room; "" of a call
	From     string        `json:"from,omitempty"`
	To       string        `json:"to,omitempty"`
	By       string        `json:"by"` // whose doing it was: an extension or an administrator; "policy of 1000", "room 800"
	Started  time.Time     `json:"started"`
	Length   time.Duration `json:"length_ns"`
	Bytes    int64         `json:"bytes"`
	Channels int           `json:"channels"`
	Problem  string        `json:"problem,omitempty"` // why something is missing, in a sentence; "": nothing is
}

// RecordingStore keeps recordings.
type RecordingStore interface {
	// Record begins a recording; ID, Length and Bytes of r do not count. It may wait for the disk, but not long: where the disk
	// does not take it at once it fails. The tape's Keep brings the recording into the list, also what there is of one that
	// failed.
	Record(r Recording) (id string, t Tape, err error)
}

// RecordingFilter picks recordings; zero fields do not filter.
type RecordingFilter struct {
	Call   string    // ID of the call's record
	Number string    // From or To
	Room   string    // number of the conference room
	Since  time.Time // started at or after
	Until  time.Time // started before
	After  string    // ID of the last recording of the page before
	Limit  int       // recordings a page, 1 to 1000; 0: 100
}

// Recorded is a recording as the record of its call tells of it.
type Recorded struct {
	ID      string    `json:"id,omitempty"` // "": there is none, Problem says why
	By      string    `json:"by"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Problem string    `json:"problem,omitempty"`
}
