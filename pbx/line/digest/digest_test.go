package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	client "github.com/icholy/digest"
	"go.uber.org/goleak"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type directory map[string]*pbx.Extension

func (d directory) Extension(n string) *pbx.Extension { return d[n] }

const realm = "pbx.example"

func extension(number, password string) *pbx.Extension {
	a1 := number + ":" + realm + ":" + password
	return &pbx.Extension{Number: number, Enabled: true, HA1MD5: fmt.Sprintf("%x", md5.Sum([]byte(a1))),
		HA1SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(a1)))}
}

func people() directory {
	d := directory{}
	for _, n := range []string{"1000", "1001", "1002"} {
		d[n] = extension(n, "secret"+n)
	}
	off := extension("1003", "secret1003")
	off.Enabled = false
	d["1003"] = off
	return d
}

func authenticator(t testing.TB, change func(*Options)) *Authenticator {
	o := Options{Realm: realm, Directory: people()}
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var home = hop("192.0.2.1:5060")

func hop(at string) wire.Hop { return wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort(at)} }

// request is a REGISTER, or an INVITE of target, as it comes off the wire.
func request(t testing.TB, method, target string, headers ...string) *sip.Request {
	b := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:1000@pbx.example>;tag=a\r\nTo: <sip:1000@pbx.example>\r\nCall-ID: x\r\nCSeq: 1 %s\r\n%s\r\n",
		method, target, method, strings.Join(append(headers, ""), "\r\n"))
	m, bad := wire.Parse([]byte(b), home)
	if bad != nil {
		t.Fatalf("%v\n%s", bad, b)
	}
	return m.(*sip.Request)
}

// answer is what an independent client makes of one of the challenges of a 401.
func answer(t testing.TB, res *sip.Response, alg Algorithm, method, uri, user, password string, count int) string {
	for _, h := range res.GetHeaders("WWW-Authenticate") {
		c, err := client.ParseChallenge(h.Value())
		if err != nil {
			t.Fatal(err)
		}
		if c.Algorithm == string(alg) {
			cred, err := client.Digest(c, client.Options{Method: method, URI: uri, Username: user, Password: password, Count: count})
			if err != nil {
				t.Fatal(err)
			}
			return cred.String()
		}
	}
	t.Fatalf("no challenge in %s:\n%s", alg, res)
	return ""
}

type phone struct {
	t              testing.TB
	a              *Authenticator
	user, password string
	alg            Algorithm
	from           wire.Hop
	res            *sip.Response // newest challenge
}

func newPhone(t testing.TB, a *Authenticator, user string) *phone {
	return &phone{t: t, a: a, user: user, password: "secret" + user, alg: MD5, from: home}
}

func (p *phone) challenged() *phone {
	r := p.a.Check(request(p.t, "REGISTER", "sip:pbx.example"), p.from)
	if r.OK || r.Verdict != Challenged || r.Response.StatusCode != 401 {
		p.t.Fatalf("no challenge: %+v", r)
	}
	p.res = r.Response
	return p
}

// register sends credentials with that nonce count.
func (p *phone) register(count int) Result {
	h := answer(p.t, p.res, p.alg, "REGISTER", "sip:pbx.example", p.user, p.password, count)
	r := p.a.Check(request(p.t, "REGISTER", "sip:pbx.example", "Authorization: "+h), p.from)
	if r.OK != (r.Response == nil) || r.OK != (r.Extension != nil) {
		p.t.Fatalf("inconsistent: %+v", r)
	}
	return r
}

func (p *phone) want(v Verdict, count int) Result {
	p.t.Helper()
	r := p.register(count)
	if r.Verdict != v {
		p.t.Fatalf("%s from %s, count %d: %v, want %v", p.user, p.from.Remote, count, r.Verdict, v)
	}
	stale := r.Response != nil && strings.Contains(r.Response.String(), "stale=true")
	if stale != (v == Stale || v == Replayed) {
		p.t.Fatalf("stale=true is %v of %v", stale, v)
	}
	return r
}

func TestChallenge(t *testing.T) {
	for _, order := range [][]Algorithm{{MD5, SHA256}, {SHA256, MD5}, {SHA256}} {
		a := authenticator(t, func(o *Options) { o.Algorithms = order })
		for _, method := range []string{"REGISTER", "INVITE"} {
			r := a.Check(request(t, method, "sip:1001@pbx.example"), home)
			if r.OK || r.Response.StatusCode != 401 {
				t.Fatalf("%s: %+v", method, r)
			}
			hs := r.Response.GetHeaders("WWW-Authenticate")
			if len(hs) != len(order) {
				t.Fatalf("%d challenges", len(hs))
			}
			for i, h := range hs {
				c, err := client.ParseChallenge(h.Value())
				if err != nil || c.Algorithm != string(order[i]) || c.Realm != realm || !c.SupportsQOP("auth") || c.Stale || c.Nonce == "" {
					t.Errorf("%d: %v %s", i, err, h.Value())
				}
			}
		}
	}
}

