package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"gorm.io/gorm"
)

// Errors of the store, for errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrLocked   = errors.New("in use by another instance")
	ErrNewer    = errors.New("made by a newer version")
	ErrClosed   = errors.New("the store is closed")
	ErrOverload = errors.New("the journal cannot keep up with the disk")
)

// ValidationError says what is wrong with a value, in a sentence for the person who gave it.
type ValidationError struct {
	Field    string // name as in the REST API
	Sentence string
}

func (e *ValidationError) Error() string { return e.Sentence }

func invalid(field, format string, args ...any) error {
	return &ValidationError{field, fmt.Sprintf(format, args...)}
}

// known turns the database's errors into the package's.
func known(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return fmt.Errorf("%s: %w", what, ErrExists)
	case full(err):
		return fmt.Errorf("%s: the disk is full: %w", what, syscall.ENOSPC)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// sentence makes a sentence of an error's text.
func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "It is wrong."
	}
	if c := text[0]; c >= 'a' && c <= 'z' {
		text = string(c-32) + text[1:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// asInvalid is err as a ValidationError.
func asInvalid(field string, err error) error {
	var v *ValidationError
	if errors.As(err, &v) {
		return v
	}
	return invalid(field, "%s", sentence(err.Error()))
}
