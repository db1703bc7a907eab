package line

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// maxParts bounds the parts of a multipart body that are looked at.
const maxParts = 16

// sdpPart finds the session description in a multipart body (RFC 5621 §3). Of multipart/alternative, too, the first
// one is taken; ok is false if there is none, or a part that must be understood is not.
func sdpPart(contentType string, body []byte) (sdp []byte, ok bool) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, false
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		p, err := r.NextRawPart()
		if err != nil {
			return sdp, sdp != nil
		}
		if mediaType(p.Header.Get("Content-Type")) != "application/sdp" || sdp != nil {
			continue
		}
		if e := p.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
			return nil, false
		}
		b, err := io.ReadAll(io.LimitReader(p, 64<<10))
		if err != nil {
			return nil, false
		}
		sdp = b
	}
	return sdp, sdp != nil
}
