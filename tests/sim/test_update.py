"""Updates in the field, from the host's command to the confirmed version, on virtual boards with signed bundles."""

import random
import struct

import pytest
from groundnet.image import firmware_image, romfs
from groundnet.link.serial_link import SerialLink
from groundnet.link.update import UpdateFailed, read_bundle
from sim import update_rig as rig
from sim.update_bench import Bench

ROLE, BOARD = "tag", "xiao_c3_sx1262"


@pytest.fixture
def signer(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return rig.Signer(tmp_path)


# A version that has a link and no parts: half as long as a tag's.
LEAN = """
from apps.clock import Clock
from apps.hardware import device_id
from apps.run_loop import RunLoop
from apps.service import Link
from apps.storage import Storage
from apps.version import VERSION
import machine

class Core:
    answered = False

    def handle(self, event, now_ms):
        return []

    def next_deadline(self):
        return None

DEVICE = {"device_id": device_id(), "role": "tag", "board": "xiao_c3_sx1262", "product": "groundnet tag"}
DEVICE.update({"firmware": VERSION, "hardware_revision": 1, "capabilities": []})
loop, storage = RunLoop(Core(), Clock()), Storage()
loop.add("storage", lambda: storage)
loop.add("link", lambda: Link(loop, DEVICE, storage, machine.reset))
loop.run()
"""
UNUSED = (
    *("/apps/tag", "/apps/radio", "/apps/motion", "/apps/battery", "/drivers/sx", "/drivers/lis2"),
    *(
        "/groundcore/tag",
        "/groundcore/beacon",
        "/groundcore/help",
        "/groundcore/region",
        "/groundwire/beacon",
    ),
)


def lean(root, version):
    files = firmware_image.build(ROLE, BOARD, (root,), version)
    kept = {path: data for path, data in files.items() if not path.startswith((*UNUSED, "/main", "/loader"))}
    return romfs.image(kept | {"/start.mpy": firmware_image.compile_text(LEAN, "start")})


def identity_of(files):
    return {path: files[path] for path in files.paths() if "identity" in path}


def test_a_locked_device_takes_a_signed_bundle_however_often_the_cable_is_pulled(signer):
    """Seeded points of the whole talk; what is in flash is not sent again. A whole role: test_update_remote.py."""
    data = signer.sign(rig.bundle(lean(signer.root, "0.2.0"), "0.2.0"))
    with Bench(ROLE, BOARD, signer) as bench:
        bench.provision()
        assert bench.says() == "groundnet tag 0.1.0, locked"
        identity = identity_of(bench.files)
        dice = random.Random(11)
        bench.pull_at = sorted(bench.written + dice.randrange(len(data) * 5 // 4) for _ in range(6))
        sent, resumed = [0.0], []

        def watch(step, share):
            if step == "send" and share < sent[-1]:
                resumed.append((round(sent[-1] * len(data)), round(share * len(data))))
            sent.append(share if step == "send" else sent[-1])

        report = bench.update(data, watch)
        assert report.version == "0.2.0" and report.size_bytes == len(data)
        assert report.replugs >= 5 and not bench.pull_at, (
            "one may fall into the bye of a link, which nobody waits for"
        )
        assert len(resumed) >= 4 and all(0 <= before - after < 4096 + 240 for before, after in resumed)
        assert tuple(bench.state()[1:5]) == (1, 255, 0, 1)
        assert struct.unpack_from("<IHHH", bench.state(), 5) == (1, 0, 1, 0)
        assert bench.files["/slots/b.gnb"] == data and "/slots/x.part" not in bench.files
        assert identity_of(bench.files) == identity
        bench.board.press_reset()
        assert bench.says() == "groundnet tag 0.2.0, locked"
        assert "trial" not in bench.board.log and "Traceback" not in bench.board.log


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("import nothing_of_this_name", "it restarted before it was confirmed"),
        ("import time\ntime.sleep(3)\n1 // 0", "it restarted before it was confirmed"),
        ("import time\nwhile True:\n    time.sleep(1)", "it hung until the watchdog bit"),
    ],
    ids=["crashes at import", "crashes later", "hangs"],
)
def test_the_host_is_told_why_a_version_was_taken_back(new, reason, signer):
    with Bench(ROLE, BOARD, signer) as bench:
        bench.provision()
        before, rom = identity_of(bench.files), bench.files.rom
        data = signer.sign(rig.bundle(rig.tiny(new, padding_bytes=0)))
        with pytest.raises(UpdateFailed) as failed:
            bench.update_raw(read_bundle(data), patience_s=90.0)
        assert failed.value.cause == f"the device took version 0.2.0 back: {reason}"
        assert failed.value.cause.zh.startswith("设备已撤回版本 0.2.0")
        assert tuple(bench.state()[1:5]) == (0, 255, 0, 0) and bench.files.rom.startswith(rom)
        assert identity_of(bench.files) == before


def test_a_version_whose_self_test_fails_is_taken_back_and_says_why(signer):
    """The new version thinks that the radio is wired to another bus."""
    broken = rig.firmware(ROLE, BOARD, (signer.root,), change=('"busy": 20', '"busy": 9'))
    with Bench(ROLE, BOARD, signer) as bench:
        bench.files["/slots/b.gnb"] = rig.bundle(broken)
        bench.board.memory.nvs[rig.BOOT] = rig.boot_state(0, trial=1, tries=1)
        bench.replug()
        bench.world.run_for(15_000_000)
        with SerialLink("bench") as link:
            values = link.ask("update_read").values
        assert values["state"] == "failed" and values["version"] == "0.2.0"
        assert values["detail"].startswith("self-test: radio")
        assert tuple(bench.state()[1:5]) == (0, 255, 0, 0)
