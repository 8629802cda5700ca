"""The workloads as data: what runs, against whom, what is measured and the bar it has to meet.

`load` is the command of the generator (bench/load) without its broker, process id and topic; `prepare` runs before it
and is not measured. A workload without `load` is measured by the function of bench/pairs/measures that it names.
"""

from dataclasses import dataclass, field

_RIVALS = ("null", "kafka")
_AND_PEERS = (*_RIVALS, "kfake")  # small peers, compared without a bar


@dataclass(frozen=True)
class Bar:
    """A limit on the ratio to a rival, or, without a rival, on the figure itself."""

    limit: float
    rival: str | None = None


@dataclass(frozen=True)
class Metric:
    """One figure of a measurement: its key there, its name and unit, its bars. `factor` turns the figure into the unit."""

    key: str
    name: str
    unit: str
    bars: tuple[Bar, ...] = ()
    factor: float = 1.0
    more_is_better: bool = False


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    metrics: tuple[Metric, ...]
    load: str = ""
    prepare: str = ""
    rivals: tuple[str, ...] = _RIVALS
    plain: str = ""  # for the rival "plain": ours again, with this load instead
    measure: str = "load"
    arguments: dict = field(default_factory=dict)  # of a measure other than "load"
    properties: dict = field(default_factory=dict)
    alone: bool = False  # Apache Kafka in a process of its own, because the figure is about the process
    creates_many: bool = False  # files, which deletions just before would slow down
    quick: bool = False  # in `make bench-quick`


def bars(null=None, kafka=None, absolute=None, **others):
    limits = {"null": null, "kafka": kafka, None: absolute, **others}
    return tuple(Bar(limit, rival) for rival, limit in limits.items() if limit is not None)


def cpu_per_gb(**limits):
    return Metric("cpu_s_per_gb", "broker CPU", "s/GB", bars(**limits))


def cpu_per_request(**limits):
    return Metric("cpu_us_per_request", "broker CPU", "µs/request", bars(**limits))


def requests_per_second(**limits):
    return Metric("requests_per_s", "requests", "k/s", bars(**limits), factor=1e-3, more_is_better=True)


def throughput(**limits):
    return Metric("mb_per_s", "throughput", "MB/s", bars(**limits), more_is_better=True)


_PRODUCE = "produce --create"
_ACKS = {"0": 0, "1": 1, "all": -1}  # as a request says it


def _big_batches():
    for batch, size in (("64k", 65536), ("1m", 1048576)):
        for acks in ("0", "1", "all"):
            yield Workload(
                f"produce-{batch}-acks-{acks}",
                f"produce, 1 KB records, {batch.upper()}B batches, acks={acks}",
                (cpu_per_gb(null=1.4, kafka=0.1), throughput()),
                f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes {size} --acks {_ACKS[acks]} --warmup-bytes 200M --bytes 2G",
                rivals=_AND_PEERS if (batch, acks) == ("64k", "1") else _RIVALS,
                quick=(batch, acks) == ("64k", "1"),
            )


def _compressed():
    for codec in ("lz4", "zstd"):
        yield Workload(
            f"produce-{codec}",
            f"produce, {codec}, 1 KB records, 64 KB batches, validated as Kafka does",
            (Metric("cpu_s_per_gb", "broker CPU", "s/wire GB", bars(null=1.5, kafka=0.4)),),
            f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 65536 --codec {codec} --acks 1 --warmup-bytes 50M --bytes 500M",
            measure="compressed",
            arguments={"codec": codec},
        )


def _tail():
    for name, size in (("64k", 65536), ("1m", 1048576)):
        yield Workload(
            f"consume-{name}",
            f"consumer at the tail (page cache), fetches of {name.upper()}B",
            (cpu_per_gb(null=1.5, kafka=0.2), throughput()),
            f"fetch --connections 4 --max-bytes {size} --partition-max-bytes {size} --warmup-bytes 200M --seconds 2",
            f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 16384 --acks 1 --bytes 256M",
            rivals=_AND_PEERS if name == "64k" else _RIVALS,
            quick=name == "64k",
        )


