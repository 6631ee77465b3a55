"""A base image replaced in the field: signed, into the other partition, on trial, confirmed or rolled back."""

import hashlib
import json
import struct
from pathlib import Path

import pytest
from bundle import quick_keys
from groundnet.bundle import certificate
from groundnet.image import app_image
from groundnet.image.partition_table import parse_csv
from groundnet.sim.base_flash import BASE_VERSION
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.partitions import ABORTED, VALID
from sim.boards import board, printed, run

ROOT = Path(__file__).parents[2]
MODULES = {
    "/apps": ["firmware/apps/base_image.py", "firmware/apps/clock.py"],
    "/groundcore": [f"firmware/groundcore/{name}.py" for name in ("__init__", "bundle", "lms", "update")],
    "/groundwire": ["protocol/groundwire/__init__.py", "protocol/groundwire/constant.py"],
}
MAIN = """
import machine, os, sys
sys.path.append("/")
from apps.base_image import BaseShelf, updates
from groundcore import bundle
from groundcore.bundle import Refused
from esp32 import Partition

DEVICE = {{"product": "p", "role": "tag", "board": "b", "hardware_revision": 1, "self_test": lambda: True}}
if not {verify}:
    bundle.check_signature = lambda *arguments: None
update = updates(DEVICE, {roots!r})
print(Partition(Partition.RUNNING).info()[4], update.state, update.next_offset)
if update.state == "trial":
    {trial}
    update.handle("update_confirm", {{}})
    print("confirmed")
elif update.state != "failed" and BaseShelf(DEVICE, ()).limits()[0] < 5:
    begin = {{"product": "p", "hardware_revision": 1, "security_counter": 5, "version": "2.0.0"}}
    begin.update({{"size_bytes": {size}, "sha256": {digest!r}}})
    try:
        at = update.handle("update_begin", begin)["next_offset_bytes"]
        with open("/bundle", "rb") as file:
            file.seek(at)
            while data := file.read(1000):
                at = update.handle("update_block", {{"offset_bytes": at, "data": data}})["next_offset_bytes"]
        update.handle("update_finish", {{"signature_bytes": 2969}})
    except Refused as refusal:
        print(refusal.args)
    else:
        machine.reset()
"""


def make_bundle(image, sign, **changes):
    manifest = {
        "format": 1, "kind": "base", "role": "tag", "board": "b", "hardware_revisions": [0], "version": "2.0.0",
        "mpy": "6.3", "security_counter": 5, "least_version": "1.0.0", "not_after": None,
        "image_sha256": hashlib.sha256(image).hexdigest(),
    }  # fmt: skip
    text = json.dumps(manifest | changes, sort_keys=True, separators=(",", ":")).encode()
    signed = struct.pack("<4sII", b"GNB1", len(text), len(image)) + text + image
    return signed + sign(signed)


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """(public key of the root, function that signs)."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root, public = quick_keys.root(tmp_path)
    release, release_public = quick_keys.release(tmp_path)
    issued = certificate.issue(root, release_public)
    return public, lambda signed: certificate.signature_block(issued, release, signed)


def unsigned(signed):
    return bytes(certificate.BLOCK_SIZE)


def flash_with(data, trial="pass", roots=(), verify=False):
    files = {
        f"{folder}/{Path(path).name}": (ROOT / path).read_bytes()
        for folder, paths in MODULES.items()
        for path in paths
    }
    digest = hashlib.sha256(data).digest()
    main = MAIN.format(roots=roots, trial=trial, verify=verify, size=len(data), digest=digest)
    return BoardFs(files | {"/bundle": data, "/main.py": main.encode()})


IMAGE = app_image.make("2.0", "esp32c3")


def test_a_signed_base_image_is_tried_and_stays(keys):
    root, sign = keys
    with board(files=flash_with(make_bundle(IMAGE, sign), roots=(root,), verify=True)) as device:
        assert run(device, 20.0) == ["ota_0 idle 0", "ota_1 trial 0", "confirmed"]
        assert (device.base.version, device.base.layout().entries()[1].state) == ("2.0", VALID)
        device.power_off()
        assert run(device)[-1] == "ota_1 idle 0" and "/base.head" not in device.files


def test_a_base_image_signed_by_somebody_else_is_refused(keys, tmp_path):
    _, sign = keys
    other = quick_keys.root(tmp_path, 2)[1]
    with board(files=flash_with(make_bundle(IMAGE, sign), roots=(other,), verify=True)) as device:
        assert "bad_signature" in run(device, 20.0)[1] and device.base.slot == "ota_0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "application"}, "the other kind of image"),
        ({"board": "c"}, "board 'c'"),
        ({"security_counter": -1}, "security counter"),
        ({"image_sha256": "00" * 32}, "the image does not have the hash"),
    ],
)
def test_what_is_not_meant_for_this_board_is_refused(changes, words):
    with board(files=flash_with(make_bundle(IMAGE, unsigned, **changes))) as device:
        lines = run(device, 10.0)
        assert words in lines[1] and device.base.layout().entries()[1].whole is False


def test_an_image_that_the_boot_loader_would_not_start_is_refused_before_a_reset():
    with board(files=flash_with(make_bundle(app_image.make("2.0", "esp32s3"), unsigned))) as device:
        assert "would not start" in run(device, 10.0)[1] and device.base.slot == "ota_0"


def test_a_board_with_one_place_for_a_base_image_says_so():
    """As MicroPython's stock images lay out a C3 or S3."""
    table = parse_csv("nvs,data,nvs,,24K\nphy_init,data,phy,,4K\nfactory,app,factory,,2M\nvfs,data,fat,,1M")
    with board(files=flash_with(make_bundle(IMAGE, unsigned)), partitions=table) as device:
        lines = run(device, 10.0)
        assert lines[0] == "factory idle 0" and lines[1].startswith("('unsupported'")


