package e2e

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"ringback/pbx/pbxtest"
)

// contacts are the URIs that a 200 to REGISTER lists.
func contacts(m *pbxtest.Message) []string {
	var all []string
	for _, c := range m.All("Contact") {
		all = append(all, pbxtest.AddrOf(c))
	}
	return all
}

// bindings asks the registrar what is registered.
func (s *scene) bindings(p *pbxtest.Phone) []string {
	s.Helper()
	m, err := p.TryRegister(s.ctx, password, 0, pbxtest.Without("Contact"), pbxtest.Without("Expires"))
	return contacts(s.status(m, err, 200))
}

// expect fails unless those and only those contacts are registered.
func (s *scene) expectBindings(p *pbxtest.Phone, want ...string) {
	s.Helper()
	have := s.bindings(p)
	sort.Strings(have)
	sort.Strings(want)
	if fmt.Sprint(have) != fmt.Sprint(want) {
		s.Fatalf("registered are %q and not %q", have, want)
	}
}

func TestRegBasic(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension())
		m, err := p.Register(s.ctx, 300)
		s.must(err)
		if c := contacts(m); len(c) != 1 || c[0] != p.ContactURI() || p.Granted() <= 0 || p.Granted() > 300 {
			s.Errorf("%q for %d s", c, p.Granted())
		}
		if !m.Has("Date") {
			s.Error("the 200 has no Date (RFC 3261 §10.3 step 8)")
		}
		if _, err := p.Expect(s.ctx, "401 REGISTER"); err != nil {
			s.Error("it was not challenged first: ", err)
		}
		found, err := s.x.about(s.ctx, "/registrations", []string{"extension"}, p.User())
		s.must(err)
		if len(found) != 1 || found[0]["contact"] != p.ContactURI() || found[0]["transport"] != s.transport {
			s.Error(found)
		}
	})
}

func TestRegDigest(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension(), from("127.0.0.66"))
		_, err := p.Register(s.ctx, 300)
		s.must(err)
		m, err := p.Expect(s.ctx, "401 REGISTER")
		s.must(err)
		c, err := pbxtest.ParseChallenge(m.All("WWW-Authenticate")[0])
		s.must(err)
		// The same nonce with the count used already: refused as stale, with a fresh challenge.
		q := p.NewRequest("REGISTER", "sip:"+s.x.sip.String(), pbxtest.With("To", "<"+p.AOR()+">"), pbxtest.With("Contact", "<"+p.ContactURI()+">"))
		q.Set("Authorization", c.AnswerCount(p.User(), password, "REGISTER", q.URI, 1))
		res, err := p.Send(q).Final(s.ctx)
		res = s.status(res, err, 401)
		again, err := pbxtest.ParseChallenge(res.All("WWW-Authenticate")[0])
		s.must(err)
		if !again.Stale || again.Nonce == c.Nonce {
			s.Errorf("a replayed count gets stale=%v and the nonce %q after %q", again.Stale, again.Nonce, c.Nonce)
		}
		// Counts may come out of order within 64.
		for _, count := range []uint32{20, 10, 15} {
			q := p.NewRequest("OPTIONS", "sip:"+s.x.sip.String())
			q.Method, q.URI = "REGISTER", "sip:"+s.x.sip.String()
			q.Set("CSeq", "1 REGISTER").Set("To", "<"+p.AOR()+">")
			q.Set("Authorization", c.AnswerCount(p.User(), password, "REGISTER", q.URI, count))
			res, err := p.Send(q).Final(s.ctx)
			s.status(res, err, 200)
		}
		// A wrong response fails, a nonce that was never given is stale, and garbage is no crash.
		for name, value := range map[string]string{
			"wrong response": c.AnswerCount(p.User(), "wrong", "REGISTER", "sip:"+s.x.sip.String(), 30),
			"strange nonce":  (&pbxtest.Challenge{Realm: c.Realm, Nonce: "abcdef", Algorithm: "MD5", QOP: "auth"}).Answer(p.User(), password, "REGISTER", "sip:"+s.x.sip.String()),
			"garbage":        `Digest username="` + strings.Repeat("x", 3000) + `"`,
			"no digest":      "Basic dXNlcjpwYXNz",
		} {
			q := p.NewRequest("REGISTER", "sip:"+s.x.sip.String(), pbxtest.With("To", "<"+p.AOR()+">"), pbxtest.With("Contact", "<sip:evil@127.0.0.66>"))
			q.Set("Authorization", value)
			res, err := p.Send(q).Final(s.ctx)
			s.must(err)
			if res.Status != 401 && res.Status != 400 && res.Status != 403 {
				s.Errorf("%s gets %d", name, res.Status)
			}
		}
		s.expectBindings(p, p.ContactURI())
	})
}

