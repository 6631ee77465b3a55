"""One run of the line with everything that comes of it: results, report, JUnit, the word on golden units."""

import time
from binascii import crc32
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundnet.bench.choice import SIM, open_bench
from groundnet.bench.interface import Bench
from groundnet.bench.production import report
from groundnet.bench.production.line import Line, Slot, Told
from groundnet.bench.production.results import PASSED, Results, UnitResult, drift
from groundnet.bench.production.sequence import Sequence as TestSequence
from groundnet.errors import GroundnetError

RESULTS, PAGE, JUNIT = "results.db", "report.html", "junit.xml"


@dataclass(frozen=True)
class RunReport:
    """What a run came to; ``drifts`` are the words on golden units that measured otherwise than usual."""

    units: tuple[UnitResult, ...]
    drifts: tuple[str, ...]
    folder: Path
    duration_s: float

    @property
    def passed(self) -> bool:
        return bool(self.units) and all(unit.verdict == PASSED for unit in self.units) and not self.drifts


def run(
    sequence: TestSequence,
    serial_numbers: Sequence[str],
    folder: Path,
    targets: Sequence[str] = (SIM,),
    golden: Sequence[str] = (),
    told: Told = lambda unit, what, share: None,
) -> RunReport:
    """Test every unit; results, report and JUnit file are in ``folder``, also when the run is broken off.

    Args:
        targets: one per slot: "sim", or the path of a rig's description.
        golden: serial numbers of golden units among those tested.

    Raises GroundnetError for a folder that cannot be written and a serial number that comes twice.
    """
    twice = {number for number in serial_numbers if list(serial_numbers).count(number) > 1}
    if twice:
        raise GroundnetError(f"serial number {min(twice)} comes twice", "each unit is tested once a run")
    began_s = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(folder / RESULTS)
    known = {number: results.golden(sequence.name, number) for number in golden}
    done: list[UnitResult] = []

    def hear(unit: UnitResult, what: str, share: float) -> None:
        if share == 1.0:
            done.append(unit)
        told(unit, what, share)

    slots = [Slot(str(number), _opener(target)) for number, target in enumerate(targets, 1)]
    drifts: list[str] = []
    try:
        Line(sequence, slots, results, hear, golden).run(serial_numbers)
    finally:
        for unit in done:
            drifts += [
                f"{unit.serial_number}, {words}" for words in drift(unit, known.get(unit.serial_number, []))
            ]
        (folder / PAGE).write_text(report.html(sequence.name, done, drifts), encoding="utf-8")
        (folder / JUNIT).write_text(report.junit(sequence.name, done), encoding="utf-8")
    return RunReport(tuple(done), tuple(drifts), folder, time.monotonic() - began_s)


def _opener(target: str) -> Callable[[str], Bench]:
    """On virtual boards a serial number is a seed: each unit is an individual, and always the same one."""
    return lambda serial_number: open_bench(target, crc32(serial_number.encode()), individuals=True)
