package pbx

import "time"

// Leg is one party's connection to the PBX: what a bridge joins. It is made by a Line, and belongs to one call or
// bridge at a time. The exported fields do not change after Exchange.Incoming, or Dial.
type Leg struct {
	Signalling
	ID       string
	Party    Identity // who is at the other end, as the directory knows it
	Contact  Contact  // the phone, as far as known
	SIPID    string   // SIP Call-ID, for records and logs
	Created  time.Time
	Only     []string // IDs of the contacts that an incoming leg asked for by GRUU (RFC 5627); nil: all of the number
	Incoming bool     // the party called us

	// Guarded by Switchboard.mu.
	held    bool
	ended   bool
	call    *Call // nil before Incoming
	bridge  *Bridge
	member  *member       // of a conference, nil if it is in none
	over    chan struct{} // closed as the leg ends, if somebody waits for it
	keys    chan<- byte   // who listens to its keys, nil if nobody
	codes   *codeReader   // of the codes that it may press in a call, nil if there are none
	notice  *notice       // what it has to be told, nil if nothing
	counted string        // extension whose usage it is part of
}

// number is that of the leg's extension.
func (l *Leg) number() string {
	if l.Incoming {
		return l.Party.Number
	}
	return l.Contact.Extension
}

// NewLeg is for Lines.
func NewLeg(s Signalling, id string, incoming bool, party Identity, contact Contact, sipID string) *Leg {
	return &Leg{Signalling: s, ID: id, Incoming: incoming, Party: party, Contact: contact, SIPID: sipID, Created: time.Now()}
}
