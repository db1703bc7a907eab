package features

import (
	"testing"
	"time"

	"ringback/pbx"
)

type directory map[string]*pbx.Extension

func (d directory) Extension(number string) *pbx.Extension { return d[number] }

func TestPlans(t *testing.T) {
	r := Router{Codes: DefaultCodes, Directory: directory{
		"1000": {Number: "1000", Enabled: true, Ring: 30 * time.Second},
		"1001": {Number: "1001", Enabled: false, Ring: 30 * time.Second},
	}}
	for dialled, want := range map[string]string{
		"1000": "ring 1000 for 30s",
		"1001": "refuse: failed 404 (system)",
		"9999": "refuse: failed 404 (system)",
		"":     "refuse: failed 404 (system)",
		"*43":  "echo test",
		"*430": "refuse: failed 404 (system)",
	} {
		if got := r.Plan(pbx.Identity{Number: "1002"}, dialled).String(); got != want {
			t.Errorf("plan for %q: %s, want %s", dialled, got, want)
		}
	}
}

func BenchmarkRoute(b *testing.B) {
	r := Router{Codes: DefaultCodes, Directory: directory{"1000": {Number: "1000", Enabled: true, Ring: 30 * time.Second}}}
	b.ReportAllocs()
	for b.Loop() {
		if r.Plan(pbx.Identity{Number: "1002"}, "1000") == nil {
			b.Fatal("no plan")
		}
	}
}
