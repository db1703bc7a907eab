package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"ringback/media"
	"ringback/media/music"
	"ringback/media/speech"
	"ringback/media/tone"
	"ringback/pbx"
)

// onlyTones is the language of an exchange that does not speak.
const onlyTones = "tones"

// spokenLanguage is the language of prompts; where nothing is spoken, of those that are kept for when it is.
func (cfg *Config) spokenLanguage() string {
	if cfg.Calls.Language == onlyTones || cfg.Calls.Language == "" {
		return "en"
	}
	return cfg.Calls.Language
}

// prompts is the sound of each prompt: music, speech, and a tone for what nobody says.
func (i *instance) prompts(cfg *Config) (func(name string) media.Sound, error) {
	tones, err := tone.Prompts(cfg.Calls.Tones)
	if err != nil {
		return nil, err
	}
	i.speech, err = speech.New(speech.Options{Language: cfg.spokenLanguage(), Dir: filepath.Join(i.store.Dir(), "prompts"),
		Asterisk: cfg.Calls.AsteriskSounds, Log: i.log})
	if err != nil {
		return nil, fmt.Errorf("the prompts: %w", err)
	}
	spoken := func(string) media.Sound { return nil }
	if cfg.Calls.Language != onlyTones {
		spoken = func(name string) media.Sound { return i.speech.Prompt("", name) }
	}
	played := music.Open(filepath.Join(i.store.Dir(), "music"), i.log)
	i.closers = append(i.closers, func() error { played.Close(); return nil })
	return func(name string) media.Sound {
		if kind, class, _ := strings.Cut(name, ":"); kind == pbx.PromptMusic {
			return played.Class(class)
		}
		if sound, ok := i.kept(name); ok {
			return sound
		}
		if sound := spoken(name); sound != nil {
			return sound
		}
		return tones(name)
	}, nil
}
