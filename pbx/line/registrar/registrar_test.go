package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal commits after delay, in order, on a goroutine of its own; with delay 0 at once.
type journal struct {
	mu    sync.Mutex
	delay time.Duration
	fail  error
	kept  map[string][]pbx.Binding
	calls int
}

func (j *journal) Bindings(ext string, all []pbx.Binding, done func(error)) {
	commit := func() {
		j.mu.Lock()
		err := j.fail
		if j.calls++; err == nil {
			if j.kept == nil {
				j.kept = map[string][]pbx.Binding{}
			}
			j.kept[ext] = all
		}
		j.mu.Unlock()
		done(err)
	}
	if j.delay == 0 {
		commit()
		return
	}
	time.AfterFunc(j.delay, commit)
}
func (j *journal) Answered(pbx.CDR) error { return nil }
func (j *journal) Ended(pbx.CDR)          {}

func (j *journal) set(err error) { j.mu.Lock(); j.fail = err; j.mu.Unlock() }

func (j *journal) all() (out []pbx.Binding) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, bs := range j.kept {
		out = append(out, bs...)
	}
	return out
}

// rig is a registrar in virtual time, and phones that talk to it.
type rig struct {
	*testing.T
	*Registrar
	j   *journal
	ext *pbx.Extension
	seq int
}

const instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

func virtual(t *testing.T, change func(*Options), f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, change)
		defer r.Close()
		f(t, r)
	})
}

func newRig(t *testing.T, change func(*Options)) *rig {
	j := &journal{}
	o := Options{Journal: j, Secret: []byte("0123456789abcdef"), Domain: "pbx.example"}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{T: t, Registrar: r, j: j, ext: &pbx.Extension{Number: "1000", Enabled: true, MaxContacts: 5}}
}

func udp(at string) wire.Hop {
	return wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort(at), Local: netip.MustParseAddrPort("192.0.2.100:5060")}
}

func tcp(at string, conn uint64) wire.Hop {
	h := udp(at)
	h.Transport, h.Conn = "tcp", conn
	return h
}

var home = udp("192.0.2.1:5060")

// message is a REGISTER of 1000 with the headers given; Call-ID and CSeq are added unless among them.
func (r *rig) message(headers ...string) *sip.Request {
	r.Helper()
	all := "\r\n" + strings.Join(headers, "\r\n") + "\r\n"
	var b strings.Builder
	b.WriteString("REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\nFrom: <sip:1000@pbx.example>;tag=a")
	for _, h := range []string{"To: <sip:1000@pbx.example>", "Call-ID: call", fmt.Sprintf("CSeq: %d REGISTER", r.seq+1)} {
		name, _, _ := strings.Cut(h, ":")
		if !strings.Contains(all, "\r\n"+name+":") {
			b.WriteString("\r\n" + h)
			if name == "CSeq" {
				r.seq++
			}
		}
	}
	b.WriteString(all + "\r\n")
	m, bad := wire.Parse([]byte(b.String()), home)
	if bad != nil {
		r.Fatalf("%v\n%s", bad, b.String())
	}
	return m.(*sip.Request)
}

// send processes a REGISTER and waits for the response.
func (r *rig) send(from wire.Hop, headers ...string) *sip.Response {
	r.Helper()
	got := make(chan *sip.Response, 2)
	r.Process(r.message(headers...), from, r.ext, func(res *sip.Response) { got <- res })
	res := <-got
	synctest.Wait()
	if len(got) > 0 {
		r.Fatal("two responses")
	}
	return res
}

// ok wants a 200 and returns its Contacts.
func (r *rig) ok(from wire.Hop, headers ...string) []string {
	r.Helper()
	res := r.send(from, headers...)
	if res.StatusCode != 200 {
		r.Fatalf("%v: %d %s", headers, res.StatusCode, res.Reason)
	}
	return headersOf(res, "Contact")
}

func (r *rig) refused(status int, headers ...string) *sip.Response {
	r.Helper()
	before := r.uris()
	res := r.send(home, headers...)
	if res.StatusCode != status {
		r.Fatalf("%v: %d %s, want %d", headers, res.StatusCode, res.Reason, status)
	}
	if after := r.uris(); after != before {
		r.Fatalf("%v was refused, but %s became %s", headers, before, after)
	}
	return res
}

