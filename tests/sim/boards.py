"""Virtual boards for the tests: a world, a script as main.py, and what it printed."""

from contextlib import contextmanager

from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.world import US_PER_S, World

PROMPT = ">>> "


@contextmanager
def board(main="", world=None, name="board", files=None, **options):
    """A board that has not been switched on; ``main`` becomes its main.py."""
    files = files if isinstance(files, BoardFs) else BoardFs(files)
    if main:
        files["/main.py"] = main.encode()
    with VirtualBoard(world or World(), name, files=files, **options) as device:
        yield device


def run(device, seconds=1.0):
    """Switch on, let virtual time pass, return what was printed before the REPL's banner."""
    device.power_on()
    device.world.run_for(round(seconds * US_PER_S))
    return printed(device)


def printed(device):
    """Lines of output, without the REPL's banner and prompt."""
    text = device.log.replace("\r\n", "\n")
    for start in ("\nMicroPython v",):
        head, found, tail = text.partition(start)
        while found:
            text = head + tail.partition(PROMPT)[2]
            head, found, tail = text.partition(start)
    return text.splitlines()
