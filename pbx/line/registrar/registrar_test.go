package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
)

func TestBasic(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.j.delay = 3 * time.Millisecond
		res := r.send(home, "Contact: <sip:1000@192.0.2.1:5060>", "Expires: 600", "User-Agent: Phone 1", "Allow: INVITE, ACK,BYE")
		if res.StatusCode != 200 {
			t.Fatal(res)
		}
		same(t, headersOf(res, "Contact"), "<sip:1000@192.0.2.1:5060>;expires=600")
		if d := headersOf(res, "Date"); len(d) != 1 || !strings.HasSuffix(d[0], " GMT") || len(headersOf(res, "Supported")) == 0 {
			t.Errorf("Date or Supported missing:\n%s", res)
		}
		if tag, ok := res.To().Params.Get("tag"); !ok || tag == "" {
			t.Error("no To tag")
		}
		cs := r.Contacts("1000")
		if len(cs) != 1 || cs[0].URI != "sip:1000@192.0.2.1:5060" || cs[0].Q != 1000 || cs[0].Extension != "1000" || cs[0].Number != "1000" {
			t.Fatalf("%+v", cs)
		}
		b, hop, ok := r.Binding(cs[0].ID)
		if !ok || hop != home || b.UserAgent != "Phone 1" || strings.Join(b.Methods, " ") != "INVITE ACK BYE" ||
			b.Source != "192.0.2.1:5060" || b.Listener != "192.0.2.100:5060" || b.CallID != "call" || b.CSeq != 1 || b.Transport != "udp" {
			t.Errorf("%+v %+v", b, hop)
		}
		if !r.Registered(home.Remote) || r.Registered(netip.MustParseAddrPort("192.0.2.1:5061")) || !r.RegisteredFrom(home.Remote.Addr()) {
			t.Error("Registered is wrong")
		}
		if r.Contacts("1001") != nil || r.Len() != 1 {
			t.Error("somebody else is registered")
		}
	})
}

func TestRefresh(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:1000@192.0.2.1>", "Expires: 600")
		id := r.Contacts("1000")[0].ID
		pass(100 * time.Second)
		same(t, r.ok(home), "<sip:1000@192.0.2.1>;expires=500")
		// Another expires, an equal URI in another spelling, from a new port: the NAT has forgotten the old one.
		same(t, r.ok(udp("192.0.2.1:40000"), "Contact: <sip:%31000@192.0.2.1>;expires=300"), "<sip:%31000@192.0.2.1>;expires=300")
		cs := r.Contacts("1000")
		b, hop, _ := r.Binding(cs[0].ID)
		if len(cs) != 1 || cs[0].ID != id || hop.Remote.Port() != 40000 || b.Source != "192.0.2.1:40000" || b.Updated.Sub(b.Registered) != 100*time.Second {
			t.Errorf("%+v %+v", cs, b)
		}
		if r.Registered(home.Remote) || !r.Registered(hop.Remote) {
			t.Error("the source is the old one")
		}
	})
}

func TestExpiry(t *testing.T) {
	var told [][]pbx.Binding
	virtual(t, func(o *Options) {
		o.OnChange = func(_ string, all []pbx.Binding) { told = append(told, all) }
	}, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=60, <sip:b@192.0.2.1>;expires=120")
		pass(60*time.Second - 1)
		r.want("sip:a@192.0.2.1", "sip:b@192.0.2.1")
		id := r.Contacts("1000")[0].ID
		pass(1)
		r.want("sip:b@192.0.2.1") // exactly in time
		if _, _, ok := r.Binding(id); ok {
			t.Error("Binding gives an expired one")
		}
		pass(coarse + 1)
		synctest.Wait()
		if len(r.j.all()) != 1 || r.Len() != 1 {
			t.Errorf("journal has %d, memory %d", len(r.j.all()), r.Len())
		}
		pass(time.Minute + coarse)
		synctest.Wait()
		if len(r.j.all()) != 0 || r.Len() != 0 || r.Registered(home.Remote) {
			t.Error("something is left")
		}
		if len(told) != 3 || len(told[0]) != 2 || len(told[1]) != 1 || len(told[2]) != 0 {
			t.Errorf("OnChange was told %v", told)
		}
		for i := range r.shards {
			if len(r.shards[i].aors) > 0 {
				t.Error("an address of record is left")
			}
		}
	})
}

