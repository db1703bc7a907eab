package speech

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ringback/sounds"
)

// What a file of somebody else's may be at most.
const (
	maxFile     = 16 << 20 // bytes
	maxDuration = 3 * time.Minute
)

// library finds recordings.
type library struct {
	dir      string
	asterisk map[string]string // language: directory of its set
	log      *slog.Logger
	cache    cache
	logged   sync.Map   // problems, by place, that were logged already
	writing  sync.Mutex // by Replace
}

// find gives the recordings of a prompt, nil if there are none.
func (l *library) find(language, name string) []*recording {
	if l.dir != "" {
		if r := l.file(l.dir, language+"/"+name+".wav"); r != nil {
			return []*recording{r}
		}
	}
	if set := l.asterisk[language]; set != "" {
		if recordings := l.fromAsterisk(set, language, name); recordings != nil {
			return recordings
		}
	}
	path := language + "/" + name + ".wav"
	r, err := l.cache.get(version{path: path}, func() (*recording, error) {
		f, err := sounds.Files.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return decode(f)
	})
	if err != nil {
		return nil
	}
	return []*recording{r}
}

// version is a file as it was at a time; of ours, only path.
type version struct {
	root, path string
	size       int64
	changed    time.Time
}

// place tells files apart.
func (v version) place() string { return v.root + "\x00" + v.path }

// errNoFile is what is there and cannot be read as a file.
var errNoFile = errors.New("it is not a file")

// file gives the sound of a file below a directory, nil if there is none or it is not good. name has slashes. A name or a
// link that leads out of the directory is refused by os.Root.
func (l *library) file(dir, name string) *recording {
	root, err := os.OpenRoot(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.complain(version{root: dir}, err)
		}
		return nil
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(name)) // before it is opened: opening a pipe would wait
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	v := version{root: dir, path: name}
	if err == nil {
		v.size, v.changed = info.Size(), info.ModTime()
		if !info.Mode().IsRegular() {
			err = errNoFile
		}
	}
	var r *recording
	if err == nil {
		r, err = l.cache.get(v, func() (*recording, error) {
			f, err := root.Open(filepath.FromSlash(name))
			if err != nil {
				return nil, err
			}
			defer f.Close()
			return decode(f)
		})
	}
	if err != nil {
		l.complain(v, err)
		return nil
	}
	return r
}

// complain logs a problem with a file, once for each version of it.
func (l *library) complain(v version, err error) {
	where := v.root + "/" + v.path
	if before, logged := l.logged.Swap(where, v); !logged || before != v {
		l.log.Warn("a prompt cannot be used, another one is played instead", "file", where, "err", err)
	}
}
