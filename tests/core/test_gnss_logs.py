"""The reader agrees with gpsd on recordings of real receivers, however the stream is cut."""

import json
from pathlib import Path

import pytest
from groundcore.gnss import GnssReader
from groundnet.cli import gnss
from groundnet.errors import GroundnetError
from groundnet.sim import gnss_log
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

DATA = Path(__file__).parent / "data" / "gnss"
LOGS = sorted(DATA.glob("*.log"))
TOLERANCE_DEG = 2e-6
KEYS = {"time", "lat", "lon", "speed_mps", "course_deg", "quality", "sats", "hdop"}


def gpsd_epochs(log: Path) -> dict[str, list[tuple[float, float]]]:
    """Positions that gpsd reported for each time."""
    epochs = {}
    for line in log.with_name(log.name + ".chk").read_text().splitlines():
        report = json.loads(line)
        if report["mode"] >= 2 and {"time", "lat", "lon"} <= report.keys():
            epochs.setdefault(report["time"], []).append((report["lat"], report["lon"]))
    return epochs


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_agrees_with_gpsd(log):
    ours = {fix["time"]: fix for fix in gnss_log.read_fixes(log)}
    theirs = gpsd_epochs(log)
    assert theirs
    assert theirs.keys() <= ours.keys()
    for time, positions in theirs.items():
        for lat, lon in positions:
            assert ours[time]["lat"] == pytest.approx(lat, abs=TOLERANCE_DEG)
            assert ours[time]["lon"] == pytest.approx(lon, abs=TOLERANCE_DEG)
    # gpsd has to learn a receiver's order of sentences first, so it may miss the first epoch, and the last
    assert len(ours) <= len(theirs) + 2


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_speed_agrees_with_gpsd(log):
    speeds = {}
    for line in log.with_name(log.name + ".chk").read_text().splitlines():
        report = json.loads(line)
        if "speed" in report and "time" in report:
            speeds.setdefault(report["time"], set()).add(report["speed"])
    stated = [fix for fix in gnss_log.read_fixes(log) if fix["speed_mps"] is not None]
    for fix in stated:
        # gpsd takes VTG in km/h where one follows, which is rounded elsewhere than RMC in knots
        assert min(abs(fix["speed_mps"] - speed) for speed in speeds.get(fix["time"], {0})) < 0.06


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_cutting_the_stream_changes_nothing(sizes):
    stream = b"".join(gnss_log.recorded_lines(DATA / "quectel-L70.log"))
    whole = GnssReader()
    expected = whole.feed(stream) + whole.flush()
    reader = GnssReader()
    fixes = ()
    position = 0
    while position < len(stream):
        size = sizes[position % len(sizes)]
        fixes += reader.feed(stream[position : position + size])
        position += size
    assert fixes + reader.flush() == expected


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_garbage_costs_at_most_the_sentences_it_hits(garbage, at):
    stream = b"".join(gnss_log.recorded_lines(DATA / "quectel-eg25-g-2.log"))
    at = min(at, len(stream))
    reader = GnssReader()
    fixes = reader.feed(stream[:at] + garbage + stream[at:]) + reader.flush()
    assert {fix.utc_s for fix in fixes} <= {1663650827, 1663650828, 1663650829}
    assert len(fixes) >= 2  # of three epochs at most the one with the date can be lost


def test_comments_are_skipped_and_binary_that_looks_like_one_is_not(tmp_path):
    sentence = b"$GPRMC,102127.000,A,5129.0623,N,00632.2911,E,0.33,30.68,210211,,,A*51\r\n"
    log = tmp_path / "a.log"
    log.write_bytes(b"# noted: " + sentence)
    assert list(gnss_log.read_fixes(log)) == []
    log.write_bytes(b"#\xff\x00" + sentence)
    assert [fix["lat"] for fix in gnss_log.read_fixes(log)] == [51.4843717]


def test_micropython_reads_the_same():
    log = DATA / "ublox-8.log"  # it begins with binary garbage and ends within a sentence
    assert list(gnss_log.read_fixes(log, "micropython")) == list(gnss_log.read_fixes(log))


