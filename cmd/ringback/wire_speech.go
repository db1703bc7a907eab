package main

import (
	"bytes"
	"context"
	"errors"
	"io"

	"ringback/media/speech"
	"ringback/media/wav"
	"ringback/web"
)

// spokenPrompts are the prompts as web knows them.
type spokenPrompts struct {
	*speech.Speech
	language string // the usual one
}

func (p spokenPrompts) ListPrompts(_ context.Context, language, after string, limit int) ([]web.Prompt, error) {
	if language == "" {
		language = p.language
	}
	all, err := p.Recordings(language)
	if err != nil {
		return nil, soundError(err)
	}
	list := []web.Prompt{}
	for _, p := range all {
		if p.Name > after && len(list) < limit {
			list = append(list, web.Prompt(p))
		}
	}
	return list, nil
}

func (p spokenPrompts) PromptSound(_ context.Context, language, name string) ([]byte, error) {
	samples, err := p.Samples(language, name)
	switch {
	case err != nil:
		return nil, soundError(err)
	case samples == nil:
		return nil, web.ErrNotFound
	}
	var file bytes.Buffer
	err = wav.WritePCM(&file, samples, wav.Rate)
	return file.Bytes(), err
}

func (p spokenPrompts) ReplacePrompt(_ context.Context, language, name string, file io.Reader) error {
	return soundError(p.Replace(language, name, file))
}

func (p spokenPrompts) ResetPrompt(_ context.Context, language, name string) error {
	return soundError(p.Restore(language, name))
}

// soundError is an error of speech as web knows it.
func soundError(err error) error {
	var refused wav.Refused
	if errors.As(err, &refused) {
		return &web.Invalid{Sentence: refused.Error()}
	}
	return webError(err)
}
