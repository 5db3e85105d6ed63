# Onepane: `make` alone builds, vets and tests offline; `make test` proves everything; `make run` shows it.
GO      ?= go
BIN     := bin/onepane
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Packages under testdata are left out of ./... by the go command: name them.
PACKAGES := ./... ./testdata/demo ./testdata/attacks

.PHONY: all build run test lint unit race crash golden fuzz conformance bench bench-replay score package e2e-cloud e2e-cost bench-cost bench-coldstart simulate clients clean

all: build lint unit

build: $(BIN)

$(BIN): FORCE
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./functions/cmd/onepane

FORCE:

# Starts standalone, plays the demo story into an empty store, prints the incidents and keeps serving until Ctrl-C.
run: build
	@$(BIN) serve --demo

# Stand-ins of the clouds run on Node: what cannot be installed is an error here, and passed over by a plain `go test`.
test: export ONEPANE_TEST_NPM = 1
test: lint unit race crash infra-fmt infra-lint infra-tf

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PACKAGES)
	$(GO) tool staticcheck $(PACKAGES)

unit:
	$(GO) test $(PACKAGES)

# The packages where goroutines meet; of the Cosmos driver the tests in which they do.
race:
	$(GO) test -race -skip PagesReadFewRows ./shared/datadir/... ./shared/bus/... ./shared/store/localstore ./shared/identity/... ./functions/correlate/... ./functions/host/... ./infra/local/cosmos
	$(GO) test -race -run 'TwoCorrelators|OldView|LostRace|NothingIsShared' ./shared/store/cosmos

# Kills the real server with SIGKILL under load, CRASHES times, and looks for every alert that was answered 202; and
# EXPORT_CRASHES times while it sends to each kind of target, and looks for everything that the store holds.
CRASHES ?= 50
EXPORT_CRASHES ?= 20
crash: export ONEPANE_TEST_NPM = 1
crash:
	ONEPANE_CRASHES=$(CRASHES) ONEPANE_EXPORT_CRASHES=$(EXPORT_CRASHES) $(GO) test -count=1 -run 'Crash$$' -v ./functions/cmd/onepane

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

# The API is measured over so many alerts, and beside Alertmanager where one is on the PATH.
bench: export ONEPANE_BENCH_ALERTS ?= 100000,1000000
bench:
	$(GO) test -run xxx -bench . -benchmem ./functions/... ./shared/... ./events/...

# What a replay of very many alerts takes: time, CPU for an alert at the start and at the end, the most memory.
VOLUMES ?= 300000 1000000 2600000
bench-replay:
	@for n in $(VOLUMES); do $(GO) run ./functions/cmd/score --endure $$n || exit 1; done

# What is deployed, into dist: packages of Lambda and Functions, the image of Cloud Run, an SBOM each and their sums.
package:
	$(GO) run ./functions/cmd/package -o dist -version '$(VERSION)'

# A tenant's whole path through three clouds on this machine, with everything going wrong, against `onepane replay`. `make
# test` runs the same with some hundred alerts.
ALERTS ?= 10000
e2e-cloud: export ONEPANE_TEST_NPM = 1
e2e-cloud:
	ONEPANE_E2E_ALERTS=$(ALERTS) $(GO) test -count=1 -v -timeout 60m ./functions/cmd/e2e

# What an alert costs on that path, and in the store alone, with so many stored already: it must not grow. The first is limited
# by everything it starts; the second takes a million in twelve minutes of processor time and 10 GB, for the stand-in forgets nothing.
STORED ?= 10000,50000
e2e-cost: export ONEPANE_TEST_NPM = 1
e2e-cost:
	ONEPANE_E2E_STORED=$(STORED) $(GO) test -run - -bench Cost -benchtime 1x -timeout 12h ./functions/cmd/e2e

STORE_STORED ?= 10000,100000,1000000
bench-cost:
	ONEPANE_COST_STORED=$(STORE_STORED) $(GO) test -run - -bench Commit -benchtime 1x -timeout 12h ./shared/store/cosmos

# The clients that others wrote for Microsoft Graph security, against the real server. `make test` runs the same but for
# Microsoft's SDK for Go, whose first build takes five minutes of a core and 5 GB.
clients: export ONEPANE_TEST_NPM = 1
clients: export ONEPANE_TEST_GRAPH_SDK = 1
clients:
	$(GO) test -count=1 -v -timeout 60m ./functions/cmd/clients

# The start of each producer over that of the least function on its platform, by turns, and its size.
bench-coldstart:
	$(GO) test -run Sizes -v -bench ColdStart -benchtime 5x ./functions/cmd/coldstart

# How far one deployment carries many tenants and a hot one.
simulate:
	$(GO) run ./functions/cmd/simulate

clean:
	rm -rf bin dist

-include infra/infra.mk
