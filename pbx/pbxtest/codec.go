package pbxtest

// codec is one direction of a phone's sound. A codec the phone does not know is sent and read as if it were μ-law: a PBX
// that passes it on untouched keeps the tone.
type codec struct{ low lowBand }

// decode appends the samples of a payload.
func (c *codec) decode(name string, payload []byte, samples []int16) []int16 {
	for _, b := range payload {
		switch name {
		case "PCMA":
			samples = append(samples, decodeALaw(b))
		case "G722":
			samples = append(samples, c.low.decode(b))
		default:
			samples = append(samples, decodeULaw(b))
		}
	}
	return samples
}

// encode appends the payload of samples.
func (c *codec) encode(name string, samples []int16, payload []byte) []byte {
	for _, s := range samples {
		switch name {
		case "PCMA":
			payload = append(payload, encodeALaw(s))
		case "G722":
			payload = append(payload, c.low.encode(s))
		default:
			payload = append(payload, encodeULaw(s))
		}
	}
	return payload
}
