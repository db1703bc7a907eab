package registrar

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/wire"
)

type noJournal struct{}

func (noJournal) Bindings(_ string, _ []pbx.Binding, done func(error)) { done(nil) }
func (noJournal) Answered(pbx.CDR) error                               { return nil }
func (noJournal) Ended(pbx.CDR)                                        {}

func parsed(s string) *sip.Request {
	m, bad := wire.Parse([]byte(s), home)
	if bad != nil {
		return nil
	}
	return m.(*sip.Request)
}

func parsedResponse(res *sip.Response) sip.Message {
	m, bad := wire.Parse([]byte(res.String()), home)
	if bad != nil {
		return nil
	}
	return m
}

func refresh(i int, more string) string {
	return fmt.Sprintf("REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:1000@pbx.example>;tag=abcdef\r\nTo: <sip:1000@pbx.example>\r\nCall-ID: 0123456789@192.0.2.1\r\nCSeq: %d REGISTER\r\n"+
		"Contact: <sip:1000@192.0.2.1:5060>\r\nExpires: 3600\r\nUser-Agent: Phone 1.2.3\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n%s"+
		"Content-Length: 0\r\n\r\n", i, i, more)
}

func many(b testing.TB, n int) *Registrar {
	r, err := New(Options{Journal: noJournal{}, Secret: make([]byte, 16)})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		number := fmt.Sprint(1000 + i)
		m := parsed(fmt.Sprintf("REGISTER sip:pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:%s@pbx.example>;tag=abcdef\r\nTo: <sip:%s@pbx.example>\r\nCall-ID: %d-0123456789abcdef@192.0.2.1\r\nCSeq: 1 REGISTER\r\n"+
			"Contact: <sip:%s@10.1.%d.%d:5060>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-%012x>\"\r\nExpires: 3600\r\n"+
			"User-Agent: Phone 1.2.3\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Length: 0\r\n\r\n", number, number, i, number, i/256, i%256, i))
		from := wire.Hop{Transport: "udp", Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 5060), Local: home.Local}
		r.Process(m, from, &pbx.Extension{Number: number, Enabled: true, MaxContacts: 3}, func(res *sip.Response) {
			if res.StatusCode != 200 {
				b.Fatal(res)
			}
		})
	}
	return r
}

// BenchmarkRefresh is what the registrar does for a refresh, from the parsed request to the response in bytes.
func BenchmarkRefresh(b *testing.B) {
	for name, more := range map[string]string{"plain": "", "gruu": "Supported: gruu\r\n"} {
		b.Run(name, func(b *testing.B) {
			r := many(b, 1000)
			defer r.Close()
			ext := &pbx.Extension{Number: "1000", Enabled: true, MaxContacts: 3}
			b.ReportAllocs()
			var out []byte
			i, batch := 1, make([]*sip.Request, 0, 1000)
			for b.Loop() {
				if len(batch) == 0 {
					b.StopTimer()
					for range cap(batch) {
						i++
						batch = append(batch, parsed(refresh(i, more)))
					}
					slices.Reverse(batch)
					b.StartTimer()
				}
				m := batch[len(batch)-1]
				batch = batch[:len(batch)-1]
				r.Process(m, home, ext, func(res *sip.Response) {
					if out = wire.Append(out[:0], res); res.StatusCode != 200 || len(out) < 100 {
						b.Fatal(res)
					}
				})
			}
		})
	}
}

func BenchmarkContacts(b *testing.B) {
	r := many(b, 10_000)
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		if len(r.Contacts("1000")) != 1 {
			b.Fatal()
		}
	}
}

func BenchmarkRegistered(b *testing.B) {
	r := many(b, 10_000)
	defer r.Close()
	at := netip.MustParseAddrPort("10.1.1.1:5060")
	b.ReportAllocs()
	for b.Loop() {
		if !r.Registered(at) {
			b.Fatal()
		}
	}
}

// BenchmarkSweep is the timer's work each second while nothing expires, and BenchmarkQualify that of a whole round.
func BenchmarkSweep(b *testing.B) {
	r := many(b, 10_000)
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		r.sweep()
	}
}

func BenchmarkQualify(b *testing.B) {
	r := many(b, 10_000)
	defer r.Close()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for slot := range Slots {
			r.Qualify(slot, func(string, pbx.Binding, wire.Hop) { n++ })
		}
	}
}

// TestMemory keeps 10,000 bindings within what they may take.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := many(t, 10_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := (after.HeapAlloc - before.HeapAlloc) / 10_000
	t.Logf("%d bytes a binding", per)
	if per > 1500 {
		t.Errorf("%d bytes a binding", per)
	}
	r.Close()
}
