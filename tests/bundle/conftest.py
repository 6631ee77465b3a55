"""Makes `import groundcore` work, and gives every test a folder of its own for the marks of keys."""

import pytest
from groundnet.sim import groundcore_runtime

groundcore_runtime.load("lms")


@pytest.fixture(autouse=True)
def own_marks(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
