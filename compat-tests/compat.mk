# The black-box suites. TARGET=kafka runs any of them against Apache Kafka instead of our binary; ARGS adds options.
TARGET ?= milena
CYCLES ?= 200
TESTS ?=
ARGS ?=
ifeq ($(TARGET),milena)
COMPAT_NEEDS = build
endif
COMPAT_RUN = python3 compat-tests
COMPAT_OPTIONS = --target $(TARGET) $(ARGS)

.PHONY: compat compat-tools compat-librdkafka compat-clients compat-hostile chaos

compat: compat-tools compat-librdkafka compat-clients

compat-tools: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/kafka-tools/tools_test.py $(COMPAT_OPTIONS)

compat-librdkafka: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/librdkafka/run.py $(if $(TESTS),--tests $(TESTS)) $(COMPAT_OPTIONS)

compat-clients: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/clients/run.py $(COMPAT_OPTIONS)

compat-hostile: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/hostile/hostile_test.py $(COMPAT_OPTIONS)

chaos: $(COMPAT_NEEDS)
	$(COMPAT_RUN)/crash/kill_loop.py --cycles $(CYCLES) $(COMPAT_OPTIONS)
