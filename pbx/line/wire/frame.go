package wire

import "bytes"

// Frame looks for one whole message at the start of b, what has been read of a stream so far. n is its length, 0 if
// more must be read; bad is what makes the end of the message unknown, so that the stream cannot go on.
//
// It believes only one Content-Length: Parse refuses the message if there are others that differ.
func Frame(b []byte) (n int, bad string) {
	head := bytes.Index(b, crlf2)
	if head < 0 {
		if len(b) > maxHead {
			return 0, "headers too long"
		}
		return 0, ""
	}
	if head > maxHead {
		return 0, "headers too long"
	}
	length := int64(0) // absent: Parse says so
	for line := range bytes.SplitSeq(b[:head], crlf) {
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !lengthName(line[:colon]) {
			continue
		}
		v, ok := number(trim(string(line[colon+1:])), maxBody)
		if !ok {
			return 0, "Content-Length: not in 0..65536"
		}
		length = int64(v)
		break
	}
	if n = head + 4 + int(length); len(b) < n {
		return 0, ""
	}
	return n, ""
}

func lengthName(b []byte) bool {
	b = bytes.TrimRight(b, " \t")
	return len(b) == 1 && b[0]|0x20 == 'l' || len(b) == len("content-length") && fold(string(b), "content-length")
}
