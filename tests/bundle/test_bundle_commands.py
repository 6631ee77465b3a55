"""`groundnet bundle`: from building to verifying, and what its user reads."""

import json

import pytest
from bundle import quick_keys
from groundnet.bundle import verify
from groundnet.cli.bundle import app
from typer.testing import CliRunner


def _run(*arguments) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_build_certify_sign_verify_diff(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root_key, root = quick_keys.root(tmp_path)
    release_key, release = quick_keys.release(tmp_path)
    (tmp_path / "root.pub").write_bytes(root)
    (tmp_path / "release.pub").write_bytes(release)
    old, new, cert = (tmp_path / name for name in ("old.gnb", "new.gnb", "release.cert"))
    _run("build", "--role", "tag", "--version", "1.0.0", "-o", old)
    _run("build", "--role", "tag", "--version", "1.1.0", "--root", tmp_path / "root.pub", "-o", new)
    assert json.loads(_run("diff", old, new, "--json"))["entries"] == {"version": ["1.0.0", "1.1.0"]}
    assert "changed /trust.mpy" in _run("diff", old, new)
    _run("key", "certify", tmp_path / "release.pub", "--root-key", root_key, "-o", cert)
    _run("sign", new, "--key", release_key, "--certificate", cert)
    assert json.loads(_run("verify", new, "--root", tmp_path / "root.pub", "--json"))["signed"] is True
    with pytest.raises(verify.Downgraded):
        _run("verify", new, "--root", tmp_path / "root.pub", "--newer-than", "1")
    assert json.loads(_run("key", "show", release_key, "--json"))["leaves_left"] == 1023