func headersOf(res *sip.Response, name string) (out []string) {
	for _, h := range res.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

func (r *rig) uris() string {
	var out []string
	for _, c := range r.Contacts("1000") {
		out = append(out, c.URI)
	}
	return strings.Join(out, " ")
}

func (r *rig) want(uris ...string) {
	r.Helper()
	if got := r.uris(); got != strings.Join(uris, " ") {
		r.Fatalf("contacts are %q, want %q", got, uris)
	}
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

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

func TestJournalFails(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.j.delay = 2 * time.Millisecond
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		r.j.set(errors.New("disk full"))
		r.refused(500, "Contact: <sip:b@192.0.2.1>")
		r.refused(500, "Contact: *", "Expires: 0")
		if err := r.Remove(r.Contacts("1000")[0].ID); err == nil || err.Error() != "disk full" {
			t.Error(err)
		}
		r.want("sip:a@192.0.2.1")
		r.j.set(nil)
		r.ok(home, "Contact: <sip:a@192.0.2.1>") // its CSeq counts from the last success
	})
}

// REGISTERs of one extension that overlap in time are carried out one after the other, each on what is committed.
func TestPipelined(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.j.delay = 5 * time.Millisecond
		r.ext.MaxContacts = 100
		var mu sync.Mutex // responses come on several goroutines
		var got []string
		send := func(headers ...string) {
			r.Process(r.message(headers...), home, r.ext, func(res *sip.Response) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(res.StatusCode, len(res.GetHeaders("Contact"))))
			})
		}
		send("Contact: <sip:a@192.0.2.1>", "CSeq: 1 REGISTER")
		send("Contact: <sip:b@192.0.2.1>", "CSeq: 2 REGISTER")
		send("Contact: <sip:a@192.0.2.1>;expires=0", "CSeq: 1 REGISTER") // late
		send()
		send("Contact: *", "Expires: 0", "CSeq: 9 REGISTER")
		synctest.Wait()
		if len(got) > 0 || r.uris() != "" {
			t.Fatal("shown before it was committed")
		}
		pass(6 * time.Millisecond)
		r.want("sip:a@192.0.2.1")
		pass(time.Second)
		same(t, got, "200 1", "200 2", "500 0", "200 2", "200 0")
		got = nil
		for range maxWaiting + 5 {
			send("Contact: <sip:z@192.0.2.1>")
		}
		pass(time.Second)
		count := map[string]int{}
		for _, s := range got {
			count[s]++
		}
		if count["200 1"] != maxWaiting+1 || count["503 0"] != 4 {
			t.Errorf("%v", count)
		}
	})
}

func TestReachable(t *testing.T) {
	var told []string
	virtual(t, func(o *Options) {
		o.OnReachable = func(id string, ok bool) { told = append(told, fmt.Sprintf("%s %v", id[:4], ok)) }
	}, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		id := r.Contacts("1000")[0].ID
		if i := r.List("1000")[0]; !i.Reachable || i.Asked {
			t.Errorf("%+v", i)
		}
		r.Mark(id, true, 20*time.Millisecond)
		r.Mark(id, false, 0)
		r.Mark(id, false, 0)
		r.want()
		if i := r.List("1000")[0]; i.Reachable || !i.Asked || i.RTT != 20*time.Millisecond {
			t.Errorf("%+v", i)
		}
		r.Mark(id, true, 30*time.Millisecond)
		r.want("sip:a@192.0.2.1")
		r.Mark(id, false, 0)
		r.ok(home, "Contact: <sip:a@192.0.2.1>") // it is there again
		r.want("sip:a@192.0.2.1")
		if i := r.List("1000")[0]; i.RTT != 30*time.Millisecond {
			t.Errorf("%+v", i)
		}
		same(t, told, "1000 false", "1000 true", "1000 false", "1000 true")
	})
}

func TestConnClosed(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(tcp("192.0.2.1:4000", 7), "Contact: <sip:a@192.0.2.1;transport=tcp>")
		r.ok(udp("192.0.2.1:4000"), "Contact: <sip:b@192.0.2.1>")
		r.ConnClosed(tcp("192.0.2.1:4000", 6))
		r.ConnClosed(tcp("192.0.2.9:4000", 7))
		if len(r.Contacts("1000")) != 2 {
			t.Fatal("another connection's end matters")
		}
		r.ConnClosed(tcp("192.0.2.1:4000", 7))
		r.want("sip:b@192.0.2.1")
		r.ok(tcp("192.0.2.1:4001", 8), "Contact: <sip:a@192.0.2.1;transport=tcp>")
		if len(r.Contacts("1000")) != 2 {
			t.Error("not reachable over the new connection")
		}
	})
}

