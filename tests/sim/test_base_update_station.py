"""A base image on a whole station: the firmware finds its place, tries it, and has it confirmed or goes back."""

import hashlib

import pytest
from groundnet.image import app_image
from groundnet.sim.partitions import ABORTED, VALID
from sim import update_rig as rig

ROLE, BOARD = "base", "heltec_v3"
ABOUT = {"role": ROLE, "board": BOARD, "product": "groundnet base"}
LIMIT_S = 60
# Stands for the link: the modules are the firmware's own, from ROM.
HANDOVER = """
from apps.update import Updates

updates = Updates({about!r})
begin = {{"product": "groundnet base", "hardware_revision": 0, "security_counter": 3, "version": "1.30.0"}}
begin.update({{"size_bytes": {size}, "sha256": {digest!r}}})
at = updates.handle("update_begin", begin)["next_offset_bytes"]
with open("/bundle", "rb") as file:
    while data := file.read(2000):
        at = updates.handle("update_block", {{"offset_bytes": at, "data": data}})["next_offset_bytes"]
print(updates.handle("update_finish", {{"signature_bytes": 2969}})["state"])
"""


@pytest.fixture
def signer(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return rig.Signer(tmp_path)


def hand_over(county, files, data):
    """The bundle is taken by a start of its own; the next start is the trial of the base image."""
    main = files["/main.py"]
    digest = hashlib.sha256(data).digest()
    about = ABOUT | {"hardware_revision": 1}
    files["/bundle"] = data
    files["/main.py"] = HANDOVER.format(about=about, size=len(data), digest=digest).encode()
    county.device.power_on()
    county.run(20)
    assert "verified" in county.board.log, county.board.log
    county.device.power_off()
    del files["/bundle"]
    files["/main.py"] = main


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "is not there"])
def test_the_collector_decides_about_a_base_image(answers, signer, tmp_path):
    image = rig.firmware(ROLE, BOARD, (signer.root,))
    files = rig.flash(image, rig.bundle(image, "0.1.0", **ABOUT), ROLE, BOARD)
    rig.provision(files, trial_s=LIMIT_S, collector_host="collector", wifi_name="shop", wifi_key="12345678")
    base = app_image.make("1.30.0", "esp32s3", code_bytes=300_000)
    data = signer.sign(rig.bundle(base, "1.30.0", kind="base", security_counter=3, **ABOUT))
    with rig.county(ROLE, BOARD, files, tmp_path) as county:
        hand_over(county, files, data)
        if answers:
            county.serve()
        county.device.power_on()
        county.run(1)
        entries = county.board.base.layout().entries
        assert county.board.base.slot == "ota_1"
        county.run(LIMIT_S + 20)
        if answers:
            assert county.board.base.version == "1.30.0" and entries()[1].state == VALID
            assert county.board.memory.nvs[b"groundnet", b"base_limits"][:4] == b"\3\0\0\0"
            county.board.press_reset()
            county.run(1)
            assert county.board.base.slot == "ota_1"
        else:
            assert county.board.base.slot == "ota_0" and entries()[1].state == ABORTED
            assert b"nobody confirmed it" in county.board.memory.nvs[b"groundnet", b"base_why"]
        assert files.rom.startswith(image) and rig.BOOT not in county.board.memory.nvs
