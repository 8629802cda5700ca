"""What stands in the way of a start, and a disk that fills up: F39 of the catalogue.

A start that cannot succeed ends with exit code 1 and one clear line; it never touches the data of another broker.
"""

import os
import re
import socket
import subprocess
import time

from lib import api, records
from lib.report import Skipped

from ground import TOPIC

START_SECONDS = 10.0


def fails_to_start(broker, pattern):
    """Starts a broker that must fail: exit code 1 in time, and a line on stderr that matches."""
    broker.spawn()
    try:
        code = broker.process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        broker.kill()
        raise AssertionError(f"still running after {START_SECONDS:.0f} s:\n{broker.log_tail()}") from None
    told = broker.log_tail()
    assert code == 1, f"exit code {code}, said:\n{told}"
    assert re.search(pattern, told, re.I), f"nothing like {pattern!r} in:\n{told}"
    assert "terminate called" not in told, told


def port_in_use(ground):
    broker = ground.sibling({})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", broker.port))
        taken.listen()
        fails_to_start(broker, rf"{broker.port}.*in use|in use.*{broker.port}")


def data_in_use(ground):
    broker = ground.sibling({})
    broker.data = ground.target.data
    fails_to_start(broker, rf"{re.escape(str(broker.data))}.*(in use|lock)|(in use|lock).*{re.escape(str(broker.data))}")


def data_of_another_node(ground):
    with ground.another_broker({}) as _:
        ground.other.stop()
        broker = ground.sibling({"node.id": 7})
        broker.data = ground.other.data
        fails_to_start(broker, r"node\.id|node id")


def data_of_another_cluster(ground):
    """meta.properties and the metadata log must tell of one cluster."""
    with ground.another_broker({}) as _:
        ground.other.stop()
        meta = ground.other.data / "meta.properties"
        text = meta.read_text()
        assert "cluster.id=" in text, text
        meta.write_text(re.sub(r"cluster\.id=.*", "cluster.id=AAAAAAAAAAAAAAAAAAAAAA", text))
        ground.other.spawn()
        try:
            code = ground.other.process.wait(START_SECONDS)
            assert code == 1, f"exit code {code}:\n{ground.other.log_tail()}"
        except subprocess.TimeoutExpired:
            with api.Client(ground.other.address) as client:  # one that starts must at least say one and the same id
                assert client.metadata([])["cluster_id"] == "AAAAAAAAAAAAAAAAAAAAAA"


def damaged_meta_properties(ground):
    for text in ("", "garbage", "version=99\nnode.id=1\ncluster.id=x\n", "version=1\nnode.id=one\ncluster.id=x\n"):
        broker = ground.sibling({})
        broker.data.mkdir()
        (broker.data / "meta.properties").write_text(text)
        fails_to_start(broker, r"meta\.properties")


def data_is_a_file(ground):
    broker = ground.sibling({})
    broker.data.write_text("not a directory")
    fails_to_start(broker, re.escape(str(broker.data)))


def bad_configuration(ground):
    for key, value in (("num.partitions", "many"), ("num.partitions", "0"), ("log.segment.bytes", "-1"), ("listeners", "nonsense")):
        fails_to_start(ground.sibling({key: value}), re.escape(key))
    missing = ground.sibling({})
    missing.command = lambda: [str(missing.binary), str(missing.home / "no-such.properties")]
    fails_to_start(missing, r"no-such\.properties")


CLUSTERED = [
    ({"process.roles": "broker"}, r"process\.roles"),
    ({"controller.quorum.voters": "1@a:9093,2@b:9093,3@c:9093"}, r"controller\.quorum\.voters.*1, 2, 3"),
    ({"controller.quorum.voters": "2@localhost:9093"}, r"controller\.quorum\.voters"),
    ({"controller.quorum.bootstrap.servers": "elsewhere.invalid:9093"}, r"controller\.quorum\.bootstrap\.servers"),
]
UNPROTECTED = [
    ({"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": "User:a"}, r"authorizer\.class\.name.*super\.users"),
    ({"super.users": "User:a"}, r"super\.users"),
    ({"create.topic.policy.class.name": "my.Policy"}, r"create\.topic\.policy"),
    ({"remote.log.storage.system.enable": "true"}, r"remote\.log\.storage\.system\.enable"),
    ({"sasl.enabled.mechanisms": "PLAIN"}, r"sasl\.enabled\.mechanisms"),
]


