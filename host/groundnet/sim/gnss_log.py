"""A recorded GNSS log through the firmware's own NMEA reader, on CPython or on real MicroPython."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import groundwire

from groundnet.errors import GroundnetError
from groundnet.sim import groundcore_runtime, runtime

RUNTIMES = ("cpython", "micropython")

# What MicroPython runs: it reads its input in pieces, as a serial line would bring it, and prints integers.
_BOARD_SCRIPT = """
import sys
from groundcore.gnss import GnssReader
reader = GnssReader()
while True:
    piece = sys.stdin.buffer.read(256)
    for fix in reader.feed(piece) if piece else reader.flush():
        print(*fix[:9])
    if not piece:
        break
print(reader.sentences.accepted, reader.sentences.rejected)
"""
_LONGEST_LINE = 65_536  # bytes that are looked at together: a file need not have lines


@dataclass
class Tally:
    """How many sentences of a log were sound, and how many were damaged or without a checksum."""

    accepted: int = 0
    rejected: int = 0


def read_fixes(path: Path, interpreter: str = "cpython", tally: Tally | None = None) -> Iterator[dict]:
    """One record per epoch of the log, in order: see `record` for its keys. ``tally`` is filled by the end.

    Raises GroundnetError when the runtime is unknown or cannot start, OSError when the file cannot be read.
    """
    lines, tally = recorded_lines(path), tally or Tally()
    if interpreter == "cpython":
        fixes = _on_cpython(lines, tally)
    elif interpreter == "micropython":
        fixes = _on_micropython(lines, tally)
    else:
        raise GroundnetError(f"there is no runtime {interpreter}", f"name one of {', '.join(RUNTIMES)}")
    return (record(*fix) for fix in fixes)


def recorded_lines(path: Path) -> Iterator[bytes]:
    """What the receiver sent: the lines of the file without the comments of whoever recorded it.

    A line that is longer than any sentence comes in pieces.
    """
    with path.open("rb") as log:
        goes_on = in_comment = False
        for line in iter(lambda: log.readline(_LONGEST_LINE), b""):
            in_comment = _is_comment(line) if not goes_on else in_comment
            goes_on = not line.endswith(b"\n")
            if not in_comment:
                yield line


def _is_comment(line: bytes) -> bool:
    """A text line that begins with `#`; binary data that begins so by chance may have a sentence in it."""
    if not line.startswith(b"#"):
        return False
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return False
    return text.rstrip().replace("\t", " ").isprintable()


def _on_cpython(lines: Iterable[bytes], tally: Tally) -> Iterator[tuple]:
    reader = groundcore_runtime.load("gnss").GnssReader()
    for line in lines:
        yield from (fix[:9] for fix in reader.feed(line))
    yield from (fix[:9] for fix in reader.flush())
    tally.accepted, tally.rejected = reader.sentences.accepted, reader.sentences.rejected


def _on_micropython(lines: Iterable[bytes], tally: Tally) -> Iterator[tuple]:
    folders = (groundcore_runtime.firmware_directory(), Path(groundwire.__file__).parents[1])
    done = runtime.run_script(_BOARD_SCRIPT, search_path=folders, stdin=b"".join(lines))
    if done.returncode:
        last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise GroundnetError(f"the reader stopped on MicroPython: {last_line}", "please report this log")
    *fixes, counts = done.stdout.decode().splitlines()
    tally.accepted, tally.rejected = map(int, counts.split())
    for line in fixes:
        yield tuple(None if word == "None" else int(word) for word in line.split())


def record(
    utc_s: int,
    utc_ms: int,
    lat_e7: int,
    lon_e7: int,
    speed_mm_s: int | None,
    course_cdeg: int | None,
    quality: int,
    sats: int | None,
    hdop_c: int | None,
) -> dict:
    """A fix of the firmware (groundcore.gnss.Fix) in the units people use: degrees, metres a second."""
    time = datetime.datetime.fromtimestamp(utc_s, datetime.UTC).replace(microsecond=utc_ms * 1000)
    return {
        "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "lat": lat_e7 / 1e7,
        "lon": lon_e7 / 1e7,
        "speed_mps": _scaled(speed_mm_s, 1000),
        "course_deg": _scaled(course_cdeg, 100),
        "quality": quality,
        "sats": sats,
        "hdop": _scaled(hdop_c, 100),
    }


def _scaled(value: int | None, divisor: int) -> float | None:
    return None if value is None else value / divisor