func TestChallengesDiffer(t *testing.T) {
	a := authenticator(t, nil)
	seen := map[string]bool{}
	for range 1000 {
		n := a.nonces.issue()
		if seen[n] {
			t.Fatal("nonce given twice")
		}
		seen[n] = true
		if _, ok := a.nonces.open(n); !ok {
			t.Fatal("own nonce not known")
		}
	}
	if _, ok := authenticator(t, nil).nonces.open(a.nonces.issue()); ok {
		t.Error("a nonce of another process is taken")
	}
}

func TestRightPassword(t *testing.T) {
	for _, alg := range []Algorithm{MD5, SHA256} {
		a := authenticator(t, nil)
		p := newPhone(t, a, "1000")
		p.alg = alg
		if r := p.challenged().want(OK, 1); r.Extension.Number != "1000" {
			t.Errorf("%s: %+v", alg, r.Extension)
		}
	}
}

// variants are spellings of right credentials that phones use.
func TestRightPasswordAsPhonesWriteIt(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"Proxy-Authorization":  func(h string) string { return "Proxy-Authorization: " + h },
		"scheme in lower case": func(h string) string { return "Authorization: " + strings.Replace(h, "Digest", "digest", 1) },
		"no algorithm":         func(h string) string { return "Authorization: " + strings.Replace(h, "algorithm=MD5, ", "", 1) },
		"quoted qop":           func(h string) string { return "Authorization: " + strings.Replace(h, "qop=auth", `qop="auth"`, 1) },
		"quoted algorithm":     func(h string) string { return "Authorization: " + strings.Replace(h, "=MD5", `="md5"`, 1) },
		"unknown parameter":    func(h string) string { return "Authorization: " + h + `, opaque="", auts = "x\"y"` },
		"upper-case response": func(h string) string {
			i := strings.Index(h, `response="`) + 10
			return "Authorization: " + h[:i] + strings.ToUpper(h[i:i+32]) + h[i+32:]
		},
		"spaces and commas": func(h string) string { return "Authorization: " + strings.ReplaceAll(h, ", ", " ,, ") },
		"after others": func(h string) string {
			return "Authorization: Bearer abc\r\nAuthorization: Digest username=\"1000\", realm=\"other\", nonce=\"1\", uri=\"sip:x\", response=\"0\"\r\nAuthorization: " + h
		},
	} {
		a := authenticator(t, nil)
		p := newPhone(t, a, "1000").challenged()
		h := change(answer(t, p.res, MD5, "REGISTER", "sip:pbx.example", p.user, p.password, 1))
		if r := a.Check(request(t, "REGISTER", "sip:pbx.example", h), home); !r.OK {
			t.Errorf("%s: %v\n%s", name, r.Verdict, h)
		}
	}
}

// RFC 7616 §3.9.1.
func TestVectors(t *testing.T) {
	c := credentials{username: "Mufasa", realm: "http-auth@example.org", nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		uri: "/dir/index.html", nc: "00000001", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop: "auth"}
	for response, sha := range map[string]bool{"8ca523f5e9506fed4657c9700eebdbec": false,
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1": true} {
		c.response = response
		a1 := []byte("Mufasa:http-auth@example.org:Circle of Life")
		ha1 := fmt.Sprintf("%x", md5.Sum(a1))
		if sha {
			ha1 = fmt.Sprintf("%x", sha256.Sum256(a1))
		}
		if !c.proves(ha1, "GET", sha) {
			t.Errorf("sha %v: the RFC's response is refused", sha)
		}
		if c.proves(ha1, "PUT", sha) || c.proves(strings.Repeat("0", len(ha1)), "GET", sha) {
			t.Errorf("sha %v: a wrong response is taken", sha)
		}
	}
}

// SECURITY.md, FLOWS reg_unknown_user_same: the same status and headers but for values that are random each time.
func TestIndistinguishable(t *testing.T) {
	shape := func(user, password string) string {
		a := authenticator(t, nil)
		p := newPhone(t, a, user)
		p.password = password
		r := p.challenged().want(Failed, 1)
		var out strings.Builder
		fmt.Fprintln(&out, r.Response.StatusCode, r.Response.Reason)
		for _, h := range r.Response.Headers() {
			v := h.Value()
			if c, err := client.ParseChallenge(v); err == nil {
				v = strings.ReplaceAll(v, c.Nonce, "N")
			}
			if i := strings.Index(v, "tag="); i >= 0 && h.Name() == "To" {
				v = v[:i]
			}
			fmt.Fprintln(&out, h.Name(), v)
		}
		return out.String()
	}
	wrong := shape("1000", "wrong")
	for _, user := range []string{"9999", "1003", "root"} {
		if got := shape(user, "secret"+user); got != wrong {
			t.Errorf("%s: %s\nwrong password: %s", user, got, wrong)
		}
	}
}

