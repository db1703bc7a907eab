package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"ringback/pbx"
)

// postOffice is an SMTP server that takes everything.
type postOffice struct{ mails chan []byte }

func (o postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return o, nil }
func (postOffice) Mail(string, *smtp.MailOptions) error          { return nil }
func (postOffice) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (postOffice) Reset()                                        {}
func (postOffice) Logout() error                                 { return nil }
func (postOffice) Printf(string, ...any)                         {}
func (postOffice) Println(...any)                                {}
func (o postOffice) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err == nil {
		o.mails <- b
	}
	return err
}

// TestMessageByMail: from the configuration to the WAV file in the mail; the message is then gone, and all of it is told.
func TestMessageByMail(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	office := postOffice{make(chan []byte, 1)}
	server := smtp.NewServer(office)
	server.ErrorLog = office
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	defer func() { server.Close(); <-done }()

	i := testInstance(t, testConfig(t, map[string]string{"mail.server": l.Addr().String(), "mail.tls": "none", "mail.from": "pbx@example.com", "calls.time_zone": "UTC"}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := i.store.CreateMailbox(ctx, pbx.Set{By: "local"}, pbx.Mailbox{Number: "1000", Enabled: true, Email: "alice@example.com", Attach: true, DeleteSent: true}, nil); err != nil {
		t.Fatal(err)
	}
	events := i.feed.Listen(i.feed.Last())
	id, tape, err := i.archive.Leave(ctx, pbx.VoiceMessage{Mailbox: "1000", From: "1005", FromName: "Erin", At: time.Now()}, 10)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]int16, 160)
	for n := range frame {
		frame[n] = int16(n * 100)
	}
	for range 100 {
		if !tape.Write(frame) {
			t.Fatal("the tape takes no more")
		}
	}
	if err := tape.Keep(ctx); err != nil {
		t.Fatal(err)
	}
	var data []byte
	select {
	case data = <-office.mails:
	case <-ctx.Done():
		t.Fatal("no mail has come")
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if s := m.Header.Get("Subject"); s != "Voice message from Erin (1005), 2 seconds" || m.Header.Get("To") != "<alice@example.com>" {
		t.Error(s, m.Header)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	if _, err := parts.NextPart(); err != nil {
		t.Fatal(err)
	}
	p, err := parts.NextPart()
	if err != nil || p.FileName() != "voicemail-"+id+".wav" {
		t.Fatal(p.FileName(), err)
	}
	sound, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
	if err != nil || !strings.HasPrefix(string(sound), "RIFF") || len(sound) < 2*160*100 || sound[len(sound)-2] != byte(15900&0xff) || sound[len(sound)-1] != 15900>>8 {
		t.Error(len(sound), err)
	}
	var counts []pbx.MessageCount
	for len(counts) < 2 {
		batch, err := events.Next(ctx, nil)
		if err != nil {
			t.Fatal(err, counts)
		}
		for _, e := range batch {
			if e.Type == pbx.MailboxChange && e.Mailbox == "1000" {
				counts = append(counts, e.Data.(pbx.MessageCount))
			}
		}
	}
	if counts[0] != (pbx.MessageCount{New: 1}) || counts[1] != (pbx.MessageCount{}) {
		t.Error(counts)
	}
	if s := i.mailer.Stats(); s.Sent != 1 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}
