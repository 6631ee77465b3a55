"""Finding out where the device is: the GNSS receiver while it is worth it, cells when there is no sky."""

from groundwire.constant import const

from groundcore import events
from groundcore.position import Anchor, Locator

_SESSION_MS = const(180000)  # how long the receiver stays on after it was last wanted
_NO_SKY_MS = const(25000)  # without a fix for so long: ask the modem for cells
_CELLS_EVERY_MS = const(30000)
_SETTLE_MS = const(6000)  # after the first believed fix: by then the best is good enough
_NAP_LEAD_MS = const(20000)  # before a position is due: 6 s to a fix out of standby, then the best of five
_NAP_LEAST_MS = const(30000)  # a shorter standby saves nothing
_SEARCH_MS = const(60000)  # without a fix for so long under no sky: rest until the next position is due
_CELLS_MAX = const(6)
_AWAY_FIXES = const(3)

_CELLS_LAST_MS = const(600000)  # by then a thief is 10 km away: no cell reaches so far


class Whereabouts:
    """Position of one tracker."""

    def __init__(self):
        self.locator = Locator()
        self.anchor = Anchor()
        self._cells = ()  # what the modem saw last, the serving cell first
        self._cells_ms = 0
        self._cells_retold = False
        self.on = False
        self.awaited = False  # somebody waits for a position: the alarm, an order
        self._until_ms = 0
        self._first_ms = None  # when the first fix of this session was believed
        self._fresh_ms = 0  # of the last fix, or of switching on
        self._asked_ms = None
        self._nap_until_ms = None  # in standby between two positions until then
        self._away = 0

    def want(self, now_ms: int, actions: list):
        """Positions are wanted for the next three minutes."""
        self._until_ms = now_ms + _SESSION_MS
        if not self.on:
            self.on = True
            self._start(now_ms, actions)

    def locate(self, now_ms: int, actions: list):
        """Somebody waits for a position."""
        self.awaited = True
        self.want(now_ms, actions)
        if self._nap_until_ms is not None:
            self._start(now_ms, actions)

    def enough(self, now_ms: int):
        """Nobody wants a position any more: off at the next check."""
        self._until_ms = now_ms

    def rest(self, due_ms: int, now_ms: int, actions: list):
        """The next position is due then: standby until shortly before, when there was a fix or is no sky."""
        searching = self._first_ms is None and now_ms - self._fresh_ms < _SEARCH_MS
        until_ms = due_ms - _NAP_LEAD_MS
        if not self.on or self.awaited or searching or until_ms - now_ms < _NAP_LEAST_MS:
            return
        if self._nap_until_ms is None:
            actions.append((events.GNSS_STANDBY,))
        self._nap_until_ms = until_ms

    def _start(self, now_ms, actions):
        self._nap_until_ms = None
        self._first_ms = None
        self._fresh_ms = now_ms
        self._asked_ms = None
        self.locator.start()
        actions.append((events.GNSS_ON,))

    def feed(self, data, now_ms: int) -> tuple | None:
        """Bytes of the receiver; (unix_s, unix_ms) when there is a new fix."""
        newest = self.locator.feed(data, now_ms)
        if newest is not None:
            self._fresh_ms = now_ms
            if self._first_ms is None:
                self._first_ms = now_ms
        return newest

    def hear_cells(self, cells, now_ms: int):
        """The modem has looked round; nothing seen leaves what was seen before."""
        if cells:
            self._cells = cells
            self._cells_ms = now_ms
            self._cells_retold = False

    def cells(self, now_ms: int):
        """The cells seen last; none once that is too long ago to be a position."""
        return self._cells if now_ms - self._cells_ms < _CELLS_LAST_MS else ()

    def cells_age_s(self, now_ms: int) -> int:
        """How long ago they were seen."""
        return max(0, now_ms - self._cells_ms) // 1000

    def retell_cells(self) -> bool:
        """Whether cells seen before are to be told to somebody who waits for a position: once."""
        if not self.awaited or self._cells_retold:
            return False
        self._cells_retold = True
        return True

    def settled(self, now_ms: int) -> bool:
        """There is a position, and waiting longer would not make it much better."""
        if self._first_ms is None:
            return False
        return self.locator.settled() or now_ms - self._first_ms >= _SETTLE_MS

    def place(self, moving: bool, now_ms: int):
        """The position to tell, or None: the newest while moving, else the anchored one without drift."""
        best = self.locator.best(now_ms)
        if best is None:
            return None
        if moving:
            self.anchor.place = None
            return best
        return self.anchor.hold(best)

    def has_left(self, now_ms: int) -> bool:
        """Whether the device is no longer where it was parked, by several fixes in a row. Ask at each fix."""
        best = self.locator.best(now_ms)
        self._away = self._away + 1 if best is not None and self.anchor.has_left(best) else 0
        return self._away >= _AWAY_FIXES

    def check(self, now_ms: int, actions: list):
        """Switch off when nobody wants it any more; ask for cells when there is no sky."""
        if not self.on:
            return
        if now_ms >= self._until_ms:
            self.on = False
            if self._nap_until_ms is None:
                actions.append((events.GNSS_STANDBY,))
            self._nap_until_ms = None
        elif self._nap_until_ms is not None:
            if now_ms >= self._nap_until_ms:
                self._start(now_ms, actions)
        elif now_ms >= self._cells_due_ms():
            self._asked_ms = now_ms
            actions.append((events.REQUEST_CELLS,))

    def next_deadline(self) -> int | None:
        """When the next TICK is due."""
        if not self.on:
            return None
        return min(self._until_ms, self._nap_until_ms or self._cells_due_ms())

    def _cells_due_ms(self):
        due_ms = self._fresh_ms + _NO_SKY_MS
        return due_ms if self._asked_ms is None else max(due_ms, self._asked_ms + _CELLS_EVERY_MS)


def fix_item(place, now_ms: int) -> dict:
    """A position as reports carry it."""
    return {
        "time_ms": place.utc_s * 1000 + place.utc_ms,
        "lat_e7": place.lat_e7,
        "lon_e7": place.lon_e7,
        "accuracy_m": min(place.accuracy_m, 65534),
        "age_s": min(max(0, now_ms - place.taken_ms) // 1000, 65534),
        "speed_cmps": None if place.speed_mm_s is None else min(place.speed_mm_s // 10, 65534),
        "course_cdeg": None if place.course_cdeg is None else place.course_cdeg % 36000,
        "altitude_m": None,
        "satellites": min(place.sats, 254),
        "hdop_c": place.hdop_c,
        "source": "gnss",
    }


def cell_items(cells, age_s: int) -> list:
    """Cells as reports carry them; the collector knows where they are and how far they reach."""
    items = []
    for index, (mcc, mnc, area, cell, signal_dbm, radio) in enumerate(cells[:_CELLS_MAX]):
        items.append(
            {
                "radio": radio,
                "mcc": mcc,
                "mnc": mnc,
                "area": area,
                "cell": cell,
                "signal_dbm": None if signal_dbm is None else max(-200, min(signal_dbm, 0)),
                "serving": 1 if index == 0 else 0,
                "age_s": age_s,
            }
        )
    return items
