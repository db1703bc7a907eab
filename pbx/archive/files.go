package archive

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// files is the part of the operating system that the archive needs, below the data directory. Names have slashes. Tests put a disk
// that is slow, full or broken in its place.
type files interface {
	Create(name string) (file, error) // fails if it exists
	Open(name string) (file, error)   // to read and write
	Read(name string) (reading, error)
	Stat(name string) (fs.FileInfo, error)
	Names(dir string) ([]string, error) // of what is in it; none if it is not there
	Mkdir(dir string) error             // and all above, durable; no error if it exists
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
	Free() (int64, error) // bytes of the disk
	Close() error
}

type file interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

type reading interface {
	io.ReadSeekCloser
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

type rootFiles struct{ *os.Root }

func openRoot(dir string) (files, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return rootFiles{root}, nil
}

func (r rootFiles) Create(name string) (file, error) {
	return r.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (r rootFiles) Open(name string) (file, error) { return r.OpenFile(name, os.O_WRONLY, 0) }

// Read opens files only: opening a pipe would wait.
func (r rootFiles) Read(name string) (reading, error) {
	info, err := r.Root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("it is not a file")}
	}
	return r.Root.Open(name)
}

func (r rootFiles) Names(dir string) ([]string, error) {
	f, err := r.Root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (r rootFiles) Mkdir(dir string) error {
	if _, err := r.Root.Stat(dir); err == nil {
		return nil
	}
	if err := r.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for dir != "." {
		dir = path.Dir(dir)
		if err := r.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (r rootFiles) SyncDir(dir string) error {
	f, err := r.Root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (r rootFiles) Free() (int64, error) {
	f, err := r.Root.Open(".")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
