package media

import (
	"log/slog"
	"testing"
	"time"
)

// A bug costs one packet or one callback, never the process.
func TestPanicsAreSurvived(t *testing.T) {
	virtual(t, Options{Timeout: time.Second, Log: slog.New(slog.DiscardHandler)}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw})
		defer sa.Close()
		defer sb.Close()
		good := sa.flow.Load()
		bad := *good
		bad.to = nil
		sa.flow.Store(&bad)
		alice.say(0, frame(0))
		bob.nothing()
		sa.flow.Store(good)
		alice.say(0, frame(0))
		bob.one()

		s, err := l.engine.Open(StreamOptions{OnTimeout: func(*Stream) { panic("a bug elsewhere") }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Agree(terms(alice, ulaw))
		pause(10 * time.Second)
		if st := l.engine.Stats(); st.Panics != 2 || st.TimedOut != 3 {
			t.Errorf("%d panics, %d time-outs", st.Panics, st.TimedOut)
		}
		l.engine.panics.Store(0)
	})
}
