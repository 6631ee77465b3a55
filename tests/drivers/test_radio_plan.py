"""The radio's app part: whatever a core asks for, nothing leaves the antenna that the region plan does not allow."""

import importlib
import sys
from types import SimpleNamespace

import pytest
from drivers.test_apps import Rig
from drivers.test_sx1262 import make_radio
from groundnet.sim.radio import Medium
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = ("eu868", "eu868-gfsk", "cn470", "cn470-gfsk", "us915")


class Loop:
    """As much of the run loop as the part needs."""

    def __init__(self, bench):
        self.bench, self.posted, self.event_ticks = bench, [], bench.clock.ticks_ms()
        self.clock = SimpleNamespace(now_ms=lambda: bench.world.now_us // 1000)

    def watch(self, stream):
        """A test polls."""

    def post(self, *event):
        self.posted.append(event)


@pytest.fixture
def apps(monkeypatch):
    """The modules that an app needs, imported over a machine of no substance."""
    nothing = SimpleNamespace(ADC=0, I2C=0, SPI=0, UART=0, Pin=0, wake_on_gpio=0)
    for name in ("machine", "esp32"):
        monkeypatch.setitem(sys.modules, name, nothing)
    yield importlib.import_module
    for name in [name for name in sys.modules if name == "apps" or name.startswith("apps.")]:
        del sys.modules[name]


def make_part(apps, bench, monkeypatch, plan_name):
    """(part, loop, region, frames on the air)"""
    radio, region = apps("apps.radio"), apps("groundcore.region")
    medium = Medium(bench.world)
    made = make_radio(bench, medium, "tag", 0.0, first_gpio=10)
    aired = []
    medium.sniff(aired.append)
    monkeypatch.setattr(radio, "time", bench.clock)
    pins = {"cs": 13, "busy": 10, "dio1": 11, "reset": 12}
    entry = {**pins, "spi": 10, "tcxo_mv": 1800, "dio2_rf_switch": True}
    hardware = SimpleNamespace(
        part=lambda name: entry,
        spi=lambda number: bench.spi(10),
        input=lambda gpio: bench.pin(gpio),
        output=lambda gpio, level: bench.pin(gpio, level),
    )
    loop = Loop(bench)
    part = radio.Radio(loop, hardware, plan=region.plan(plan_name))
    return SimpleNamespace(part=part, loop=loop, region=region, aired=aired, chip=made.chip)


def finish(rig, bench):
    for _ in range(400):
        rig.part.poll()
        if not rig.part.busy():
            return
        bench.clock.sleep_ms(5)


CHANGES = st.sampled_from(
    [
        {},
        {},
        {},
        {"frequency_hz": 868000000},
        {"power_dbm": 22},
        {"listen_first": False},
        {"duty_permille": 1000},
        {"spreading_factor": 12},
        {"bandwidth_hz": 250000},
        {"bitrate_bps": 9600},
        {"dwell_ms": 0},
        {"preamble": 500},
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=st.sampled_from(NAMES),
    asked=st.lists(
        st.tuples(st.sampled_from(NAMES), st.booleans(), CHANGES, st.integers(1, 255)), max_size=8
    ),
    seed=st.integers(1, 1000),
)
def test_whatever_a_core_asks_nothing_leaves_the_plan(apps, bench_of_seed, monkeypatch, own, asked, seed):
    bench = bench_of_seed(seed)
    rig = make_part(apps, bench, monkeypatch, own)
    allowed = {channel.frequency_hz: channel for channel in rig.region.plan(own)[:2]}
    for name, down, change, size in asked:
        channel = rig.region.plan(name)[int(down)]._replace(**change)
        before = len(rig.loop.posted)
        rig.loop.event_ticks = bench.clock.ticks_ms()
        rig.part.send(bytes(size), channel, 0)
        finish(rig, bench)
        assert len(rig.loop.posted) == before + 1, "each request has one answer"
    for frame in rig.aired:
        sent = frame.modulation
        channel = next(own for hz, own in allowed.items() if abs(hz - sent.frequency_hz) < 2)
        assert frame.power_dbm <= channel.power_dbm
        assert hasattr(sent, "bitrate_bps") == bool(channel.bitrate_bps)
        duration_us = frame.end_us - frame.start_us
        assert not channel.dwell_ms or duration_us <= channel.dwell_ms * 1000
    assert rig.chip.refusals == []


@pytest.mark.parametrize("name", ["eu868", "eu868-gfsk"])
def test_the_share_of_an_hour_is_kept_although_the_core_keeps_asking(apps, bench, monkeypatch, name):
    rig = make_part(apps, bench, monkeypatch, name)
    channel = rig.region.plan(name).beacon
    for _ in range(400):
        rig.loop.event_ticks = bench.clock.ticks_ms()
        rig.part.send(bytes(255), channel, 0)
        finish(rig, bench)
    on_air_us = sum(frame.end_us - frame.start_us for frame in rig.aired)
    assert on_air_us <= 36_000_000
    if name == "eu868":
        assert on_air_us > 34_000_000 and rig.loop.posted[-1] == (6, 3), "RADIO_FAILED, FAILED_NOT_ALLOWED"


def test_without_a_plan_it_may_listen_but_never_send(apps, bench, monkeypatch):
    rig = make_part(apps, bench, monkeypatch, "atlantis")
    channel = rig.region.plan("eu868").beacon
    rig.part.send(b"x", channel, 0)
    assert rig.loop.posted == [(6, 3)] and rig.aired == []
    rig.part.listen(channel, 0)
    assert rig.chip.mode == "receive"


@pytest.mark.parametrize("name", ["cn470", "cn470-gfsk"])
def test_a_taken_channel_is_left_alone(apps, bench, monkeypatch, name):
    rig = make_part(apps, bench, monkeypatch, name)
    channel = rig.region.plan(name).beacon
    medium = rig.chip._medium
    neighbour = medium.attach("neighbour", lambda time_us: (30.0, 0.0), lambda reception: None)
    rig.part.listen(channel, 0)  # tunes it
    modulation = rig.chip.settings.modulation()
    medium.transmit(neighbour, bytes(200), modulation, 14, modulation.airtime_us(200))
    rig.loop.event_ticks = bench.clock.ticks_ms()
    rig.part.send(b"not now", channel, 5)
    finish(rig, bench)
    assert rig.loop.posted == [(6, 1)], "RADIO_FAILED, FAILED_CHANNEL_BUSY"


def test_a_watch_hands_over_frame_after_frame(apps, bench, monkeypatch):
    rig = make_part(apps, bench, monkeypatch, "eu868")
    channel = rig.region.watch_channel(rig.region.plan("eu868").beacon)
    medium = rig.chip._medium
    fob = medium.attach("fob", lambda time_us: (30.0, 0.0), lambda reception: None)
    rig.part.watch(channel)
    modulation = rig.chip.settings.modulation()
    assert modulation.preamble_symbols == 64 and not rig.part.busy()
    for number in range(3):
        medium.transmit(fob, b"fob %d" % number, modulation, 14, modulation.airtime_us(5))
        for _ in range(200):
            bench.clock.sleep_ms(5)
            rig.part.poll()
    assert [event[1] for event in rig.loop.posted] == [b"fob 0", b"fob 1", b"fob 2"]
    assert rig.chip.mode == "receive in turns"


def heard_of_a_fob(apps, bench, monkeypatch, in_turns):
    """(delays from the end of each beacon until it is handed over, in ms; mean current of the radio in uA)."""
    rig = make_part(apps, bench, monkeypatch, "eu868")
    channel = rig.region.plan("eu868").beacon
    if in_turns:
        rig.part.watch(rig.region.watch_channel(channel))
    else:
        rig.part.listen(channel, 0)
    medium = rig.chip._medium
    fob = medium.attach("fob", lambda time_us: (30.0, 0.0), lambda reception: None)
    modulation = rig.chip.settings.modulation()
    before_uas = radio_uas(bench)
    began_us, delays_ms = bench.world.now_us, []
    for number in range(40):
        bench.world.run_for(5_000_000 + 7_919 * number)  # any phase of the receiver's turns
        sent = len(rig.loop.posted)
        airtime_us = modulation.airtime_us(15)
        medium.transmit(fob, b"b" * 15, modulation, 14, airtime_us)
        bench.world.run_for(airtime_us)
        ended_us = bench.world.now_us
        while len(rig.loop.posted) == sent and bench.world.now_us < ended_us + 3_000_000:
            bench.clock.sleep_ms(1)
            rig.part.poll()
        delays_ms.append((bench.world.now_us - ended_us) / 1000)
    return delays_ms, (radio_uas(bench) - before_uas) / ((bench.world.now_us - began_us) / 1e6)


def radio_uas(bench):
    return sum(uas for (part, _), uas in bench.power.charge_uas().items() if part == "tag")


def test_a_fob_is_heard_at_each_of_its_beacons_for_a_quarter_of_the_current(apps, bench_of_seed, monkeypatch):
    """Who hears every beacon finds a fob within its interval; 3 s more would be the bound, 10 ms it takes."""
    always_ms, always_ua = heard_of_a_fob(apps, bench_of_seed(1), monkeypatch, in_turns=False)
    turns_ms, turns_ua = heard_of_a_fob(apps, bench_of_seed(2), monkeypatch, in_turns=True)
    assert max(always_ms) < 10 and max(turns_ms) < 10
    assert always_ua == pytest.approx(4600, rel=0.02), "before: 110 mAh a day"
    assert turns_ua == pytest.approx(971, rel=0.03), "after: 23 mAh a day"


# --- whole boards on real MicroPython


@pytest.mark.parametrize("name", ["eu868-gfsk", "cn470-gfsk", "cn470"])
def test_a_tag_on_its_board_beacons_in_the_modulation_of_its_plan(name):
    rig = Rig("tag", changed={"region": name})
    frames = []
    rig.place.medium.sniff(frames.append)
    rig.run(300)
    rig.device.power_off()
    assert {type(frame.modulation).__name__ for frame in frames} == {"Gfsk" if "gfsk" in name else "Lora"}
    assert len(frames) == (3 if "gfsk" in name else 1), "after two minutes each, or half an hour"
    assert all(frame.end_us - frame.start_us < (8_000 if "gfsk" in name else 250_000) for frame in frames)
