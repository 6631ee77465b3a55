"""The air between all radios of a world: path loss, noise, collisions with capture, half duplex.

Large-scale loss is log-distance with log-normal shadowing: a normal deviate per pair of 50 m squares, drawn
from the seed, the same in both directions. A frame costs two events however many radios listen: one where a
receiver may lock on to its preamble, one at its end. A listening radio costs nothing.

Frames of several stations with the same bits at the same time disturb each other like any others: their clocks are
not one clock. Not modelled: fading within a frame, Doppler, terrain, adjacent-channel leakage.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from groundnet.sim.antenna import Antenna, Frame, Position, Reception
from groundnet.sim.modulation import Burst, Modulation, noise_floor_dbm
from groundnet.sim.world import World

SHADOW_SQUARE_M = 50.0
DETECTION_MARGIN_DB = -2.5  # a preamble is found a little below the level where frames get through
LOSS_STEEPNESS_PER_DB = 4.6  # 1 % of frames lost at the required SNR, half of them 1 dB below


@dataclass
class Medium:
    """All antennas and all frames on the air.

    Args:
        world: clock and seed.
        exponent: of the distance; 2 in free space, 3.4 from a bike to a roof in a small town.
        shadowing_db: standard deviation.
        patterns: by a radio's name, the loss of a path that leaves it in a direction (degrees clockwise from north).
    """

    world: World
    exponent: float = 3.4
    shadowing_db: float = 6.0
    antennas: list[Antenna] = field(default_factory=list)
    sniffers: list[Callable[[Frame], None]] = field(default_factory=list)
    extra_loss_db: dict[frozenset[str], float] = field(default_factory=dict)
    fixed_loss_db: dict[frozenset[str], float] = field(default_factory=dict)
    patterns: dict[str, Callable[[float], float]] = field(default_factory=dict)
    frame_count: int = 0

    def __post_init__(self) -> None:
        self._frames: list[Frame] = []
        self._shadow_db: dict[tuple[object, ...], float] = {}

    # --- set-up and probes

    def attach(
        self,
        name: str,
        position: Callable[[int], Position],
        on_receive: Callable[[Reception], None],
        on_lock: Callable[[Frame], None] = lambda frame: None,
        gain_db: float = 0.0,
    ) -> Antenna:
        """Join the medium. ``position(time_us)`` gives metres east and north."""
        antenna = Antenna(name, position, gain_db, on_receive, on_lock)
        self.antennas.append(antenna)
        return antenna

    def set_loss(self, first: str, second: str, loss_db: float | None) -> None:
        """An attenuator instead of the air between two radios; None takes it out."""
        self.fixed_loss_db.pop(frozenset((first, second)), None)
        if loss_db is not None:
            self.fixed_loss_db[frozenset((first, second))] = loss_db

    def add_loss(self, first: str, second: str, loss_db: float) -> None:
        """Something in the way, in addition to the path: a cellar, a steel shed."""
        self.extra_loss_db[frozenset((first, second))] = loss_db

    def sniff(self, sniffer: Callable[[Frame], None]) -> None:
        """Call ``sniffer(frame)`` at the end of every frame, also of aborted ones."""
        self.sniffers.append(sniffer)

    # --- levels

    def path_loss_db(self, sender: Antenna, receiver: Antenna, frequency_hz: int) -> float:
        """Loss between two radios now, in either direction."""
        pair = frozenset((sender.name, receiver.name))
        if pair in self.fixed_loss_db:
            return self.fixed_loss_db[pair]
        places = {antenna.name: antenna.position(self.world.now_us) for antenna in (sender, receiver)}
        (x1, y1), (x2, y2) = places[sender.name], places[receiver.name]
        distance_m = max(math.hypot(x2 - x1, y2 - y1), 1.0)
        first_metre_db = 20 * math.log10(frequency_hz / 1e6) - 27.55  # free space, 1 m
        loss_db = first_metre_db + 10 * self.exponent * math.log10(distance_m)
        there_deg = math.degrees(math.atan2(x2 - x1, y2 - y1))
        for name, bearing_deg in ((sender.name, there_deg), (receiver.name, there_deg + 180)):
            if name in self.patterns:
                loss_db += self.patterns[name](bearing_deg)
        return loss_db + self._shadowing(places) + self.extra_loss_db.get(pair, 0.0)

    def level_dbm(self, frame: Frame, receiver: Antenna) -> float:
        """Power of a frame at a receiver."""
        loss_db = self.path_loss_db(frame.sender, receiver, frame.modulation.frequency_hz)
        return frame.power_dbm + frame.sender.gain_db + receiver.gain_db - loss_db

    def channel_dbm(self, receiver: Antenna, modulation: Modulation, noise_figure_db: float) -> float:
        """What a receiver measures in its channel at this instant."""
        now_us = self.world.now_us
        milliwatts = _milliwatts(noise_floor_dbm(modulation.bandwidth_hz, noise_figure_db))
        for frame in self._frames:
            on_air = frame.start_us <= now_us < frame.end_us and frame.sender is not receiver
            if on_air and _in_channel(frame.modulation, modulation):
                milliwatts += _milliwatts(self._in_channel_dbm(frame, modulation, receiver))
        return 10 * math.log10(milliwatts)

    def activity(
        self, receiver: Antenna, modulation: Modulation, noise_figure_db: float, since_us: int
    ) -> bool:
        """True when a frame that ``modulation`` would hear was on the air since ``since_us``."""
        noise_dbm = noise_floor_dbm(modulation.bandwidth_hz, noise_figure_db)
        return any(
            frame.sender is not receiver
            and frame.start_us < self.world.now_us
            and frame.end_us > since_us
            and modulation.hears(frame.modulation)
            and self.level_dbm(frame, receiver) - noise_dbm >= modulation.required_snr_db
            for frame in self._frames
        )

    # --- frames

    def transmit(
        self, sender: Antenna, payload: bytes, modulation: Modulation, power_dbm: float, airtime_us: int
    ) -> Frame:
        """Put a frame on the air now."""
        now_us = self.world.now_us
        self._frames = [frame for frame in self._frames if self._still_matters(frame)]
        frame = Frame(self.frame_count, sender, payload, modulation, power_dbm, now_us, now_us + airtime_us)
        self.frame_count += 1
        self._frames.append(frame)
        self.world.at(frame.lock_at_us, lambda: self._lock(frame))
        frame.end_event = self.world.at(frame.end_us, lambda: self._end(frame))
        return frame

    def abort(self, frame: Frame) -> None:
        """The sender stops in the middle; nobody receives the frame."""
        if frame.end_event is not None:
            frame.end_event.cancel()
        frame.aborted = True
        frame.end_us = self.world.now_us
        self._end(frame)

    def header_valid(self, receiver: Antenna) -> bool:
        """True when the receiver is past the header of a frame that it can read so far."""
        frame = receiver.locked
        if frame is None or self.world.now_us < frame.header_end_us:
            return False
        return self._margin_db(frame, receiver, frame.header_end_us) >= 0

    def _still_matters(self, frame: Frame) -> bool:
        """Frames on the air, those that overlap one of them, and those of the last second."""
        oldest_us = min(
            (other.start_us for other in self._frames if other.end_us > self.world.now_us),
            default=self.world.now_us,
        )
        return frame.end_us >= oldest_us - 1_000_000

    def _lock(self, frame: Frame) -> None:
        if frame.aborted:
            return
        latest_us = frame.lock_at_us - round(frame.modulation.lock_us)
        for antenna in self.antennas:
            if antenna is frame.sender or antenna.listening is None or antenna.locked is not None:
                continue
            if max(antenna.listening_since_us, antenna.free_since_us) > latest_us:
                continue
            if not antenna.listening.hears(frame.modulation):
                continue
            if not self._catches(frame, antenna):
                continue
            snr_margin_db = self._snr_db(frame, antenna) - frame.modulation.required_snr_db
            clear_db = self._clearance_db(frame, antenna, frame.lock_at_us)
            if snr_margin_db >= DETECTION_MARGIN_DB and clear_db >= 0:
                antenna.locked = frame
                antenna.on_lock(frame)

    def _catches(self, frame: Frame, antenna: Antenna) -> bool:
        """Whether a receiver that sleeps in turns is awake for enough of the preamble, and long enough behind it."""
        turns = antenna.turns
        if turns is None:
            return True
        since_us = max(antenna.listening_since_us, antenna.free_since_us)
        needed_us = round(frame.modulation.lock_us)
        caught_us = turns.caught_us(since_us, frame.start_us, frame.lock_at_us, needed_us)
        return caught_us is not None and frame.header_end_us <= caught_us + turns.patience_us

    def _end(self, frame: Frame) -> None:
        for sniffer in self.sniffers:
            sniffer(frame)
        for antenna in self.antennas:
            if antenna.locked is frame:
                antenna.locked = None
                antenna.free_since_us = self.world.now_us
                antenna.on_receive(self._receive(frame, antenna))

    def _receive(self, frame: Frame, receiver: Antenna) -> Reception:
        random = self.world.random(f"radio/{frame.number}/{receiver.name}")
        snr_db = self._snr_db(frame, receiver)
        signal_dbm = self.level_dbm(frame, receiver)
        margin_db = snr_db - frame.modulation.required_snr_db
        lost_to_noise = random.random() < 1 / (1 + math.exp(LOSS_STEEPNESS_PER_DB * (margin_db + 1)))
        collided = self._clearance_db(frame, receiver, frame.end_us) < 0
        intact = not (lost_to_noise or collided or frame.aborted)
        header_intact = self._clearance_db(frame, receiver, frame.header_end_us) >= 0
        header_intact &= margin_db > -2 and not (frame.aborted and frame.end_us < frame.header_end_us)
        payload = frame.payload if intact else _flip_bits(frame.payload, random)
        noise_mw = _milliwatts(signal_dbm - snr_db)
        rssi_dbm = 10 * math.log10(_milliwatts(signal_dbm) + noise_mw)
        return Reception(frame, payload, intact, header_intact, rssi_dbm, signal_dbm, snr_db)

    def _snr_db(self, frame: Frame, receiver: Antenna) -> float:
        bandwidth_hz = (receiver.listening or frame.modulation).bandwidth_hz
        return self.level_dbm(frame, receiver) - noise_floor_dbm(bandwidth_hz, receiver.noise_figure_db)

    def _margin_db(self, frame: Frame, receiver: Antenna, until_us: int) -> float:
        above_noise_db = self._snr_db(frame, receiver) - frame.modulation.required_snr_db
        return min(above_noise_db - DETECTION_MARGIN_DB, self._clearance_db(frame, receiver, until_us))

    def _clearance_db(self, frame: Frame, receiver: Antenna, until_us: int) -> float:
        """How far the worst disturbing frame is from spoiling this one; negative when it does."""
        wanted_dbm = self.level_dbm(frame, receiver)
        clearance_db = math.inf
        for other in self._frames:
            if other is frame or other.start_us >= until_us or other.end_us <= frame.start_us:
                continue
            if other.sender is receiver or not _in_channel(other.modulation, frame.modulation):
                continue
            allowed_db = frame.modulation.rejection_db(other.modulation)
            level_dbm = self._in_channel_dbm(other, frame.modulation, receiver)
            clearance_db = min(clearance_db, wanted_dbm + allowed_db - level_dbm)
        return clearance_db

    def _in_channel_dbm(self, frame: Frame, wanted: Modulation, receiver: Antenna) -> float:
        """The level of a frame at a receiver; of a burst only the part that falls into the channel."""
        level_dbm = self.level_dbm(frame, receiver)
        if isinstance(frame.modulation, Burst):
            shared_hz = _shared_hz(frame.modulation, wanted)
            level_dbm += 10 * math.log10(min(1.0, shared_hz / frame.modulation.bandwidth_hz))
        return level_dbm

    def _shadowing(self, places: dict[str, Position]) -> float:
        if self.shadowing_db == 0:
            return 0.0
        squares = sorted(
            (name, round(x / SHADOW_SQUARE_M), round(y / SHADOW_SQUARE_M)) for name, (x, y) in places.items()
        )
        key = tuple(squares)
        if key not in self._shadow_db:
            self._shadow_db[key] = self.world.random(f"shadow/{key}").gauss(0, self.shadowing_db)
        return self._shadow_db[key]


def _in_channel(other: Modulation, wanted: Modulation) -> bool:
    """True when the two occupy common spectrum."""
    return _shared_hz(other, wanted) > 0


def _shared_hz(other: Modulation, wanted: Modulation) -> float:
    """How much spectrum two signals share, negative when there is a gap between them."""
    apart_hz = abs(other.frequency_hz - wanted.frequency_hz)
    common_hz = (other.bandwidth_hz + wanted.bandwidth_hz) / 2 - apart_hz
    return min(common_hz, other.bandwidth_hz, wanted.bandwidth_hz)


def _flip_bits(payload: bytes, random: Random) -> bytes:
    damaged = bytearray(payload)
    bits = 8 * len(payload)
    for bit in random.sample(range(bits), random.randint(1, max(1, bits // 4)) if bits else 0):
        damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def _milliwatts(dbm: float) -> float:
    return 10 ** (dbm / 10)
