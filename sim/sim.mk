# The simulator; see sim/README.md. SEED is the first seed (1).
.PHONY: sim sim-nightly sim-build mutants

# One seed, with what befell the broker and its log; with SEEDS=2000 that many, and a line for each that fails.
sim: sim-build
	build/release/milena-sim --seed $(or $(SEED),1) $(if $(SEEDS),--seeds $(SEEDS),--verbose)

# Each seed twice: the two runs must be the same, byte by byte. A quarter of an hour.
sim-nightly: sim-build
	build/release/milena-sim --seed $(or $(SEED),1) --seeds $(or $(SEEDS),20000) --twice

# The planted bugs of GROUP: each must be found. The first time it builds a folder of its own.
mutants: deps
	python3 tools/run_mutants.py --jobs $(JOBS) --group $(or $(GROUP),broker)

sim-build: tests-configured
	cmake --build --preset release -j $(JOBS) --target milena-sim
