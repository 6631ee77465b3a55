"""The collector on one core: `make bench` runs this, prints sightings per second per stage and end to end.

Every beacon is received by three stations, which tell it in batches of sixteen. Peers of the same run: one HMAC-SHA256
of the standard library a reception, and the same rows by `executemany` into the same kind of file, one commit a batch.
The store is a file with synchronous=FULL on this machine's disk. What many tags cost is measured on fewer of them.
"""

import hmac
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "protocol"), str(ROOT / "tests")]

from groundnet.collector.core import Collector  # noqa: E402 - the clone's own package, found by the line above
from groundnet.collector.database import Database  # noqa: E402
from groundnet.collector.inbox import CAPACITY, Inbox  # noqa: E402
from groundnet.collector.resolver import KnownDevice, Resolver  # noqa: E402
from groundwire import frame, messages  # noqa: E402
from host.radio_senders import NOW_MS, TagSender, sighting, sightings  # noqa: E402

TAGS, RECEPTIONS, BATCH = 1_000, 3, 16
TARGET_PER_S, MILLION = 200_000, 1_000_000


def timed(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def senders() -> list[TagSender]:
    return [TagSender(number.to_bytes(8, "big"), number.to_bytes(32, "big")) for number in range(1, TAGS + 1)]


def requests(tags: list[TagSender], counter: int = 1) -> list[bytes]:
    """Three stations' batches, as they come from the line."""
    heard = [sighting(tag.beacon(counter), NOW_MS) for tag in tags]
    return [
        sightings(heard[at : at + BATCH], at, station_id=(0xB000 + station).to_bytes(8, "big"))
        for at in range(0, len(heard), BATCH)
        for station in range(RECEPTIONS)
    ]


def decode(lines: list[bytes]) -> list[dict]:
    decoder, found = frame.Decoder(CAPACITY, frame.REQUESTS), []
    for line in lines:
        decoder.feed(line)
        request = decoder.next()
        assert isinstance(request, frame.Frame)
        found += messages.decode(request.kind, request.payload).values["sightings"]
    return found


def measure_memory() -> tuple[float, float]:
    """(bytes, seconds) of a known tag."""
    known = [(number.to_bytes(8, "big"), number.to_bytes(32, "big")) for number in range(TAGS)]
    tracemalloc.start()
    resolver = Resolver()
    for device_id, secret in known:
        resolver.add(KnownDevice.from_secret(device_id, secret), 0)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    quick = Resolver()
    took_s = timed(lambda: [quick.add(KnownDevice.from_secret(*one), 0) for one in known])
    return size / TAGS, took_s / TAGS


def measure_store(folder: Path, lines: list[bytes], tags: list[TagSender]) -> float:
    database = Database(folder / "collector.db")
    inbox = Inbox(Collector(database, [(tag.device_id, tag.secret) for tag in tags]), lambda: NOW_MS)
    decoder = frame.Decoder(CAPACITY, frame.REQUESTS)
    took_s = timed(lambda: [list(inbox.receive(decoder, line)) for line in lines])
    row = database.row("SELECT count(*) AS n FROM sightings")
    assert row is not None and row["n"] == TAGS * RECEPTIONS, "every sighting once"
    database.close()
    return took_s


def measure_plain_store(folder: Path, told: list[dict]) -> float:
    """The peer: the same rows without a question."""
    database = Database(folder / "plain.db")
    rows = [
        (number.to_bytes(8, "big"), 1, number, b"device", number, NOW_MS, one["rssi_dbm"], 5.0)
        for number, one in enumerate(told)
    ]

    def work() -> None:
        for at in range(0, len(rows), BATCH):
            with database.transaction():
                database.run_many(
                    "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows[at : at + BATCH]
                )

    took_s = timed(work)
    database.close()
    return took_s


def main() -> None:
    tags = senders()
    lines = requests(tags)
    told = decode(lines)
    count = len(told)
    resolver = Resolver()
    for tag in tags:
        resolver.add(KnownDevice.from_secret(tag.device_id, tag.secret), 0)
    decode_s = timed(lambda: decode(lines))
    resolve_s = timed(lambda: [resolver.resolve(one["beacon"]) for one in told])
    plain_mac_s = timed(lambda: [hmac.digest(bytes(32), one["beacon"], "sha256") for one in told])
    with tempfile.TemporaryDirectory() as folder:
        whole_s = measure_store(Path(folder), lines, tags)
        plain_store_s = measure_plain_store(Path(folder), told)
    bytes_per_tag, seconds_per_tag = measure_memory()
    figures = {
        "receptions": count,
        "decode_per_s": round(count / decode_s),
        "resolve_and_mac_per_s": round(count / resolve_s),
        "resolve_of_plain_hmac": round(resolve_s / plain_mac_s, 1),
        "end_to_end_per_s": round(count / whole_s),
        "end_to_end_of_plain_rows": round(whole_s / plain_store_s, 1),
        "end_to_end_of_target": round(count / whole_s / TARGET_PER_S, 3),
        "gib_per_million_tags": round(bytes_per_tag * MILLION / 2**30, 2),
        "start_s_per_million_tags": round(seconds_per_tag * MILLION),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "collector.json").write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"collector {name}={value}")


if __name__ == "__main__":
    main()
