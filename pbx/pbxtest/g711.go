package pbxtest

// G.711 as ITU-T describes it, without tables from elsewhere.

// decodeULaw is the 16-bit sample of a μ-law byte.
func decodeULaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3 + 0x84) << (b >> 4 & 7)
	v -= 0x84
	if b&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}

// encodeULaw is the μ-law byte of a sample.
func encodeULaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + 0x84
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent)<<4 | byte(v>>(exponent+3))&0x0f)
}

// decodeALaw is the 16-bit sample of an A-law byte.
func decodeALaw(b byte) int16 {
	b ^= 0x55
	v, exponent := int(b&0x0f)<<4+8, b>>4&7
	if exponent > 0 {
		v = (v + 0x100) << (exponent - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}

// encodeALaw is the A-law byte of a sample.
func encodeALaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	v = min(v, 32635)
	exponent := 7
	for mask := 0x4000; exponent > 0 && v&mask == 0; mask >>= 1 {
		exponent--
	}
	var mantissa byte
	if exponent == 0 {
		mantissa = byte(v>>4) & 0x0f
	} else {
		mantissa = byte(v>>(exponent+3)) & 0x0f
	}
	return (sign | byte(exponent)<<4 | mantissa) ^ 0x55
}
