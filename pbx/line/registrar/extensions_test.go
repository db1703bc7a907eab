package registrar

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx/line/wire"
)

// RFC 3327.
func TestPath(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		const c, p = "Contact: <sip:a@10.0.0.1>", "Path: <sip:p1.example;lr>;x=\"a,b\", \"P, 2\" <sip:p2.example;lr>"
		if res := r.refused(420, c, p); res.GetHeader("Unsupported").Value() != "path" {
			t.Error(res)
		}
		r.refused(400, c, "Supported: path", "Path: p1.example")
		r.refused(400, c, "Supported: path", "Path: <http://p1.example>")
		r.refused(400, c, "Supported: path", "Path: "+strings.Repeat("<sip:p>,", 10)+"<sip:p>")
		res := r.send(home, c, "Supported: gruu , PATH", p, "Path: <sip:p3.example;lr>")
		want := []string{`<sip:p1.example;lr>;x="a,b"`, `"P, 2" <sip:p2.example;lr>`, "<sip:p3.example;lr>"}
		same(t, headersOf(res, "Path"), want...)
		b, _, _ := r.Binding(r.Contacts("1000")[0].ID)
		same(t, b.Path, want...)
		res = r.send(home, c, "Supported: path") // no Path any more
		same(t, headersOf(res, "Path"))
		if b, _, _ = r.Binding(r.Contacts("1000")[0].ID); b.Path != nil {
			t.Error(b.Path)
		}
	})
}

const withInstance = `;+sip.instance="<` + instance + `>"`

// RFC 5626 §6: instance and reg-id are one binding, whatever its URI.
func TestFlows(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1:1>"+withInstance+";reg-id=1")
		id := r.Contacts("1000")[0].ID
		pass(1)
		got := r.ok(udp("192.0.2.7:5060"), "Contact: <sip:a@192.0.2.7:2>"+withInstance+";reg-id=1", "Call-ID: rebooted")
		same(t, got, "<sip:a@192.0.2.7:2>;expires=3600"+withInstance+";reg-id=1")
		if cs := r.Contacts("1000"); cs[0].ID != id {
			t.Error("the ID has changed")
		}
		pass(1)
		// A second flow of the same phone: two bindings, but only one is called.
		got = r.ok(tcp("192.0.2.8:5060", 1), "Contact: <sip:a@192.0.2.7:2>"+withInstance+";reg-id=2")
		if len(got) != 2 || len(r.Contacts("1000")) != 1 {
			t.Fatal(got, r.uris())
		}
		_, hop, _ := r.Binding(r.Contacts("1000")[0].ID)
		if hop.Conn != 1 {
			t.Error("not the newest flow")
		}
		r.ConnClosed(hop)
		if _, hop, _ := r.Binding(r.Contacts("1000")[0].ID); hop.Conn != 0 {
			t.Error("not the other flow")
		}
		// reg-id says nothing without an instance.
		got = r.ok(home, "Contact: <sip:z@192.0.2.1>;reg-id=1")
		if len(got) != 3 {
			t.Error(got)
		}
	})
}

// A phone without reg-id that comes back from another address does not leave its old self behind.
func TestSameInstanceMoves(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		r.ok(home, "Contact: <sip:a@192.0.2.1>"+withInstance)
		r.ok(udp("192.0.2.2:5060"), "Contact: <sip:a@192.0.2.2>"+strings.ToUpper(withInstance[:15])+withInstance[15:], "Call-ID: rebooted")
		r.want("sip:a@192.0.2.2")
		// But two contacts it names at once are two.
		r.ok(home, "Contact: <sip:a@192.0.2.2>"+withInstance+", <sip:a@192.0.2.2;transport=tcp>"+withInstance, "Call-ID: 3")
		if len(r.Contacts("1000")) != 2 {
			t.Error(r.uris())
		}
		r.ok(home, "Contact: <sip:a@192.0.2.2>"+withInstance+", <sip:a@192.0.2.2;transport=tcp>"+withInstance, "Call-ID: 3")
		if len(r.Contacts("1000")) != 2 {
			t.Error(r.uris())
		}
		// And a contact that is removed takes no other with it.
		r.ok(home, "Contact: <sip:gone@192.0.2.2>;expires=0"+withInstance)
		if len(r.Contacts("1000")) != 2 {
			t.Error(r.uris())
		}
	})
}

