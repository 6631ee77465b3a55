"""The main job through its command: found, told, and the same again from the same seed."""

import csv
import json
import re
import signal
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from groundnet.collector.database import Database
from groundnet.sim.theft.record import Place, TheftRecord

ARTEFACTS = ("report.html", "map.svg", "track.gpx", "track.csv")


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """The same story played twice, side by side: (printed text, folder) of each."""
    runs = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("demo")
        command = [
            sys.executable,
            "-m",
            "groundnet.cli.main",
            "sim",
            "theft",
            "--seed",
            "7",
            "--out",
            str(folder),
        ]
        runs.append(
            (subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), folder)
        )
    results = []
    for process, folder in runs:
        printed, complaint = process.communicate(timeout=400)
        assert process.returncode == 0, complaint
        results.append((printed, folder))
    return results


def test_the_bike_is_found_and_the_story_is_told_in_order(two_runs):
    printed, _ = two_runs[0]
    chapters = (
        "provisioned",
        "parks the bike",
        "is over: no alarm",
        "siren",
        "reports the theft",
        "lost mode",
        "truth",
    )
    places = [printed.index(chapter) for chapter in chapters]
    assert places == sorted(places)


def test_the_night_was_quiet_and_the_owner_got_a_map_link(two_runs):
    printed, _ = two_runs[0]
    night, _, chase = printed.partition("lifts the bike")
    assert "sounds" not in night and "alarm at the collector" not in night
    assert re.search(r"mlat=45\.27\d+&mlon=13\.7\d+", chase)


def test_the_same_seed_gives_the_same_files(two_runs):
    (first_text, first), (second_text, second) = two_runs
    assert first_text.replace(str(first), "") == second_text.replace(str(second), "")
    for name in ARTEFACTS:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_report_fetches_nothing_and_holds_map_timeline_and_battery(two_runs):
    page = (two_runs[0][1] / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="http', page)
    for part in ('class="map"', 'class="route"', "<h2>Timeline</h2>", "mAh", "verdict good"):
        assert part in page
    ElementTree.parse(two_runs[0][1] / "map.svg")


def test_the_tracks_hold_fixes_cells_and_sightings(two_runs):
    folder = two_runs[0][1]
    with (folder / "track.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"gnss", "cell", "sightings"}
    points = ElementTree.parse(folder / "track.gpx").findall(".//{http://www.topografix.com/GPX/1/1}trkpt")
    assert len(points) == len(rows)


def test_the_collector_of_the_story_answers_track_and_keeps_the_look_up(two_runs):
    folder = two_runs[0][1]
    command = [sys.executable, "-m", "groundnet.cli.main", "track", "云A12345", "--json"]
    files = ["--database", str(folder / "collector.db"), "--registry", str(folder / "registry.db")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=True)
    place = json.loads(done.stdout)
    database = Database(folder / "collector.db")
    rows = [dict(row) for row in database.rows("SELECT what, granted FROM lookups")]
    database.close()
    assert rows and all(row == {"what": "track", "granted": 1} for row in rows if row["what"] != "case open")
    assert abs(place["lat"] - 45.27333) < 0.002 and abs(place["lon"] - 13.71400) < 0.002


def ended(distance_m, false_alarms):
    place = Place(100, 45.0, 13.0)
    return TheftRecord(1, 0, 50, 100, [place], answer=place, distance_m=distance_m, false_alarms=false_alarms)


@pytest.mark.parametrize(
    ("distance_m", "false_alarms", "why"),
    [(10.0, 0, None), (10.0, 2, "2 false alarms"), (151.0, 0, "not found"), (None, 0, "not found")],
)
def test_a_story_ends_well_only_when_the_bike_is_found_and_the_night_was_quiet(distance_m, false_alarms, why):
    failure = ended(distance_m, false_alarms).failure
    assert failure is None if why is None else why in failure
    assert ended(distance_m, false_alarms).summary()["failure"] == failure


def test_a_story_that_is_ended_leaves_no_log_and_the_cells_of_the_folder_alone(tmp_path):
    (tmp_path / "cells.csv").write_text("mine")
    command = [sys.executable, "-m", "groundnet.cli.main", "sim", "theft", "--json", "--out", str(tmp_path)]
    play = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = next(line for line in play.stderr if "parks the bike" in line)  # the install point is done
    play.send_signal(signal.SIGTERM)
    printed, complaint = play.communicate(timeout=100)
    assert play.returncode == 130, complaint
    assert told and printed == "" and "Traceback" not in complaint
    assert (tmp_path / "cells.csv").read_text() == "mine"
    assert list(tmp_path.glob("*-wal")) == []
