package pbx

import (
	"context"
	"errors"
	"sync"
	"time"

	"ringback/media"
)

// PromptBeep is heard before the PBX records what somebody says.
const PromptBeep = "beep"

// TakeOptions say when a recording of what a party says ends, besides when the tape takes no more. Zero values are the defaults.
type TakeOptions struct {
	Keys    string        // that end it; "": #
	Silence time.Duration // that ends it once something was said; 0: 5 s
	First   time.Duration // silence at the beginning that ends it; 0: 10 s
	Most    time.Duration // its greatest length; 0: 3 minutes
}

// Take is what was recorded of a party.
type Take struct {
	By     TakeEnd
	Key    byte          // of EndedByKey
	Length time.Duration // with the silence at its end
	Speech bool          // there is more sound in it than that of a handset put down
}

// TakeEnd is why a recording of a party has ended.
type TakeEnd uint8

// The ends of a recording.
const (
	EndedByKey     TakeEnd = iota
	EndedBySilence         // nothing was heard for so long, also as no packets came
	EndedByLength          // it has its greatest length
	EndedByTape            // the tape takes no more: the disk is full or too slow
	EndedByParty           // who spoke has hung up, or the context is done; what was said before is on the tape
)

// ErrNoCapture is of a Switchboard that cannot record.
var ErrNoCapture = errors.New("nothing can be recorded here")

// Record plays a beep and puts what the party says on a tape, from then on until it ends; the tape is the caller's to keep or drop.
// Keys that were pressed before are forgotten. An error says that nothing could be recorded.
func (t *Talk) Record(ctx context.Context, tape Tape, o TakeOptions) (Take, error) {
	if t.sb.newCapture == nil {
		return Take{}, ErrNoCapture
	}
	if !t.Play(ctx, PromptBeep) {
		return Take{By: EndedByParty}, nil
	}
	t.forgetKeys()
	r := &taking{tape: tape, full: make(chan struct{}), spoke: make(chan struct{})}
	capture := t.sb.newCapture(1, r.frame)
	defer r.end() // after Close, which a last frame may outlive
	defer capture.Close()
	if err := capture.Hear(0, t.leg.Port()); err != nil {
		if errors.Is(err, media.ErrClosed) {
			return Take{By: EndedByParty}, nil
		}
		return Take{}, err
	}
	by, key := t.recording(ctx, r, o)
	length, speech := r.end()
	return Take{By: by, Key: key, Length: length, Speech: speech}, nil
}

// recording waits for the end of a recording.
func (t *Talk) recording(ctx context.Context, r *taking, o TakeOptions) (by TakeEnd, key byte) {
	keys, most := o.Keys, time.NewTimer(orDefault(o.Most, 3*time.Minute))
	if keys == "" {
		keys = "#"
	}
	defer most.Stop()
	first, later := orDefault(o.First, 10*time.Second), orDefault(o.Silence, 5*time.Second)
	quiet := time.NewTimer(first)
	defer quiet.Stop()
	spoke := r.spoke
	for {
		select {
		case key := <-t.keys:
			for i := range len(keys) {
				if keys[i] == key {
					return EndedByKey, key
				}
			}
		case <-spoke:
			spoke = nil
			quiet.Reset(later)
		case <-quiet.C:
			left := time.Duration(0)
			if last := r.heard(); !last.IsZero() {
				left = time.Until(last.Add(later))
			}
			if left <= 0 {
				return EndedBySilence, 0
			}
			quiet.Reset(left)
		case <-most.C:
			return EndedByLength, 0
		case <-r.full:
			return EndedByTape, 0
		case <-ctx.Done():
			return EndedByParty, 0
		case <-t.gone:
			return EndedByParty, 0
		}
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// forgetKeys drops what was typed until now.
func (t *Talk) forgetKeys() {
	for {
		select {
		case <-t.keys:
		default:
			return
		}
	}
}

// taking is a recording that goes on. Its methods may be called from any goroutine.
type taking struct {
	tape  Tape
	full  chan struct{} // closed when the tape takes no more
	spoke chan struct{} // closed when there is sound for the first time

	mu     sync.Mutex
	over   bool // nothing is written any more
	frames int
	loud   int       // frames with sound in a row
	sound  int       // frames that are no mere click
	last   time.Time // when there was one of them
}

const (
	frameTime = 20 * time.Millisecond
	// soundLevel is how loud (RMS) a frame must be to count as sound: -48 dBFS. Speech on the telephone is between -40 and -10, the
	// noise of a quiet room below -55.
	soundLevel = 128
	// soundFrames is how many such frames in a row are no mere click, and speechFrames how many of those in all no mere noise.
	soundFrames  = 3
	speechFrames = 10
)

// frame takes 20 ms.
func (r *taking) frame(sound []int16) {
	loud := isLoud(sound)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	if !r.tape.Write(sound) {
		r.over = true
		close(r.full)
		return
	}
	r.frames++
	if !loud {
		r.loud = 0
	} else if r.loud++; r.loud >= soundFrames {
		if r.last.IsZero() {
			close(r.spoke)
		}
		r.sound++
		r.last = time.Now()
	}
}

func isLoud(sound []int16) bool {
	power := int64(0)
	for _, v := range sound {
		power += int64(v) * int64(v)
	}
	return power >= soundLevel*soundLevel*int64(len(sound)) && len(sound) > 0
}

// heard is when there was sound last; zero if there was none.
func (r *taking) heard() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// end has nothing more be written, and says what there is.
func (r *taking) end() (length time.Duration, speech bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	return time.Duration(r.frames) * frameTime, r.sound >= speechFrames
}
