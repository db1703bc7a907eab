package registrar

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
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
	o := Options{Journal: j, Secret: []byte("0123456789abcdef")}
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

// pass lets time pass, and what is due then finish.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
