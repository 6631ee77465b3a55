"""Walks a TRANSITIONS table: whoever gives every input in every state must have visited every row."""


class Watched(dict):
    """A table that remembers which of its rows were looked up."""

    def __init__(self, table):
        super().__init__(table)
        self.visited = set()

    def __getitem__(self, row):
        self.visited.add(row)
        return super().__getitem__(row)

    def get(self, row, default=None):
        """As of a dict; only rows of the table count as visited."""
        if row in self:
            self.visited.add(row)
        return super().get(row, default)


def assert_every_row_is_visited(module, monkeypatch, play):
    """Put a watched table into `module` and give each row's (state, input) to `play`, which drives the machine.

    `play(state, what)` sets the state, hands the input over and asserts what comes of it.
    """
    watched = Watched(module.TRANSITIONS)
    monkeypatch.setattr(module, "TRANSITIONS", watched)
    for state, what in dict(watched):
        play(state, what)
    missed = set(watched) - watched.visited
    assert not missed, f"rows of {module.__name__} that nothing reached: {sorted(map(str, missed))}"
