package features

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

// Prompts of menus, besides their own.
const (
	promptExtension = "enter-extension"
	promptInvalid   = "invalid"
	promptGoodbye   = "goodbye"
)

// nextKey is how long a caller may think about a key after the first.
const nextKey = 3 * time.Second

// maxMenus is how many menus a call may come to. A menu may lead to itself, as it is the caller who chooses; without a bound
// he could stay for ever.
const maxMenus = 20

// menu is where calls to a menu go: screened by the office, then wherever the caller says. What stands below it in the plan is only shown:
// the way on is planned when he has chosen. A menu that the plan has already is not shown again.
func (r *route) menu(m *pbx.Menu) pbx.Target {
	if r.menus >= maxMenus {
		return r.end("the call has been at too many menus", pbx.TooManyHops)
	}
	return r.screenedByOffice(func(r *route) pbx.Target {
		r.left.Add(-1)
		name := "menu " + m.Number
		var below []pbx.Target
		if _, shown := r.shown.LoadOrStore(m.Number, true); shown {
			name += ", as above"
		} else {
			below = r.choices(m)
		}
		if m.DialExtension {
			name += ", takes numbers of extensions"
		}
		talk := func(ctx context.Context, t *pbx.Talk) pbx.Target { return r.ask(ctx, t, m) }
		return r.because("menu "+m.Name, m.Set, pbx.Service(name, talk, below...))
	})
}

// choices are where a menu leads, for people.
func (r *route) choices(m *pbx.Menu) (all []pbx.Target) {
	add := func(what, number string) {
		if number != "" && !r.full() {
			all = append(all, pbx.Because(what, r.dial(nil, number)))
		}
	}
	for _, keys := range slices.Sorted(maps.Keys(m.Keys)) {
		add("key "+keys, m.Keys[keys])
	}
	add("nothing typed", m.Timeout)
	add("a wrong key", m.Invalid)
	return all
}

// ask lets the caller choose. nil: he has hung up, or has been told goodbye.
func (r *route) ask(ctx context.Context, t *pbx.Talk, m *pbx.Menu) pbx.Target {
	prompt, number, wrong := m.Prompt, m.Timeout, false
	if prompt == "" && m.DialExtension {
		prompt = promptExtension
	}
	for range orElse(m.Tries, pbx.DefaultMenuTries) {
		typed, there := r.choice(ctx, t, m, prompt)
		if !there {
			return nil
		}
		if to, ok := r.chosen(m, typed); ok {
			return r.on().dial(nil, to)
		}
		if number, wrong = m.Timeout, typed != ""; wrong {
			number = m.Invalid
			if !t.Play(ctx, promptInvalid) {
				return nil
			}
		}
	}
	if number != "" {
		return r.on().dial(nil, number)
	}
	t.Play(ctx, promptGoodbye)
	return nil
}

// choice is what the caller types: until nothing longer can be meant, #, or a pause. "": nothing.
func (r *route) choice(ctx context.Context, t *pbx.Talk, m *pbx.Menu, prompt string) (typed string, there bool) {
	wait := seconds(orElse(m.Seconds, pbx.DefaultMenuSeconds))
	for {
		key, there := t.Keys(ctx, prompt, 1, wait)
		if !there {
			return "", false
		}
		if typed += key; key == "" || len(typed) >= maxArgument || !r.goesOn(m, typed) {
			return typed, true
		}
		prompt, wait = "", nextKey
	}
}

// goesOn reports whether more keys may follow what was typed.
func (r *route) goesOn(m *pbx.Menu, typed string) bool {
	for keys := range m.Keys {
		if len(keys) > len(typed) && strings.HasPrefix(keys, typed) {
			return true
		}
	}
	return m.DialExtension && r.Directory.Begins(typed)
}

// chosen is the number that typed keys call: those of the menu come before extensions.
func (r *route) chosen(m *pbx.Menu, typed string) (number string, ok bool) {
	if number, ok := m.Keys[typed]; ok {
		return number, true
	}
	if ext := r.Directory.Owner(typed); m.DialExtension && ext != nil && ext.Enabled {
		return typed, true
	}
	return "", false
}

// on is r as the call leaves a menu: another plan, with what it has passed.
func (r *route) on() *route {
	on := r.begin(r.from, time.Now())
	on.via, on.passed, on.confirm, on.menus = r.via, r.passed, r.confirm, r.menus+1
	return on
}

// atMenu is r as it comes to a menu. It has not been there already as the others have that a call passes: a caller may come back.
func (r *route) atMenu(number string) *route {
	to := *r
	to.called, to.onRedirect, to.leave, to.wait = number, nil, nil, 0
	return &to
}

func orElse(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}
