package mix

import "github.com/zaf/g711"

// G.711 by tables. An encoder looks at the 14 (µ-law) or 13 (A-law) bits that its law knows.
var (
	fromULaw, fromALaw [256]int16
	toULaw             [1 << 14]byte
	toALaw             [1 << 13]byte
)

func init() {
	for i := range fromULaw {
		fromULaw[i], fromALaw[i] = g711.DecodeUlawFrame(uint8(i)), g711.DecodeAlawFrame(uint8(i))
	}
	for i := range toULaw {
		toULaw[i] = g711.EncodeUlawFrame(int16(i << 2))
	}
	for i := range toALaw {
		toALaw[i] = g711.EncodeAlawFrame(int16(i << 3))
	}
}

// EncodeULaw makes G.711 µ-law of linear sound. dst has room for it.
func EncodeULaw(dst []byte, src []int16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = toULaw[uint16(v)>>2]
	}
}

// EncodeALaw makes G.711 A-law of linear sound. dst has room for it.
func EncodeALaw(dst []byte, src []int16) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = toALaw[uint16(v)>>3]
	}
}

// DecodeULaw makes linear sound of G.711 µ-law. dst has room for it.
func DecodeULaw(dst []int16, src []byte) { expand(dst, src, &fromULaw) }

// DecodeALaw makes linear sound of G.711 A-law. dst has room for it.
func DecodeALaw(dst []int16, src []byte) { expand(dst, src, &fromALaw) }

func expand(dst []int16, src []byte, law *[256]int16) {
	dst = dst[:len(src)]
	for i, c := range src {
		dst[i] = law[c]
	}
}
