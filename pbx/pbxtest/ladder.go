package pbxtest

import (
	"fmt"
	"io"
	"net/netip"
	"sort"
	"strings"
	"time"
)

// Event is a message that a phone has sent or got.
type Event struct {
	Time  time.Time
	Phone string
	Sent  bool
	Peer  netip.AddrPort
	Text  string // "INVITE 1001 (SDP)" or "200 OK INVITE"
	call  string // Call-ID
	order int
}

// note logs a message for the ladder. It needs p.mu.
func (p *Phone) note(m *Message, sent bool, peer netip.AddrPort) {
	if len(p.trace) >= 100_000 {
		return
	}
	text := m.Method
	if m.Status != 0 {
		_, method := m.CSeq()
		text = fmt.Sprintf("%d %s", m.Status, m.Phrase)
		if method != "INVITE" {
			text += " (" + method + ")"
		}
	} else if u := UserOf(m.URI); u != "" && (m.Method == "INVITE" || m.Method == "MESSAGE") {
		text += " " + u
	}
	text += subscriptionText(m)
	if hasSDP(m) {
		text += " +SDP"
	}
	if r := m.Get("Reason"); r != "" {
		text += " [" + r + "]"
	}
	p.trace = append(p.trace, Event{time.Now(), p.c.Name, sent, peer, text, m.CallID(), len(p.trace)})
}

// subscriptionText is what a person wants to know of SUBSCRIBE and NOTIFY.
func subscriptionText(m *Message) string {
	state, _, _ := strings.Cut(m.Get("Subscription-State"), ";")
	switch m.Method {
	case "SUBSCRIBE":
		return fmt.Sprintf(" %s %s %ss", packageOf(m.Get("Event")), UserOf(AddrOf(m.Get("To"))), m.Get("Expires"))
	case "NOTIFY":
		text := " " + packageOf(m.Get("Event")) + " " + strings.TrimSpace(state)
		if s, err := ParseSummary(m.Body); err == nil {
			text += fmt.Sprintf(" %d/%d", s.Voice().New, s.Voice().Old)
		}
		return text
	}
	return ""
}

// Trace is everything that the phone has sent and got, in order.
func (p *Phone) Trace() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Event(nil), p.trace...)
}

// Ladder writes the messages of some phones as a ladder, a column each, with the server between the first and the
// others. Messages from one of the phones straight to another are drawn once.
func Ladder(w io.Writer, server string, phones ...*Phone) {
	LadderSince(w, time.Time{}, server, phones...)
}

// LadderSince is Ladder without what was before since.
func LadderSince(w io.Writer, since time.Time, server string, phones ...*Phone) {
	columns := []string{phones[0].c.Name, server}
	owner := map[netip.AddrPort]string{}
	var all []Event
	for i, p := range phones {
		if i > 0 {
			columns = append(columns, p.c.Name)
		}
		owner[p.Addr()] = p.c.Name
		p.mu.Lock()
		for _, a := range p.addrs {
			if a != p.Addr() {
				owner[a] = p.c.Name
			}
		}
		p.mu.Unlock()
		for _, e := range p.Trace() {
			if !e.Time.Before(since) {
				all = append(all, e)
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Time.Before(all[j].Time) })
	at := map[string]int{}
	for i, c := range columns {
		at[c] = i
	}
	const width = 34
	if len(all) == 0 {
		return
	}
	start := all[0].Time
	head := strings.Repeat(" ", 10)
	for _, c := range columns {
		head += fmt.Sprintf("%-*s", width, c)
	}
	fmt.Fprintln(w, strings.TrimRight(head, " "))
	for _, e := range all {
		peer := server
		if direct := owner[e.Peer]; direct != "" {
			if !e.Sent {
				continue // drawn where it was sent
			}
			peer = direct
		}
		from, to := at[e.Phone], at[peer]
		if !e.Sent {
			from, to = to, from
		}
		fmt.Fprintf(w, "%7.3f   %s\n", e.Time.Sub(start).Seconds(), arrow(len(columns), width, from, to, e.Text))
	}
}

// arrow draws one line of a ladder.
func arrow(columns, width, from, to int, text string) string {
	line := []rune(strings.Repeat(" ", (columns-1)*width+1))
	for c := range columns {
		line[c*width] = '|'
	}
	left, right := min(from, to)*width, max(from, to)*width
	for x := left + 1; x < right; x++ {
		line[x] = '-'
	}
	if to > from {
		line[right-1] = '>'
	} else {
		line[left+1] = '<'
	}
	label := []rune(" " + text + " ")
	if room := right - left - 5; len(label) > room {
		label = append(label[:room-1], '…')
	}
	copy(line[left+1+(right-left-1-len(label))/2:], label)
	return string(line)
}