func TestQualify(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		for i := range 500 {
			n := fmt.Sprint(2000 + i)
			r.ext = &pbx.Extension{Number: n, Enabled: true, MaxContacts: 1}
			r.ok(home, "To: <sip:"+n+"@pbx.example>", "Contact: <sip:a@192.0.2.1>")
		}
		seen := map[string]int{}
		for slot := range Slots {
			n := 0
			r.Qualify(slot, func(id string, b pbx.Binding, hop wire.Hop) {
				seen[id]++
				n++
				r.Mark(id, true, time.Millisecond) // may be called from here
			})
			if n > 40 {
				t.Errorf("slot %d has %d of 500", slot, n)
			}
		}
		n := 0
		for i := range r.All() {
			n++
			if seen[i.ID] != 1 || !i.Asked {
				t.Errorf("%+v", i)
			}
		}
		if n != 500 || len(seen) != 500 || r.Len() != 500 {
			t.Error(n, len(seen), r.Len())
		}
		for range r.All() {
			break
		}
	})
}

func TestRemove(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.j.delay = time.Millisecond
		r.ok(home, "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>")
		id := r.Contacts("1000")[0].ID
		if err := r.Remove(id); err != nil {
			t.Fatal(err)
		}
		if len(r.Contacts("1000")) != 1 || len(r.j.all()) != 1 {
			t.Error("still there")
		}
		for _, id := range []string{id, "", "-", "1000-", "x"} {
			if err := r.Remove(id); err != ErrNotFound {
				t.Errorf("%q: %v", id, err)
			}
		}
	})
}

func TestDrop(t *testing.T) {
	var gone atomic.Bool
	virtual(t, func(o *Options) {
		o.Directory = lookup(func(n string) *pbx.Extension { return &pbx.Extension{Number: n, Enabled: !gone.Load()} })
	}, func(t *testing.T, r *rig) {
		r.j.delay = 5 * time.Millisecond
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		got := make(chan int, 2)
		for _, c := range []string{"b", "c"} { // one at the journal, one behind it
			r.Process(r.message("Contact: <sip:"+c+"@192.0.2.1>"), home, r.ext, func(res *sip.Response) { got <- res.StatusCode })
		}
		gone.Store(true)
		r.Drop("1000")
		r.want()
		if r.Registered(home.Remote) || r.Len() != 0 {
			t.Error("still there")
		}
		pass(time.Second)
		if len(got) != 2 || <-got != 403 || <-got != 403 || len(r.j.all()) != 0 {
			t.Errorf("journal %v", r.j.all())
		}
		r.refused(403, "Contact: <sip:a@192.0.2.1>")
		r.Drop("1000")
		r.Drop("none")
		gone.Store(false)
		r.ok(home, "Contact: <sip:a@192.0.2.1>")
		r.Drop("1000") // at rest
		pass(time.Second)
		if r.want(); len(r.j.all()) != 0 {
			t.Error("still in the journal")
		}
	})
}

type lookup func(string) *pbx.Extension

func (f lookup) Extension(n string) *pbx.Extension { return f(n) }

func TestRestore(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>;expires=60", "Supported: path", "Path: <sip:p1;lr>, <sip:p2;lr>")
		r.ok(home, `Contact: <sip:b@192.0.2.1>;q=0.3;+sip.instance="<`+instance+`>";reg-id=1`)
		r.ok(tcp("192.0.2.2:4000", 3), "Contact: <sip:c@192.0.2.2;transport=tcp>")
		before := map[string]Info{}
		for i := range r.All() {
			before[i.ID] = i
		}
		pass(30 * time.Second)
		j := r.j.all()

		after := newRig(t, nil)
		defer after.Close()
		after.seq = r.seq
		after.Restore(append(j, pbx.Binding{Extension: "1000", Source: "?"}, pbx.Binding{}))
		n := 0
		for i := range after.All() {
			n++
			if b := before[i.ID]; b.Contact != i.Contact || i.Reachable != (i.Transport == "udp") {
				t.Errorf("%+v\nwas\n%+v", i, b)
			}
			if _, hop, _ := after.Binding(i.ID); i.Transport == "udp" && hop != home {
				t.Errorf("%+v", hop)
			}
		}
		if n != 3 || !after.Registered(home.Remote) || after.Registered(netip.MustParseAddrPort("192.0.2.2:4000")) {
			t.Error(n)
		}
		after.want("sip:a@192.0.2.1", "sip:b@192.0.2.1")
		after.refused(500, "Contact: <sip:a@192.0.2.1>", "CSeq: 1 REGISTER") // the order is kept, too
		after.ok(tcp("192.0.2.2:4001", 1), "Contact: <sip:c@192.0.2.2;transport=tcp>")
		if len(after.Contacts("1000")) != 3 {
			t.Error("the TCP phone is not back")
		}
		pass(30 * time.Second)
		late := newRig(t, nil)
		defer late.Close()
		late.Restore(j)
		late.want("sip:b@192.0.2.1")
		synctest.Wait()
		if late.Len() != 2 || len(late.j.all()) != 2 {
			t.Errorf("%d, journal %d", late.Len(), len(late.j.all()))
		}
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

// pass lets time pass, and what is due then finish.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
