"""Bundles that a device must not take, each handed over by the real host side to the real firmware of a tag."""

import datetime
import hashlib
import re

import pytest
from bundle import quick_keys
from groundnet.bundle import certificate
from groundnet.errors import GroundnetError
from groundnet.link.update import Bundle, read_bundle
from groundnet.link.update_refusal import BundleRefused
from sim import update_rig as rig
from sim.update_bench import Bench

ROLE, BOARD = "tag", "xiao_c3_sx1262"
LIMITS = (5, (0, 2, 0))  # security counter and least version in force
TODAY = datetime.date(2026, 1, 1)  # as the world's clock begins
IMAGE = rig.tiny("print('runs new')", padding_bytes=0)


class Makers(rig.Signer):
    """Whom the device trusts, and whom not."""

    def __init__(self, folder):
        super().__init__(folder)
        self._other_root_path, _ = quick_keys.root(folder, 2)

    def stranger(self, data):
        return data + self.block(data, self.certify(self._other_root_path))

    def outdated(self, data):
        return data + self.block(data, self.certify(self.root_path, certificate.day_of(TODAY) - 1))


@pytest.fixture(scope="module")
def makers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield Makers(folder)


@pytest.fixture(scope="module")
def bench(makers):
    with Bench(ROLE, BOARD, makers) as bench:
        bench.provision()
        bench.board.memory.nvs[rig.BOOT] = rig.boot_state(0, limits=LIMITS)
        yield bench


def good(**changes):
    return rig.bundle(IMAGE, "0.3.0", **({"security_counter": 5} | changes))


# What the host says at the beginning; the manifest has the last word.
TOLD = {"product": "groundnet tag", "version": "0.3.0", "hardware_revisions": [0], "security_counter": 5}


def flipped(data, at):
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


CASES = {
    "downgraded": (
        lambda m: m.sign(good(security_counter=4)),
        "counter 4 is below 5",
        "安全计数器 4 低于设备的 5",
    ),
    "too old": (
        lambda m: m.sign(rig.bundle(IMAGE, "0.1.9", security_counter=5)),
        "0.1.9 is older than 0.2.0",
        "版本 0.1.9 低于设备允许的最低版本 0.2.0",
    ),
    "another role": (lambda m: m.sign(good(role="base")), "for role 'base'", "适用于角色“base”"),
    "a base image": (lambda m: m.sign(good(kind="base")), "the other kind of image", "映像类型不符"),
    "another board": (lambda m: m.sign(good(board="two")), "for board 'two'", "适用于板“two”"),
    "another revision": (
        lambda m: m.sign(good(hardware_revisions=[2, 3])),
        "hardware revision 1",
        "硬件版本 1",
    ),
    "other bytecode": (lambda m: m.sign(good(mpy="6.2")), "bytecode 6.2", "字节码为 6.2"),
    "expired": (
        lambda m: m.sign(good(not_after=rig.day_before(TODAY))),
        "expired on 2025-12-31",
        "已于 2025-12-31 过期",
    ),
    "outdated certificate": (
        lambda m: m.outdated(good()),
        "certificate of the key has expired",
        "证书已过期",
    ),
    "unsigned": (lambda m: rig.bundle(rig.tiny("")), "is not signed", "未签名"),
    "signed by a stranger": (lambda m: m.stranger(good()), "no root that is trusted here", "未经该设备信任"),
    "tampered image": (
        lambda m: flipped(m.sign(good()), -2980),
        "not that of the release key",
        "所签的内容不符",
    ),
    "tampered manifest": (
        lambda m: flipped(m.sign(good()), 30),
        "not that of the release key",
        "所签的内容不符",
    ),
    "tampered certificate": (lambda m: flipped(m.sign(good()), -2960), "certified the key", "未经该设备信任"),
    "tampered signature": (
        lambda m: flipped(m.sign(good()), -1),
        "not that of the release key",
        "所签的内容不符",
    ),
    "another image": (
        lambda m: m.sign(good(image_sha256=hashlib.sha256(b"another").hexdigest())),
        "the hash that the manifest names",
        "映像的哈希值与清单不符",
    ),
    "truncated": (lambda m: m.sign(good())[:-7], "cut off", "不完整"),
    "something behind it": (lambda m: m.sign(good()) + b"more", "something behind it", "多余"),
}


def refused(bench, data, told):
    """The error that a host reads who tells this of the bundle; nothing on the device has changed."""
    before, steps = bench.kept(), []
    bench.replug()
    with pytest.raises(BundleRefused) as caught:
        bench.update_raw(Bundle(data, told), lambda step, share: steps.append(step))
    bench.replug()
    bench.world.run_for(1_000_000)
    assert bench.kept() == before and "trial" not in bench.board.log
    assert caught.value.action.zh != caught.value.action
    return caught.value, steps


@pytest.mark.parametrize("name", CASES)
def test_a_device_refuses_with_the_reason_and_changes_nothing(bench, makers, name):
    make, english, chinese = CASES[name]
    error, steps = refused(bench, make(makers), TOLD)
    assert english in error.cause and chinese in error.cause.zh and "verify" in steps


@pytest.mark.parametrize(
    ("told", "english", "chinese"),
    [
        ({"security_counter": 4}, "counter 4 is below 5", "安全计数器 4 低于设备的 5"),
        ({"version": "0.1.9"}, "0.1.9 is older than 0.2.0", "版本 0.1.9 低于设备允许的最低版本 0.2.0"),
        ({"product": "lamp"}, "for 'lamp'", "适用于产品“lamp”"),
        ({"hardware_revisions": [3]}, "hardware revision 1", "硬件版本 1"),
    ],
)
def test_what_is_told_beforehand_is_refused_before_it_is_sent(bench, told, english, chinese):
    error, steps = refused(bench, bytes(9000), TOLD | told)
    assert english in error.cause and chinese in error.cause.zh and steps == []


def test_a_host_refuses_by_itself_what_is_no_signed_bundle(makers):
    for data, words in (
        (good(), "not signed"),
        (b"hello", "no bundle"),
        (b"", "no bundle"),
        (makers.sign(good())[:40], "no bundle"),
    ):
        with pytest.raises(GroundnetError, match=re.escape(words)) as refused:
            read_bundle(data)
        assert refused.value.cause.zh != refused.value.cause


def test_after_all_that_a_good_bundle_is_taken(bench, makers):
    bench.replug()
    sent = []
    with pytest.raises(GroundnetError):  # what runs then has no link to be confirmed by
        bench.update_raw(read_bundle(makers.sign(good())), progress=lambda step, share: sent.append(step))
    assert "restart" in sent
