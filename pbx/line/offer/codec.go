package offer

import (
	"strconv"
	"strings"

	"ringback/media"
)

// Defaults are what the PBX offers, and answers, when it has no wish of its own.
var Defaults = []media.Codec{media.PCMU, media.PCMA, media.G722}

// payload is a codec under the number it has in one description.
type payload struct {
	media.Codec
	pt uint8
}

// static are the audio payload types that need no rtpmap (RFC 3551 §6, table 4).
var static = [...]media.Codec{
	0:  media.PCMU,
	3:  {Name: "GSM", ClockRate: 8000, Channels: 1},
	4:  {Name: "G723", ClockRate: 8000, Channels: 1},
	5:  {Name: "DVI4", ClockRate: 8000, Channels: 1},
	6:  {Name: "DVI4", ClockRate: 16000, Channels: 1},
	7:  {Name: "LPC", ClockRate: 8000, Channels: 1},
	8:  media.PCMA,
	9:  media.G722,
	10: {Name: "L16", ClockRate: 44100, Channels: 2},
	11: {Name: "L16", ClockRate: 44100, Channels: 1},
	12: {Name: "QCELP", ClockRate: 8000, Channels: 1},
	13: {Name: "CN", ClockRate: 8000, Channels: 1},
	14: {Name: "MPA", ClockRate: 90000, Channels: 1},
	15: {Name: "G728", ClockRate: 8000, Channels: 1},
	16: {Name: "DVI4", ClockRate: 11025, Channels: 1},
	17: {Name: "DVI4", ClockRate: 22050, Channels: 1},
	18: {Name: "G729", ClockRate: 8000, Channels: 1},
}

// sound reports whether c carries a voice, rather than keys or background noise.
func sound(c media.Codec) bool { return c.Name != "" && !c.IsEvent() && !c.IsComfortNoise() }

// same returns where c is in list: the entry with equal parameters if there is one (AMR may be offered several times),
// else the first; -1 if none.
func same(list []payload, c media.Codec) int {
	first := -1
	for i := range list {
		if !list[i].Same(c) {
			continue
		}
		if list[i].Fmtp == c.Fmtp {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// choose picks the one codec that an answer accepts, by its index in offered: the first wish that is offered;
// else, if the other side speaks a codec that the PBX transcodes, the first such that the phone offers, G.722 last.
func choose(offered []payload, prefer []media.Codec) (int, bool) {
	linear := false
	for _, p := range prefer {
		if !sound(p) {
			continue
		}
		if i := same(offered, p); i >= 0 {
			return i, true
		}
		linear = linear || p.Linear()
	}
	best := -1
	for i := range offered {
		if linear && offered[i].Linear() && (best < 0 || offered[best].Same(media.G722)) {
			best = i
		}
	}
	return best, best >= 0
}

// chooseDefault picks the codec in use if it is offered again, so that a re-INVITE changes nothing needlessly; else
// the first of the phone's that is among Defaults.
func chooseDefault(offered []payload, current []media.Format) (int, bool) {
	for _, f := range current {
		if sound(f.Codec) {
			if i := same(offered, f.Codec); i >= 0 {
				return i, true
			}
			break
		}
	}
	for i := range offered {
		for _, d := range Defaults {
			if offered[i].Same(d) {
				return i, true
			}
		}
	}
	return 0, false
}

// narrow is the clock rate of telephone-event that every phone knows, in Hz.
const narrow = 8000

// eventAt returns the index of telephone-event at that clock rate, -1 if there is none. RFC 4733 §2.1: its timestamps
// are those of the audio, so its rate should be the audio's.
func eventAt(list []payload, rate uint32) int {
	for i := range list {
		if list[i].IsEvent() && list[i].ClockRate == rate {
			return i
		}
	}
	return -1
}

// events are those of a telephone-event fmtp that the PBX knows, 0 to 16 (RFC 4733 §3.2): keys and hook flash.
// §2.4.1: without fmtp, 0 to 15 are meant.
func events(fmtp string) string {
	if fmtp == "" || fmtp == "0-15" {
		return "0-15"
	}
	var set uint32
	for part := range strings.SplitSeq(strings.TrimPrefix(fmtp, "events="), ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.ParseUint(from, 10, 8)
		b := a
		if err == nil && ranged {
			b, err = strconv.ParseUint(to, 10, 8)
		}
		if err != nil {
			continue
		}
		for n := a; n <= min(b, 16); n++ {
			set |= 1 << n
		}
	}
	if set == 0 {
		return "0-15"
	}
	var out []byte
	for n := 0; n <= 16; n++ {
		if set>>n&1 == 0 {
			continue
		}
		last := n
		for last < 16 && set>>(last+1)&1 == 1 {
			last++
		}
		if out != nil {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(n), 10)
		if last > n {
			out = strconv.AppendInt(append(out, '-'), int64(last), 10)
		}
		n = last
	}
	return string(out)
}

// numbers remembers which payload type stands for which codec in our descriptions. RFC 3264 §8.3.2: "the mapping from
// a particular dynamic payload type number to a particular codec within that media stream MUST NOT change for the
// duration of a session."
type numbers []payload

// learn notes a number that we took over from the phone's offer.
func (n *numbers) learn(p payload) {
	for i := range *n {
		if (*n)[i].pt == p.pt {
			(*n)[i] = p
			return
		}
	}
	n.add(p)
}

func (n *numbers) add(p payload) {
	if *n == nil {
		*n = make(numbers, 0, 4)
	}
	*n = append(*n, p)
}

// of returns the number of c, the newest if it has several, and gives it one if it has none.
func (n *numbers) of(c media.Codec) (uint8, bool) {
	for i := len(*n) - 1; i >= 0; i-- {
		if (*n)[i].Same(c) {
			return (*n)[i].pt, true
		}
	}
	for pt := range static {
		if static[pt].Name != "" && static[pt].Same(c) && n.give(uint8(pt), c) {
			return uint8(pt), true
		}
	}
	if c.IsEvent() && n.give(101, c) {
		return 101, true
	}
	for pt := uint8(96); pt <= 127; pt++ {
		if pt == 101 && !c.IsEvent() {
			continue // phones expect telephone-event there
		}
		if n.give(pt, c) {
			return pt, true
		}
	}
	return 0, false
}

func (n *numbers) give(pt uint8, c media.Codec) bool {
	for _, p := range *n {
		if p.pt == pt {
			return false
		}
	}
	n.add(payload{c, pt})
	return true
}
