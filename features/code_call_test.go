package features

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// reaches fails unless the caller talks to a number after a while, whose phone was shown an identity; then both hang up.
func (r *codeRig) reaches(caller *pbxtest.Party, h *pbxtest.Handset, number string, hidden bool) {
	r.Helper()
	time.Sleep(8 * time.Second)
	synctest.Wait()
	called := h.Last()
	if called == nil {
		r.Fatalf("%s was not called: %q", number, caller.Told())
	}
	if got := caller.Hears(); got != number {
		r.Errorf("%s hears %q, want %q: %q", caller.Number, got, number, caller.Told())
	}
	if from := called.Invitation.From; from.Number != caller.Number || from.Hidden != hidden {
		r.Errorf("%s is called by %+v, want hidden %v", number, from, hidden)
	}
	caller.Bye()
	synctest.Wait()
}

func TestCodesCall(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		bob, carol := r.Register("1001", pbxtest.Answer(time.Second)), r.Register("1002", pbxtest.Answer(time.Second))
		r.set("1000", func(s *pbx.Services) { s.SpeedDials = map[string]string{"5": "1002"} })

		r.reaches(r.Call("1000", "*671001"), bob, "1001", true)
		if heard := r.dials("*870", ""); heard != "error" {
			r.Errorf("a hidden call is redialled, not hidden: %q", heard)
		}
		r.reaches(r.Call("1000", "1001"), bob, "1001", false)
		r.reaches(r.Call("1000", "*05"), carol, "1002", false)
		r.reaches(r.Call("1000", "*870"), bob, "1001", false) // neither the speed dial nor the code itself
		r.reaches(r.Call("1001", "*69"), r.Register("1000", pbxtest.Answer(time.Second)), "1000", false)

		// Who hid his number is not called back, but may be blocked.
		r.reaches(r.Call("1000", "*671001"), bob, "1001", true)
		if heard := r.listen(r.Call("1001", "*69")); heard != "error" {
			r.Errorf("return of a hidden call: %q", heard)
		}
		if heard := r.listen(r.Call("1001", "*32")); heard != "done" {
			r.Errorf("block of a hidden caller: %q", heard)
		}
		for _, dialled := range []string{"1001", "*671001"} {
			if _, err := r.Call("1000", dialled).Await("refuse 403", time.Second); err != nil {
				r.Error(err)
			}
		}
	})
}

// TestCodesAskAndCall are codes without their argument: the call goes on to what is typed, and the caller, who is answered already, hears tones.
func TestCodesAskAndCall(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		r.set("1000", func(s *pbx.Services) { s.SpeedDials = map[string]string{"5": "1002"} })
		bob, carol := r.Register("1001", pbxtest.Answer(time.Second)), r.Register("1002", pbxtest.Answer(time.Second))
		p := r.Call("1000", "*67")
		time.Sleep(time.Second)
		p.Press("1001#")
		r.reaches(p, bob, "1001", true)

		p = r.Call("1000", "*0")
		time.Sleep(time.Second)
		p.Press("5")
		r.reaches(p, carol, "1002", false)

		for dialled, keys := range map[string]string{"*67": "", "*0": "4"} {
			if heard := r.dials(dialled, keys); heard != "enter-number error" {
				r.Errorf("%s and then %q: heard %q", dialled, keys, heard)
			}
		}
		if heard := r.dials("*67", "1999#"); heard != "enter-number congestion" {
			r.Errorf("*67 to nobody: heard %q", heard)
		}
	})
}

func TestCodesEcho(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		p := r.Call("1000", "*43")
		synctest.Wait()
		if got := p.Hears(); got != "echo" {
			r.Errorf("hears %q", got)
		}
		p.Bye()
	})
}

// TestCodesDayNight: from the clock to the opposite and back to the clock. A bubble begins on a Saturday at 0:00 UTC.
func TestCodesDayNight(t *testing.T) {
	withCodes(t, func(r *codeRig) {
		mode := func(name, want string) {
			r.Helper()
			h := r.office.Hours(name)
			if h.Mode != want || h.Set.By != "1000" || !h.Set.At.Equal(time.Now().Add(-time.Second)) {
				r.Errorf("mode of %s is %q, %+v, at %v", name, h.Mode, h.Set, time.Now())
			}
		}
		dial := func(want string) {
			r.Helper()
			if heard := r.dials("*28", ""); heard != want {
				r.Errorf("heard %q, want %q", heard, want)
			}
		}
		dial("error") // there are no hours yet
		r.office.now.hours["office"] = &pbx.Hours{Name: "office", Open: []pbx.Span{{Days: []string{"sat"}, From: "08:00", To: "17:00"}}}
		r.office.now.hours["shop"] = &pbx.Hours{Name: "shop", Open: []pbx.Span{{Days: []string{"sat"}, From: "00:00", To: "24:00"}}}
		dial("on") // it is night, and they work on
		mode("office", "day")
		dial("off") // as the clock says
		mode("office", "")
		dial("on")
		time.Sleep(9 * time.Hour)
		dial("on") // by the clock, which has become day
		mode("office", "")
		dial("off") // they go home
		mode("office", "night")

		r.office.now.office.DayNight = "shop"
		dial("off")
		mode("shop", "night")
		r.office.fails = pbx.GoingDown
		dial("error")
		if mode := r.office.Hours("shop").Mode; mode != "night" {
			r.Errorf("mode after an error: %q", mode)
		}
	})
}
