package offer_test

import (
	"testing"

	"github.com/pion/sdp/v3"

	"ringback/media"
	"ringback/pbx/line/offer"
)

var g711 = []media.Codec{media.PCMU, media.PCMA}

// BenchmarkAnswer is the SDP of a caller's leg: its offer read, our answer written.
func BenchmarkAnswer(b *testing.B) {
	text := fromPhone(b, "yealink-t46")
	l := local()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := offer.New(l).Answer(text, g711); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOffer is the SDP of a callee's leg: our offer written, its answer read.
func BenchmarkOffer(b *testing.B) {
	text := fromPhone(b, "yealink-t46")
	l := local()
	b.ReportAllocs()
	for b.Loop() {
		s := offer.New(l)
		s.Offer(g711)
		if err := s.Accept(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPion is what reading the same text with pion/sdp costs, for comparison.
func BenchmarkPion(b *testing.B) {
	text := fromPhone(b, "yealink-t46")
	b.ReportAllocs()
	for b.Loop() {
		var d sdp.SessionDescription
		if err := d.Unmarshal(text); err != nil {
			b.Fatal(err)
		}
	}
}
