"""The collector on one core: `make bench` runs this, prints sightings per second per stage and end to end.

Two million tags are known (GROUNDNET_BENCH_TAGS: another number). Each of the beacons is received by three stations,
which tell it in batches of sixteen. Peers of the same run: one HMAC-SHA256 of the standard library a reception, and
the same rows by `executemany` into the same kind of file with the same commits. The store is a file with
synchronous=FULL on this machine's disk.
"""

import hmac
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
sys.path[:0] = [str(ROOT / "host"), str(ROOT / "protocol"), str(ROOT / "tests")]

from groundnet.collector.database import Database  # noqa: E402
from groundnet.collector.intake.core import Collector  # noqa: E402 - the clone's own package, found by the line above
from groundnet.collector.intake.group_commit import AT_ONCE  # noqa: E402
from groundnet.collector.intake.inbox import CAPACITY, Inbox, arrived  # noqa: E402
from groundnet.collector.intake.sighting_frame import taken_apart  # noqa: E402
from groundnet.collector.stations.station_door import StationDoor  # noqa: E402
from groundwire import frame, keys, messages, session  # noqa: E402
from host.radio_senders import NOW_MS, TagSender, sighting, sightings  # noqa: E402

KNOWN = int(os.environ.get("GROUNDNET_BENCH_TAGS", 2_000_000))
BEACONS, RECEPTIONS, BATCH = 20_000, 3, 16
TARGET_PER_S, MILLION = 200_000, 1_000_000


def timed(work: Callable[[], object]) -> float:
    began_s = time.process_time() if os.environ.get("GROUNDNET_BENCH_CPU") else time.perf_counter()
    work()
    return (time.process_time() if os.environ.get("GROUNDNET_BENCH_CPU") else time.perf_counter()) - began_s


def secret_of(number: int) -> tuple[bytes, bytes]:
    return number.to_bytes(8, "big"), number.to_bytes(32, "big")


