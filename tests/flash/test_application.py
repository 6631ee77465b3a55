"""What goes onto a blank board: a bundle built on the spot or named, and checked before it goes anywhere."""

import pytest
from bundle.base_builds import micropython
from groundnet.bundle import build
from groundnet.errors import GroundnetError
from groundnet.flash import application


@pytest.fixture(scope="module")
def bundle():
    return build.build("tag", "xiao_c3_sx1262")


@pytest.fixture
def load(tmp_path):
    def load(data, role=None, board=None):
        path = tmp_path / "tag.gnb"
        path.write_bytes(data)
        return application.load(role, board, path)

    return load


@pytest.mark.parametrize("at", [0, 5, 50_000, -1])
def test_a_changed_byte_of_head_or_image_is_found(bundle, load, at):
    damaged = bytearray(bundle)
    damaged[at] ^= 0x10
    with pytest.raises(GroundnetError):
        load(bytes(damaged))


@pytest.mark.parametrize("size", [0, 4, 11, 50, -1])
def test_a_truncated_one_is_found(bundle, load, size):
    with pytest.raises(GroundnetError):
        load(bundle[:size])


def test_a_bundle_of_micropython_is_no_application(load):
    with pytest.raises(GroundnetError, match="holds MicroPython") as caught:
        load(build.build_base(micropython(), "tag"))
    assert "--base-image" in caught.value.action.zh


def test_a_bundle_for_another_role_or_board_is_refused(bundle, load):
    assert load(bundle).role == "tag"
    with pytest.raises(GroundnetError, match="for role 'tag', not 'base'"):
        load(bundle, "base")
    with pytest.raises(GroundnetError, match="for board 'xiao_c3_sx1262', not 'heltec_v3'"):
        load(bundle, "tag", "heltec_v3")
