# Onepane: `make` alone builds, vets and tests offline; `make test` proves everything; `make run` shows it.
GO      ?= go
BIN     := bin/onepane
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Packages under testdata are left out of ./... by the go command: name them.
PACKAGES := ./... ./testdata/demo ./testdata/attacks

.PHONY: all build run test lint unit race crash golden fuzz conformance bench score clean

all: build lint unit

build: $(BIN)

$(BIN): FORCE
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./functions/cmd/onepane

FORCE:

# Starts standalone, plays the demo story into an empty store, prints the incidents and keeps serving until Ctrl-C.
run: build
	@$(BIN) serve --demo

test: lint unit race crash

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)

unit:
	$(GO) test $(PACKAGES)

# The packages where goroutines meet.
race:
	$(GO) test -race ./shared/datadir/... ./shared/bus/... ./shared/store/... ./functions/correlate/... ./functions/host/...

# Kills the real server with SIGKILL under load, CRASHES times, and looks for every alert that was answered 202.
CRASHES ?= 50
crash:
	ONEPANE_CRASHES=$(CRASHES) $(GO) test -count=1 -run TestCrash -v ./functions/cmd/onepane

# Rewrites golden files; review the diff.
golden:
	$(GO) test ./functions/ingest/... ./functions/api/... -update

# Runs every fuzz target for FUZZTIME each.
FUZZTIME ?= 30s
fuzz:
	@for f in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
	  for t in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$f); do \
	    echo "== $$t in $$(dirname $$f)"; $(GO) test -run xxx -fuzz "^$$t\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 0s ./$$(dirname $$f) || exit 1; \
	  done; done

# The suites that every driver and provider keeps, by promise.
conformance:
	$(GO) test -v -run 'Conformance|Promises' ./functions/ingest/... ./shared/bus/... ./shared/store/...

# How well alerts are correlated, on generated attacks and, where it is at hand, the AIT set. Exits 1 below the project's goals.
score:
	$(GO) run ./functions/cmd/score $(SCORE)

bench:
	$(GO) test -run xxx -bench . -benchmem ./functions/... ./shared/... ./events/...

clean:
	rm -rf bin dist
