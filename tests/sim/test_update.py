"""Updates in the field, from the host's command to the confirmed version, on virtual boards with signed bundles."""

import struct

import pytest
from sim import update_rig as rig
from sim.update_bench import Bench

TAG = ("tag", "xiao_c3_sx1262")


@pytest.fixture
def signer(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return rig.Signer(tmp_path)


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
