package pbxtest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

func (p *Phone) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complainLocked(format, args...)
}

func (p *Phone) complainLocked(format string, args ...any) {
	if len(p.complaints) < 1000 {
		p.complaints = append(p.complaints, p.c.Name+": "+fmt.Sprintf(format, args...))
	}
}

// Complaints is everything in the received messages and packets that a picky phone would not accept. Tests assert
// that there is nothing.
func (p *Phone) Complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

// Repeats counts the retransmitted requests that came.
func (p *Phone) Repeats() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.repeats
}

// Received are all messages that came, oldest first. They are not to be changed.
func (p *Phone) Received() []*Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Message(nil), p.inbox...)
}

// Expect waits for a message that no other Expect has fetched: "INVITE", "200 REGISTER", "18x INVITE" or "4xx".
// Messages that the phone answers by itself can be expected, too. It must satisfy all of more.
func (p *Phone) Expect(ctx context.Context, what string, more ...func(*Message) bool) (*Message, error) {
	var found *Message
	err := p.await(ctx, what, func() bool {
	next:
		for _, m := range p.inbox {
			if m.seen || !matches(m, what) {
				continue
			}
			for _, ok := range more {
				if !ok(m) {
					continue next
				}
			}
			m.seen, found = true, m
			return true
		}
		return false
	})
	return found, err
}

// ExpectNone fails if such a message comes within d, or has come and was not fetched.
func (p *Phone) ExpectNone(ctx context.Context, d time.Duration, what string) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if m, err := p.Expect(ctx, what); err == nil {
		return fmt.Errorf("%s got %s, and should not:\n%s", p.c.Name, m, m.Raw())
	}
	return nil
}

func matches(m *Message, what string) bool {
	first, method, both := strings.Cut(what, " ")
	if len(first) != 3 || strings.Trim(first, "0123456789x") != "" {
		return m.Status == 0 && m.Method == first
	}
	if m.Status == 0 {
		return false
	}
	have := fmt.Sprint(m.Status)
	for i := range 3 {
		if first[i] != 'x' && first[i] != have[i] {
			return false
		}
	}
	if _, cseq := m.CSeq(); both && cseq != method {
		return false
	}
	return true
}

// Forget drops everything received so far from what Expect looks at.
func (p *Phone) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.inbox {
		m.seen = true
	}
}

// Count is how often such a message came, as Expect names them.
func (p *Phone) Count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, m := range p.inbox {
		if matches(m, what) {
			n++
		}
	}
	return n
}
