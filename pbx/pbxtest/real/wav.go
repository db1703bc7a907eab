package real

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// writeTone makes a WAV file of 8 kHz, mono, 16 bits with a tone at −12 dB.
func writeTone(path string, frequency float64, d time.Duration) error {
	n := int(d.Seconds() * 8000)
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		_ = binary.Write(&b, binary.LittleEndian, int16(8000*math.Sin(2*math.Pi*frequency*float64(i)/8000)))
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// readWAV reads the samples of a mono 16-bit file, also of one that is still being written (its sizes are not true yet).
func readWAV(path string) (samples []int16, rate int, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, fmt.Errorf("%s is not a WAV file", path)
	}
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:]
		switch name {
		case "fmt ":
			if len(body) < 16 || binary.LittleEndian.Uint16(body[14:]) != 16 || binary.LittleEndian.Uint16(body[2:]) != 1 {
				return nil, 0, errors.New("not mono with 16 bits")
			}
			rate = int(binary.LittleEndian.Uint32(body[4:]))
		case "data":
			if size == 0 || size > len(body) {
				size = len(body)
			}
			for i := 0; i+1 < size; i += 2 {
				samples = append(samples, int16(binary.LittleEndian.Uint16(body[i:])))
			}
			return samples, rate, nil
		}
		if size > len(body) {
			break
		}
		b = body[size+size%2:]
	}
	return nil, rate, nil
}
