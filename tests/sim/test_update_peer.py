"""A version on trial that nobody confirms by cable: the collector's answer confirms it, silence takes it back."""

import struct

import pytest
from sim import update_rig as rig

OLD, NEW, NONE = 0, 1, 255
LIMIT_S = 60


def tried(role, board, **settings):
    """A device whose slot b waits for its trial, with a way to the collector."""
    image = rig.firmware(role, board, ())
    about = {"role": role, "board": board, "product": f"groundnet {role}"}
    files = rig.flash(image, rig.bundle(image, "0.1.0", **about), role, board)
    files["/slots/b.gnb"] = rig.bundle(image, "0.2.0", security_counter=3, least_version="0.1.5", **about)
    rig.provision(files, trial_s=LIMIT_S, collector_host="collector", **settings)
    return files, rig.boot_state(OLD, trial=NEW, tries=1, rom=NEW)


BASE = ("base", "heltec_v3", {"wifi_name": "shop", "wifi_key": "12345678"})
TRACKER = ("tracker", "s3_tracker", {})


@pytest.mark.parametrize(("role", "board", "settings"), [BASE, TRACKER], ids=["base", "tracker"])
@pytest.mark.parametrize("answers", [True, False], ids=["answers", "is not there"])
def test_the_collector_decides_about_a_trial(role, board, settings, answers, tmp_path):
    files, state = tried(role, board, **settings)
    with rig.county(role, board, files, tmp_path) as county:
        if answers:
            county.serve()
        county.board.memory.nvs[rig.BOOT] = state
        county.device.power_on()
        county.run(0.5)
        assert county.boot_state()[1:3] == bytes((OLD, NEW)), "it is on trial until somebody has answered"
        county.run(LIMIT_S + 20)
        state = county.boot_state()
    if answers:
        assert county.collector.requests and tuple(state[1:5]) == (NEW, NONE, 0, NEW)
        assert struct.unpack_from("<IHHH", state, 5) == (3, 0, 1, 5)
    else:
        assert tuple(state[1:5]) == (OLD, NONE, 0, OLD)
        assert struct.unpack_from("<IHHH", state, 5) == (0, 0, 0, 0)
        assert state[15:21] == struct.pack("<HHH", 0, 2, 0) and b"nobody confirmed it" in state[21:]
