package features

import (
	"testing"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// RFC 3261 §8.1.3.4: a phone's own forward.
func TestRedirect(t *testing.T) {
	calls(t, func(x *exchange) {
		x.Register("1000", pbxtest.Redirect("1002"))
		other := x.Register("1002", pbxtest.Answer(s))
		alice := x.Call("1001", "1000")
		after(2 * s)
		x.told(alice, "181", "180", "200 PCMU PCMA telephone-event")
		if v := x.via(other); v != "1000>1002 deflection 302" {
			t.Error(v)
		}
		alice.Bye()
	})
}

// Contacts of equal q ring at once, those of a lower q after them.
func TestRedirectByQ(t *testing.T) {
	calls(t, func(x *exchange) {
		to := func(number string, q int) pbx.Redirection { return pbx.Redirection{Number: number, Local: true, Q: q} }
		x.Register("1000", pbxtest.RedirectTo(to("1004", 100), to("1002", 900), to("1003", 900)))
		a, b := x.Register("1002", pbxtest.RingForever()), x.Register("1003", pbxtest.RingForever())
		c := x.Register("1004", pbxtest.Answer(s))
		x.extensions["1002"].Ring, x.extensions["1003"].Ring = 5*s, 5*s
		alice := x.Call("1001", "1000")
		after(ms)
		x.rang(a, 1)
		x.rang(b, 1)
		x.rang(c, 0)
		after(7 * s)
		x.rang(c, 1)
		if alice.Hears() != "1004" {
			t.Error(alice.Told())
		}
		alice.Bye()
	})
}

func TestRedirectElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		to   pbx.Redirection
		on   func(x *exchange)
		told []string
	}{
		"to a foreign host":        {to: pbx.Redirection{Number: "1002", Host: "evil.test"}, told: []string{"refuse 480"}},
		"to a permitted host":      {to: pbx.Redirection{Number: "1002", Host: "Branch.test"}, told: []string{"181", "180"}},
		"to nobody":                {to: pbx.Redirection{Local: true}, told: []string{"refuse 480"}},
		"to a number that is none": {to: pbx.Redirection{Number: "0900", Local: true}, told: []string{"refuse 480"}},
		"to its own number":        {to: pbx.Redirection{Number: "1000", Local: true}, told: []string{"refuse 482"}},
		"to another number of it":  {to: pbx.Redirection{Number: "2000", Local: true}, told: []string{"refuse 482"}},
		"to who redirects it back": {to: pbx.Redirection{Number: "1003", Local: true}, told: []string{"181", "refuse 482"}},
		"which is refused, and busy": {
			to: pbx.Redirection{Number: "1002", Local: true},
			on: func(x *exchange) {
				x.of("1000").Redirect = pbx.NoOther
				x.of("1000").Busy = pbx.Forward{On: true, To: "1002"}
			},
			told: []string{"181", "180"},
		},
		"which is refused":   {to: pbx.Redirection{Number: "1002", Local: true}, on: func(x *exchange) { x.of("1000").Redirect = pbx.NoOther }, told: []string{"refuse 480"}},
		"which is passed on": {to: pbx.Redirection{Number: "1002", Host: "evil.test"}, on: func(x *exchange) { x.of("1000").Redirect = pbx.PassOn }, told: []string{"refuse 302 call 1002"}},
		"where the subscriber may not call": {
			to: pbx.Redirection{Number: "1002", Local: true},
			on: func(x *exchange) {
				x.of("1000").Outgoing = []pbx.Rule{{Numbers: []string{"1002"}, Action: pbx.Reject}}
			},
			told: []string{"181", "refuse 403 see not-allowed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.office.office.RedirectHosts = []string{"branch.test"}
				if c.on != nil {
					c.on(x)
				}
				x.Register("1000", pbxtest.RedirectTo(c.to))
				x.Register("1003", pbxtest.Redirect("1000"))
				x.Register("1002", pbxtest.RingForever())
				alice := x.Call("1001", "1000")
				x.told(alice, c.told...)
				if _, over := alice.Ended(); !over {
					alice.Cancel()
				}
			})
		})
	}
}

// Phones that redirect to each other's colleagues cannot make a call ring more than maxTargets places.
func TestRedirectStorm(t *testing.T) {
	calls(t, func(x *exchange) {
		var all []string
		var phones []*pbxtest.Handset
		for n := range x.extensions {
			all = append(all, n)
		}
		for _, n := range all {
			var to []pbx.Redirection
			for _, m := range all {
				to = append(to, pbx.Redirection{Number: m, Local: true, Q: 1000})
			}
			phones = append(phones, x.Register(n, pbxtest.RedirectTo(to...)))
		}
		alice := x.Call("1001", "1000")
		after(s)
		if _, over := alice.Ended(); !over {
			t.Error(alice.Told())
		}
		n := 0
		for _, h := range phones {
			n += len(h.Calls())
		}
		if n > maxTargets {
			t.Errorf("%d invitations", n)
		}
	})
}
