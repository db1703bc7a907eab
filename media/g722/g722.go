// Package g722 encodes and decodes wideband speech by ITU-T G.722 at 64 kbit/s (mode 1), in integers and bit for bit as the
// Recommendation says.
//
// An octet is two samples at 16 kHz. It carries two bands of 4 kHz, each with a sample at 8 kHz: the lower one in its six
// low bits, the upper one in the two high ones. Encoder and Decoder go between octets and the bands, which
// is all that a mixer needs: what is 8 kHz already is the lower band. Analysis and Synthesis go between the bands and sound
// at 16 kHz.
//
// Their zero values are not ready: use New…. Each belongs to one goroutine at a time, and none of them allocates.
package g722

// A sample of a band has 15 bits (§3.1); Encode and Decode take and give it with 16, one more than the codec keeps.

// Encoder makes octets of bands.
type Encoder struct {
	low, high band
	still     bool // the upper band is silent, and its state does not change any more
}

// NewEncoder is an encoder in the state that both ends begin with.
func NewEncoder() *Encoder { e := new(Encoder); e.Reset(); return e }

// Reset goes back to the state that both ends begin with.
func (e *Encoder) Reset() {
	*e = Encoder{low: band{scale: firstLow}, high: band{scale: firstHigh}}
}

// silentHigh is the code of a silent upper band: at the least scale it stands for no difference at all.
const silentHigh = 3

// Encode makes an octet of each sample of the bands. high may be nil: it is silent, which takes half the time. dst has
// room for len(low).
func (e *Encoder) Encode(dst []byte, low, high []int16) {
	dst = dst[:len(low)]
	for i, l := range low {
		q := quantizeLow(int32(l)>>1-e.low.predicted, e.low.log>>6)
		e.low.predict(e.low.rescaleLow(int32(q.value), q.code>>2))
		dst[i] = silentHigh<<6 | q.code
	}
	if high == nil {
		e.hush(len(low))
		return
	}
	e.still = false
	for i, h := range high[:len(low)] {
		ih := quantizeHigh(clip(int32(h)>>1-e.high.predicted), e.high.scale)
		e.high.adaptHigh(ih)
		dst[i] = dst[i]&0x3f | ih<<6
	}
}

// hush keeps the upper band in step with a decoder that is told so many times that it is silent.
func (e *Encoder) hush(n int) {
	for ; n > 0 && !e.still; n-- {
		before := e.high
		e.high.adaptHigh(silentHigh)
		e.still = e.high == before
	}
}

// Decoder makes bands of octets.
type Decoder struct{ low, high band }

// NewDecoder is a decoder in the state that both ends begin with.
func NewDecoder() *Decoder { d := new(Decoder); d.Reset(); return d }

// Reset goes back to the state that both ends begin with.
func (d *Decoder) Reset() {
	*d = Decoder{low: band{scale: firstLow}, high: band{scale: firstHigh}}
}

// Decode makes a sample of each band of each octet. high may be nil: nobody hears it, which takes half the time; it is then
// not to be heard later either, before Reset. low has room for len(src).
func (d *Decoder) Decode(low, high []int16, src []byte) {
	low = low[:len(src)]
	for i, octet := range src {
		il := octet & 0x3f
		low[i] = int16(limit(d.low.predicted+d.low.scale*inverse6[il]>>15) << 1)
		d.low.predict(d.low.rescaleLow(inverse4[il>>2], il>>2))
	}
	if high == nil {
		return
	}
	high = high[:len(src)]
	for i, octet := range src {
		predicted := d.high.predicted
		high[i] = int16(limit(predicted+d.high.adaptHigh(octet>>6)) << 1)
	}
}

// limit keeps a sample within 15 bits, blocks LIMIT of §6.2.1.6 and §6.2.2.5.
func limit(v int32) int32 { return min(max(v, -1<<14), 1<<14-1) }

// clip keeps a value within 16 bits, as all of the Recommendation's additions do. It hardly ever has to.
func clip(v int32) int32 {
	if v == int32(int16(v)) {
		return v
	}
	return min(max(v, -1<<15), 1<<15-1)
}
