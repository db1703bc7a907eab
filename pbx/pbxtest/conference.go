package pbxtest

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Conference is what conference-info tells (RFC 4575 §5).
type Conference struct {
	Entity      string // URI of the conference
	State       string // of the document: "full", "partial" or "deleted"
	Version     uint64
	DisplayText string
	Subject     string
	MaxUsers    uint64
	UserCount   uint64
	Active      bool
	Locked      bool
	Users       map[string]ConferenceUser // by entity
}

// ConferenceUser is a participant.
type ConferenceUser struct {
	State       string // of the element
	DisplayText string
	Roles       []string
	Endpoints   map[string]ConferenceEndpoint // by entity
}

// ConferenceEndpoint is a phone of a participant.
type ConferenceEndpoint struct {
	State         string
	Status        string // "connected", "on-hold", "muted-via-focus" …
	JoiningMethod string // "dialed-in", "dialed-out", "focus-owner"
	Disconnection string // method: "departed", "booted", "failed", "busy"
	Media         map[string]ConferenceMedia
}

// ConferenceMedia is a stream of a phone.
type ConferenceMedia struct{ Type, Status string }

const conferenceNamespace = "urn:ietf:params:xml:ns:conference-info"

// element is any element of a document.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []element  `xml:",any"`
}

// sequences are the elements that each may have, in this order (RFC 4575 §6, the schema's xs:sequence).
var sequences = map[string][]string{
	"conference-info":        {"conference-description", "host-info", "conference-state", "users", "sidebars-by-ref", "sidebars-by-val"},
	"conference-description": {"display-text", "subject", "free-text", "keywords", "conf-uris", "service-uris", "maximum-user-count", "available-media"},
	"conference-state":       {"user-count", "active", "locked"},
	"users":                  {"user"},
	"user":                   {"display-text", "associated-aors", "roles", "languages", "cascaded-focus", "endpoint"},
	"roles":                  {"entry"},
	"endpoint":               {"display-text", "referred", "status", "joining-method", "joining-info", "disconnection-method", "disconnection-info", "media", "call-info"},
	"media":                  {"display-text", "type", "label", "src-id", "status"},
}

// several are the elements that may come more than once.
var several = []string{"user", "endpoint", "media", "entry"}

// words are the values that elements may have.
var words = map[string][]string{
	"endpoint/status": {"pending", "dialing-out", "dialing-in", "alerting", "on-hold", "connected", "muted-via-focus", "disconnecting", "disconnected"},
	"media/status":    {"recvonly", "sendonly", "sendrecv", "inactive"},
	"joining-method":  {"dialed-in", "dialed-out", "focus-owner"},

	"disconnection-method": {"departed", "booted", "failed", "busy"},
}

