package wire

import (
	"net/netip"
	"testing"
	"time"
)

const sdp = "v=0\r\no=- 3976 3976 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 30000 RTP/AVP 9 8 0 101\r\n" +
	"a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"

var invite = []byte("INVITE sip:1001@198.51.100.1:5060;transport=udp SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 198.51.100.7:5061;branch=z9hG4bK524287-1---8d2f3c4a5b6e7f80;rport\r\n" +
	"Max-Forwards: 70\r\n" +
	"Contact: <sip:1000@198.51.100.7:5061;transport=udp>\r\n" +
	"To: <sip:1001@198.51.100.1>\r\n" +
	"From: \"Alice\" <sip:1000@198.51.100.1>;tag=9d3b1f2c\r\n" +
	"Call-ID: 8c7b1f4e92a04d2b@198.51.100.7\r\n" +
	"CSeq: 1 INVITE\r\n" +
	"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n" +
	"Content-Type: application/sdp\r\n" +
	"Supported: replaces, timer\r\n" +
	"User-Agent: Phone 1.0\r\n" +
	"Content-Length: 211\r\n\r\n" + sdp)

func BenchmarkParseInvite(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(invite)))
	for b.Loop() {
		if _, bad := Parse(invite, fromUDP); bad != nil {
			b.Fatal(bad.What)
		}
	}
}

func BenchmarkAppendInvite(b *testing.B) {
	m, _ := Parse(invite, fromUDP)
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], m)
	}
}

func BenchmarkMalformed(b *testing.B) {
	bad := append([]byte("INVITE sip:a b SIP/2.0"), invite[55:]...)
	b.ReportAllocs()
	for b.Loop() {
		Parse(bad, fromUDP)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(200, 400)
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		a := netip.AddrFrom4([4]byte{198, 51, 100, 7})
		for pb.Next() {
			a = a.Next()
			l.allow(a, now)
		}
	})
}
