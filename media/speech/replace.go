package speech

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"ringback/media/wav"
	"ringback/sounds"
)

// Recording is a prompt that can be replaced.
type Recording struct {
	Name     string `json:"name"`
	Text     string `json:"text,omitempty"` // what ours says; "" for a prompt that only the directory has
	Replaced bool   `json:"replaced"`       // there is a file in Options.Dir
}

// Recordings are all of a language, by name. The error is of type wav.Refused if there is no such language.
func (s *Speech) Recordings(lang string) ([]Recording, error) {
	language := known(lang)
	if language == "" {
		return nil, unknown(lang)
	}
	texts, err := texts(language)
	if err != nil {
		return nil, err
	}
	files := map[string]bool{}
	if s.library.dir != "" {
		root, err := os.OpenRoot(s.library.dir)
		if err == nil {
			defer root.Close()
			err = fs.WalkDir(root.FS(), language, func(file string, d fs.DirEntry, err error) error {
				if name, sound := strings.CutSuffix(strings.TrimPrefix(file, language+"/"), ".wav"); err == nil && sound && isID(name) && !d.IsDir() {
					files[name] = true
				}
				return err
			})
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	all := make([]Recording, 0, len(texts)+len(files))
	for name, text := range texts {
		all = append(all, Recording{name, text, files[name]})
		delete(files, name)
	}
	for name := range files {
		all = append(all, Recording{Name: name, Replaced: true})
	}
	slices.SortFunc(all, func(a, b Recording) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// longestSound is how much of a prompt Samples gives: one that is put together can say a lot.
const longestSound = 5 * 60 * wav.Rate

// Samples are what is heard of a prompt, at wav.Rate; nil if there is no such prompt. The error is of type wav.Refused if there is
// no such language.
func (s *Speech) Samples(lang, name string) ([]int16, error) {
	if known(lang) == "" {
		return nil, unknown(lang)
	}
	sound := s.Prompt(lang, name)
	if sound == nil {
		return nil, nil
	}
	frame, all := make([]int16, wav.Rate/50), []int16{}
	for len(all) < longestSound && sound.Frame(frame) {
		all = append(all, frame...)
	}
	return all, nil
}

// Replace puts a WAV file in the place of a prompt, which may be one of its own. An error of type wav.Refused says to whoever gave it what is wrong with it; then
// nothing has changed. Two at the same time for the same prompt: one of the two stays, whole.
func (s *Speech) Replace(lang, name string, file io.Reader) error {
	place, err := s.place(lang, name)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return err
	}
	if _, err := decode(bytes.NewReader(b)); err != nil {
		return err
	}
	if err := os.MkdirAll(s.library.dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(s.library.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(place), 0o755); err != nil {
		return err
	}
	s.library.writing.Lock()
	defer s.library.writing.Unlock()
	unfinished := place + ".new"
	if err := root.WriteFile(unfinished, b, 0o644); err != nil {
		return errors.Join(err, remove(root, unfinished))
	}
	defer s.library.cache.forget(version{root: s.library.dir, path: place}) // it may be as large as the one before, and as new
	return root.Rename(unfinished, place)
}

// Restore brings back what was heard before Replace. It is no error if nothing was replaced.
func (s *Speech) Restore(lang, name string) error {
	file, err := s.place(lang, name)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(s.library.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return remove(root, file)
}

func remove(root *os.Root, file string) error {
	if err := root.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// place is the file of a prompt below Options.Dir.
func (s *Speech) place(lang, name string) (string, error) {
	switch language := known(lang); {
	case s.library.dir == "":
		return "", errors.New("there is no directory of prompts")
	case language == "":
		return "", unknown(lang)
	case !isID(name):
		return "", wav.Refused(fmt.Sprintf("%q cannot be the name of a prompt: that has letters a-z, digits, - and / only.", name))
	default:
		return language + "/" + name + ".wav", nil
	}
}

func unknown(lang string) error {
	return wav.Refused(fmt.Sprintf("There are no prompts of the language %q.", lang))
}

// texts are what our prompts say.
func texts(language string) (map[string]string, error) {
	b, err := sounds.Files.ReadFile(language + ".toml")
	if err != nil {
		return nil, err
	}
	var table map[string]any
	if err := toml.Unmarshal(b, &table); err != nil {
		return nil, err
	}
	all := map[string]string{}
	var walk func(prefix string, table map[string]any)
	walk = func(prefix string, table map[string]any) {
		for name, v := range table {
			switch v := v.(type) {
			case string:
				all[prefix+name] = v
			case map[string]any:
				if text, ok := v["text"].(string); ok {
					all[prefix+name] = text
				} else {
					walk(prefix+name+"/", v)
				}
			}
		}
	}
	walk("", table)
	return all, nil
}
