package main

import (
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profile writes cpu.pprof, from now until stop, and heap.pprof, at stop, into dir: for serve --profile, which is how the
// figures of docs/benchmarks.md are explained.
func profile(dir string) (stop func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		cpu.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		cpu.Close()
		if heap, err := os.Create(filepath.Join(dir, "heap.pprof")); err == nil {
			pprof.WriteHeapProfile(heap)
			heap.Close()
		}
	}, nil
}
