"""The receiver's app part: it is never left on."""

from types import SimpleNamespace

import pytest
from drivers.test_l76k import RESET, WAKEUP, Receiver
from drivers.test_radio_plan import Loop, apps  # noqa: F401 - a fixture

ACTIVE = ("acquiring", "tracking")


@pytest.fixture
def rig(apps, bench, monkeypatch):  # noqa: F811
    """The part on the receiver's model, with WAKEUP cut: only the timed standby holds it."""
    made = Receiver(bench)
    module = apps("apps.gnss")
    monkeypatch.setattr(module, "time", bench.clock)
    wires = {WAKEUP: lambda level=None: None, RESET: bench.pin(RESET, 1)}
    hardware = SimpleNamespace(
        part=lambda name: {"uart": 1, "wakeup": WAKEUP, "reset": RESET},
        uart=lambda number: bench.uart(1),
        output=lambda gpio, level: wires[gpio],
    )
    part = module.Gnss(Loop(bench), hardware)
    return SimpleNamespace(part=part, chip=made.chip, bench=bench, loop=part._loop)


def seconds(rig, duration_s):
    for _ in range(duration_s * 5):
        rig.part.poll()
        rig.bench.clock.sleep_ms(200)


def active_uas(rig):
    return sum(uas for (_, state), uas in rig.bench.power.charge_uas().items() if state in ACTIVE)


def test_one_that_runs_again_by_itself_is_put_to_rest_again(rig):
    rig.part.run()
    seconds(rig, 20)
    rig.part.rest()
    seconds(rig, 1)
    assert rig.chip.state == "standby"
    rig.chip._start()  # as after 65535 s, or after a pulse on its supply
    rig.loop.posted.clear()
    before = active_uas(rig)
    seconds(rig, 3600)
    assert rig.chip.state == "standby" and rig.loop.posted == [], "and the core hears nothing of it"
    assert (active_uas(rig) - before) / 3600 < 100, "uA in the mean"


def test_the_last_words_after_a_rest_are_no_reason_to_command_again(rig):
    rig.part.run()
    seconds(rig, 20)
    written = []
    rig.part._receiver.write = written.append
    rig.part.rest()
    seconds(rig, 1)
    assert len(written) == 1
