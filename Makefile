# Thin names over CMake's presets (CMakePresets.json) and scripts/. Each target installs what it lacks first.
SHELL := /bin/bash
.DEFAULT_GOAL := all
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
ARGS ?= serve
BENCH_ARGS ?=
FUZZ_SECONDS ?= 60
SEEDS ?= 1:3600
PRESET ?= test
BINARY := build/release/questlog
PYTHON := .deps/venv/bin/python
DUCKDB_OPTION := $(if $(DUCKDB_DIR),-DDUCKDB_DIR=$(abspath $(DUCKDB_DIR)))

# $(call build,PRESET,TARGETS): configured once; after that the build itself notices what changed.
define build
	@test -f build/$(1)/build.ninja -a -z '$(DUCKDB_OPTION)' || \
	    cmake --preset $(1) $(DUCKDB_OPTION) --log-level=WARNING >/dev/null
	@cmake --build --preset $(1) --target $(2) -j $(JOBS)
endef

# $(call torture,PRESET,ARGUMENTS): tests/torture/run on that preset's binary.
define torture
	QUESTLOG_BINARY=$(CURDIR)/build/$(1)/questlog $(PYTHON) tests/torture/run $(2)
endef

.PHONY: all run demo test test-cluster sim torture mutants bench asan tsan fuzz tidy format install package clean help

all: ## Build build/release/questlog (the default)
	@scripts/setup --build
	$(call build,release,questlog)

run: all ## Start the collector on ./data; other commands by ARGS="tail -e"
	@$(BINARY) $(ARGS)

demo: ## Build, then see the whole pipeline at work in a minute
	@scripts/setup --demo
	$(call build,release,questlog)
	@scripts/demo

test: ## Run every test: units, simulation, corpora, the real binary, the house rules
	@scripts/setup --test
	$(call build,test,all)
	ctest --test-dir build/test --output-on-failure -j $(JOBS)
	QUESTLOG_BINARY=$(CURDIR)/build/test/questlog timeout 2400 $(PYTHON) -m pytest --rootdir . \
	    -c tests/e2e/pytest.ini tests/tidy tests/e2e tests/cluster --ignore tests/cluster/real

test-cluster: ## Start the real Kafka, HDFS, Spark and JupyterLab, and test cluster/ with them
	@scripts/setup --test --test-cluster
	$(call build,$(PRESET),questlog)
	QUESTLOG_BINARY=$(CURDIR)/build/$(PRESET)/questlog $(PYTHON) -m pytest --rootdir . -c tests/e2e/pytest.ini tests/cluster

sim: ## 20,000 power cuts of the whole pipeline on a simulated machine; SEEDS=FIRST:COUNT replays
	@scripts/setup --test
	$(call build,test,sim_test)
	QUESTLOG_SIM_SEEDS=$(SEEDS) build/test/tests/sim_test

torture: ## Kill, starve, damage and flood the real binary (SEED=7 PARTS="kills damage" CASE=3 PRESET=asan)
	@scripts/setup --test
	$(call build,$(PRESET),questlog)
	$(call torture,$(PRESET),$(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) $(PARTS))

mutants: ## Break the code in each way of tests/mutants/, and see a test notice (ARGS: MUTANTS="no_fsync …")
	@scripts/setup --test
	@tests/mutants/run $(MUTANTS)

bench: ## Measure, beside peers, and write the ratios as JSON (BENCH_ARGS=--quick)
	@scripts/setup --bench --cluster
	$(call build,release,questlog)
	$(call build,bench,benches)
	@for program in build/bench/src/*/*_bench; do $$program --benchmark_min_time=0.1 || exit 1; done
	$(PYTHON) bench/run $(BENCH_ARGS)

asan: ## Unit tests, and the real binary under mutated requests and load, under AddressSanitizer and UBSan
	@scripts/setup --test
	$(call build,asan,all)
	ctest --test-dir build/asan --output-on-failure -j $(JOBS)
	$(call torture,asan,requests pressure)

tsan: ## Unit tests, and the real binary under load, under ThreadSanitizer
	@scripts/setup --test
	$(call build,tsan,all)
	ctest --test-dir build/tsan --output-on-failure -j $(JOBS)
	$(call torture,tsan,pressure)

fuzz: ## Fuzz each target for FUZZ_SECONDS (60) from its corpus
	@scripts/setup --test --tools
	$(call build,fuzz,fuzzers)
	@scripts/fuzz $(FUZZ_SECONDS)

tidy: ## clang-tidy over all sources (.clang-tidy)
	@scripts/setup --test --bench --tools
	@cmake --preset tidy $(DUCKDB_OPTION) --log-level=WARNING >/dev/null
	run-clang-tidy-16 -quiet -j $(JOBS) -p build/tidy '$(CURDIR)/(src|tests)/'

format: ## Format all sources in place (.clang-format)
	@scripts/setup --tools
	git ls-files -co --exclude-standard 'src/*.cpp' 'src/*.h' 'tests/*.cpp' 'tests/*.h' | xargs clang-format-16 -i

install: all ## Install under PREFIX (/usr/local)
	cmake --install build/release --component questlog --prefix $(abspath $(PREFIX)) --strip

package: ## Make dist/*.deb and dist/*.tar.gz, and run the packed binary
	@scripts/setup --package
	$(call build,release,questlog)
	@scripts/package

clean: ## Remove build/ and dist/ (.deps/ stays: it was downloaded)
	rm -rf build dist

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
