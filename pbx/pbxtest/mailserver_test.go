package pbxtest

import (
	"encoding/base64"
	"net/smtp"
	"strings"
	"testing"
)

func TestMailServer(t *testing.T) {
	s, err := NewMailServer()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := strings.ReplaceAll(`From: pbx@example.test
To: <bob@example.test>
Date: Sat, 21 Nov 2026 17:00:00 +0000
Subject: =?utf-8?q?Neue_Nachricht_f=C3=BCr_1000?=
Message-ID: <1@example.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

A message=2E
--x
Content-Type: audio/wav
Content-Disposition: attachment; filename="m.wav"
Content-Transfer-Encoding: base64

`+base64.StdEncoding.EncodeToString([]byte("sound"))+`
--x--
`, "\n", "\r\n")
	if err := smtp.SendMail(s.Addr(), nil, "pbx@example.test", []string{"bob@example.test"}, []byte(text)); err != nil {
		t.Fatal(err)
	}
	m, err := s.Next(t.Context(), "bob@example.test")
	if err != nil {
		t.Fatal(err)
	}
	if m.From != "pbx@example.test" || m.Subject != "Neue Nachricht für 1000" || strings.TrimSpace(m.Text) != "A message." || len(m.Files) != 1 ||
		m.Files[0].Name != "m.wav" || m.Files[0].Type != "audio/wav" || string(m.Files[0].Content) != "sound" {
		t.Errorf("%+v", m)
	}
	for _, change := range [][2]string{{"Date:", "X-Date:"}, {"1.0", ""}, {"boundary=x", ""}, {"A message", strings.Repeat("long ", 200)}} {
		if err := smtp.SendMail(s.Addr(), nil, "pbx@example.test", []string{"bob@example.test"}, []byte(strings.Replace(text, change[0], change[1], 1))); err == nil {
			t.Errorf("it takes %q in place of %q", change[1], change[0])
		}
	}
}
