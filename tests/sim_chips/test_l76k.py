"""L76K model: its dialect, its starts, its sky, its states."""

from pathlib import Path

import pytest
from groundnet.geodesy import distance_m
from groundnet.sim import gnss_log
from groundnet.sim.chips.l76k_sentences import body_of, sentence
from groundnet.sim.sky import NONE, OPEN, URBAN
from sim_chips.l76k_rig import LAT, LON, Rig, kinds, place

LOG = Path(__file__).resolve().parents[1] / "core/data/gnss/quectel-l76k-nmea.log"
COLD_S, WARM_S, HOT_S = range(30, 53), range(20, 32), range(4, 8)


# --- dialect


def test_a_cold_start_says_what_real_ones_say():
    raw = Rig().run_raw(2)
    for line in (  # known answers, checksums included
        b"$GPTXT,01,01,02,MA=CASIC*27",
        b"$GPTXT,01,01,01,ANTENNA OK*35",
        b"$GNGGA,,,,,,0,00,25.5,,,,,,*64",
        b"$GNGLL,,,,,,V,N*7A",
        b"$GNRMC,,V,,,,,,,,,,N,V*37",
        b"$GNVTG,,,,,,,,,N*2E",
        b"$GNZDA,,,,,,*56",
    ):
        assert line + b"\r\n" in raw


def test_a_fix_has_the_shape_of_the_recorded_receiver():
    rig = Rig()
    rig.until_fix()
    recorded = {}
    for line in gnss_log.recorded_lines(LOG):
        body = body_of(line)
        if body is not None:
            recorded.setdefault(body.split(",")[0], shape(body))
    for body in rig.run(5):
        if body.split(",")[0] in ("GNGGA", "GNGLL", "GNRMC", "GNVTG", "GNZDA", "GPTXT"):
            assert shape(body) == recorded[body.split(",")[0]]


def shape(body: str) -> list[tuple[bool, int]]:
    """Per field: whether it is empty, and how many decimals it has."""
    return [(field == "", len(field.partition(".")[2])) for field in body.split(",")]


def test_all_sentences_fit_into_a_second_at_9600_baud():
    rig = Rig()
    rig.until_fix()
    assert sum(body.startswith("GNRMC") for body in rig.run(60)) in (59, 60)
    rig.command("PCAS02,200")
    assert sum(body.startswith("GNRMC") for body in rig.run(60)) < 120, "five epochs a second do not fit"
    rig.command("PCAS03,0,0,0,0,1,0,0,0")
    rig.run(1)
    assert sum(body.startswith("GNRMC") for body in rig.run(60)) in range(298, 302)


def test_sentence_selection():
    rig = Rig()
    rig.command("PCAS03,1,0,1,0,1,0,5,0,0,0,,,0,0")
    rig.run(1)
    bodies = rig.run(50)
    assert kinds(bodies) == {"GNGGA", "GNGSA", "GNRMC", "GNZDA"}
    assert sum(body.startswith("GNZDA") for body in bodies) == 10
    rig.command("PCAS03,,,0")
    rig.run(1)
    assert kinds(rig.run(10)) == {"GNGGA", "GNRMC", "GNZDA"}, "an empty field leaves a sentence as it was"


@pytest.mark.parametrize(
    "line",
    [
        b"$PCAS03,0,0,0,0,0,0,0,0*00\r\n",
        b"PCAS10,2\r\n",
        sentence("PCAS01"),
        sentence("PCAS04,9"),
        sentence("PCAS12,65536"),
        sentence("PCAS12,-1"),
        b"\xff" * 500 + b"\r\n",
    ],
)
def test_what_is_no_command_changes_nothing(line):
    rig, undisturbed = Rig(), Rig()
    assert rig.run_raw(1) == undisturbed.run_raw(1)
    rig.uart.transmit(line)
    assert rig.run_raw(60) == undisturbed.run_raw(60)


def test_it_is_deaf_while_it_starts():
    rig = Rig()
    rig.run(0.1)
    rig.uart.transmit(sentence("PCAS03,0,0,0,0,0,0,0,0"))
    assert len(kinds(rig.run(5))) > 5


def test_baud_rate_must_match():
    rig = Rig()
    rig.uart.baudrate = 115200
    raw = rig.run_raw(5)
    assert raw and not any(body_of(line) for line in raw.splitlines())
    rig.uart.baudrate = 9600
    rig.command("PCAS01,5")
    rig.uart.baudrate = 115200
    rig.run(1)
    assert "GNRMC" in kinds(rig.run(5))


# --- starts and sky


