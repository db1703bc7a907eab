package wav

import (
	"encoding/binary"
	"io"
)

// adpcmBlock is the size of the blocks that WriteADPCM makes.
const adpcmBlock = 512

// HeaderSize is what AppendHeader appends, bytes.
const HeaderSize = 44

// AppendHeader appends to b what a file of 16-bit linear samples begins with, before size bytes of them. Who writes a stream says
// 0 and writes the header once more, over the first, when the size is known; readers take 0 as all that follows.
func AppendHeader(b []byte, channels, rate int, size int64) []byte {
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(HeaderSize-8+size))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, formatPCM)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*channels*rate))
	b = le.AppendUint16(b, uint16(2*channels))
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(size))
}

// WritePCM writes a mono WAV file of 16-bit linear samples.
func WritePCM(w io.Writer, samples []int16, rate int) error {
	size := 2 * len(samples)
	b := AppendHeader(make([]byte, 0, HeaderSize+size), 1, rate, int64(size))
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
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