func TestExpiryWhileJournalFails(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=60")
		r.j.set(errors.New("disk full"))
		pass(65 * time.Second)
		r.want()
		r.j.set(nil)
		pass(2 * coarse)
		synctest.Wait()
		if len(r.j.all()) != 0 || r.Len() != 0 {
			t.Error("not tried again")
		}
	})
}

func TestTimes(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		const c = "Contact: <sip:a@192.0.2.1>"
		for _, h := range []string{"Expires: 1", "Expires: 59"} {
			if res := r.refused(423, c, h); res.GetHeader("Min-Expires").Value() != "60" {
				t.Error(res)
			}
		}
		r.refused(423, c+";expires=30", "Expires: 600")
		same(t, r.ok(home, c), "<sip:a@192.0.2.1>;expires=3600")
		same(t, r.ok(home, c, "Expires: 4294967295"), "<sip:a@192.0.2.1>;expires=3600")
		same(t, r.ok(home, c+";expires=60", "Expires: 600"), "<sip:a@192.0.2.1>;expires=60")
		same(t, r.ok(home, c+";expires=soon"), "<sip:a@192.0.2.1>;expires=3600") // §20.10
		m := r.message(c)
		m.AppendHeader(sip.NewHeader("Expires", "1e100"))
		r.Process(m, home, r.ext, func(res *sip.Response) {
			if res.StatusCode != 400 {
				t.Error(res)
			}
		})
	})
	virtual(t, func(o *Options) { o.Min, o.Max, o.Default = 10*time.Second, time.Minute, 20*time.Second }, func(t *testing.T, r *rig) {
		same(t, r.ok(home, "Contact: <sip:a@192.0.2.1>"), "<sip:a@192.0.2.1>;expires=20")
		same(t, r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=100"), "<sip:a@192.0.2.1>;expires=60")
		r.refused(423, "Contact: <sip:a@192.0.2.1>;expires=9")
	})
}

func TestQuery(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		same(t, r.ok(home))
		r.ok(home, "Contact: <sip:a@192.0.2.1>;q=0.5, <sip:b@192.0.2.1>;q=0.75")
		n := r.j.calls
		same(t, r.ok(home), "<sip:b@192.0.2.1>;expires=3600;q=0.750", "<sip:a@192.0.2.1>;expires=3600;q=0.500")
		if r.j.calls != n {
			t.Error("a query was journalled")
		}
	})
}

func TestDeregisterOne(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		r.ok(udp("192.0.2.2:5060"), "Contact: <sip:b@192.0.2.2>", "Call-ID: other")
		same(t, r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=0"), "<sip:b@192.0.2.2>;expires=3600")
		r.want("sip:b@192.0.2.2")
		r.ok(home, "Contact: <sip:nobody@192.0.2.1>", "Expires: 0") // was not there: no error
		r.want("sip:b@192.0.2.2")
	})
}

func TestDeregisterAll(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		r.ok(udp("192.0.2.2:5060"), "Contact: <sip:b@192.0.2.2>", "Call-ID: other")
		r.refused(400, "Contact: *")
		r.refused(400, "Contact: *", "Expires: 1")
		r.refused(400, "Contact: *", "Contact: <sip:a@192.0.2.1>", "Expires: 0")
		r.refused(500, "Contact: *", "Expires: 0", "CSeq: 1 REGISTER")
		same(t, r.ok(home, "Contact: *", "Expires: 0"))
		r.want()
		if len(r.j.all()) != 0 {
			t.Error("still in the journal")
		}
	})
}

// RFC 3261 §10.3 step 7.
func TestOrder(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>", "CSeq: 10 REGISTER")
		r.refused(500, "Contact: <sip:a@192.0.2.1>;expires=0", "CSeq: 9 REGISTER")
		r.refused(500, "Contact: <sip:a@192.0.2.1>", "CSeq: 10 REGISTER")
		// All or nothing: b is not bound either.
		r.refused(500, "Contact: <sip:b@192.0.2.1>, <sip:a@192.0.2.1>", "CSeq: 9 REGISTER")
		r.refused(423, "Contact: <sip:b@192.0.2.1>, <sip:c@192.0.2.1>;expires=5", "CSeq: 11 REGISTER")
		// Only the same Call-ID is compared, and only bindings that the request touches.
		r.ok(home, "Contact: <sip:b@192.0.2.1>", "CSeq: 9 REGISTER")
		r.ok(home, "Contact: <sip:a@192.0.2.1>", "CSeq: 1 REGISTER", "Call-ID: rebooted")
		r.ok(home, "CSeq: 1 REGISTER")
	})
}

