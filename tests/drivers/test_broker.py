"""Devices whose collector is behind an MQTT broker: firmware on the board, a real broker, the real collector."""

import pytest
from drivers.test_apps import GUARDED, SECRET, UNIQUE_ID, Rig
from groundnet.collector.database import Database
from host.broker_thread import BrokerThread

DEVICE_ID = UNIQUE_ID.rjust(8, b"\x00")
BROKER = {"collector_host": "mqtt://broker.county", "collector_port": "1883"}


@pytest.fixture
def device(tmp_path):
    """Makes a device of a role that reaches the broker; the collector knows its secret."""
    broker = BrokerThread(tmp_path / "collector.db", [(DEVICE_ID, SECRET)])
    rigs = []

    def make(role: str, changed: dict) -> Rig:
        rigs.append(Rig(role, changed=changed | BROKER))
        rigs[-1].network.route_to_broker("broker.county", 1883, "127.0.0.1", broker.port)
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.close()
        assert "Traceback" not in rig.board.log
    broker.close()


def rows(tmp_path, question: str) -> list:
    database = Database(tmp_path / "collector.db")
    found = database.rows(question)
    database.close()
    return found


def test_a_station_greets_and_tells_its_health_over_wi_fi_and_a_broker(device, tmp_path):
    device("base", {"wifi_name": "shop", "wifi_key": "12345678"}).run(100)
    (station,) = rows(tmp_path, "SELECT * FROM stations")
    assert station["station_id"] == DEVICE_ID and "uptime_s" in station["health"]


def test_a_tracker_delivers_its_signed_reports_over_a_modem_and_a_broker(device, tmp_path):
    device("tracker", GUARDED).run(600)
    reports = rows(tmp_path, "SELECT sequence FROM reports ORDER BY sequence")
    assert [row["sequence"] for row in reports] == list(range(1, len(reports) + 1)) and reports
    assert rows(tmp_path, "SELECT * FROM fixes WHERE source = 'gnss'")
    assert rows(tmp_path, "SELECT * FROM rejects") == []
