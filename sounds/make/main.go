// Make speaks the prompts: it makes <language>/<prompt>.wav of <language>.toml. It needs espeak-ng and flite (packages of
// Debian) and is run in the top directory of the repository:
//
//	go run ./sounds/make               # what is new or has another text, and away with what is not in the table
//	go run ./sounds/make -all ru       # everything of a language
//
// What it made of a text it remembers in <language>/made.sum, so that a change of the table shows as a change of a few files.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"ringback/media/wav"
)

// voices are what is run for a language. The text and -o or -w FILE come after it, and for single words slower.
var voices = map[string][]string{
	"en": {"flite", "-voice", "slt", "--setf", "duration_stretch=1.05"},
	"zh": {"espeak-ng", "-v", "cmn-latn-pinyin", "-s", "170"},
	"ko": {"espeak-ng", "-v", "ko", "-s", "165"},
	"ru": {"espeak-ng", "-v", "ru", "-s", "160"},
}

// slower is given to espeak-ng for digits, letters and the words of numbers, which nothing around them helps to understand.
var slower = []string{"-s", "130"}

func main() {
	all := flag.Bool("all", false, "also what has not changed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	languages := flag.Args()
	if len(languages) == 0 {
		languages = slices.Sorted(maps.Keys(voices))
	}
	for _, language := range languages {
		if err := makeLanguage(ctx, language, *all); err != nil {
			fmt.Fprintln(os.Stderr, "sounds/make:", err)
			os.Exit(1)
		}
	}
}

func makeLanguage(ctx context.Context, language string, all bool) error {
	if voices[language] == nil {
		return fmt.Errorf("there is no voice for %q", language)
	}
	dir := filepath.Join("sounds", language)
	texts, err := readTable(dir + ".toml")
	if err != nil {
		return err
	}
	before := map[string]string{}
	if !all {
		if before, err = readSums(dir); err != nil {
			return err
		}
	}
	now := map[string]string{}
	made := 0
	for name, text := range texts {
		voice := voiceOf(language, name)
		file := filepath.Join(dir, filepath.FromSlash(name)+".wav")
		now[name] = sum(voice, text)
		if _, err := os.Stat(file); err == nil && before[name] == now[name] {
			continue
		}
		samples, rate, err := speak(ctx, voice, text)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", language, name, err)
		}
		if err := write(file, finish(wav.Resample(samples, rate, rateStored))); err != nil {
			return err
		}
		made++
	}
	removed, err := removeOthers(dir, texts)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d prompts, %d made, %d removed\n", language, len(texts), made, removed)
	return writeSums(dir, now)
}

// voiceOf is what is run for a prompt.
func voiceOf(language, name string) []string {
	voice := voices[language]
	if strings.Contains(name, "/") && voice[0] == "espeak-ng" {
		return slices.Concat(voice, slower)
	}
	return voice
}

// sum tells what a file was made of.
func sum(voice []string, text string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(voice, " ")+"\n"+text)))[:16]
}

// readTable gives what is to be given to the voice for each prompt.
func readTable(file string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var table map[string]any
	if err := toml.Unmarshal(b, &table); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	texts := map[string]string{}
	var walk func(prefix string, table map[string]any) error
	walk = func(prefix string, table map[string]any) error {
		for name, v := range table {
			switch v := v.(type) {
			case string:
				texts[prefix+name] = v
			case map[string]any:
				if say, ok := v["say"].(string); ok {
					texts[prefix+name] = say
				} else if err := walk(prefix+name+"/", v); err != nil {
					return err
				}
			default:
				return fmt.Errorf("%s: %s is no text", file, prefix+name)
			}
		}
		return nil
	}
	return texts, walk("", table)
}

// speak runs a voice.
func speak(ctx context.Context, voice []string, text string) (samples []int16, rate int, err error) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "spoken.wav")
	var arguments []string
	if voice[0] == "flite" {
		arguments = append(slices.Clone(voice[1:]), "-t", text, "-o", file)
	} else {
		arguments = append(slices.Clone(voice[1:]), "-w", file, "--", text)
	}
	if out, err := exec.CommandContext(ctx, voice[0], arguments...).CombinedOutput(); err != nil {
		return nil, 0, fmt.Errorf("%w %s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	return wav.Decode(f, wav.Limits{})
}

func write(file string, samples []int16) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(wav.WriteADPCM(f, samples, rateStored), f.Close())
}

// removeOthers removes the recordings of what is not in the table any more.
func removeOthers(dir string, texts map[string]string) (removed int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, sound := strings.CutSuffix(path, ".wav")
		if err != nil || d.IsDir() || !sound {
			return err
		}
		if name, err = filepath.Rel(dir, name); err != nil {
			return err
		}
		if _, known := texts[filepath.ToSlash(name)]; known {
			return nil
		}
		removed++
		return os.Remove(path)
	})
	return removed, err
}

const sumsFile = "made.sum"

func readSums(dir string) (map[string]string, error) {
	sums := map[string]string{}
	f, err := os.Open(filepath.Join(dir, sumsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return sums, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		sums[name] = sum
	}
	return sums, lines.Err()
}

func writeSums(dir string, sums map[string]string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&b, "%s  %s\n", sums[name], name)
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(b.String()), 0o644)
}
