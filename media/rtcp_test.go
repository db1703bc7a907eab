package media

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// control is a phone's RTCP socket.
func (l *lab) control(p *phone, s *Stream) *phone {
	l.Helper()
	c, err := l.net.ListenPacket(netip.AddrPortFrom(p.at.Addr(), p.at.Port()+1))
	if err != nil {
		l.Fatal(err)
	}
	x := newPhone(l.T, c, c.LocalAddr().(*net.UDPAddr).AddrPort(), s.LocalRTCP())
	go x.read()
	return x
}

func (p *phone) reports() (all []rtcp.Packet) {
	p.t.Helper()
	for _, b := range p.heard() {
		packets, err := rtcp.Unmarshal(b)
		if err != nil {
			p.t.Fatalf("%v: %x", err, b)
		}
		if err := rtcp.CompoundPacket(packets).Validate(); err != nil {
			p.t.Errorf("%v: %x", err, b)
		}
		all = append(all, packets...)
	}
	return all
}

func TestReports(t *testing.T) {
	virtual(t, Options{Timeout: DefaultTimeout}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw})
		defer sa.Close()
		bobs := l.control(bob, sb)
		base := bob.seq
		for i := range 1000 { // 20 s, every tenth packet of bob's lost on its way
			pause(20 * time.Millisecond)
			alice.say(0, frame(0))
			if i%10 == 5 {
				bob.seq, bob.ts = bob.seq+1, bob.ts+160
			} else {
				bob.say(0, frame(0))
			}
		}
		last := bob.seq - 1
		bob.heard()
		alice.heard()
		all := bobs.reports()
		var sr *rtcp.SenderReport
		reports, names := 0, map[string]bool{}
		for _, p := range all {
			switch p := p.(type) {
			case *rtcp.SenderReport:
				sr = p
				reports++
			case *rtcp.ReceiverReport:
				reports++
			case *rtcp.SourceDescription:
				names[p.Chunks[0].Items[0].Text] = true
			}
		}
		if reports < 3 || reports > 8 {
			t.Errorf("%d reports in 20 s", reports)
		}
		if len(names) != 1 {
			t.Errorf("CNAMEs %v", names)
		}
		if sr == nil || len(sr.Reports) != 1 {
			t.Fatalf("%v", sr)
		}
		r := sr.Reports[0]
		if r.SSRC != bob.ssrc || r.FractionLost < 20 || r.FractionLost > 30 || r.TotalLost == 0 {
			t.Errorf("%+v", r)
		}
		if ext := r.LastSequenceNumber; ext>>16 > 1 || ext < uint32(base) {
			t.Errorf("extended sequence %x, began with %x, last %x", ext, base, last)
		}
		if st := sb.Stats(); st.LostIn != 100 || st.PacketsIn != 900 || st.PacketsOut != 1000 || st.Codec != "PCMU" || st.JitterIn != 0 {
			t.Errorf("%+v", st)
		}
		// RTP and NTP time of the report belong together: the clock runs at 8000 Hz.
		if sr.PacketCount == 0 || sr.OctetCount != 160*sr.PacketCount {
			t.Errorf("%+v", sr)
		}

		// What bob reports of us.
		pause(250 * time.Millisecond)
		rr := &rtcp.ReceiverReport{SSRC: bob.ssrc, Reports: []rtcp.ReceptionReport{
			{SSRC: 12345, TotalLost: 999},
			{SSRC: sr.SSRC, TotalLost: 7, Jitter: 80, LastSenderReport: uint32(l.engine.ntp(l.engine.now()-int64(150*time.Millisecond)) >> 16), Delay: 1 << 16 / 10},
		}}
		b, err := rtcp.Marshal([]rtcp.Packet{rr})
		if err != nil {
			t.Fatal(err)
		}
		bobs.send(b)
		bob.nothing()
		st := sb.Stats()
		if st.LostOut != 7 || st.JitterOut != 10*time.Millisecond || (st.RoundTrip-50*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("%+v", st)
		}
		bobs.reports()
		sb.Close()
		all = bobs.reports()
		if len(all) != 3 {
			t.Fatalf("at the end: %v", all)
		}
		if bye, ok := all[2].(*rtcp.Goodbye); !ok || bye.Sources[0] != sr.SSRC {
			t.Errorf("at the end: %v", all)
		}
		if st := l.engine.Stats(); st.ReportsIn != 1 || st.ReportsOut < 6 {
			t.Errorf("%+v", st)
		}
	})
}

