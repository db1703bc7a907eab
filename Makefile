# Shorthands. The gate itself is .ci/run.
export CGO_ENABLED = 0

.PHONY: build test race bench fuzz lint ci clean

VERSION =
build: ## one static executable, ./ringback; VERSION=1.2.3 for a release
	go build -trimpath -ldflags '-X main.version=$(VERSION)' -o ringback ./cmd/ringback

test: ## what the README says
	go test ./...

race: ## the same under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race ./...

# One package at a time, so that no benchmark disturbs another. BENCH=Answer PKG=./pbx/line/offer picks some.
BENCH = .
PKG = ./...
BENCHTIME = 300ms
bench: ## every Go benchmark, as a table
	@go test -p 1 -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) $(PKG) | awk -f .ci/bench.awk

# Each fuzz target in turn, from its seeds and testdata. FUZZTIME=10m for a long look.
FUZZTIME = 10s
fuzz: ## every fuzz target for FUZZTIME
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r dir; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$dir/*_test.go); do \
			echo "== $$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir || exit 1; \
		done; \
	done

lint: ## gofmt, go vet, staticcheck
	.ci/lint

ci: ## the gate
	.ci/run

clean:
	rm -rf ringback dist