func TestTwiceInOneRequest(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=100, <sip:a@192.0.2.1>;expires=200")
		same(t, r.ok(home), "<sip:a@192.0.2.1>;expires=200")
	})
}

func TestContactOrder(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>;q=0.5")
		pass(1)
		r.ok(home, "Contact: <sip:b@192.0.2.1>;q=0.5")
		pass(1)
		r.ok(home, "Contact: <sip:c@192.0.2.1>;q=1.0, <sip:d@192.0.2.1>;q=0")
		r.want("sip:c@192.0.2.1", "sip:b@192.0.2.1", "sip:a@192.0.2.1", "sip:d@192.0.2.1")
		for _, q := range []string{"2", "-1", "x", "NaN", "1.001", "0.12345", "1e-3"} {
			r.refused(400, "Contact: <sip:a@192.0.2.1>;q="+q)
		}
	})
}

func TestWhoMayRegister(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		const c = "Contact: <sip:a@192.0.2.1>"
		r.refused(403, c, "To: <sip:1001@pbx.example>")
		r.refused(400, c, "To: <tel:1000>")
		r.refused(400, c, "To: isbn:2983792873") // RFC 4475 §3.3.4
		r.refused(400, "Contact: <name:John_Smith>")
		r.refused(400, "Contact: <tel:1000>")
		r.ok(home, c, "To: <sip:%31000@192.0.2.100;user=phone>")
	})
}

func TestBounds(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ext.MaxContacts = 20
		many := func(n int) string {
			var cs []string
			for i := range n {
				cs = append(cs, fmt.Sprintf("<sip:%d@192.0.2.1>", i))
			}
			return "Contact: " + strings.Join(cs, ", ")
		}
		r.refused(400, many(11))
		r.refused(400, "Contact: <sip:a@192.0.2.1;x="+strings.Repeat("a", 500)+">")
		r.refused(400, `Contact: <sip:a@192.0.2.1>;+sip.instance="<`+strings.Repeat("a", 300)+`>"`)
		r.ok(home, many(10))
		r.ok(home, "Contact: <sip:a@192.0.2.1>", "User-Agent: "+strings.Repeat("ü", 200), "Allow: "+strings.Repeat("M,", 200))
		for _, i := range r.List("1000") {
			if len(i.UserAgent) > maxUserAgent || len(i.Methods) > maxMethods || !strings.HasPrefix("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü", i.UserAgent) {
				t.Errorf("%+v", i)
			}
		}
	})
}

func TestMaxContacts(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ext.MaxContacts = 2
		for _, u := range []string{"a", "b", "a", "c"} {
			r.ok(home, "Contact: <sip:"+u+"@192.0.2.1>")
			pass(time.Second)
		}
		r.want("sip:c@192.0.2.1", "sip:a@192.0.2.1") // b was refreshed least recently
		r.refused(403, "Contact: <sip:x@192.0.2.1>, <sip:y@192.0.2.1>, <sip:z@192.0.2.1>")
	})
	virtual(t, func(o *Options) { o.RefuseFull = true }, func(t *testing.T, r *rig) {
		r.ext.MaxContacts = 2
		r.ok(home, "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>")
		r.refused(403, "Contact: <sip:c@192.0.2.1>")
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=0, <sip:c@192.0.2.1>")
		r.ext.MaxContacts = 1
		r.ok(home, "Contact: <sip:c@192.0.2.1>") // a refresh is never refused
	})
}

func TestNewRefuses(t *testing.T) {
	j, key := &journal{}, make([]byte, 16)
	for _, o := range []Options{{Secret: key}, {Journal: j}, {Journal: j, Secret: key[:15]}, {Journal: j, Secret: key, Min: time.Hour, Max: time.Minute},
		{Journal: j, Secret: key, Default: 2 * time.Hour}, {Journal: j, Secret: key, Min: time.Millisecond}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// New rules hold from the next REGISTER on; what makes no sense changes nothing.
func TestSetRules(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.refused(423, "Contact: <sip:a@192.0.2.1>;expires=30")
		if err := r.SetRules(Rules{Min: time.Second, Max: time.Minute, Default: time.Minute, RefuseFull: true}); err != nil {
			t.Fatal(err)
		}
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=30")
		r.ext.MaxContacts = 1
		r.refused(403, "Contact: <sip:b@192.0.2.1>")
		if r.SetRules(Rules{Min: time.Hour, Max: time.Minute}) == nil {
			t.Error("rules that make no sense were taken")
		}
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=30")
	})
}
