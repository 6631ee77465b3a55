"""One tag and the collector that knows it, on each engine."""

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector

from host.radio_senders import TagSender


@pytest.fixture
def tag():
    return TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))


@pytest.fixture
def collector(store_at, tag):
    database = Database(store_at("collector.db"))
    yield Collector(database, [(tag.device_id, tag.secret)])
    database.close()
