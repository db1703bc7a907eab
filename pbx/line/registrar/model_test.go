package registrar

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"

	"ringback/pbx"
)

// model is RFC 3261 §10.3 for contacts without instances, as plainly as can be.
type model map[string]modelled

type modelled struct {
	callID  string
	cseq    int
	expires time.Time
}

func (m model) live(now time.Time) model {
	out := model{}
	for uri, b := range m {
		if b.expires.After(now) {
			out[uri] = b
		}
	}
	return out
}

// register returns the status and, after 200, what is bound.
func (m model) register(now time.Time, callID string, cseq int, star bool, contacts map[string]int) (int, model) {
	next := m.live(now)
	if star {
		for _, b := range next {
			if b.callID == callID && cseq <= b.cseq {
				return 500, nil
			}
		}
		return 200, model{}
	}
	for uri, seconds := range contacts {
		if b, ok := next[uri]; ok && b.callID == callID && cseq <= b.cseq {
			return 500, nil
		}
		delete(next, uri)
		if seconds > 0 {
			next[uri] = modelled{callID, cseq, now.Add(time.Duration(seconds) * time.Second)}
		}
	}
	return 200, next
}

// TestModel sends random REGISTERs, lets time pass, fails commits, removes, restarts, and compares.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bubble(t, func(t *testing.T) {
			r := newRig(t, nil)
			defer func() { r.Close() }()
			r.ext = &pbx.Extension{Number: "1000", Enabled: true, MaxContacts: 100}
			m := model{}
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				switch rapid.IntRange(0, 9).Draw(rt, "step") {
				case 0:
					pass(time.Duration(rapid.IntRange(0, 200_000).Draw(rt, "ms")) * time.Millisecond)
				case 1: // a restart
					old := r
					r = newRig(t, nil)
					r.ext, r.j.kept = old.ext, map[string][]pbx.Binding{}
					r.Restore(old.j.all())
					maps.Copy(r.j.kept, old.j.kept)
					old.Close()
				case 2:
					if is := r.List("1000"); len(is) > 0 {
						i := is[rapid.IntRange(0, len(is)-1).Draw(rt, "which")]
						if err := r.Remove(i.ID); err != nil {
							rt.Fatal(err)
						}
						delete(m, i.Contact)
					}
				default:
					r.j.delay = time.Duration(rapid.IntRange(0, 3).Draw(rt, "delay")) * time.Millisecond
					callID := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "call")
					cseq := rapid.IntRange(1, 30).Draw(rt, "cseq")
					headers := []string{"Call-ID: " + callID, fmt.Sprintf("CSeq: %d REGISTER", cseq)}
					star := rapid.IntRange(0, 9).Draw(rt, "star") == 0
					contacts := map[string]int{}
					if star {
						headers = append(headers, "Contact: *", "Expires: 0")
					} else {
						for range rapid.IntRange(0, 3).Draw(rt, "n") {
							uri := fmt.Sprintf("sip:%c@192.0.2.1", 'a'+rapid.IntRange(0, 4).Draw(rt, "uri"))
							if _, ok := contacts[uri]; !ok {
								contacts[uri] = rapid.SampledFrom([]int{0, 60, 90, 600}).Draw(rt, "expires")
								headers = append(headers, fmt.Sprintf("Contact: <%s>;expires=%d", uri, contacts[uri]))
							}
						}
					}
					fails := rapid.IntRange(0, 9).Draw(rt, "fails") == 0
					if fails {
						r.j.set(errors.New("disk full"))
					}
					calls, now := r.j.calls, time.Now()
					res := r.send(home, headers...)
					r.j.set(nil)
					status, next := m.register(now, callID, cseq, star, contacts)
					if fails && r.j.calls > calls && status == 200 {
						status = 500
					}
					if res.StatusCode != status {
						rt.Fatalf("%v: %d %s, want %d", headers, res.StatusCode, res.Reason, status)
					}
					if status == 200 {
						m = next
						if got := len(headersOf(res, "Contact")); got != len(m.live(time.Now())) {
							rt.Fatalf("%d contacts in the 200, want %d", got, len(m.live(time.Now())))
						}
					}
				}
				var got []string
				for _, c := range r.List("1000") {
					got = append(got, fmt.Sprint(c.Contact, c.CallID, c.CSeq, c.Expires.UnixNano()))
				}
				var want []string
				for uri, b := range m.live(time.Now()) {
					want = append(want, fmt.Sprint(uri, b.callID, b.cseq, b.expires.UnixNano()))
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					rt.Fatalf("bound\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			// Nothing is left once all has expired.
			pass(time.Hour + 2*coarse)
			synctest.Wait()
			if r.Len() != 0 || len(r.j.all()) != 0 || r.Registered(home.Remote) {
				rt.Fatalf("left: %d in memory, %d in the journal", r.Len(), len(r.j.all()))
			}
		})
	})
}

// bubble runs f in virtual time and brings its panic, by which rapid stops a test, to the goroutine rapid waits on.
func bubble(t *testing.T, f func(*testing.T)) {
	var stop any
	synctest.Test(t, func(t *testing.T) {
		defer func() { stop = recover() }()
		f(t)
	})
	if stop != nil {
		panic(stop)
	}
}

// FuzzContact gives the registrar any Contact, Path, Expires and Allow that passes the parser.
func FuzzContact(f *testing.F) {
	f.Add("<sip:a@192.0.2.1>;expires=60;q=0.5;+sip.instance=\"<urn:x>\";reg-id=1;methods=\"INVITE,ACK\"", "<sip:p;lr>", "600")
	f.Add("*", "", "0")
	f.Add("sip:%00@[::1]:5060;transport=tcp;gr=x, <sips:1000@x;gr>", `"a,\"b" <sip:x>,`, "4294967295")
	f.Fuzz(func(t *testing.T, contact, path, expires string) {
		if strings.ContainsAny(contact+path+expires, "\r\n") || len(contact)+len(path) > 6000 {
			return
		}
		r, err := New(Options{Journal: &journal{}, Secret: make([]byte, 16)})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		m := parsed("REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" +
			"From: <sip:1000@x>;tag=a\r\nTo: <sip:1000@x>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nSupported: path, gruu\r\n" +
			"Contact: " + contact + "\r\nPath: " + path + "\r\nExpires: " + expires + "\r\nAllow: " + path + "\r\n\r\n")
		if m == nil {
			return
		}
		n := 0
		var res *sip.Response
		ext := &pbx.Extension{Number: "1000", Enabled: true, MaxContacts: 10}
		r.Process(m, home, ext, func(got *sip.Response) { res, n = got, n+1 })
		if n != 1 {
			t.Fatalf("%d responses", n)
		}
		if parsedResponse(res) == nil {
			t.Fatalf("the response cannot be parsed:\n%s", res)
		}
		bound := r.List("1000")
		if res.StatusCode != 200 && len(bound) > 0 {
			t.Fatalf("%d, but %+v", res.StatusCode, bound)
		}
		// What is bound can be restored, and its ID stays.
		after, _ := New(Options{Journal: &journal{}, Secret: make([]byte, 16)})
		defer after.Close()
		for _, b := range bound {
			if len(b.Contact) > maxURI || len(b.Path) > maxPath || len(b.Methods) > maxMethods {
				t.Fatalf("out of bounds: %+v", b)
			}
			after.Restore([]pbx.Binding{b.Binding})
			if _, _, ok := after.Binding(b.ID); !ok {
				t.Fatalf("%+v is not restored as %+v", b, after.List("1000"))
			}
		}
	})
}
