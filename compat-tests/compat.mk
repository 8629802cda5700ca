# The black-box suites. TARGET=kafka runs any of them against Apache Kafka instead of our binary; ARGS adds options.
TARGET ?= milena
CYCLES ?= 200
TESTS ?=
PROTOCOL ?=
CLIENTS ?=
ROUNDS ?= 8
OLD ?=
ARGS ?=
ifeq ($(TARGET),milena)
COMPAT_NEEDS = build
endif
COMPAT_RUN = python3 compat-tests
COMPAT_OPTIONS = --target $(TARGET) $(ARGS)

.PHONY: compat compat-ci compat-tools compat-librdkafka compat-clients compat-eos compat-hostile compat-limits compat-metrics compat-differential compat-config compat-wire chaos \
	compat-startup compat-upgrade compat-upgrade-kafka

compat: compat-tools compat-librdkafka compat-clients

# The slice that needs no Java and nothing from a registry: minutes, not a quarter of an hour.
compat-ci: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/crash/journal_test.py
	$(COMPAT_RUN)/checker/checker_test.py
	$(COMPAT_RUN)/clients/run.py --clients kcat $(COMPAT_OPTIONS)
	$(COMPAT_RUN)/wire/wire_test.py $(COMPAT_OPTIONS)
	$(COMPAT_RUN)/hostile/hostile_test.py $(COMPAT_OPTIONS)
	$(COMPAT_RUN)/crash/kill_loop.py --cycles 20 $(COMPAT_OPTIONS)
	$(COMPAT_RUN)/startup/inventory_test.py
	$(COMPAT_RUN)/upgrade/upgrade_test.py $(COMPAT_OPTIONS)

compat-tools: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/kafka-tools/tools_test.py $(COMPAT_OPTIONS)

compat-librdkafka: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/librdkafka/run.py $(if $(TESTS),--tests $(TESTS)) $(if $(PROTOCOL),--protocol $(PROTOCOL)) $(COMPAT_OPTIONS)

compat-clients: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/clients/run.py $(if $(CLIENTS),--clients $(CLIENTS)) $(COMPAT_OPTIONS)

compat-eos: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/clients/eos/run.py --rounds $(ROUNDS) $(if $(CLIENTS),--clients $(CLIENTS)) $(COMPAT_OPTIONS)

compat-hostile: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/hostile/hostile_test.py $(COMPAT_OPTIONS)

compat-limits: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/limits/limits_test.py $(COMPAT_OPTIONS)

compat-metrics: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/metrics/metrics_test.py $(COMPAT_OPTIONS)

compat-differential: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/differential/run.py $(COMPAT_OPTIONS)

compat-config: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/configuration/run.py $(COMPAT_OPTIONS)

compat-wire: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/wire/wire_test.py $(COMPAT_OPTIONS)

chaos: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/crash/kill_loop.py --cycles $(CYCLES) $(COMPAT_OPTIONS)

# Every state of one to three log directories, before a start and under a running broker. Mounting wants root.
compat-startup: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/startup/inventory_test.py
	$(COMPAT_RUN)/startup/startup_test.py $(COMPAT_OPTIONS)

# Directories of older builds, and with OLD=path/to/binary the way back.
compat-upgrade: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/upgrade/upgrade_test.py $(if $(OLD),--old $(OLD)) $(COMPAT_OPTIONS)

# Directories of Apache Kafka's; needs Java.
compat-upgrade-kafka: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/upgrade/kafka_test.py $(COMPAT_OPTIONS)
