"""The radio of the modem: search, registration, what it reports about them, and cell information.

It is LTE only; cells of other kinds are not heard. Its SIM is at home in every network.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from groundnet.sim.cells import Cell, Cells
from groundnet.sim.chips.air780e_currents import IDLE, SEARCHING, Currents
from groundnet.sim.chips.air780e_dialect import (
    NO_NETWORK,
    NOT_ALLOWED,
    OK,
    Handler,
    Refused,
    Reply,
    integer,
)
from groundnet.sim.world import US_PER_S, Event, World

NOT_SEARCHING, HOME, SEARCHING_STAT, DENIED = 0, 1, 2, 3  # TS 27.007 10.1.22
_E_UTRAN = 7
_FIRST_SEARCH_S = (2.5, 8.0)  # RDY to registered: 2.3 s on the last used channel, more after a move
_SEARCH_AGAIN_S = (5.0, 15.0)  # one pass over the bands
_OBSERVE_US = 5 * US_PER_S
_ATTACH_US = 60_000  # transmitter on, during registration or tracking area update
_MEASURE_US = 120_000  # AT+CCED
_RSRP_OFFSET_DB = 141  # index = dBm + 141, TS 36.133 9.1.4
_RSSI_ABOVE_RSRP_DB = 25  # 10 MHz carrier, typical load
_NEIGHBOURS_MAX = 6
_SRXLEV_OFFSET = 17  # cell selection threshold -124 dBm, as in the manual's examples
_CHANNELS = (1300, 1650, 3590, 38400, 38950, 40936)
_QUARTERS = "+32"  # China: quarters of an hour from UTC


class Radio:
    """One radio.

    Args:
        world: clock.
        random: its search times.
        cells: what can be heard.
        currents: told about every transmission.
        announce: sends an unsolicited line.
        on_lost: the network was lost.
    """

    def __init__(
        self,
        world: World,
        random: Random,
        cells: Cells,
        currents: Currents,
        announce: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._world, self._random, self._cells, self._currents = world, random, cells, currents
        self._announce, self._on_lost = announce, on_lost
        self.blocked = False  # failure mode: no network
        self.denied = False  # failure mode: the network does not want it
        self.sim_inserted = True
        self.sim_locked = False  # failure mode: it wants a PIN
        self.cereg_answers_as_cgreg = False
        self.status = NOT_SEARCHING
        self._serving: Cell | None = None
        self._event: Event | None = None  # the next search or observation
        self.reset()

    def reset(self) -> None:
        """The modem restarts: off, settings as from new."""
        self.stop()
        self._reports = {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}

    def stop(self) -> None:
        """Leave the network and be silent."""
        self.on = False
        self._switch(NOT_SEARCHING)
        if self._event is not None:
            self._event.cancel()

    def start(self) -> None:
        """Begin to search; without SIM there is nothing to search for."""
        self.on = True
        if self.sim_state == "READY" and self.status == NOT_SEARCHING:
            self._switch(SEARCHING_STAT)
            self._currents.rest(SEARCHING)
            self._event = self._after_s(_FIRST_SEARCH_S, self._search)

    @property
    def sim_state(self) -> str | None:
        """As +CPIN names it; None without a SIM."""
        if not self.sim_inserted:
            return None
        return "SIM PIN" if self.sim_locked else "READY"

    @property
    def registered(self) -> bool:
        return self.status == HOME

    @property
    def searching(self) -> bool:
        return self.status == SEARCHING_STAT

    def heard(self) -> list[Cell]:
        """LTE cells at this instant, the serving one first."""
        if self.blocked or self.status == NOT_SEARCHING:
            return []
        return [cell for cell in self._cells.heard(self._world.unix_ms) if cell.radio == "LTE"]

    def reach(self) -> bool:
        """Whether bytes get through now."""
        return self.registered and bool(self.heard())

    # --- search and registration

    def _switch(self, status: int) -> None:
        self.status = status
        self._serving = None

    def _after_s(self, span_s: tuple[float, float], action: Callable[[], None]) -> Event:
        return self._world.after(int(self._random.uniform(*span_s) * US_PER_S), action)

    def _search(self) -> None:
        heard = self.heard()
        if not heard:
            self._event = self._after_s(_SEARCH_AGAIN_S, self._search)
            return
        if self.denied:
            if self.status != DENIED:
                self._switch(DENIED)
                self._report()
            self._event = self._after_s(_SEARCH_AGAIN_S, self._search)
            return
        self._switch(HOME)
        self._serving = heard[0]
        self._currents.rest(IDLE)
        self._currents.transmit(_ATTACH_US)
        for line in (
            "^MODE: 17,17",
            "+E_UTRAN Service",
            "+CGEV: ME PDN ACT 1",
            f"+NITZ: {self.network_time()}",
        ):
            self._announce(line)
        self._report()
        self._event = self._world.after(_OBSERVE_US, self._observe)

    def _observe(self) -> None:
        """Follow the strongest cell, or find that none is left."""
        heard = self.heard()
        before = self._serving
        if not heard or before is None:
            self._switch(SEARCHING_STAT)
            self._currents.rest(SEARCHING)
            self._announce("+CGEV: ME PDN DEACT 1")
            self._report()
            self._on_lost()
            self._event = self._after_s(_SEARCH_AGAIN_S, self._search)
            return
        self._serving = heard[0]
        if (heard[0].area, heard[0].cell) != (before.area, before.cell):
            self._report(moved=True)
        if heard[0].area != before.area:
            self._currents.transmit(_ATTACH_US)
        self._event = self._world.after(_OBSERVE_US, self._observe)

    def network_time(self) -> str:
        """UTC and the zone as the network sends them."""
        utc = datetime.fromtimestamp(self._world.unix_ms / 1000, UTC)
        return f"{utc:%y/%m/%d,%H:%M:%S}{_QUARTERS},0"

    # --- registration reports

    def _report(self, moved: bool = False) -> None:
        """Unsolicited results: level 1 reports the status, level 2 and up the cell too."""
        for name, level in self._reports.items():
            if level > int(moved):
                self._announce(f"{name}: {self._registration(level)}")

    def _registration(self, level: int) -> str:
        if level < 2 or self._serving is None:
            return str(self.status)
        return f'{self.status},"{self._serving.area:04X}","{self._serving.cell:08X}",{_E_UTRAN}'

    def _registration_command(self, name: str) -> Handler:
        def handle(form: str, arguments: list[str]) -> Reply:
            if form == "=":
                self._reports[name] = integer(arguments, 0, 0, 5)
                return OK
            if form != "?":
                raise Refused(NOT_ALLOWED)
            shown = "+CGREG" if name == "+CEREG" and self.cereg_answers_as_cgreg else name
            level = self._reports[name]
            return Reply((f"{shown}: {level},{self._registration(level)}",))

        return handle

    # --- commands

    def commands(self) -> dict[str, Handler]:
        return {
            **{name: self._registration_command(name) for name in self._reports},
            "+CGATT": self._attach,
            "+CSQ": self._signal,
            "+CESQ": self._extended_signal,
            "+CCED": self._cell_information,
            "+COPS": self._operator,
            "+CCLK": self._clock,
        }

    def _attach(self, form: str, arguments: list[str]) -> Reply:
        if form == "?":
            return Reply((f"+CGATT: {int(self.registered)}",))
        if integer(arguments, 0, 0, 1) == 0:
            return Reply(after_us=US_PER_S, then=self._on_lost)
        if not self.registered:
            raise Refused(NO_NETWORK)
        return OK

    def _signal(self, form: str, arguments: list[str]) -> Reply:
        """RSSI in 2 dB steps from -113 dBm; 99,99 when unknown."""
        heard = self.heard()
        if not heard:
            return Reply(("+CSQ: 99,99",))
        index = (heard[0].signal_dbm + _RSSI_ABOVE_RSRP_DB + 113) // 2
        return Reply((f"+CSQ: {max(0, min(31, index))},0",))

    def _extended_signal(self, form: str, arguments: list[str]) -> Reply:
        heard = self.heard()
        quality = f"{_rsrq_index(0)},{_rsrp_index(heard[0])}" if heard else "255,255"
        return Reply((f"+CESQ: 99,99,255,255,{quality}",))

    def _clock(self, form: str, arguments: list[str]) -> Reply:
        """Local time with the zone (TS 27.007 8.15); before the first network the year 2000."""
        local = datetime.fromtimestamp(self._world.unix_ms / 1000 + 900 * int(_QUARTERS), UTC)
        text = f"{local:%y/%m/%d,%H:%M:%S}{_QUARTERS}" if self.registered else "00/01/01,00:00:00+00"
        return Reply((f'+CCLK: "{text}"',))

    def _operator(self, form: str, arguments: list[str]) -> Reply:
        if form != "?" or self._serving is None:
            return Reply(("+COPS: 0",)) if form == "?" else OK
        return Reply((f'+COPS: 0,2,"{self._serving.mcc}{self._serving.mnc:02d}",{_E_UTRAN}',))

    def _cell_information(self, form: str, arguments: list[str]) -> Reply:
        """AT+CCED=0,<1: serving cell, 2: neighbours>; the manual's periodic mode 1 is not modelled."""
        if form != "=" or len(arguments) != 2:
            raise Refused(NOT_ALLOWED)
        integer(arguments, 0, 0, 0)
        dump = integer(arguments, 1, 1, 2)
        heard = self.heard() if self.registered else []
        if dump == 1:
            lines = [_serving_line(cell) for cell in heard[:1]]
        else:
            neighbours = heard[1 : 1 + _NEIGHBOURS_MAX]
            lines = [_neighbour_line(place, cell) for place, cell in enumerate(neighbours, 1)]
        return Reply(tuple(lines), after_us=_MEASURE_US)