@pytest.mark.parametrize("view, pace", [(OPEN, 1), (URBAN, 2)])
def test_a_cold_start_takes_its_time(view, pace):
    rig = Rig()
    rig.sky.cover(view, 0)
    assert rig.until_fix() // pace in COLD_S


def test_without_sky_there_is_never_a_fix():
    rig = Rig()
    rig.sky.cover(NONE, 0)
    assert rig.until_fix(300) == -1 and rig.fixes(10) == []


def test_standby_keeps_the_ephemerides_for_four_hours():
    rig = Rig()
    rig.until_fix()
    rig.wakeup.drive(0)
    assert rig.run_raw(3600) == b""
    rig.wakeup.drive(1)
    assert rig.until_fix() in HOT_S
    rig.wakeup.drive(0)
    rig.run(5 * 3600)
    rig.wakeup.drive(1)
    assert rig.until_fix() in WARM_S


@pytest.mark.parametrize(
    "command, expected_s",
    [("PCAS10,0", HOT_S), ("PCAS10,1", WARM_S), ("PCAS10,2", COLD_S), ("PCAS10,3", COLD_S)],
)
def test_restart_commands(command, expected_s):
    rig = Rig()
    rig.command("PCAS03,,,,0")
    rig.until_fix()
    rig.command(command)
    assert rig.until_fix() in expected_s
    assert ("GPGSV" in kinds(rig.run(5))) == (command == "PCAS10,3"), "only that one forgets the settings"


def test_a_tunnel_loses_the_fix_and_the_other_end_gives_it_back():
    rig = Rig()
    rig.until_fix()
    now_ms = rig.world.unix_ms
    rig.sky.cover(NONE, now_ms + 5_000, now_ms + 65_000)
    rig.run(8)
    inside = [body for body in rig.run(50) if body.startswith("GNRMC")]
    assert len(inside) >= 49 and all(",V," in body for body in inside)
    rig.run(7)
    assert rig.until_fix(10) in range(6)


def test_the_first_fixes_are_the_worst():
    first_m, later_m = 0.0, 0.0
    for seed in range(8):
        rig = Rig(seed=seed)
        rig.until_fix()
        first_m += distance_m(LAT, LON, *place(rig.fixes(2)[0]))
        rig.run(60)
        later_m += distance_m(LAT, LON, *place(rig.fixes(2)[0]))
    assert first_m > 2 * later_m


# --- states


def test_timed_standby_ends_by_itself_unless_wakeup_holds_it():
    rig = Rig()
    rig.run(3)
    rig.command("PCAS12,60")
    assert rig.run_raw(58) == b"" and rig.run(5) != []
    rig.command("PCAS12,60")
    rig.wakeup.drive(0)
    assert rig.world.next_event_us() is None, "standby costs no events"
    assert rig.run_raw(300) == b""


def test_a_part_may_ignore_timed_standby_but_not_the_pin():
    rig = Rig(timed_standby=False)
    rig.command("PCAS12,60")
    assert rig.run(10) != []
    rig.wakeup.drive(0)
    assert rig.run_raw(10) == b""


def test_standby_and_off_cost_no_events():
    rig = Rig(wakeup=0)
    assert rig.world.next_event_us() is None
    rig.wakeup.drive(1)
    rig.run(1.3)  # in the middle of a sentence
    rig.chip.power_off()
    assert rig.world.next_event_us() is None and rig.power.current_ua() == 0
    rig.wakeup.drive(0)
    rig.wakeup.drive(1)
    assert rig.run_raw(5) == b"", "without supply no pin wakes it"


def test_reset_needs_its_time_and_forgets_everything():
    rig = Rig()
    rig.until_fix()
    rig.reset.drive(0)
    rig.run(0.05)
    rig.reset.drive(1)
    assert rig.until_fix() == 0, "a short pulse is none"
    rig.reset.drive(0)
    rig.run(0.2)
    assert rig.run_raw(10) == b"", "it is held"
    rig.reset.drive(1)
    assert rig.until_fix() in COLD_S


def test_current_per_state():
    rig = Rig()
    needed_s = rig.until_fix()
    before = rig.power.charge_uas()
    assert before["gnss", "acquiring"] == pytest.approx(40_000 * needed_s, rel=0.05)
    rig.run(1000)
    tracked = rig.power.charge_uas()["gnss", "tracking"] - before["gnss", "tracking"]
    assert tracked == pytest.approx(29_000 * 1000)
    rig.wakeup.drive(0)
    rig.run(1000)
    assert rig.power.charge_uas()["gnss", "standby"] == pytest.approx(20 * 1000)
