"""L76K model: its dialect, its starts, its sky, its power states."""

from pathlib import Path

import pytest
from groundnet.sim.chips.l76k import L76k
from groundnet.sim.chips.l76k_sentences import body_of, recorded_epochs, sentence
from groundnet.sim.geodesy import distance_m
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import Line, Uart
from groundnet.sim.sky import NONE, OPEN, URBAN, Journey, Sky
from groundnet.sim.world import World

GPX = Path(__file__).resolve().parents[2] / "host/groundnet/sim/theft/data/around-visnjan-with-car.gpx"
START_MS = 1_608_272_150_000  # 2020-12-18T06:15:50Z, the first point of the recording


class Rig:
    def __init__(self, journey: Journey | None = None, recording: bytes | None = None, wakeup: int = 1):
        self.world = World(4, START_MS)
        self.uart = Uart(1 << 20)
        self.uart.baudrate = 9600
        self.sky = Sky(self.world, "bike", journey or Journey.parked(25.5, 103.8, 1900))
        self.wakeup, self.reset = Line("wakeup", wakeup), Line("reset", 1)
        self.power = PowerAccount(self.world)
        self.chip = L76k(
            self.world, "bike", self.uart, self.sky, self.power, self.wakeup, self.reset, recording
        )
        self.uart.attach(self.chip)

    def run(self, seconds: float) -> list[str]:
        """Bodies of the sentences that arrived."""
        self.uart.received.clear()
        self.world.run_for(int(seconds * 1e6))
        lines = bytes(self.uart.received).splitlines()
        return [body for line in lines if (body := body_of(line)) is not None]

    def until_fix(self, limit_s: int = 400) -> int:
        """Seconds until RMC says A; -1 when it does not within the limit."""
        for second in range(limit_s):
            if any(body.startswith("GNRMC") and ",A," in body for body in self.run(1)):
                return second
        return -1

    def command(self, body: str) -> None:
        self.uart.transmit(sentence(body))


def position(body: str) -> tuple[float, float]:
    """Latitude and longitude of a GGA."""
    fields = body.split(",")
    lat = int(fields[2][:2]) + float(fields[2][2:]) / 60
    lon = int(fields[4][:3]) + float(fields[4][3:]) / 60
    return (lat if fields[3] == "N" else -lat), (lon if fields[5] == "E" else -lon)


def test_before_the_time_is_known():
    rig = Rig()
    bodies = rig.run(2)
    assert "GNGGA,,,,,,0,00,25.5,,,,,," in bodies
    assert "GNRMC,,V,,,,,,,,,,N,V" in bodies
    assert "GPTXT,01,01,01,ANTENNA OK" in bodies


def test_checksum_of_a_recorded_sentence():
    assert sentence("GPTXT,01,01,01,ANTENNA OK") == b"$GPTXT,01,01,01,ANTENNA OK*35\r\n"


@pytest.mark.parametrize("view, fastest, slowest", [(OPEN, 43, 52), (URBAN, 86, 104)])
def test_a_cold_start(view, fastest, slowest):
    rig = Rig()
    rig.sky.set_view(0, view)
    assert fastest <= rig.until_fix() <= slowest


def test_without_sky_there_is_never_a_fix():
    rig = Rig()
    rig.sky.set_view(0, NONE)
    assert rig.until_fix(300) == -1


def test_standby_keeps_the_ephemerides_for_four_hours():
    rig = Rig()
    rig.until_fix()
    rig.run(60)
    rig.wakeup.drive(0)
    assert rig.run(3600) == []
    rig.wakeup.drive(1)
    assert 5 <= rig.until_fix() <= 8
    rig.wakeup.drive(0)
    rig.run(5 * 3600)
    rig.wakeup.drive(1)
    assert 25 <= rig.until_fix() <= 33


def test_timed_standby_ends_by_itself():
    rig = Rig()
    rig.run(3)
    rig.command("PCAS12,60")
    assert rig.run(58) == []
    assert rig.run(5) != []
    rig.command("PCAS12,60")
    rig.wakeup.drive(0)
    assert rig.run(300) == [], "WAKEUP low holds it"


