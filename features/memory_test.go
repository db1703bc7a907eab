package features

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/pbx"
)

// memory is a pbx.MessageStore without a disk.
type memory struct {
	mu        sync.Mutex
	all       []pbx.VoiceMessage
	greetings map[string]time.Duration // "1000:busy" → length
	begun     []*pbx.VoiceMessage      // by Leave
	told      []pbx.VoiceMessage       // as they were when they came into their mailbox
	last      int
	open      int // tapes that are neither kept nor dropped

	leaveFails, keepFails, changeFails error
	takes                              int // frames that a tape takes; 0: as many as there are
}

func newMemory() *memory { return &memory{greetings: make(map[string]time.Duration)} }

// memoryTape is a pbx.Tape of it.
type memoryTape struct {
	m      *memory
	frames int
	over   bool
	keep   func(length time.Duration)
}

func (t *memoryTape) Write(frame []int16) bool {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	if t.over {
		panic("written to a tape that is over")
	}
	if len(frame) != 160 {
		panic(fmt.Sprint("a frame of ", len(frame)))
	}
	if t.m.takes > 0 && t.frames >= t.m.takes {
		return false
	}
	t.frames++
	return true
}

func (t *memoryTape) Keep(ctx context.Context) error {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	switch {
	case t.over:
		return errors.New("the tape is over")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	t.over = true
	t.m.open--
	if t.m.keepFails != nil {
		return t.m.keepFails
	}
	t.keep(time.Duration(t.frames) * 20 * time.Millisecond)
	return nil
}

func (*memoryTape) Miss(string) {}

func (t *memoryTape) Drop() {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	if !t.over {
		t.over = true
		t.m.open--
	}
}

func (m *memory) tape(keep func(time.Duration)) pbx.Tape {
	m.open++
	return &memoryTape{m: m, keep: keep}
}

func (m *memory) Count(mailbox string) (n pbx.MessageCount) {
	list, _ := m.Messages(context.Background(), mailbox)
	for _, v := range list {
		switch {
		case v.Heard && v.Urgent:
			n.Old++
			n.UrgentOld++
		case v.Heard:
			n.Old++
		case v.Urgent:
			n.New++
			n.UrgentNew++
		default:
			n.New++
		}
	}
	return n
}

func (m *memory) Messages(_ context.Context, mailbox string) (list []pbx.VoiceMessage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.all {
		if v.Mailbox == mailbox {
			list = append(list, v)
		}
	}
	order := func(v pbx.VoiceMessage) (n int) {
		if v.Heard {
			n += 2
		}
		if !v.Urgent {
			n++
		}
		return n
	}
	slices.SortStableFunc(list, func(a, b pbx.VoiceMessage) int { return order(a) - order(b) })
	return list, m.changeFails
}

func (m *memory) Leave(_ context.Context, v pbx.VoiceMessage, limit int) (string, pbx.Tape, error) {
	if n := m.Count(v.Mailbox); n.New+n.Old >= limit {
		return "", nil, pbx.ErrMailboxFull
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaveFails != nil {
		return "", nil, m.leaveFails
	}
	m.last++
	v.ID = fmt.Sprint("m", m.last)
	left := &v
	m.begun = append(m.begun, left)
	return v.ID, m.tape(func(d time.Duration) {
		left.Length = d
		m.all = append(m.all, *left)
		m.told = append(m.told, *left)
	}), nil
}

func (m *memory) change(id string, f func(i int)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changeFails != nil {
		return m.changeFails
	}
	i := slices.IndexFunc(m.all, func(v pbx.VoiceMessage) bool { return v.ID == id })
	if i < 0 {
		return pbx.ErrNoSuchSound
	}
	f(i)
	return nil
}

func (m *memory) MarkUrgent(ctx context.Context, _, id string, urgent bool) error {
	m.mu.Lock()
	for _, v := range m.begun {
		if v.ID == id {
			v.Urgent = urgent // counts until it is kept
		}
	}
	m.mu.Unlock()
	return errors.Join(ctx.Err(), m.change(id, func(i int) { m.all[i].Urgent = urgent }))
}

func (m *memory) MarkHeard(ctx context.Context, _, id string, heard bool) error {
	return errors.Join(ctx.Err(), m.change(id, func(i int) { m.all[i].Heard = heard }))
}

func (m *memory) Remove(ctx context.Context, _, id string) error {
	return errors.Join(ctx.Err(), m.change(id, func(i int) { m.all = slices.Delete(m.all, i, i+1) }))
}

func (m *memory) Greet(_ context.Context, mailbox string, g pbx.Greeting) (pbx.Tape, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaveFails != nil {
		return nil, m.leaveFails
	}
	return m.tape(func(d time.Duration) { m.greetings[mailbox+":"+string(g)] = d }), nil
}

func (m *memory) HasGreeting(mailbox string, g pbx.Greeting) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.greetings[mailbox+":"+string(g)]
	return ok
}

func (m *memory) RemoveGreeting(_ context.Context, mailbox string, g pbx.Greeting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.greetings, mailbox+":"+string(g))
	return m.changeFails
}

// add keeps a message that was left before.
func (m *memory) add(v pbx.VoiceMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	v.ID = fmt.Sprint("m", m.last)
	m.all = append(m.all, v)
}

// in is what a mailbox has, in its order: from whom, how long (in tenths of a second), and what is special: "1001 4s urgent; - 2s heard".
func (m *memory) in(mailbox string) string {
	m.changeFails = nil
	list, _ := m.Messages(context.Background(), mailbox)
	var b strings.Builder
	for _, v := range list {
		from := v.From
		if from == "" {
			from = "-"
		}
		fmt.Fprintf(&b, "; %s %v", from, v.Length.Round(100*time.Millisecond))
		if v.Urgent {
			b.WriteString(" urgent")
		}
		if v.Heard {
			b.WriteString(" heard")
		}
	}
	return strings.TrimPrefix(b.String(), "; ")
}
