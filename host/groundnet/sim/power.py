"""Power account: charge per part and state, integrated over virtual time."""

from groundnet.sim.world import World


class PowerAccount:
    """Integrates the current of every part of one board.

    Currents are microamperes, charge is microampere-seconds (1 mAh = 3.6e6 uA s).
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._state: dict[str, tuple[str, float, int]] = {}
        self._charge_uas: dict[tuple[str, str], float] = {}
        self.share = 1.0  # of the usual currents: boards differ

    def set_state(self, part: str, state: str, current_ua: float) -> None:
        """From now on ``part`` is in ``state`` and draws ``current_ua``."""
        self._settle(part)
        self._state[part] = (state, current_ua, self._world.now_us)

    def cut(self) -> None:
        """The supply is gone: nothing draws current before a part is put into a state again."""
        for part in list(self._state):
            self.set_state(part, "off", 0.0)

    def charge_uas(self) -> dict[tuple[str, str], float]:
        """Charge drawn so far, keyed by (part, state)."""
        for part in list(self._state):
            self._settle(part)
        return dict(self._charge_uas)

    def total_mah(self) -> float:
        """Charge of all parts and states so far, milliampere-hours."""
        return sum(self.charge_uas().values()) / 3.6e6

    def current_ua(self) -> float:
        """Current drawn at this instant by all parts."""
        return self.share * sum(current_ua for _, current_ua, _ in self._state.values())

    def _settle(self, part: str) -> None:
        if part not in self._state:
            return
        state, current_ua, since_us = self._state[part]
        elapsed_s = (self._world.now_us - since_us) / 1e6
        key = (part, state)
        self._charge_uas[key] = self._charge_uas.get(key, 0.0) + self.share * current_ua * elapsed_s
        self._state[part] = (state, current_ua, self._world.now_us)
