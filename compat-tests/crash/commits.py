"""Committed offsets under crashes: what was acknowledged stands, what was not may stand, nothing else is there."""

import itertools
import random
import time
from collections import deque

from lib import api
from lib.wire import frame

from journal import Violation
from load import Worker

TOPIC = "committed"
GROUPS = [f"readers-{n}" for n in range(20)]
WINDOW = 8  # requests in flight
ALREADY_EXISTS = 36
NOT_FOUND = 69


class Commits(Worker):
    """A connection that commits ever higher offsets in some groups, and now and then deletes a group."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(f"{seed}/commits")
        self._numbers = itertools.count(1)
        self._known = dict.fromkeys(GROUPS)  # group: the committed offset; None without one
        self._open = {group: [] for group in GROUPS}  # group: what was sent and not answered, in order; None is a deletion
        self.acked = 0

    def __str__(self):
        return "the committer"

    def _run(self, address):
        with api.Client(address, timeout=30.0) as client:
            self._prepare(client)
            in_flight = deque()
            while not self._ended.is_set():
                while len(in_flight) >= self._random.randint(1, WINDOW):
                    self._receive(client, *in_flight.popleft())
                in_flight.append(self._send(client))

    def _prepare(self, client):
        made = client.create_topic(TOPIC)
        if made["error_code"] not in (0, ALREADY_EXISTS):
            self._refused("its topic", made)
        api.until_ready(lambda: client.offset(TOPIC, 0))
        for group in GROUPS:
            client.await_group(group)

    def _send(self, client):
        """(group, API) of a request that has been sent."""
        group = self._random.choice(GROUPS)
        if self._random.random() < 0.02:
            self._open[group].append(None)
            client.send(frame(api.request_payload("DeleteGroups", groups_names=[group])))
            return group, "DeleteGroups"
        offset = next(self._numbers)
        partitions = [{"partition_index": 0, "committed_offset": offset, "committed_metadata": "m" * self._random.randrange(200)}]
        self._open[group].append(offset)
        client.send(frame(api.request_payload("OffsetCommit", group_id=group, topics=[{"name": TOPIC, "partitions": partitions}])))
        return group, "OffsetCommit"

    def _receive(self, client, group, name):
        answer = api.decode(name, client.receive()[1])
        error = answer["results"][0]["error_code"] if name == "DeleteGroups" else answer["topics"][0]["partitions"][0]["error_code"]
        if error not in ((0, NOT_FOUND) if name == "DeleteGroups" else (0,)):
            self._refused(f"{name} of {group}", {"error_code": error, "error_message": ""})
        self._known[group] = self._open[group].pop(0)
        self.acked += 1

    def check(self, client):
        """Compares what the broker has with what it acknowledged; what was unknown is settled by what it says now."""
        found = self._fetch(client)
        for group in GROUPS:
            possible = [self._known[group], *self._open[group]]
            if found[group] not in possible:
                raise Violation(f"{group}: committed offset {found[group]}, possible are {possible}")
            self._known[group] = found[group]
            self._open[group].clear()

    def _fetch(self, client):
        asked = [{"group_id": group, "topics": None} for group in GROUPS]
        deadline = time.monotonic() + 30
        while True:
            groups = client.call("OffsetFetch", groups=asked)["groups"]
            errors = {group["error_code"] for group in groups} - {0}
            if not errors:
                return {group["group_id"]: next((t["partitions"][0]["committed_offset"] for t in group["topics"]), None) for group in groups}
            if not errors <= api.NOT_YET or time.monotonic() > deadline:
                raise Violation(f"OffsetFetch answers with errors {errors} after the restart")
            time.sleep(0.02)