func TestRegRefresh(t *testing.T) {
	play(t, func(s *scene) {
		p := s.phone()
		for range 3 {
			_, err := p.Register(s.ctx, 300)
			s.must(err)
		}
		s.expectBindings(p, p.ContactURI())
	})
}

func TestRegCSeqOrder(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension())
		at := func(cseq int) []pbxtest.Mod {
			return []pbxtest.Mod{pbxtest.With("Call-ID", "order-"+p.User()), pbxtest.With("CSeq", fmt.Sprintf("%d REGISTER", cseq))}
		}
		_, err := p.TryRegister(s.ctx, password, 300, at(100)...)
		s.must(err)
		m, err := p.TryRegister(s.ctx, password, 0, at(50)...)
		s.must(err)
		if m.Status == 200 {
			s.Log("an old CSeq gets 200")
		}
		s.expectBindings(p, p.ContactURI())
	})
}

func TestRegExpiresChange(t *testing.T) {
	play(t, func(s *scene) {
		p := s.phone()
		_, err := p.Register(s.ctx, 120)
		s.must(err)
		if g := p.Granted(); g > 120 || g < 115 {
			s.Errorf("granted are %d s", g)
		}
		_, err = p.Register(s.ctx, 0, pbxtest.Without("Expires"), pbxtest.With("Contact", "<"+p.ContactURI()+">;expires=200"))
		s.must(err)
		if g := p.Granted(); g > 200 || g < 195 {
			s.Errorf("granted are %d s", g)
		}
	})
}

func TestRegQuery(t *testing.T) {
	play(t, func(s *scene) {
		p := s.phone()
		for range 2 {
			s.expectBindings(p, p.ContactURI())
		}
	})
}

func TestRegDeregisterOne(t *testing.T) {
	play(t, func(s *scene) {
		n := s.extension()
		a, b := s.registered(n), s.registered(n)
		s.expectBindings(a, a.ContactURI(), b.ContactURI())
		s.must(a.Unregister(s.ctx))
		s.expectBindings(a, b.ContactURI())
	})
}

func TestRegDeregisterAll(t *testing.T) {
	play(t, func(s *scene) {
		n, caller := s.extension(), s.phone()
		a, b := s.registered(n), s.registered(n)
		_, err := a.Register(s.ctx, 0, pbxtest.With("Contact", "*"))
		s.must(err)
		s.expectBindings(b)
		l, err := caller.Call(s.ctx, n)
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 480, 404)
		s.must(b.ExpectNone(s.ctx, 200*time.Millisecond, "INVITE"))
		// * with another expires, or beside another contact, is a mistake (RFC 3261 §10.3 step 6).
		m, err = a.TryRegister(s.ctx, password, 300, pbxtest.With("Contact", "*"))
		s.status(m, err, 400)
	})
}

func TestRegWrongPassword(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension(), from("127.0.0.66"))
		m, err := p.TryRegister(s.ctx, "wrong password", 300)
		s.status(m, err, 401, 403)
		s.expectBindings(p)
	})
}

