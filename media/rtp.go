package media

import (
	"encoding/binary"

	"github.com/pion/rtp"
)

// header is what was read of an RTP packet, RFC 3550 §5.1. The goroutine that reads a socket uses one for all its packets.
type header struct {
	rtp.Header
	payload int // where the payload begins, from the packet's first byte
	end     int // where it ends, before padding
}

const rtpHeaderLen = 12

// read checks that b is an RTP packet whose CSRC list, extension and padding lie within it. What an extension says is
// between the phones: it is passed on unread, so that a bad element in one costs no sound.
func (h *header) read(b []byte) bool {
	if len(b) < rtpHeaderLen || b[0]>>6 != 2 {
		return false
	}
	at := rtpHeaderLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		pad := int(b[end-1])
		if pad == 0 {
			return false
		}
		end -= pad
	}
	if at > end {
		return false
	}
	h.payload, h.end = at, end
	first := b[0]
	b[0] &^= 0x10
	_, err := h.Unmarshal(b)
	b[0] = first
	return err == nil
}

// isRTCP tells RTCP from RTP where both come to one port, RFC 5761 §4.
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}