// Two phones with the same private address behind two NATs are two, if they say who they are.
func TestSameAddressBehindTwoNATs(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		const c = "Contact: <sip:1000@192.168.1.10:5060>"
		other := strings.Replace(withInstance, "f81d", "a000", 1)
		r.ok(udp("198.51.100.1:1024"), c+withInstance, "Call-ID: 1")
		r.ok(udp("203.0.113.1:1024"), c+other, "Call-ID: 2")
		cs := r.Contacts("1000")
		if len(cs) != 2 || cs[0].ID == cs[1].ID {
			t.Fatalf("%+v", cs)
		}
		// Each refreshes and leaves for itself.
		r.ok(udp("198.51.100.1:1025"), c+withInstance, "Call-ID: 1")
		r.ok(udp("203.0.113.1:1024"), c+other+";expires=0", "Call-ID: 2")
		cs = r.Contacts("1000")
		if len(cs) != 1 {
			t.Fatalf("%+v", cs)
		}
		if _, hop, _ := r.Binding(cs[0].ID); hop != udp("198.51.100.1:1025") {
			t.Error(hop)
		}
		// A phone that was reset has another instance at the same address: it is one.
		r.ok(udp("198.51.100.1:1025"), c+other, "Call-ID: 3")
		if len(r.Contacts("1000")) != 1 {
			t.Error(r.uris())
		}
		// RFC 3261: without instances the URI is all there is.
		r.ok(home, "Contact: *", "Expires: 0")
		r.ok(udp("198.51.100.1:1024"), c, "Call-ID: 1")
		r.ok(udp("203.0.113.1:1024"), c, "Call-ID: 2")
		if len(r.Contacts("1000")) != 1 {
			t.Error(r.uris())
		}
	})
}

func gruuOf(t *testing.T, contact, kind string) *sip.Uri {
	t.Helper()
	_, after, ok := strings.Cut(contact, kind+`="`)
	text, _, _ := strings.Cut(after, `"`)
	var u sip.Uri
	if what := wire.ParseURI(text, &u); !ok || what != "" {
		t.Fatalf("no %s in %s: %s", kind, contact, what)
	}
	return &u
}

// RFC 5627 §5.
func TestGRUU(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		const c = "Contact: <sip:a@192.0.2.1>" + withInstance
		same(t, r.ok(home, c), "<sip:a@192.0.2.1>;expires=3600"+withInstance) // not supported by the phone
		first := r.ok(home, c, "Supported: gruu")[0]
		pub := gruuOf(t, first, "pub-gruu")
		if pub.String() != "sip:1000@pbx.example;gr="+instance {
			t.Error(pub)
		}
		id := r.Contacts("1000")[0].ID
		resolves := func(u *sip.Uri, want ...string) {
			t.Helper()
			e, ids := r.Resolve(u)
			same(t, ids, want...)
			if want != nil && e != "1000" {
				t.Error(e)
			}
		}
		temp := gruuOf(t, first, "temp-gruu")
		if strings.Contains(temp.User, "1000") || !hasParam(temp, "gr") {
			t.Error(temp)
		}
		resolves(pub, id)
		resolves(temp, id)
		second := gruuOf(t, r.ok(home, c, "Supported: gruu")[0], "temp-gruu")
		if second.User == temp.User {
			t.Error("the same temp-gruu again")
		}
		resolves(temp, id) // "all of them remain valid"
		resolves(second, id)

		bad := *temp
		bad.User = temp.User[:len(temp.User)-2] + "AA"
		resolves(&bad)
		bad.User = tempPrefix
		resolves(&bad)
		resolves(&sip.Uri{Scheme: "sip", User: "1000", Host: "x"})

		// It survives a restart with the same secret, and none with another.
		after := newRig(t, nil)
		defer after.Close()
		after.Restore(r.j.all())
		if _, ids := after.Resolve(temp); len(ids) != 1 || ids[0] != id {
			t.Error(ids)
		}
		other := newRig(t, func(o *Options) { o.Secret = make([]byte, 16) })
		defer other.Close()
		other.Restore(r.j.all())
		if _, ids := other.Resolve(temp); ids != nil {
			t.Error(ids)
		}

		// A GRUU of its own is no contact (§5.1).
		r.refused(403, "Contact: <"+pub.String()+">")
		r.refused(403, "Contact: <"+temp.String()+">")

		// A new Call-ID ends the temp-gruus, not the pub-gruu.
		r.ok(home, c, "Supported: gruu", "Call-ID: rebooted")
		resolves(temp)
		resolves(pub, id)
		r.ok(home, "Contact: *", "Expires: 0")
		resolves(pub)
	})
}

