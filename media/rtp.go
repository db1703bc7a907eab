package media

import "encoding/binary"

// RTP as read in place, RFC 3550 §5.1. Offsets are from the packet's first byte.
type header struct {
	payload int // where the payload begins
	end     int // where it ends, before padding
	ssrc    uint32
	ts      uint32
	seq     uint16
	pt      uint8
}

const rtpHeaderLen = 12

// read checks that b is an RTP packet whose CSRC list, extension and padding lie within it.
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
	h.pt = b[1] & 0x7f
	h.seq = binary.BigEndian.Uint16(b[2:])
	h.ts = binary.BigEndian.Uint32(b[4:])
	h.ssrc = binary.BigEndian.Uint32(b[8:])
	return true
}

// isRTCP tells RTCP from RTP where both come to one port, RFC 5761 §4.
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}
