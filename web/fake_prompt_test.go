package web

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
)

// memoryPrompts are recordings of English; what begins with RIFF is sound.
type memoryPrompts struct {
	*memory
	ours, files map[string]string
	reading     chan bool // told when an upload is being read, if there is one
}

func newMemoryPrompts(m *memory) *memoryPrompts {
	return &memoryPrompts{memory: m, ours: map[string]string{"closed": "We are closed.", "digits/7": "seven"}, files: map[string]string{}}
}

func (p *memoryPrompts) check(language, name string) error {
	switch {
	case p.broken != nil:
		return p.broken
	case language != "en":
		return &Invalid{"", "There are no prompts of that language."}
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-/") != "" || strings.HasPrefix(name, "/"):
		return &Invalid{"", "That cannot be the name of a prompt."}
	}
	return nil
}

func (p *memoryPrompts) ListPrompts(_ context.Context, language, after string, limit int) (list []Prompt, err error) {
	if language == "" {
		language = "en"
	}
	all := maps.Clone(p.ours)
	for name := range p.files {
		all[name] = p.ours[name]
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if _, replaced := p.files[name]; name > after && len(list) < limit {
			list = append(list, Prompt{name, all[name], replaced})
		}
	}
	return list, p.check(language, "")
}

func (p *memoryPrompts) PromptSound(_ context.Context, language, name string) ([]byte, error) {
	if err := p.check(language, name); err != nil {
		return nil, err
	}
	if file, ok := p.files[name]; ok {
		return []byte(file), nil
	}
	if text, ok := p.ours[name]; ok {
		return []byte("RIFF " + text), nil
	}
	return nil, ErrNotFound
}

func (p *memoryPrompts) ReplacePrompt(_ context.Context, language, name string, wav io.Reader) error {
	if err := p.check(language, name); err != nil {
		return err
	}
	if p.reading != nil {
		p.reading <- true
	}
	b, err := io.ReadAll(wav)
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(string(b), "RIFF"):
		return &Invalid{"", "This is not a WAV file."}
	}
	p.files[name] = string(b)
	return nil
}

func (p *memoryPrompts) ResetPrompt(_ context.Context, language, name string) error {
	delete(p.files, name)
	return p.check(language, name)
}