func TestGRUUOfOddInstance(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		got := r.ok(home, `Contact: <sip:a@192.0.2.1>;+sip.instance="<urn:x:a;b=c%41 d>"`, "Supported: gruu")
		pub := gruuOf(t, got[0], "pub-gruu")
		if _, ids := r.Resolve(pub); len(ids) != 1 {
			t.Errorf("%s does not resolve", pub)
		}
	})
}

func TestNormal(t *testing.T) {
	parse := func(s string) *sip.Uri {
		var u sip.Uri
		if what := wire.ParseURI(s, &u); what != "" {
			t.Fatal(s, what)
		}
		return &u
	}
	// RFC 3261 §19.1.4 and escnull of RFC 4475.
	for _, pair := range []string{
		"sip:%61lice@atlanta.com;transport=TCP sip:alice@AtLanTa.CoM;Transport=tcp",
		"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
		"sip:alice@atlanta.com?subject=project%20x&priority=urgent sip:alice@atlanta.com?priority=urgent&subject=project%20x",
		"sip:a%3bb@x sip:a%3Bb@x",
	} {
		a, b, _ := strings.Cut(pair, " ")
		if normal(parse(a)) != normal(parse(b)) {
			t.Errorf("%s is not %s: %s, %s", a, b, normal(parse(a)), normal(parse(b)))
		}
	}
	for _, pair := range []string{
		"SIP:ALICE@AtLanTa.CoM;Transport=udp sip:alice@AtLanTa.CoM;Transport=UDP",
		"sip:bob@biloxi.com sip:bob@biloxi.com:5060",
		"sip:bob@biloxi.com sip:bob@biloxi.com;transport=udp",
		"sip:bob@biloxi.com;line=1 sip:bob@biloxi.com;line=2",
		"sip:carol@chicago.com sip:carol@chicago.com?Subject=next%20meeting",
		"sip:bob@phone21.boxesbybob.com sip:bob@192.0.2.4",
		"sips:a@x sip:a@x",
		"sip:%00@x sip:%00%00@x",
		"sip:a:b@x sip:a@x",
	} {
		a, b, _ := strings.Cut(pair, " ")
		if normal(parse(a)) == normal(parse(b)) {
			t.Errorf("%s is %s", a, b)
		}
	}
}

// What RFC 4475 sends to a registrar.
func TestTorture(t *testing.T) {
	virtual(t, nil, func(t *testing.T, r *rig) {
		same(t, r.ok(home, "Contact: sip:+19725552222@gw1.example.net;unknownparam"), "<sip:+19725552222@gw1.example.net>;expires=3600")
		same(t, r.ok(home, "Contact: *", "Expires: 0"))
		same(t, r.ok(home, "Contact: <sip:+19725552222@gw1.example.net;unknownparam>"), "<sip:+19725552222@gw1.example.net;unknownparam>;expires=3600")
		same(t, r.ok(home, "Contact: *", "Expires: 0"))
		same(t, r.ok(home, "M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>"), "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=3600")
		same(t, r.ok(home, "Contact: *", "Expires: 0"))
		if got := r.ok(home, "Contact: <sip:%00@host5.example.com>", "Contact: <sip:%00%00@host5.example.com>"); len(got) != 2 {
			t.Error(got)
		}
	})
}
