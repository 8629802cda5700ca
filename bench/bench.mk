# Measurements. ARGS adds options, such as ARGS="--workloads small-64,start --pairs 3"; bench/compare.py --list names them.
.PHONY: bench bench-quick bench-docs bench-gate bench-start bench-transactions bench-scaling

# Ours, the null broker and Apache Kafka in pairs: every workload, an hour and a half on a quiet machine of two cores.
bench: bench-build
	python3 bench/compare.py $(ARGS)

# The most telling workloads, three pairs each, within five minutes.
bench-quick: bench-build
	python3 bench/compare.py --quick $(ARGS)

# The tables and the plot of docs/PERFORMANCE.md, from the results of the last run.
bench-docs:
	python3 bench/compare.py --write-docs $(ARGS)

# Instructions and system calls of one request against their bounds.
bench-gate: deps build
	python3 bench/gate.py $(ARGS)

.PHONY: bench-build
bench-build: tests-configured
	cmake --build --preset release -j $(JOBS) --target milena null_broker load

# Ours or, with TARGET=kafka, Apache Kafka.
bench-start: $(COMPAT_NEEDS)
	python3 bench/start.py $(COMPAT_OPTIONS)

# Ours and Apache Kafka in one run.
bench-transactions: build
	python3 bench/transactions.py $(ARGS)

# What grows with connections, partitions, groups and producers, within ten minutes; ARGS="--write-docs --only groups" for
# a part of docs/SCALING.md.
bench-scaling: bench-build
	python3 bench/scaling.py $(ARGS)
