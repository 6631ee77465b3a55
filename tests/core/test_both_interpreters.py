"""The cores do the same on MicroPython as on CPython, and reading NMEA there allocates nothing."""

from pathlib import Path

import groundwire
import pytest
from groundnet.sim import runtime
from groundnet.sim.groundcore_runtime import firmware_directory

FOLDERS = (firmware_directory(), Path(groundwire.__file__).parents[1])
SCENARIO = Path(__file__).with_name("scenario.py")

HEAP_LOCKED = """
import micropython
from groundcore.gnss import GnssReader
from groundcore.motion import MotionJudge
from array import array

line = (b"\\xff$GPGSV,3,2,12,14,79,041,29,15,31,297,21,17,54,166,28,19,24,192,23,0*62\\r\\n"
        b"$GPTXT,01,01,02,ANTSTATUS=OK*3B\\r\\n$GPGGA,cut")
reader = GnssReader()
judge = MotionJudge()
still = array("h", [0, 0, 1000] * 8)
judge.feed(still, 8)
micropython.heap_lock()
try:
    for _ in range(20):
        reader.feed(line)
    print("ok")
finally:
    micropython.heap_unlock()
print(reader.sentences.accepted, reader.sentences.rejected)
"""


def run(script, name):
    done = runtime.run_script(script, runtime=name, search_path=FOLDERS)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def on_cpython():
    return run(SCENARIO, "cpython")


@pytest.mark.parametrize("name", [name for name in runtime.available_runtimes() if name != "cpython"])
def test_a_theft_is_the_same_on_every_interpreter(name, on_cpython):
    assert len(on_cpython.splitlines()) > 150
    assert run(SCENARIO, name).splitlines() == on_cpython.splitlines()


def test_reading_nmea_allocates_nothing():
    assert run(HEAP_LOCKED, "micropython").split() == ["ok", "40", "19"]  # the last one is still under way