def _catch_up():
    for state, rivals, limits in (("cached", ("null", "kafka"), {"null": 0.6}), ("cold", ("kafka",), {"raw": 0.7})):
        yield Workload(
            f"catch-up-{state}",
            f"consumer reads 2 GB from the start, {state}",
            (throughput(**limits), cpu_per_gb(kafka=0.2)),
            "fetch --connections 1 --max-bytes 1048576 --partition-max-bytes 1048576 --bytes 2G",
            f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 65536 --acks 1 --bytes 2G",
            measure="catch_up",
            rivals=rivals,
            arguments={"cold": state == "cold"},
        )


def _latency():
    for acks in ("1", "all"):
        for rate in (1_000, 10_000, 50_000):
            yield Workload(
                f"latency-{rate // 1000}k-acks-{acks}",
                f"end to end, {rate // 1000}k records/s of 1 KB, acks={acks}",
                (
                    Metric("latency_us.p50", "p50", "µs", bars(null=2.0)),
                    Metric("latency_us.p99", "p99", "µs", bars(kafka=0.3)),
                    Metric("latency_us.p999", "p99.9", "µs", bars(kafka=0.2)),
                ),
                f"latency --create --rate {rate} --seconds 5 --record-bytes 1024 --acks {_ACKS[acks]}",
                quick=(rate, acks) == (10_000, "1"),
            )


def _partitions():
    yield Workload(
        "partitions-5000",
        "5,000 partitions in one topic",
        (
            Metric("seconds", "create", "ms", bars(kafka=0.1), factor=1e3),
            Metric("rss_bytes_per_partition", "memory of each", "bytes", bars(absolute=2048, kafka=0.1)),
            Metric("fetch_idle_cpu_us", "fetch session over all, idle", "µs CPU", bars(kafka=0.1)),
            Metric("fetch_one_changed_cpu_us", "a record to one of them and a fetch", "µs CPU", bars(kafka=0.1)),
        ),
        "partitions --count 5000 --seconds 3",
        rivals=("kafka",),
        alone=True,
        creates_many=True,
    )
    yield Workload(
        "produce-5000",
        "4 connections, one 1 KB record each to the next of 5,000 partitions",
        (cpu_per_request(kafka=0.1),),
        f"{_PRODUCE} --partitions 5000 --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 0 --acks 1 --warmup-bytes 100M --seconds 3",
        alone=True,
        creates_many=True,
    )
    yield Workload(
        "metadata-5000",
        "metadata of 5,000 partitions",
        (cpu_per_request(kafka=0.1),),
        "metadata --create --partitions 5000 --connections 1 --seconds 3",
        rivals=("kafka",),
        alone=True,
        creates_many=True,
    )


def _transactions():
    for open_ms in (10, 100):
        yield Workload(
            f"transactions-{open_ms}ms",
            f"transactions of {open_ms} ms, one after the other, Java producer",
            (
                Metric("commits/s", "commits", "/s", bars(kafka=3.0), more_is_better=True),
                Metric("p99, ms", "p99 of commit", "ms", bars(kafka=0.3)),
                Metric("broker CPU, ms each", "broker CPU", "ms/transaction"),
            ),
            rivals=("kafka",),
            measure="transactions",
            arguments={"open_ms": open_ms, "seconds": 20 if open_ms == 100 else 6},  # for a p99 that is not the maximum
        )


def _rebalances():
    for protocol in ("classic", "consumer"):
        for members in (100, 500):
            yield Workload(
                f"rebalance-{protocol}-{members}",
                f"{'KIP-848' if protocol == 'consumer' else 'classic'} group of {members} to stable",
                (Metric("stable_ms", "time", "ms", bars(kafka=0.5)),),
                f"group --create --connections {members} --protocol {protocol}",
                rivals=("kafka",),
            )


