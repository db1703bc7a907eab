package speech

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"ringback/media/wav"
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

// find gives the recordings of a prompt, nil if there are none. They are everybody's.
func (l *library) find(language, name string) [][]int16 {
	if l.dir != "" {
		if samples := l.file(l.dir, language+"/"+name+".wav"); samples != nil {
			return [][]int16{samples}
		}
	}
	if set := l.asterisk[language]; set != "" {
		if recordings := l.fromAsterisk(set, language, name); recordings != nil {
			return recordings
		}
	}
	path := language + "/" + name + ".wav"
	samples, err := l.cache.get(version{path: path}, func() ([]int16, error) {
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
	return [][]int16{samples}
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
func (l *library) file(dir, name string) []int16 {
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
	var samples []int16
	if err == nil {
		samples, err = l.cache.get(v, func() ([]int16, error) {
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
	return samples
}

// complain logs a problem with a file, once for each version of it.
func (l *library) complain(v version, err error) {
	where := v.root + "/" + v.path
	if before, logged := l.logged.Swap(where, v); !logged || before != v {
		l.log.Warn("a prompt cannot be used, another one is played instead", "file", where, "err", err)
	}
}

// edge is how long a recording takes to come up and to go, in samples: it may begin or end within a sound.
const edge = wav.Rate * 3 / 1000

func decode(r io.Reader) ([]int16, error) {
	samples, err := wav.Read(r, wav.Limits{Size: maxFile, Duration: maxDuration})
	if err != nil {
		return nil, err
	}
	samples = trim(samples)
	for i := range min(edge, len(samples)/2) {
		last := len(samples) - 1 - i
		samples[i] = int16(int(samples[i]) * i / edge)
		samples[last] = int16(int(samples[last]) * i / edge)
	}
	return samples, nil
}

// Silence around a recording would be heard as a gap between words: what is below faint at the ends goes, but for a little.
const (
	faint  = 200                  // of 32767, -44 dBFS
	little = wav.Rate * 40 / 1000 // samples
)

func trim(samples []int16) []int16 {
	loud := func(v int16) bool { return v > faint || v < -faint }
	first := slices.IndexFunc(samples, loud)
	if first < 0 {
		return samples // nothing else than silence: that is meant
	}
	last := len(samples) - 1
	for !loud(samples[last]) {
		last--
	}
	from, to := max(0, first-little), min(len(samples), last+1+little)
	if to-from < len(samples)*3/4 {
		return slices.Clone(samples[from:to])
	}
	return samples[from:to]
}
