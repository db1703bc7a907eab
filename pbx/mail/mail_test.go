package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode"

	"ringback/pbx"
)

// certificate is one of this machine's addresses, and who believes it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// listen has an SMTP server at an address of this machine.
func listen(t *testing.T, o *office, wrap func(net.Listener) net.Listener) (address string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if wrap != nil {
		l = wrap(l)
	}
	o.serve(l)
	t.Cleanup(o.close)
	return address
}

// deliver sends what is on a shelf, once.
func deliver(t *testing.T, o Options) (*Mailer, string) {
	t.Helper()
	log := new(logged)
	o.Log, o.Mailbox = log.logger(), mailbox
	if o.From == "" {
		o.From = "pbx@example.com"
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	m.round(t.Context())
	return m, log.String()
}

// part is a part of a mail, or one that has none, decoded.
type part struct {
	header func(string) string
	body   []byte
}

// read takes a mail apart with what the standard library has for it.
func read(t *testing.T, data []byte) (netmail.Header, []part) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	for line := range strings.SplitSeq(string(data), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line that RFC 5322 does not have: %q", line)
		}
	}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "multipart/mixed" {
		return m.Header, []part{{m.Header.Get, decoded(t, m.Header.Get, m.Body)}}
	}
	var parts []part
	for r := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return m.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part{p.Header.Get, decoded(t, p.Header.Get, p)})
	}
}

