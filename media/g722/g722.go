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
type Encoder struct{ low, high band }

// NewEncoder is an encoder in the state that both ends begin with.
func NewEncoder() *Encoder { e := new(Encoder); e.Reset(); return e }

// Reset goes back to the state that both ends begin with.
func (e *Encoder) Reset() {
	e.low, e.high = band{scale: firstLow}, band{scale: firstHigh}
}

// Encode makes an octet of each sample of the bands. high may be nil: it is silent. dst has room for len(low).
func (e *Encoder) Encode(dst []byte, low, high []int16) {
	dst = dst[:len(low)]
	for i, l := range low {
		h := int32(0)
		if high != nil {
			h = int32(high[i]) >> 1
		}
		dst[i] = e.sample(int32(l)>>1, h)
	}
}

// sample encodes one sample of each band, of 15 bits.
func (e *Encoder) sample(low, high int32) byte {
	il := quantizeLow(clip(low-e.low.predicted), e.low.scale)
	e.low.adapt(e.low.scale*inverse4[il>>2]>>15, weightsLow[il>>2], limitLow, shiftLow)

	ih := quantizeHigh(clip(high-e.high.predicted), e.high.scale)
	e.high.adapt(e.high.scale*inverse2[ih]>>15, weightsHigh[ih], limitHigh, shiftHigh)
	return ih<<6 | il
}

// Decoder makes bands of octets.
type Decoder struct{ low, high band }

// NewDecoder is a decoder in the state that both ends begin with.
func NewDecoder() *Decoder { d := new(Decoder); d.Reset(); return d }

// Reset goes back to the state that both ends begin with.
func (d *Decoder) Reset() {
	d.low, d.high = band{scale: firstLow}, band{scale: firstHigh}
}

// Decode makes a sample of each band of each octet. high may be nil: nobody hears it. low has room for len(src).
func (d *Decoder) Decode(low, high []int16, src []byte) {
	low = low[:len(src)]
	for i, octet := range src {
		l, h := d.sample(octet)
		low[i] = int16(l << 1)
		if high != nil {
			high[i] = int16(h << 1)
		}
	}
}

// sample decodes an octet to one sample of each band, of 15 bits.
func (d *Decoder) sample(octet byte) (low, high int32) {
	il, ih := octet&0x3f, octet>>6
	low = limit(d.low.predicted + d.low.scale*inverse6[il]>>15)
	d.low.adapt(d.low.scale*inverse4[il>>2]>>15, weightsLow[il>>2], limitLow, shiftLow)

	difference := d.high.scale * inverse2[ih] >> 15
	high = limit(d.high.predicted + difference)
	d.high.adapt(difference, weightsHigh[ih], limitHigh, shiftHigh)
	return low, high
}

// limit keeps a sample within 15 bits, blocks LIMIT of §6.2.1.6 and §6.2.2.5.
func limit(v int32) int32 { return min(max(v, -1<<14), 1<<14-1) }

// clip keeps a value within 16 bits, as all of the Recommendation's additions do.
func clip(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }
