// Package speech says prompts: recorded sentences by name, and numbers, digits, times and dates, which are put together by
// the grammar of each language. Its sounds are media.Sound: 20 ms frames, linear, 8 kHz.
//
// What is said comes from three places, the first that has it: a file of the data directory, a directory laid out like
// Asterisk's sound packages, and the prompts of package sounds. Files are read again when they have changed; a file that is
// not good is logged once, and the next place speaks.
//
// Any goroutine may call a Speech. It owns the decoded sounds, which never change and which all calls share; a sound that
// Prompt has given belongs to whoever plays it.
package speech

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"ringback/media"
	"ringback/sounds"
)

// Options of New.
type Options struct {
	Language string // where Prompt is not told one; "en" if empty
	Dir      string // has <language>/<prompt>.wav, which come before ours; need not exist; "": none
	Asterisk string // a directory of Asterisk's sound packages (see docs/sounds.md); "": none
	Memory   int    // bytes that decoded sounds may take; 32 MiB if 0
	Log      *slog.Logger
}

// Speech has the prompts.
type Speech struct {
	language string
	library  library
}

// New reads nothing but whether there is such a language and such a directory of Asterisk's.
func New(o Options) (*Speech, error) {
	if o.Language == "" {
		o.Language = "en"
	}
	language := known(o.Language)
	if language == "" {
		return nil, fmt.Errorf("there are no prompts of the language %q; there are %s", o.Language, strings.Join(sounds.Languages, ", "))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Speech{language: language}
	s.library.dir, s.library.log, s.library.cache.room = o.Dir, o.Log, o.Memory
	if s.library.cache.room == 0 {
		s.library.cache.room = 32 << 20
	}
	if o.Asterisk != "" {
		if s.library.asterisk = asteriskSets(o.Asterisk, language); len(s.library.asterisk) == 0 {
			return nil, errors.New("there are no sounds of Asterisk in " + o.Asterisk)
		}
	}
	return s, nil
}

// Languages are those that Prompt knows, as ISO 639-1 names them.
func Languages() []string { return slices.Clone(sounds.Languages) }

// known is the language of a tag, such as "en" of "en-GB", if there are prompts of it.
func known(tag string) string {
	language, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if slices.Contains(sounds.Languages, language) {
		return language
	}
	return ""
}

// Prompt gives a new sound that says a prompt in a language ("en", "en-GB"; that of Options if it is empty or not known), nil
// if there is no such prompt. name is
//
//	press-1, digits/7 …     a recording: letters a-z, digits, - and /
//	digits:1000             each digit, letter, *, # and + for itself
//	number:1234             a number from 0 to 999,999,999,999
//	time:15:04              a time of day
//	date:2026-11-21         a day of the years 2000 to 2099
//	slot:71                 where a call is parked
//	mailbox:3:1             three new messages, one old
//	participants:4          how many are in a conference
//
// or several of them one after the other, with commas between.
func (s *Speech) Prompt(lang, name string) media.Sound {
	language := known(lang)
	if language == "" {
		language = s.language
	}
	phrases, ok := compose(grammars[language], name)
	if !ok {
		return nil
	}
	u := &utterance{}
	for i, p := range phrases {
		if i > 0 {
			u.wait(pauseGap)
		}
		for j, word := range p.words {
			if word == pause {
				u.wait(pauseGap)
				continue
			}
			recordings := s.library.find(language, word)
			if recordings == nil {
				return nil
			}
			if j > 0 && p.words[j-1] != pause {
				u.wait(p.gap)
			}
			for _, r := range recordings {
				u.say(r)
			}
		}
	}
	return u
}
