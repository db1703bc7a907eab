package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
)

type cdrCmd struct {
	clientFlags
	From    string        `placeholder:"NUMBER" help:"Only calls from this number."`
	To      string        `placeholder:"NUMBER" help:"Only calls to this number, as dialled."`
	Number  string        `placeholder:"NUMBER" help:"Only calls this number made, was called by, or answered."`
	Outcome string        `placeholder:"TEXT" help:"Only calls that ended so, such as busy."`
	Last    time.Duration `placeholder:"TIME" help:"Only calls of the last so many hours, such as 24h."`
	Limit   int           `default:"50" placeholder:"N" help:"How many at most, newest first; 0: all."`
	Path    bool          `help:"Print what came of each call's plan, too."`
	CSV     bool          `name:"csv" help:"Print all that fit as CSV."`
}

func (x *cdrCmd) Run(ctx context.Context, a app) error {
	if x.CSV && x.JSON {
		return errors.New("--csv and --json can't be used together")
	}
	c, err := x.client(a)
	if err != nil {
		return err
	}
	const path = "/api/v1/cdrs"
	q := newest(x.Last, x.Limit, "from", x.From, "to", x.To, "number", x.Number, "outcome", x.Outcome)
	if x.CSV {
		q.Set("format", "csv")
		res, err := c.open(ctx, http.MethodGet, path+"?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(c.out, res.Body)
		return err
	}
	all, err := list[pbx.CDR](ctx, c, path, q, x.Limit)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		head := []any{"STARTED", "FROM", "TO", "ANSWERED BY", "OUTCOME", "ENDED BY", "TALKED", "CODEC", "LOST", "MOS"}
		if x.Path {
			head = append(head, "WAY")
		}
		t.row(head...)
		for _, r := range all {
			talked, lost, mos := "", "", ""
			if !r.Answered.IsZero() {
				talked = r.Ended.Sub(r.Answered).Round(time.Second).String()
				lost = fmt.Sprintf("%d/%d", r.FromPhone.LostIn, r.ToPhone.LostIn)
				mos = score(r.FromPhone.MOSIn) + "/" + score(r.ToPhone.MOSIn)
			}
			outcome := r.Outcome
			if r.Status != 0 {
				outcome += " " + strconv.Itoa(r.Status)
			}
			row := []any{moment(r.Started), person(r.From, r.FromName), r.To, r.By, outcome, r.EndedBy, talked, r.Codec, lost, mos}
			if x.Path {
				row = append(row, way(r.Path))
			}
			t.row(row...)
		}
	})
}

// score is a mean opinion score, "-" where there is none.
func score(mos float64) string {
	if mos == 0 {
		return "-"
	}
	return strconv.FormatFloat(mos, 'f', 2, 64)
}

// way is what came of a call's plan, in one line.
func way(path []pbx.Passed) string {
	var all []string
	for _, p := range path {
		all = append(all, p.Node+": "+p.Outcome)
	}
	return strings.Join(all, "; ")
}
