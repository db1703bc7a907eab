package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"ringback/media/wav"
	"ringback/pbx"
)

// HasGreeting implements pbx.MessageStore.
func (a *Archive) HasGreeting(mailbox string, g pbx.Greeting) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[mailbox]
	return b != nil && b.greetings[g]
}

func (a *Archive) setGreeting(mailbox string, g pbx.Greeting, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.box(mailbox).greetings[g] = there
}

// Greeting opens the WAV file of a greeting. Errors: pbx.ErrNoSuchSound.
func (a *Archive) Greeting(mailbox string, g pbx.Greeting) (f io.ReadSeekCloser, size int64, modified time.Time, err error) {
	if !isNumber(mailbox) || !isGreeting(g) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	return a.read(greetingPath(mailbox, g))
}

// Greet implements pbx.MessageStore. It waits until the disk has taken the beginning, but not long.
func (a *Archive) Greet(ctx context.Context, mailbox string, g pbx.Greeting) (pbx.Tape, error) {
	if err := checkGreeting(mailbox, g); err != nil {
		return nil, err
	}
	t, err := a.start(&greeting{mailbox, g, a.ids.next()}, 1, longestGreeting)
	if err != nil {
		return nil, err
	}
	if err := t.begins(ctx); err != nil {
		t.Drop()
		return nil, err
	}
	return t, nil
}

func checkGreeting(mailbox string, g pbx.Greeting) error {
	if !isNumber(mailbox) {
		return fmt.Errorf("%q is not the number of a mailbox", mailbox)
	}
	if !isGreeting(g) {
		return fmt.Errorf("there is no greeting %q", g)
	}
	return nil
}

// PutGreeting puts a WAV file in the place of a greeting. An error of type wav.Refused says to whoever gave it what is wrong with it; then
// nothing has changed.
func (a *Archive) PutGreeting(ctx context.Context, mailbox string, g pbx.Greeting, file io.Reader) error {
	if err := checkGreeting(mailbox, g); err != nil {
		return err
	}
	samples, err := wav.Read(file, wav.Limits{Duration: longestGreeting})
	if err != nil {
		return err
	}
	if free, err := a.files.Free(); err != nil {
		return problemOf(err)
	} else if free < a.opts.MinFree {
		return errSpace
	}
	as := &greeting{mailbox, g, a.ids.next()}
	return a.change(ctx, func(context.Context) error {
		part, _ := as.names()
		if err := a.write(part, samples); err != nil {
			_ = a.files.Remove(part)
			return problemOf(err)
		}
		return as.place(a)
	})
}

// write makes a file of samples, durable.
func (a *Archive) write(name string, samples []int16) error {
	if err := a.files.Mkdir(path.Dir(name)); err != nil {
		return err
	}
	f, err := a.files.Create(name)
	if err != nil {
		return err
	}
	err = wav.WritePCM(io.NewOffsetWriter(f, 0), samples, wav.Rate)
	return errors.Join(err, f.Sync(), f.Close())
}

// RemoveGreeting implements pbx.MessageStore.
func (a *Archive) RemoveGreeting(ctx context.Context, mailbox string, g pbx.Greeting) error {
	if !isNumber(mailbox) || !isGreeting(g) {
		return nil
	}
	return a.change(ctx, func(context.Context) error { return a.removeGreeting(mailbox, g) })
}

// removeGreeting does it. Under change.
func (a *Archive) removeGreeting(mailbox string, g pbx.Greeting) error {
	if !a.HasGreeting(mailbox, g) {
		return nil
	}
	if err := a.removeFile(greetingPath(mailbox, g)); err != nil {
		return err
	}
	a.setGreeting(mailbox, g, false)
	return nil
}

// greeting is the purpose of a greeting's tape. It has no row: what is not kept before the process ends was not meant to be.
type greeting struct {
	box string
	g   pbx.Greeting
	id  string
}

func (g *greeting) mailbox() string { return g.box }

func (g *greeting) names() (string, string) {
	return boxDir(g.box) + "/" + greetingName + string(g.g) + "." + g.id + part, greetingPath(g.box, g.g)
}

// place gives the greeting its name.
func (g *greeting) place(a *Archive) error {
	part, whole := g.names()
	if err := a.files.Rename(part, whole); err != nil {
		return errors.Join(problemOf(err), a.files.Remove(part))
	}
	a.setGreeting(g.box, g.g, true)
	return problemOf(a.files.SyncDir(path.Dir(whole)))
}

func (*greeting) begin(*Archive) error { return nil }

func (g *greeting) keep(a *Archive, _ int64, _ time.Duration, _ error) error {
	return a.commit(a.ctx, func(context.Context) error {
		_, err := a.files.Stat(greetingPath(g.box, g.g)) // it may have been removed since it has its name
		a.setGreeting(g.box, g.g, err == nil)
		return nil
	})
}

func (*greeting) lost(*Archive)               {}
func (*greeting) drop(*Archive) error         { return nil }
func (*greeting) closed(time.Duration) ending { return dropped }

// read opens a file that is whole.
func (a *Archive) read(name string) (io.ReadSeekCloser, int64, time.Time, error) {
	f, err := a.files.Read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, time.Time{}, pbx.ErrNoSuchSound
	}
	if err != nil {
		return nil, 0, time.Time{}, problemOf(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, time.Time{}, errors.Join(problemOf(err), f.Close())
	}
	return f, info.Size(), info.ModTime(), nil
}

// removeFile removes a file for good. It is no error if it is not there.
func (a *Archive) removeFile(name string) error {
	err := a.files.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = a.files.SyncDir(path.Dir(name))
	}
	return problemOf(err)
}
