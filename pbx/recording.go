package pbx

import "errors"

// Errors of StartRecording, StopRecording and RecordConference.
var (
	ErrNoSuchCall   = errors.New("there is no such call")
	ErrNotConnected = errors.New("nobody talks to anybody in this call")
	ErrRecorded     = errors.New("it is being recorded already")
	ErrNotRecorded  = errors.New("it is not being recorded")
	ErrNoRecordings = errors.New("this PBX keeps no recordings")
	ErrManyRecorded = errors.New("there are too many recordings of this call already")
	ErrNoConference = errors.New("there is no conference in this room")
)

// StartRecording records a call from now on: what the caller says left, what the one says whom he talks to right. by is whose
// doing it is. It does not wait for the disk: what becomes of it is in the record of the call.
func (s *Switchboard) StartRecording(call, by string) error { return ErrNoRecordings }

// StopRecording ends the recording of a call; by is whose doing it is, for the log.
func (s *Switchboard) StopRecording(call, by string) error { return ErrNotRecorded }

// RecordConference has the conference of a room be recorded, while two or more are in it, or no longer.
func (s *Switchboard) RecordConference(room string, on bool, by string) error { return ErrNoRecordings }
