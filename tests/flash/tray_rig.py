"""Boards on a tray: real MicroPython behind PTYs, cables that can be pulled, one thread for their world."""

import os
import threading
from contextlib import ExitStack
from pathlib import Path

from groundnet.image.firmware_image import default_board
from groundnet.sim.board import OFF
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.pacing import run_paced
from groundnet.sim.roles import make_device
from groundnet.sim.world import World

# Boards are started before anybody looks: that takes a busy computer longer than a probe waits for an answer.
_STARTED_US = 200_000


class Socket:
    """One place of the tray: a device, and a path that is there while its cable is in."""

    def __init__(self, device, path: Path):
        self.device = device
        self.board = device.board
        self.path = path

    def plug(self, powered: bool = True):
        self.path.symlink_to(self.board.pty_path)
        if powered:
            self.device.power_on()

    def unplug(self):
        """USB goes away with the supply: whoever has the port open reads an error."""
        if self.board.state != OFF:
            self.path.unlink()
            self.device.power_off()
            self.board.console.close()


class Tray:
    """``count`` blank boards of a role, served until the block ends.

    ``plan(world, tray)`` may add events; boards that are not ``powered`` wait for one of these.
    """

    def __init__(
        self, folder: Path, count: int, role: str = "tag", plan=lambda world, tray: None, powered: bool = True
    ):
        self._stack = ExitStack()
        self.world = World(7)
        self._over = threading.Event()
        self._changed = False
        network = Network(self.world)
        self.sockets = []
        for number in range(count):
            name = f"board{number}"
            device = make_device(
                self.world,
                name,
                role,
                quiet_place(self.world, network, name),
                bytes.fromhex("3485180000") + bytes([number]),
                default_board(role),
                BoardFs({}),
            )
            self._stack.enter_context(device.board)
            self.sockets.append(Socket(device, folder / name))
        self._plan = plan
        self._powered = powered
        self._failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._serve, name="world", daemon=True)

    @property
    def ports(self) -> list[str]:
        return [str(socket.path) for socket in self.sockets]

    def pull(self, socket: Socket, at_us: int, for_us: int) -> None:
        """Plan that a cable is pulled, and put back."""
        self.world.at(at_us, lambda: self._change(socket.unplug))
        self.world.at(at_us + for_us, lambda: self._change(socket.plug))

    def __enter__(self) -> "Tray":
        for socket in self.sockets:
            socket.plug(self._powered)
        self._plan(self.world, self)
        self.world.run_for(_STARTED_US)
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self._over.set()
        self._thread.join(30)
        for socket in self.sockets:
            if os.path.lexists(socket.path):
                socket.path.unlink()
        self._stack.close()
        if self._failure:
            raise self._failure[0]

    def _change(self, change) -> None:
        change()
        self._changed = True  # the PTYs are others now

    def _serve(self) -> None:
        boards = [socket.board for socket in self.sockets]
        try:
            while not self._over.is_set():
                self._changed = False
                run_paced(self.world, boards, lambda: self._over.is_set() or self._changed)
        except BaseException as error:  # noqa: BLE001 - handed over to the test
            self._failure.append(error)
