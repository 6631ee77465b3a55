"""What a board's heap holds: measured without the garbage, in the middle of a run that does not notice."""

import pytest
from sim.boards import board, printed, run

KEPT_BYTES = 20_000
PROGRAM = """
import time
kept = bytearray({kept})
def work():
    mine = bytearray({frame})
    for count in range({garbage}):
        bytearray(100)
    time.sleep_ms(1000)
    return len(mine)
print(work(), len(kept))
time.sleep_ms(5000)
"""


def heap_of(kept: int = 0, garbage: int = 0, frame: int = 0) -> int:
    with board(PROGRAM.format(kept=kept, garbage=garbage, frame=frame)) as device:
        device.power_on()
        device.world.run_for(500_000)
        heap = device.measure_heap()
        device.world.run_for(2_000_000)
        assert printed(device)[0] == f"{frame} {kept}"  # it went on as if nobody had asked
        return heap


def test_garbage_is_not_counted():
    assert heap_of(garbage=1000) == pytest.approx(heap_of(garbage=0), abs=200)


def test_what_is_reachable_counts_also_from_a_function_that_runs():
    empty = heap_of()
    assert heap_of(kept=KEPT_BYTES) - empty == pytest.approx(KEPT_BYTES, abs=200)
    assert heap_of(frame=KEPT_BYTES) - empty == pytest.approx(KEPT_BYTES, abs=200)


def test_a_board_at_rest_uses_little_and_asking_changes_nothing():
    with board("import time\nwhile True:\n    time.sleep_ms(100)") as device:
        run(device)
        first = device.measure_heap()
        assert 0 < first < 1000
        assert [device.measure_heap() for _ in range(3)] == [first] * 3
