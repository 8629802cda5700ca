"""A client with good manners: produces a record and fetches it, over and over; `bystander.py HOST:PORT`.

For each line on stdin it prints how it fared since the last one; it ends when stdin does.
"""

import json
import select
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import api, records  # noqa: E402

PAUSE = 0.02
TOPIC = "bystander"


def main():
    address = sys.argv[1]
    told = fresh()
    client = None
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], PAUSE)
        if readable:
            if not sys.stdin.readline():
                return
            print(json.dumps(told), flush=True)
            told = fresh()
        started = time.monotonic()
        try:
            if client is None:
                client = api.Client(address, timeout=20.0)
                if not client.metadata([TOPIC])["topics"][0]["partitions"]:
                    client.make_topic(TOPIC)
            produced = client.produce(TOPIC, 0, records.batch([b"hello"]))
            fetched = client.fetch(TOPIC, 0, produced["base_offset"])
            (batch,) = records.read_batches(fetched["records"])
            if batch.records[0].value != b"hello":
                told["errors"].append(f"read {batch} instead")
        except Exception as error:  # whatever it is, the report tells it
            told["errors"].append(repr(error))
            client = None
        told["requests"] += 1
        told["slowest"] = max(told["slowest"], time.monotonic() - started)


def fresh():
    return {"requests": 0, "slowest": 0.0, "errors": []}


if __name__ == "__main__":
    main()
