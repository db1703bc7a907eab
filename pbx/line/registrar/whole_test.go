package registrar_test

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"
	client "github.com/icholy/digest"

	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/registrar"
	"ringback/pbx/line/transaction"
	"ringback/pbx/line/wire"
)

// server is what the line does for a REGISTER: transaction, digest, registrar, and the wire's bytes on both sides.
type server struct {
	*transaction.Layer
	auth *digest.Authenticator
	reg  *registrar.Registrar
	out  []byte
}

func (s *server) Send(_ wire.Hop, b []byte) error { s.out = append(s.out[:0], b...); return nil }
func (s *server) Request(tx *transaction.Server) {
	if r := s.auth.Check(tx.Request, tx.From); r.OK {
		s.reg.Register(tx, r.Extension)
	} else if err := tx.Respond(r.Response); err != nil {
		panic(err)
	}
}
func (*server) Ack(*sip.Request, wire.Hop)               {}
func (*server) Cancel(*transaction.Server, *sip.Request) {}
func (*server) Stray(*sip.Response, wire.Hop)            {}

type atOnce struct{}

func (atOnce) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (atOnce) Answered(pbx.CDR) error                               { return nil }
func (atOnce) Ended(pbx.CDR)                                        {}

// directory has one extension.
type directory pbx.Extension

func (d *directory) Extension(n string) *pbx.Extension {
	if n == d.Number {
		return (*pbx.Extension)(d)
	}
	return nil
}

func newServer(t testing.TB) *server {
	a1 := []byte("1000:pbx.example:secret")
	dir := &directory{Number: "1000", Enabled: true, MaxContacts: 3,
		HA1MD5: fmt.Sprintf("%x", md5.Sum(a1)), HA1SHA256: fmt.Sprintf("%x", sha256.Sum256(a1))}
	auth, err := digest.New(digest.Options{Realm: "pbx.example", Directory: dir})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registrar.New(registrar.Options{Journal: atOnce{}, Directory: dir, Secret: make([]byte, 16)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{auth: auth, reg: reg}
	s.Layer = transaction.New(transaction.Options{Send: s, User: s})
	return s
}

var phone = wire.Hop{Transport: "udp", Remote: netip.MustParseAddrPort("192.0.2.1:40000"), Local: netip.MustParseAddrPort("192.0.2.100:5060")}

func datagram(i int, authorization string) []byte {
	return fmt.Appendf(nil, "REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:1000@pbx.example>;tag=abcdef\r\nTo: <sip:1000@pbx.example>\r\nCall-ID: 0123456789@10.0.0.1\r\nCSeq: %d REGISTER\r\n"+
		"Contact: <sip:1000@10.0.0.1:5060>\r\nExpires: 3600\r\nUser-Agent: Phone 1.2.3\r\n%sContent-Length: 0\r\n\r\n", i, i, authorization)
}

func (s *server) receive(t testing.TB, b []byte) {
	m, bad := wire.Parse(b, phone)
	if bad != nil {
		t.Fatal(bad)
	}
	s.Receive(m, phone)
}

func authorization(t testing.TB, out []byte, count int) string {
	_, after, _ := strings.Cut(string(out), "WWW-Authenticate: ")
	line, _, _ := strings.Cut(after, "\r\n")
	c, err := client.ParseChallenge(line)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cred, err := client.Digest(c, client.Options{Method: "REGISTER", URI: "sip:pbx.example", Username: "1000", Password: "secret", Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + cred.String() + "\r\n"
}

// TestOverTransactions is FLOWS reg_basic: challenge, then 200 with Contact and the seconds granted. A phone behind a NAT
// has its answer where it sent from (RFC 3581), and calls go there.
func TestOverTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		defer s.Close()
		defer s.reg.Close()
		s.receive(t, datagram(1, ""))
		if !strings.HasPrefix(string(s.out), "SIP/2.0 401 ") {
			t.Fatalf("%s", s.out)
		}
		second := datagram(2, authorization(t, s.out, 1))
		s.receive(t, second)
		ok := string(s.out)
		for _, want := range []string{"SIP/2.0 200 OK\r\n", "\r\nContact: <sip:1000@10.0.0.1:5060>;expires=3600\r\n", ";received=192.0.2.1", ";rport=40000"} {
			if !strings.Contains(ok, want) {
				t.Errorf("%q missing in\n%s", want, ok)
			}
		}
		cs := s.reg.Contacts("1000")
		if len(cs) != 1 {
			t.Fatal(cs)
		}
		if _, hop, _ := s.reg.Binding(cs[0].ID); hop != phone {
			t.Errorf("calls go to %+v", hop)
		}
		s.out = nil
		s.receive(t, second) // a retransmission: the same response again, and nothing is a replay
		if string(s.out) != ok {
			t.Errorf("to the retransmission:\n%s", s.out)
		}
		if st := s.auth.Stats(); st.OK != 1 || st.Replayed != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// BenchmarkREGISTER is all that a refresh costs but the system calls: parse, transaction, digest with a known nonce,
// registrar, response in bytes.
func BenchmarkREGISTER(b *testing.B) {
	s := newServer(b)
	defer s.Close()
	defer s.reg.Close()
	s.receive(b, datagram(1, ""))
	challenge := append([]byte(nil), s.out...)
	const n = 20000
	var batch [n][]byte
	i := n
	nc := 0
	b.ReportAllocs()
	for b.Loop() {
		if i == n {
			b.StopTimer()
			for i = range batch {
				nc++
				batch[i] = datagram(nc+1, authorization(b, challenge, nc))
			}
			i = 0
			b.StartTimer()
		}
		s.receive(b, batch[i])
		i++
		if s.out[8] != '2' {
			b.Fatalf("%s", s.out)
		}
	}
}
