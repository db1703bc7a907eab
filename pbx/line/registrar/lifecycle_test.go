package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

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

func (f lookup) Extension(n string) *pbx.Extension { return f(n) }
