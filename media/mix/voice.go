package mix

import "ringback/media/g722"

// Voice is what comes from one party. Its zero value hears nothing until Use is called.
type Voice struct {
	Buffer
	codec   Codec
	narrow  bool
	decoder g722.Decoder

	// What was heard last and, from memory on, the frame that is made: one for each band.
	bands [2][memory + Frame]int16
	wide  bool

	patch patch
	noise noise
	quiet bool // the last frame was
	still int  // frames in a row without sound
}

const (
	memory = 40 * ms
	// pause is the mean square below which nobody speaks, −45 dBm0.
	pause = zero * zero / 31623.
)

// Use says what the octets are from now on. Those that wait and are of another codec are not played.
func (v *Voice) Use(c Codec) {
	if c == v.codec {
		return
	}
	if v.codec != None {
		v.Buffer.Reset()
	}
	v.codec, v.wide = c, c == G722 && !v.narrow
	v.decoder.Reset()
	clear(v.bands[1][:])
}

// Narrow has no upper band made, from before the first Use on.
func (v *Voice) Narrow() { v.narrow = true }

// Codec is what the octets are.
func (v *Voice) Codec() Codec { return v.codec }

// Put takes the octets of a packet that came at a time, in ns.
func (v *Voice) Put(ts uint32, octets []byte, now int64) {
	v.noise.off()
	v.Buffer.Put(ts, octets, now)
}

// ComfortNoise is told that the party is silent, and how loud its background is: the level is that of RFC 3389 §3.1, in −dBov.
func (v *Voice) ComfortNoise(level uint8) { v.noise.set(level) }

// Quiet ends comfort noise.
func (v *Voice) Quiet() { v.noise.off() }

// Take makes the next 20 ms, at the time when they are due, in ns. Sound is what they are, until the next Take: high is nil if
// the codec has no upper band, and both are nil if there is nothing to be heard.
func (v *Voice) Take(now int64) (low, high []int16) {
	v.begin(now)
	if !v.started && v.silent() {
		return nil, nil
	}
	v.shift()
	v.adjust()
	heard := false
	for at := memory; at < memory+Frame; {
		n, present := v.run(memory + Frame - at)
		if present {
			v.play(at, n)
			heard = true
		} else {
			v.conceal(at, n)
			v.miss(n)
		}
		at += n
	}
	low, high = v.bands[0][memory:], v.bands[1][memory:]
	v.quiet = !heard || meanSquare(low) < pause
	if heard || !v.patch.over() || v.noise.on() {
		v.still = 0
	} else if v.still++; v.silent() {
		return nil, nil
	}
	if !v.wide {
		high = nil
	}
	return low, high
}

// count is the number of bands.
func (v *Voice) count() int {
	if v.wide {
		return 2
	}
	return 1
}

// silent reports whether there is nothing but silence in bands.
func (v *Voice) silent() bool { return v.still > memory/Frame }

// shift makes what was heard a frame older.
func (v *Voice) shift() {
	if v.silent() {
		return
	}
	copy(v.bands[0][:memory], v.bands[0][Frame:])
	if v.wide {
		copy(v.bands[1][:memory], v.bands[1][Frame:])
	}
}

// adjust changes the delay in a pause. Where there is none, as in music, it leaves out a period now and then.
func (v *Voice) adjust() {
	if !v.started {
		return
	}
	n, present := v.run(Frame)
	switch {
	case present && !v.quiet:
		if v.narrower > longest && v.frames%hurry == 0 {
			if by := period(v.bands[0][:memory]); n >= by {
				v.narrower -= by
				v.advance(by)
				v.splice(memory)
			}
		}
	case v.wider > 0:
		by := min(v.wider, piece)
		v.wider -= by
		if int(int32(v.newest-v.at))+by <= MaxDelay {
			v.at -= uint32(by) // the piece is missing: what is there is overwritten or comes again
			v.clear(v.at, by)
			v.dry = min(v.dry+by, past)
		}
	case v.narrower > 0:
		by := min(v.narrower, piece)
		if !present {
			by = min(by, n)
		}
		v.narrower -= by
		v.advance(by)
		if present {
			v.splice(memory)
		}
	}
}

// play decodes what is there.
func (v *Voice) play(at, n int) {
	if v.cut {
		v.cut = false
		v.splice(at)
	}
	first, second := v.read(n)
	v.decode(at, first)
	v.decode(at+len(first), second)
	if v.patch.active {
		v.patch.join(v, at, n)
	}
}

// splice has what follows faded in over what was heard.
func (v *Voice) splice(at int) {
	if !v.patch.active || v.patch.joined > 0 {
		v.patch.begin(v, at, false)
	}
}

func (v *Voice) decode(at int, octets []byte) {
	if len(octets) == 0 {
		return
	}
	low := v.bands[0][at : at+len(octets)]
	switch v.codec {
	case ULaw:
		expand(low, octets, &fromULaw)
	case ALaw:
		expand(low, octets, &fromALaw)
	case G722:
		var high []int16
		if v.wide {
			high = v.bands[1][at : at+len(octets)]
		}
		v.decoder.Decode(low, high, octets)
	}
}

// conceal makes up for what is missing.
func (v *Voice) conceal(at, n int) {
	if !v.patch.active || v.patch.joined > 0 {
		v.patch.begin(v, at, v.noise.on())
	}
	if !v.patch.over() && !v.noise.on() {
		v.Concealed += uint64(n)
	}
	v.patch.extend(v, at, n)
	v.noise.add(v.bands[0][at : at+n])
}

func meanSquare(s []int16) float64 {
	var a, b int64
	for i := 0; i+1 < len(s); i += 2 {
		x, y := int64(s[i]), int64(s[i+1])
		a += x * x
		b += y * y
	}
	return float64(a+b) / float64(len(s))
}
