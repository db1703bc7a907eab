package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringback/media/wav"
)

// writeTone writes a WAV file of half a second.
func writeTone(t *testing.T, hz float64) (file string) {
	t.Helper()
	samples := make([]int16, 16000/2)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/16000))
	}
	var b bytes.Buffer
	if err := wav.WritePCM(&b, samples, 16000); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "tone.wav")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPromptCommands(t *testing.T) {
	i := testInstance(t, testConfig(t, map[string]string{"calls.language": "en"}))
	file := writeTone(t, 440)
	heard := func(name string) []int16 {
		t.Helper()
		samples, err := i.speech.Samples("en", name)
		if err != nil {
			t.Fatal(err)
		}
		return samples
	}
	ours := len(heard("closed"))
	command(t, i, "prompt", "set", "closed", file)
	command(t, i, "prompt", "set", "menu/sales", file)
	has(t, command(t, i, "prompt", "list", "--replaced"), "closed yes", "menu/sales yes -")
	has(t, command(t, i, "prompts", "list"), "closed yes", "off no Switched off.", "digits/7 no")
	has(t, command(t, i, "prompt", "list", "--language", "ru"), "closed no")
	if n := len(heard("closed")); n < 3900 || n > 4200 {
		t.Errorf("%d samples of the tone are heard", n)
	}

	// what the API gives is a file that it takes
	file2 := filepath.Join(t.TempDir(), "got.wav")
	sound, err := spokenPrompts{i.speech, "en"}.PromptSound(t.Context(), "en", "closed")
	if err != nil || os.WriteFile(file2, sound, 0o644) != nil {
		t.Fatal(err)
	}
	before := heard("menu/sales")
	command(t, i, "prompt", "set", "menu/sales", file2)
	if after := heard("menu/sales"); len(after) < len(before)-160 || len(after) > len(before)+160 {
		t.Errorf("%d samples, %d before", len(after), len(before))
	}

	command(t, i, "prompt", "reset", "closed", "menu/sales")
	if len(heard("closed")) != ours || heard("menu/sales") != nil {
		t.Error("the files are still heard")
	}
	var all []prompt
	if err := json.Unmarshal([]byte(command(t, i, "prompt", "list", "--replaced", "--json")), &all); err != nil || len(all) != 0 {
		t.Errorf("%v %v", err, all)
	}

	nonsense := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(nonsense, []byte("no sound"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"prompt", "set", "closed", nonsense}, "closed: "},
		{[]string{"prompt", "set", "../../ringback", file}, "cannot be the name of a prompt"},
		{[]string{"prompt", "set", "closed", file, "--language", "tlh"}, "no prompts of the language"},
		{[]string{"prompt", "set", "closed", file + ".not"}, "no such file"},
		{[]string{"prompt", "set", "closed", "-"}, "closed: "},
		{[]string{"prompt", "reset", "/closed"}, "cannot be the name"},
		{[]string{"prompt", "list", "--language", "tlh"}, "no prompts of the language"},
	} {
		if _, errs, status := commandStatus(t, i, c.args...); status != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s, want %q", c.args, status, errs, c.want)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(i.store.Dir(), "prompts", "en")); err != nil || len(entries) > 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}
