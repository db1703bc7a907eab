package store

import (
	"slices"
	"strings"

	"ringback/pbx"
)

// usesOfHours says what names them.
func (d *directory) usesOfHours(name string) (where []string) {
	rules := func(list []pbx.Rule) bool {
		return slices.ContainsFunc(list, func(r pbx.Rule) bool { return r.Hours == name })
	}
	if d.office.DayNight == name || rules(d.office.Incoming) || rules(d.office.Outgoing) {
		where = append(where, "the office")
	}
	for number, g := range d.groups {
		if g.Closed.Hours == name {
			where = append(where, "ring group "+number)
		}
	}
	for number, e := range d.extensions {
		if v := &e.Services; v.Closed.Hours == name || rules(v.Incoming) || rules(v.Outgoing) {
			where = append(where, "extension "+number)
		}
	}
	slices.Sort(where)
	return where
}

// usesOfGroup says which rules name it.
func (d *directory) usesOfGroup(number string) (where []string) {
	rules := func(list []pbx.Rule) bool {
		return slices.ContainsFunc(list, func(r pbx.Rule) bool { return r.Group == number })
	}
	if rules(d.office.Incoming) || rules(d.office.Outgoing) {
		where = append(where, "the office")
	}
	for ext, e := range d.extensions {
		if rules(e.Services.Incoming) || rules(e.Services.Outgoing) {
			where = append(where, "extension "+ext)
		}
	}
	slices.Sort(where)
	return where
}

// usesOfMailbox says whose messages it keeps.
func (d *directory) usesOfMailbox(number string) (where []string) {
	for ext, e := range d.extensions {
		if v := &e.Services.Voicemail; v.Box == number || v.Box == "" && v.On && ext == number {
			where = append(where, "extension "+ext)
		}
	}
	slices.Sort(where)
	return where
}

// some of a list for a sentence.
func some(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " and others"
	}
	return strings.Join(list, ", ")
}
