"""The collector of the story: what stops it from starting is told at once, in its own words."""

import pytest
from groundnet.collector.intake import collector_thread
from groundnet.database.store import StoreError


@pytest.mark.parametrize("spoiled", ["collector.db", "registry.db"])
def test_a_file_that_cannot_be_opened_is_named_without_waiting(tmp_path, monkeypatch, spoiled):
    monkeypatch.setattr(collector_thread, "START_TIMEOUT_S", 600.0)  # the test would hang on a wait
    (tmp_path / spoiled).write_text("not a database " * 100)
    with pytest.raises(StoreError, match=spoiled):
        collector_thread.CollectorThread(tmp_path / "collector.db", tmp_path / "registry.db", lambda: 0)
    assert sorted(path.name for path in tmp_path.glob("*-wal")) == []


def test_it_listens_until_it_is_closed_and_leaves_no_log(tmp_path):
    thread = collector_thread.CollectorThread(tmp_path / "collector.db", tmp_path / "registry.db", lambda: 0)
    assert thread.port
    thread.close()
    thread.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collector.db", "registry.db"]
