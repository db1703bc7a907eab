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

// recordings are the prompts as web knows them.
type recordings struct {
	*speech.Speech
	language string // the usual one
}

func (r recordings) ListPrompts(_ context.Context, language, after string, limit int) ([]web.Prompt, error) {
	if language == "" {
		language = r.language
	}
	all, err := r.Recordings(language)
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

func (r recordings) PromptSound(_ context.Context, language, name string) ([]byte, error) {
	samples, err := r.Samples(language, name)
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

func (r recordings) ReplacePrompt(_ context.Context, language, name string, file io.Reader) error {
	return soundError(r.Replace(language, name, file))
}

func (r recordings) ResetPrompt(_ context.Context, language, name string) error {
	return soundError(r.Restore(language, name))
}

// soundError is an error of speech as web knows it.
func soundError(err error) error {
	var refused wav.Refused
	if errors.As(err, &refused) {
		return &web.Invalid{Sentence: refused.Error()}
	}
	return webError(err)
}
