package real

import (
	"testing"
	"time"
)

// Two baresips call each other without anything between: the driver itself.
func TestBaresipCallsBaresip(t *testing.T) {
	t.Parallel()
	a := StartBaresip(t, Account{User: "a", Tone: 440})
	b := StartBaresip(t, Account{User: "b", Tone: 620, Answer: true})
	for _, step := range []func() error{
		func() error { return a.Dial("sip:b@" + b.Addr.String()) },
		func() error { return b.Await("CALL_ESTABLISHED", 10*time.Second) },
		func() error { return a.Await("CALL_ESTABLISHED", 10*time.Second) },
		func() error { return a.Hears(620, 10*time.Second) },
		func() error { return b.Hears(440, 10*time.Second) },
		a.Hangup,
		func() error { return b.Await("CALL_CLOSED", 10*time.Second) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}
