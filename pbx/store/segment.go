package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A segment is one file of the journal: a header, then records.
//
//	header: magic (8 bytes), salt (4), CRC-32C of the salt (4)
//	record: length of the payload (4), CRC-32C of salt, type and payload (4), type (1), payload
//
// Numbers are little endian. The salt is random, so that nothing a phone sends can look like a record when a damaged
// file is searched for the next good one.
const (
	segmentMagic  = "RINGJRN1"
	segmentHeader = 16
	recordHeader  = 9
	maxRecord     = 1 << 20
)

// Types of records.
const (
	recordBindings byte = 1 + iota // the bindings of an extension, all of them
	recordAnswered                 // a CDR whose call goes on
	recordEnded                    // a CDR, whole
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTooLong = errors.New("the record is too long for the journal")

// newSegmentHeader returns the first bytes of a segment, and its salt.
func newSegmentHeader() ([]byte, uint32) {
	b := make([]byte, segmentHeader)
	copy(b, segmentMagic)
	_, _ = rand.Read(b[8:12])
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[8:12], castagnoli))
	return b, binary.LittleEndian.Uint32(b[8:])
}

// appendRecord appends a record whose checksum is still missing: seal puts it in when the segment is known.
func appendRecord(b []byte, kind byte, payload func([]byte) []byte) ([]byte, error) {
	start := len(b)
	b = payload(append(b, 0, 0, 0, 0, 0, 0, 0, 0, kind))
	n := len(b) - start - recordHeader
	if n > maxRecord {
		return b[:start], errTooLong
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(n))
	return b, nil
}

// seal puts the checksums into a run of records.
func seal(b []byte, salt uint32) {
	for len(b) > 0 {
		n := recordHeader + int(binary.LittleEndian.Uint32(b))
		binary.LittleEndian.PutUint32(b[4:], crc32.Update(salt, castagnoli, b[8:n]))
		b = b[n:]
	}
}

// segmentReader goes through the good records of a segment, whatever is between them.
type segmentReader struct {
	f    io.ReaderAt
	size int64
	salt uint32

	at      int64 // where the next record is expected
	window  []byte
	base    int64 // offset of window
	ahead   int   // bytes to read at once
	damaged int64 // bytes skipped before a good record
	torn    int64 // bytes behind the last good record
	wasted  int64 // bytes that were no record after all
}

// maxSearch bounds the work on a file in which everything looks like the beginning of a record.
const maxSearch = 64 << 20

var errNoSegment = errors.New("it does not begin like a journal")

// newSegmentReader returns io.EOF for a segment that holds nothing, errNoSegment if the header is damaged.
func newSegmentReader(f file) (*segmentReader, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size < segmentHeader {
		return nil, io.EOF
	}
	r := &segmentReader{f: f, size: size, at: segmentHeader, ahead: 64 << 10}
	h, err := r.bytes(0, segmentHeader)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(h, []byte(segmentMagic)) || crc32.Checksum(h[8:12], castagnoli) != binary.LittleEndian.Uint32(h[12:]) {
		return nil, errNoSegment
	}
	r.salt = binary.LittleEndian.Uint32(h[8:])
	return r, nil
}

// bytes returns n bytes at an offset, valid until the next call.
func (r *segmentReader) bytes(off int64, n int) ([]byte, error) {
	if i := off - r.base; i >= 0 && i+int64(n) <= int64(len(r.window)) {
		return r.window[i : i+int64(n)], nil
	}
	want := int(min(int64(max(n, r.ahead)), r.size-off))
	if cap(r.window) < want {
		r.window = make([]byte, want)
	}
	r.window, r.base = r.window[:want], off
	if got, err := r.f.ReadAt(r.window, off); got < n {
		r.window = r.window[:0]
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return r.window[:n], nil
}

// record returns the record at an offset; kind 0 if there is no good one.
func (r *segmentReader) record(off int64) (kind byte, payload []byte, err error) {
	if off+recordHeader > r.size {
		return 0, nil, nil
	}
	h, err := r.bytes(off, recordHeader)
	if err != nil {
		return 0, nil, err
	}
	n, sum, kind := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:]), h[8]
	if kind < recordBindings || kind > recordEnded || n == 0 || n > maxRecord || off+recordHeader+int64(n) > r.size {
		return 0, nil, nil
	}
	b, err := r.bytes(off, recordHeader+int(n))
	if err != nil || crc32.Update(r.salt, castagnoli, b[8:]) != sum {
		r.wasted += int64(len(b))
		return 0, nil, err
	}
	return kind, b[recordHeader:], nil
}

// next returns the next good record and where it is, or io.EOF. The payload is valid until the next call.
func (r *segmentReader) next() (kind byte, payload []byte, off int64, err error) {
	for off = r.at; off < r.size && r.wasted < maxSearch; off++ {
		if kind, payload, err = r.record(off); err != nil {
			return 0, nil, 0, err
		}
		if kind != 0 {
			r.damaged += off - r.at
			r.at = off + recordHeader + int64(len(payload))
			return kind, payload, off, nil
		}
	}
	if r.torn = r.size - r.at; r.wasted >= maxSearch {
		r.damaged = r.torn // not searched to its end: keep it
	}
	return 0, nil, 0, io.EOF
}
