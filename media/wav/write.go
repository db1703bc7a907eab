package wav

import (
	"encoding/binary"
	"io"
)

// adpcmBlock is the size of the blocks that WriteADPCM makes.
const adpcmBlock = 512

// WritePCM writes a mono WAV file of 16-bit linear samples.
func WritePCM(w io.Writer, samples []int16, rate int) error {
	size := 2 * len(samples)
	le := binary.LittleEndian
	b := make([]byte, 0, 44+size)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(36+size))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, formatPCM)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*rate))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(size))
	for _, v := range samples {
		b = le.AppendUint16(b, uint16(v))
	}
	_, err := w.Write(b)
	return err
}

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
