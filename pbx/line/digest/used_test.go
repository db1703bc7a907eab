package digest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestUsedModel compares the table with one that remembers everything: what it takes was never used before, and while
// there is room it takes all within 64 of the highest.
func TestUsedModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newUsedTable(8) // two buckets
		used := map[[3]int64]bool{}
		top := map[[2]int64]int64{}
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			stamp := rapid.Int64Range(1, 14).Draw(t, "stamp")
			user := rapid.Int64Range(0, 1).Draw(t, "user")
			nc := rapid.Int64Range(1, 150).Draw(t, "nc")
			v := table.use(stamp, uint32(user), uint32(nc), 100, time.Hour)
			if v == OK && used[[3]int64{stamp, user, nc}] {
				t.Fatalf("replay of stamp %d user %d nc %d taken", stamp, user, nc)
			}
			known := table.known(stamp, uint32(user))
			if v == OK {
				used[[3]int64{stamp, user, nc}] = true
				top[[2]int64{stamp, user}] = max(top[[2]int64{stamp, user}], nc)
			} else if known && !used[[3]int64{stamp, user, nc}] && nc > top[[2]int64{stamp, user}]-64 {
				t.Fatalf("stamp %d nc %d refused with %v though new and in the window below %d", stamp, nc, v, top[[2]int64{stamp, user}])
			}
			if known == (v == Stale) {
				t.Fatalf("%v but known is %v", v, known)
			}
		}
	})
}

func TestExpiredMakesRoom(t *testing.T) {
	table := newUsedTable(ways)
	for stamp := int64(1); stamp <= ways; stamp++ {
		if v := table.use(stamp, 1, 1, 10, 100); v != OK {
			t.Fatal(v)
		}
	}
	// All of them are over; a new one raises no floor, so one issued just before it is good as well.
	for _, stamp := range []int64{1001, 1000} {
		if v := table.use(stamp, 1, 1, 1010, 100); v != OK {
			t.Fatal(stamp, v)
		}
	}
}
