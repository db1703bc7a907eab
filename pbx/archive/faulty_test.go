package archive

import (
	"cmp"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// disk is a file system that is full, slow, broken or does not answer on demand.
type disk struct {
	files
	mu    sync.Mutex
	space int64            // bytes that may still be written; negative: as many as there are
	free  int64            // what Free says; negative: the truth
	slow  time.Duration    // each write takes
	bad   map[string]error // what an operation fails with
	hold  chan struct{}    // not nil: each operation waits until it is closed
	power *power           // nil: it is never cut
}

func newDisk(t testing.TB, dir string) *disk {
	t.Helper()
	f, err := openRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{files: f, space: -1, free: -1, bad: map[string]error{}}
}

// set changes it under its lock.
func (d *disk) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// op is what each operation begins with.
func (d *disk) op(name string) error {
	d.mu.Lock()
	hold, err, slow := d.hold, d.bad[name], d.slow
	d.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if slow > 0 && name == "write" {
		time.Sleep(slow)
	}
	return cmp.Or(err, d.power.use())
}

// do is an operation that the power may have been cut in.
func (d *disk) do(name string, f func() error) error {
	err := d.op(name)
	if err == nil || err == errDying {
		err = cmp.Or(f(), err)
	}
	return err
}

// power is cut after some operations.
type power struct {
	mu   sync.Mutex
	left int  // operations; negative: it is not cut
	torn bool // the last one takes effect, or half of it, and nobody hears of it
}

var (
	errDead  = fmt.Errorf("the power is off: %w", syscall.EIO)
	errDying = fmt.Errorf("the power goes off: %w", syscall.EIO)
)

func (p *power) use() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.left < 0:
		return nil
	case p.left == 0:
		return errDead
	}
	if p.left--; p.left == 0 {
		if p.torn {
			return errDying
		}
		return errDead
	}
	return nil
}

func (p *power) armed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left >= 0
}

func (p *power) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left == 0
}

func (d *disk) Create(name string) (file, error) {
	var f file
	err := d.do("create", func() (err error) { f, err = d.files.Create(name); return err })
	if err != nil {
		return nil, err
	}
	return diskFile{f, d}, nil
}

func (d *disk) Mkdir(dir string) error {
	return d.do("mkdir", func() error { return d.files.Mkdir(dir) })
}

func (d *disk) Rename(from, to string) error {
	return d.do("rename", func() error { return d.files.Rename(from, to) })
}

func (d *disk) Remove(name string) error {
	return d.do("remove", func() error { return d.files.Remove(name) })
}

func (d *disk) SyncDir(string) error { return d.op("sync") }

func (d *disk) Read(name string) (reading, error) {
	if err := d.op("read"); err != nil {
		return nil, err
	}
	return d.files.Read(name)
}

func (d *disk) Free() (int64, error) {
	if err := d.op("free"); err != nil {
		return 0, err
	}
	d.mu.Lock()
	free := d.free
	d.mu.Unlock()
	if free >= 0 {
		return free, nil
	}
	return d.files.Free()
}

type diskFile struct {
	file
	d *disk
}

func (f diskFile) WriteAt(b []byte, off int64) (int, error) {
	err := f.d.op("write")
	if err == errDying {
		_, _ = f.file.WriteAt(b[:len(b)/2], off)
	}
	if err != nil {
		return 0, err
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	n := len(b)
	if f.d.space >= 0 && off > 0 { // the header is there already when it is written again
		n = int(min(int64(n), f.d.space))
		f.d.space -= int64(n)
	}
	wrote, err := f.file.WriteAt(b[:n], off)
	if err == nil && wrote < len(b) {
		err = syscall.ENOSPC
	}
	return wrote, err
}

func (f diskFile) Sync() error {
	return f.d.op("sync") // a process that ends loses nothing that was written
}