def asks_for_more(ground):
    """What asks for other nodes, for protection or for policy is no broker of its own without them: one line that names the key."""
    for properties, pattern in CLUSTERED + UNPROTECTED:
        broker = ground.sibling(properties)
        fails_to_start(broker, pattern)
        assert len(broker.log_tail().strip().splitlines()) == 1, broker.log_tail()
        assert not broker.data.exists() or not list(broker.data.iterdir()), "a refused start leaves nothing behind"


def one_node_spelled_out(ground):
    """The files of Kafka's quick start name this node, in the old way and in the new one."""
    for key, address in (("controller.quorum.voters", "1@localhost:19093"), ("controller.quorum.bootstrap.servers", "localhost:19093")):
        broker = ground.sibling({"process.roles": "controller,broker", "controller.listener.names": "CONTROLLER", key: address})
        broker.properties["listeners"] = f"PLAINTEXT://{broker.address},CONTROLLER://:19093"
        with broker, api.Client(broker.address) as client:
            client.make_topic(TOPIC)


def strange_files(ground):
    """Files that are none of ours in the data directory do no harm and stay."""
    broker = ground.sibling({})
    broker.data.mkdir()
    folders = [broker.data / name for name in ("lost+found", "topic-without-number", "a-b-c-", "x-99999999999")]
    for folder in folders:
        folder.mkdir()
    (broker.data / "README").write_text("hello")
    with broker:
        with api.Client(broker.address) as client:
            client.make_topic(TOPIC)
            assert client.produce(TOPIC, 0, records.batch([b"v"]))["error_code"] == 0
        junk = broker.partition_dir(TOPIC, 0) / "junk.tmp"
        junk.write_text("hello")
        broker.kill()
        broker.start()
        with api.Client(broker.address) as client:
            assert api.until_ready(lambda: client.offset(TOPIC, 0))["offset"] == 1
        assert all(folder.is_dir() for folder in folders), "a folder that was none of its own is gone"


def full_disk(ground):
    """A disk that fills up: produce is refused, reads go on, nothing acknowledged is lost, and room makes it work again."""
    if os.geteuid() != 0:
        raise Skipped("only root can mount a small file system")
    broker = ground.sibling({})
    broker.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(broker.data)], check=True)
    try:
        with broker:
            acked = _produce_until_refused(broker)
            assert broker.alive(), f"the broker died of a full disk:\n{broker.log_tail()}"
            with api.Client(broker.address) as client:
                assert client.fetch(TOPIC, 0, acked - 1)["records"], "the last acknowledged record cannot be read"
                subprocess.run(["mount", "-o", "remount,size=128m", str(broker.data)], check=True)
                answer = client.produce(TOPIC, 0, records.batch([b"room again"]))
                assert answer["error_code"] == 0, answer
                acked = answer["base_offset"] + 1
                client.make_topic("made-with-room-again")
            broker.kill()
            broker.start()
            with api.Client(broker.address) as client:
                assert api.until_ready(lambda: client.offset(TOPIC, 0))["offset"] >= acked, "acknowledged records are lost"
                answer = client.produce(TOPIC, 0, records.batch([b"again"]))
                assert answer["error_code"] == 0, answer
            broker.stop()
    finally:
        subprocess.run(["umount", "-l", str(broker.data)], check=True)


def _produce_until_refused(broker):
    """Fills the disk; the end of what was acknowledged."""
    acked = 0
    batch = records.batch([bytes(900_000)])
    with api.Client(broker.address, timeout=20.0) as client:
        client.make_topic(TOPIC)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = client.produce(TOPIC, 0, batch)
            except api.Closed:
                return acked
            if answer["error_code"]:
                assert answer["error_code"] != api.ERROR["UNKNOWN_SERVER_ERROR"], answer
                return acked
            acked = answer["base_offset"] + 1
    raise AssertionError("a disk of 64 MB took everything")


CHECKS = {
    "F39 port in use": port_in_use,
    "F39 data directory in use": data_in_use,
    "F39 data of another node": data_of_another_node,
    "F39 data of another cluster": data_of_another_cluster,
    "F39 damaged meta.properties": damaged_meta_properties,
    "F39 data directory is a file": data_is_a_file,
    "F39 bad configuration": bad_configuration,
    "F39 a configuration that asks for more than there is": asks_for_more,
    "F39 one node, spelled out": one_node_spelled_out,
    "F39 strange files in the data directory": strange_files,
    "F39 a full disk": full_disk,
}
NOT_FOR_KAFKA = {name: "how Apache Kafka reports start-up errors is its own affair; a full disk halts it" for name in CHECKS}
