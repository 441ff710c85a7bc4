# farm's few verbs. `make` alone lists them.
SHELL := /bin/bash
SWIFT ?= swift
PREFIX ?= /usr/local
# One build folder per configuration, so that `make demo` and `make test` do not undo each other.
BUILD := $(SWIFT) build
# Without Swift's shared libraries: farm starts sooner, takes less memory, and runs where no toolchain is.
# FARM_COMMIT is for `farm --version`; builds for tests do without it, so that a commit does not make them link again.
RELEASE := FARM_COMMIT=$$(scripts/commit.sh) $(BUILD) -c release --static-swift-stdlib
# How many tests run at a time. If all run at once, they wait for each other for minutes.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8
# Of builds for tests.
FARM_BUILD_FLAGS ?=
export FARM_TEST_PYTHON := $(CURDIR)/.build-python/bin/python3

# For `make faults`: half of them on each backend, as with CI's ten.
FAULTS ?= 50
IMAGES ?= 1000
# For `make simulate`.
SEEDS ?= 10000

.PHONY: help setup build demo test bench faults trixie simulate fuzz sanitize nightly docs lint format install clean

help: ## lists the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## installs what building and testing need: Debian packages and Python environments
	@scripts/setup.sh

build: ## builds farm for use: .build/release/farm
	$(RELEASE) --product farm

demo: ## sets up, builds, and runs the pipeline over the sample photos
	@scripts/demo.sh

# The simulation needs the processors for itself: together with the others it would take minutes longer.
test: ## sets up what the tests need, starts servers for them and runs every test; SERVERS=trixie: servers of Debian 13
	@scripts/setup.sh
	$(SWIFT) build --build-tests $(FARM_BUILD_FLAGS)
	$(SWIFT) test --skip-build --filter SimulationTests
	scripts/servers/run.sh $(SWIFT) test --skip-build --skip SimulationTests

faults: build ## breaks servers, network, services and farm itself FAULTS times under load, and counts every row
	$(if $(BEFORE),before=$$(scripts/older.sh $(BEFORE)) && )$(FARM_TEST_PYTHON) Tests/Faults/faults.py --faults $(FAULTS) \
	  --images $(IMAGES) $(if $(SEED),--seed $(SEED)) $(if $(BACKEND),--backend $(BACKEND)) \
	  $(if $(BEFORE),--before "$$before" --versions "$(shell git rev-parse --short $(BEFORE)) to $(shell git describe --always --dirty)") --record

trixie: ## runs the port suites, the suite of broker limits and the faults on the servers of Debian 13 (trixie)
	@SERVERS=trixie scripts/setup.sh
	$(SWIFT) build --build-tests
	SERVERS=trixie scripts/servers/run.sh $(SWIFT) test --skip-build --filter 'PortTests|BrokerLimitTests'
	SERVERS=trixie $(MAKE) faults BACKEND=servers

bench: ## measures the release build and writes docs/performance.md; ONLY=merging measures only that part, QUICK=1 less of each
	@scripts/setup.sh bench
	FARM_BENCH=1 $(RELEASE)
	$(if $(QUICK),FARM_BENCH_QUICK=1) scripts/servers/run.sh .build/release/farm-bench $(ONLY)

simulate: ## runs the roles over a simulated queue, store and network: SEEDS=10000, or one with its trace: SEED=4711
	FARM_ASSERTIONS=1 $(RELEASE) --scratch-path .build-simulate --product simulate
	.build-simulate/release/simulate $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

fuzz: ## feeds a million mutated inputs to each place where bytes from outside come in; FUZZ_INPUTS=N for fewer
	@scripts/fuzz.sh

sanitize: ## runs the tests under the thread sanitizer; TESTS=HarmonyTests for some of them
	@scripts/sanitize.sh $(if $(TESTS),--filter '$(TESTS)')

nightly: SEEDS = 100000
nightly: ## simulate with SEEDS=100000, faults, trixie, fuzz and sanitize; their figures go into docs/reliability.md; ONLY=fuzz
	@SEEDS=$(SEEDS) scripts/nightly.sh $(ONLY)

docs: ## writes docs/metrics.md from the list of metrics
	$(SWIFT) build --build-tests
	FARM_WRITE_DOCS=1 $(SWIFT) test --skip-build --filter MetricsPageTests

lint: ## checks the format and builds with warnings as errors
	@scripts/lint.sh

format: ## formats the sources
	swift format --in-place --recursive --configuration .swift-format Package.swift Sources Tests Benchmarks

# Under sudo there is no toolchain on the PATH, and what root has built, its user cannot build again. The installed program has no
# symbols for debuggers, a third of the file; .build/release/farm keeps them.
install: $(if $(SUDO_USER),,build) ## installs farm, and links with the roles' names, under PREFIX (/usr/local); with sudo after make build
	install -D -s -m 755 .build/release/farm $(DESTDIR)$(PREFIX)/bin/farm
	for role in produce work merge consense enrich monitor; do ln -sf farm $(DESTDIR)$(PREFIX)/bin/farm-$$role; done

clean: ## removes what was built
	rm -rf .build .build-fuzz .build-nightly .build-older .build-others .build-python .build-sanitize .build-simulate demo examples/services/.venv*
