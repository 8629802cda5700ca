"""Apache Kafka from Maven: its jars, and the kafka-*.sh names as two-line wrappers around its tool classes."""

from pathlib import Path

from lib import cache

VERSION = "4.3.1"
LOG4J_VERSION = "2.25.1"

_ARTIFACTS = [
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.apache.kafka", "kafka-shell", VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
    ("org.apache.logging.log4j", "log4j-core", LOG4J_VERSION),
]

TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-client-metrics": "org.apache.kafka.tools.ClientMetricsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-share-consumer": "org.apache.kafka.tools.consumer.ConsoleShareConsumer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delegation-tokens": "org.apache.kafka.tools.DelegationTokenCommand",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-metadata-shell": "org.apache.kafka.shell.MetadataShell",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-replica-verification": "org.apache.kafka.tools.ReplicaVerificationTool",
    "kafka-server-start": "kafka.Kafka",
    "kafka-share-consumer-perf-test": "org.apache.kafka.tools.ShareConsumerPerformance",
    "kafka-share-groups": "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
    "kafka-storage": "kafka.tools.StorageTool",
    "kafka-streams-groups": "org.apache.kafka.tools.streams.StreamsGroupCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
}


def home():
    """The directory with libs/ (the jars) and bin/ (the wrappers): what other suites call KAFKA_PATH."""
    return cache.made_once(f"kafka-{VERSION}", _make)


def libs():
    return home() / "libs"


def extra(artifact):
    """The directory with the jars of another artifact of Kafka's, such as kafka-streams, and what it needs beside Kafka."""
    return cache.made_once(f"{artifact}-{VERSION}", lambda directory: _fetch_jars(directory, [("org.apache.kafka", artifact, VERSION)])) / "libs"


def tool(name):
    """The path of kafka-NAME.sh; `name` without the prefix and the suffix."""
    return home() / "bin" / f"kafka-{name}.sh"


def tools():
    """The paths of all kafka-NAME.sh."""
    return [tool(name.removeprefix("kafka-")) for name in TOOLS]


def _make(directory):
    cache.need_command("javac", "openjdk-17-jdk-headless")
    cache.need_command("mvn", "maven")
    _fetch_jars(directory, _ARTIFACTS)
    _write_wrappers(directory / "bin")


def _fetch_jars(directory, artifacts):
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        for group, artifact, version in artifacts
    )
    pom = directory / "pom.xml"
    pom.write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>compat</groupId><artifactId>kafka</artifactId>"
        f"<version>1</version><dependencies>{dependencies}</dependencies></project>"
    )
    command = ["mvn", "-B", "-q", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={directory / 'libs'}"]
    cache.run_logged(command, cache.logs_dir("setup") / "maven.log")


def _write_wrappers(directory):
    directory.mkdir()
    for name, main_class in TOOLS.items():
        script = directory / f"{name}.sh"
        script.write_text(
            "#!/bin/sh\n"
            f'exec java ${{KAFKA_HEAP_OPTS:--Xmx256m}} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 '
            f'-cp "$(dirname "$0")/../libs/*" {main_class} "$@"\n'
        )
        script.chmod(0o755)
