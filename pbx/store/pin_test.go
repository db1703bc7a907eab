package store

import (
	"testing"
	"time"
)

func TestPINIsLockedAfterManyWrongOnes(t *testing.T) {
	var w wrongPINs
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for range maxWrongPINs - 1 {
		if w.judge("1000", false, now) {
			t.Fatal("a wrong one counts")
		}
	}
	if !w.judge("1000", true, now) {
		t.Fatal("locked too early")
	}
	for range maxWrongPINs {
		w.judge("1000", false, now)
	}
	if w.judge("1000", true, now.Add(pinLockout-time.Second)) {
		t.Error("not locked")
	}
	if !w.judge("1001", true, now) {
		t.Error("another extension is locked")
	}
	if !w.judge("1000", true, now.Add(pinLockout)) {
		t.Error("locked for ever")
	}
	if len(w.wrong) != 0 {
		t.Error(w.wrong)
	}
}
