"""The line: slots that work in parallel, one unit after the other in each, until no serial number is left."""

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from groundnet.bench.interface import Bench
from groundnet.bench.production.measurements import MEASUREMENTS
from groundnet.bench.production.results import FAILED, PASSED, Measured, Results, UnitResult
from groundnet.bench.production.sequence import Sequence as TestSequence
from groundnet.bench.production.sequence import Step
from groundnet.errors import GroundnetError

Told = Callable[[UnitResult, str, float], None]  # unit so far, what it is at, share that is done


@dataclass(frozen=True)
class Slot:
    """One place on the line; ``open_bench`` gives a bench for the unit that is in it."""

    name: str
    open_bench: Callable[[str], Bench]


class Line:
    """Runs a sequence.

    Args:
        sequence: what every unit goes through.
        slots: places that work side by side.
        results: where every unit is kept.
        told: called from the slots' threads with the progress of each unit.
        golden: serial numbers of golden units.
    """

    def __init__(
        self,
        sequence: TestSequence,
        slots: Sequence[Slot],
        results: Results,
        told: Told = lambda unit, what, share: None,
        golden: Iterable[str] = (),
    ) -> None:
        self._sequence, self._slots, self._results, self._told = sequence, slots, results, told
        self._golden = frozenset(golden)
        self._lock = threading.Lock()

    def run(self, serial_numbers: Iterable[str]) -> list[UnitResult]:
        """Every unit, in the order in which they were done. A unit that breaks its test lets the others go on."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for serial_number in serial_numbers:
            waiting.put(serial_number)
        done: list[UnitResult] = []
        threads = [
            threading.Thread(target=self._work, args=(slot, waiting, done), name=f"slot {slot.name}")
            for slot in self._slots
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done

    def _work(self, slot: Slot, waiting: "queue.SimpleQueue[str]", done: list[UnitResult]) -> None:
        while True:
            try:
                serial_number = waiting.get_nowait()
            except queue.Empty:
                return
            unit = self._test(slot, serial_number)
            with self._lock:
                self._results.keep(unit)
                done.append(unit)
            self._told(unit, unit.verdict, 1.0)

    def _test(self, slot: Slot, serial_number: str) -> UnitResult:
        began_s = time.monotonic()
        unit = UnitResult(serial_number, self._sequence.name, slot.name, time.time_ns() // 1_000_000)
        unit.golden = serial_number in self._golden
        try:
            bench = slot.open_bench(serial_number)
            try:
                self._measure(bench, unit)
            finally:
                bench.close()  # the slot is free, whatever happened in it
            unit.verdict = PASSED if all(one.passed for one in unit.measured) else FAILED
        except (GroundnetError, AssertionError, OSError) as error:
            unit.cause = f"{error}"
        unit.duration_s = time.monotonic() - began_s
        return unit

    def _measure(self, bench: Bench, unit: UnitResult) -> None:
        sequence = self._sequence
        device = bench.device(sequence.role, profile=sequence.profile, board=sequence.board)
        for position, step in enumerate(sequence.steps):
            self._told(unit, step.name, position / len(sequence.steps))
            unit.measured.append(_take(step, bench, device))


def _take(step: Step, bench: Bench, device) -> Measured:
    reading = MEASUREMENTS[step.measure].take(bench, device, step.options)
    low, high = (None if math.isinf(limit) else limit for limit in (step.low, step.high))
    return Measured(step.name, reading.value, step.unit, low, high, step.passes(reading.value), reading.curve)