func TestRegUnknownUserSame(t *testing.T) {
	play(t, func(s *scene) {
		known, unknown := s.another(s.extension(), from("127.0.0.66")), s.another("7777777", from("127.0.0.66"))
		disabled := s.another(s.extension("enabled", false), from("127.0.0.66"))
		look := func(p *pbxtest.Phone) string {
			m, err := p.TryRegister(s.ctx, "wrong password", 300)
			s.must(err)
			text := fmt.Sprint(m.Status, " ", m.Phrase)
			for _, h := range m.Headers {
				text += "; " + h.Name
				if h.Name == "WWW-Authenticate" {
					c, err := pbxtest.ParseChallenge(h.Value)
					s.must(err)
					text += fmt.Sprint(" ", c.Realm, " ", len(c.Nonce), " ", c.Algorithm, " ", c.Stale, " ", c.QOP)
				}
			}
			for _, m := range p.Received() {
				text += fmt.Sprint(" / ", m.Status)
			}
			return text
		}
		a, b, c := look(known), look(unknown), look(disabled)
		if a != b || a != c {
			s.Errorf("wrong password: %s\nunknown user: %s\ndisabled: %s", a, b, c)
		}
	})
}

func TestRegTooBrief(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension())
		m, err := p.TryRegister(s.ctx, password, 1)
		s.status(m, err, 423) // this exchange has registrar.min_expires=2s
		if m.Get("Min-Expires") != "2" {
			s.Errorf("Min-Expires is %q", m.Get("Min-Expires"))
		}
		s.expectBindings(p)
	})
}

func TestRegTwoContacts(t *testing.T) {
	play(t, func(s *scene) {
		n, caller := s.extension(), s.phone()
		a, b := s.registered(n), s.registered(n)
		s.expectBindings(a, a.ContactURI(), b.ContactURI())
		l, err := caller.Call(s.ctx, n)
		s.must(err)
		for _, p := range []*pbxtest.Phone{a, b} {
			callee, err := p.Incoming(s.ctx)
			s.must(err)
			callee.Ring()
		}
		s.must(l.Ringing(s.ctx))
		s.must(l.Cancel(s.ctx))
		for _, p := range []*pbxtest.Phone{a, b} {
			_, err := p.Expect(s.ctx, "CANCEL")
			s.must(err)
		}
	})
}

func TestRegExpiredNoRing(t *testing.T) {
	play(t, func(s *scene) {
		caller, p := s.phone(), s.another(s.extension())
		_, err := p.Register(s.ctx, 2)
		s.must(err)
		time.Sleep(time.Duration(p.Granted())*time.Second + 200*time.Millisecond) // time passes, that is what is tested
		l, err := caller.Call(s.ctx, p.User())
		s.must(err)
		m, err := l.Failed(s.ctx)
		s.status(m, err, 480, 404)
		s.must(p.ExpectNone(s.ctx, 100*time.Millisecond, "INVITE"))
	})
}

func TestRegSHA256(t *testing.T) {
	play(t, func(s *scene) {
		for _, algorithm := range []string{"SHA-256", "MD5"} {
			p := s.another(s.extension(), func(c *pbxtest.Config) { c.Algorithms = []string{algorithm} })
			_, err := p.Register(s.ctx, 300)
			s.must(err)
		}
	})
}

func TestOptionsUnregistered(t *testing.T) {
	play(t, func(s *scene) {
		p := s.another(s.extension())
		m, err := p.Options(s.ctx, "sip:"+s.x.sip.String())
		s.status(m, err, 200)
	})
}

func TestOptionsRegistered(t *testing.T) {
	play(t, func(s *scene) {
		p := s.phone()
		for range 3 {
			m, err := p.Options(s.ctx, "sip:"+s.x.sip.String())
			s.status(m, err, 200)
		}
	})
}

// Over streams the connection itself tells; pings are answered (RFC 5626 §3.5.1).
func TestOptionsQualify(t *testing.T) {
	play(t, func(s *scene) {
		p := s.phone()
		if s.transport == "udp" {
			for range 2 {
				if _, err := p.Expect(s.ctx, "OPTIONS"); err != nil { // it comes each 10 s here
					_, err = p.Expect(s.ctx, "OPTIONS")
					s.must(err)
				}
			}
			return
		}
		s.must(p.Ping(s.ctx))
		s.must(p.Ping(s.ctx))
	})
}
