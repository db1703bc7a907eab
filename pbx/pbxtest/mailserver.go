package pbxtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
)

// MailServer takes mail by SMTP (RFC 5321) on loopback, without TLS, and keeps it.
type MailServer struct {
	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	closed  bool
	changed chan struct{}
	mails   []*Mail
}

// Mail is a message as it arrived.
type Mail struct {
	From    string // of the envelope
	To      []string
	Header  mail.Header
	Subject string // decoded
	Text    string // its part in plain text
	Files   []MailFile
}

// MailFile is what is attached.
type MailFile struct {
	Name, Type string
	Content    []byte
}

// NewMailServer listens on a free port. Close ends it.
func NewMailServer() (*MailServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &MailServer{listener: l, conns: make(map[net.Conn]bool), changed: make(chan struct{})}
	s.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.closed {
				_ = c.Close()
			} else {
				s.conns[c] = true
				s.work.Go(func() { s.serve(c) })
			}
			s.mu.Unlock()
		}
	})
	return s, nil
}

// Addr is where it listens.
func (s *MailServer) Addr() string { return s.listener.Addr().String() }

// Close ends it and waits for all it runs.
func (s *MailServer) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	s.work.Wait()
}

// Next waits for the mail to an address that has not been returned yet.
func (s *MailServer) Next(ctx context.Context, to string) (*Mail, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		for i, m := range s.mails {
			for _, r := range m.To {
				if r == to {
					s.mails = append(s.mails[:i:i], s.mails[i+1:]...)
					s.mu.Unlock()
					return m, nil
				}
			}
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("no mail to %s: %w", to, ctx.Err())
		}
	}
}

func (s *MailServer) serve(c net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	t := textproto.NewConn(c)
	say := func(line string) { _ = t.PrintfLine("%s", line) }
	say("220 pbxtest ESMTP")
	var from string
	var to []string
	for {
		line, err := t.ReadLine()
		if err != nil {
			return
		}
		command := strings.ToUpper(line)
		switch {
		case strings.HasPrefix(command, "EHLO "), strings.HasPrefix(command, "HELO "):
			say("250-pbxtest")
			say("250 8BITMIME")
		case strings.HasPrefix(command, "MAIL FROM:"):
			from, to = pathOf(line), nil
			say("250 OK")
		case strings.HasPrefix(command, "RCPT TO:") && from != "":
			to = append(to, pathOf(line))
			say("250 OK")
		case command == "DATA" && len(to) > 0:
			say("354 go on")
			b, err := t.ReadDotBytes()
			if err != nil {
				return
			}
			m, err := readMail(b)
			if err != nil {
				say("554 " + strings.ReplaceAll(err.Error(), "\n", " "))
				continue
			}
			m.From, m.To = from, to
			s.mu.Lock()
			s.mails = append(s.mails, m)
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			say("250 OK")
		case command == "RSET", command == "NOOP":
			say("250 OK")
		case command == "QUIT":
			say("221 bye")
			return
		default:
			say("503 not now")
		}
	}
}

// pathOf is the address of MAIL FROM or RCPT TO.
func pathOf(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

// readMail takes a message apart (RFC 5322, RFC 2046). It fails on what mail programs would not show.
func readMail(b []byte) (*Mail, error) {
	for _, line := range bytes.Split(b, []byte("\n")) {
		if len(line) > 998 {
			return nil, fmt.Errorf("a line of %d bytes (RFC 5322 §2.1.1)", len(line))
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"From", "To", "Date", "Subject", "Message-Id", "Mime-Version"} {
		if m.Header.Get(name) == "" {
			return nil, fmt.Errorf("no header %s", name)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		return nil, err
	}
	found := &Mail{Header: m.Header}
	if found.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return nil, err
	}
	return found, found.part(textproto.MIMEHeader(m.Header), m.Body)
}

// part reads a part, or the whole.
func (m *Mail) part(h textproto.MIMEHeader, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("Content-Type %q: %w", h.Get("Content-Type"), err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header, p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	disposition, named, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	if disposition == "attachment" {
		m.Files = append(m.Files, MailFile{named["filename"], kind, content})
	} else if kind == "text/plain" && m.Text == "" {
		m.Text = string(content)
	}
	return nil
}
