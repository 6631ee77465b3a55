"""What share of LoRa and of GFSK beacons a station hears: with one radio, with one in turns, with two.

The station is a virtual board with its own firmware; the tags are senders close by that speak at random times, so that
nothing but the station's listening decides. Collisions between them are avoided, they are the air's business.
"""

import functools
import random
from collections import Counter
from dataclasses import dataclass

from groundwire import beacon, frame, keys, messages

from groundnet.image import partition_table
from groundnet.image.boards import board_literal
from groundnet.image.firmware_image import build
from groundnet.sim.antenna import Antenna, Frame
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.desk import quiet_place
from groundnet.sim.modulation import Gfsk, Lora, Modulation
from groundnet.sim.network import Network
from groundnet.sim.power import PowerAccount
from groundnet.sim.radio import Medium
from groundnet.sim.signals import BoardIo
from groundnet.sim.state_files import record
from groundnet.sim.wiring import Site, attach
from groundnet.sim.world import World

BOARD = "heltec_v3"
# A second SX1262 module on pins that the board leaves free, as a county might solder it.
SECOND = {"spi": 2, "cs": 4, "busy": 5, "dio1": 6, "reset": 7}
SECOND_BUS = {"sck": 47, "miso": 33, "mosi": 34, "baudrate": 8000000}
WAYS = ("LoRa only", "GFSK only", "in turns", "two radios")
SENT: dict[str, Modulation] = {
    "LoRa": Lora(868_300_000, 9),
    "GFSK": Gfsk(868_500_000, 50_000, 25_000, 117_300, 64, bytes.fromhex("6e4e572d")),
}
ORDERS, EIDS = 8, 10  # for each modulation, and tags for which each is
FIRST_BEACON_S, PAUSE_S = 20.0, 0.5


@dataclass(frozen=True)
class Heard:
    """Beacons on air and in the collector, by modulation, and orders that were answered with on air.

    ``slowest_ms``: from the end of a beacon to the beginning of the answer, at most.
    """

    sent: Counter[str]
    heard: Counter[str]
    answered: Counter[str]
    slowest_ms: float

    def share(self, modulation: str) -> float:
        return self.heard[modulation] / self.sent[modulation]


class _Collector:
    """Takes every sighting; the id of a beacon says how it was sent. Has orders for some ids."""

    def __init__(self, sent: list[bytes]) -> None:
        """Each modulation has some orders, each for the tags of some beacons in a row: the first one heard gets it."""
        self.heard: set[bytes] = set()
        self.orders = []
        for kind in range(len(SENT)):
            eids = [eid for eid in (beacon.decode(data).eid for data in sent) if eid[0] == kind]
            for first in range(0, min(len(eids), ORDERS * EIDS), EIDS):
                number = len(self.orders)
                command = bytes((kind, number)) + bytes(16)
                self.orders.append(
                    {
                        "order_id": number,
                        "expires_ms": 2**52,
                        "eids": eids[first : first + EIDS],
                        "downlink": command,
                    }
                )

    def __call__(self) -> "_Line":
        return _Line(self)


class _Line:
    """One connection."""

    def __init__(self, collector: _Collector) -> None:
        self._collector = collector
        self._decoder = frame.Decoder(8192, frame.REQUESTS)

    def receive(self, data: bytes) -> bytes:
        self._decoder.feed(data)
        answer = b""
        while isinstance(request := self._decoder.next(), frame.Frame):
            asked = messages.decode(request.kind, request.payload).values
            values: dict = {"time_ms": 1_790_000_000_000, "orders": []}
            name = "orders"
            if "protocol_min" in asked:  # it said hello
                values["orders"] = self._collector.orders
            if "sightings" in asked:
                self._collector.heard.update(one["beacon"] for one in asked["sightings"])
                following = asked["first_sequence"] + len(asked["sightings"])
                values |= {"boot_count": asked["boot_count"], "next_sequence": following}
                name = "sightings_ack"
            kind, payload = messages.encode(name, values)
            answer += frame.encode(kind, payload, request.sequence)
        return answer

    def close(self) -> None:
        """Nothing is held."""


