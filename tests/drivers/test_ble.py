"""The scan for BLE advertisements on real MicroPython, over a fake of the documented interface: no radio is here."""

import json

import pytest
from drivers.test_apps import BACKHAUL, Collector, Rig

SCRIPT = """
import json, micropython
from drivers.ble_scan import BleScan

class Ble:
    def __init__(self):
        self.calls = []
    def active(self, on):
        self.calls.append("active")
    def irq(self, handler):
        self.handler = handler
    def gap_scan(self, *arguments):
        self.calls.append(arguments)

buffer = bytearray(64)  # the stack's own: the documentation lets it be used again as soon as the interrupt returns

def hear(data, rssi=-70):
    buffer[: len(data)] = data
    event = (0, memoryview(buffer)[:6], 0, rssi, memoryview(buffer)[: len(data)])
    micropython.heap_lock()
    try:
        ble.handler(5, event)
    finally:
        micropython.heap_unlock()
        for index in range(len(buffer)):
            buffer[index] = 0xEE

class Interrupted:  # the ring while it is read: an advertisement comes at each read
    def __init__(self, scan):
        self.scan = scan
        self.name = [name for name in dir(scan) if type(getattr(scan, name)) is bytearray][0]  # the image shortens it
        self.ring = getattr(scan, self.name)
        self.came = 0
        self.watch()
    def watch(self):
        setattr(self.scan, self.name, self)
    def leave(self):
        setattr(self.scan, self.name, self.ring)
    def __getitem__(self, at):
        self.leave()
        hear(ad(0xFF, b"\\xff\\xff" + bytes((100 + self.came,)) * 20))
        self.came += 1
        self.watch()
        return self.ring[at]

def ad(kind, data):
    return bytes((len(data) + 1, kind)) + data

ble = Ble()
scan = BleScan(ble)
beacon = bytes(range(0x41, 0x41 + 24))
flags = ad(1, b"\\x06")
hear(flags + ad(0xFF, b"\\xff\\xff" + beacon), -83)
hear(flags + ad(0xFF, b"\\x4c\\x00" + beacon))          # somebody else's
hear(ad(9, b"a name"))
hear(flags + ad(0xFF, b"\\xff\\xff" + beacon + b"x"))   # too long
hear(b"\\x1e\\xff\\xff\\xff")                           # says more than there is
hear(b"\\x00" * 31)
hear(b"")
first = scan.take()
rest = scan.take()
for number in range(40):
    hear(ad(0xFF, b"\\xff\\xff" + bytes((number,)) * 15), -number - 1)
lost = scan.lost
kept = []
found = scan.take()
while found:
    kept.append((found[0][0], len(found[0]), found[1]))
    found = scan.take()
ble.handler(6, None)
scan.take()
calls = [list(call) if type(call) is tuple else call for call in ble.calls]
for number in range(32):
    hear(ad(0xFF, b"\\xff\\xff" + bytes((number,)) * 15), -number - 1)
reading = Interrupted(scan)
oldest = scan.take()  # from a full ring
reading.leave()
crowded = [list(oldest[0]), oldest[1], reading.came, scan.lost - lost]
while scan.take():
    pass
hear(ad(0xFF, b"\\xff\\xff" + beacon), 127)
hear(ad(0xFF, b"\\xff\\xff" + beacon), 3)
edges = [scan.take()[1], scan.take()[1]]
hear(ad(0xFF, b"\\xff\\xff" + b"first"))
reading = Interrupted(scan)
while reading.came < 12:
    scan.take()
reading.leave()
came = reading.came
numbers = []
found = scan.take()
while found:
    numbers.append(found[0][0])
    found = scan.take()
print("RESULT", json.dumps([list(first[0]), first[1], rest, lost, kept, calls, crowded, came, numbers, edges]))
"""


@pytest.fixture(scope="module")
def result():
    rig = Rig("base", identity=None, main=SCRIPT.encode())
    with rig.board:
        rig.run(5)
        said = [line for line in rig.board.log.splitlines() if line.startswith("RESULT")]
    assert said, rig.board.log
    return json.loads(said[0][7:])


def test_a_beacon_is_taken_out_of_its_advertisement_and_nothing_else_is(result):
    data, rssi_dbm, rest = result[:3]
    assert (data, rssi_dbm, rest) == (list(range(0x41, 0x41 + 24)), -83, None)


def test_the_interrupt_allocates_nothing_and_a_full_ring_counts_what_it_loses(result):
    lost, kept = result[3:5]
    assert lost == 8
    assert kept == [[number, 15, -number - 1] for number in range(32)]


def test_the_scan_is_passive_without_end_and_begun_anew_when_it_ended(result):
    assert result[5] == ["active", [0, 60000, 30000, False], [0, 60000, 30000, False]]


def test_what_comes_while_the_oldest_is_taken_from_a_full_ring_is_lost_counted_and_spoils_nothing(result):
    beacon, rssi_dbm, came, lost = result[6]
    assert (beacon, rssi_dbm) == ([0] * 15, -1)
    assert came == lost > 0


def test_what_comes_while_another_is_taken_waits_in_its_turn(result):
    came, numbers = result[7:9]
    assert came >= 12
    assert numbers == list(range(100 + came - len(numbers), 100 + came))
    assert len(numbers) > 1


def test_a_level_that_the_radio_does_not_know_is_the_weakest_and_not_the_strongest(result):
    assert result[9] == [-127, 0]


def test_a_chip_without_bluetooth_tells_so_and_the_station_goes_on():
    rig = Rig("base", changed=BACKHAUL | {"ble_scan": 1})
    collector = Collector()
    rig.network.serve("collector", 4710, lambda: collector)
    with rig.board:
        rig.run(100)
    told = [message.values for message in collector.messages if message.name == "station_health"][-1]
    assert [fault["part"] for fault in told["faults"]] == ["ble"]