WORKLOADS = (
    *_big_batches(),
    Workload(
        "produce-100b",
        "produce, 100 B records, 16 KB batches, acks=1",
        (cpu_per_gb(null=1.5, kafka=0.15), throughput()),
        f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 100 --batch-bytes 16384 --acks 1 --warmup-bytes 100M --bytes 1G",
    ),
    Workload(
        "small-64",
        "64 connections, one 1 KB record each, acks=1",
        (cpu_per_request(null=1.5, kafka=0.17), requests_per_second(kafka=4.0)),
        f"{_PRODUCE} --connections 64 --in-flight 1 --record-bytes 1024 --batch-bytes 0 --acks 1 --warmup-bytes 50M --seconds 3",
        rivals=_AND_PEERS,
        quick=True,
    ),
    Workload(
        "small-pipelined",
        "4 connections, 5 requests of one 1 KB record in flight",
        (cpu_per_request(null=1.6), requests_per_second(kafka=6.0)),
        f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 0 --acks 1 --warmup-bytes 50M --seconds 3",
        rivals=_AND_PEERS,
        quick=True,
    ),
    Workload(
        "idempotent",
        "idempotent instead of plain: 4 connections, 5 requests of one 1 KB record in flight",
        (cpu_per_request(plain=1.1),),
        f"{_PRODUCE} --idempotent --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 0 --acks -1 --warmup-bytes 50M --seconds 3",
        plain=f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 0 --acks -1 --warmup-bytes 50M --seconds 3",
        rivals=("plain", "kafka"),
    ),
    *_compressed(),
    *_tail(),
    *_catch_up(),
    *_latency(),
    Workload(
        "idle-10k",
        "10,000 connections that have asked once and hold still",
        (
            Metric("rss_bytes_per_connection", "memory of each", "bytes", bars(absolute=4096, kafka=0.2)),
            Metric("broker_rss_kb", "resident with all of them", "MB", bars(kafka=0.2), factor=1.024e-3),
            Metric("idle_cpu_percent", "processor", "%", bars(absolute=0.1, kafka=0.2)),
        ),
        "idle --connections 10000 --seconds 5",
        alone=True,
    ),
    *_transactions(),
    *_rebalances(),
    Workload(
        "start",
        "start on an empty directory",
        (
            Metric("seconds", "exec to first acknowledged produce", "ms", bars(absolute=15, kafka=0.01), factor=1e3),
            Metric("idle_rss_kb", "idle memory", "MB", bars(absolute=10, kafka=0.03), factor=1.024e-3),
        ),
        rivals=("kafka",),
        measure="start",
        quick=True,
    ),
    Workload(
        "memory-10g",
        "memory after 10 GB of produce",
        (Metric("rss_kb", "resident", "MB", bars(absolute=64, kafka=0.15), factor=1.024e-3),),
        f"{_PRODUCE} --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 65536 --acks 1 --bytes 10G",
        rivals=("kafka",),
        measure="memory",
        properties={"log.segment.bytes": 256 << 20, "log.retention.bytes": 512 << 20, "log.retention.check.interval.ms": 500},
    ),
    Workload(
        "kill-10g",
        "kill -9 with 10 GB never flushed: exec to a fetch of every partition",
        (Metric("seconds", "time", "s", bars(raw=2.0, kafka=0.3)),),
        f"{_PRODUCE} --partitions 10 --connections 4 --in-flight 5 --record-bytes 1024 --batch-bytes 65536 --acks 1 --bytes 10G",
        rivals=("kafka",),
        measure="kill",
        properties={"log.segment.bytes": (1 << 31) - 1},  # so that no segment rolls, which would flush it
        alone=True,
    ),
    *_partitions(),
)


def find(names):
    """The workloads of these names, in the order of the table. ValueError if one is unknown."""
    unknown = set(names) - {workload.name for workload in WORKLOADS}
    if unknown:
        raise ValueError(f"no such workload: {', '.join(sorted(unknown))}")
    return [workload for workload in WORKLOADS if workload.name in names]
