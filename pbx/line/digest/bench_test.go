package digest

import (
	"sync"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func header(v string) sip.Header { return sip.NewHeader("Authorization", v) }

var fuzzed = func() func(testing.TB) *Authenticator {
	var once sync.Once
	var a *Authenticator
	return func(t testing.TB) *Authenticator {
		once.Do(func() { a = authenticator(t, nil) })
		return a
	}
}()

// BenchmarkCheckReuse is a request with a nonce that was used before: the common case of a phone in use.
func BenchmarkCheckReuse(b *testing.B) {
	for _, alg := range []Algorithm{MD5, SHA256} {
		b.Run(string(alg), func(b *testing.B) {
			a := authenticator(b, nil)
			p := newPhone(b, a, "1000").challenged()
			reqs := make([]*sip.Request, 4096)
			var h string
			for i := range reqs {
				h = answer(b, p.res, alg, "REGISTER", "sip:pbx.example", p.user, p.password, i+1)
				reqs[i] = request(b, "REGISTER", "sip:pbx.example", "Authorization: "+h)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i == len(reqs) { // all counts used: forget them
					b.StopTimer()
					a.used, i = newUsedTable(64), 0
					b.StartTimer()
				}
				if r := a.Check(reqs[i], home); !r.OK {
					b.Fatal(r.Verdict)
				}
				i++
			}
		})
	}
}

// BenchmarkChallenge is a stranger's request.
func BenchmarkChallenge(b *testing.B) {
	a := authenticator(b, nil)
	req := request(b, "REGISTER", "sip:pbx.example")
	b.ReportAllocs()
	for b.Loop() {
		if r := a.Check(req, home); r.OK {
			b.Fatal()
		}
	}
}