// The sender report's RTP time is the one that goes with its NTP time.
func TestReportClock(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		alice, bob, sa, sb := l.call([]Format{ulaw}, []Format{ulaw})
		defer sa.Close()
		defer sb.Close()
		bobs := l.control(bob, sb)
		var ts uint32
		var when time.Time
		for range 20 {
			pause(500 * time.Millisecond)
			alice.ts += 4000 - 160
			alice.say(0, frame(0))
			ts, when = read(t, bob.one()).ts, time.Now()
			for _, p := range bobs.reports() {
				sr, ok := p.(*rtcp.SenderReport)
				if !ok {
					continue
				}
				sent := time.Unix(int64(sr.NTPTime>>32)+ntpEpoch, int64(sr.NTPTime&0xffffffff)*1e9>>32)
				want := ts + uint32(int64(sent.Sub(when))*8/1e6)
				if d := int32(sr.RTPTime - want); d < -8 || d > 8 {
					t.Errorf("RTP time is off by %d", d)
				}
			}
		}
	})
}

func TestReportsOnTheSamePort(t *testing.T) {
	virtual(t, Options{}, func(l *lab) {
		s := l.stream()
		alice := l.phone(aliceAddr, s)
		a := terms(alice, ulaw)
		a.Mux = true
		s.Agree(a)
		pause(10 * time.Second)
		if all := alice.reports(); len(all) < 2 {
			t.Errorf("%v", all)
		}
		b, _ := (&rtcp.ReceiverReport{SSRC: 1}).Marshal()
		alice.send(b)
		alice.heard()
		if n := l.engine.Stats().ReportsIn; n != 1 {
			t.Errorf("%d reports", n)
		}
		s.Close()
		if all := alice.reports(); len(all) != 3 {
			t.Errorf("BYE: %v", all)
		}
	})
}

func TestTimeout(t *testing.T) {
	virtual(t, Options{Timeout: 10 * time.Second}, func(l *lab) {
		var mu sync.Mutex
		var fired []time.Time
		s, err := l.engine.Open(StreamOptions{OnTimeout: func(*Stream) {
			mu.Lock()
			defer mu.Unlock()
			fired = append(fired, time.Now())
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		alice := l.phone(aliceAddr, s)
		alices := l.control(alice, s)
		count := func(want int, why string) {
			t.Helper()
			alice.heard()
			alices.heard()
			mu.Lock()
			defer mu.Unlock()
			if len(fired) != want {
				t.Fatalf("%s: fired at %v", why, fired)
			}
		}
		pause(time.Minute)
		count(0, "nothing agreed")
		agreed := terms(alice, ulaw)
		start := time.Now()
		s.Agree(agreed)
		pause(time.Minute)
		count(1, "silence")
		mu.Lock()
		if d := fired[0].Sub(start); d < 10*time.Second || d > 10*time.Second+tick {
			t.Errorf("fired after %v", d)
		}
		mu.Unlock()
		for range 10 {
			alice.say(0, frame(0))
			pause(9 * time.Second)
		}
		count(1, "sound")
		rr, _ := (&rtcp.ReceiverReport{SSRC: 1}).Marshal()
		for range 10 {
			alices.send(rr)
			pause(9 * time.Second)
		}
		count(1, "only reports")
		for _, change := range []func(*Agreement){
			func(a *Agreement) { a.Send = false }, func(a *Agreement) { a.Recv = false }, func(a *Agreement) { a.Remote = netip.AddrPort{} },
		} {
			held := agreed
			change(&held)
			s.Agree(held)
			pause(time.Hour)
			count(1, "on hold")
		}
		s.Agree(agreed)
		pause(9 * time.Second)
		count(1, "resumed")
		pause(2 * time.Second)
		count(2, "resumed and silent")
		if n := l.engine.Stats().TimedOut; n != 2 {
			t.Errorf("%d", n)
		}
	})
}

func TestTimeoutMayClose(t *testing.T) {
	virtual(t, Options{Timeout: time.Second}, func(l *lab) {
		s, err := l.engine.Open(StreamOptions{OnTimeout: func(s *Stream) { s.Close() }})
		if err != nil {
			t.Fatal(err)
		}
		s.Agree(terms(l.phone(aliceAddr, s), ulaw))
		pause(10 * time.Second)
		if st := l.engine.Stats(); st.PortsInUse != 0 || st.TimedOut != 1 {
			t.Errorf("%+v", st)
		}
	})
}
