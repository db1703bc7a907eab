package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	var out, err bytes.Buffer
	if status := run(t.Context(), []string{"demo"}, app{strings.NewReader(""), &out, &err, func(string) string { return "" }}); status != 0 {
		t.Fatalf("status %d\n%s%s", status, &out, &err)
	}
	if !strings.Contains(out.String(), "INVITE 1001 +SDP") || !strings.Contains(out.String(), "All went well") {
		t.Error(out.String())
	}
}

// A demo that cannot make its calls must say so.
func TestDemoFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	if status := run(ctx, []string{"demo"}, app{strings.NewReader(""), &out, &err, func(string) string { return "" }}); status != 1 {
		t.Fatalf("status %d\n%s%s", status, &out, &err)
	}
}
