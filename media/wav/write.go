package wav

import (
	"encoding/binary"
	"io"

	"github.com/zaf/g711"
)

// WriteMuLaw writes a mono WAV file of µ-law, 8 bits a sample.
func WriteMuLaw(w io.Writer, samples []int16, rate int) error {
	n := len(samples)
	b := make([]byte, 0, 58+n+n&1)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(50+n+n&1))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 18)
	b = le.AppendUint16(b, formatMuLaw)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 8)
	b = le.AppendUint16(b, 0)
	b = append(b, "fact"...) // how many samples, for formats that are not linear
	b = le.AppendUint32(b, 4)
	b = le.AppendUint32(b, uint32(n))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(n))
	for _, v := range samples {
		b = append(b, g711.EncodeUlawFrame(v))
	}
	if n&1 == 1 {
		b = append(b, 0)
	}
	_, err := w.Write(b)
	return err
}
