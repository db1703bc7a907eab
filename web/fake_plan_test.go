package web

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"ringback/pbx"
)

// What memory keeps of settings that plans are made from. The store marks them and checks more than this.

func (m *memory) GetServices(_ context.Context, extension string) (pbx.Services, error) {
	if m.find(extension) < 0 {
		return pbx.Services{}, ErrNotFound
	}
	return m.services[extension], m.broken
}

func (m *memory) UpdateServices(ctx context.Context, extension string, by pbx.Set, change func(*pbx.Services) error) (pbx.Services, error) {
	v, err := m.GetServices(ctx, extension)
	if err != nil {
		return v, err
	}
	if err := change(&v); err != nil {
		return v, err
	}
	if v.Always.On && v.Always.To == "" {
		return v, &Invalid{"forward_always.to", "A forward needs a number."}
	}
	m.by = append(m.by, by)
	m.services[extension] = v
	return v, nil
}

func (m *memory) HashPIN(_ context.Context, pin string) (string, error) {
	if len(pin) < 4 {
		return "", &Invalid{"pin", "A PIN has 4 digits at least."}
	}
	return "hash of " + pin, nil
}

// sorted are up to limit values with a key after another.
func sorted[V any](all map[string]V, after string, limit int) (list []V) {
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if k > after && len(list) < limit {
			list = append(list, all[k])
		}
	}
	return list
}

// kept stores v, which has to be there already, or must not be.
func kept[V any](m *memory, all map[string]V, key string, v V, there bool, by pbx.Set) (V, error) {
	switch _, has := all[key]; {
	case m.broken != nil:
		return v, m.broken
	case has && !there:
		return v, ErrExists
	case !has && there:
		return v, ErrNotFound
	}
	m.by = append(m.by, by)
	all[key] = v
	return v, nil
}

func (m *memory) ListGroups(_ context.Context, after string, limit int) ([]pbx.Group, error) {
	return sorted(m.groups, after, limit), m.broken
}

func (m *memory) GetGroup(_ context.Context, number string) (pbx.Group, error) {
	if g, ok := m.groups[number]; ok {
		return g, nil
	}
	return pbx.Group{}, ErrNotFound
}

func (m *memory) CreateGroup(_ context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return kept(m, m.groups, g.Number, g, false, by)
}

func (m *memory) ReplaceGroup(_ context.Context, by pbx.Set, g pbx.Group) (pbx.Group, error) {
	return kept(m, m.groups, g.Number, g, true, by)
}

func (m *memory) DeleteGroup(_ context.Context, number string) error {
	if _, ok := m.groups[number]; !ok {
		return ErrNotFound
	}
	delete(m.groups, number)
	return nil
}

func (m *memory) ListHours(_ context.Context, after string, limit int) ([]pbx.Hours, error) {
	return sorted(m.hours, after, limit), m.broken
}

func (m *memory) GetHours(_ context.Context, name string) (pbx.Hours, error) {
	if h, ok := m.hours[name]; ok {
		return h, nil
	}
	return pbx.Hours{}, ErrNotFound
}

func (m *memory) CreateHours(_ context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return kept(m, m.hours, h.Name, h, false, by)
}

func (m *memory) ReplaceHours(_ context.Context, by pbx.Set, h pbx.Hours) (pbx.Hours, error) {
	return kept(m, m.hours, h.Name, h, true, by)
}

func (m *memory) DeleteHours(_ context.Context, name string) error {
	for _, g := range m.groups {
		if g.Closed.Hours == name {
			return &Invalid{"name", "The hours are used by ring group " + g.Number + "."}
		}
	}
	if _, ok := m.hours[name]; !ok {
		return ErrNotFound
	}
	delete(m.hours, name)
	return nil
}

func (m *memory) SwitchHours(ctx context.Context, name, mode string, by pbx.Set) error {
	h, err := m.GetHours(ctx, name)
	if err != nil {
		return err
	}
	h.Mode = mode
	_, err = m.ReplaceHours(ctx, by, h)
	return err
}

func (m *memory) GetOffice(context.Context) (pbx.Office, error) { return m.office, m.broken }

func (m *memory) ChangeOffice(_ context.Context, by pbx.Set, change func(*pbx.Office) error) (pbx.Office, error) {
	o := m.office
	if err := change(&o); err != nil {
		return o, err
	}
	m.by = append(m.by, by)
	m.office = o
	return o, nil
}

func (m *memory) Plan(from, to string, at time.Time) (pbx.Node, error) {
	m.asked = append(m.asked, fmt.Sprint(from, " ", to, " ", at.Format(time.RFC3339)))
	return pbx.Node{Type: "ring", Text: "ring 1000 for 25s", Then: []pbx.Node{{Type: "refuse", Text: "refuse: busy 486 (system)", Reason: "<b>because</b>",
		On: []pbx.Kind{pbx.Busy, pbx.NoAnswer}, If: "open", Chosen: true}}}, m.broken
}

func (m *memory) Codes() []Code {
	return []Code{{Code: "*43", Service: "echo", Text: "hear oneself"}}
}
