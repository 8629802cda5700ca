# The commands of the house. `make run` and `make test` work on a bare Debian 12: they install what is missing.
#
#   make run        build and start the broker with its embedded defaults on :9092
#   make test       build and run the unit tests
#   make build      build/release/milena
#   make format     format every C++ file      make check   formatting, includes and the lists of packages only
#   make fresh      the first two in a new Debian 12 made by debootstrap (as root; half an hour)
#   make tidy       clang-tidy over the tree (second time: over what changed)
#   make asan-test, make tsan-test             the unit tests under the sanitizers
#   make fuzz       every fuzz target for FUZZ_SECONDS (60) each, from FUZZ_SEED (0: another each time)
#   make compat, compat-librdkafka, compat-tools, compat-clients, chaos: see compat-tests/README.md
#   make bench, bench-quick, bench-gate: see bench/README.md
#   make sim, sim-nightly: see sim/README.md

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
CXX_FILES = $(shell git ls-files -co --exclude-standard '*.h' '*.cc')

.PHONY: run test build tests-configured check format tidy asan-test tsan-test fuzz fresh deps deps-run

run: build
	build/release/milena

test: tests-configured
	cmake --build --preset release -j $(JOBS)
	ctest --test-dir build/release --output-on-failure -j $(JOBS)

build: build/release/build.ninja
	cmake --build --preset release -j $(JOBS) --target milena

check: tests-configured
	clang-format-19 --dry-run -Werror $(CXX_FILES)
	python3 tools/check_includes.py .
	python3 tools/check_packages.py build/release

format:
	clang-format-19 -i $(CXX_FILES)

tidy: tests-configured
	cmake --build --preset release -j $(JOBS)
	python3 tools/run_tidy.py --jobs $(JOBS) build/release

asan-test: build/asan/build.ninja
	cmake --build --preset asan -j $(JOBS)
	ctest --test-dir build/asan --output-on-failure -j $(JOBS)

tsan-test: build/tsan/build.ninja
	cmake --build --preset tsan -j $(JOBS)
	ctest --test-dir build/tsan --output-on-failure -j $(JOBS)

fuzz: build/fuzz/build.ninja
	cmake --build --preset fuzz -j $(JOBS) --target fuzzers
	tools/run_fuzz.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ_SEED)

# The broker alone at first, whose packages are fewer; what needs the tests adds them to the same folder.
build/release/build.ninja: | deps-run
	cmake --preset release -DMILENA_TESTS=OFF

tests-configured: deps
	@grep -qs '^MILENA_TESTS:BOOL=ON' build/release/CMakeCache.txt || cmake --preset release -DMILENA_TESTS=ON

fresh: deps
	python3 tools/fresh.py $(ARGS)

build/%/build.ninja: | deps
	cmake --preset $*

deps:
	@tools/install_deps.sh run test

deps-run:
	@tools/install_deps.sh run

-include compat-tests/compat.mk bench/bench.mk sim/sim.mk
