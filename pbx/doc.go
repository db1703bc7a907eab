// Package pbx is the vocabulary of the exchange and its call control: calls, legs, bridges, targets, outcomes.
// It knows no SIP text, no SQL and no HTTP; those live in packages that implement its interfaces.
//
// A call goes where a plan says: a Target, made by package features, carried out here in one goroutine a call, and one more
// for each branch of a Fork. Once somebody has answered, everything is an operation on bridges.
//
// # A call, from file to file
//
// Incoming (switchboard.go) makes the Call, asks Options.Route for its plan, and lends it a goroutine (worker.go). Call.Reach
// (path.go) carries out target after target and notes the way: Ringing (ring.go) calls phones, all branches at a time by first
// (fork.go); Service (service.go) answers and talks (talk.go); conferences meet in conference.go. What the phones say meanwhile
// comes by Call.Progress (call.go; served.go for who is answered by a service already). The leg that answered is put to the
// caller (switchboard.go, bridge.go); settle (hold.go, tell.go) decides who hears whom from then on. incall.go finds codes among
// keys. Recordings begin in recording.go and conference_record.go, and run in taping.go. Ended (ending.go) takes a leg out, and
// with the last leg, and the end of the plan and of the recordings, the record is written.
//
// # Who may call what
//
// A Line calls the methods of Exchange, and whoever shows or ends calls Calls, Conferences, HangupCall, StartRecording and the
// like: from any goroutine; none of them waits. Targets are called by Call.Reach only, on the goroutine of the plan or of a
// branch, and may wait there until their context is done. A Talk belongs to the goroutine that it was given to.
//
// One lock, Switchboard.mu, guards who talks to whom. It is held for map and field updates only: never across a
// method of Line, Signalling, media.Port, media.Room, media.Capture, Tape, RecordingStore, Journal or Directory, nor anything that
// waits. A Feed may be told with it held: the Feed's own lock is a leaf.
package pbx
