package wav

import (
	"bytes"
	"encoding/binary"
)

// parse finds the format and the samples in a file.
func parse(file []byte) (f format, data []byte, err error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return f, nil, notWAV(file)
	}
	known := false
	rest := file[12:] // the size in the header is wrong in what streaming writers leave behind
	for len(rest) >= 8 {
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if id == "data" {
			if !known {
				return f, nil, refuse("The WAV file does not say in which format its sound is.")
			}
			return f, samplesOf(rest, size), nil
		}
		if size > uint64(len(rest)) {
			return f, nil, refuse("The WAV file is cut off.")
		}
		if id == "fmt " && !known {
			if f, err = parseFormat(rest[:size]); err != nil {
				return f, nil, err
			}
			known = true
		}
		rest = rest[min(size+size&1, uint64(len(rest))):] // chunks begin at even places
	}
	return f, nil, refuse("There is no sound in the file.")
}

// samplesOf are those of a data chunk. Who writes a stream does not know its size when it begins, and leaves 0, or more than
// there is.
func samplesOf(rest []byte, size uint64) []byte {
	if size > uint64(len(rest)) || size == 0 && !isChunk(rest) {
		return rest
	}
	return rest[:size]
}

// isChunk reports whether b looks as if it began with a chunk that is whole.
func isChunk(b []byte) bool {
	if len(b) < 8 {
		return len(b) == 0
	}
	for _, c := range b[:4] {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return uint64(binary.LittleEndian.Uint32(b[4:])) <= uint64(len(b)-8)
}

// notWAV says what a file is instead.
func notWAV(file []byte) error {
	others := []struct {
		name  string
		at    int
		magic string
	}{
		{"an MP3", 0, "ID3"}, {"an MP3", 0, "\xff\xfb"}, {"an MP3", 0, "\xff\xf3"}, {"an Ogg", 0, "OggS"}, {"a FLAC", 0, "fLaC"},
		{"an MP4", 4, "ftyp"}, {"an AIFF", 0, "FORM"}, {"an RF64", 0, "RF64"}, {"an AU", 0, ".snd"},
	}
	if len(file) == 0 {
		return refuse("The file is empty.")
	}
	for _, o := range others {
		if len(file) > o.at && bytes.HasPrefix(file[o.at:], []byte(o.magic)) {
			return refuse("This is %s file; sounds have to be WAV files.", o.name)
		}
	}
	return refuse("This is not a WAV file.")
}
