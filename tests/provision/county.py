"""A centre and its points in one process, on lines that lose, double, hold back and mix up what they carry."""

import json

from groundnet.provision import blocks, calls, central, point, signing
from groundnet.provision.record import BOUND, Record, Secret
from groundnet.provision.registry import Registry
from groundnet.provision.uplink import Answer, CentralError
from groundnet.provision.vault import Cost

PASSPHRASE = "seven tired horses"
CHEAP = Cost(8, 1, 1)
NOW_MS = 1_700_000_000_000
POINTS = ("north", "south")


def set_up(at, count=8):
    """A centre and two points with a block each; ``at`` gives the address of a registry by its name."""
    centre = Registry(at("centre.db"))
    point.init(centre, "county", PASSPHRASE, 1, own_ids=True, cost=CHEAP)
    for name in POINTS:
        registry = Registry(at(f"{name}.db"))
        mine = point.init(registry, name, PASSPHRASE, 1, cost=CHEAP)
        signing.trust(registry, signing.own(centre), 1)
        blocks.load(registry, blocks.issue(centre, mine, count, 1), 1)
        registry.close()
    centre.close()


def found(folder):
    """The same as the bytes of files, by name."""
    set_up(lambda name: folder / name)
    return {name: (folder / f"{name}.db").read_bytes() for name in ("centre", *POINTS)}


class Line:
    """Carries a point's messages to the centre as the next word of ``fate`` says; then as they are.

    Words: lost (before it arrives), unanswered, twice, held (until ``release``).
    """

    def __init__(self, county, name):
        self.county = county
        self.name = name
        self.fate = []
        self.held = []
        self.carried = []

    def send(self, records, status):
        body = json.dumps({"records": records, "point": status}).encode()
        self.carried.append(body)
        fate = self.fate.pop(0) if self.fate else "whole"
        if fate == "held":
            self.held.append(body)
        elif fate != "lost":
            answer = [self.arrive(body) for _ in range(2 if fate == "twice" else 1)][-1]
            if fate != "unanswered":
                return Answer(frozenset(answer["accepted"]), frozenset(answer["known"]), answer["refused"])
        raise CentralError("the line is away", "wait")

    def arrive(self, body):
        """A message comes out of the line's other end."""
        records, status = central.read_message(body)
        return central.keep(self.county.centre, self.name, records, status, self.county.tick())


class County:
    """Registries that are open and unlocked."""

    def __init__(self, at):
        self._at = at
        self.now_ms = NOW_MS
        self.centre = self.open("centre")
        self.points = {name: self.open(name) for name in POINTS}
        self.lines = {name: Line(self, name) for name in POINTS}

    @classmethod
    def in_folder(cls, folder, files):
        for name, data in files.items():
            (folder / f"{name}.db").write_bytes(data)
        county = cls(lambda name: folder / name)
        county.folder = folder
        return county

    def open(self, name):
        registry = Registry(self._at(f"{name}.db"), who="Li Na")
        registry.unlock(PASSPHRASE)
        return registry

    def close(self):
        for registry in (self.centre, *self.points.values()):
            registry.close()

    def tick(self):
        self.now_ms += 1000
        return self.now_ms

    def owner_of(self, number):
        """The point where a device is bound, None while it is nobody's."""
        return next((name for name in POINTS if self.is_bound(name, number)), None)

    def is_bound(self, name, number):
        record = self.points[name].by_device(number.to_bytes(8, "big"))
        return record is not None and record.state in BOUND

    def bind(self, name, number, plate="云A12345", profile="vehicle", settings=None):
        """Hand a device over at a point, as an operation does it."""
        registry, device_id = self.points[name], number.to_bytes(8, "big")
        operation = f"{self.tick():016x}"
        if registry.by_device(device_id) is None:
            draft = Record(device_id, "", "tag", "xiao_c3_sx1262", profile, plate, "+8613712345678",
                           "reserved", operation, self.now_ms, Secret(bytes(32)))  # fmt: skip
            registry.reserve(draft)
        else:
            registry.amend(device_id, profile, plate, "+8613712345678")
        registry.advance(device_id, "writing", operation, self.now_ms)
        registry.keep_settings(device_id, settings or {})
        return registry.advance(device_id, "handed_over", operation, self.tick())

    def release(self, name, number):
        registry, device_id = self.points[name], number.to_bytes(8, "big")
        record = registry.by_device(device_id)
        registry.advance(device_id, "undone", record.operation, self.tick(), action="release")

    def forget(self, name, number):
        self.points[name].forget_owner(number.to_bytes(8, "big"), self.tick())

    def expected(self):
        """What the centre has to know, by the points alone: of each device that was ever bound."""
        devices = {}
        for registry in self.points.values():
            for row in registry.database.execute("SELECT device_id FROM uplink").fetchall():
                record = registry.by_device(row["device_id"])
                if record.state in BOUND or record.device_id not in devices:
                    devices[record.device_id] = self._shown(registry, record)
        return devices

    def known(self):
        """The same as the centre has it."""
        return {record.device_id: self._shown(self.centre, record) for record in self.centre.devices()}

    def few(self):
        return {state.point: state.left for state in calls.points(self.centre)}

    def _shown(self, registry, record):
        if record.state not in BOUND:
            assert (record.plate, record.owner_phone, record.consent) == (None, None, None)
            return "released"
        return (record.tag_id, record.secret.reveal(), record.role, record.board, record.profile, record.plate,
                record.owner_phone, registry.settings_of(record.device_id))  # fmt: skip
