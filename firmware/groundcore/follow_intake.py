"""The finder's end of the loading: collects ids and commands of one loan, and stores it whole or not at all."""

from groundwire.finder_table import IDS_OF_ONE, MOST_COMMANDS

from groundcore import events, follow

REQUESTS = ("follow_begin", "follow_ids", "follow_commands", "follow_finish", "follow_clear", "follow_read")
_ACK = ("ack", {})


class Intake:
    """One open link. `stored` is True once flash holds something new: the finder starts anew behind the link.

    Args:
        records: what flash holds, by the names in `follow.NAMES`.
    """

    def __init__(self, records: dict):
        self._records = dict(records)
        self._begun = None  # values of follow_begin
        self._eids = []
        self._commands = []
        self.stored = False

    def handle(self, request: str, values: dict, actions: list) -> tuple:
        """(name of the reply, its values); an error's values are code and detail. Requests may be repeated."""
        if request == "follow_begin":
            self._begun = values
            self._eids = []
            self._commands = []
            return _ACK
        if request == "follow_ids":
            return self._take_ids(values["first"], values["eids"])
        if request == "follow_commands":
            return self._take_commands(values["commands"])
        if request == "follow_finish":
            return self._finish(actions)
        if request == "follow_clear":
            self._begun = None
            self._records = {}
            follow.erase(actions)
            self.stored = True
            return _ACK
        return self._told()

    def _take_ids(self, first, eids):
        if self._begun is None or first > len(self._eids):
            return _wrong("follow_begin first, then the ids in order")
        if first + len(eids) > self._begun["count"] or len(eids) > IDS_OF_ONE:
            return _wrong("more ids than announced")
        self._eids[first:] = eids
        return _ACK

    def _take_commands(self, commands):
        if self._begun is None:
            return _wrong("follow_begin first")
        if len(commands) > MOST_COMMANDS:
            return _wrong("too many commands")
        self._commands = [(command["purpose"], command["downlink"]) for command in commands]
        return _ACK

    def _finish(self, actions):
        begun = self._begun
        if begun is None:
            return _ACK if self.stored else _wrong("follow_begin first")
        if len(self._eids) != begun["count"]:
            return _wrong("%d of %d ids came" % (len(self._eids), begun["count"]))
        record, use = follow.make(
            begun["code"],
            begun["first_epoch"],
            self._eids,
            begun["expires_ms"] // 1000,
            begun["budget_s"],
            self._commands,
        )
        self._begun = None
        self._store(record, use, actions)
        return _ACK

    def _store(self, record, use, actions):
        """The use first: with it the loan so far ends, whatever is cut off behind it."""
        self._records[follow.USE] = use
        self._records[follow.LOAN] = record
        actions.append((events.STORE, follow.USE, use))
        actions.append((events.STORE, follow.LOAN, record))
        self.stored = True

    def _told(self):
        loan = follow.restore(self._records.get(follow.LOAN), self._records.get(follow.USE))
        values = {"code": "", "first_epoch": 0, "count": 0, "left_s": 0, "commands": 0}
        if loan is not None:
            values = {
                "code": loan.code,
                "first_epoch": loan.first_epoch,
                "count": loan.count,
                "left_s": loan.left_s(0),
                "commands": loan.commands_left(),
            }
        return "following", values


def _wrong(detail) -> tuple:
    return "error", {"code": "wrong_state", "detail": detail}
