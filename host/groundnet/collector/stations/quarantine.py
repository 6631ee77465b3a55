"""Which station is kept out for a while, and why: the rules with their numbers. No store, no clock.

Only what a station says in its own proved session counts against it (`station_watch.py`): nobody can bring another's
station into quarantine. A well-made station that is refused waits, keeps its sightings in flash and delivers them
when it is let in again, so every hold is shorter than what its flash holds.
"""

from typing import NamedTuple

from groundnet.errors import Text

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS

# What one radio can hear, a second: beacons of the least size (15 bytes) without a pause, by its region's airtime.
LORA_PER_S, GFSK_PER_S, LORA_500_PER_S = 6.1, 208.4, 24.3
BLE_PER_S = 100.0  # advertisements: two thousand tags in reach of one station, one each 20 s
HEARS_PER_S = {
    "eu868": LORA_PER_S + GFSK_PER_S,  # a station may serve both kinds, with two radios at once
    "eu868-gfsk": LORA_PER_S + GFSK_PER_S,
    "cn470": LORA_PER_S + GFSK_PER_S,
    "cn470-gfsk": LORA_PER_S + GFSK_PER_S,
    "cn433": LORA_PER_S,
    "us915": LORA_500_PER_S,
}
# Of a station that has not said its region yet.
MOST_PER_S = LORA_PER_S + GFSK_PER_S + BLE_PER_S
# 20,640 in a full ring in flash and 256 in memory come at once after a long silence; an update has fewer pieces.
BURST = 21_000
# Frames without sightings: health each 30 s, receipts, looks for updates.
OTHER_PER_S = 2.0

WRONG_CLOCK_MS = 5 * MINUTE_MS  # a station learns the time with every reply, and a crystal drifts 5 s a day
# Words of health with a wrong clock in a row: ten minutes, each answered with the right time.
TOLD_TIMES = 20
# An older connection of a station speaks after a newer one: firmware has one at a time, and never goes back.
TURNS, TURNS_WITHIN_MS = 3, 10 * MINUTE_MS
JUDGED_MS = HOUR_MS  # false beacons are judged by the hour
# Noise makes one right MAC of 6 bytes in 3e14, so each wrong one is made or spoilt; half is no accident.
FORGED_LEAST, FORGED_SHARE = 200, 0.5
# Above what 2,000 parked LoRa tags of a neighbour's county say in an hour.
UNKNOWN_LEAST, UNKNOWN_SHARE = 5_000, 0.98
# Beacons within an hour, of more than one tag: where one tag was copied, no station is to blame.
SUSPECT_LEAST, SUSPECT_DEVICES = 10, 2

FIRST_HOLD_MS = 10 * MINUTE_MS
HOLD_GROWS = 3
# The ring in flash holds so much at one sighting a second; what is delivered within seven days counts.
LONGEST_HOLD_MS = 6 * HOUR_MS
FORGOTTEN_MS = 7 * 24 * HOUR_MS  # after so long without a new one, the next hold is as short as the first
ASK_AGAIN_MS = 15 * MINUTE_MS  # the longest wait that is told: a release by hand takes effect within it


class Rule(NamedTuple):
    """Why a station is held: ``name`` in the store and in --json, ``reason`` for people, what they can ``do``."""

    name: str
    reason: Text
    do: Text


FLOOD, CLOCK, COPY, TWICE = "flood", "wrong_clock", "starts_went_back", "connected_twice"
CONTRADICTS, FORGED, UNKNOWN, BY_HAND = "contradicts", "forged_beacons", "unknown_beacons", "by_hand"
RULES = {
    rule.name: rule
    for rule in (
        Rule(
            FLOOD,
            Text("tells more than its radio can hear", "上报数量超过其无线电所能接收"),
            Text("look who has its secret; provision it anew", "检查密钥是否泄露；重新登记"),
        ),
        Rule(
            CLOCK,
            Text("its clock stays wrong though it is told the time", "反复校时后时钟仍错误"),
            Text("look at its GNSS receiver and its clock", "检查其卫星接收机和时钟"),
        ),
        Rule(
            COPY,
            Text("its starts went back: flashed anew, or a copy", "启动次数倒退：重新刷写，或被复制"),
            Text(
                "if you flashed it anew: `groundnet stations quarantine release ID`; else provision it anew",
                "若刚重新刷写：`groundnet stations quarantine release ID`；否则重新登记",
            ),
        ),
        Rule(
            TWICE,
            Text("is connected twice at once: a copy", "同时有两个连接：被复制"),
            Text(
                "find the second device; provision the true one anew", "找出另一台设备；为真正的基站重新登记"
            ),
        ),
        Rule(
            CONTRADICTS,
            Text("hears tags where others say that they are not", "其目击与其他基站矛盾"),
            Text("compare its place with the map; look for a repeater", "核对其位置；查找转发设备"),
        ),
        Rule(
            FORGED,
            Text("its beacons are mostly forged", "其上报的信标多为伪造"),
            Text("look for a transmitter near it, or who has its secret", "查找附近的发射机，或密钥是否泄露"),
        ),
        Rule(
            UNKNOWN,
            Text("its beacons are nearly all of nobody", "其上报的信标几乎都不属于任何设备"),
            Text(
                "ask whose tags it hears; release it if they are a neighbour's",
                "询问标签归属；若属邻县则解除",
            ),
        ),
        Rule(
            BY_HAND,
            Text("held by hand", "人工隔离"),
            Text("release it when it is seen to", "处理完毕后解除"),
        ),
    )
}


