package offer_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"pgregory.net/rapid"

	"ringback/media"
	"ringback/pbx/line/offer"
)

var someCodecs = []media.Codec{media.PCMU, media.PCMA, media.G722, g729, ilbc, opus,
	{Name: "AMR", ClockRate: 8000, Channels: 1, Fmtp: "octet-align=1"}, {Name: "CN", ClockRate: 8000, Channels: 1}, media.Telephone}

var wishes = rapid.Custom(func(t *rapid.T) []media.Codec {
	return rapid.SliceOfN(rapid.SampledFrom(someCodecs), 0, 5).Draw(t, "codecs")
})

// offers draws an offer as pion/sdp writes it, of up to four m= lines.
var offers = rapid.Custom(func(t *rapid.T) []byte {
	dirs := []string{"", "sendrecv", "sendonly", "recvonly", "inactive"}
	conn := func(t *rapid.T) *sdp.ConnectionInformation {
		a := rapid.SampledFrom([]string{"198.51.100.7", "203.0.113.5", "0.0.0.0"}).Draw(t, "address")
		return &sdp.ConnectionInformation{NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: a}}
	}
	d := sdp.SessionDescription{
		Origin:           sdp.Origin{Username: "-", SessionID: 1, SessionVersion: 1, NetworkType: "IN", AddressType: "IP4", UnicastAddress: "198.51.100.7"},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	d.ConnectionInformation = conn(t)
	if dir := rapid.SampledFrom(dirs).Draw(t, "session direction"); dir != "" {
		d.Attributes = append(d.Attributes, sdp.NewPropertyAttribute(dir))
	}
	for range rapid.IntRange(0, 4).Draw(t, "streams") {
		m := &sdp.MediaDescription{MediaName: sdp.MediaName{
			Media:  rapid.SampledFrom([]string{"audio", "audio", "audio", "video", "message"}).Draw(t, "media"),
			Port:   sdp.RangedPort{Value: rapid.SampledFrom([]int{0, 4000, 5002, 65535}).Draw(t, "port")},
			Protos: strings.Split(rapid.SampledFrom([]string{"RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP"}).Draw(t, "proto"), "/"),
		}}
		for i, c := range rapid.SliceOfN(rapid.SampledFrom(someCodecs), 1, 6).Draw(t, "codecs") {
			m.WithCodec(uint8(96+i), c.Name, c.ClockRate, uint16(c.Channels), c.Fmtp)
		}
		if rapid.Bool().Draw(t, "c=") {
			m.ConnectionInformation = conn(t)
		}
		if dir := rapid.SampledFrom(dirs).Draw(t, "direction"); dir != "" {
			m.WithPropertyAttribute(dir)
		}
		if rapid.Bool().Draw(t, "mux") {
			m.WithPropertyAttribute("rtcp-mux")
		}
		d.WithMedia(m)
	}
	b, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
})

// parse reads with pion/sdp, which shares nothing with the package.
func parse(t interface{ Fatalf(string, ...any) }, b []byte) *sdp.SessionDescription {
	var d sdp.SessionDescription
	if err := d.Unmarshal(b); err != nil {
		t.Fatalf("pion does not read it: %v\n%s", err, b)
	}
	return &d
}

func directionOf(d *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, dir := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
		if _, ok := m.Attribute(dir); ok {
			return dir
		}
	}
	for _, dir := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
		if _, ok := d.Attribute(dir); ok {
			return dir
		}
	}
	return "sendrecv"
}

// TestAnswerObeysRFC3264: whatever is offered, an answer keeps the rules of §6, as an independent reader sees it.
func TestAnswerObeysRFC3264(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, prefer := offers.Draw(t, "offer"), wishes.Draw(t, "prefer")
		if rapid.Bool().Draw(t, "no wish") {
			prefer = nil
		}
		l := local()
		l.Mux = rapid.Bool().Draw(t, "our mux")
		s := offer.New(l)
		b, err := s.Answer(text, prefer)
		theirs := parse(t, text)
		if err != nil {
			if status(err) != 488 {
				t.Fatalf("%v\n%s", err, text)
			}
			for _, m := range theirs.MediaDescriptions { // it was right to refuse
				if prefer == nil && m.MediaName.Media == "audio" && m.MediaName.Port.Value != 0 && !slices.Contains(m.MediaName.Protos, "SAVP") {
					if mapped(m, media.PCMU) || mapped(m, media.PCMA) || mapped(m, media.G722) {
						t.Fatalf("refused: %v\n%s", err, text)
					}
				}
			}
			return
		}
		obeys(t, theirs, parse(t, b), s.Agreement(), l.Mux)
	})
}

func mapped(m *sdp.MediaDescription, c media.Codec) bool {
	for _, a := range m.Attributes {
		if a.Key == "rtpmap" && strings.Contains(strings.ToUpper(a.Value), fmt.Sprintf(" %s/%d", c.Name, c.ClockRate)) {
			return true
		}
	}
	return false
}

