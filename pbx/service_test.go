package pbx_test

import (
	"slices"
	"testing"

	"ringback/media"
	"ringback/pbx"
)

// A service speaks what the phone prefers, as long as it can hear its keys.
func TestServiceSpeaksWhatThePhonePrefers(t *testing.T) {
	opus := media.Codec{Name: "opus", ClockRate: 48000, Channels: 2}
	type codecs = []media.Codec
	for _, c := range []struct{ offered, want codecs }{
		{nil, codecs{media.PCMU, media.PCMA, media.Telephone}},
		{codecs{opus, media.G722, media.PCMA, media.Telephone}, codecs{media.G722, media.PCMA, media.Telephone}},
		{codecs{media.PCMA, media.G722, media.Telephone}, codecs{media.PCMA, media.G722, media.Telephone}},
		{codecs{media.G722, media.PCMU}, codecs{media.PCMU}}, // keys come in the sound, if at all
		{codecs{media.G722}, codecs{media.G722}},
		{codecs{opus}, codecs{}},
	} {
		if got := pbx.Spoken(c.offered); !slices.Equal(got, c.want) {
			t.Errorf("of %v it speaks %v, want %v", c.offered, got, c.want)
		}
	}
}
