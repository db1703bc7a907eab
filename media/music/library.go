package music

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ringback/media"
	"ringback/media/wav"
)

// Limits of what is kept in memory: 16 kB a second, so a class of files has at most 14 MB.
const (
	maxClasses = 32
	maxFiles   = 64 // of a class
	maxSamples = 15 * 60 * rate
	lookEvery  = 2 * time.Second
	lookShare  = 100 // of the time one part is spent on looking at most: there may be a great many files
	lookAtMost = time.Minute
	edge       = 80 // samples: 10 ms, at both ends of a file
)

// Library is the music of an exchange. Close ends it.
type Library struct {
	dir       string
	log       *slog.Logger
	began     time.Time
	programme atomic.Pointer[programme] // nil: not read yet
	ours      atomic.Pointer[track]     // nil: not rendered yet

	mu      sync.Mutex
	closed  bool
	looking bool
	next    time.Time // when to look again
	asked   bool      // for ours
	work    sync.WaitGroup

	// Of the goroutine that looks.
	classes map[string]*class
	trouble string // with the directory, as last told
}

// programme is what there is at a time. It is never changed.
type programme struct{ tracks map[string]*track }

// class is a directory as it was last read.
type class struct {
	print string
	track *track // nil: there is nothing good in it
}

// Open gives the music in a directory, which need not exist, nor its directories and files: what comes, goes or changes
// later is noticed within seconds while anybody listens.
func Open(dir string, log *slog.Logger) *Library {
	if log == nil {
		log = slog.Default()
	}
	l := &Library{dir: dir, log: log, began: time.Now(), classes: make(map[string]*class)}
	l.look()
	return l
}

// Close waits for what the library is doing. Who still listens hears on what there is.
func (l *Library) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.work.Wait()
}

// Class is the music of a class, without end, for one listener; that of Default if there is no such class.
func (l *Library) Class(name string) media.Sound {
	l.look()
	p := l.programme.Load()
	x := &listener{library: l, class: name, seen: p}
	x.tune(l.track(p, name))
	return x
}

// Classes are the names of those that have files, in no order.
func (l *Library) Classes() []string {
	var names []string
	if p := l.programme.Load(); p != nil {
		for name := range p.tracks {
			names = append(names, name)
		}
	}
	return names
}

// now is how many samples long the library has been on the air.
func (l *Library) now() int64 { return int64(time.Since(l.began) / (time.Second / rate)) }

// track is what a class is at present; nil if that is not known yet.
func (l *Library) track(p *programme, class string) *track {
	if p == nil {
		return nil
	}
	if t := p.tracks[class]; t != nil {
		return t
	}
	if t := p.tracks[Default]; t != nil {
		return t
	}
	if t := l.ours.Load(); t != nil {
		return t
	}
	l.render()
	return nil
}

// render has the piece rendered, once.
func (l *Library) render() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asked && !l.closed {
		l.asked = true
		l.work.Go(func() { l.ours.Store(piece()) })
	}
}

// look has the files looked at, unless that was done just now.
func (l *Library) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.looking || time.Now().Before(l.next) {
		return
	}
	l.looking = true
	l.work.Go(func() {
		began := time.Now()
		l.read()
		l.wait(time.Since(began))
	})
}

// wait says when to look again, after a look that took so long.
func (l *Library) wait(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looking, l.next = false, time.Now().Add(max(lookEvery, min(took*lookShare, lookAtMost)))
}

// read makes a new programme if anything has changed.
func (l *Library) read() {
	root, err := os.OpenRoot(l.dir)
	var found []fs.DirEntry
	if err == nil {
		defer root.Close()
		found, err = fs.ReadDir(root.FS(), ".")
	}
	trouble := ""
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		trouble = err.Error()
	}
	if trouble != "" && trouble != l.trouble {
		l.log.Warn("music: the directory cannot be read", "err", err)
	}
	l.trouble = trouble
	changed := l.programme.Load() == nil
	there := make(map[string]bool)
	for _, d := range found {
		if !d.IsDir() || !ValidClass(d.Name()) || len(there) == maxClasses {
			continue
		}
		there[d.Name()] = true
		changed = l.readClass(root, d.Name()) || changed
	}
	for name := range l.classes {
		if !there[name] {
			delete(l.classes, name)
			changed = true
		}
	}
	if !changed {
		return
	}
	p := &programme{tracks: make(map[string]*track)}
	for name, c := range l.classes {
		if c.track != nil {
			p.tracks[name] = c.track
		}
	}
	l.programme.Store(p)
}

// readClass reports whether the class is another than it was.
func (l *Library) readClass(root *os.Root, name string) bool {
	var files []string // in order
	var print strings.Builder
	entries, err := fs.ReadDir(root.FS(), name)
	if err != nil {
		print.WriteString(err.Error())
	}
	for _, d := range entries {
		if !d.Type().IsRegular() || !strings.EqualFold(path.Ext(d.Name()), ".wav") || len(files) == maxFiles {
			continue
		}
		if info, err := d.Info(); err == nil {
			files = append(files, d.Name())
			print.WriteString(info.Name() + "\x00" + info.ModTime().String() + "\x00" + fs.FormatFileInfo(info) + "\x00")
		}
	}
	if old := l.classes[name]; old != nil && old.print == print.String() {
		return false
	}
	c := &class{print: print.String()}
	l.classes[name] = c
	if err != nil {
		l.log.Warn("music: a class cannot be read", "class", name, "err", err)
	}
	var samples []int16
	for _, file := range files {
		more, err := readFile(root, path.Join(name, file))
		switch {
		case err != nil:
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EIO) {
				c.print = "" // it may be over in a moment
			}
			l.log.Warn("music: a file is left out", "class", name, "file", file, "err", err)
		case len(samples)+len(more) > maxSamples:
			l.log.Warn("music: a file is left out: a class lasts 15 minutes at most", "class", name, "file", file)
		default:
			samples = append(samples, more...)
		}
	}
	if len(samples) > 0 {
		c.track = &track{slices.Clone(samples)} // which has room for more
	}
	return true
}

// soften has nobody startled by a record, which is cut far louder than anybody speaks: music is no louder than ours by more
// than 3 dB. It is measured where there is any.
func soften(samples []int16) {
	const part, faint, most = rate / 50, 200, loudness * math.Sqrt2 * math.MaxInt16
	sum, n := 0.0, 0
	for s := range slices.Chunk(samples, part) {
		power := 0.0
		for _, v := range s {
			power += float64(v) * float64(v)
		}
		if power > faint*faint*float64(len(s)) {
			sum, n = sum+power, n+len(s)
		}
	}
	if n == 0 {
		return
	}
	if gain := most / math.Sqrt(sum/float64(n)); gain < 1 {
		for i, v := range samples {
			samples[i] = int16(math.Round(float64(v) * gain))
		}
	}
}

func readFile(root *os.Root, name string) (samples []int16, err error) {
	defer func() {
		if p := recover(); p != nil { // it may be anybody's file
			samples, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	samples, err = wav.Read(f, wav.Limits{Size: 64 << 20, Duration: maxSamples / rate * time.Second})
	if err != nil {
		return nil, err
	}
	soften(samples)
	n := min(edge, len(samples)/2)
	for i := range n { // what follows it may be anything
		samples[i] = int16(int(samples[i]) * i / n)
		samples[len(samples)-1-i] = int16(int(samples[len(samples)-1-i]) * i / n)
	}
	return samples, nil
}
