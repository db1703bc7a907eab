package quality

import (
	"strings"
	"time"
)

// Codec is what the E-model knows of an encoding.
type Codec struct {
	Ie        float64       // equipment impairment factor without loss, G.113 Table I.1
	Bpl       float64       // packet-loss robustness factor, G.113 Table I.3
	Lookahead time.Duration // of the encoder, beyond the packet itself
	// Assumed says that G.113 does not have both values: they are ours, see CodecOf.
	Assumed bool
}

var codecs = map[string]Codec{
	// Of G.113 Appendix I. Bpl of G.711 is that with the concealment of G.711 Appendix I, as every phone has one or a
	// better one; it was found with packets of 10 ms and flatters longer ones.
	"PCMU":    {Ie: 0, Bpl: 25.1},
	"PCMA":    {Ie: 0, Bpl: 25.1},
	"G729":    {Ie: 11, Bpl: 19, Lookahead: 5 * time.Millisecond},                    // as G.729A with VAD: SDP does not tell the annexes apart here
	"G723":    {Ie: 15, Bpl: 16.1, Lookahead: 7500 * time.Microsecond},               // at 6.3 kbit/s with VAD
	"GSM-EFR": {Ie: 5, Bpl: 10},                                                      // 12.2 kbit/s
	"GSM":     {Ie: 20, Bpl: 10, Assumed: true},                                      // full rate: Ie of Table I.1, Bpl as GSM-EFR's
	"ILBC":    {Ie: 11, Bpl: 25.1, Assumed: true},                                    // speech as G.729A's, loss as G.711's with concealment (RFC 3951 §1)
	"G722":    {Ie: 0, Bpl: 25.1, Assumed: true},                                     // no narrow-band value: as G.711
	"OPUS":    {Ie: 0, Bpl: 25.1, Lookahead: 6500 * time.Microsecond, Assumed: true}, // likewise; delay of RFC 6716 §2
}

// CodecOf finds a codec by its name in SDP, without regard to case.
func CodecOf(name string) (c Codec, known bool) {
	c, known = codecs[strings.ToUpper(name)]
	return c, known
}
