package main

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// What is recorded is what the tables say: who changes a text runs sounds/make.
func TestMade(t *testing.T) {
	for language := range voices {
		dir := filepath.Join("..", language)
		texts, err := readTable(dir + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		made, err := readSums(dir)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range texts {
			if made[name] != sum(voiceOf(language, name), text) {
				t.Errorf("%s/%s is not what was recorded; run go run ./sounds/make", language, name)
			}
		}
		if names := slices.Sorted(maps.Keys(made)); len(names) != len(texts) || len(names) < 200 {
			t.Errorf("%s: %d were recorded, of %d", language, len(names), len(texts))
		}
	}
}

func TestFinish(t *testing.T) {
	const second = rateStored
	tone := func(level float64, n int) []int16 {
		s := make([]int16, n)
		for i := range s {
			s[i] = int16(level * 32767 * math.Sin(2*math.Pi*500*float64(i)/rateStored))
		}
		return s
	}
	silence := make([]int16, second)
	for _, level := range []float64{0.01, 0.2, 1} {
		in := slices.Concat(silence, tone(level, second), silence, tone(level, second), silence)
		got := finish(in)
		if want := 2*second + longest*block + 2*margin; len(got) < want-2*block || len(got) > want+2*block {
			t.Errorf("level %v: %d samples, want %d", level, len(got), want)
		}
		if db := 20 * math.Log10(rms(got[second/4:second*3/4])/32768); math.Abs(db-loudness) > 0.3 {
			t.Errorf("level %v: %.1f dBFS", level, db)
		}
		if got[0] != 0 || got[len(got)-1] != 0 {
			t.Errorf("level %v: begins with %d, ends with %d", level, got[0], got[len(got)-1])
		}
	}
	click := slices.Concat(tone(0.02, second), []int16{32767, -32768}, tone(0.02, second))
	for _, v := range finish(click) {
		if v > 29500 || v < -29500 {
			t.Fatalf("a peak of %d", v)
		}
	}
	if got := finish(silence); len(got) != len(silence) {
		t.Errorf("silence became %d samples", len(got))
	}
}
