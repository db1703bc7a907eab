package line

import (
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/subscription"
)

// conferenceState is who is in a conference (RFC 4575).
var conferenceState = eventPackage{
	name:        "conference",
	contentType: "application/conference-info+xml",
	rules: subscription.Rules{
		Default: time.Hour, // RFC 4575 §3.3
		Min:     time.Minute,
		Max:     time.Hour,
		Pause:   5 * time.Second, // to one subscriber (RFC 4575 §3.9)
	},
	admit: anyRoom,
	body:  conferenceInfo,
}

// anyRoom: whoever has an extension may see who is in a room.
func anyRoom(l *Line, _ *pbx.Extension, number string) (string, int) {
	if _, ok := l.o.State.Conference(number); !ok {
		return "", 404
	}
	return number, 0
}

// maxConference bounds a conference's document, in bytes, so that it fits into a datagram with the headers. Members beyond are
// counted and not named.
const maxConference = 48 << 10

// conferenceInfo is the document of RFC 4575 §5, always all of it (state full). Its version is 1 in the first NOTIFY of a subscription
// and rises by one with each.
func conferenceInfo(l *Line, v view) []byte {
	c, ok := l.o.State.Conference(v.resource)
	if !ok {
		return nil
	}
	x := &document{domain: v.domain}
	x.b.Grow(512 + 512*min(len(c.Members), 64))
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n")
	x.raw(`<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="`)
	x.text(x.address(v.resource))
	x.raw(`" state="full" version="` + strconv.FormatUint(uint64(v.version)+1, 10) + `">` + "\r\n")
	if c.Name != "" {
		x.raw("<conference-description>")
		x.element("subject", short(c.Name))
		x.raw("</conference-description>\r\n")
	}
	x.raw("<conference-state>")
	x.element("user-count", strconv.Itoa(len(c.Members)))
	x.element("active", strconv.FormatBool(len(c.Members) > 0))
	x.element("locked", strconv.FormatBool(c.Locked))
	x.raw("</conference-state>\r\n<users>\r\n")
	for _, u := range usersOf(c.Members) {
		mark := x.b.Len()
		x.user(u)
		if x.b.Len() > maxConference {
			return []byte(x.b.String()[:mark] + documentEnd)
		}
	}
	x.raw(documentEnd)
	return []byte(x.b.String())
}

const documentEnd = "</users>\r\n</conference-info>\r\n"

// confUser is a user of the document: an extension with each of its phones that is a member, or one who is hidden.
type confUser struct {
	who       pbx.Identity
	anonymous int // 1, 2, … of those who are hidden; 0: he is not
	phones    []pbx.MemberInfo
}

// usersOf puts the members of one extension together: users are told apart by their entity (RFC 4575 §5.6).
func usersOf(members []pbx.MemberInfo) []*confUser {
	all := make([]*confUser, 0, len(members))
	known := map[string]*confUser{}
	hidden := 0
	for _, m := range members {
		if m.From.Hidden || m.From.Number == "" {
			hidden++
			all = append(all, &confUser{anonymous: hidden, phones: []pbx.MemberInfo{m}})
			continue
		}
		u := known[m.From.Number]
		if u == nil {
			u = &confUser{who: m.From}
			known[m.From.Number] = u
			all = append(all, u)
		}
		u.phones = append(u.phones, m)
	}
	return all
}

// user writes a user. Of one who is hidden there is nothing that says who it is, but something that tells him from the others.
func (x *document) user(u *confUser) {
	entity, name := x.address(u.who.Number), u.who.Name
	if u.anonymous > 0 {
		entity, name = "sip:anonymous"+strconv.Itoa(u.anonymous)+"@anonymous.invalid", "Anonymous"
	}
	moderator := false
	for _, m := range u.phones {
		moderator = moderator || m.Moderator
	}
	x.raw(`<user entity="`)
	x.text(entity)
	x.raw(`" state="full">`)
	if name != "" {
		x.element("display-text", short(name))
	}
	role := "participant"
	if moderator {
		role = "moderator"
	}
	x.raw("<roles><entry>" + role + "</entry></roles>\r\n")
	for i, m := range u.phones {
		x.raw(`<endpoint entity="`)
		x.text(entity)
		if i > 0 {
			x.raw(";endpoint=" + strconv.Itoa(i+1))
		}
		// The direction is the member's: muted, he hears and is not heard (RFC 4575 §5.8).
		status, direction := "connected", "sendrecv"
		switch {
		case m.Held:
			status, direction = "on-hold", "inactive"
		case m.Muted:
			direction = "recvonly"
		}
		x.raw(`" state="full"><status>` + status + `</status><joining-method>dialed-in</joining-method><joining-info>`)
		x.element("when", m.Since.UTC().Format(time.RFC3339))
		x.raw(`</joining-info><media id="1"><type>audio</type><status>` + direction + "</status></media></endpoint>\r\n")
	}
	x.raw("</user>\r\n")
}

// document is XML that is being written.
type document struct {
	b      strings.Builder
	domain string
}

func (x *document) raw(s string) { x.b.WriteString(s) }

func (x *document) element(name, text string) {
	x.raw("<" + name + ">")
	x.text(text)
	x.raw("</" + name + ">")
}

// address is the SIP URI of a number.
func (x *document) address(number string) string {
	var b strings.Builder
	b.WriteString("sip:")
	writeUser(&b, bounded(number))
	b.WriteString("@" + x.domain)
	return b.String()
}

// maxName bounds a name in a document, in characters.
const maxName = 64

func short(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxName {
			return s[:i]
		}
	}
	return s
}

// text writes text, escaped. What XML 1.0 cannot have becomes U+FFFD.
func (x *document) text(s string) {
	for _, r := range s {
		switch {
		case r == '<':
			x.raw("&lt;")
		case r == '>':
			x.raw("&gt;")
		case r == '&':
			x.raw("&amp;")
		case r == '"':
			x.raw("&quot;")
		case r < ' ' || r == 0x7f || r == 0xFFFE || r == 0xFFFF:
			x.b.WriteRune(0xFFFD)
		default:
			x.b.WriteRune(r)
		}
	}
}