func TestNoPasswordForAlgorithm(t *testing.T) {
	a := authenticator(t, func(o *Options) {
		o.Directory = directory{"1000": {Number: "1000", Enabled: true, HA1SHA256: people()["1000"].HA1SHA256}}
	})
	p := newPhone(t, a, "1000").challenged()
	p.want(Failed, 1)
	p.alg = SHA256
	p.challenged().want(OK, 1)
}

func TestNotOffered(t *testing.T) {
	md5 := newPhone(t, authenticator(t, nil), "1000").challenged()
	sha := newPhone(t, authenticator(t, func(o *Options) { o.Algorithms = []Algorithm{SHA256} }), "1000")
	sha.res = md5.res
	sha.want(Challenged, 1) // downgraded
}

func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authenticator(t, func(o *Options) { o.NonceLifetime = time.Minute })
		p := newPhone(t, a, "1000").challenged()
		p.want(OK, 1)
		time.Sleep(time.Minute)
		p.want(OK, 2)
		time.Sleep(time.Millisecond)
		r := p.want(Stale, 3)
		p.res = r.Response
		p.want(OK, 1)
		// Never used before, but too old.
		p.challenged()
		time.Sleep(time.Minute + time.Millisecond) // stamps given in one instant differ
		p.want(Stale, 1)
		// With a wrong password stale=true would have the phone try for ever.
		p.password = "wrong"
		p.want(Failed, 1)
		// Right, but with a nonce of the time before a restart.
		q := newPhone(t, authenticator(t, nil), "1000")
		q.res = p.challenged().res
		q.want(Stale, 1)
	})
}

func TestReplay(t *testing.T) {
	a := authenticator(t, nil)
	p := newPhone(t, a, "1000").challenged()
	p.want(OK, 1)
	p.want(Replayed, 1)
	p.want(OK, 64) // the window is now 1..64
	p.want(OK, 3)
	p.want(Replayed, 3)
	p.want(Replayed, 64)
	p.want(OK, 65)
	p.want(Replayed, 1) // out of the window
	p.want(OK, 2)       // just in it
	p.want(OK, 66)
	p.want(Replayed, 2)
	p.want(OK, 1000)
	p.want(Replayed, 65)
	p.want(OK, 999)
	if s := a.Stats(); s != (Stats{OK: 8, Challenged: 1, Replayed: 6}) {
		t.Errorf("%+v", s)
	}
	// The same nonce in the hands of another user is another count.
	q := newPhone(t, a, "1001")
	q.res = p.res
	q.want(OK, 1)
}

func TestNoQop(t *testing.T) {
	a := authenticator(t, nil)
	p := newPhone(t, a, "1000").challenged()
	c, _ := client.ParseChallenge(p.res.GetHeader("WWW-Authenticate").Value())
	c.QOP = nil
	cred, err := client.Digest(c, client.Options{Method: "REGISTER", URI: "sip:pbx.example", Username: "1000", Password: "secret1000"})
	if err != nil || strings.Contains(cred.String(), "qop") {
		t.Fatal(err, cred)
	}
	req := request(t, "REGISTER", "sip:pbx.example", "Authorization: "+cred.String())
	if r := a.Check(req, home); !r.OK {
		t.Fatal(r.Verdict)
	}
	if r := a.Check(req, home); r.Verdict != Replayed {
		t.Fatal("replayed: ", r.Verdict)
	}
	p.want(Replayed, 1)
	p.want(Replayed, 2)
}

// A nonce that was put out of the table must not be good again.
func TestEvictedNonceStaysUsed(t *testing.T) {
	a := authenticator(t, func(o *Options) { o.Nonces = 16 })
	var used []*phone
	for range 300 {
		p := newPhone(t, a, "1000").challenged()
		p.want(OK, 1)
		used = append(used, p)
	}
	for i, p := range used {
		if r := p.register(1); r.OK {
			t.Fatalf("nonce %d of %d is good again", i, len(used))
		}
	}
}

