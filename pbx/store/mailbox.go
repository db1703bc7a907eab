package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"ringback/pbx"
)

// ListMailboxes returns up to limit mailboxes (0: all) in the order of their numbers, those after a number only. They are
// copies.
func (s *Store) ListMailboxes(_ context.Context, after string, limit int) ([]pbx.Mailbox, error) {
	return mailboxes.list(s, after, limit), nil
}

// GetMailbox returns a copy of one mailbox, or ErrNotFound.
func (s *Store) GetMailbox(_ context.Context, number string) (pbx.Mailbox, error) {
	return mailboxes.get(s, number)
}

// CreateMailbox adds a mailbox. What is left out means: Name = Number, as many and as long messages as usual. The hash of m counts
// for nothing, pin is its PIN; nil or "": it has none. by is who does it. Errors: *ValidationError, ErrExists.
func (s *Store) CreateMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return s.saveMailbox(ctx, by, m, pin, false)
}

// ReplaceMailbox changes the mailbox of m.Number as a whole, but for a PIN that is not given (nil). Errors: *ValidationError,
// ErrNotFound.
func (s *Store) ReplaceMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string) (pbx.Mailbox, error) {
	return s.saveMailbox(ctx, by, m, pin, true)
}

// MailboxUsers are the extensions whose messages a mailbox keeps, in order.
func (s *Store) MailboxUsers(mailbox string) (numbers []string) {
	for number, x := range s.directory.Load().extensions {
		if x.Box() == mailbox {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// SetMailboxPIN implements pbx.Settings. Errors: *ValidationError, ErrNotFound.
func (s *Store) SetMailboxPIN(ctx context.Context, mailbox, pin string, by pbx.Set) error {
	hash, err := s.mailboxPIN(ctx, pin)
	if err != nil {
		return err
	}
	m := pbx.Mailbox{Number: mailbox}
	return mailboxes.save(ctx, s, &m, true, func(_ *draft, old *pbx.Mailbox) error {
		m = clone(*old) // as it is now, not as it was before the PIN was hashed
		m.PINHash = hash
		newMarker(by).mailbox(old, &m)
		return nil
	})
}

// mailboxPIN is the hash of a new PIN.
func (s *Store) mailboxPIN(ctx context.Context, pin string) (hash string, err error) {
	if err := checkPIN(pin); err != nil {
		return "", err
	}
	err = s.hash(ctx, func() { hash = hashPassword(pin) })
	return hash, err
}

func (s *Store) saveMailbox(ctx context.Context, by pbx.Set, m pbx.Mailbox, pin *string, replace bool) (pbx.Mailbox, error) {
	m = clone(m)
	fillMailbox(&m)
	hash := ""
	if pin != nil && *pin != "" {
		var err error
		if hash, err = s.mailboxPIN(ctx, *pin); err != nil {
			return pbx.Mailbox{}, err
		}
	}
	err := mailboxes.save(ctx, s, &m, replace, func(_ *draft, old *pbx.Mailbox) error {
		if m.PINHash = old.PINHash; pin != nil {
			m.PINHash = hash
		}
		newMarker(by).mailbox(old, &m)
		return checkMailbox(&m)
	})
	if err != nil {
		return pbx.Mailbox{}, err
	}
	return m, nil
}

// fillMailbox puts the defaults in.
func fillMailbox(m *pbx.Mailbox) {
	if m.Name == "" {
		m.Name = m.Number
	}
	if m.MaxMessages == 0 {
		m.MaxMessages = pbx.DefaultMailboxMessages
	}
	if m.MaxSeconds == 0 {
		m.MaxSeconds = pbx.DefaultMessageSeconds
	}
}

func checkMailbox(m *pbx.Mailbox) error {
	switch {
	case m.MaxMessages < 1 || m.MaxMessages > pbx.MaxMailboxMessages:
		return invalid("max_messages", "max_messages must be 0 or between 1 and %d.", pbx.MaxMailboxMessages)
	case m.MaxSeconds < pbx.MinMessageSeconds || m.MaxSeconds > pbx.MaxMessageSeconds:
		return invalid("max_seconds", "max_seconds must be 0 or between %d and %d.", pbx.MinMessageSeconds, pbx.MaxMessageSeconds)
	case m.DeleteSent && !m.Attach:
		return invalid("delete_sent", "Messages can be deleted once they are sent only where attach is on: their sound would be lost.")
	case m.Operator == pbx.MailboxTarget+m.Number:
		return invalid("operator", "A mailbox is not its own operator: who wants to speak to somebody would hear it again.")
	case m.Attach && m.Email == "":
		return invalid("attach", "attach needs an email.")
	}
	return first(checkNumber(m.Number), checkName(m.Name), checkEmail("email", m.Email), checkTarget("operator", m.Operator), checkSet("set", m.Set))
}

// checkEmail takes one address, name@host, without a display name.
func checkEmail(field, address string) error {
	if address == "" {
		return nil
	}
	name, host, ok := strings.Cut(address, "@")
	printable := strings.IndexFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>()[]\,;:"`, r) }) < 0
	if !ok || name == "" || host == "" || strings.Contains(host, "@") || len(address) > 254 || !printable {
		return invalid(field, "%s is not an e-mail address such as alice@example.com.", quoted(address))
	}
	return nil
}

// missingMailbox is the mailbox that an extension needs for its voicemail and has not got; nil if it needs none.
func (d *directory) missingMailbox(e *pbx.Extension, v *pbx.Voicemail) *pbx.Mailbox {
	if !v.On || v.Box != "" || d.mailboxes[e.Number] != nil {
		return nil
	}
	m := &pbx.Mailbox{Number: e.Number, Name: e.Name, Enabled: true, Set: v.Set}
	fillMailbox(m)
	return m
}

// DeleteMailbox removes a mailbox. Its messages are not part of the store: see OnMailbox. Errors: ErrNotFound,
// *ValidationError when it is in use.
func (s *Store) DeleteMailbox(ctx context.Context, number string) error {
	return mailboxes.remove(ctx, s, number, func(d *draft) error {
		if where := d.usesOfMailbox(number); len(where) > 0 {
			return invalid("number", "Mailbox %s is used by %s: change that first.", number, some(where))
		}
		return nil
	})
}

// CheckMailboxPIN implements pbx.Settings. It takes the time of CheckPIN, and after as many wrong ones every one is wrong for as long.
func (s *Store) CheckMailboxPIN(ctx context.Context, mailbox, pin string) bool {
	if checkPIN(pin) != nil {
		return false
	}
	hash := ""
	if m := s.Mailbox(mailbox); m != nil {
		hash = m.PINHash
	}
	set := hash != ""
	if !set {
		hash = nobody
	}
	ok := false
	err := s.hash(ctx, func() { ok = verifyPassword(hash, pin) })
	return err == nil && set && s.pins.judge("mailbox "+mailbox, ok, time.Now())
}
