package registrar

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// OnAdded is told of bindings that are new, after their 200; not of a refresh, nor of one that a journal did not take.
func TestAdded(t *testing.T) {
	var told []string
	virtual(t, func(o *Options) { o.OnAdded = func(id string) { told = append(told, id) } }, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		a := r.Contacts("1000")[0].ID
		same(t, told, a)
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		same(t, told, a)
		r.ok(home, "Contact: <sip:b@192.0.2.1>")
		if len(told) != 2 || told[1] == a {
			t.Fatalf("told %q", told)
		}
		b := told[1]

		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=0")
		r.ok(home, "Contact: <sip:a@192.0.2.1>") // it is new again
		same(t, told, a, b, a)

		r.j.set(errors.New("disk full"))
		r.Process(r.message("Contact: <sip:c@192.0.2.1>"), home, r.ext, func(res *sip.Response) {
			if res.StatusCode != 500 {
				t.Errorf("%d", res.StatusCode)
			}
		})
		same(t, told, a, b, a)
		r.j.set(nil)
		time.Sleep(2 * time.Hour) // they expire
		r.ok(home, "Contact: <sip:a@192.0.2.1>, <sip:c@192.0.2.1>")
		if len(told) != 5 {
			t.Errorf("told %q", told)
		}
	})
}

// The same of a phone that was found unreachable and registers again.
func TestReachableComesAfterThe200(t *testing.T) {
	told, answered, early := 0, false, false
	virtual(t, func(o *Options) {
		o.OnReachable = func(_ string, ok bool) {
			if ok {
				told++
				early = !answered
			}
		}
	}, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		r.Mark(r.Contacts("1000")[0].ID, false, 0)
		r.j.delay = time.Second
		r.Process(r.message("Contact: <sip:a@192.0.2.1>"), home, r.ext, func(*sip.Response) { answered = true })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !answered || early || told != 1 {
			t.Errorf("answered %v, told %d times, early %v", answered, told, early)
		}
	})
}

// The 200 is given before anybody acts on the binding.
func TestAddedComesAfterThe200(t *testing.T) {
	answered, early := false, false
	virtual(t, func(o *Options) { o.OnAdded = func(string) { early = !answered } }, func(t *testing.T, r *rig) {
		r.j.delay = time.Second
		r.Process(r.message("Contact: <sip:a@192.0.2.1>"), home, r.ext, func(*sip.Response) { answered = true })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !answered || early {
			t.Errorf("answered %v, told early %v", answered, early)
		}
	})
}
