"""The radio of a station that hears LoRa and GFSK: one in turns, or two side by side."""

import time

from apps.radio import Radio
from apps.run_loop import Part
from drivers import sx1262_turns
from groundcore import events, listening, region


class TurningRadio(Radio):
    """One chip that listens to one channel after the other.

    Args:
        turns: of groundcore.listening; RADIO_LISTEN without a window takes them up where they were left.
        plans: what it may transmit on.
    """

    def __init__(self, loop, hardware, turns: tuple, plans: tuple, **options):
        super().__init__(loop, hardware, plan=plans[0], **options)
        self._plans = plans
        self._turns = turns
        self._turn = turns[0]
        self._turn_end_ticks = time.ticks_ms()
        self._waits = 0  # so often this turn has waited for a frame

    def listen(self, channel, window_ms: int) -> None:
        super().listen(channel if window_ms else self._turn.channel, window_ms)
        self._turn_end_ticks = time.ticks_add(time.ticks_ms(), self._turn.dwell_ms)
        self._waits = 0

    def poll(self) -> None:
        super().poll()
        if not self.listening or time.ticks_diff(self._turn_end_ticks, time.ticks_ms()) > 0:
            return
        if self._waits < 2 and sx1262_turns.frame_begun(self._chip):
            self._waits += 1
            self._turn_end_ticks = time.ticks_add(time.ticks_ms(), self._turn.frame_ms)
            return
        self._turn = self._turns[(self._turn.number + 1) % len(self._turns)]
        self.listen(None, 0)

    def due_ms(self) -> int | None:
        if self.listening:
            return max(0, time.ticks_diff(self._turn_end_ticks, time.ticks_ms()))
        return super().due_ms()

    def receive(self, window_ms: int) -> None:
        if window_ms:
            super().receive(window_ms)
        else:
            sx1262_turns.receive(self._chip)

    @property
    def number(self) -> int:
        return self._turn.number

    def permits(self, channel) -> bool:
        return any(region.permits(plan, channel) for plan in self._plans)


class RadioPair(Part):
    """Two chips: each hears the beacon channel of one plan and answers on its downlink channel.

    Args:
        make: (name of the part, number and plan) -> Radio.
        plans: of the two.
    """

    actions = (
        (events.RADIO_SEND, "send"),
        (events.RADIO_LISTEN, "listen"),
        (events.RADIO_SLEEP, "sleep"),
    )
    errors = Radio.errors

    def __init__(self, make, plans: tuple):
        self._plans = plans
        self._radios = [make(name, number, plans[number]) for number, name in enumerate(("radio", "radio2"))]

    def send(self, data: bytes, channel, delay_ms: int) -> None:
        self._radio_of(channel).send(data, channel, delay_ms)

    def listen(self, channel, window_ms: int) -> None:
        if window_ms:
            self._radio_of(channel).listen(channel, window_ms)
            return
        for number, radio in enumerate(self._radios):  # what the other one is hearing goes on
            if not radio.listening:
                radio.listen(self._plans[number].beacon, 0)

    def sleep(self) -> None:
        for radio in self._radios:
            radio.sleep()

    def poll(self) -> None:
        for radio in self._radios:
            radio.poll()

    def due_ms(self) -> int | None:
        due = [due_ms for due_ms in [radio.due_ms() for radio in self._radios] if due_ms is not None]
        return min(due) if due else None

    def busy(self) -> bool:
        return any(radio.busy() for radio in self._radios)

    def level_dbm(self) -> int | None:
        """Of the station's own plan."""
        return self._radios[0].level_dbm()

    def failed(self, action: int) -> None:
        for radio in self._radios:
            radio.failed(action)

    def test(self) -> tuple:
        """The first that fails, else the first."""
        results = [radio.test() for radio in self._radios]
        return results[0] if not results[0][0] or results[1][0] else results[1]

    def _radio_of(self, channel):
        for number, plan in enumerate(self._plans):
            if region.permits(plan, channel):
                return self._radios[number]
        return self._radios[0]  # which refuses it


def make(loop, hardware, served: tuple):
    """The radio part of a station that serves two plans."""
    if hardware.part("radio2") is None:
        return TurningRadio(loop, hardware, listening.turns(served), served, boosted_gain=True)

    def one(name: str, number: int, plan) -> Radio:
        return Radio(loop, hardware, boosted_gain=True, plan=plan, name=name, number=number)

    return RadioPair(one, served)
