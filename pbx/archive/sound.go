package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"ringback/media"
	"ringback/media/wav"
	"ringback/pbx"
)

// Sound is what a prompt of the kinds pbx.PromptMessage and pbx.PromptGreeting plays: "message:1000:ID", "greeting:1000:busy". nil: it is
// another prompt, there is no such sound, or the disk does not answer. It waits for the disk, but not long.
func (a *Archive) Sound(prompt string) media.Sound {
	name := soundPath(prompt)
	if name == "" {
		return nil
	}
	p := &player{a: a, name: name, at: wav.HeaderSize}
	opened := make(chan bool, 1)
	if !a.spawn(func() { opened <- p.begin() }) {
		return nil
	}
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case ok := <-opened:
		if !ok {
			return nil
		}
		return p
	case <-wait.C:
		return nil
	}
}

// soundPath is the file of a prompt, "" if there can be none.
func soundPath(prompt string) string {
	kind, rest, _ := strings.Cut(prompt, ":")
	mailbox, name, ok := strings.Cut(rest, ":")
	switch {
	case !ok || !isNumber(mailbox):
	case kind == pbx.PromptMessage && isID(name):
		return messagePath(mailbox, name) + whole
	case kind == pbx.PromptGreeting && isGreeting(pbx.Greeting(name)):
		return greetingPath(mailbox, pbx.Greeting(name))
	}
	return ""
}

const (
	frameBytes = sampleBytes * media.FrameSamples
	ahead      = 200 * frameBytes // 4 s of sound are read at a time
)

// player is a media.Sound that reads ahead, so that no frame waits for the disk. It opens the file for each piece: nobody says when
// a sound is not listened to any more.
type player struct {
	a    *Archive
	name string

	mu      sync.Mutex
	piece   []byte // being played
	next    []byte // that comes after it
	loading bool
	at      int64 // where in the file the piece after next begins
	size    int64 // of the file, as it was
	silent  int   // frames that were not there in time, one after the other
	last    bool  // there is nothing after next
}

// begin reads the first piece, and reports whether the file is one of ours.
func (p *player) begin() bool {
	f, err := p.a.files.Read(p.name)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	header := make([]byte, wav.HeaderSize)
	if _, err := f.ReadAt(header, 0); err != nil || !bytes.Equal(header, wav.AppendHeader(nil, 1, wav.Rate, info.Size()-wav.HeaderSize)) {
		p.a.log.Warn("a message or greeting cannot be played: it is not as the PBX writes them", "file", p.name)
		return false
	}
	p.mu.Lock()
	p.size = info.Size()
	p.mu.Unlock()
	p.take(f)
	return true
}

// load reads the piece after the one that is next.
func (p *player) load() {
	f, err := p.a.files.Read(p.name)
	if err != nil { // removed meanwhile
		p.mu.Lock()
		defer p.mu.Unlock()
		p.loading, p.last = false, true
		return
	}
	defer f.Close()
	p.take(f)
}

func (p *player) take(f io.ReaderAt) {
	p.mu.Lock()
	at := p.at
	b := make([]byte, min(ahead, p.size-at))
	p.mu.Unlock()
	n, err := f.ReadAt(b, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.loading = b[:n/sampleBytes*sampleBytes], false
	p.at += int64(n)
	p.last = p.at >= p.size || err != nil && !errors.Is(err, io.EOF) || n == 0
}

// Frame implements media.Sound. Where the disk is slower than the sound there is silence, but not for long.
func (p *player) Frame(dst []int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.piece) == 0 {
		p.piece, p.next = p.next, nil
	}
	if p.next == nil && !p.last && !p.loading {
		p.loading = p.a.spawn(p.load)
		p.last = !p.loading
	}
	if len(p.piece) == 0 {
		p.silent++
		if !p.loading || p.silent > int(patience/(20*time.Millisecond)) {
			return false
		}
		clear(dst)
		return true
	}
	p.silent = 0
	n := min(len(dst), len(p.piece)/sampleBytes)
	for i := range n {
		dst[i] = int16(binary.LittleEndian.Uint16(p.piece[sampleBytes*i:]))
	}
	clear(dst[n:])
	p.piece = p.piece[sampleBytes*n:]
	return true
}
