"""`groundnet bundle`: from building to verifying, and what its user reads."""

import importlib
import json
import os

import pytest
import typer
from bundle import quick_keys
from bundle.base_builds import firmware_bin, micropython
from groundnet.bundle import certificate, container, lms_keys, public_keys, verify
from groundnet.bundle.lms_key_file import KeyFileError
from groundnet.bundle.public_keys import NotAPublicKey
from groundnet.cli import bundle as command_module
from groundnet.cli import bundle_key, language, options
from groundnet.cli.bundle import app
from typer.testing import CliRunner


def _run(*arguments) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def chinese():
    language.choose("zh")
    yield
    language.choose(None)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a root, a release key that it certified, and both public keys as files."""
    root_key, root = quick_keys.root(tmp_path)
    _, release = quick_keys.release(tmp_path)
    (tmp_path / "root.pub").write_bytes(root)
    (tmp_path / "release.pub").write_bytes(release)
    certified = certificate.issue(root_key, release)
    (tmp_path / "release.cert").write_bytes(certified)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_build_certify_sign_verify(desk):
    _run("build", "--role", "tag", "--version", "1.1.0", "--root", "root.pub", "-o", "new.gnb")
    said = json.loads(
        _run("key", "certify", "release.pub", "--root-key", "root1.key", "-o", "own.cert", "--json")
    )
    assert said["not_after"] is None and said["root_signatures_left"] == 1022
    _run("sign", "new.gnb", "--key", "release1.key", "--certificate", "own.cert")
    assert json.loads(_run("verify", "new.gnb", "--root", "root.pub", "--json"))["signed"] is True
    for option, value, error in (
        ("--newer-than", "1", verify.Downgraded),
        ("--least-version", "1.1.1", verify.TooOld),
        ("--role", "base", verify.WrongRole),
    ):
        with pytest.raises(error):
            _run("verify", "new.gnb", "--root", "root.pub", option, value)


def test_diff_tells_versions_settings_and_files_with_their_sizes(desk, chinese):
    _run("build", "--role", "tag", "--version", "1.0.0", "-o", "old.gnb", "--set", "siren_s=5")
    new = ("--set", "moving_interval_s=45", "--root", "root.pub")
    _run("build", "--role", "tag", "--version", "1.1.0", "-o", "new.gnb", *new)
    found = json.loads(_run("diff", "old.gnb", "new.gnb", "--json"))
    assert found["entries"] == {"version": ["1.0.0", "1.1.0"]}
    assert found["settings"] == {"moving_interval_s": [None, 45], "siren_s": [5, None]}
    assert [change["path"] for change in found["files"]] == [
        "/apps/version.mpy",
        "/groundcore/settings.mpy",
        "/trust.mpy",
    ]
    text = _run("diff", "old.gnb", "new.gnb")
    assert "版本: 1.0.0 -> 1.1.0\n" in text and "设置 moving_interval_s: 固件自身 -> 45\n" in text
    trust = next(change for change in found["files"] if change["path"] == "/trust.mpy")
    grown = trust["new_bytes"] - trust["old_bytes"]
    assert f"更改 /trust.mpy, {trust['old_bytes']} -> {trust['new_bytes']} B ({grown:+})\n" in text


def test_what_a_bundle_is_reads_well(desk, chinese):
    text = _run("build", "--role", "tag", "-o", "new.gnb", "--set", "siren_s=5", "--set", "region=cn470")
    assert "设置: region=cn470 siren_s=5\n" in text and "硬件版本: 任意\n" in text and "已签名: 否\n" in text
    assert _run("show", "new.gnb") == text


def test_a_bundle_of_micropython_is_built_and_signed_by_the_same_commands(desk):
    (desk / "firmware.bin").write_bytes(firmware_bin(micropython()))
    said = json.loads(_run("build", "--role", "tag", "--base", "firmware.bin", "-o", "base.gnb", "--json"))
    assert (said["kind"], said["version"], said["files"]) == ("base", "1.29.1", {})
    _run("sign", "base.gnb", "--key", "release1.key", "--certificate", "release.cert")
    _run("verify", "base.gnb", "--root", "root.pub", "--role", "tag", "--board", "xiao_c3_sx1262")
    done = CliRunner().invoke(
        app, ["build", "--role", "tag", "--base", "firmware.bin", "-o", "x.gnb", "--set", "siren_s=3"]
    )
    assert done.exit_code == 2 and not (desk / "x.gnb").exists()


def test_signing_leaves_the_old_file_or_a_whole_new_one(desk, monkeypatch):
    _run("build", "--role", "tag", "-o", "new.gnb")
    unsigned = (desk / "new.gnb").read_bytes()
    order = []
    real_sync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("sync"), real_sync(descriptor)))

    def fail(source, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(os, "replace", fail)
    before = sorted(path.name for path in desk.iterdir())
    with pytest.raises(OSError, match="No space"):
        certificate_options = ("--key", "release1.key", "--certificate", "release.cert")
        monkeypatch.setattr(certificate, "signature_block", lambda *arguments: bytes(certificate.BLOCK_SIZE))
        _run("sign", "new.gnb", *certificate_options)
    assert (desk / "new.gnb").read_bytes() == unsigned
    assert sorted(path.name for path in desk.iterdir()) == before
    monkeypatch.setattr(os, "replace", lambda *names: (order.append("rename"), real_replace(*names)))
    order.clear()
    _run("sign", "new.gnb", *certificate_options)
    assert order == ["sync", "rename", "sync"]  # data, name, folder
    assert container.parse((desk / "new.gnb").read_bytes()).signature_block


def test_a_damaged_image_is_not_signed(desk):
    _run("build", "--role", "tag", "-o", "new.gnb")
    data = bytearray((desk / "new.gnb").read_bytes())
    data[-1] ^= 1
    (desk / "new.gnb").write_bytes(data)
    with pytest.raises(verify.ImageTampered):
        _run("sign", "new.gnb", "--key", "release1.key", "--certificate", "release.cert")
    assert lms_keys.state(desk / "release1.key").leaves_left == 1024


def test_create_list_and_show_for_machines(desk, monkeypatch):
    monkeypatch.setattr(lms_keys, "create", lambda path, role, progress: quick_keys.make(path, role, 7))
    made = json.loads(_run("key", "create", "new.key", "--role", "release", "--json", "--public", "new.pub"))
    assert made == json.loads(_run("key", "show", "new.key", "--json"))
    assert bytes.fromhex(made["public_key"]) == (desk / "new.pub").read_bytes()
    listed = json.loads(_run("key", "list", "--json"))
    assert [(key["file"], key["role"], key["leaves_left"]) for key in listed] == [
        ("new.key", "release", 1024),
        ("release1.key", "release", 1024),
        ("root1.key", "root", 1023),
    ]
    assert len(_run("key", "list", desk).splitlines()) == 3


def test_a_certificate_is_given_for_whatever_create_wrote_or_printed(desk):
    shown = json.loads(_run("key", "show", "release1.key", "--json"))
    (desk / "printed").write_text(shown["public_key"] + "\n")
    (desk / "printed.json").write_text(json.dumps(shown))
    for name in ("printed", "printed.json", "release.pub", "release1.key"):
        _run("key", "certify", name, "--root-key", "root1.key", "-o", "own.cert")
        written = (desk / "own.cert").read_bytes()
        assert certificate.parse(written).release_public.hex() == shown["public_key"]


@pytest.mark.parametrize("content", [b"", b"\xff" * 56, b"00" * 56, b"[]", b'{"public_key": 5}', b"hello"])
def test_what_holds_no_public_key_costs_no_signature(desk, content):
    (desk / "other").write_bytes(content)
    with pytest.raises(NotAPublicKey, match="holds no public key"):
        _run("key", "certify", "other", "--root-key", "root1.key", "-o", "own.cert")
    assert lms_keys.state(desk / "root1.key").leaves_left == 1023 and not (desk / "own.cert").exists()


def test_a_root_is_not_certified_and_a_release_key_is_no_root(desk):
    with pytest.raises(NotAPublicKey, match="root key, not of a release key"):
        _run("key", "certify", "root1.key", "--root-key", "root1.key", "-o", "own.cert")
    with pytest.raises(NotAPublicKey, match="release key, not of a root key"):
        _run("build", "--role", "tag", "--root", "release1.key", "-o", "new.gnb")
    assert public_keys.read(desk / "root1.key", "root") == (desk / "root.pub").read_bytes()


def test_a_file_that_is_no_key_is_called_so_whoever_may_read_it(desk):
    (desk / "notes").write_text("{}")
    (desk / "notes").chmod(0o644)
    with pytest.raises(KeyFileError, match="is no key file"):
        _run("key", "show", "notes")
    (desk / "root1.key").chmod(0o640)
    with pytest.raises(KeyFileError, match="others may read"):
        _run("key", "show", "root1.key")


def test_advance_skips_signatures(desk):
    assert json.loads(_run("key", "advance", "root1.key", "--to", "8", "--json"))["leaves_left"] == 1016
    with pytest.raises(lms_keys.KeyRunsBackwards):
        _run("key", "advance", "root1.key", "--to", "7")


def test_every_command_and_option_has_chinese_help(chinese):
    for module in (options, bundle_key, command_module):
        importlib.reload(module)
    try:
        tree = typer.main.get_command(command_module.app)
        waiting, seen = [("bundle", tree)], 0
        while waiting:
            name, command = waiting.pop()
            assert any("一" <= sign <= "鿿" for sign in command.help), name
            for option in command.params:
                text = getattr(option, "help", None) or ""
                own = option.name in ("help", "install_completion", "show_completion")
                assert own or any("一" <= sign <= "鿿" for sign in text), f"{name} {option.name}: {text}"
                seen += 1
            waiting += getattr(command, "commands", {}).items()
        assert seen > 30
    finally:
        language.choose(None)
        for module in (options, bundle_key, command_module):
            importlib.reload(module)
