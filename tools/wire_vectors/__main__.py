"""Writes protocol/vectors/*.jsonl from the specification, without our codec: `python tools/wire_vectors`.

Run it after a change of the specification, and read the diff.
"""

import json
from pathlib import Path

from air_vectors import beacon_vectors, downlink_vectors, session_vectors
from finder_vectors import finder_messages
from frame_vectors import cobs_vectors, frame_vectors, stream_vectors
from key_vectors import key_vectors
from link_vectors import link_messages
from report_vectors import report_messages
from station_vectors import station_messages
from update_vectors import update_messages

VECTORS = Path(__file__).resolve().parent.parent.parent / "protocol" / "vectors"

FILES = {
    "keys": key_vectors,
    "frames": lambda: cobs_vectors() + frame_vectors() + stream_vectors(),
    "link": link_messages,
    "station": station_messages,
    "report": report_messages,
    "update": update_messages,
    "finder": finder_messages,
    "beacons": beacon_vectors,
    "downlinks": downlink_vectors,
    "sessions": session_vectors,
}


def write(folder: Path) -> None:
    """Write one file of JSON lines for each room of the wire."""
    folder.mkdir(exist_ok=True)
    for name, vectors in FILES.items():
        lines = [json.dumps(found, ensure_ascii=False) for found in vectors()]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(VECTORS)
