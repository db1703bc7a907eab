package line

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// What RFC 4575 §5 has of what we send; the names and their order are those of its schema.
type confXML struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:conference-info conference-info"`
	Entity  string   `xml:"entity,attr"`
	State   string   `xml:"state,attr"`
	Version int      `xml:"version,attr"`
	Subject string   `xml:"conference-description>subject"`
	Status  struct {
		Count  int  `xml:"user-count"`
		Active bool `xml:"active"`
		Locked bool `xml:"locked"`
	} `xml:"conference-state"`
	Users []struct {
		Entity    string   `xml:"entity,attr"`
		State     string   `xml:"state,attr"`
		Display   string   `xml:"display-text"`
		Roles     []string `xml:"roles>entry"`
		Endpoints []struct {
			Entity string    `xml:"entity,attr"`
			State  string    `xml:"state,attr"`
			Status string    `xml:"status"`
			Method string    `xml:"joining-method"`
			When   time.Time `xml:"joining-info>when"`
			Media  []struct {
				ID     string `xml:"id,attr"`
				Type   string `xml:"type"`
				Status string `xml:"status"`
			} `xml:"media"`
		} `xml:"endpoint"`
	} `xml:"users>user"`
}

func parseConference(t *testing.T, text string) (c confXML) {
	t.Helper()
	if err := xml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if c.State != "full" || c.Version < 1 || c.Entity == "" {
		t.Errorf("the document is %s, version %d, of %q", c.State, c.Version, c.Entity)
	}
	seen := map[string]bool{}
	for _, u := range c.Users {
		if seen[u.Entity] || u.Entity == "" || u.State != "full" || len(u.Endpoints) == 0 || len(u.Roles) != 1 {
			t.Errorf("user %+v", u)
		}
		seen[u.Entity] = true
		for _, e := range u.Endpoints {
			if seen["endpoint "+e.Entity] || e.Entity == "" || len(e.Media) != 1 || e.Media[0].Type != "audio" || e.Method != "dialed-in" {
				t.Errorf("endpoint %+v", e)
			}
			seen["endpoint "+e.Entity] = true
		}
	}
	return c
}

func member(number, name string, set ...func(*pbx.MemberInfo)) pbx.MemberInfo {
	m := pbx.MemberInfo{Call: "c" + number, From: pbx.Identity{Number: number, Name: name}, Since: time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))}
	for _, f := range set {
		f(&m)
	}
	return m
}

// Who comes, goes, is muted or locked out: each NOTIFY has all of it, and a version that is higher by one (RFC 4575 §5).
func TestConferenceIsWatched(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("conference", "800", 600, "Accept: application/conference-info+xml")
		c.granted(600)
		n := c.notified("active;expires=600")
		wantHeader(t, n, "Content-Type", "application/conference-info+xml")
		d := parseConference(t, body(n))
		if d.Entity != "sip:800@pbx.test" || d.Subject != "Board" || d.Status.Active || d.Status.Count != 0 || len(d.Users) != 0 {
			t.Errorf("nobody is there: %+v", d)
		}
		first := d.Version

		tell := func(members ...pbx.MemberInfo) {
			b.set(func() {
				b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Name: "Board", Locked: len(members) > 2, Members: members}
			})
			s.line.ConferenceChanged("800")
		}
		moderator := func(m *pbx.MemberInfo) { m.Moderator = true }
		muted := func(m *pbx.MemberInfo) { m.Muted = true }
		held := func(m *pbx.MemberInfo) { m.Held = true }
		alice := member("1001", "Alice", moderator)
		time.Sleep(6 * time.Second)
		tell(alice)
		d = parseConference(t, body(c.notified("active;expires=594")))
		if u := d.Users[0]; d.Version != first+1 || !d.Status.Active || d.Status.Count != 1 || u.Entity != "sip:1001@pbx.test" || u.Display != "Alice" ||
			u.Roles[0] != "moderator" || u.Endpoints[0].Status != "connected" || u.Endpoints[0].Media[0].Status != "sendrecv" ||
			!u.Endpoints[0].When.Equal(time.Date(2026, 3, 4, 4, 6, 7, 0, time.UTC)) {
			t.Errorf("Alice: %+v", d)
		}

		time.Sleep(time.Second)
		tell(alice, member("1002", "Bob"))
		time.Sleep(time.Second)
		tell(alice, member("1002", "Bob", muted), member("1003", "", held))
		a.silent() // five seconds between two (RFC 4575 §3.9)
		time.Sleep(3 * time.Second)
		d = parseConference(t, body(c.notified("active;expires=589")))
		if d.Version != first+2 || d.Status.Count != 3 || !d.Status.Locked || len(d.Users) != 3 || d.Users[1].Roles[0] != "participant" ||
			d.Users[1].Endpoints[0].Media[0].Status != "recvonly" || d.Users[2].Endpoints[0].Status != "on-hold" || d.Users[2].Display != "" {
			t.Errorf("three: %+v", d)
		}

		c.subscribe("conference", 600) // at once, and counted
		c.granted(600)
		if d = parseConference(t, body(c.notified("active;expires=600"))); d.Version != first+3 {
			t.Errorf("version %d", d.Version)
		}
		time.Sleep(6 * time.Second)
		b.set(func() { delete(b.rooms, "800") })
		s.line.ConferenceChanged("800")
		if n := c.notified("terminated;reason=noresource"); body(n) != "" {
			t.Errorf("got\n%s", n)
		}
	})
}