def hold_ms(times: int) -> int:
    """How long a station is held for the ``times``-th time, from 1 on, ms."""
    return min(FIRST_HOLD_MS * HOLD_GROWS ** min(times - 1, 20), LONGEST_HOLD_MS)


class Bucket:
    """Tokens that come with time, up to ``size``, and go with what is done; begins full. Times in ms."""

    def __init__(self, per_s: float, size: float, now_ms: int) -> None:
        self.per_s, self.size = per_s, size
        self._tokens, self._at_ms = size, now_ms

    def take(self, count: float, now_ms: int) -> bool:
        """Take them, or none of them; says whether they were there. A clock that goes back brings nothing."""
        self._tokens = min(self.size, self._tokens + max(0, now_ms - self._at_ms) * self.per_s / 1000)
        self._at_ms = now_ms
        if count > self._tokens:
            return False
        self._tokens -= count
        return True


class Conduct:
    """What one station did lately. Each question is answered with the rule that is broken by it, or None."""

    def __init__(self, now_ms: int) -> None:
        self._sightings = Bucket(MOST_PER_S, BURST, now_ms)
        self._others = Bucket(OTHER_PER_S, BURST, now_ms)  # an update is fetched in thousands of pieces
        self._wrong_clock = 0
        self.clock_off_ms: int | None = None  # its clock less ours, while it is wrong
        self._newest_line = self._last_line = 0
        self._turns: list[int] = []
        self._hour_ms = now_ms
        self._heard = self._forged = self._unknown = 0

    def region(self, name: str) -> None:
        """What it says that it listens to."""
        self._sightings.per_s = HEARS_PER_S.get(name, MOST_PER_S - BLE_PER_S) + BLE_PER_S

    def told(self, sightings: int, now_ms: int) -> str | None:
        """A frame with so many sightings (0: another kind)."""
        bucket = self._sightings if sightings else self._others
        if now_ms - self._hour_ms >= JUDGED_MS:
            self._hour_ms = now_ms
            self._heard = self._forged = self._unknown = 0
        self._heard += sightings
        return None if bucket.take(sightings or 1, now_ms) else FLOOD

    def clock(self, off_ms: int) -> str | None:
        """Its clock less ours, as health says it."""
        if abs(off_ms) <= WRONG_CLOCK_MS:
            self._wrong_clock, self.clock_off_ms = 0, None
            return None
        self._wrong_clock += 1
        self.clock_off_ms = off_ms
        return CLOCK if self._wrong_clock > TOLD_TIMES else None

    def spoke(self, line: int, now_ms: int) -> str | None:
        """On a connection; ``line`` rises with each that it proves itself on."""
        if line == self._last_line:
            return None
        if line < self._newest_line:
            self._turns = [at for at in self._turns if now_ms - at <= TURNS_WITHIN_MS] + [now_ms]
        self._newest_line, self._last_line = max(line, self._newest_line), line
        return TWICE if len(self._turns) >= TURNS else None

    def misheard(self, reason: str, count: int) -> str | None:
        """So many of its beacons were refused: ``mac`` (forged) or ``unknown_eid``."""
        if reason == "mac":
            self._forged += count
        elif reason == "unknown_eid":
            self._unknown += count
        if self._forged >= max(FORGED_LEAST, FORGED_SHARE * self._heard):
            return FORGED
        return UNKNOWN if self._unknown >= max(UNKNOWN_LEAST, UNKNOWN_SHARE * self._heard) else None