// ParseConference reads a document of application/conference-info+xml and holds it against the schema.
func ParseConference(body []byte) (*Conference, error) {
	var root element
	if err := xml.Unmarshal(body, &root); err != nil {
		return nil, err
	}
	if root.XMLName.Space != conferenceNamespace || root.XMLName.Local != "conference-info" {
		return nil, fmt.Errorf("the document is %q of %q", root.XMLName.Local, root.XMLName.Space)
	}
	if err := root.check(""); err != nil {
		return nil, err
	}
	c := &Conference{Entity: root.attr("entity"), State: root.state(), Users: make(map[string]ConferenceUser)}
	if c.Entity == "" {
		return nil, fmt.Errorf("conference-info has no entity")
	}
	var err error
	if c.State != "deleted" || root.attr("version") != "" {
		if c.Version, err = strconv.ParseUint(root.attr("version"), 10, 32); err != nil {
			return nil, fmt.Errorf("conference-info has the version %q", root.attr("version"))
		}
	}
	if d := root.kid("conference-description"); d != nil {
		c.DisplayText, c.Subject = d.text("display-text"), d.text("subject")
		if c.MaxUsers, err = d.number("maximum-user-count"); err != nil {
			return nil, err
		}
	}
	if d := root.kid("conference-state"); d != nil {
		if c.UserCount, err = d.number("user-count"); err != nil {
			return nil, err
		}
		if c.Active, err = d.truth("active"); err != nil {
			return nil, err
		}
		if c.Locked, err = d.truth("locked"); err != nil {
			return nil, err
		}
	}
	if users := root.kid("users"); users != nil {
		for _, u := range users.Kids {
			entity := u.attr("entity")
			if _, twice := c.Users[entity]; twice || entity == "" {
				return nil, fmt.Errorf("a user has the entity %q", entity)
			}
			if c.Users[entity], err = u.user(); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (e *element) user() (u ConferenceUser, err error) {
	u = ConferenceUser{State: e.state(), DisplayText: e.text("display-text"), Endpoints: make(map[string]ConferenceEndpoint)}
	if roles := e.kid("roles"); roles != nil {
		for _, r := range roles.Kids {
			u.Roles = append(u.Roles, strings.TrimSpace(r.Text))
		}
	}
	for _, k := range e.Kids {
		if k.XMLName.Local != "endpoint" {
			continue
		}
		entity := k.attr("entity")
		if _, twice := u.Endpoints[entity]; twice || entity == "" {
			return u, fmt.Errorf("an endpoint has the entity %q", entity)
		}
		p := ConferenceEndpoint{State: k.state(), Status: k.text("status"), JoiningMethod: k.text("joining-method"),
			Disconnection: k.text("disconnection-method"), Media: make(map[string]ConferenceMedia)}
		for _, m := range k.Kids {
			if m.XMLName.Local == "media" {
				id := m.attr("id")
				if _, twice := p.Media[id]; twice || id == "" {
					return u, fmt.Errorf("a media element has the id %q", id)
				}
				p.Media[id] = ConferenceMedia{m.text("type"), m.text("status")}
			}
		}
		u.Endpoints[entity] = p
	}
	return u, nil
}

// with is what is known after a document d, where c was known before (RFC 4575 §4.6).
func (c *Conference) with(d *Conference) (*Conference, error) {
	switch {
	case c == nil && d.State != "full":
		return d, fmt.Errorf("the first document is %s (RFC 4575 §4.4)", d.State)
	case c == nil:
		return d, nil
	case d.Version != c.Version+1:
		return d, fmt.Errorf("the version goes from %d to %d (RFC 4575 §5.1)", c.Version, d.Version)
	case d.Entity != c.Entity:
		return d, fmt.Errorf("the entity goes from %s to %s", c.Entity, d.Entity)
	case d.State != "partial":
		return d, nil
	}
	next := *d
	next.Users = maps.Clone(c.Users)
	for entity, u := range d.Users {
		old, known := next.Users[entity]
		switch {
		case u.State == "deleted" && !known:
			return d, fmt.Errorf("the user %s is deleted and was never there", entity)
		case u.State == "deleted":
			delete(next.Users, entity)
		case u.State == "partial" && known:
			u.Endpoints = merged(old.Endpoints, u.Endpoints)
			next.Users[entity] = u
		default:
			next.Users[entity] = u
		}
	}
	return &next, nil
}

func merged(old, news map[string]ConferenceEndpoint) map[string]ConferenceEndpoint {
	all := maps.Clone(old)
	for entity, p := range news {
		if p.State == "deleted" {
			delete(all, entity)
		} else {
			all[entity] = p
		}
	}
	return all
}

// check holds an element, and all below it, against the schema. Elements of other namespaces are extensions.
func (e *element) check(above string) error {
	name := e.XMLName.Local
	if e.XMLName.Space != conferenceNamespace {
		return nil
	}
	allowed, have := words[above+"/"+name], strings.TrimSpace(e.Text)
	if allowed == nil {
		allowed = words[name]
	}
	if allowed != nil && !slices.Contains(allowed, have) {
		return fmt.Errorf("%s is %q", name, have)
	}
	if s := e.attr("state"); s != "" && !slices.Contains([]string{"full", "partial", "deleted"}, s) {
		return fmt.Errorf("%s has the state %q", name, s)
	}
	order, known := sequences[name]
	at := -1
	for _, k := range e.Kids {
		if known && k.XMLName.Space == conferenceNamespace {
			i := slices.Index(order, k.XMLName.Local)
			if i < at || i < 0 || i == at && !slices.Contains(several, k.XMLName.Local) {
				return fmt.Errorf("%s has %s, out of order, twice, or not in the schema", name, k.XMLName.Local)
			}
			at = i
		}
		if err := k.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// state is that of an element, full if it does not say (RFC 4575 §5.1).
func (e *element) state() string {
	if s := e.attr("state"); s != "" {
		return s
	}
	return "full"
}

func (e *element) kid(name string) *element {
	for i := range e.Kids {
		if e.Kids[i].XMLName.Local == name {
			return &e.Kids[i]
		}
	}
	return nil
}

func (e *element) text(name string) string {
	if k := e.kid(name); k != nil {
		return strings.TrimSpace(k.Text)
	}
	return ""
}

func (e *element) number(name string) (uint64, error) {
	if e.kid(name) == nil {
		return 0, nil
	}
	n, err := strconv.ParseUint(e.text(name), 10, 32)
	if err != nil {
		err = fmt.Errorf("%s is %q", name, e.text(name))
	}
	return n, err
}

func (e *element) truth(name string) (bool, error) {
	switch v := e.text(name); v {
	case "true", "1":
		return true, nil
	case "false", "0", "":
		return false, nil
	default:
		return false, fmt.Errorf("%s is %q", name, v)
	}
}
