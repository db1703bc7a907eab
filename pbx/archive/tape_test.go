package archive

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/pbx"
)

// What is on the way of a frame of a call allocates nothing, also where the writer has to be called.
func TestWriteAllocatesNothing(t *testing.T) {
	onDisk(t, func(t *testing.T, a *Archive, d *disk, rows *table) {
		_, tape, err := a.Record(pbx.Recording{Channels: 2})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		hold := make(chan struct{})
		d.set(func() { d.hold = hold }) // the writer, who may allocate, stands still
		both := ramp(0, 2*frame)
		for range 50 {
			tape.Write(both)
		}
		synctest.Wait()
		if n := testing.AllocsPerRun(100, func() {
			if !tape.Write(both) {
				t.Error("it is full")
			}
		}); n > 0 {
			t.Error(n)
		}
		close(hold)
		d.set(func() { d.hold = nil })
		tape.Drop()
	})
}

// A stereo recording, 20 ms a run, with a disk that keeps up.
func BenchmarkWrite(b *testing.B) {
	a := open(b, Options{Dir: b.TempDir()})
	_, t, err := a.Record(pbx.Recording{Channels: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { t.Drop() }()
	both := ramp(0, 2*frame)
	b.ReportAllocs()
	for b.Loop() {
		for !t.Write(both) { // sound comes faster here than any disk takes it
			b.StopTimer()
			t.Drop()
			if _, t, err = a.Record(pbx.Recording{Channels: 2}); err != nil {
				b.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			b.StartTimer()
		}
	}
}
