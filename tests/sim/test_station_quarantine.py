"""A real station's firmware on a virtual board, in quarantine: it waits as it is told, and comes back by itself."""

from groundnet.collector.stations import quarantine_store
from groundnet.image import firmware_image
from groundnet.sim.boardfs import BoardFs
from sim import update_rig as rig

MINUTE_S = 60


def test_a_station_in_quarantine_waits_and_comes_back_after_its_release(tmp_path):
    files = BoardFs(firmware_image.build("base", "heltec_v3"))
    rig.provision(files, collector_host="collector", wifi_name="shop", wifi_key="12345678")
    with rig.county("base", "heltec_v3", files, tmp_path) as county:
        server = county.collector
        county.serve()
        county.device.power_on()
        county.run(2 * MINUTE_S)
        assert "station_health" in server.requests
        quarantine_store.hold(
            county.database, rig.DEVICE_ID, "by_hand", "", county.now_ms(), "li", for_ever=True
        )
        county.run(2 * MINUTE_S)
        del server.requests[:]
        county.run(12 * MINUTE_S)
        assert server.requests == [], "what is refused does not reach the collector"
        rows = county.database.rows("SELECT count FROM station_refusals WHERE reason = 'in quarantine'")
        assert sum(row["count"] for row in rows) <= 2, "it asked once, and once more at the most"
        quarantine_store.release(county.database, rig.DEVICE_ID, county.now_ms(), "li")
        county.run(6 * MINUTE_S)
        assert server.requests[0] == "station_hello" and "station_health" in server.requests
        assert "Traceback" not in county.board.log