def test_restarts_and_reset():
    rig = Rig()
    rig.until_fix()
    rig.run(60)
    for command, fastest, slowest in (("PCAS10,0", 5, 8), ("PCAS10,1", 25, 33), ("PCAS10,2", 43, 52)):
        rig.command(command)
        assert fastest <= rig.until_fix() <= slowest
        rig.run(40)
    rig.reset.drive(0)
    rig.run(0.2)
    rig.reset.drive(1)
    assert 43 <= rig.until_fix() <= 52


def test_sentence_selection_and_bad_checksums():
    rig = Rig()
    rig.command("PCAS03,1,0,1,0,1,0,0,0,0,0,,,0,0")
    rig.run(1)
    kinds = {body.split(",")[0] for body in rig.run(10)}
    assert kinds == {"GNGGA", "GNGSA", "GNRMC"}
    rig.uart.transmit(b"$PCAS03,0,0,0,0,0,0,0,0*00\r\n")
    assert {body.split(",")[0] for body in rig.run(10)} == kinds


def test_baud_rate_must_match():
    rig = Rig()
    rig.uart.baudrate = 115200
    assert rig.run(5) == [] and len(rig.uart.received) > 0
    rig.uart.baudrate = 9600
    rig.command("PCAS01,5")
    rig.uart.baudrate = 115200
    rig.run(1)
    assert rig.run(5) != []


def test_a_parked_receiver_wanders_a_few_metres():
    rig = Rig()
    rig.until_fix()
    rig.run(60)
    places = [position(body) for body in rig.run(1800) if body.startswith("GNGGA")]
    errors = [distance_m(lat, lon, 25.5, 103.8) for lat, lon in places]
    assert 0.5 < max(errors) < 10
    moving = [body for body in rig.run(600) if body.startswith("GNRMC") and float(body.split(",")[7]) > 0.8]
    assert moving == [], "static navigation holds the speed near zero"


def test_a_recorded_journey_is_followed():
    rig = Rig(Journey.from_gpx(GPX.read_text(), START_MS))
    rig.until_fix()
    rig.run(30)
    for _ in range(20):
        gga = [body for body in rig.run(10) if body.startswith("GNGGA")][-1]
        lat, lon = position(gga)
        clock = gga.split(",")[1]
        second = int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:6])
        time_us = (second - START_MS // 1000 % 86_400) * 1_000_000
        true_lat, true_lon, _ = rig.sky.journey.position(time_us)
        assert distance_m(lat, lon, true_lat, true_lon) < 10


def test_a_tunnel_loses_the_fix_and_the_other_end_gives_it_back():
    rig = Rig()
    rig.until_fix()
    rig.run(40)
    now_us = rig.world.now_us
    rig.sky.set_view(now_us + 5_000_000, NONE)
    rig.sky.set_view(now_us + 65_000_000, OPEN)
    rig.run(8)
    inside = rig.run(50)
    assert all(",V," in body for body in inside if body.startswith("GNRMC"))
    rig.run(7)
    assert 0 <= rig.until_fix(10) <= 5


def test_a_recording_is_played_second_by_second():
    log = b"# comment\n" + b"".join(
        sentence(f"GNGGA,12000{second}.000,,,,,0,00,25.5,,,,,,") + sentence("GNRMC,,V,,,,,,,,,,N,V")
        for second in range(3)
    )
    assert len(recorded_epochs(log)) == 3
    rig = Rig(recording=log)
    assert len(rig.run(2.5)) == 4 and len(rig.run(5)) == 2


def test_current_per_state():
    rig = Rig()
    rig.until_fix()
    before = rig.power.charge_uas()["gnss", "tracking"]
    rig.run(1000)
    assert rig.power.charge_uas()["gnss", "tracking"] - before == pytest.approx(29_000 * 1000, rel=0.01)
    rig.wakeup.drive(0)
    rig.run(1000)
    assert rig.power.charge_uas()["gnss", "standby"] == pytest.approx(20 * 1000, rel=0.01)


def test_standby_costs_no_events():
    rig = Rig(wakeup=0)
    assert rig.world.next_event_us() is None