func TestURI(t *testing.T) {
	for _, c := range []struct {
		target, uri string
		ok          bool
	}{
		{"sip:1001@192.0.2.9:5060;transport=tcp", "sip:1001@pbx.example", true},
		{"sip:1001@pbx.example", "sip:pbx.example:5060", true}, // sipp
		{"sip:pbx.example", "SIP:pbx.example;transport=udp", true},
		{"sip:*43@pbx.example", "sip:%2A43@pbx.example", true},
		{"sip:1001@pbx.example", "sips:1001:pw@pbx.example", true},
		{"sip:1001@pbx.example", "sip:1002@pbx.example", false},
		{"sip:pbx.example", "sip:1002@pbx.example", false},
		{"sip:1001@pbx.example", "/index.html", false},
		{"tel:+4930", "tel:+4930", true},
		{"tel:+4930", "tel:+4931", false},
	} {
		a := authenticator(t, nil)
		p := newPhone(t, a, "1000").challenged()
		h := answer(t, p.res, MD5, "INVITE", c.uri, p.user, p.password, 1)
		if r := a.Check(request(t, "INVITE", c.target, "Authorization: "+h), home); r.OK != c.ok {
			t.Errorf("%s for %s: %v", c.uri, c.target, r.Verdict)
		}
	}
}

func TestOddHeaders(t *testing.T) {
	good := `Digest username="1000", realm="pbx.example", nonce="x", uri="sip:pbx.example", response="0"`
	for h, want := range map[string]Verdict{
		"NoOneKnowsThisScheme opaque-data=here": Challenged, // RFC 4475 §3.3.7
		"Bearer abc":                            Challenged,
		"Basic dXNlcjpwYXNz":                    Challenged,
		"Digest":                                Challenged,
		`Digest username="1000", realm="pbx.example", nonce="", uri="sip:pbx.example", response=""`: Challenged,
		`Digest username="1000", realm="PBX.example", nonce="x", uri="sip:x", response="0"`:         Challenged,
		good + `, algorithm=MD5-sess`:             Challenged,
		good + `, qop=auth-int, nc=1, cnonce="a"`: Challenged,
		good:                                    Failed,
		good + `, qop=auth, nc=00000001`:        Malformed,
		good + `, qop=auth, nc=xyz, cnonce="a"`: Malformed,
		good + `, qop=auth, nc=000000001, cnonce=a`:          Malformed,
		good + `, qop=auth, nc=00000000, cnonce="a"`:         Malformed,
		good + `, realm="pbx.example"`:                       Malformed,
		`Digest username="1000`:                              Malformed,
		`Digest username="1000\"`:                            Malformed,
		`Digest username "1000"`:                             Malformed,
		`Digest ="1000"`:                                     Malformed,
		`Digest username="1000" realm="x"`:                   Malformed,
		`Digest username="` + strings.Repeat("9", 513) + `"`: Malformed,
		"Digest " + strings.Repeat("a=b,", 33):               Malformed,
		"Digest " + strings.Repeat("a=b,", 32):               Challenged,
	} {
		r := authenticator(t, nil).Check(request(t, "REGISTER", "sip:pbx.example", "Authorization: "+h), home)
		if r.Verdict != want || r.OK {
			t.Errorf("%s: %v, want %v", h, r.Verdict, want)
		}
		code := 401
		if want == Malformed {
			code = 400
		}
		if r.Response.StatusCode != code {
			t.Errorf("%s: %d", h, r.Response.StatusCode)
		}
	}
}

func TestMD5Only(t *testing.T) {
	a := authenticator(t, nil)
	for agent, n := range map[string]int{"baresip v1.0.0 (x86_64/linux)": 1, "baresip v3.10.1": 1, "baresip v3.15.0": 2, "Yealink SIP-T46U": 2} {
		r := a.Check(request(t, "REGISTER", "sip:pbx.example", "User-Agent: "+agent), home)
		if got := r.Response.GetHeaders("WWW-Authenticate"); len(got) != n {
			t.Errorf("%s: %d challenges, want %d", agent, len(got), n)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{Directory: people()}, {Realm: `a"b`, Directory: people()}, {Realm: "a"},
		{Realm: "a", Directory: people(), Algorithms: []Algorithm{"SHA-1"}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestConcurrent(t *testing.T) {
	a := authenticator(t, func(o *Options) { o.Nonces = 64 })
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 50 {
				p := newPhone(t, a, fmt.Sprint(1000+g%3))
				p.res = a.Check(request(t, "REGISTER", "sip:pbx.example"), home).Response
				p.register(1)
				p.password = "wrong"
				p.register(2)
			}
		})
	}
	wg.Wait()
	s := a.Stats()
	if s.Challenged != 400 || s.OK+s.Stale+s.Failed+s.Throttled != 800 || s.OK == 0 {
		t.Errorf("%+v", s)
	}
}
