package wire

import "time"

// Under load nearly every datagram would wake the reader by itself, and every answer the program at the other end: more
// work than the message is. So a reader that gets many pauses when it has found its socket empty, and then takes all
// that has come meanwhile at once. (Network drivers do the same and call it interrupt moderation.)
const (
	paceWindow = 50 * time.Millisecond
	paceBusy   = 200 // datagrams in a window: 4,000 a second; below, a pause costs more than it saves
	pause      = time.Millisecond
	empty      = 20 * time.Microsecond // a read that takes longer has had to wait
)

// pace keeps the time of one reader.
type pace struct {
	window time.Time // when it began
	count  int       // datagrams since
	busy   bool
	asked  time.Time
	waited bool // for the newest datagram
}

// before is called before each read.
func (p *pace) before() {
	if p.busy && p.waited {
		time.Sleep(pause)
	}
	p.asked = time.Now()
}

// after is called after each read.
func (p *pace) after() {
	now := time.Now()
	p.waited = now.Sub(p.asked) > empty
	p.count++
	if since := now.Sub(p.window); since >= paceWindow {
		p.busy = p.count >= paceBusy && since < 2*paceWindow
		p.window, p.count = now, 0
	}
}
