package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"ringback/pbx"
)

type recordingCmd struct {
	List   recordingList   `cmd:"" default:"withargs" help:"List recordings, newest first."`
	Show   recordingShow   `cmd:"" help:"Show a recording."`
	Get    recordingGet    `cmd:"" help:"Fetch a recording, as a WAV file."`
	Remove recordingRemove `cmd:"" aliases:"delete" help:"Remove recordings."`
}

const recordingsPath = "/api/v1/recordings"

type recordingList struct {
	clientFlags
	Call   string        `placeholder:"ID" help:"Only those of this call."`
	Number string        `placeholder:"NUMBER" help:"Only those of calls from or to this number."`
	Room   string        `placeholder:"NUMBER" help:"Only those of conferences in this room."`
	Last   time.Duration `placeholder:"TIME" help:"Only those of the last so many hours, such as 24h."`
	Limit  int           `default:"50" placeholder:"N" help:"How many at most, newest first; 0: all."`
}

func (x *recordingList) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	all, err := list[pbx.Recording](ctx, c, recordingsPath, newest(x.Last, x.Limit, "call", x.Call, "number", x.Number, "room", x.Room), x.Limit)
	if err != nil {
		return err
	}
	return c.print(all, func(t *table) {
		t.row("STARTED", "FROM", "TO", "LENGTH", "BY", "PROBLEM", "ID")
		for _, r := range all {
			t.row(moment(r.Started), r.From, recordedTo(r), r.Length.Round(time.Second), r.By, r.Problem, r.ID)
		}
	})
}

func recordedTo(r pbx.Recording) string {
	if r.Room != "" {
		return "conference " + r.Room
	}
	return r.To
}

// newest asks for the newest up to limit (0: all) of the last so many hours (0: of all), with what else is given as names and values.
func newest(last time.Duration, limit int, given ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(given); i += 2 {
		if given[i+1] != "" {
			q.Set(given[i], given[i+1])
		}
	}
	if last > 0 {
		q.Set("since", time.Now().Add(-last).UTC().Format(time.RFC3339))
	}
	size := 1000
	if limit > 0 {
		size = min(limit, size)
	}
	q.Set("limit", strconv.Itoa(size))
	return q
}

// recordingArg names a recording.
type recordingArg struct {
	clientFlags
	ID string `arg:"" help:"ID, as listed."`
}

type recordingShow struct{ recordingArg }

func (x *recordingShow) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	var r pbx.Recording
	if err := c.do(ctx, http.MethodGet, recordingsPath+segment(x.ID), nil, &r); err != nil {
		return err
	}
	return c.print(r, func(t *table) {
		t.row("ID", r.ID)
		t.row("started", moment(r.Started))
		t.row("length", r.Length.Round(time.Second))
		t.row("from", r.From)
		t.row("to", recordedTo(r))
		t.row("by", r.By)
		t.row("call", r.Call)
		t.row("bytes", r.Bytes)
		t.row("channels", r.Channels)
		t.row("problem", r.Problem)
	})
}

type recordingGet struct {
	recordingArg
	File string `arg:"" help:"WAV file to make; - writes to standard output."`
}

func (x *recordingGet) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.fetch(ctx, recordingsPath+segment(x.ID)+"/sound", x.File)
}

type recordingRemove struct {
	clientFlags
	ID []string `arg:"" help:"IDs, as listed."`
}

func (x *recordingRemove) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	return c.remove(ctx, recordingsPath, x.ID)
}
