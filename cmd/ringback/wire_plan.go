package main

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // a container often has no time zones

	"ringback/features"
	"ringback/pbx"
	"ringback/pbx/store"
	"ringback/web"
)

// planner makes plans, each from one state of the settings: what is changed meanwhile is for the next call.
type planner struct {
	store    *store.Store
	messages pbx.MessageStore
	recent   *pbx.Recent
	zone     *time.Location
}

func newPlanner(ctx context.Context, s *store.Store, messages pbx.MessageStore, cfg *Config) (*planner, error) {
	zone, err := timeZone(cfg.Calls.TimeZone)
	if err != nil {
		return nil, err
	}
	p := &planner{s, messages, pbx.NewRecent(), zone}
	if err := s.LoadRecent(ctx, p.recent); err != nil {
		return nil, fmt.Errorf("what was dialled last cannot be read: %w", err)
	}
	s.OnChange(func(c store.Change) {
		if c.After == nil {
			p.recent.Forget(c.Number)
		}
	})
	return p, nil
}

// timeZone is an IANA time zone, that of the machine where there is no name.
func timeZone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

func (p *planner) router() *features.Router {
	return &features.Router{Directory: p.store.Snapshot(), Settings: p.store, Recent: p.recent, Messages: p.messages, Zone: p.zone}
}

// Route is the plan of a call that has come.
func (p *planner) Route(c *pbx.Call) pbx.Target { return p.router().Route(c) }

// anonymous is the caller from outside who hides his number.
const anonymous = "anonymous"

// Plan implements web.Plans.
func (p *planner) Plan(from, to string, at time.Time) (pbx.Node, error) {
	r := p.router()
	caller := pbx.Identity{Number: from, Hidden: from == anonymous}
	if e := r.Directory.Extension(from); e != nil {
		caller = pbx.Identity{Number: from, Name: e.Name}
	}
	return r.Plan(caller, to, at).Node(), nil
}

// Codes implements web.Plans.
func (p *planner) Codes() []web.Code {
	var all []web.Code
	for _, c := range features.Codes(p.store.Office()) {
		all = append(all, web.Code{Code: c.Code, Service: c.Service, Argument: string(c.Argument), Text: c.Text})
	}
	return all
}
