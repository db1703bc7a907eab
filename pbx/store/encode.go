package store

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"

	"ringback/pbx"
)

// The journal's own encoding, because encoding/json would take longer than the rest of a record's way to the disk.
// Fields are only ever added at the end: a decoder that comes to the end of an older record leaves the rest zero.

// longest is what is kept of a text from a remote party; the line bounds them lower.
const longest = 2048

// What is kept of a plan, of a call's way through it, and of its recordings. A plan has at most some 200 lines.
const (
	longestPlan     = 16 << 10
	longestPath     = 200
	longestRecorded = 100
	longestNode     = 256
)

func appendText(b []byte, s string) []byte { return appendBounded(b, s, longest) }

func appendBounded(b []byte, s string, limit int) []byte {
	s = cut(s, limit)
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cut is at most limit bytes of s, and no half of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendTime(b []byte, t time.Time) []byte { return binary.AppendVarint(b, micros(t)) }

func appendCDR(b []byte, c *pbx.CDR) []byte {
	for _, s := range [...]string{c.ID, c.From, c.FromName, c.To, c.By, c.Contact, c.Outcome, c.EndedBy, c.Reason, c.Codec, c.CallID} {
		b = appendText(b, s)
	}
	for _, t := range [...]time.Time{c.Started, c.Rang, c.Answered, c.Ended} {
		b = appendTime(b, t)
	}
	b = binary.AppendVarint(b, int64(c.Status))
	b = binary.AppendVarint(b, int64(c.Cause))
	for _, q := range [...]*pbx.Quality{&c.FromPhone, &c.ToPhone} {
		for _, n := range [...]uint64{q.PacketsIn, q.PacketsOut, q.LostIn, q.LostOut, uint64(q.JitterIn), uint64(q.JitterOut)} {
			b = binary.AppendUvarint(b, n)
		}
	}
	hidden := uint64(0)
	if c.Hidden {
		hidden = 1
	}
	b = appendBounded(binary.AppendUvarint(b, hidden), c.Plan, longestPlan)
	path := c.Path[:min(len(c.Path), longestPath)]
	b = binary.AppendUvarint(b, uint64(len(path)))
	for i := range path {
		p := &path[i]
		b = appendTime(appendTime(appendBounded(b, p.Node, longestNode), p.At), p.Until)
		b = appendBounded(b, p.Outcome, longestNode)
	}
	for _, q := range [...]*pbx.Quality{&c.FromPhone, &c.ToPhone} {
		for _, n := range [...]uint64{uint64(q.RoundTrip), hundredths(q.MOSIn), hundredths(q.MOSOut)} {
			b = binary.AppendUvarint(b, n)
		}
	}
	recorded := c.Recorded[:min(len(c.Recorded), longestRecorded)]
	b = binary.AppendUvarint(b, uint64(len(recorded)))
	for i := range recorded {
		r := &recorded[i]
		b = appendTime(appendTime(appendBounded(appendText(b, r.ID), r.By, longestNode), r.Started), r.Ended)
		b = appendBounded(b, r.Problem, longestNode)
	}
	return b
}

func decodeCDR(p []byte) (c pbx.CDR, ok bool) {
	d := decoder{p: p}
	for _, s := range [...]*string{&c.ID, &c.From, &c.FromName, &c.To, &c.By, &c.Contact, &c.Outcome, &c.EndedBy, &c.Reason, &c.Codec, &c.CallID} {
		*s = d.text()
	}
	for _, t := range [...]*time.Time{&c.Started, &c.Rang, &c.Answered, &c.Ended} {
		*t = moment(d.int())
	}
	c.Status, c.Cause = int(d.int()), int(d.int())
	for _, q := range [...]*pbx.Quality{&c.FromPhone, &c.ToPhone} {
		q.PacketsIn, q.PacketsOut, q.LostIn, q.LostOut = d.uint(), d.uint(), d.uint(), d.uint()
		q.JitterIn, q.JitterOut = time.Duration(d.uint()), time.Duration(d.uint())
	}
	c.Hidden, c.Plan = d.uint() != 0, d.text()
	for n := min(d.uint(), longestPath); n > 0 && len(d.p) > 0; n-- {
		c.Path = append(c.Path, pbx.Passed{Node: d.text(), At: moment(d.int()), Until: moment(d.int()), Outcome: d.text()})
	}
	for _, q := range [...]*pbx.Quality{&c.FromPhone, &c.ToPhone} {
		q.RoundTrip, q.MOSIn, q.MOSOut = time.Duration(d.uint()), float64(d.uint())/100, float64(d.uint())/100
	}
	for n := min(d.uint(), longestRecorded); n > 0 && len(d.p) > 0; n-- {
		c.Recorded = append(c.Recorded, pbx.Recorded{ID: d.text(), By: d.text(), Started: moment(d.int()), Ended: moment(d.int()), Problem: d.text()})
	}
	return c, !d.bad && c.ID != ""
}

// hundredths of a score, which has no more than two decimals.
func hundredths(score float64) uint64 { return uint64(math.Round(max(score, 0) * 100)) }

func appendBindings(b []byte, extension string, all []pbx.Binding) []byte {
	b = appendText(b, extension)
	b = binary.AppendUvarint(b, uint64(len(all)))
	for i := range all {
		x := &all[i]
		for _, s := range [...]string{x.Contact, x.Instance, x.Transport, x.Source, x.Listener, x.CallID, x.UserAgent, x.TempGRUU} {
			b = appendText(b, s)
		}
		b = appendTexts(appendTexts(b, x.Path), x.Methods)
		for _, n := range [...]int64{int64(x.RegID), int64(x.CSeq), int64(x.Q)} {
			b = binary.AppendVarint(b, n)
		}
		b = appendTime(appendTime(appendTime(b, x.Registered), x.Updated), x.Expires)
	}
	return b
}

func decodeBindings(p []byte) (extension string, all []pbx.Binding, ok bool) {
	d := decoder{p: p}
	extension = d.text()
	for n := d.uint(); n > 0 && !d.bad; n-- {
		x := pbx.Binding{Extension: extension}
		for _, s := range [...]*string{&x.Contact, &x.Instance, &x.Transport, &x.Source, &x.Listener, &x.CallID, &x.UserAgent, &x.TempGRUU} {
			*s = d.text()
		}
		x.Path, x.Methods = d.texts(), d.texts()
		x.RegID, x.CSeq, x.Q = int(d.int()), uint32(d.int()), int(d.int())
		x.Registered, x.Updated, x.Expires = moment(d.int()), moment(d.int()), moment(d.int())
		if len(d.p) == 0 && n > 1 {
			d.bad = true // the count is wrong: stop here
		}
		all = append(all, x)
	}
	return extension, all, !d.bad && extension != ""
}

// decoder takes one field after the other off a record.
type decoder struct {
	p   []byte
	bad bool
}

func (d *decoder) uint() uint64 {
	if len(d.p) == 0 {
		return 0 // written before the field was there
	}
	v, n := binary.Uvarint(d.p)
	if n <= 0 {
		d.p, d.bad = nil, true
		return 0
	}
	d.p = d.p[n:]
	return v
}

func (d *decoder) int() int64 {
	u := d.uint() // zigzag, as binary.Varint
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) text() string {
	n := d.uint()
	if n > uint64(len(d.p)) {
		d.p, d.bad = nil, true
		return ""
	}
	s := string(d.p[:n])
	d.p = d.p[n:]
	return s
}

func (d *decoder) texts() []string {
	var list []string
	for n := d.uint(); n > 0; n-- {
		if len(d.p) == 0 {
			d.bad = true
			break
		}
		list = append(list, d.text())
	}
	return list
}
