package archive

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// problem is why sound is missing, in a sentence for people, with the error that it came from.
type problem struct {
	sentence string
	cause    error
}

func (p *problem) Error() string { return p.sentence }
func (p *problem) Unwrap() error { return p.cause }

var (
	errSlow    = &problem{sentence: "The disk is too slow."}
	errStuck   = &problem{sentence: "The disk does not answer."}
	errEmpty   = &problem{sentence: "Nothing was recorded."}
	errDropped = &problem{sentence: "The recording was thrown away."}
	errStopped = &problem{sentence: "The PBX was stopped while it was recorded."}
	errSpace   = &problem{sentence: "The disk is full.", cause: syscall.ENOSPC}
)

// problemOf says err of the disk or of the rows in a sentence.
func problemOf(err error) error {
	var p *problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &problem{errSpace.sentence, err}
	case errors.Is(err, syscall.EROFS):
		return &problem{"The disk cannot be written to.", err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &problem{"The disk has not taken it in time.", err}
	}
	return &problem{"The disk did not take it.", err}
}

func tooLong(what fmt.Stringer) error {
	return &problem{sentence: fmt.Sprintf("It has the greatest length, %s.", what)}
}