def _rsrp_index(cell: Cell) -> int:
    return max(0, min(97, cell.signal_dbm + _RSRP_OFFSET_DB))


def _rsrq_index(place: int) -> int:
    """Weaker cells drown in the stronger ones: from -9 dB down, in half decibels from -19.5 dB."""
    return max(2, 21 - 3 * place)


def _levels(place: int, cell: Cell) -> str:
    """RSRP, RSRQ, TAC, Srxlev and physical cell id."""
    rsrp = _rsrp_index(cell)
    return f"{rsrp},{_rsrq_index(place)},{cell.area},{max(0, rsrp - _SRXLEV_OFFSET)},{cell.cell % 504}"


def _serving_line(cell: Cell) -> str:
    """MCC, MNC, IMSI, roaming flag, band, bandwidth, EARFCN, cell id, then the levels."""
    network = f"{cell.mcc},{cell.mnc:02d},{cell.mcc}{cell.mnc:02d}5926307603"
    channel = _CHANNELS[cell.cell % len(_CHANNELS)]
    return f"+CCED:LTE current cell:{network},0,3,n50,{channel},{cell.cell},{_levels(0, cell)}"


def _neighbour_line(place: int, cell: Cell) -> str:
    """MCC, MNC, EARFCN, cell id, then the levels."""
    channel = _CHANNELS[cell.cell % len(_CHANNELS)]
    return f"+CCED:LTE neighbor cell:{cell.mcc},{cell.mnc:02d},{channel},{cell.cell},{_levels(place, cell)}"
