// Package sounds has the recorded prompts of the PBX, embedded: a directory for each language with a WAV file for each
// prompt (IMA ADPCM, 16 kHz, mono), and a table that says what is spoken, from which sounds/make made them. How they are
// named and replaced says docs/sounds.md.
package sounds

import "embed"

// Files has <language>/<prompt>.wav, with a / in some prompts' names, and <language>.toml. It does not change.
//
//go:embed *.toml en/*.wav en/*/*.wav zh/*.wav zh/*/*.wav ko/*.wav ko/*/*.wav ru/*.wav ru/*/*.wav
var Files embed.FS

// Languages are those that there are prompts of, as ISO 639-1 names them.
var Languages = []string{"en", "zh", "ko", "ru"}
