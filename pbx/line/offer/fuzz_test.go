package offer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pion/sdp/v3"

	"ringback/media"
	"ringback/pbx/line/offer"
)

// FuzzAnswer: no text crashes, and whatever is answered, pion/sdp can read and it has the m= lines of the offer.
func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/phones/*.sdp")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := offer.New(local())
		b, err := s.Answer(text, nil)
		if err != nil {
			if st := status(err); st != 400 && st != 488 {
				t.Fatal(err)
			}
			if s.Pending() != offer.Idle || s.Repeat() != nil {
				t.Fatal("a refused offer left something")
			}
			return
		}
		for _, c := range b {
			if c < ' ' && c != '\r' && c != '\n' && c != '\t' {
				t.Fatalf("control character in %q", b)
			}
		}
		// pion knows neither m=image nor other profiles, so it reads the answer only where it reads the offer.
		var theirs, ours sdp.SessionDescription
		if theirs.Unmarshal(text) == nil {
			if err := ours.Unmarshal(b); err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
			if len(ours.MediaDescriptions) != len(theirs.MediaDescriptions) {
				t.Fatalf("%d m= lines for %d", len(ours.MediaDescriptions), len(theirs.MediaDescriptions))
			}
		}
		again := offer.New(local())
		if _, err := again.Peek(text); err != nil {
			t.Fatal("answered, but not peeked:", err)
		}
		if late, err := again.Answer(nil, nil); err != nil || string(late) != string(b) {
			t.Fatalf("late answer differs: %v\n%s\n%s", err, late, b)
		}
		// Our own offer after it can be answered by us.
		if s.Offer(nil) == nil {
			t.Fatal("no re-offer")
		}
	})
}

// FuzzAccept: no text crashes, and what is agreed is something that was offered.
func FuzzAccept(f *testing.F) {
	f.Add([]byte("v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 1.2.3.4\nm=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n"))
	f.Add([]byte("v=0\no=- 1 1 IN IP4 1.2.3.4\nc=IN IP4 1.2.3.4\nm=audio 4000 RTP/AVP 101 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := offer.New(local())
		s.Offer([]media.Codec{media.PCMU, opus})
		if err := s.Accept(text); err != nil {
			if st := status(err); st != 400 && st != 488 {
				t.Fatal(err)
			}
			return
		}
		for _, c := range s.Agreement().Formats {
			if !c.Same(media.PCMU) && !c.Same(opus) && !c.IsEvent() {
				t.Fatalf("agreed on %+v", c)
			}
		}
	})
}
