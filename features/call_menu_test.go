package features

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
	"ringback/pbx/pbxtest"
)

// sales is a menu 700 that leads to 1002 by 1, to 1003 by 12, to the menu 701 by 2 and by * to itself.
func (x *exchange) sales() *pbx.Menu {
	m := &pbx.Menu{Number: "700", Name: "Sales", Enabled: true, Prompt: "menu/sales", Keys: map[string]string{"1": "1002", "12": "1003", "2": "701", "*": "700", "9": "999"}}
	x.menus["700"] = m
	x.menus["701"] = &pbx.Menu{Number: "701", Name: "More", Enabled: true, Prompt: "menu/more", Keys: map[string]string{"1": "1004", "0": "700"}, DialExtension: true}
	return m
}

// TestMenuKeys types keys half a second after the prompt has begun, one every so often, and says which phone rings, and what the caller hears.
func TestMenuKeys(t *testing.T) {
	for name, c := range map[string]struct {
		with  func(x *exchange, m *pbx.Menu)
		keys  string
		pause time.Duration
		rings string // extension, and when
		heard string
	}{
		"a key":                         {keys: "1", rings: "1002 3.5s", heard: "menu/sales ringing"},
		"a key and #":                   {keys: "1#", rings: "1002 500ms", heard: "menu/sales ringing"},
		"the longest match":             {keys: "12", rings: "1003 500ms", heard: "menu/sales ringing"},
		"too slow for it":               {keys: "12", pause: 4 * time.Second, rings: "1002 3.5s", heard: "menu/sales ringing"},
		"just quick enough":             {keys: "12", pause: 2900 * time.Millisecond, rings: "1003 3.4s", heard: "menu/sales ringing"},
		"nothing typed":                 {heard: "menu/sales goodbye ."},
		"nothing typed, to an operator": {with: func(_ *exchange, m *pbx.Menu) { m.Timeout = "1005" }, rings: "1005 18s", heard: "menu/sales ringing"},
		"fewer tries, less patience": {with: func(_ *exchange, m *pbx.Menu) { m.Timeout, m.Seconds, m.Tries = "1005", 2, 1 },
			rings: "1005 3s", heard: "menu/sales ringing"},
		"a wrong key":             {keys: "7", heard: "menu/sales invalid menu/sales goodbye ."},
		"wrong keys":              {keys: "777", pause: 1500 * time.Millisecond, heard: "menu/sales invalid menu/sales invalid menu/sales invalid goodbye ."},
		"wrong keys, to somebody": {with: func(_ *exchange, m *pbx.Menu) { m.Invalid = "1006" }, keys: "777", pause: 1500 * time.Millisecond, rings: "1006 4.5s", heard: "menu/sales invalid menu/sales invalid menu/sales invalid ringing"},
		"wrong, then right":       {keys: "712", rings: "1003 1.5s", heard: "menu/sales invalid ringing"},
		"# alone is nothing":      {with: func(_ *exchange, m *pbx.Menu) { m.Tries = 1 }, keys: "#", heard: "menu/sales goodbye ."},
		"nested":                  {keys: "21#", rings: "1004 500ms", heard: "menu/sales menu/more ringing"},
		"an extension's number":   {keys: "21007", rings: "1007 500ms", heard: "menu/sales menu/more ringing"},
		"a further number":        {with: func(x *exchange, _ *pbx.Menu) { x.extensions["1008"].Numbers = []string{"5550108"} }, keys: "25550108", rings: "1008 500ms", heard: "menu/sales menu/more ringing"},
		"a disabled extension":    {with: func(x *exchange, _ *pbx.Menu) { x.extensions["1007"].Enabled = false; x.menus["701"].Tries = 1 }, keys: "21007", heard: "menu/sales menu/more invalid goodbye ."},
		"only where it may be":    {with: func(_ *exchange, m *pbx.Menu) { m.Keys = map[string]string{"2": "1002"}; m.Tries = 1 }, keys: "1", heard: "menu/sales invalid goodbye ."},
		"there and back":          {keys: "2012", rings: "1003 500ms", heard: "menu/sales menu/more menu/sales ringing"},
		"to a number of nobody":   {keys: "9", heard: "menu/sales congestion ."},
		"without a prompt": {with: func(_ *exchange, m *pbx.Menu) { m.Prompt, m.DialExtension, m.Keys = "", true, nil },
			keys: "1007", rings: "1007 500ms", heard: "enter-extension ringing"},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				m := x.sales()
				if c.with != nil {
					c.with(x, m)
				}
				phones := map[string]*pbxtest.Handset{}
				for n := range x.extensions {
					phones[n] = x.Register(n, pbxtest.RingForever())
				}
				p := x.Call("1001", "700")
				var heard []string
				rang, over := "", false
				look := func() {
					synctest.Wait()
					if h := p.Hears(); h != "" && (len(heard) == 0 || heard[len(heard)-1] != h) {
						heard = append(heard, h)
					}
					for n, h := range phones {
						if len(h.Calls()) > 0 && rang == "" {
							rang = n + " " + since().String()
						}
					}
					select {
					case <-p.Done():
						over = true
					default:
					}
				}
				next, keys := 500*ms, c.keys
				for !over && rang == "" && since() < time.Minute {
					look()
					for keys != "" && since() >= next {
						p.Press(keys[:1])
						keys, next = keys[1:], next+c.pause
						look()
					}
					time.Sleep(100 * ms)
				}
				if over {
					heard = append(heard, ".")
				}
				if got := strings.Join(heard, " "); rang != c.rings || got != c.heard {
					t.Errorf("rings %q, want %q; hears %q, want %q", rang, c.rings, got, c.heard)
				}
				p.Bye()
			})
		})
	}
}

