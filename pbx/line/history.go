package line

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/dialog"
)

// nobody is the URI of who wants to be hidden (RFC 3323 §4.1.1.3, RFC 7044 §10.1).
const nobody = "sip:anonymous@anonymous.invalid"

// sentOn says in an INVITE how its call came here, where it was sent on: History-Info (RFC 7044), and Diversion (RFC 5806)
// for the phones that read only that. No phone is trusted with who is hidden, so nothing is left to its discretion
// (Privacy=history, privacy=full): the URI itself is anonymous.
func (g *leg) sentOn(req *sip.Request) {
	inv := &g.out.inv
	if len(inv.Via) == 0 {
		return
	}
	domain := g.line.domain(g.hop)
	target := dialog.RequestURI(g.dlg.Target)
	for _, v := range history(inv, domain, target.String()) {
		req.AppendHeader(sip.NewHeader("History-Info", v))
	}
	for _, v := range diversions(inv, domain) {
		req.AppendHeader(sip.NewHeader("Diversion", v))
	}
}

// hides reports whether a number may not be shown to the called phone.
func hides(inv *pbx.Invitation, number string) bool {
	if inv.From.Hidden && number == inv.From.Number {
		return true
	}
	for _, d := range inv.Via {
		if d.Hidden && d.From == number {
			return true
		}
	}
	return false
}

// history are the values of History-Info, oldest first: each number that the call came by, the one that is called now,
// and the phone's own contact, which is the Request-URI. A number comes of the one before it by mapping (mp), the contact
// by registration (rc); how a phone's own redirection came about is not ours to say (RFC 7044 §10.4). What ended the attempt
// at a number is the Reason in its URI (RFC 7044 §10.2); why the next one is called is the cause in that one's (RFC 4458 §2.2,
// RFC 7544 §4.1). Of the branches of a fork each is told its own way only, and of phones that have been tried nothing, so
// that an index is always the first below another (RFC 7544 §5).
func history(inv *pbx.Invitation, domain, contact string) []string {
	type entry struct {
		number        string
		cause, reason int  // statuses, 0: none
		redirected    bool // by a phone
	}
	way := make([]entry, 0, len(inv.Via)+2)
	for _, d := range inv.Via {
		if n := len(way); n == 0 || way[n-1].number != d.From {
			way = append(way, entry{number: d.From})
		}
		if d.Status >= 300 && d.Status < 700 {
			way[len(way)-1].reason = d.Status
		}
		way = append(way, entry{number: d.To, cause: diversionReasons[reasonOf(&d)], redirected: d.Reason == "deflection"})
	}
	// Of a group the member is called, of a subscriber one of several numbers.
	if to := called(inv.To); way[len(way)-1].number != to {
		way = append(way, entry{number: to})
	}
	values := make([]string, 0, len(way)+1)
	index := "1"
	for i, e := range way {
		var b strings.Builder
		b.WriteByte('<')
		writeParty(&b, inv, e.number, domain)
		if e.cause != 0 {
			b.WriteString(";cause=" + strconv.Itoa(e.cause))
		}
		if e.reason != 0 {
			b.WriteString("?Reason=SIP%3Bcause%3D" + strconv.Itoa(e.reason))
		}
		b.WriteString(">;index=")
		if i > 0 {
			index += ".1"
		}
		b.WriteString(index)
		if i > 0 && !e.redirected {
			b.WriteString(";mp=" + index[:len(index)-2])
		}
		values = append(values, b.String())
	}
	return append(values, "<"+contact+">;index="+index+".1;rc="+index)
}

// diversions are the values of Diversion, newest first: the last is the number that was called at first (RFC 5806 §6.5).
func diversions(inv *pbx.Invitation, domain string) []string {
	values := make([]string, 0, len(inv.Via))
	for i := len(inv.Via) - 1; i >= 0; i-- {
		d := &inv.Via[i]
		var b strings.Builder
		b.WriteByte('<')
		writeParty(&b, inv, d.From, domain)
		privacy := "off"
		if hides(inv, d.From) {
			privacy = "full"
		}
		b.WriteString(">;reason=" + reasonOf(d) + ";counter=1;privacy=" + privacy)
		values = append(values, b.String())
	}
	return values
}

// diversionReasons are those of RFC 5806 §4, with the cause of RFC 4458 §2.2 that RFC 7544 §5 maps them to.
var diversionReasons = map[string]int{"unknown": 404, "user-busy": 486, "no-answer": 408, "unavailable": 503, "unconditional": 302,
	"time-of-day": 404, "do-not-disturb": 404, "deflection": 480, "follow-me": 404, "out-of-service": 404, "away": 404}

func reasonOf(d *pbx.Diversion) string {
	if diversionReasons[d.Reason] == 0 {
		return "unknown"
	}
	return d.Reason
}

// writeParty writes the URI of a number that the call came by.
func writeParty(b *strings.Builder, inv *pbx.Invitation, number, domain string) {
	if hides(inv, number) {
		b.WriteString(nobody)
		return
	}
	b.WriteString("sip:")
	writeUser(b, number)
	b.WriteByte('@')
	b.WriteString(domain)
}

// called is the number that a contact is called by. It is our To as well: a proxy leaves To as the caller wrote it
// when it forwards (RFC 5359 §2.7), but this is a call of our own, and phones with several numbers show by To which of
// them is called. How the call came there is in History-Info and Diversion, where phones look for it.
func called(to pbx.Contact) string {
	if to.Number != "" {
		return to.Number
	}
	return to.Extension
}