func obeys(t *rapid.T, theirs, ours *sdp.SessionDescription, a media.Agreement, mux bool) {
	if len(ours.MediaDescriptions) != len(theirs.MediaDescriptions) {
		t.Fatalf("%d m= lines for %d", len(ours.MediaDescriptions), len(theirs.MediaDescriptions))
	}
	accepted := 0
	for i, m := range ours.MediaDescriptions {
		o := theirs.MediaDescriptions[i]
		if m.MediaName.Media != o.MediaName.Media || !slices.Equal(m.MediaName.Protos, o.MediaName.Protos) {
			t.Fatalf("line %d became %s", i, m.MediaName)
		}
		if m.MediaName.Port.Value == 0 {
			continue
		}
		accepted++
		if o.MediaName.Port.Value == 0 || o.MediaName.Media != "audio" {
			t.Fatalf("line %d accepted: %s", i, o.MediaName)
		}
		voices := 0
		for _, f := range m.MediaName.Formats {
			if !slices.Contains(o.MediaName.Formats, f) {
				t.Fatalf("format %s was not offered", f)
			}
			pt, _ := strconv.Atoi(f)
			mine, _ := ours.GetCodecForPayloadType(uint8(pt))
			if !strings.EqualFold(mine.Name, "telephone-event") {
				voices++
			}
		}
		if voices != 1 {
			t.Fatalf("%d voice codecs", voices)
		}
		sent, dir := directionOf(theirs, o), directionOf(ours, m)
		nowhere := !a.Remote.IsValid()
		want := map[string]string{"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}[sent]
		if nowhere {
			want = map[string]string{"sendrecv": "recvonly", "recvonly": "recvonly", "sendonly": "inactive", "inactive": "inactive"}[want]
		}
		if dir != want {
			t.Fatalf("%s answered %s", sent, dir)
		}
		if a.Send != (want == "sendrecv" || want == "sendonly") || a.Recv != (want == "sendrecv" || want == "recvonly") {
			t.Fatalf("agreement %+v for %s", a, want)
		}
		_, offered := o.Attribute("rtcp-mux")
		if _, answered := m.Attribute("rtcp-mux"); answered != (offered && mux) || a.Mux != answered {
			t.Fatalf("mux offered %v answered %v agreed %v", offered, answered, a.Mux)
		}
	}
	if accepted != 1 {
		t.Fatalf("%d lines accepted", accepted)
	}
}

// TestTwoSessions lets two Sessions talk through any schedule of offers, answers and refusals: they always agree on
// who sends, on numbers, and on versions that rise by one exactly when the text differs.
func TestTwoSessions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		la, lb := local(), local()
		la.Mux, lb.Mux = rapid.Bool().Draw(t, "mux a"), rapid.Bool().Draw(t, "mux b")
		a, b := offer.New(la), offer.New(lb)
		last := map[*offer.Session]string{}
		sent := func(s *offer.Session, text []byte) {
			d, before := parse(t, text), last[s]
			if before != "" && before != string(text) {
				old := parse(t, []byte(before))
				if d.Origin.SessionVersion != old.Origin.SessionVersion+1 || d.Origin.SessionID != old.Origin.SessionID {
					t.Fatalf("version\n%s\n%s", before, text)
				}
			}
			last[s] = string(text)
		}
		for range rapid.IntRange(1, 12).Draw(t, "exchanges") {
			from, to := a, b
			if rapid.Bool().Draw(t, "other way") {
				from, to = b, a
			}
			var text []byte
			if rapid.Bool().Draw(t, "refresh") {
				text = from.Refresh()
			} else {
				text = from.Offer(wishes.Draw(t, "offer"))
			}
			if text == nil {
				continue
			}
			sent(from, text)
			if _, err := from.Peek(text); status(err) != 491 {
				t.Fatalf("glare: %v", err)
			}
			if rapid.Bool().Draw(t, "peek first") {
				if _, err := to.Peek(text); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
			}
			answer, err := to.Answer(text, wishes.Draw(t, "prefer"))
			if err != nil {
				to.Rollback()
				from.Rollback()
				continue
			}
			sent(to, answer)
			if err := from.Accept(answer); err != nil {
				t.Fatalf("%v\n%s\n%s", err, text, answer)
			}
			x, y := from.Agreement(), to.Agreement()
			if x.Send != y.Recv || x.Recv != y.Send || x.Mux != y.Mux || len(x.Formats) != len(y.Formats) {
				t.Fatalf("\n%+v\n%+v", x, y)
			}
			for i := range x.Formats {
				if f, g := x.Formats[i], y.Formats[i]; !f.Same(g.Codec) || f.SendPT != g.RecvPT || f.RecvPT != g.SendPT {
					t.Fatalf("\n%+v\n%+v", x, y)
				}
			}
			if from.Pending() != offer.Idle || to.Pending() != offer.Idle {
				t.Fatalf("%v %v", from.Pending(), to.Pending())
			}
		}
	})
}
