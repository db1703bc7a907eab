package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"time"

	"ringback/pbx"
)

// letter is a mail about a message.
type letter struct {
	from, to netmail.Address
	id       string // Message-ID; the same at each attempt, so that whoever gets it twice can tell
	date     time.Time
	v        pbx.VoiceMessage
	box      *pbx.Mailbox
	sound    io.Reader // what is attached, nil for nothing
	size     int64     // of it, in bytes
	tooLarge bool      // it would have been attached
}

// errShort says that the sound ended too early: it is being deleted, or the disk is broken.
var errShort = errors.New("the file of the message is shorter than it was")

// write writes the mail as RFC 5322 and MIME (RFC 2045) have it. An error of the sound is a *failure.
func (l *letter) write(w io.Writer) error {
	kind := "Voice message"
	if l.v.Urgent {
		kind = "Urgent voice message"
	}
	var head strings.Builder
	field := func(name, value string) { head.WriteString(fold(name + ": " + value)) }
	field("From", l.from.String())
	field("To", l.to.String())
	field("Subject", mime.QEncoding.Encode("utf-8", fmt.Sprintf("%s from %s, %s", kind, caller(l.v), length(l.v.Length))))
	field("Date", l.date.Format(time.RFC1123Z))
	field("Message-ID", "<"+l.id+">")
	field("Auto-Submitted", "auto-generated") // RFC 3834 §5: no absence notice answers it
	if l.v.Urgent {
		field("Importance", "high") // RFC 2156 §5.3.4
	}
	field("MIME-Version", "1.0")
	parts := multipart.NewWriter(w)
	if l.sound != nil {
		field("Content-Type", `multipart/mixed; boundary="`+parts.Boundary()+`"`)
		head.WriteString("\r\n")
		if _, err := io.WriteString(w, head.String()); err != nil {
			return err
		}
		part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
		if err != nil {
			return err
		}
		w = part
	} else {
		head.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		if _, err := io.WriteString(w, head.String()); err != nil {
			return err
		}
	}
	text := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(text, l.text(kind)); err != nil {
		return err
	}
	if err := text.Close(); err != nil || l.sound == nil {
		return err
	}
	part, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Type":              {mime.FormatMediaType("audio/wav", map[string]string{"name": l.file()})},
		"Content-Disposition":       {mime.FormatMediaType("attachment", map[string]string{"filename": l.file()})},
		"Content-Transfer-Encoding": {"base64"},
	})
	if err != nil {
		return err
	}
	if err := encode(part, l.sound, l.size); err != nil {
		return err
	}
	return parts.Close()
}

// text is what the mail says.
func (l *letter) text(kind string) string {
	var b strings.Builder
	row := func(name, value string) { fmt.Fprintf(&b, "%-9s%s\n", name+":", value) }
	fmt.Fprintf(&b, "%s in mailbox %s.\n\n", kind, clean(l.box.Number))
	row("From", caller(l.v))
	row("When", l.v.At.In(l.date.Location()).Format("Monday, 2 January 2006, 15:04:05 MST"))
	row("Length", length(l.v.Length))
	row("Mailbox", person(l.box.Number, l.box.Name))
	b.WriteString("\n")
	switch {
	case l.sound != nil && l.box.DeleteSent:
		b.WriteString("The message is attached. It is not kept in the mailbox.\n")
	case l.sound != nil:
		b.WriteString("The message is attached, and kept in the mailbox.\n")
	case l.tooLarge:
		b.WriteString("The message is too long to be attached. It is in the mailbox.\n")
	default:
		b.WriteString("The message is in the mailbox.\n")
	}
	return b.String()
}

// file is the name of the attachment. IDs are letters and digits; another would not make a path of it.
func (l *letter) file() string {
	return "voicemail-" + strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune(`/\:"'<>|?*%`, r) {
			return r
		}
		return '_'
	}, l.v.ID) + ".wav"
}

// encodedSize is how many bytes a sound takes in base64, with the ends of lines.
func encodedSize(size int64) int64 { return (size + lineBytes - 1) / lineBytes * (lineBytes/3*4 + 2) }

// lineBytes fill a line of base64 (RFC 2045 §6.8: at most 76 characters).
const lineBytes = 57

// encode writes size bytes of r in lines of base64.
func encode(w io.Writer, r io.Reader, size int64) error {
	var raw [64 * lineBytes]byte
	out := make([]byte, 0, encodedSize(int64(len(raw))))
	for size > 0 {
		n, err := io.ReadFull(r, raw[:min(int64(len(raw)), size)])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errShort
		}
		if err != nil {
			return &failure{err: err}
		}
		size -= int64(n)
		out = out[:0]
		for rest := raw[:n]; len(rest) > 0; {
			line := rest[:min(lineBytes, len(rest))]
			rest = rest[len(line):]
			out = append(base64.StdEncoding.AppendEncode(out, line), '\r', '\n')
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

// fold breaks a header field into lines of at most 76 characters (RFC 5322 §2.2.3), where it has spaces.
func fold(field string) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Split(field, " ") {
		switch {
		case i == 0:
		case at+1+len(word) > 76 && i > 1: // not behind the name, which would leave a line of nothing
			b.WriteString("\r\n ")
			at = 1
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteString("\r\n")
	return b.String()
}
