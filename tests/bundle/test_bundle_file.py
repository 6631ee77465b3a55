"""The bundle file: built the same twice, taken apart totally, refused for each reason by its own name."""

import datetime
import functools

import pytest
from bundle import quick_keys
from groundnet.bundle import build, certificate, container, verify
from groundnet.bundle.manifest import BundleError
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 6, 1)


@functools.cache
def _built(**options) -> bytes:
    return build.build("tag", version="1.2.3", security_counter=5, **options)


@pytest.fixture
def signed(tmp_path, monkeypatch):
    """A function that signs a bundle file, and the root's public key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root_path, root = quick_keys.root(tmp_path)
    release_path, release = quick_keys.release(tmp_path)

    def sign(data: bytes, last_day: int = certificate.NEVER) -> bytes:
        issued = certificate.issue(root_path, release, last_day)
        return data + certificate.signature_block(issued, release_path, data)

    return sign, root


def test_same_bytes_in_another_zone_folder_and_locale(tmp_path, monkeypatch):
    first = _built()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    build.build_files.__globals__["_image"].cache_clear()
    assert build.build("tag", version="1.2.3", security_counter=5) == first
    assert container.parse(first).manifest["mpy"] == "6.3"


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"GNB1" + tail))
def test_any_bytes_give_a_bundle_or_a_typed_error(data):
    try:
        assert container.parse(data).signed in data
    except BundleError as error:
        assert error.action


def test_every_reason_has_its_own_error(signed):
    sign, root = signed
    good = container.parse(sign(_built(hardware_revisions=(2,), not_after=datetime.date(2026, 7, 1))))
    check = functools.partial(verify.verify, good, (root,), TODAY)
    assert check(
        role="tag", board=good.manifest["board"], hardware_revision=2, counter=5, least_version="1.2.3"
    )
    for error, asked in (
        (verify.WrongRole, {"role": "base"}),
        (verify.WrongBoard, {"board": "heltec_v3"}),
        (verify.WrongRevision, {"hardware_revision": 1}),
        (verify.Downgraded, {"counter": 6}),
        (verify.TooOld, {"least_version": "1.2.4"}),
        (verify.WrongBytecode, {"mpy": "6.2"}),
    ):
        with pytest.raises(error):
            check(**asked)
    with pytest.raises(verify.BundleExpired):
        verify.verify(good, (root,), datetime.date(2026, 7, 2))
    with pytest.raises(certificate.NotTrusted):
        verify.verify(good, (), TODAY)
    with pytest.raises(verify.Unsigned):
        verify.verify(container.parse(good.signed), (root,), TODAY)
    old = container.parse(sign(_built(), certificate.day_of(TODAY) - 1))
    with pytest.raises(certificate.Expired):
        verify.verify(old, (root,), TODAY)


def test_changed_bytes_are_refused(signed):
    sign, root = signed
    data = sign(_built())
    end = len(data) - certificate.BLOCK_SIZE
    begin = end - len(container.parse(data).image)
    cases = (*range(12), *range(12, begin, 499), *range(begin, end, 9001), *range(end, len(data), 199))
    for at in cases:
        broken = bytearray(data)
        broken[at] ^= 1
        with pytest.raises((BundleError, certificate.CertificateError)) as caught:
            verify.verify(container.parse(bytes(broken)), (root,), TODAY)
        if begin <= at < end:
            assert caught.type is verify.ImageTampered
    for size in (0, 3, 11, 12, begin, end - 1, end + 1, len(data) - 1):
        with pytest.raises(BundleError):
            container.parse(data[:size])