@pytest.mark.parametrize(
    "trial", ["machine.reset()", "1 / 0", "import time; machine.WDT(timeout=1000); time.sleep(9)"]
)
def test_a_trial_that_is_not_confirmed_goes_back_by_itself(trial):
    with board(files=flash_with(make_bundle(IMAGE, unsigned), trial)) as device:
        run(device, 10.0)
        if device.base.slot == "ota_1":  # stands at the prompt: whoever resets it gets the old image
            device.press_reset()
            device.world.run_for(2_000_000)
        assert device.base.slot == "ota_0" and device.base.layout().entries()[1].state == ABORTED
        assert "ota_0 failed 0" in printed(device)


def test_a_power_cut_at_every_step_leaves_the_old_or_the_new_image_and_the_update_ends_well():
    data, versions, cut_at, uncut = make_bundle(IMAGE, unsigned), set(), 0, False
    with board() as device:
        while not uncut:
            cut_at += 1
            device.base.make_new()
            device.memory.nvs.clear()
            device.files = flash_with(data)

            def cut(step, at=cut_at):
                if step.number == at:
                    raise PowerCut

            device.files.on_step = cut
            run(device, 10.0)
            uncut = device.state != "off"
            device.power_off()
            device.files.on_step = lambda step: None
            run(device, 0.06)
            assert (device.base.slot, device.base.version) in (("ota_0", BASE_VERSION), ("ota_1", "2.0"))
            versions.add(device.base.version)
            device.world.run_for(10_000_000)
            if device.base.slot == "ota_0":  # a trial that was cut is given up; it is asked for again
                assert "failed" in printed(device)[-1]
                device.press_reset()
                device.world.run_for(10_000_000)
            assert device.base.slot == "ota_1" and device.base.layout().entries()[1].state == VALID
            device.power_off()
    assert versions == {BASE_VERSION, "2.0"} and cut_at > 15


def test_a_long_image_goes_on_after_a_power_cut_where_it_was_noted():
    data = make_bundle(app_image.make("2.0", "esp32c3", code_bytes=90_000), unsigned)
    with board(files=flash_with(data)) as device:

        def cut(step):
            if step.path == "ota_1/20":
                raise PowerCut

        device.files.on_step = cut
        run(device, 20.0)
        assert device.state == "off"
        device.files.on_step = lambda step: None
        lines = run(device, 20.0)
        noted = int(lines[1].split()[-1])
        assert 65536 < noted < 65536 + 1000 and lines[-1] == "confirmed" and device.base.version == "2.0"