def play(way: str, beacons: int, seed: int = 1) -> Heard:
    """A station of one of WAYS hears ``beacons`` of each modulation, about one a second; 16 orders wait."""
    world = World(seed)
    network = Network(world)
    place = quiet_place(world, network, "roof")
    board = _station(world, way, place, network)
    sent = _send_all(world, place.medium, beacons)
    collector = _Collector(list(sent))
    network.serve("collector", 4710, collector)
    last_end_us, answers = 0, []

    def note(one: Frame) -> None:
        nonlocal last_end_us
        if one.sender.name == "tag":
            last_end_us = one.end_us
        else:
            kind = "LoRa" if isinstance(one.modulation, Lora) else "GFSK"
            if list(SENT)[one.payload[0]] == kind:
                answers.append((kind, (one.start_us - last_end_us) / 1000))

    place.medium.sniff(note)
    with board:
        board.power_on()
        world.run_for(round((FIRST_BEACON_S + 60 + max(sent.values()) / 1e6) * 1e6))
        log = board.log
    if "Traceback" in log or "error" in log:
        raise AssertionError(log)
    heard = Counter(_name_of(data) for data in collector.heard)
    answered = Counter(kind for kind, _ in answers)
    slowest_ms = max((delay_ms for _, delay_ms in answers), default=0.0)
    return Heard(Counter(_name_of(data) for data in sent), heard, answered, slowest_ms)


def _send_all(world: World, medium: Medium, beacons: int) -> dict[bytes, int]:
    """Schedule the beacons of both kinds, one behind the other at random; each with its time."""
    source = world.random("tags")
    tag = medium.attach("tag", lambda time_us: (200.0, 0.0), lambda reception: None)
    names = list(SENT) * beacons
    source.shuffle(names)
    at_us, sent = round(FIRST_BEACON_S * 1e6), {}
    for counter, name in enumerate(names):
        at_us += round((PAUSE_S + source.expovariate(2.0)) * 1e6)
        data = _beacon(name, counter, source)
        sent[data] = at_us
        world.at(at_us, functools.partial(_transmit, medium, tag, data, SENT[name]))
    return sent


def _transmit(medium: Medium, tag: Antenna, data: bytes, modulation: Modulation) -> None:
    medium.transmit(tag, data, modulation, 14, modulation.airtime_us(len(data)))


def _beacon(name: str, counter: int, source: random.Random) -> bytes:
    buffer = bytearray(beacon.MAX_SIZE)
    eid = bytes((list(SENT).index(name),)) + source.randbytes(5)
    size = beacon.encode_into(buffer, beacon.PLAIN, 1, beacon.LISTENING, 10, counter, eid)
    return bytes(buffer[: beacon.protect(buffer, size, counter, keys.Key(bytes(32)))])


def _name_of(data: bytes) -> str:
    return list(SENT)[beacon.decode(data).eid[0]]


def _station(world: World, way: str, place, network: Network) -> VirtualBoard:
    literal = board_literal(BOARD)
    if way == "two radios":
        literal["parts"]["radio2"] = {**literal["parts"]["radio"], **SECOND}
        literal["spi"][SECOND["spi"]] = SECOND_BUS
    settings = {
        "collector_host": "collector",
        "wifi_name": "shop",
        "wifi_key": "12345678",
        "region": "eu868-gfsk" if way == "GFSK only" else "eu868",
        "both_radios": int(way in ("in turns", "two radios")),
    }
    lines = "\n".join(f"{name}={settings[name]}" for name in sorted(settings))
    image = build("base", BOARD)
    image["/board.py"] = f"BOARD = {literal!r}\n".encode()
    image["/state/settings.0"] = record(lines.encode())
    io, power = BoardIo("station"), PowerAccount(world)
    attach(Site(world, "station", io, power, place), literal)
    return VirtualBoard(
        world,
        "station",
        io=io,
        files=BoardFs(image),
        unique_id=b"\x02\x00\x00\x00\x00\x01",
        power=power,
        chip=literal["chip"],
        network=network,
        partitions=partition_table.of_board(BOARD),
    )
