"""Points and counters side by side on one PostgreSQL, in processes' own connections: no number, no row twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from groundnet.provision import blocks, point, signing
from groundnet.provision.audit import Audit
from groundnet.provision.batch_journal import BatchJournal
from groundnet.provision.record import Record, Secret
from groundnet.provision.registry import Registry
from groundnet.provision.vault import Cost

PASSPHRASE = "seven tired horses"
CHEAP = Cost(8, 1, 1)
COUNTERS, EACH = 3, 12


def draft(number: int) -> Record:
    device_id = number.to_bytes(8, "big")
    return Record(
        device_id, "", "tag", "b", "vehicle", f"云A{number:05}", None, "", "0a", 1, Secret(bytes(32))
    )


def give_away(address, first: int) -> None:
    """What a counter does: reserve, write, verify and hand over, with its own connection."""
    registry = Registry(address, who=f"counter {first}")
    registry.unlock(PASSPHRASE)
    for number in range(first, first + EACH):
        made = registry.reserve(draft(number))
        for state in ("writing", "verified", "handed_over"):
            registry.advance(made.device_id, state, "0b", number)
    registry.close()


def in_parallel(work, arguments):
    with ThreadPoolExecutor(len(arguments)) as pool:
        return [done.result() for done in [pool.submit(work, *given) for given in arguments]]


def issued(centre: Registry, here: Registry, count: int) -> None:
    """A block of the centre for a point, loaded there."""
    signing.trust(here, signing.own(centre), 1)
    to = point.read(here)
    assert to is not None
    blocks.load(here, blocks.issue(centre, to, count, 1), 1)


@pytest.fixture
def point_at(store_at):
    """A registry that was set up, by its name; closed at the end."""
    opened = []

    def make(name: str, own_ids: bool = False) -> Registry:
        opened.append(Registry(store_at(name), who="Li Na"))
        point.init(opened[-1], name, PASSPHRASE, 1, own_ids=own_ids, cost=CHEAP)
        return opened[-1]

    yield make
    for registry in opened:
        registry.close()


def test_counters_of_one_point_never_take_the_same_identity(point_at):
    registry = point_at("central", own_ids=True)
    in_parallel(give_away, [(registry.address, 1 + counter * EACH) for counter in range(COUNTERS)])
    records = list(registry.devices())
    assert len({record.tag_id for record in records}) == len(records) == COUNTERS * EACH
    assert {record.state for record in records} == {"handed_over"}
    verdict = Audit(registry).verify()
    assert verdict.length == verdict.keyed and verdict.length >= 4 * COUNTERS * EACH


def test_two_points_with_blocks_of_one_centre_never_collide(point_at):
    centre = point_at("centre", own_ids=True)
    points = [point_at(name) for name in ("north", "south")]
    for registry in points:
        issued(centre, registry, EACH)
    in_parallel(give_away, [(registry.address, 1 + EACH * n) for n, registry in enumerate(points)])
    given = [record.tag_id for registry in points for record in registry.devices()]
    assert len(set(given)) == len(given) == 2 * EACH
    for registry in (*points, centre):
        Audit(registry).verify()


def test_a_counter_learns_of_what_another_one_added(point_at):
    registry = point_at("central", own_ids=True)
    assert registry.added() == []
    give_away(registry.address, 1)
    assert len(registry.added()) == EACH
    assert registry.added() == []


def test_rows_of_a_batch_are_taken_once_by_whichever_counter(store_at):
    class Row:
        device_id = None

        def __init__(self, key: str) -> None:
            self.key = key

    rows = [Row(f"row {number}") for number in range(COUNTERS * EACH)]

    def take(first: int) -> list[str]:
        journal = BatchJournal(store_at("batches"), "delivery")
        taken = [
            journal.begin(rows, number.to_bytes(8, "big"), lambda row: True, 1)
            for number in range(first, first + EACH)
        ]
        journal.close()
        return [row.key for row in taken if row is not None]

    BatchJournal(store_at("batches"), "delivery").close()
    taken = in_parallel(take, [(1 + counter * EACH,) for counter in range(COUNTERS)])
    assert sorted(key for keys in taken for key in keys) == sorted(row.key for row in rows)