// Who is in a room that asks for a PIN is for those who are in it.
func TestPrivateConference(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		room := func(members ...pbx.MemberInfo) {
			b.set(func() {
				b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Private: true, Members: members}
			})
			s.line.ConferenceChanged("800")
			synctest.Wait()
		}
		room(member("1001", "Bob"))
		a := s.phone("1000", "192.0.2.10")
		a.subscribe("conference", "800", 600)
		a.expect("SIP/2.0 403")
		room(member("1001", "Bob"), member("1000", "Alice"))
		c := a.subscribe("conference", "800", 600)
		c.granted(600)
		if d := parseConference(t, body(c.notified("active;expires=600"))); len(d.Users) != 2 {
			t.Errorf("it has %d members", len(d.Users))
		}
		time.Sleep(6 * time.Second)
		room(member("1001", "Bob"))
		if n := c.notified("terminated;reason=noresource"); body(n) != "" {
			t.Errorf("who has left sees\n%s", n)
		}
	})
}

// Each subscription counts its own versions.
func TestVersionsAreThoseOfASubscription(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		a, other := s.phone("1000", "192.0.2.10"), s.phone("1001", "192.0.2.20")
		c := a.subscribe("conference", "800", 600)
		c.granted(600)
		c.notified("active;expires=600")
		time.Sleep(6 * time.Second)
		d := other.subscribe("conference", "800", 600)
		d.granted(600)
		if v := parseConference(t, body(d.notified("active;expires=600"))).Version; v != 1 {
			t.Errorf("version %d", v)
		}
		s.line.ConferenceChanged("800")
		if v := parseConference(t, body(c.notified("active;expires=594"))).Version; v != 2 {
			t.Errorf("version %d", v)
		}
		time.Sleep(5 * time.Second)
		if v := parseConference(t, body(d.notified("active;expires=595"))).Version; v != 2 {
			t.Errorf("version %d", v)
		}
	})
}

// Hidden members are counted and told apart, and that is all that is said of them.
func TestHiddenMembers(t *testing.T) {
	hide := func(m *pbx.MemberInfo) { m.From.Hidden = true }
	b := newBoard()
	b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Members: []pbx.MemberInfo{
		member("1001", "Secret", hide), member("1002", "Bob"), member("1003", "Secret", hide), member("", "Secret"),
		member("1002", "Bob"), // a second phone of his
	}}
	l := &Line{o: Options{State: b}}
	text := string(conferenceInfo(l, view{"800", "1000", "pbx.test", 6}))
	for _, leak := range []string{"1001", "1003", "Secret", "c1001"} {
		if strings.Contains(text, leak) {
			t.Errorf("%s in\n%s", leak, text)
		}
	}
	d := parseConference(t, text)
	if d.Version != 7 || d.Status.Count != 4 || len(d.Users) != 4 || len(d.Users[1].Endpoints) != 2 {
		t.Errorf("%+v", d)
	}
	for i, want := range []string{"sip:anonymous1@anonymous.invalid", "sip:1002@pbx.test", "sip:anonymous2@anonymous.invalid", "sip:anonymous3@anonymous.invalid"} {
		if d.Users[i].Entity != want {
			t.Errorf("user %d is %s", i, d.Users[i].Entity)
		}
	}
}

// Whatever somebody calls himself, it is text.
func TestConferenceOfHostileNames(t *testing.T) {
	for _, name := range []string{`<users/>`, `"&<>'`, `]]><!--`, "\x00\x01\r\n\x7f", "\xff\xfe", "￾", "Ålesund 电话 😀", strings.Repeat("&", 5000), strings.Repeat("电", 5000), "sip:" + strings.Repeat("x", 5000)} {
		b := newBoard()
		b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Name: name, Members: []pbx.MemberInfo{member("10<\"&>01", name), member(strings.Repeat("9", 5000), name)}}
		l := &Line{o: Options{State: b}}
		text := string(conferenceInfo(l, view{"800", "1000", "pbx.test", 0}))
		d := parseConference(t, text)
		if len(text) > 6000 || len([]rune(d.Subject)) > maxName || len(d.Users) != 2 || d.Users[0].Entity != "sip:10%3C%22&%3E01@pbx.test" {
			t.Errorf("%.40q: %d bytes, subject %q, %d users, %q", name, len(text), d.Subject, len(d.Users), d.Users[0].Entity)
		}
		if name == "Ålesund 电话 😀" && (d.Subject != name || d.Users[0].Display != name) {
			t.Errorf("%q became %q", name, d.Subject)
		}
	}
}

// A great conference fits into a datagram: everybody is counted, and as many are named as there is room for.
func TestGreatConference(t *testing.T) {
	watched(t, func(s *scene, b *board) {
		var all []pbx.MemberInfo
		for i := range 1000 {
			all = append(all, member(fmt.Sprint(2000+i), strings.Repeat("&", maxName)))
		}
		b.set(func() { b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Members: all} })
		a := s.phone("1000", "192.0.2.10")
		c := a.subscribe("conference", "800", 600)
		c.granted(600)
		n := c.notified("active;expires=600")
		d := parseConference(t, body(n))
		if len(n) > 60_000 || d.Status.Count != 1000 || len(d.Users) < 50 || len(d.Users) > 999 {
			t.Errorf("%d bytes, %d of %d named", len(n), len(d.Users), d.Status.Count)
		}
	})
}
