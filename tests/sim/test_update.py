"""Updates in the field, from the host's command to the confirmed version, on virtual boards with signed bundles."""

import struct
from types import SimpleNamespace

import pytest
from groundnet.link import serial_link
from groundnet.link import update as link_update
from groundnet.link.device import Device
from groundnet.link.serial_link import SerialLink
from groundnet.link.update import read_bundle, update
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import make_device
from groundnet.sim.world import World
from sim import update_rig as rig

SECRET = bytes(range(32))
TAG = ("tag", "xiao_c3_sx1262")


@pytest.fixture
def signer(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return rig.Signer(tmp_path)


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
        if self._bench.pulled():
            raise OSError("the cable is out")
        self._bench.board.console.feed(bytes(data))

    def read(self, most):
        deadline_us = self._bench.world.now_us + 50_000
        while not self._heard and self._bench.world.now_us < deadline_us:
            self._bench.world.run_for(1_000)
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

    def __enter__(self):
        self.board.__enter__()
        self._patch.setattr(serial_link, "open_port", lambda port: Cable(self))
        clock = SimpleNamespace(
            monotonic=lambda: self.world.now_us / 1e6,
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

    def plugged(self, port, patience_s):
        """The cable is put back: the device has power again."""
        self.device.power_on()
        return port

    def pulled(self):
        """Whether the cable is out now; a plan of a test says so."""
        return False

    def provision(self):
        with SerialLink("bench") as link:
            device = Device(link)
            device.write_identity("GN-1", "vehicle", "bench", SECRET)
            device.lock(SECRET)

    def update(self, data, progress=lambda step, share: None):
        return update("bench", read_bundle(data), lambda device_id: SECRET, progress, patience_s=20.0)

    def state(self):
        return self.board.memory.nvs.get((b"groundnet", b"boot"), b"")


def new_bundle(signer, role, board, version="0.2.0", **changes):
    image = rig.firmware(role, board, (signer.root,))
    about = {"role": role, "board": board, "product": f"groundnet {role}"} | changes
    return signer.sign(rig.bundle(image, version, **about))


@pytest.mark.parametrize(("role", "board"), [TAG])
def test_a_locked_device_takes_a_signed_bundle_and_keeps_its_identity(role, board, signer):
    with Bench(role, board, signer) as bench:
        bench.provision()
        identity = {path: bench.files[path] for path in bench.files.paths() if "identity" in path}
        data = new_bundle(signer, role, board)
        report = bench.update(data)
        assert report.version == "0.2.0" and report.size_bytes == len(data) and not report.replugs
        assert tuple(bench.state()[1:5]) == (1, 255, 0, 1)
        assert struct.unpack_from("<IHHH", bench.state(), 5) == (1, 0, 1, 0)
        assert bench.files["/slots/b.gnb"] == data and "/slots/x.part" not in bench.files
        assert {path: bench.files[path] for path in identity} == identity
        bench.board.press_reset()
        bench.world.run_for(2_000_000)
        assert "trial" not in bench.board.log and "Traceback" not in bench.board.log
