package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"ringback/pbx/pbxtest"
)

const pin = "4711"

// mailbox gives an extension a mailbox with a PIN, and has it take the calls that nobody does.
func (s *scene) mailbox(number string, more ...any) {
	s.Helper()
	s.must(s.x.api(s.ctx, "POST", "/mailboxes", with(doc{"number": number, "name": "Mailbox of " + number, "enabled": true, "pin": pin}, more...), nil))
	s.services(number, "voicemail", on)
}

// message is one in a mailbox as the API shows it.
type message struct {
	ID, From string
	Length   time.Duration `json:"length_ns"`
	Heard    bool
	Urgent   bool
}

func (s *scene) messages(mailbox string) []message {
	s.Helper()
	var l struct{ Items []message }
	s.must(s.x.api(s.ctx, "GET", "/mailboxes/"+mailbox+"/messages", nil, &l))
	return l.Items
}

// holds waits until a mailbox has so many messages.
func (s *scene) holds(mailbox string, count int) []message {
	s.Helper()
	var all []message
	s.eventually(fmt.Sprintf("the mailbox %s has %d messages", mailbox, count), func() bool {
		all = s.messages(mailbox)
		return len(all) == count
	})
	return all
}

// says sends a tone for so long, by the packets that were sent and by the clock, and then silence.
func (s *scene) says(l *pbxtest.CallLeg, hz float64, d time.Duration) {
	s.Helper()
	before, began := l.Sent(), time.Now()
	l.Play(hz)
	for ; l.Sent() < before+uint64(d/(20*time.Millisecond)) || time.Since(began) < d; time.Sleep(20 * time.Millisecond) {
		if l.State() != "up" || time.Since(began) > d+patience {
			s.Fatalf("%s: it is %s, and %d packets were sent", l, l.State(), l.Sent()-before)
		}
	}
	l.Play()
}

var beep = []float64{1000}

// aMessage is how long who leaves a message speaks, and said what a mailbox then has at least of it, if he begins as soon as the beep is
// heard: the beep goes on for a while, and a busy machine has been seen to be a second late. Of less than two seconds nothing is kept.
const (
	aMessage = 4 * time.Second
	said     = time.Second
)

// leavesMessage cuts the greeting short, waits for the beep, sends a tone and hangs up.
func (s *scene) leavesMessage(l *pbxtest.CallLeg, hz float64) {
	s.Helper()
	s.must(l.Answered(s.within(30)))
	s.must(l.Press(s.ctx, "#"))
	s.must(l.HearsTone(s.ctx, beep...))
	s.says(l, hz, aMessage)
	s.must(l.Hangup(s.ctx))
}

// wav gets a sound of the API.
func (s *scene) wav(path string) (*pbxtest.Recording, []byte) {
	s.Helper()
	b := s.get(path, "", 200)
	r, err := pbxtest.ReadWAV(b)
	s.must(err)
	return r, b
}

// get is a GET, of a range of the bytes if it is not "".
func (s *scene) get(path, bytesRange string, want int) []byte {
	s.Helper()
	q, err := http.NewRequestWithContext(s.ctx, "GET", s.x.http+"/api/v1"+path, nil)
	s.must(err)
	q.Header.Set("Authorization", "Bearer "+apiToken)
	if bytesRange != "" {
		q.Header.Set("Range", bytesRange)
	}
	res, err := http.DefaultClient.Do(q)
	s.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	s.must(err)
	if res.StatusCode != want {
		s.Fatalf("GET %s: %s, not %d", path, res.Status, want)
	}
	return b
}

// inRanges: a file that is fetched piece by piece is the file.
func (s *scene) inRanges(path string, whole []byte) {
	s.Helper()
	half := len(whole) / 2
	first, second := s.get(path, fmt.Sprintf("bytes=0-%d", half-1), 206), s.get(path, fmt.Sprintf("bytes=%d-", half), 206)
	if !bytes.Equal(append(first, second...), whole) {
		s.Errorf("%s: %d and %d bytes in two ranges are not the %d of the file", path, len(first), len(second), len(whole))
	}
	s.get(path, fmt.Sprintf("bytes=%d-", len(whole)), 416)
}

// upload puts a WAV file there.
func (s *scene) upload(path string, wav []byte) {
	s.Helper()
	q, err := http.NewRequestWithContext(s.ctx, "PUT", s.x.http+"/api/v1"+path, bytes.NewReader(wav))
	s.must(err)
	q.Header.Set("Authorization", "Bearer "+apiToken)
	q.Header.Set("Content-Type", "audio/wav")
	res, err := http.DefaultClient.Do(q)
	s.must(err)
	s.must(res.Body.Close())
	if res.StatusCode != http.StatusNoContent {
		s.Fatalf("PUT %s: %s", path, res.Status)
	}
}