def requests(counter: int) -> list[bytes]:
    """Three stations' batches, as they come from the line; the tags are spread over all that are known."""
    heard = [
        sighting(TagSender(*secret_of(1 + at * (KNOWN // BEACONS))).beacon(counter), NOW_MS)
        for at in range(BEACONS)
    ]
    return [
        sightings(heard[at : at + BATCH], at, station_id=(0xB000 + station).to_bytes(8, "big"))
        for at in range(0, len(heard), BATCH)
        for station in range(RECEPTIONS)
    ]


def decoded(lines: list[bytes]) -> list[list[frame.Frame]]:
    """As the connections of the stations hand them over: groups, each with one commit."""
    decoder = frame.Decoder(CAPACITY, frame.REQUESTS)
    answers = [found for line in lines for found in arrived(decoder, line)]
    frames = [one for one in answers if isinstance(one, frame.Frame)]
    return [frames[at : at + AT_ONCE] for at in range(0, len(frames), AT_ONCE)]


def sealed(groups: list[list[frame.Frame]], door: StationDoor) -> list[list[tuple]]:
    """The same frames in the sessions of stations that proved themselves: what comes in of whom."""
    ends, peers = {}, {}
    for station in range(RECEPTIONS):
        station_id, secret = (0xB000 + station).to_bytes(8, "big"), station.to_bytes(32, "big")
        door.learn([(station_id, secret)])
        ends[station_id] = end = session.Initiator(station_id, keys.derive(secret, keys.UPLINK), bytes(16))
        peers[station_id] = peer = door.connection("bench")
        asked = end.open()
        while asked is not None:
            asking = frame.Frame(asked[0], 1, asked[1], False)
            (reply,) = arrived(frame.Decoder(CAPACITY), peer.answer(asking, NOW_MS, unanswered))
            assert isinstance(reply, frame.Frame)
            asked = end.receive(messages.decode(reply.kind, reply.payload))
    found = []
    for group in groups:
        arrivals = []
        for one in group:
            station_id = one.payload[:8]
            payload = ends[station_id].seal(one.kind, one.payload, one.sequence)
            arrivals.append(([frame.Frame(one.kind, one.sequence, payload, True)], peers[station_id]))
        found.append(arrivals)
    return found


def unanswered(request: frame.Frame, now_ms: int) -> bytes:
    raise AssertionError("a session is no business of the collector's")


def resident_bytes() -> int:
    """Of this process, now; /proc where there is one, else the most that it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_plain_store(folder: Path, receptions: int) -> float:
    """The peer: the same rows without a question."""
    database = Database(folder / "plain.db")
    size = AT_ONCE * BATCH
    rows = [
        (number.to_bytes(8, "big"), 1, number, b"device", number, NOW_MS, -100, 5.0)
        for number in range(receptions)
    ]

    def work() -> None:
        for at in range(0, len(rows), size):
            with database.transaction():
                database.run_many(
                    "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows[at : at + size]
                )

    took_s = timed(work)
    database.close()
    return took_s


def main() -> None:
    """Prints the figures and keeps them in build/bench/collector.json."""
    lines = requests(1)
    count = BEACONS * RECEPTIONS
    groups = decoded(lines)
    figures: dict[str, float] = {"known": KNOWN, "receptions": count}
    with tempfile.TemporaryDirectory() as folder:
        before = resident_bytes()
        database = Database(Path(folder) / "collector.db")
        collector = Collector(database)
        start_s = timed(lambda: collector.learn((secret_of(n) for n in range(1, KNOWN + 1)), KNOWN))
        figures["start_s_per_million_tags"] = round(start_s / KNOWN * MILLION, 1)
        figures["gib_per_million_tags"] = round((resident_bytes() - before) / KNOWN * MILLION / 2**30, 2)
        frame_s = timed(lambda: decoded(lines))
        batch_s = timed(lambda: [taken_apart(one.payload) for group in groups for one in group])
        store = collector._sightings
        verify_s = 0.0
        for group in groups:
            for one in group:
                store.take(taken_apart(one.payload), NOW_MS)
            waiting, store._waiting = store._waiting, []
            verify_s += timed(lambda waiting=waiting: store._resolved(waiting))
        plain_mac_s = timed(
            lambda: [
                hmac.digest(bytes(32), one.payload[:17], "sha256")
                for group in groups
                for one in group * BATCH
            ]
        )
        inbox = Inbox(collector, lambda: NOW_MS)
        whole_s = timed(
            lambda: [inbox.receive_all([([one], None) for one in group]) for group in decoded(lines)]
        )
        proved = sealed(decoded(requests(2)), StationDoor(database))
        proved_s = frame_s + timed(lambda: [inbox.receive_all(group) for group in proved])
        row = database.row("SELECT count(*) AS n FROM sightings")
        assert row is not None and row["n"] == 2 * count, "every sighting once"
        database.close()
        plain_store_s = measure_plain_store(Path(folder), count)
    figures |= {
        "frame_per_s": round(count / frame_s),
        "batch_per_s": round(count / batch_s),
        "resolve_and_mac_per_s": round(count / verify_s),
        "resolve_of_plain_hmac": round(verify_s / plain_mac_s, 2),
        "verified_per_s": round(count / (frame_s + batch_s + verify_s)),
        "verified_of_target": round(count / (frame_s + batch_s + verify_s) / TARGET_PER_S, 2),
        "end_to_end_per_s": round(count / whole_s),
        "end_to_end_in_sessions_per_s": round(count / proved_s),
        "end_to_end_of_plain_rows": round(whole_s / plain_store_s, 1),
        "end_to_end_of_target": round(count / whole_s / TARGET_PER_S, 2),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "collector.json").write_text(json.dumps(figures, indent=1) + "\n")
    for name, value in figures.items():
        print(f"collector {name}={value}")


if __name__ == "__main__":
    main()