// Whoever hangs up in the middle leaves nothing behind, and nobody rings.
func TestMenuHangup(t *testing.T) {
	for name, when := range map[string]time.Duration{"in the prompt": 400 * ms, "while it waits": 3 * s, "between keys": 3500*ms + ms, "in the next prompt": 6500 * ms} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.sales()
				phone := x.Register("1002", pbxtest.RingForever())
				p := x.Call("1001", "700")
				if name == "between keys" {
					time.AfterFunc(3500*ms, func() { p.Press("1") })
				}
				after(when)
				p.Bye()
				after(when + time.Minute)
				x.rang(phone, 0)
			})
		})
	}
}

// The caller may go round in circles, but not for ever; and nothing that goes on by itself does.
func TestMenuCircles(t *testing.T) {
	calls(t, func(x *exchange) {
		x.sales()
		p := x.Call("1001", "700")
		presses := 0
		for ; presses < 100; presses++ {
			synctest.Wait()
			if p.Hears() != "menu/sales" {
				break
			}
			p.Press("*")
		}
		if presses != maxMenus || p.Hears() != "congestion" {
			t.Errorf("after %d times the caller hears %s", presses, p.Hears())
		}
		<-p.Done()
	})
	calls(t, func(x *exchange) { // by itself
		x.sales().Timeout = "700"
		p := x.Call("1001", "700")
		<-p.Done()
		if since() > 10*time.Minute {
			t.Error("it took", since())
		}
	})
	calls(t, func(x *exchange) { // a forward to a menu that leads back to the forward
		x.sales().Timeout = "1002"
		x.of("1002").Always = pbx.Forward{On: true, To: "700"}
		p := x.Call("1001", "1002")
		<-p.Done()
		if r := x.last(); r.Outcome != "looped" && since() > time.Minute {
			t.Errorf("%v: %+v", since(), r)
		}
	})
}

// The call goes on to whoever was chosen, as any other: his features hold, and he sees who calls.
func TestMenuGoesOn(t *testing.T) {
	calls(t, func(x *exchange) {
		x.sales()
		x.of("1002").Busy = pbx.Forward{On: true, To: "1003"}
		x.Register("1002", pbxtest.Reject(486, 0))
		other := x.Register("1003", pbxtest.Answer(s))
		x.groups["600"] = &pbx.Group{Number: "600", Name: "All", Enabled: true, Strategy: pbx.RingAll, Members: []string{"1009"}, Overflow: "700"}
		p := x.Call("1001", "600") // nobody of it is there: the menu is its overflow
		after(500 * ms)
		x.types(p, "1#")
		after(2 * s)
		if p.Hears() != "1003" || other.Last().Invitation.From.Number != "1001" {
			t.Error(p.Hears())
		}
		p.Bye()
		if r := x.last(); r.By != "1003" || r.Outcome != "answered" {
			t.Errorf("%+v", r)
		}
	})
}

// A menu as the target of whatever may have one: outside hours, in find-me, by a redirection of a phone.
func TestMenuAsTarget(t *testing.T) {
	for name, on := range map[string]func(x *exchange){
		"closed": func(x *exchange) {
			x.hours["office"] = &pbx.Hours{Name: "office", Mode: "night"}
			x.of("1000").Closed = pbx.Closed{Hours: "office", To: "700"}
		},
		"find-me": func(x *exchange) {
			x.of("1000").FindMe = pbx.FindMe{On: true, Steps: []pbx.Step{{Places: []pbx.Place{{Number: "700"}}}}}
		},
		"no answer": func(x *exchange) { x.of("1000").NoAnswer = pbx.Forward{On: true, To: "700"} },
		"redirection": func(x *exchange) {
			x.Register("1000", pbxtest.Redirect("700"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls(t, func(x *exchange) {
				x.sales()
				on(x)
				phone := x.Register("1003", pbxtest.Answer(s))
				p := x.Call("1001", "1000")
				after(500 * ms)
				if p.Hears() != "menu/sales" {
					t.Fatalf("hears %s, was told %q", p.Hears(), p.Told())
				}
				x.types(p, "12")
				after(3 * s)
				x.rang(phone, 1)
				if p.Hears() != "1003" {
					t.Error(p.Hears())
				}
				p.Bye()
			})
		})
	}
}
