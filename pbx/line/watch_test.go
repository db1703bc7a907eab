package line

import (
	"cmp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"

	"ringback/pbx"
	"ringback/pbx/line/digest"
	"ringback/pbx/line/wire"
)

// board is what can be watched, set by the test.
type board struct {
	mu     sync.Mutex
	boxes  map[string]pbx.MessageCount
	rooms  map[string]pbx.ConferenceInfo
	broken bool // it panics
}

func newBoard() *board {
	return &board{boxes: map[string]pbx.MessageCount{}, rooms: map[string]pbx.ConferenceInfo{}}
}

func (b *board) Messages(box string) (pbx.MessageCount, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		panic("the board is broken")
	}
	n, ok := b.boxes[box]
	return n, ok
}

func (b *board) Conference(room string) (pbx.ConferenceInfo, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.rooms[room]
	return c, ok
}

func (b *board) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// watched is play with a board: 1000 and 1001 have mailboxes, and 800 is a room.
func watched(t *testing.T, f func(s *scene, b *board), set ...func(*Options)) {
	b := newBoard()
	b.boxes["1000"], b.boxes["1001"] = pbx.MessageCount{New: 2, Old: 8, UrgentNew: 0, UrgentOld: 2}, pbx.MessageCount{}
	b.rooms["800"] = pbx.ConferenceInfo{Number: "800", Name: "Board"}
	play(t, func(s *scene) { f(s, b) }, append(set, func(o *Options) { o.State = b })...)
}

// messages has a mailbox get so many new messages.
func (s *scene) messages(b *board, box string, n int) {
	b.set(func() { b.boxes[box] = pbx.MessageCount{New: n} })
	s.line.MailboxChanged(box)
}

// leftovers checks that no lamp is under way, and that the tables agree.
func (n *notifier) leftovers(t *testing.T) {
	t.Helper()
	n.mu.RLock()
	if len(n.topics) != 0 || len(n.owners) != 0 {
		t.Errorf("%d topics and %d watchers left", len(n.topics), len(n.owners))
	}
	n.mu.RUnlock()
	n.lamps.mu.Lock()
	defer n.lamps.mu.Unlock()
	for id, p := range n.lamps.all {
		p.mu.Lock()
		if !p.deaf || p.waiting || p.timer != nil {
			t.Errorf("a lamp left: %s", id)
		}
		p.mu.Unlock()
	}
}

// subscribe sends a SUBSCRIBE outside a dialog; expires < 0: without Expires.
func (p *phone) subscribe(event, to string, expires int, more ...string) *call {
	p.s.t.Helper()
	c := &call{p: p, id: "sub" + p.s.id(), local: "<sip:" + p.number + "@pbx.test>;tag=s" + p.s.id(), remote: "<sip:" + to + "@pbx.test>", target: "sip:" + to + "@pbx.test"}
	c.subscribe(event, expires, append([]string{"Authorization: Test " + p.number}, more...)...)
	return c
}

// subscribe sends a SUBSCRIBE in the dialog.
func (c *call) subscribe(event string, expires int, more ...string) {
	c.p.s.t.Helper()
	if event != "" {
		more = append(more, "Event: "+event)
	}
	if expires >= 0 {
		more = append(more, "Expires: "+strconv.Itoa(expires))
	}
	c.send("SUBSCRIBE", "", more...)
}

// granted is the 200 of a SUBSCRIBE.
func (c *call) granted(expires int) string {
	c.p.s.t.Helper()
	res := c.take(c.p.expect("SIP/2.0 200"))
	wantHeader(c.p.s.t, res, "Expires", strconv.Itoa(expires))
	return res
}

// notified takes a NOTIFY, holds it against the dialog, and answers it.
func (c *call) notified(state string, more ...string) string {
	c.p.s.t.Helper()
	n := c.notify(state)
	c.p.respond(n, cmp.Or(strings.Join(more, ""), "200 OK"), "", "")
	synctest.Wait()
	return n
}

// notify takes a NOTIFY and does not answer it.
func (c *call) notify(state string) string {
	t := c.p.s.t
	t.Helper()
	n := c.p.expect("NOTIFY ")
	wantHeader(t, n, "Subscription-State", state)
	wantHeader(t, n, "Call-ID", c.id)
	wantHeader(t, n, "From", c.remote)
	wantHeader(t, n, "To", c.local)
	if header(n, "Contact") == "" || header(n, "Event") == "" {
		t.Errorf("no Contact or no Event in\n%s", n)
	}
	return n
}

// watching is a subscription to one's own mailbox that is up.
func (p *phone) watching(expires int) *call {
	p.s.t.Helper()
	c := p.subscribe("message-summary", p.number, expires)
	c.granted(expires)
	c.notified("active;expires=" + strconv.Itoa(expires))
	return c
}

// guardOf is guard with another directory.
type guardOf struct{ pbx.Directory }

func (g guardOf) Check(req *sip.Request, from wire.Hop) digest.Result {
	r := guard{}.Check(req, from)
	if r.OK {
		r.Extension = g.Extension(r.Extension.Number)
	}
	return r
}
