"""The timeline: what happened, who did it; told as it happens and kept for the report."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.sim.chips.air780e import Air780e
from groundnet.sim.chips.siren import Siren
from groundnet.sim.theft.record import Entry, TheftRecord
from groundnet.sim.theft.stage import TAG_ID, TRACKER_ID, Stage

Tell = Callable[[Entry], None]


@dataclass
class Timeline:
    """Adds entries to the record and tells each at once."""

    stage: Stage
    record: TheftRecord
    tell: Tell

    def say(self, actor: str, text: str, tone: str = "calm", unix_ms: int | None = None) -> None:
        moment = self.stage.world.unix_ms if unix_ms is None else unix_ms
        entry = Entry(moment, actor, text, tone)
        self.record.timeline.append(entry)
        self.tell(entry)


class Watch:
    """Sees what changed since the last look: siren, messages, reports, lost mode.

    It looks from outside, as a person would: at the siren, at the owner's phone, into the collector's database.
    """

    def __init__(self, timeline: Timeline) -> None:
        stage = timeline.stage
        self._timeline = timeline
        self._world = stage.world
        siren, modem = stage.tracker.parts["siren"], stage.tracker.parts["modem"]
        assert isinstance(siren, Siren) and isinstance(modem, Air780e)
        self._siren, self._modem = siren, modem
        self._database = Database(stage.database_path)
        self._bursts = len(self._siren.bursts)  # it was tested when the tracker was handed over
        self._messages = 0
        self._told_alarms: Counter[tuple[int, str, int]] = Counter()
        self._fixes = self._cells = self._lost = False

    def look(self) -> None:
        """Tell what is new."""
        self._look_at_siren()
        self._look_at_phone()
        self._look_at_reports()
        self._look_for_lost_mode()

    def close(self) -> None:
        self._database.close()

    def _unix_ms(self, time_us: int) -> int:
        return self._world.start_unix_ms + time_us // 1000

    def _look_at_siren(self) -> None:
        for began_us, _ in self._siren.bursts[self._bursts :]:
            long_silent = not self._bursts or began_us - self._siren.bursts[self._bursts - 1][0] > 10_000_000
            self._bursts += 1
            if long_silent:
                self._timeline.say("siren", "sounds", "alarm", self._unix_ms(began_us))

    def _look_at_phone(self) -> None:
        for unix_ms, number, text in self._modem.sent_sms[self._messages :]:
            self._messages += 1
            self._timeline.record.messages.append((unix_ms, number, text))
            self._timeline.say("owner's phone", text, "alarm", unix_ms)

    def _look_at_reports(self) -> None:
        for time_ms, cause, level in self._new_alarms():
            if time_ms < self._timeline.record.stolen_unix_ms:
                self._timeline.record.false_alarms += 1
            self._timeline.say("tracker", f"alarm at the collector: {cause}, level {level}", "alarm", time_ms)
        if not self._fixes and self._count("fixes"):
            self._fixes = True
            self._timeline.say("tracker", "first position since the theft at the collector", "alarm")
        if not self._cells and self._count("cells"):
            self._cells = True
            self._timeline.say("tracker", "has no fix yet: sends the cells that its modem hears", "alarm")

    def _new_alarms(self) -> list[tuple[int, str, int]]:
        """Time (ms), cause and level of the tracker's alarms that were not told yet, in the order of their time.

        Counted by what they say, not by their place: an alarm that was kept on the tracker may come after a later one.
        """
        rows = self._database.rows(
            "SELECT time_ms, cause, level FROM alarms WHERE device_id = ? ORDER BY time_ms, cause, level",
            TRACKER_ID,
        )
        stored = Counter((row["time_ms"], row["cause"], row["level"]) for row in rows)
        new = stored - self._told_alarms
        self._told_alarms = stored
        return sorted(new.elements())

    def _look_for_lost_mode(self) -> None:
        if self._lost:
            return
        row = self._database.row("SELECT state FROM orders WHERE device_id = ?", TAG_ID)
        if row is not None and row["state"] == "done":
            self._lost = True
            self._timeline.say("tag", "obeys: lost mode, says so in every beacon", "order")

    def _count(self, table: str) -> int:
        """How much came in of the tracker since the theft."""
        since_ms = self._timeline.record.stolen_unix_ms
        row = self._database.row(
            f"SELECT count(*) AS n FROM {table} WHERE device_id = ? AND time_ms >= ?", TRACKER_ID, since_ms
        )
        return 0 if row is None else row["n"]
