# Everything a person or CI does with this repository. Recipes are POSIX sh.
# A target with a ## comment is listed by `make help`.

include .tools

BIN      := $(CURDIR)/bin
HOLDFAST := $(BIN)/holdfast
LINT     := $(BIN)/golangci-lint
WFCHECK  := $(BIN)/workflowcheck
VERSION   = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The race detector needs cgo, and so a C compiler. Go sets CGO_ENABLED to 0
# where it finds none; `make check` then refuses instead of testing less.
RACE      = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race,)
TESTFLAGS = $(RACE) -shuffle=on -count=1 -timeout 20m
PKG       = ./...
FUZZTIME  = 20s

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@echo "make <target>, and mostly one of:"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: dev
dev: build ## run the main job here: Temporal, ingress and worker in one terminal
	@cli=$$(sh deploy/temporal-cli.sh) && TEMPORAL_CLI="$$cli" exec $(HOLDFAST) dev $(ARGS)

.PHONY: fleet
fleet: build ## run a fleet of plain processes here: PostgreSQL, Temporal, ingresses, workers
	@go build -o $(BIN)/fleet ./deploy/fleet/up
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" exec $(BIN)/fleet $(ARGS)

.PHONY: build
build: ## build bin/holdfast
	go build -ldflags '-X main.version=$(VERSION)' -o $(HOLDFAST) ./cmd/holdfast

.PHONY: test
test: ## run all tests, with the race detector; PKG=./inbox/... for some
	@$(if $(RACE),:,echo "No C compiler found: testing without the race detector." >&2)
	@cli=$$(sh deploy/temporal-cli.sh) && helm=$$(sh deploy/helm-cli.sh) && \
		TEMPORAL_CLI="$$cli" HELM_CLI="$$helm" go test $(TESTFLAGS) $(PKG)

.PHONY: e2e
e2e: ## run the end-to-end tests only (TestE2E...), and say what they do
	@cli=$$(sh deploy/temporal-cli.sh) && TEMPORAL_CLI="$$cli" go test $(TESTFLAGS) -v -run '^TestE2E' $(PKG)

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZTIME (20s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		dir=$$(dirname "$$file"); \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r target; do \
			echo "$$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null || exit 1; \
		done || exit 1; \
	done

# The packages with benchmarks of single operations. BenchmarkIsolation of
# cmd/holdfast takes minutes and says in its comment how it is run.
BENCH_PKG = ./providers ./ingress ./ingress/doorbell ./activities ./inbox/sqlite ./inbox/postgres
BENCH     = .
COUNT     = 6

.PHONY: bench
bench: ## run the benchmarks, as benchstat reads them (BENCH=Accept, COUNT=6, BENCH_PKG=./ingress)
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" \
		go test -p 1 -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m $(BENCH_PKG)

# The revision that times are compared with: HEAD, or the one before it when
# nothing is changed.
BASE   =
ROUNDS = 11

.PHONY: bench-compare
bench-compare: bench-tool ## tell a regression from noise: allocations against the baseline, times against BASE
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" \
		exec $(BIN)/bench -bench '$(BENCH)' -base '$(BASE)' -rounds $(ROUNDS) $(BENCH_PKG)

# What needs no server, as a part of make check.
.PHONY: bench-allocations
bench-allocations: bench-tool
	@exec $(BIN)/bench -quick $(filter-out ./inbox/postgres,$(BENCH_PKG))

.PHONY: bench-baseline
bench-baseline: bench-tool ## write deploy/bench/baseline.txt, after a change of what is allocated that is meant
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" exec $(BIN)/bench -write $(BENCH_PKG)

.PHONY: bench-tool
bench-tool:
	@go build -o $(BIN)/bench ./deploy/bench

.PHONY: chaos
chaos: ## kill, freeze and cut off a fleet under load, and judge (CHAOS_MINUTES=5, CHAOS_SEED, CHAOS_RELIEF=off)
	@go build -o $(BIN)/chaos ./deploy/chaos
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" exec $(BIN)/chaos $(ARGS)

# Faults that are the same each time: a failure here is to be found again. With the
# relief lane at auto events go both ways.
.PHONY: chaos-short
chaos-short:
	@go build -o $(BIN)/chaos ./deploy/chaos
	@postgres=$$(sh deploy/postgres.sh) && PATH="$$postgres:$$PATH" CHAOS_SEED="$${CHAOS_SEED:-1}" CHAOS_RELIEF="$${CHAOS_RELIEF:-auto}" exec $(BIN)/chaos -short -rate 40 $(ARGS)

.PHONY: lint
lint: $(LINT) $(WFCHECK) ## golangci-lint, go vet, and workflowcheck for determinism
	$(LINT) run
	go vet ./...
	$(WFCHECK) -config .workflowcheck.yml ./...

.PHONY: fmt
fmt: $(LINT) ## format all Go files as the linter wants them
	$(LINT) fmt

.PHONY: docs
docs: build ## write the generated parts of README.md
	$(HOLDFAST) settings --into README.md

.PHONY: docs-check
docs-check: build
	@copy=$$(mktemp) && trap 'rm -f "$$copy"' EXIT && cp README.md "$$copy" && \
		$(HOLDFAST) settings --into "$$copy" && \
		diff -u README.md "$$copy" || { echo "README.md is out of date: run make docs" >&2; exit 1; }

# A Helm that is built from source takes itself for one of a Kubernetes long gone.
KUBE_VERSION = 1.31.0

.PHONY: chart
chart: ## lint the Helm chart, and render it with each set of values in its ci folder
	@helm=$$(sh deploy/helm-cli.sh) && for values in deploy/kubernetes/ci/*.yaml; do \
		"$$helm" lint --strict --quiet --kube-version $(KUBE_VERSION) --values "$$values" deploy/kubernetes && \
		"$$helm" template holdfast deploy/kubernetes --kube-version $(KUBE_VERSION) --values "$$values" >/dev/null && \
		echo "the chart is right with $$values" || exit 1; \
	done

.PHONY: histories
histories: ## record workflow histories with the last released code, for the replay test
	@cli=$$(sh deploy/temporal-cli.sh) && TEMPORAL_CLI="$$cli" sh deploy/histories.sh

.PHONY: check
check: race-required lint docs-check chart bench-allocations chaos-short test ## all of it: what CI runs

.PHONY: race-required
race-required:
	@$(if $(RACE),:,echo "make check needs the race detector, and that a C compiler: install gcc, or run make test" >&2; exit 1)

.PHONY: clean
clean: ## remove what was built; ./data stays
	rm -rf $(BIN)
	go clean -testcache

# A tool is built again when its version changes.
$(LINT): .tools
	GOFLAGS= GOBIN=$(BIN) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@

$(WFCHECK): .tools
	GOFLAGS= GOBIN=$(BIN) go install go.temporal.io/sdk/contrib/tools/workflowcheck@$(WORKFLOWCHECK_VERSION)
	@touch $@
