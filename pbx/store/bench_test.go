package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ringback/pbx"
)

// record is a finished call; those of larger i started later.
func record(i int) pbx.CDR {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * 10 * time.Millisecond)
	to := fmt.Sprint(1000 + i*104729%10000)
	node := "ring " + to + " for 25s"
	return pbx.CDR{
		Hidden: true, Plan: node + "\n  on no answer or unreachable: refuse: failed 404 (system) [forward no answer, set by 1000 on 2 March 2026]\n",
		Path: []pbx.Passed{{Node: node, At: start.Add(time.Millisecond), Until: start.Add(3 * time.Second), Outcome: "answered (callee)"}},
		Recorded: []pbx.Recorded{{ID: fmt.Sprintf("%016d", i), By: "policy of " + to, Started: start.Add(3 * time.Second), Ended: start.Add(63 * time.Second)},
			{By: to, Started: start.Add(4 * time.Second), Problem: "The disk is full."}},
		ID: fmt.Sprintf("%016x-%08x", start.UnixMicro(), i), From: fmt.Sprint(1000 + i*7919%10000), FromName: "Alice Müller",
		To: fmt.Sprint(1000 + i*104729%10000), Started: start, Rang: start.Add(20 * time.Millisecond), Answered: start.Add(3 * time.Second),
		Ended: start.Add(63 * time.Second), By: fmt.Sprint(1000 + i*104729%10000), Contact: "sip:1001@192.0.2.17:5060;transport=udp",
		Outcome: "answered", Cause: 16, EndedBy: "caller", Reason: `Q.850;cause=16;text="Terminated"`, Codec: "PCMU",
		CallID: fmt.Sprintf("%d-a84b4c76e66710@pc33.atlanta.example.com", i),
		FromPhone: pbx.Quality{PacketsIn: 3000, PacketsOut: 3001, LostIn: 2, LostOut: 1, JitterIn: 1500 * time.Microsecond, JitterOut: 900 * time.Microsecond,
			RoundTrip: 23 * time.Millisecond, MOSIn: 4.38, MOSOut: 4.29},
		ToPhone: pbx.Quality{PacketsIn: 3001, PacketsOut: 3000, LostIn: 1, LostOut: 2, JitterIn: 700 * time.Microsecond, JitterOut: 800 * time.Microsecond,
			MOSOut: 1.1},
	}
}

func bindingsOf(i int) (string, []pbx.Binding) {
	number := fmt.Sprint(1000 + i)
	now := time.Now().UTC().Truncate(time.Microsecond)
	return number, []pbx.Binding{{
		Extension: number, Contact: "sip:" + number + "@192.0.2.17:5060;transport=udp", Instance: "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>",
		RegID: 1, Path: []string{"<sip:edge.example.com;lr>"}, Transport: "udp", Source: "192.0.2.17:5060", Listener: "192.0.2.1:5060",
		CallID: fmt.Sprintf("843817637684230@998sdasdh%d", i), CSeq: uint32(i), Q: 1000, Methods: []string{"INVITE", "ACK", "BYE", "CANCEL"},
		UserAgent: "Yealink SIP-T54W 96.86.0.70", TempGRUU: "tgruu7hjz", Registered: now, Updated: now, Expires: now.Add(time.Hour),
	}}
}

func BenchmarkAnswered(b *testing.B) {
	s := open(b, b.TempDir(), Options{Checkpoint: time.Hour})
	c := record(1)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Journal().Answered(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEnded(b *testing.B) {
	s := open(b, b.TempDir(), Options{Checkpoint: time.Hour})
	c := record(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if s.Journal().Ended(c); i%4096 == 0 {
			b.StopTimer()
			reply := make(chan error)
			s.Journal().flushes <- reply // written and rotated, not yet in the database
			<-reply
			b.StartTimer()
		}
	}
	if n := s.Journal().Stats().Dropped; n > 0 {
		b.Fatal("dropped ", n)
	}
}

// BenchmarkBindings has 5,000 REGISTERs wait at a time, as a busy registrar does.
func BenchmarkBindings(b *testing.B) {
	s := open(b, b.TempDir(), Options{Checkpoint: time.Hour})
	number, list := bindingsOf(1)
	waiting := make(chan struct{}, 5000)
	var all sync.WaitGroup
	done := func(err error) {
		if err != nil {
			b.Error(err)
		}
		<-waiting
		all.Done()
	}
	b.ReportAllocs()
	for b.Loop() {
		waiting <- struct{}{}
		all.Add(1)
		s.Journal().Bindings(number, list, done)
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/float64(s.Journal().Stats().Commits), "promises/fsync")
}

// BenchmarkCDRCheckpoint is a record's way from a segment into the database.
func BenchmarkCDRCheckpoint(b *testing.B) {
	s := open(b, b.TempDir(), Options{Checkpoint: time.Hour})
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		list := make([]pbx.CDR, batchCDRs)
		for k := range list {
			list[k] = record(i)
			i++
		}
		b.StartTimer()
		if err := s.insertCDRs(context.Background(), list, upsertEnded); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i), "ns/record")
}

func BenchmarkBindingsCheckpoint(b *testing.B) {
	s := open(b, b.TempDir(), Options{Checkpoint: time.Hour})
	n := 0
	for b.Loop() {
		b.StopTimer()
		for i := range 2000 {
			number, list := bindingsOf(i)
			s.Journal().Bindings(number, list, func(error) {})
			n++
		}
		b.StartTimer()
		if err := s.Journal().Flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/extension")
}

func BenchmarkDirectory(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	fill(b, s, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if s.Extension("5000") == nil {
			b.Fatal("gone")
		}
	}
}

func BenchmarkCheckToken(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	secret, err := s.CreateToken(context.Background(), "bench", ScopeAdmin)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.CheckToken(secret); !ok {
			b.Fatal("refused")
		}
	}
}

// BenchmarkLoad10000 reads the directory at start.
func BenchmarkLoad10000(b *testing.B) {
	s := open(b, b.TempDir(), Options{})
	fill(b, s, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.loadDirectory(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, Options{})
	fill(b, s, 10_000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = s.Close()
		b.StartTimer()
	}
}

// fill adds extensions 1000, 1001, …
func fill(tb testing.TB, s *Store, n int) {
	tb.Helper()
	list := make([]NewExtension, n)
	for i := range list {
		list[i].Number = fmt.Sprint(1000 + i)
	}
	if _, err := s.CreateExtensions(context.Background(), list); err != nil {
		tb.Fatal(err)
	}
}
