package line

import (
	"errors"
	"math/rand/v2"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/media"
	"ringback/pbx"
	"ringback/pbx/line/offer"
)

// sessionID is that of an o= line: below 2^31, as some phones and gateways read it into a signed number of 32 bits.
func sessionID() uint64 { return uint64(rand.Int32()) }

// permitted are those of want that an extension may use, or where want is nil what the extension prefers among
// others, which are the line's codecs and the phone's own. nil means the defaults of package offer.
func permitted(ext *pbx.Extension, want, others []media.Codec) []media.Codec {
	if ext == nil || len(ext.Codecs) == 0 {
		return want
	}
	may := make([]media.Codec, 0, len(want)+len(ext.Codecs))
	if want != nil {
		for _, c := range want {
			if c.IsEvent() || c.IsComfortNoise() || contains(ext.Codecs, c.Name) {
				may = append(may, c)
			}
		}
		return may
	}
	for _, name := range ext.Codecs {
		for _, c := range others {
			if strings.EqualFold(name, c.Name) {
				may = append(may, c)
				break
			}
		}
	}
	return may
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// prefer is what to answer or offer the phone of this leg, given what the other side speaks.
func (g *leg) prefer(want []media.Codec) []media.Codec {
	if want == nil {
		want = g.line.o.Codecs
	}
	others := []media.Codec{media.PCMU, media.PCMA, media.G722}
	if g.sdp != nil {
		others = append(others, g.sdp.Offered()...)
	}
	return permitted(g.ext, want, others)
}

// statusOf is the status that an offer or answer is refused with, and why.
func statusOf(err error) (int, string) {
	var e *offer.Error
	if errors.As(err, &e) {
		return e.Status, e.Text
	}
	return 488, err.Error()
}

// sdpOf is the session description that a message carries: its body, or that part of a multipart/mixed body
// (RFC 5621). ok is false if there is a body of another type, or an encoded one, that has to be understood.
func sdpOf(m sip.Message) (body []byte, ok bool) {
	body = m.Body()
	if len(body) == 0 {
		return nil, true
	}
	if e := value(m, "Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, false
	}
	full := value(m, "Content-Type")
	switch t := mediaType(full); {
	case t == "application/sdp":
		return body, true
	case strings.HasPrefix(t, "multipart/"):
		return sdpPart(full, body)
	case optional(value(m, "Content-Disposition")):
		return nil, true
	}
	return nil, false
}

// optional reports handling=optional (RFC 3261 §20.11): a body that need not be understood.
func optional(disposition string) bool {
	return strings.Contains(strings.ToLower(strings.ReplaceAll(disposition, " ", "")), "handling=optional")
}
