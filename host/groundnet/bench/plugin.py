"""pytest plugin: devices with their stimuli and probes, on virtual boards or on a rig.

    pytest                          virtual boards
    pytest --bench rig.toml         the boards of a rig; what it lacks skips a test with its name

Fixtures: ``bench``; ``tag``, ``tracker``, ``base``, ``finder``: one device each, fitted for its usual profile and
powered; ``headquarters``: the collector; ``faults``: what goes wrong on virtual boards.

Markers: ``fitted(role, **how)`` changes how a device is fitted (profile, board, at, settings by name);
``bad_days(count)`` runs a test once on a good day and on that many bad ones, each with a seed of its own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from groundnet.bench.faults import Faults
    from groundnet.bench.headquarters import Headquarters
    from groundnet.bench.interface import Bench, Device

ROLES = ("tag", "tracker", "base", "finder")
GOOD_DAY = 0


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("groundnet", "groundnet bench")
    group.addoption(
        "--bench", default="sim", metavar="sim|RIG.toml", help="virtual boards, or those of a rig"
    )
    group.addoption("--bench-seed", type=int, default=1, help="seed of the virtual bench (default: 1)")
    group.addoption("--bench-record", metavar="FILE", help="write every exchange with the rig to FILE")
    group.addoption("--bench-replay", metavar="FILE", help="answer for the rig from FILE, and compare")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fitted(role, **how): how the device of a fixture is fitted")
    config.addinivalue_line("markers", "bad_days(count): also on that many days on which things go wrong")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench_day" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("bad_days")
        days = range(GOOD_DAY, 1 + (marker.args[0] if marker else 0))
        metafunc.parametrize("bench_day", days, ids=lambda day: f"bad day {day}" if day else "good day")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """What a bench lacks skips the test with its name."""
    from groundnet.bench.interface import Lacking

    try:
        return (yield)
    except Lacking as lacking:
        pytest.skip(str(lacking))


@pytest.fixture
def bench(request: pytest.FixtureRequest, bench_day: int) -> "Iterator[Bench]":
    """The bench that the command line named, with no device on it yet."""
    from groundnet.bench.choice import open_bench

    config = request.config
    opened = open_bench(
        str(config.getoption("--bench")),
        int(str(config.getoption("--bench-seed"))) + 1000 * bench_day,
        config.getoption("--bench-record") or None,
        config.getoption("--bench-replay") or None,
    )
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def headquarters(bench: "Bench") -> "Headquarters":
    """The collector to which all devices of the bench report."""
    return bench.headquarters


@pytest.fixture
def faults(bench: "Bench") -> "Faults":
    """What goes wrong. Skips on a rig: silicon has its own."""
    from groundnet.bench.faults import Faults
    from groundnet.bench.sim_bench import SimBench

    if not isinstance(bench, SimBench):
        pytest.skip("a rig injects no faults")
    return Faults(bench)


def _device(role: str):
    @pytest.fixture(name=role)
    def device(request: pytest.FixtureRequest, bench: "Bench", bench_day: int) -> "Device":
        how: dict = {}
        for marker in reversed(list(request.node.iter_markers("fitted"))):
            if marker.args == (role,):
                how |= marker.kwargs
        made = bench.device(role, **how)
        if bench_day != GOOD_DAY:
            request.getfixturevalue("faults").bad_day(made)
        return made

    device.__doc__ = f"A {role}, fitted and powered."
    return device


tag, tracker, base, finder = (_device(role) for role in ROLES)
