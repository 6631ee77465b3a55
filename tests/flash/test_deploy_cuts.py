"""Whatever ends a deploy, and whenever: every file is the old one or the new one, and the next deploy makes all new."""

import contextlib
import random

import pytest
from flash.deploy_rig import KEYS, Desk, EndingPort, NoisyPort
from groundnet.link.errors import LinkError, NoAnswer, PortGone

RANDOM = random.Random(5)
OLD = {"/main.py": b"old = 1\n", "/lib/a.bin": KEYS, "/lib/same": b"same", "/lib/gone.py": b"x" * 99}
NEW = {
    "/lib/a.bin": RANDOM.randbytes(700),
    "/lib/same": b"same",
    "/lib/new/b.bin": RANDOM.randbytes(300),
    "/main.py": b"new = 2\n",
}
PRUNED = {"prune": "/lib"}


@pytest.fixture(scope="module")
def desk():
    with Desk() as made:
        yield made


def writes_of_a_deploy(desk):
    desk.restart(OLD)
    port = EndingPort(desk.port().board)
    desk.deploy(NEW, port, **PRUNED)
    return port.writes


def cut(desk, error, port=None):
    """A deploy that ends early (that may, without an ``error``), and the next one, whatever became of the board."""
    with pytest.raises(error) if error else contextlib.suppress(LinkError):
        desk.deploy(NEW, port, **PRUNED)
    desk.cut_at = 0
    desk.assert_old_or_new(OLD, NEW)
    desk.deploy(NEW, **PRUNED)
    assert desk.content() == NEW


def test_the_power_may_go_at_every_step_of_the_flash(desk):
    desk.restart(OLD)
    desk.deploy(NEW, **PRUNED)
    steps = desk.files.steps
    assert steps > 12
    for step in range(1, steps + 1):
        desk.restart(OLD)
        desk.cut_at = step
        cut(desk, NoAnswer)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_cable_may_be_pulled_at_every_write_and_within_it(desk, share):
    """The board keeps its power, and does not know."""
    for last in range(1, writes_of_a_deploy(desk) + 1):
        desk.restart(OLD)
        cut(desk, PortGone, EndingPort(desk.port().board, last, share))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_power_may_go_at_every_write_and_within_it(desk, share):
    for last in range(1, writes_of_a_deploy(desk)):  # the very last one only leaves the prompt
        desk.restart(OLD)
        cut(desk, NoAnswer, EndingPort(desk.port().board, last, share, desk.board.power_off))


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_board_may_start_anew_at_every_write_and_within_it(desk, share):
    """A prompt hears what was meant for the agent; in the beginning another try succeeds."""
    for last in range(1, writes_of_a_deploy(desk)):
        desk.restart(OLD)
        cut(desk, None, EndingPort(desk.port().board, last, share, desk.board.brown_out))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_board_that_is_left_alone_gives_up_and_takes_ctrl_c_again(desk, share):
    """Any program finds a prompt on it ten seconds later, also when a block was cut in two."""
    last = writes_of_a_deploy(desk) - 3
    desk.restart(OLD)
    with pytest.raises(PortGone):
        desk.deploy(NEW, EndingPort(desk.port().board, last, share), **PRUNED)
    desk.board.world.run_for(10_000_000)
    other = desk.port()
    other.timeout = 1.0
    for key in (b"\r\x03", b"\r\x02"):
        other.write(key)
        said = other.read(1000)
    assert said.endswith(b">>> ")


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bits_and_lost_bytes_are_sent_again(desk, seed):
    """Of the talk with the agent; what starts it is 2 KB, which pass here."""
    wanted = {"/main.py": random.Random(seed).randbytes(9000)}
    desk.restart(OLD)
    port = NoisyPort(desk.port().board, seed, flip=0.0008, drop=0.0004, after=2600)
    desk.deploy(wanted, port)
    assert desk.files["/main.py"] == wanted["/main.py"] and port.harmed > 3


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_line_from_the_first_byte_harms_no_file(desk, seed):
    desk.restart(OLD)
    for attempt in range(20):
        port = NoisyPort(desk.port().board, 100 * seed + attempt, flip=0.0003, drop=0.0002)
        try:
            desk.deploy(NEW, port, **PRUNED)
            break
        except LinkError:
            desk.assert_old_or_new(OLD, NEW)
    assert desk.content() == NEW
