"""A collector with its door and any number of stations in sessions, in virtual time: for tests of who is kept out."""

from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import CAPACITY, Inbox
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.station_door import StationDoor
from groundwire import frame, keys, messages, session

from host.radio_senders import NOW_MS, frame_of, hello, reply_of, request, sightings

UNKNOWN_HEALTH = dict.fromkeys(("noise_dbm", "supply_mv", "temperature_c", "load_permille", "ring_permille"))
NO_COUNTS = dict.fromkeys(("uptime_s", "heard", "bad_frames", "queued", "lost", "orders_waiting"), 0)


def station_id(number):
    return (0x3C71BF0000B00000 + number).to_bytes(8, "big")


def secret_of(number):
    return number.to_bytes(32, "big")


def health(number, time_ms):
    values = {"station_id": station_id(number), "boot_count": 1, "time_ms": time_ms, "faults": []}
    return request("station_health", **values, **NO_COUNTS, **UNKNOWN_HEALTH)


def greeting(number, boot_count=1):
    values = messages.decode(0x30, frame_of(hello(station_id(number))).payload).values
    known = {name: value for name, value in values.items() if name != "extra"}
    return request("station_hello", **{**known, "boot_count": boot_count})


class County:
    """``now_ms`` is the only clock."""

    def __init__(self, address, tags, stations):
        self.now_ms = NOW_MS
        self.database = Database(address)
        self.collector = Collector(self.database, [(tag.device_id, tag.secret) for tag in tags])
        self.door = StationDoor(self.database, draw=lambda count: bytes(count))
        self.door.learn([(station_id(number), secret_of(number)) for number in stations])
        self.inbox = Inbox(self.collector, lambda: self.now_ms, door=self.door)

    def held(self):
        """Rule by the number of the station."""
        found = quarantine_store.held(self.database)
        return {int.from_bytes(one[-2:], "big"): hold.rule for one, hold in found.items()}

    def kept(self):
        rows = self.database.rows("SELECT station_id, device_id, counter FROM sightings")
        return [(int.from_bytes(row["station_id"][-2:], "big"), row["counter"]) for row in rows]


class Line:
    """One connection of one station, proved; it seals whatever it asks."""

    def __init__(self, county, number, where="10.0.0.1"):
        self.county, self.number = county, number
        self.peer = county.inbox.connection(where)
        self.open()

    def open(self):
        """Prove who it is, on whatever way it speaks."""
        number = self.number
        self._end = session.Initiator(
            station_id(number), keys.derive(secret_of(number), keys.UPLINK), bytes(16)
        )
        step = self._end.open()
        while step is not None:
            step = self._end.receive(reply_of(self.raw(frame.encode(*step, 1))))

    @classmethod
    def unproved(cls, county, number, peer):
        """One that proves nothing."""
        line = cls.__new__(cls)
        line.county, line.number, line.peer = county, number, peer
        return line

    def raw(self, data):
        """Bytes in, bytes out; empty when nothing is answered any more."""
        decoder = frame.Decoder(CAPACITY, frame.REQUESTS)
        return b"".join(self.county.inbox.receive(decoder, data, self.peer))

    def seal(self, plain):
        found = frame_of(plain)
        return frame.encode(found.kind, self._end.seal(found.kind, found.payload, 7), 7, sealed=True)

    def ask(self, plain):
        """The message in the sealed reply; None when there is none."""
        line = self.raw(self.seal(plain))
        if not line:
            return None
        decoder = frame.Decoder(5000, frame.REPLIES)
        decoder.feed(line)
        found = decoder.next()
        return messages.decode(found.kind, self._end.unseal(found))

    def tell(self, heard, first_sequence=0, boot_count=1):
        return self.ask(sightings(heard, first_sequence, station_id(self.number), boot_count))
