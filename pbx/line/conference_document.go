package line

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ringback/pbx"
)

// maxConference bounds a conference's document, in bytes, so that it fits into a datagram with the headers. Users beyond are
// counted and not named.
const maxConference = 48 << 10

// maxName bounds a name in a document, in characters.
const maxName = 64

// conferenceInfo is the document of RFC 4575 §5, always all of it (state full). Its version is 1 in the first NOTIFY of a subscription
// and rises by one with each.
func conferenceInfo(l *Line, v view) []byte {
	c, ok := l.o.State.Conference(v.resource)
	if !ok || !maySee(&c, v.who) {
		return nil
	}
	x := &document{b: make([]byte, 0, 512+512*min(len(c.Members), maxConference/512)), domain: v.domain}
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" + `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="`)
	x.address(v.resource)
	x.raw(`" state="full" version="`)
	x.b = strconv.AppendUint(x.b, uint64(v.version)+1, 10)
	x.raw("\">\r\n")
	if c.Name != "" {
		x.raw("<conference-description><subject>")
		x.text(short(c.Name))
		x.raw("</subject></conference-description>\r\n")
	}
	users := usersOf(c.Members)
	x.raw("<conference-state><user-count>")
	x.b = strconv.AppendInt(x.b, int64(len(users)), 10)
	x.raw("</user-count><active>")
	x.b = strconv.AppendBool(x.b, len(c.Members) > 0)
	x.raw("</active><locked>")
	x.b = strconv.AppendBool(x.b, c.Locked)
	x.raw("</locked></conference-state>\r\n<users>\r\n")
	for i := range users {
		mark := len(x.b)
		if x.user(&users[i]); len(x.b) > maxConference {
			x.b = x.b[:mark]
			break
		}
	}
	x.raw("</users>\r\n</conference-info>\r\n")
	return x.b
}

// confUser is a user of the document: an extension with each of its phones that is a member, or one who is hidden.
type confUser struct {
	anonymous int // 1, 2, … of those who are hidden; 0: he is not
	phones    []pbx.MemberInfo
}

// usersOf puts the members of one extension together: users are told apart by their entity (RFC 4575 §5.6).
func usersOf(members []pbx.MemberInfo) []confUser {
	all := make([]confUser, 0, len(members))
	known := make(map[string]int, len(members))
	hidden := 0
	for i, m := range members {
		alone := members[i : i+1 : i+1]
		if m.From.Hidden || m.From.Number == "" {
			hidden++
			all = append(all, confUser{hidden, alone})
		} else if at, ok := known[m.From.Number]; ok {
			all[at].phones = append(all[at].phones, m)
		} else {
			known[m.From.Number] = len(all)
			all = append(all, confUser{0, alone})
		}
	}
	return all
}

// document is XML that is being written.
type document struct {
	b      []byte
	domain string
}

// user writes a user. Of one who is hidden there is nothing that says who it is, but something that tells him from the others.
func (x *document) user(u *confUser) {
	x.raw(`<user entity="`)
	x.entity(u)
	x.raw(`" state="full">`)
	name := u.phones[0].From.Name
	if u.anonymous > 0 {
		name = "Anonymous"
	}
	if name != "" {
		x.raw("<display-text>")
		x.text(short(name))
		x.raw("</display-text>")
	}
	role := "participant"
	for _, m := range u.phones {
		if m.Moderator {
			role = "moderator"
		}
	}
	x.raw("<roles><entry>")
	x.raw(role)
	x.raw("</entry></roles>\r\n")
	for i := range u.phones {
		x.raw(`<endpoint entity="`)
		x.entity(u)
		if i > 0 {
			x.raw(";endpoint=")
			x.b = strconv.AppendInt(x.b, int64(i+1), 10)
		}
		x.endpoint(&u.phones[i])
	}
	x.raw("</user>\r\n")
}

// endpoint writes the rest of an endpoint, after its entity.
func (x *document) endpoint(m *pbx.MemberInfo) {
	// The direction is the member's: muted, he hears and is not heard (RFC 4575 §5.8).
	status, direction := "connected", "sendrecv"
	switch {
	case m.Held:
		status, direction = "on-hold", "inactive"
	case m.Muted:
		direction = "recvonly"
	}
	x.raw(`" state="full"><status>`)
	x.raw(status)
	x.raw("</status><joining-method>dialed-in</joining-method><joining-info><when>")
	x.b = m.Since.UTC().AppendFormat(x.b, time.RFC3339)
	x.raw(`</when></joining-info><media id="1"><type>audio</type><status>`)
	x.raw(direction)
	x.raw("</status></media></endpoint>\r\n")
}

func (x *document) entity(u *confUser) {
	if u.anonymous == 0 {
		x.address(u.phones[0].From.Number)
		return
	}
	x.raw("sip:anonymous")
	x.b = strconv.AppendInt(x.b, int64(u.anonymous), 10)
	x.raw("@anonymous.invalid")
}

// address writes the SIP URI of a number.
func (x *document) address(number string) {
	x.raw("sip:")
	if strings.Trim(number, "0123456789") == "" && len(number) <= maxText {
		x.raw(number)
	} else {
		var b strings.Builder
		writeUser(&b, bounded(number))
		x.text(b.String())
	}
	x.raw("@")
	x.text(x.domain)
}

func (x *document) raw(s string) { x.b = append(x.b, s...) }

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
			x.b = utf8.AppendRune(x.b, utf8.RuneError)
		default:
			x.b = utf8.AppendRune(x.b, r)
		}
	}
}

func short(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxName {
			return s[:i]
		}
	}
	return s
}
