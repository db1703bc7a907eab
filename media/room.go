package media

// Room mixes the sound of any number of ports: each hears all others, and not itself. All methods may be called from any
// goroutine, and none of them blocks; after Close they do nothing.
type Room interface {
	// Join has p hear the others, and they it, instead of whatever it heard before; a port is in one room at most. A port
	// that has no Agreement yet may join: it is heard, and hears, once it has one.
	//
	// It fails with ErrNoCommonCodec if no codec of its Agreement is Linear, ErrForeign if p is not a stream of the same
	// engine, ErrClosed if it or the room is closed. On an error p stays as it was.
	//
	// Connect, Echo, Disconnect and the end of the leg take p out again. Play does not: a sound played to a member's port
	// is heard by that member alone, instead of the others, who still hear it meanwhile; then the mix goes on. While a
	// later Agreement of p's has no codec that is Linear, p is in the room, but neither heard nor hearing.
	Join(p Port) error
	// Leave leaves p in silence. If it is not in this room, nothing happens.
	Leave(p Port)
	// Mute has the others not hear p, or hear it again.
	Mute(p Port, muted bool)
	// Play has all hear s, mixed in, after the sounds that were given before have come to their end. done, if not nil, is
	// called once, from another goroutine, when s has come to its end (true), or will not (false): the room was closed, or
	// MaxSounds are waiting already. A room without members hears its sounds too.
	Play(s Sound, done func(whole bool))
	// Record has sink called with each 20 ms of what is heard in the room, 16-bit linear at 8 kHz, one call after the other.
	// It must not block, nor keep the slice. nil: nobody records. A call that has begun may still run when Record returns.
	Record(sink func(frame []int16))
	// Level is how loud p was lately, and whether it is one of those who speak now. A port that is muted or not in the
	// room is silent.
	Level(p Port) Level
	// Stats counts what came from the members, with those that have left.
	Stats() RoomStats
	// Close leaves all members in silence. The second Close does nothing.
	Close()
}

// MaxSounds is how many sounds may wait for their turn in a room.
const MaxSounds = 16

// Level is how loud a member of a room is.
type Level struct {
	DBm0     float64 // of the last 20 ms, −127 for silence
	Speaking bool
}

// RoomStats counts what a room got from its members, in packets if not said otherwise.
type RoomStats struct {
	Members   int
	Frames    uint64 // of 20 ms, mixed so far
	Late      uint64 // came after their time, and were not heard
	Duplicate uint64 // came again
	Excess    uint64 // 20 ms frames left out because more had come than may wait
	Concealed uint64 // 20 ms frames that were missing and made up for
	Resets    uint64 // new sources, and jumps of their timestamps
}

// NewRoom opens a room without members. It lasts until Close; the end of the engine closes it too.
func (e *Engine) NewRoom() Room { return newRoom(e) }
