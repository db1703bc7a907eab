package wav

import (
	"encoding/binary"
	"io"
)

// adpcmBlock is the size of the blocks that WriteADPCM makes.
const adpcmBlock = 512

// WriteADPCM writes a mono WAV file of IMA ADPCM, four bits a sample.
func WriteADPCM(w io.Writer, samples []int16, rate int) error {
	data := encodeADPCM(samples, adpcmBlock)
	perBlock := 1 + 2*(adpcmBlock-adpcmHead)
	size := len(data) + len(data)&1
	le := binary.LittleEndian
	b := make([]byte, 0, 60+size)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(52+size))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 20)
	b = le.AppendUint16(b, formatADPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*adpcmBlock/perBlock))
	b = le.AppendUint16(b, adpcmBlock)
	b = le.AppendUint16(b, 4)
	b = le.AppendUint16(b, 2) // what follows here
	b = le.AppendUint16(b, uint16(perBlock))
	b = append(b, "fact"...)
	b = le.AppendUint32(b, 4)
	b = le.AppendUint32(b, uint32(len(samples)))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	b = append(b, 0)[:60+size]
	_, err := w.Write(b)
	return err
}
