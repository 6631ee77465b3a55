"""One peer or address takes no more than its share of the server: by counts and a clock that the test holds."""

import asyncio
import contextlib

import pytest
from groundnet.collector.intake.group_commit import GroupCommit
from groundnet.collector.intake.inbox import arrived
from groundnet.collector.intake.peer_limits import (
    FRAME_S,
    FULL,
    IDLE,
    IDLE_S,
    OFTEN,
    OPENED_PER_S,
    RUBBISH,
    RUBBISH_MOST,
    SLOW,
    AddressGate,
    Patience,
)
from groundnet.collector.intake.server import Server
from groundwire import frame
from hypothesis import given
from hypothesis import strategies as st

from host.quarantine_county import County, Line, greeting, health, station_id
from host.radio_senders import NOW_MS, sighting, sightings

HONEST = range(1, 21)
BAD = 99


def test_thousands_of_connections_from_one_address_leave_room_for_another():
    gate = AddressGate(most_of_address=100, most=1000)
    assert [gate.enter("10.6.6.6", 0.0) for _ in range(5000)].count(None) == 100
    assert gate.enter("10.6.6.6", 0.0) == FULL and gate.enter("10.0.0.1", 0.0) is None
    gate.leave("10.6.6.6")
    assert gate.enter("10.6.6.6", 0.0) == OFTEN and gate.enter("10.6.6.6", 1.0) is None


def test_who_comes_and_goes_without_end_is_slowed_down():
    gate, entered = AddressGate(most_of_address=100), 0
    for moment in range(6000):
        if gate.enter("10.6.6.6", moment / 100) is None:
            entered += 1
            gate.leave("10.6.6.6")
    assert entered <= 100 + 60 * OPENED_PER_S


def test_a_host_s_many_ipv6_addresses_are_one():
    gate = AddressGate(most_of_address=3)
    said = [gate.enter(f"2001:db8:0:1::{number:x}", 0.0) for number in range(1, 5)]
    assert said == [None, None, None, FULL] and gate.enter("2001:db8:0:2::1", 0.0) is None


def test_a_peer_that_trickles_bytes_is_let_go_in_time():
    patience = Patience(0.0)
    said = [patience.took(b"\x01", 0, float(second)) for second in range(1, 40)]
    assert said.index(SLOW) == FRAME_S and patience.left_s(30.5) == 0
    assert Patience(0.0).over() == SLOW


def test_delimiters_without_frames_earn_no_time():
    patience = Patience(0.0)
    assert patience.took(b"\x00", 0, 29.0) is None and patience.took(b"\x00", 0, 31.0) is not None


def test_a_station_that_asks_each_half_minute_is_never_let_go():
    patience = Patience(0.0)
    for second in range(5, 100_000, 30):
        assert patience.took(b"half", 0, float(second)) is None
        assert patience.took(b"the rest\x00", 1, second + 20.0) is None
    assert patience.left_s(second + 20.0) == IDLE_S and patience.over() == IDLE


def test_rubbish_without_end_is_let_go_and_noise_is_not():
    patience = Patience(0.0)
    piece = b"\x55" * 16383 + b"\x00"
    said = [patience.took(piece, 0, 1.0) for _ in range(100)]
    assert said.index(RUBBISH) == RUBBISH_MOST // len(piece)
    noisy = Patience(0.0)
    assert {noisy.took(piece, number % 10 == 9, 1.0) for number in range(1000)} == {None}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab")), max_size=80))
def test_a_gate_counts_who_is_in(steps):
    gate, inside = AddressGate(most_of_address=5, most=7), {"a": 0, "b": 0}
    for comes, place in steps:
        if comes:
            has_room = inside[place] < 5 and sum(inside.values()) < 7
            entered = gate.enter(place, 1e6) is None
            assert has_room or not entered
            inside[place] += entered
        elif inside[place]:
            gate.leave(place)
            inside[place] -= 1


@pytest.fixture
def county(tmp_path, tag):
    found = County(tmp_path / "collector.db", [tag], [*HONEST, BAD])
    yield found
    found.database.close()


class Counted:
    """The group commit of a county; counts the frames of each peer that were looked at, in order."""

    def __init__(self, county, seen):
        self._inbox, self._seen = county.inbox, seen

    def receive_all(self, arrivals):
        self._seen.extend((peer, len(frames)) for frames, peer in arrivals)
        return self._inbox.receive_all(arrivals)


def test_a_flood_at_full_speed_leaves_the_others_their_turn(county, tag):
    """While one station sends without a pause, each honest one is answered within one group of arrivals.

    The flood is refused after its bucket, and then closed: the collector looks at no more of it.
    """
    seen, answered, taken = [], {}, []
    commits = GroupCommit(Counted(county, seen))
    bad = Line(county, BAD)
    full = sightings([sighting(tag.beacon(7), NOW_MS)] * 64, 0, station_id(BAD))

    async def flood():
        for _ in range(2000):
            decoder = frame.Decoder(4400, frame.REQUESTS)
            replies = await commits.replies((arrived(decoder, bad.seal(full)), bad.peer))
            taken.append(sum(map(len, replies)))
            if bad.peer.is_tiresome(county.now_ms):
                return

    async def honest(number):
        line = Line(county, number)
        for turn in range(5):
            before = len(seen)
            plain = greeting(number) if turn == 0 else health(number, county.now_ms)
            decoder = frame.Decoder(4400, frame.REQUESTS)
            (reply,) = await commits.replies((arrived(decoder, line.seal(plain)), line.peer))
            assert reply
            answered[number, turn] = len(seen) - before

    async def all_of_them():
        await asyncio.gather(flood(), *(honest(number) for number in HONEST))

    asyncio.run(all_of_them())
    assert max(answered.values()) <= 2 * (len(HONEST) + 1), (
        "arrivals of others between a question and its answer"
    )
    assert county.held() == {BAD: "flood"}
    assert len(taken) <= 21_000 // 64 + 10 and bad.peer.is_tiresome(county.now_ms)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(greeting(BAD + 1) * 200, "goes on though refused"), (b"\x55" * (2 * RUBBISH_MOST), "rubbish")],
)
def test_the_server_closes_such_a_connection_and_says_why_and_the_next_peer_is_served(county, data, reason):
    async def story():
        server = Server(county.inbox)
        port = await server.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(reader.read(4096), 30):
                pass
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(greeting(BAD + 1))
        answer = await asyncio.wait_for(reader.read(4096), 30)
        writer.close()
        await server.close()
        return answer

    assert asyncio.run(story())
    county.door.refusals.write(county.now_ms)
    assert reason in {row["reason"] for row in county.database.rows("SELECT reason FROM station_refusals")}