func decoded(t *testing.T, header func(string) string, r io.Reader) []byte {
	t.Helper()
	switch header("Content-Transfer-Encoding") {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	default:
		t.Errorf("encoding %q", header("Content-Transfer-Encoding"))
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMail: the mail as its reader gets it, by STARTTLS and with a password.
func TestMail(t *testing.T) {
	cert, roots := certificate(t)
	o := newOffice()
	o.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	address := listen(t, o, nil)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	v := message("18a0c", "1000")
	v.FromName, v.Urgent = "Jürgen Groß", true
	s := newShelf(v)
	m, _ := deliver(t, Options{Server: address, TLS: STARTTLS, User: "pbx", Password: "hunter2 secret", Roots: roots, Zone: berlin, Messages: s, Name: "Büro"})
	got := o.got()
	if len(got) != 1 || got[0].from != "pbx@example.com" || got[0].to != "alice@example.com" || m.Stats() != (Stats{Sent: 1}) || !s.isMailed("18a0c") {
		t.Fatalf("%+v, %+v", got, m.Stats())
	}
	h, parts := read(t, got[0].data)
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != "Urgent voice message from Jürgen Groß (1005), 42 seconds" {
		t.Errorf("%q, %v", subject, err)
	}
	if from, err := netmail.ParseAddress(h.Get("From")); err != nil || *from != (netmail.Address{Name: "Büro", Address: "pbx@example.com"}) {
		t.Error(from, err)
	}
	if to, err := netmail.ParseAddressList(h.Get("To")); err != nil || len(to) != 1 || to[0].Address != "alice@example.com" {
		t.Error(to, err)
	}
	if at, err := h.Date(); err != nil || time.Since(at) > time.Hour || time.Until(at) > time.Second {
		t.Error(at, err)
	}
	for name, want := range map[string]string{"Message-Id": "<voicemail.18a0c@example.com>", "Auto-Submitted": "auto-generated", "Importance": "high", "Mime-Version": "1.0"} {
		if h.Get(name) != want {
			t.Errorf("%s: %q", name, h.Get(name))
		}
	}
	if len(parts) != 2 {
		t.Fatal(len(parts), "parts")
	}
	const text = "Urgent voice message in mailbox 1000.\r\n\r\nFrom:    Jürgen Groß (1005)\r\nWhen:    Monday, 2 March 2026, 18:05:09 CET\r\n" +
		"Length:  42 seconds\r\nMailbox: Alice (1000)\r\n\r\nThe message is attached, and kept in the mailbox.\r\n"
	if string(parts[0].body) != text || parts[0].header("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%q", parts[0].body)
	}
	if kind, parameters, err := mime.ParseMediaType(parts[1].header("Content-Disposition")); err != nil || kind != "attachment" || parameters["filename"] != "voicemail-18a0c.wav" {
		t.Error(kind, parameters, err)
	}
	if kind, _, err := mime.ParseMediaType(parts[1].header("Content-Type")); err != nil || kind != "audio/wav" || !bytes.Equal(parts[1].body, s.sounds["18a0c"]) {
		t.Errorf("%s of %d bytes, want %d: %v", kind, len(parts[1].body), len(s.sounds["18a0c"]), err)
	}
}

// TestSizes: every length of a sound arrives as it is.
func TestSizes(t *testing.T) {
	for _, n := range []int{0, 1, 56, 57, 58, 3647, 3648, 3649, 100_003} {
		sound := wav(n)[4:]
		l := &letter{v: message("1", "1000"), box: boxes["1000"], sound: bytes.NewReader(sound), size: int64(n), date: evening}
		l.from.Address, l.to.Address = "a@example.com", "b@example.com"
		var b bytes.Buffer
		if err := l.write(&b); err != nil {
			t.Fatal(err)
		}
		if _, parts := read(t, b.Bytes()); len(parts) != 2 || !bytes.Equal(parts[1].body, sound) {
			t.Errorf("%d bytes are not the same", n)
		}
		var e bytes.Buffer
		if err := encode(&e, bytes.NewReader(sound), int64(n)); err != nil || int64(e.Len()) > encodedSize(int64(n)) {
			t.Errorf("%d bytes take %d, not %d; %v", n, e.Len(), encodedSize(int64(n)), err)
		}
		var f *failure
		if err := encode(io.Discard, bytes.NewReader(sound), int64(n)+1); !errors.As(err, &f) || !errors.Is(err, errShort) {
			t.Error(err)
		}
	}
}

// TestWithoutSound: who wants none, and what is too long.
func TestWithoutSound(t *testing.T) {
	o := newOffice()
	o.server.MaxMessageBytes = 20_000
	address := listen(t, o, nil)
	s := newShelf(message("1", "1001"), message("2", "1000"), message("3", "1003"))
	s.sounds["2"], s.sounds["3"] = wav(15_000), wav(15_000)
	hidden := message("4", "1001")
	hidden.From, hidden.FromName, hidden.Length = "", "", 61*time.Second
	s.add(hidden, wav(1))
	deliver(t, Options{Server: address, Messages: s})
	got := o.got()
	if len(got) != 4 {
		t.Fatal(got)
	}
	for i, want := range []string{"The message is in the mailbox.", "too long to be attached. It is in the mailbox", "too long to be attached. It is in the mailbox", "From:    a caller who hides his number\r\n"} {
		if _, parts := read(t, got[i].data); len(parts) != 1 || !strings.Contains(string(parts[0].body), want) {
			t.Errorf("mail %d: %s", i, got[i].data)
		}
	}
	if h, _ := read(t, got[3].data); h.Get("Subject") != "Voice message from a caller who hides his number, 1:01 minutes" {
		t.Error(h.Get("Subject"))
	}
	if len(s.removed) > 0 {
		t.Error("a message was deleted whose sound was not sent:", s.removed)
	}
	if l := (maxSound + lineBytes - 1) / lineBytes * 78; int64(l) != encodedSize(maxSound) {
		t.Error(l, encodedSize(maxSound))
	}
}

// TestStrangers: what callers call themselves is text in one place of the mail, and bounded.
func TestStrangers(t *testing.T) {
	for _, x := range []struct{ number, name, want string }{
		{"1005", "Eve\r\nBcc: mallory@example.com", "Eve Bcc: mallory@example.com (1005)"},
		{"1005\r\n\r\nHello", "Eve", "Eve (1005 Hello)"},
		{"1005", "=?utf-8?q?a=0D=0Ab?=", "= ?utf-8?q?a=0D=0Ab?= (1005)"},
		{"1005", "a\x00b\x1b[31mc\u202ed\u2028e", "ab[31mcd e (1005)"},
		{"1005", "\xff\xfe", "1005"},
		{"1005", "  ", "1005"},
		{"1005", "1005", "1005"},
		{"1005", strings.Repeat("ü", 1000), strings.Repeat("ü", 63) + "… (1005)"},
		{strings.Repeat("1", 100), "Eve", "Eve (" + strings.Repeat("1", 63) + "…)"},
		{"1005", "王小明", "王小明 (1005)"},
	} {
		v := message("1", "1001")
		v.From, v.FromName = x.number, x.name
		h, body := written(t, v)
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if want := "Voice message from " + x.want + ", 42 seconds"; err != nil || subject != want {
			t.Errorf("%q, want %q; %v", subject, want, err)
		}
		if len(h) != 9 || !strings.Contains(body, "From:    "+x.want+"\r\n") {
			t.Errorf("%v\n%s", h, body)
		}
	}
}

// written is a mail about a message without its sound.
func written(t *testing.T, v pbx.VoiceMessage) (netmail.Header, string) {
	t.Helper()
	l := &letter{v: v, box: boxes["1001"], date: evening, id: "x@y"}
	l.from.Address, l.to.Address = "a@example.com", "b@example.com"
	var b bytes.Buffer
	if err := l.write(&b); err != nil {
		t.Fatal(err)
	}
	h, parts := read(t, b.Bytes())
	if len(parts) != 1 {
		t.Fatal(len(parts))
	}
	return h, string(parts[0].body)
}

func FuzzStrangers(f *testing.F) {
	f.Add("1005", "Erin", "1", int64(42))
	f.Add("1005\r\nX: y", "=?utf-8?b?DQo=?=\x00", "../../etc/passwd", int64(-1))
	f.Fuzz(func(t *testing.T, number, name, id string, length int64) {
		v := pbx.VoiceMessage{ID: id, Mailbox: "1001", From: number, FromName: name, At: evening, Length: time.Duration(length)}
		h, body := written(t, v)
		subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if err != nil || len(h) != 9 || strings.Count(body, "\r\n") != 8 || strings.ContainsFunc(subject, unicode.IsControl) {
			t.Errorf("%q: %v\n%v\n%s", subject, err, h, body)
		}
		if file := (&letter{v: v}).file(); strings.ContainsAny(file, "/\\\r\n\"") {
			t.Errorf("%q", file)
		}
	})
}

// TestProtection: without the protection that is asked for, neither password nor mail goes out.
func TestProtection(t *testing.T) {
	cert, roots := certificate(t)
	secure := &tls.Config{Certificates: []tls.Certificate{cert}}
	implicit := func(l net.Listener) net.Listener { return tls.NewListener(l, secure) }
	for _, x := range []struct {
		name     string
		starttls bool
		wrap     func(net.Listener) net.Listener
		o        Options
		sent     bool
		logins   int
		says     string
	}{
		{"tls", false, implicit, Options{TLS: TLS, Roots: roots, User: "pbx", Password: "hunter2 secret"}, true, 1, ""},
		{"an unknown certificate", false, implicit, Options{TLS: TLS, User: "pbx", Password: "hunter2 secret"}, false, 0, "certificate"},
		{"STARTTLS with an unknown certificate", true, nil, Options{TLS: STARTTLS, User: "pbx", Password: "hunter2 secret"}, false, 0, "certificate"},
		{"no STARTTLS", false, nil, Options{TLS: STARTTLS, User: "pbx", Password: "hunter2 secret"}, false, 0, "STARTTLS"},
		{"this machine", false, nil, Options{User: "pbx", Password: "hunter2 secret"}, true, 1, ""},
		{"no password", false, nil, Options{TLS: None}, true, 0, ""},
		{"a wrong password", true, nil, Options{TLS: STARTTLS, Roots: roots, User: "pbx", Password: "hunter3 wrong"}, false, 1, "535"},
	} {
		t.Run(x.name, func(t *testing.T) {
			o := newOffice()
			o.server.AllowInsecureAuth = true
			if x.starttls {
				o.server.TLSConfig = secure
			}
			x.o.Server = listen(t, o, x.wrap)
			x.o.Messages = newShelf(message("1", "1000"))
			m, log := deliver(t, x.o)
			if s := m.Stats(); (len(o.got()) == 1) != x.sent || (s.Sent == 1) != x.sent || (s.Waiting == 0) != x.sent || s.Failed != 0 {
				t.Errorf("%d mails, %+v\n%s", len(o.got()), s, log)
			}
			if len(o.logins) != x.logins || !strings.Contains(log, x.says) || strings.Contains(log, "hunter") {
				t.Errorf("%q, %s", o.logins, log)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	good := Options{Server: "smtp.example.com:587", From: "pbx@example.com"}
	for _, x := range []struct {
		set  func(*Options)
		want string // of the error; or TLS
	}{
		{func(*Options) {}, STARTTLS},
		{func(o *Options) { o.Server = "smtp.example.com:465" }, TLS},
		{func(o *Options) { o.Server = "localhost:25" }, None},
		{func(o *Options) { o.Server = "[::1]:25" }, None},
		{func(o *Options) { o.TLS, o.User = None, "x" }, "a password is not sent to smtp.example.com without TLS"},
		{func(o *Options) { o.TLS = None }, None},
		{func(o *Options) { o.TLS = "ssl" }, `not "ssl"`},
		{func(o *Options) { o.Server = "smtp.example.com" }, "must be a host with a port"},
		{func(o *Options) { o.Server = "smtp.example.com:smtp" }, "is not a port"},
		{func(o *Options) { o.From = "PBX <pbx@example.com>" }, "from an address"},
		{func(o *Options) { o.From = "" }, "from an address"},
	} {
		o := good
		x.set(&o)
		m, err := New(o)
		if err == nil && m.o.TLS != x.want || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestNotStarted: a Mailer need not be started, and is told without waiting.
func TestNotStarted(t *testing.T) {
	m, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		m.Changed("1000")
	}
	m.Close()
	m.Close()
}

// BenchmarkLetter is a mail with a minute of sound.
func BenchmarkLetter(b *testing.B) {
	sound := wav(60 * 16000)
	b.ReportAllocs()
	b.SetBytes(int64(len(sound)))
	for b.Loop() {
		l := &letter{v: message("1", "1000"), box: boxes["1000"], sound: bytes.NewReader(sound), size: int64(len(sound)), date: evening}
		if err := l.write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
