package real

import (
	"testing"
)

// Two baresips call each other without anything between: the driver itself.
func TestBaresipCallsBaresip(t *testing.T) {
	t.Parallel()
	a := StartBaresip(t, Account{User: "a", Tone: 440})
	b := StartBaresip(t, Account{User: "b", Tone: 620, Answer: true})
	for _, step := range []func() error{
		func() error { return a.Dial("sip:b@" + b.Addr.String()) },
		func() error { return b.Await("CALL_ESTABLISHED", patience) },
		func() error { return a.Await("CALL_ESTABLISHED", patience) },
		func() error { return a.Hears(620, patience) },
		func() error { return b.Hears(440, patience) },
		a.Hangup,
		func() error { return b.Await("CALL_CLOSED", patience) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}
