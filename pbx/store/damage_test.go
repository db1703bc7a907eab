package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample is a segment: two extensions' bindings, a call with its end, a call without.
func sample(t testing.TB) (whole []byte, ends []int) {
	t.Helper()
	whole, salt := newSegmentHeader()
	add := func(kind byte, payload func([]byte) []byte) {
		b, err := appendRecord(nil, kind, payload)
		if err != nil {
			t.Fatal(err)
		}
		seal(b, salt)
		whole = append(whole, b...)
		ends = append(ends, len(whole))
	}
	bind := func(i int) {
		number, list := bindingsOf(i)
		add(recordBindings, func(b []byte) []byte { return appendBindings(b, number, list) })
	}
	call := func(kind byte, i int) {
		c := record(i)
		if kind == recordAnswered {
			c.EndedBy = ""
		}
		add(kind, func(b []byte) []byte { return appendCDR(b, &c) })
	}
	bind(0)
	call(recordAnswered, 1)
	call(recordAnswered, 2)
	bind(1)
	call(recordEnded, 1)
	return whole, ends
}

// memory is a file in memory.
type memory []byte

func (m memory) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(b, m[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
func (m memory) Size() (int64, error)               { return int64(len(m)), nil }
func (m memory) WriteAt([]byte, int64) (int, error) { return 0, errors.ErrUnsupported }
func (m memory) Sync() error                        { return nil }
func (m memory) Truncate(int64) error               { return nil }
func (m memory) Close() error                       { return nil }

// good reads the ends of all good records.
func good(t testing.TB, b []byte) (ends []int, r *segmentReader) {
	t.Helper()
	r, err := newSegmentReader(memory(b))
	if errors.Is(err, io.EOF) || errors.Is(err, errNoSegment) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, payload, off, err := r.next()
		if err == io.EOF {
			return ends, r
		}
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(off)+recordHeader+len(payload))
	}
}

func TestASegmentCutAnywhere(t *testing.T) {
	whole, ends := sample(t)
	for cut := range len(whole) + 1 {
		want := ends[:0:0]
		for _, e := range ends {
			if e <= cut {
				want = append(want, e)
			}
		}
		got, r := good(t, whole[:cut])
		if !slices.Equal(got, want) {
			t.Fatalf("cut at %d: records end at %v, want %v", cut, got, want)
		}
		if r != nil && (r.damaged > 0 || int(r.at+r.torn) != cut) {
			t.Fatalf("cut at %d: %d bytes damaged, %d torn", cut, r.damaged, r.torn)
		}
		// The file system may also have made it longer than what it has written.
		if got, _ = good(t, append(slices.Clone(whole[:cut]), make([]byte, 5000)...)); cut >= segmentHeader && !slices.Equal(got, want) {
			t.Fatalf("cut at %d, then zeros: records end at %v, want %v", cut, got, want)
		}
	}
}

func TestASegmentDamagedAnywhere(t *testing.T) {
	whole, ends := sample(t)
	for at := range whole {
		bad := slices.Clone(whole)
		bad[at] ^= 0x41
		var want []int
		start := segmentHeader
		for _, e := range ends {
			if at < start || at >= e {
				want = append(want, e)
			}
			start = e
		}
		if at < segmentHeader {
			want = nil // without its salt nothing in it can be trusted
		}
		got, r := good(t, bad)
		if !slices.Equal(got, want) {
			t.Fatalf("damaged at %d: records end at %v, want %v", at, got, want)
		}
		if r != nil && r.damaged+r.torn == 0 {
			t.Fatalf("damaged at %d and not noticed", at)
		}
	}
}

// A file that looks like nothing but beginnings of long records is given up soon, and kept.
func TestSearchIsBounded(t *testing.T) {
	whole, ends := sample(t)
	for len(whole) < 4<<20 {
		whole = append(whole, 1, 1, 1, 0) // any four of these are a length of 64 KiB and more, or too much
	}
	got, r := good(t, whole)
	if !slices.Equal(got, ends) || r.damaged == 0 || r.wasted > maxSearch+maxRecord {
		t.Fatal(got, r.damaged, r.wasted)
	}
}

func FuzzSegment(f *testing.F) {
	whole, _ := sample(f)
	f.Add(whole)
	f.Add(whole[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		_, salt := newSegmentHeader()
		good(t, b)
		// What a phone sends stands in payloads; without the salt it never becomes a record.
		if len(b) > segmentHeader {
			h, _ := newSegmentHeader()
			ends, _ := good(t, append(h, b[segmentHeader:]...))
			if len(ends) > 0 {
				t.Fatal("records of another segment were taken", salt)
			}
		}
		if c, ok := decodeCDR(b); ok && c.ID == "" {
			t.Fatal("a record without an id")
		}
		if extension, list, ok := decodeBindings(b); ok {
			if extension == "" || len(list) > len(b)+1 {
				t.Fatal(extension, len(list))
			}
		}
	})
}

// TestStartAfterDamage starts the store on segments cut and damaged at many places: the start never fails, what is
// before the damage is there, and a file with damage in its middle is kept.
func TestStartAfterDamage(t *testing.T) {
	whole, ends := sample(t)
	dir := t.TempDir()
	s := open(t, dir, Options{})
	fill(t, s, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "journal", "000000000001.log")
	check := func(what string, content []byte, prefix int, damaged bool) {
		t.Helper()
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var log said
		s, err := Open(dir, Options{Log: log.logger()})
		if err != nil {
			t.Fatal(what, err)
		}
		list, _ := s.LoadBindings(t.Context())
		calls := ids(t, s, CDRFilter{})
		n := 0
		for _, e := range ends {
			if e <= prefix {
				n++
			}
		}
		wantBindings := [...]int{0, 1, 1, 1, 2, 2}[n]
		wantCalls := [...]int{0, 0, 1, 2, 2, 2}[n]
		if len(list) < wantBindings || len(calls) < wantCalls {
			t.Fatalf("%s: %d bindings, %d calls, want at least %d, %d", what, len(list), len(calls), wantBindings, wantCalls)
		}
		aside := segments(t, s, ".damaged")
		if damaged != (len(aside) == 1) || damaged != strings.Contains(log.String(), "set aside") {
			t.Fatalf("%s: set aside: %v\n%s", what, aside, log.String())
		}
		if !damaged && prefix >= segmentHeader && prefix < len(whole) && !slices.Contains(ends, prefix) && prefix != segmentHeader && !strings.Contains(log.String(), "cut short") {
			t.Fatalf("%s: not said: %s", what, log.String())
		}
		for _, f := range aside {
			_ = os.Remove(f)
		}
		for _, q := range []string{"DELETE FROM cdrs", "DELETE FROM bindings"} {
			if err := s.db.WithContext(context.Background()).Exec(q).Error; err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(what, err)
		}
	}
	last := ends[len(ends)-2]
	for at := 0; at <= len(whole); at += 23 {
		check(fmt.Sprint("cut at ", at), whole[:at], at, false)
		if at < len(whole) {
			bad := slices.Clone(whole)
			bad[at] ^= 0x80
			check(fmt.Sprint("damaged at ", at), bad, at, at < last)
		}
	}
	check("garbage", []byte(strings.Repeat("garbage", 100)), 0, true)
}