def test_the_command_prints_a_line_for_each_epoch():
    log = DATA / "mtk-3329.log"
    done = CliRunner().invoke(gnss.app, [str(log)])
    assert done.exit_code == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == list(gnss_log.read_fixes(log))
    missing = CliRunner().invoke(gnss.app, ["missing.log"])
    assert isinstance(missing.exception, GroundnetError)


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_line_ends_are_any_and_nothing_is_lost_without_a_word(tmp_path, log):
    data, copy = log.read_bytes(), tmp_path / "copy.log"
    copy.write_bytes(data)
    tally = gnss_log.Tally()
    fixes = list(gnss_log.read_fixes(copy, tally=tally))
    lines = data.replace(b"\r\n", b"\n")
    for form in (lines, lines.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + data, b"\x00\xff" * 500 + data):
        copy.write_bytes(form)
        again = gnss_log.Tally()
        assert list(gnss_log.read_fixes(copy, tally=again)) == fixes
        assert again.accepted == tally.accepted
    damaged = bytearray(data)
    damaged[data.rindex(b"*") - 1] ^= 1
    copy.write_bytes(damaged)
    list(gnss_log.read_fixes(copy, tally=again))
    assert again.accepted + again.rejected == tally.accepted + tally.rejected
    assert again.rejected == tally.rejected + 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(LOGS),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=30),
)
def test_whatever_a_log_lost_the_command_ends_in_order(tmp_path_factory, log, kept, damage):
    data = bytearray(log.read_bytes()[:20_000])
    del data[round(kept * len(data)) :]
    for where, byte in damage:
        if data:
            data[int(where * (len(data) - 1))] = byte
    copy = tmp_path_factory.getbasetemp() / "damaged.log"
    copy.write_bytes(data)
    done = CliRunner().invoke(gnss.app, [str(copy)])
    assert done.exit_code == 0 or isinstance(done.exception, GroundnetError)
    for line in done.stdout.splitlines():
        assert set(json.loads(line)) == KEYS


@pytest.mark.parametrize("data", [b"", b"hello\n", b"<gpx></gpx>", bytes(range(256)), b"$GPGGA,1,2\r\n"])
def test_what_is_no_log_is_said_to_be_none(tmp_path, data):
    (tmp_path / "x.log").write_bytes(data)
    done = CliRunner().invoke(gnss.app, [str(tmp_path / "x.log")])
    assert "no sound NMEA sentence" in str(done.exception)


@pytest.fixture
def damaged(tmp_path):
    """A log in which one digit is another."""
    log = tmp_path / "damaged.log"
    log.write_bytes((DATA / "mtk-3329.log").read_bytes().replace(b",N,", b",S,", 1))
    return log


def test_left_out_sentences_are_counted_beside_the_output(damaged):
    done = CliRunner().invoke(gnss.app, [str(damaged)])
    assert done.exit_code == 0
    assert "were damaged or had no checksum" in done.stderr
    assert all(line.startswith("{") for line in done.stdout.splitlines())


def test_a_file_without_lines_comes_in_pieces(tmp_path):
    sentence = b"$GPRMC,102127.000,A,5129.0623,N,00632.2911,E,0.33,30.68,210211,,,A*51\r\n"
    for begin in (b"A" * 200_000, b"# a comment of one long line " * 9000):
        (tmp_path / "x.log").write_bytes(begin + b"\n" + sentence)
        pieces = list(gnss_log.recorded_lines(tmp_path / "x.log"))
        assert max(map(len, pieces)) <= 65_536
        assert pieces[-1] == sentence
        assert len(pieces) == (5 if begin.startswith(b"A") else 1)
        assert len(list(gnss_log.read_fixes(tmp_path / "x.log"))) == 1


def test_both_runtimes_count_alike(damaged):
    counted = [gnss_log.Tally(), gnss_log.Tally()]
    for interpreter, tally in zip(gnss_log.RUNTIMES, counted, strict=True):
        list(gnss_log.read_fixes(damaged, interpreter, tally))
    assert counted[0] == counted[1]
    assert counted[0].rejected == 1


def test_unknown_runtime_is_named(tmp_path):
    with pytest.raises(GroundnetError, match="no runtime cobol; name one of"):
        gnss_log.read_fixes(LOGS[0], "cobol")


def test_every_key_of_a_record():
    fix = next(iter(gnss_log.read_fixes(DATA / "quectel-L70.log")))
    assert fix == {
        "time": "2022-03-09T15:01:19.000Z",
        "lat": 51.0680983,
        "lon": -114.095645,
        "speed_mps": 0.046,
        "course_deg": 194.17,
        "quality": 2,
        "sats": 8,
        "hdop": 0.94,
    }
