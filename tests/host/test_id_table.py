"""The flat table of ids against a plain set of the same entries; few different ids, so that they crowd each other."""

from groundnet.collector.senders.id_table import EPOCH_LOW_MASK, SMALLEST, IdTable
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

crowded = st.one_of(
    st.integers(0, 8).map(lambda low: low),
    st.integers(0, 8).map(lambda low: low << 40 | SMALLEST - 3),  # at the end of the table, and around it
    st.integers(0, 2**48 - 1),
)
epochs = st.integers(0, 2**28 - 1)
owners = st.integers(0, 2**32 - 2)


class Table(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.table = IdTable()
        self.entries = set()

    @rule(eid=crowded, epoch=epochs, owner=owners)
    def add(self, eid, epoch, owner):
        self.table.add(eid, epoch, owner)
        self.entries.add((eid, epoch & EPOCH_LOW_MASK, owner))

    @rule(data=st.data())
    def add_many(self, data):
        first = data.draw(epochs)
        for number in range(200):
            self.add(number << 30 | number % 3, first + number, number)

    @rule(data=st.data())
    def discard(self, data):
        if self.entries:
            eid, low, owner = data.draw(st.sampled_from(sorted(self.entries)))
            self.table.discard(eid, low, owner)
            self.entries.remove((eid, low, owner))

    @rule(eid=crowded, epoch=epochs, owner=owners)
    def discard_a_stranger(self, eid, epoch, owner):
        if (eid, epoch & EPOCH_LOW_MASK, owner) not in self.entries:
            self.table.discard(eid, epoch, owner)

    @rule(room=st.integers(0, 5000))
    def reserve(self, room):
        self.table.reserve(room)

    @invariant()
    def holds_what_it_was_given(self):
        assert len(self.table) == len(self.entries)
        for eid in {entry[0] for entry in self.entries}:
            expected = sorted((owner, low) for other, low, owner in self.entries if other == eid)
            assert sorted(self.table.owners(eid)) == expected
        assert self.table.owners(2**48 - 2) == [] or any(entry[0] == 2**48 - 2 for entry in self.entries)


Table.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestTable = Table.TestCase


def test_it_grows_beyond_what_it_was_made_for():
    table = IdTable(10)
    for number in range(3 * SMALLEST):
        table.add(number * 7919, number, number)
    assert len(table) == 3 * SMALLEST
    assert all(table.owners(number * 7919) == [(number, number)] for number in range(3 * SMALLEST))
