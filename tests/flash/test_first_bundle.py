"""The bundle of a blank board: the same every time, and checked before it goes anywhere."""

import hashlib
import json
import struct

import pytest
from groundnet.errors import GroundnetError
from groundnet.flash import application, first_bundle


@pytest.fixture(scope="module")
def bundle():
    return first_bundle.build("tag", "xiao_c3_sx1262")


def test_the_same_sources_give_the_same_bytes(bundle):
    assert first_bundle.build("tag", "xiao_c3_sx1262") == bundle


def test_the_layout_is_head_manifest_image(bundle):
    magic, manifest_bytes, image_bytes = struct.unpack_from("<4sII", bundle)
    manifest = json.loads(bundle[12 : 12 + manifest_bytes])
    image = bundle[12 + manifest_bytes :]
    assert (magic, len(image)) == (b"GNB1", image_bytes)
    assert manifest["image_sha256"] == hashlib.sha256(image).hexdigest()
    assert (manifest["role"], manifest["board"]) == ("tag", "xiao_c3_sx1262")


@pytest.mark.parametrize("at", [0, 5, 5000, -1])
def test_a_changed_byte_of_head_or_image_is_found(bundle, at):
    damaged = bytearray(bundle)
    damaged[at] ^= 0x10
    with pytest.raises(GroundnetError, match="damaged"):
        first_bundle.manifest_of(bytes(damaged))


@pytest.mark.parametrize("size", [0, 4, 11, 50, -1])
def test_a_truncated_one_is_found(bundle, size):
    with pytest.raises(GroundnetError, match="damaged"):
        first_bundle.manifest_of(bundle[:size])


def test_a_bundle_for_another_role_or_board_is_refused(bundle, tmp_path):
    path = tmp_path / "tag.gnb"
    path.write_bytes(bundle)
    assert application.load(None, bundle=path).role == "tag"
    with pytest.raises(GroundnetError, match="for role 'tag', not 'base'"):
        application.load("base", bundle=path)
    with pytest.raises(GroundnetError, match="for board 'xiao_c3_sx1262', not 'heltec_v3'"):
        application.load("tag", "heltec_v3", path)
