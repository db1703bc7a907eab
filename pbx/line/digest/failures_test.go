package digest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func attack(t *testing.T, a *Authenticator, user, from string, n int) (checked int) {
	p := newPhone(t, a, user).challenged()
	p.password, p.from = "wrong", hop(from)
	for i := range n {
		if p.register(i+1).Verdict == Failed {
			checked++
		}
	}
	return checked
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authenticator(t, nil)
		inside := newPhone(t, a, "1000").challenged()
		inside.from = hop("198.51.100.7:1024")
		inside.want(OK, 1)

		if n := attack(t, a, "1000", "198.51.100.7:5060", 100); n != 10 {
			t.Errorf("%d guesses looked at, want 10", n)
		}
		inside.want(OK, 2) // the phone that is in stays in

		other := newPhone(t, a, "1001").challenged() // the office behind the same NAT
		other.from = hop("198.51.100.7:1025")
		other.want(OK, 1)

		elsewhere := newPhone(t, a, "1000").challenged() // the user from elsewhere
		elsewhere.want(OK, 1)

		late := newPhone(t, a, "1000").challenged()
		late.from = hop("198.51.100.7:9999")
		r := late.want(Throttled, 1)
		if r.Response.StatusCode != 401 || len(r.Response.GetHeaders("WWW-Authenticate")) != 2 {
			t.Error("a throttled answer looks different")
		}
		time.Sleep(6*time.Second + 1) // Window / Failures
		late.challenged().want(OK, 1) // the right password gets in, and settles it
		if n := attack(t, a, "1000", "198.51.100.7:5060", 100); n != 10 {
			t.Errorf("after success: %d guesses, want 10", n)
		}
		time.Sleep(time.Minute)
		// In the long run no more than 10 a minute.
		n := 0
		for range 600 {
			n += attack(t, a, "1000", "198.51.100.7:5060", 5)
			time.Sleep(time.Second)
		}
		if n < 100 || n > 111 {
			t.Errorf("%d guesses in 10 minutes", n)
		}
	})
}

func TestThrottleUnknownUserAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authenticator(t, nil)
		if known, unknown := attack(t, a, "1000", "198.51.100.7:5060", 50), attack(t, a, "9999", "198.51.100.7:5060", 50); known != unknown {
			t.Errorf("%d guesses at a user, %d at nobody", known, unknown)
		}
	})
}

func TestThrottleSpray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authenticator(t, nil)
		phone := newPhone(t, a, "1001").challenged()
		phone.from = hop("[2001:db8:0:1::5]:5060")
		phone.want(OK, 1)

		n := 0
		for i := range 1000 { // one password on many names, from many addresses of one /64
			n += attack(t, a, fmt.Sprint(5000+i), fmt.Sprintf("[2001:db8:0:1::%x]:5060", i+1), 1)
		}
		if n != 100 {
			t.Errorf("%d guesses looked at, want 100", n)
		}
		// Who was right from there before is not held back, with a new nonce either.
		phone.challenged().want(OK, 1)
		// Another /64 is another source.
		if n := attack(t, a, "1002", "[2001:db8:0:2::1]:5060", 1); n != 1 {
			t.Error("another network is held back")
		}
	})
}

func TestFailureTableIsFixed(t *testing.T) {
	a := authenticator(t, func(o *Options) { o.FailureTable = 64 })
	for i := range 5000 {
		attack(t, a, "1000", fmt.Sprintf("10.%d.%d.1:5060", i/256, i%256), 1)
	}
	if got := len(a.fails.buckets) * ways; got != 64 {
		t.Errorf("%d entries", got)
	}
	if s := a.Stats(); s.Failed != 5000 {
		t.Errorf("%+v", s)
	}
}
