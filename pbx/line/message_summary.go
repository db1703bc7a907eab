package line

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/pbx"
	"ringback/pbx/line/subscription"
)

// messageSummary is how many messages a mailbox has (RFC 3842): the lamp of a phone.
var messageSummary = newPackage(eventPackage{
	name:        "message-summary",
	contentType: "application/simple-message-summary",
	rules: subscription.Rules{
		Default: time.Hour, // RFC 3842 §3.4
		Min:     time.Minute,
		Max:     time.Hour,
		Pause:   time.Second, // no more than one NOTIFY a second (§3.11)
	},
	admit: ownMailbox,
	body:  summary,
	gone:  noMailbox,
})

// ownMailbox: nobody watches the mailbox of another. Who subscribes to a number of his, to what he dials to hear his messages (as
// phones can be told to), to the mailbox that keeps them, or to the PBX and no number, means his own.
func ownMailbox(l *Line, ext *pbx.Extension, number string) (string, int) {
	box := strings.TrimPrefix(number, pbx.MailboxTarget)
	if number != "" && number != ext.Number && box != ext.Box() && !slices.Contains(ext.Numbers, number) && (l.o.MyMailbox == nil || !l.o.MyMailbox(number)) {
		return "", 403
	}
	if _, ok := l.o.State.Messages(ext.Number); !ok {
		return "", 404
	}
	return ext.Number, 0
}

// summary is the body of RFC 3842 §5.2. Message-Account is the extension's own address; what a phone dials to hear its messages is set
// in the phone.
func summary(l *Line, v view) []byte {
	n, ok := l.o.State.Messages(v.resource)
	if !ok {
		return nil
	}
	var b strings.Builder
	b.Grow(128)
	waiting(&b, n.New > 0, v)
	b.WriteString("Voice-Message: ")
	pair := func(a, z int) {
		b.WriteString(strconv.Itoa(max(a, 0)))
		b.WriteByte('/')
		b.WriteString(strconv.Itoa(max(z, 0)))
	}
	pair(n.New, n.Old)
	b.WriteString(" (")
	pair(n.UrgentNew, n.UrgentOld)
	b.WriteString(")\r\n")
	return []byte(b.String())
}

// noMailbox puts the lamp out: a phone that had messages would not do so by itself.
func noMailbox(_ *Line, v view) []byte {
	var b strings.Builder
	waiting(&b, false, v)
	return []byte(b.String())
}

// waiting writes the status line and the account.
func waiting(b *strings.Builder, yes bool, v view) {
	b.WriteString("Messages-Waiting: ")
	if yes {
		b.WriteString("yes")
	} else {
		b.WriteString("no")
	}
	b.WriteString("\r\nMessage-Account: sip:")
	writeUser(b, v.resource)
	b.WriteByte('@')
	b.WriteString(v.domain)
	b.WriteString("\r\n")
}
