package media

import (
	"net/netip"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// FuzzRTP compares the header check with that of pion's packets, and puts each datagram through a call that transcodes.
func FuzzRTP(f *testing.F) {
	f.Add(packet(0, 1, 2, 3, frame(0)))
	f.Add(packet(101, 1, 2, 3, []byte{1, 2, 3, 4}))
	f.Add([]byte{0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 7, 7, 2, 2})
	f.Add([]byte{0xa0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 255})
	f.Add([]byte{0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 255, 255})
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 0})
	e := benchEngine(f, Options{Listen: inMemory})
	sa, sb := must(f, e), must(f, e)
	sa.Agree(agreed(1000, ulaw, event))
	sb.Agree(agreed(2000, alaw, event))
	if err := sa.Connect(sb); err != nil {
		f.Fatal(err)
	}
	from := netip.AddrPortFrom(loopback, 1000)
	h := new(header) // used again, as in the engine
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= packetSize {
			return
		}
		if h.read(b) {
			if h.payload > h.end || h.end > len(b) {
				t.Fatalf("%+v of %d bytes", h, len(b))
			}
			var p rtp.Packet
			if err := p.Unmarshal(b); err == nil && (p.SequenceNumber != h.SequenceNumber || p.Timestamp != h.Timestamp ||
				p.SSRC != h.SSRC || p.PayloadType != h.PayloadType || p.Marker != h.Marker || len(p.Payload) != h.end-h.payload) {
				t.Fatalf("%+v, but pion reads %+v", h, p.Header)
			}
		}
		in := append([]byte(nil), b...)
		sa.rx, sa.lastType, sb.tx = receiver{}, format{}, sender{} // each input meets the same state
		sa.arrived(in, false, from, 1e9, new(header), &e.counters)
		if h.read(b) && !h.read(in) {
			t.Fatalf("%x became %x", b, in)
		}
	})
}

func FuzzRTCP(f *testing.F) {
	rr := &rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 2, LastSenderReport: 3, Delay: 4}}}
	sr := &rtcp.SenderReport{SSRC: 1, NTPTime: 1 << 40, Reports: rr.Reports}
	for _, p := range []rtcp.Packet{rr, sr, &rtcp.Goodbye{Sources: []uint32{1}}, rtcp.NewCNAMESourceDescription(1, "x")} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x9f, 201, 255, 255, 0, 0, 0, 0})
	e := benchEngine(f, Options{Listen: inMemory})
	s := must(f, e)
	s.Agree(agreed(1000, ulaw))
	from := netip.AddrPortFrom(loopback, 1001)
	f.Fuzz(func(t *testing.T, b []byte) {
		s.tx, s.rx, s.reports = sender{ssrc: 2, rate: 8000, packets: 1000}, receiver{}, reports{}
		s.arrived(b, true, from, 1e9, new(header), &e.counters)
		if st := s.Stats(); st.RoundTrip < 0 || st.JitterOut < 0 {
			t.Fatalf("%+v", st)
		}
		out, err := rtcp.Unmarshal(s.compound(nil, 2e9, true))
		if err != nil || rtcp.CompoundPacket(out).Validate() != nil {
			t.Fatalf("our own report: %v %v", out, err)
		}
	})
}
