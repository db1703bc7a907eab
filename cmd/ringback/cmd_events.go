package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringback/pbx"
)

type eventsCmd struct {
	clientFlags
	Types []string `placeholder:"TYPE,…" help:"Only events of these types, such as call.ended,mailbox.changed."`
	After string   `placeholder:"ID" help:"Begin behind the event of this ID, 0 with the oldest that is kept; else with what happens next."`
	Count int      `placeholder:"N" help:"End after so many events; 0: go on until the exchange stops."`
}

// event is one as the API tells of it; Data depends on the type.
type event struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Type      string          `json:"type"`
	Call      string          `json:"call"`
	Room      string          `json:"room"`
	Mailbox   string          `json:"mailbox"`
	Extension string          `json:"extension"`
	Data      json.RawMessage `json:"data"`
}

// maxEvent bounds what an event may have, in bytes.
const maxEvent = 4 << 20

func (x *eventsCmd) Run(ctx context.Context, a app) error {
	c, err := x.client(a)
	if err != nil {
		return err
	}
	q := url.Values{}
	if len(x.Types) > 0 {
		q.Set("types", strings.Join(x.Types, ","))
	}
	if x.After != "" {
		q.Set("after", x.After)
	}
	res, err := c.open(ctx, http.MethodGet, "/api/v1/events?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	for n := 0; lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if x.JSON {
			_, err = fmt.Fprintln(c.out, data)
		} else {
			var e event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				return fmt.Errorf("%s answered something else than events: %w", c.where, err)
			}
			_, err = fmt.Fprintf(c.out, "%s  %-20s  %s\n", moment(e.At), clean(e.Type), clean(e.text()))
		}
		if err != nil {
			return err
		}
		if n++; n == x.Count {
			return nil
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the stream of events has broken off: %w", err)
	}
	return errors.New("the exchange has ended the stream of events")
}

// text is an event in a line for people.
func (e *event) text() string {
	switch pbx.EventType(e.Type) {
	case pbx.CallStarted, pbx.CallRinging, pbx.CallAnswered, pbx.CallEnded:
		return callText(e)
	case pbx.ConferenceChange:
		var c struct{ Members []struct{} }
		if len(e.Data) == 0 || json.Unmarshal(e.Data, &c) != nil {
			return "room " + e.Room + ": over"
		}
		return fmt.Sprintf("room %s: %d in it", e.Room, len(c.Members))
	case pbx.RecordingStarted, pbx.RecordingEnded:
		var r pbx.Recording
		json.Unmarshal(e.Data, &r) // what cannot be read is left out
		text := join(" by ", r.ID, r.By)
		if e.Room != "" {
			text += ", room " + e.Room
		} else {
			text += ", " + r.From + " to " + r.To
		}
		return join(": ", text, r.Problem)
	case pbx.MailboxChange:
		var n struct{ New, Old int }
		json.Unmarshal(e.Data, &n)
		return fmt.Sprintf("mailbox %s: %d new, %d old", e.Mailbox, n.New, n.Old)
	case pbx.RegistrationAdded, pbx.RegistrationRemoved:
		var b struct{ Contact string }
		json.Unmarshal(e.Data, &b)
		return e.Extension + " at " + b.Contact
	case pbx.EventGap:
		var g pbx.Gap
		json.Unmarshal(e.Data, &g)
		if g.Restart {
			return "the exchange was started anew: events before that are missing"
		}
		return fmt.Sprintf("%d events are missing", g.Lost)
	}
	return join(" ", e.Call, e.Room, e.Mailbox, e.Extension)
}

func callText(e *event) string {
	var r pbx.CDR
	json.Unmarshal(e.Data, &r)
	text := person(r.From, r.FromName) + " to " + r.To
	if r.By != "" && r.By != r.To {
		text += ", by " + r.By
	}
	if e.Type != string(pbx.CallEnded) {
		return text
	}
	text += ": " + r.Outcome
	if !r.Answered.IsZero() {
		text += " for " + r.Ended.Sub(r.Answered).Round(time.Second).String()
	}
	for _, leg := range []struct {
		of string
		q  pbx.Quality
	}{{"caller", r.FromPhone}, {"called", r.ToPhone}} {
		if leg.q.MOSIn > 0 {
			text += fmt.Sprintf(", MOS of the %s %.1f", leg.of, leg.q.MOSIn)
		}
	}
	return text
}

// join is what there is of some words, with sep between.
func join(sep string, words ...string) string {
	var there []string
	for _, w := range words {
		if w != "" {
			there = append(there, w)
		}
	}
	return strings.Join(there, sep)
}
