"""A county of honest stations and of every bad kind, by seed: what the honest ones heard arrives exactly once, and each
bad one is listed with what is wrong with it."""

import contextlib
import random
from collections import Counter

import pytest
from groundnet.collector.stations.station_list import stations
from groundwire.errors import AuthenticationError

from host.quarantine_county import County, Line, greeting, health, station_id
from host.radio_senders import NOW_MS, sighting, sightings

HONEST = range(1, 6)
FLOOD, COPY, TWICE, CLOCK, FORGER, STRANGER = 21, 22, 23, 24, 25, 26
ROUND_MS, ROUNDS = 30_000, 28


class Honest:
    """Hears one beacon each round, loses replies and connections, and asks again as firmware does."""

    def __init__(self, county, tag, number, chance):
        self._county, self._tag, self.number, self._chance = county, tag, number, chance
        self._line, self.heard, self._first, self._waiting = None, [], 0, []

    def step(self, counter):
        if counter is not None and self._chance.random() < 0.8:
            self.heard.append((self.number, counter))
            at_ms = self._county.now_ms - self._chance.randrange(2000)
            self._waiting.append(sighting(self._tag.beacon(counter), at_ms))
        if self._line is None or self._chance.random() < 0.2:
            self._line = Line(self._county, self.number, f"10.0.0.{self._chance.randrange(4)}")
            assert self._line.ask(greeting(self.number)).name == "orders"
        assert self._line.ask(health(self.number, self._county.now_ms)).name == "orders"
        if self._waiting:
            reply = self._line.tell(self._waiting, self._first)
            assert reply.name == "sightings_ack"
            if self._chance.random() < 0.7:  # else the reply is lost on its way
                self._first, self._waiting = reply.values["next_sequence"], []


class Bad:
    """Every bad kind, one step of each a round."""

    def __init__(self, county, tag, chance):
        self._county, self._tag, self._chance = county, tag, chance
        self._twice = [Line(county, TWICE, place) for place in ("10.6.0.1", "10.6.0.2")]
        self._lines = {number: Line(county, number) for number in (FLOOD, CLOCK, FORGER)}

    def steps(self, counter):
        return [
            lambda one=one: one(counter)
            for one in (self.flood, self.copy, self.twice, self.clock, self.forge, self.guess)
        ]

    def flood(self, counter):
        """All at once what a radio hears in more than a minute; its bucket holds a full ring."""
        heard = [sighting(self._tag.beacon(counter), NOW_MS)] * 64
        for number in range(340 if counter == 3 else 1):
            self._lines[FLOOD].tell(heard, 64 * number)

    def copy(self, counter):
        with contextlib.suppress(AuthenticationError):  # told to wait, it comes all the same
            Line(self._county, COPY).ask(greeting(COPY, self._chance.choice((3, 40)) + counter))

    def twice(self, counter):
        for line in self._twice:
            line.ask(health(TWICE, self._county.now_ms))

    def clock(self, counter):
        self._lines[CLOCK].ask(health(CLOCK, self._county.now_ms + 86_400_000))

    def forge(self, counter):
        spoilt = bytearray(self._tag.beacon(counter))
        spoilt[-1 - self._chance.randrange(6)] ^= 1 + self._chance.randrange(255)
        self._lines[FORGER].tell([sighting(bytes(spoilt), self._county.now_ms)] * 16, 16 * counter)

    def guess(self, counter):
        """Without the secret of who it says that it is: an honest station, and nobody."""
        for number in (self._chance.choice(HONEST), STRANGER):
            peer = self._county.inbox.connection("10.6.6.6")
            line = Line.unproved(self._county, number, peer)
            line.raw(sightings([sighting(self._tag.beacon(counter), NOW_MS)], 0, station_id(number)))
            line.raw(self._chance.randbytes(200) + b"\x00")


@pytest.mark.parametrize("seed", [1, 2])
def test_honest_sightings_arrive_exactly_once_and_each_bad_station_is_named(store_at, tag, seed):
    chance = random.Random(seed)
    county = County(store_at("collector.db"), [tag], [*HONEST, FLOOD, COPY, TWICE, CLOCK, FORGER])
    honest = [Honest(county, tag, number, random.Random(100 * seed + number)) for number in HONEST]
    bad = Bad(county, tag, chance)
    ever: dict[int, set[str]] = {}
    for counter in range(ROUNDS):
        steps = [lambda one=one, n=counter: one.step(n) for one in honest] + bad.steps(counter)
        chance.shuffle(steps)
        for step in steps:
            step()
        for number, rule in county.held().items():
            ever.setdefault(number, set()).add(rule)
        county.now_ms += ROUND_MS
    for one in honest:
        for _ in range(20):
            one.step(None)
    kept = Counter(one for one in county.kept() if one[0] in HONEST)
    assert kept == Counter(one for station in honest for one in station.heard)
    assert ever == {
        FLOOD: {"flood"},
        COPY: {"starts_went_back"},
        TWICE: {"connected_twice"},
        CLOCK: {"wrong_clock"},
        FORGER: {"forged_beacons"},
    }
    county.door.refusals.write(county.now_ms)
    listed = {
        one.station_id: {refusal.reason for refusal in one.refusals} for one in stations(county.database)
    }
    assert listed[station_id(STRANGER)] == {"unknown station"}
    assert all(listed[station_id(number)] <= {"no proof"} for number in HONEST)
    county.database.close()
