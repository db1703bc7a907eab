package web

import (
	"context"
	"encoding/csv"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"ringback/pbx"
)

var csvHeader = []string{"id", "from", "from_name", "to", "started", "rang", "answered", "ended", "seconds", "answered_by", "contact",
	"outcome", "status", "cause", "ended_by", "reason", "path", "codec", "call_id",
	"from_packets_in", "from_packets_out", "from_lost_in", "from_lost_out", "from_jitter_in_ms", "from_jitter_out_ms",
	"from_round_trip_ms", "from_mos_in", "from_mos_out",
	"to_packets_in", "to_packets_out", "to_lost_in", "to_lost_out", "to_jitter_in_ms", "to_jitter_out_ms",
	"to_round_trip_ms", "to_mos_in", "to_mos_out", "recordings"}

// streamCSV writes every record that fits (RFC 4180) without holding more than a row. A failure before the first row
// is a problem document; one after it breaks the connection off, so that half a file never looks whole.
func (s *Server) streamCSV(ctx context.Context, f Filter) (*huma.StreamResponse, error) {
	next, stop := iter.Pull2(s.b.Records.All(ctx, f))
	first, err, more := next()
	if err != nil {
		stop()
		return nil, s.failed(err, "")
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer stop()
		_, w := humachi.Unwrap(hc)
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		w.Header().Set("Content-Disposition", `attachment; filename="calls.csv"`)
		w.Header().Set("Vary", "Accept")
		out := csv.NewWriter(w)
		out.UseCRLF = true
		out.Write(csvHeader)
		deadline := http.NewResponseController(w)
		row := make([]string, 0, len(csvHeader))
		c := first
		for n := 0; more; n++ {
			if n%1000 == 0 { // whoever keeps reading may take as long as it needs
				deadline.SetWriteDeadline(time.Now().Add(30 * time.Second))
			}
			row = csvRow(row[:0], c)
			if out.Write(row) != nil {
				return // the client has gone
			}
			if c, err, more = next(); err != nil {
				s.log.Error("call records broke off", "error", err)
				panic(http.ErrAbortHandler)
			}
		}
		out.Flush()
	}}, nil
}

func csvRow(row []string, c pbx.CDR) []string {
	seconds := ""
	if !c.Answered.IsZero() && !c.Ended.IsZero() {
		seconds = strconv.FormatFloat(c.Ended.Sub(c.Answered).Seconds(), 'f', 3, 64)
	}
	row = append(row, c.ID, cell(c.From), cell(c.FromName), cell(c.To), stamp(c.Started), stamp(c.Rang), stamp(c.Answered), stamp(c.Ended),
		seconds, cell(c.By), cell(c.Contact), c.Outcome, number(c.Status), number(c.Cause), c.EndedBy, cell(c.Reason), cell(way(c.Path)), cell(c.Codec), cell(c.CallID))
	for _, q := range []pbx.Quality{c.FromPhone, c.ToPhone} {
		row = append(row, count(q.PacketsIn), count(q.PacketsOut), count(q.LostIn), count(q.LostOut), millis(q.JitterIn), millis(q.JitterOut),
			known(q.RoundTrip), score(q.MOSIn), score(q.MOSOut))
	}
	return append(row, cell(recordings(c.Recorded)))
}

// recordings are those of a call in one cell, by their IDs; where something is missing, why.
func recordings(all []pbx.Recorded) string {
	var words []string
	for _, r := range all {
		words = append(words, strings.TrimSpace(r.ID+" "+r.Problem))
	}
	return strings.Join(words, "; ")
}

// way is what came of a plan, in one line: "ring 1000 for 25s: no answer 480; ring 1001 for 25s: answered".
func way(path []pbx.Passed) string {
	var b strings.Builder
	for i, p := range path {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.Node)
		if outcome, _, _ := strings.Cut(p.Outcome, " ("); outcome != "" { // without whose doing it was
			b.WriteString(": ")
			b.WriteString(outcome)
		}
	}
	return b.String()
}

// cell keeps a spreadsheet from taking text that came from a phone for a formula: a leading apostrophe makes it text.
// A number with its plus sign stays as it is.
func cell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(s[0])) {
		return s
	}
	if s[0] == '+' && len(s) > 1 && strings.Trim(s[1:], "0123456789") == "" {
		return s
	}
	return "'" + s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

// known is a time, "" for none.
func known(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return millis(d)
}

// score is a mean opinion score, "" for none.
func score(mos float64) string {
	if mos == 0 {
		return ""
	}
	return strconv.FormatFloat(mos, 'f', 2, 64)
}

func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64)
}
