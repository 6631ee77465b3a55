"""One device with the real firmware, and the real host side of an update at its cable, in virtual time."""

from types import SimpleNamespace

import pytest
from groundnet.link import serial_link
from groundnet.link import update as link_update
from groundnet.link.device import Device
from groundnet.link.ports import SerialPort
from groundnet.link.probe import probe
from groundnet.link.serial_link import SerialLink
from groundnet.link.update import read_bundle, update
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.world import World
from sim import update_rig as rig


class Cable:
    """Stands for the host's serial port: reading lets virtual time pass, so that no clock of the host matters."""

    def __init__(self, bench):
        self._bench = bench
        self._heard = bytearray()
        bench.board.console.listeners.append(self._heard.extend)

    @property
    def in_waiting(self):
        return len(self._heard)

    def write(self, data):
        self._bench.count(len(data))
        self._bench.board.console.feed(bytes(data))

    def read(self, most):
        deadline_us = self._bench.world.now_us + 50_000
        step_us = 250
        while not self._heard and self._bench.world.now_us < deadline_us:
            step_us = min(2 * step_us, 10_000)
            self._bench.world.run_for(step_us)
        data = bytes(self._heard[:most])
        del self._heard[:most]
        return data

    def reset_input_buffer(self):
        self._heard.clear()

    def close(self):
        self._bench.board.console.listeners.remove(self._heard.extend)


class Bench:
    """One device with the real firmware, a host at its PTY."""

    def __init__(self, role, board, signer):
        image = rig.firmware(role, board, (signer.root,))
        about = {"role": role, "board": board, "product": f"groundnet {role}"}
        self.files = rig.flash(image, rig.bundle(image, "0.1.0", **about), role, board)
        self._patch = pytest.MonkeyPatch()
        world = World(5)
        place = quiet_place(world, Network(world))
        self.device = make_device(world, role, role, place, b"\2\0\0\0\0\1", board, self.files)
        self.board = self.device.board
        self.world = world
        self.written = 0  # bytes by the host
        self.pull_at = []  # the cable, at these counts of bytes

    def __enter__(self):
        self.board.__enter__()
        self._patch.setattr(serial_link, "open_port", lambda port: Cable(self))
        clock = SimpleNamespace(
            monotonic=lambda: self.world.now_us / 1e6,
            time=lambda: self.world.unix_ms / 1e3,
            sleep=lambda seconds: self.world.run_for(round(seconds * 1e6)),
        )
        self._patch.setattr(serial_link, "time", clock)
        self._patch.setattr(link_update, "time", clock)
        self._patch.setattr(link_update, "await_return", self.plugged)
        self.device.power_on()
        return self

    def __exit__(self, *exception):
        self._patch.undo()
        self.board.__exit__(*exception)

    def replug(self):
        """The cable is pulled and put back: the supply goes and comes with it."""
        self.device.power_off()
        self.device.power_on()

    def plugged(self, port, patience_s):
        """What a host waits for when the port is gone."""
        self.device.power_on()
        return port

    def count(self, written):
        """The host writes so many bytes; where the plan says so, the cable is pulled before they arrive."""
        self.written += written
        if self.pull_at and self.written >= self.pull_at[0]:
            self.pull_at.pop(0)
            self.device.power_off()
            raise OSError("the cable is out")

    def provision(self):
        with SerialLink("bench") as link:
            device = Device(link)
            device.write_identity("GN-1", "vehicle", "bench", rig.SECRET)
            device.lock(rig.SECRET)

    def says(self):
        """What `groundnet doctor` finds there."""
        return probe(SerialPort("bench"), listen_s=0.0).what

    def update(self, data, progress=lambda step, share: None):
        return self.update_raw(read_bundle(data), progress)

    def update_raw(self, bundle, progress=lambda step, share: None, patience_s=20.0):
        return update("bench", bundle, lambda device_id: rig.SECRET, progress, patience_s=patience_s)

    def state(self):
        return self.board.memory.nvs.get(rig.BOOT, b"")

    def kept(self):
        """Everything that outlives a restart, but for the records that each start and each session write."""
        counted = ("/state/state", "/state/tries")
        files = {path: self.files[path] for path in self.files.paths() if not path.startswith(counted)}
        return files, self.files.rom, dict(self.board.memory.nvs)
