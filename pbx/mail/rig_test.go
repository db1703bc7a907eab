package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"ringback/pbx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store of messages.
type shelf struct {
	mu       sync.Mutex
	messages []pbx.VoiceMessage
	sounds   map[string][]byte
	mailed   map[string]bool
	removed  []string
	noMark   int   // times that MarkMailed fails
	broken   error // after half a sound
	defect   bool
	slowMark time.Duration
}

func newShelf(messages ...pbx.VoiceMessage) *shelf {
	s := &shelf{messages: messages, sounds: map[string][]byte{}, mailed: map[string]bool{}}
	for i, v := range messages {
		s.sounds[v.ID] = wav(1000 + 777*i)
	}
	return s
}

// wav is something with every byte in it; nobody here listens to it.
func wav(n int) []byte {
	b := append([]byte("RIFF"), make([]byte, n)...)
	for i := range n {
		b[4+i] = byte(i * 7)
	}
	return b
}

func (s *shelf) Unmailed(context.Context) (left []pbx.VoiceMessage, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.messages {
		if !s.mailed[v.ID] && !slices.Contains(s.removed, v.ID) {
			left = append(left, v)
		}
	}
	return left, nil
}

func (s *shelf) MarkMailed(ctx context.Context, id string) error {
	if s.slowMark > 0 {
		time.Sleep(s.slowMark)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noMark > 0 {
		s.noMark--
		return errors.New("database is locked")
	}
	s.mailed[id] = true
	return nil
}

type file struct {
	*bytes.Reader
	broken error
	left   int
}

func (f *file) Read(p []byte) (int, error) {
	if f.broken == nil {
		return f.Reader.Read(p)
	}
	n, err := f.Reader.Read(p[:min(len(p), f.left)])
	if f.left -= n; f.left == 0 {
		err = f.broken
	}
	return n, err
}

func (*file) Close() error { return nil }

func (s *shelf) OpenMessage(_, id string) (io.ReadSeekCloser, int64, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.defect {
		panic("a defect")
	}
	sound, ok := s.sounds[id]
	if !ok || slices.Contains(s.removed, id) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	return &file{bytes.NewReader(sound), s.broken, len(sound) / 2}, int64(len(sound)), time.Time{}, nil
}

func (s *shelf) Remove(_ context.Context, _, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, id)
	return nil
}

func (s *shelf) add(v pbx.VoiceMessage, sound []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, v)
	s.sounds[v.ID] = sound
}

func (s *shelf) isMailed(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mailed[id]
}

func (s *shelf) deleted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.removed)
}

// office is an SMTP server, go-smtp, and what it got.
type office struct {
	server *smtp.Server
	done   chan struct{}

	mu      sync.Mutex
	mails   []delivered
	tried   []time.Time // RCPT commands
	greeted int
	refuse  func(step, to string, n int) error // what to answer the n-th MAIL, RCPT or DATA with; nil: all is taken
	count   map[string]int
	logins  []string
	cut     int // mails that did not come to their end
}

type delivered struct {
	from, to string
	data     []byte
}

func newOffice() *office {
	o := &office{count: map[string]int{}, done: make(chan struct{})}
	o.server = smtp.NewServer(o)
	o.server.Domain = "mx.example.com"
	o.server.ErrorLog = discard{}
	return o
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func (o *office) serve(l net.Listener) {
	go func() {
		defer close(o.done)
		o.server.Serve(l)
	}()
}

func (o *office) close() {
	o.server.Close()
	<-o.done
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.greeted++
	return &session{o: o}, nil
}

func (o *office) asked(step, to string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count[step]++
	if step == "RCPT" {
		o.tried = append(o.tried, time.Now())
	}
	if o.refuse == nil {
		return nil
	}
	return o.refuse(step, to, o.count[step])
}

func (o *office) got() []delivered {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mails)
}

// half is how many mails did not come to their end.
func (o *office) half() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cut
}

func reply(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

type session struct {
	o        *office
	from, to string
}

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.o.mu.Lock()
		defer s.o.mu.Unlock()
		s.o.logins = append(s.o.logins, user+":"+password)
		if user != "pbx" || password != "hunter2 secret" {
			return reply(535, "no such account "+user+" with "+password)
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return s.o.asked("MAIL", "")
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.o.asked("RCPT", to)
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.o.mu.Lock()
	if err != nil {
		s.o.cut++
	}
	s.o.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.o.asked("DATA", s.to); err != nil {
		return err
	}
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	s.o.mails = append(s.o.mails, delivered{s.from, s.to, b})
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// pipes is a Listener whose connections are in memory, for virtual time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	down  bool
	dials []time.Time
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	p.dials = append(p.dials, time.Now())
	down := p.down
	p.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// at are the times of the dials since one.
func (p *pipes) at(start time.Time) (all []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.dials {
		all = append(all, t.Sub(start))
	}
	return all
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// logged is a log to look at.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

var boxes = map[string]*pbx.Mailbox{
	"1000": {Number: "1000", Name: "Alice", Enabled: true, Email: "alice@example.com", Attach: true},
	"1001": {Number: "1001", Name: "Bob", Enabled: true, Email: "bob@example.com"},
	"1002": {Number: "1002", Name: "Carol", Enabled: true},
	"1003": {Number: "1003", Name: "Dora", Enabled: true, Email: "dora@example.com", Attach: true, DeleteSent: true},
}

func mailbox(number string) *pbx.Mailbox { return boxes[number] }

var evening = time.Date(2026, 3, 2, 17, 5, 9, 0, time.UTC)

func message(id, box string) pbx.VoiceMessage {
	return pbx.VoiceMessage{ID: id, Mailbox: box, From: "1005", FromName: "Erin", At: evening, Length: 42 * time.Second}
}

func ids(prefix, box string, n int) (all []pbx.VoiceMessage) {
	for i := range n {
		all = append(all, message(fmt.Sprintf("%s%d", prefix, i), box))
	}
	return all
}
