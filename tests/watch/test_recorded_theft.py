"""The page on a store that a real collector filled, from beacon to fix, during the virtual theft (theft.jsonl)."""

import json
import re
from pathlib import Path

import pytest
from asgi_browser import Browser
from groundnet.collector.database import Database
from groundnet.geodesy import distance_m
from groundnet.provision.registry import Record, Registry, Secret
from groundnet.watch import situation
from groundnet.watch.app import Options, Page
from groundnet.watch.desk import Desk

RECORDED = Path(__file__).with_name("theft.jsonl")  # made by tools/watch_fixture.py
AFTER_MS = 20_000


def read(path):
    """Rows by table, as dictionaries."""
    tables, table, columns = {}, "", []
    for line in map(json.loads, path.read_text("utf-8").splitlines()):
        if isinstance(line[1], list):
            table, columns = line
        else:
            values = [bytes.fromhex(one["hex"]) if isinstance(one, dict) else one for one in line]
            tables.setdefault(table, []).append(dict(zip(columns, values, strict=True)))
    return tables


@pytest.fixture(scope="module")
def tables():
    return read(RECORDED)


@pytest.fixture(scope="module")
def files(tables, tmp_path_factory):
    """Collector's and registry's."""
    folder = tmp_path_factory.mktemp("theft")
    database, registry = Database(folder / "collector.db"), Registry(folder / "registry.db")
    for row in tables["devices"]:
        who = row["device_id"], "", row["role"], "b", row["profile"], row["plate"]
        registry.reserve(Record(*who, None, "", "", 1, Secret(bytes(32))))
    with database.transaction():
        for table in tables.keys() - {"devices"}:
            for row in tables[table]:
                places = ", ".join("?" * len(row))
                database.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())
    database.close()
    registry.close()
    return folder / "collector.db", folder / "registry.db"


@pytest.fixture
def desk(files, tables):
    now_ms = max(row["received_ms"] for row in tables["beacons"]) + AFTER_MS
    opened = Desk(lambda: (Database(files[0]), Registry(files[1])), "root", lambda: now_ms)
    yield opened
    opened.close()


def test_tag_and_tracker_are_one_thing_near_where_the_tracker_last_saw_satellites(files, tables):
    database, registry = Database(files[0]), Registry(files[1])
    (thing,) = situation.sought(database, registry, tables["cases"][0]["opened_ms"] + AFTER_MS)
    place = situation.last_places(database, [thing])[thing.number]
    database.close()
    registry.close()
    last = [row for row in tables["fixes"] if row["source"] == "gnss"][-1]
    assert {record.role for record in thing.records} == {"tag", "tracker"}
    away_m = distance_m(place.lat, place.lon, last["lat"], last["lon"])
    assert away_m < place.radius_m + last["radius_m"] < 200


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Number of the theft report", "Lost mode on", "obeyed", "20 s ago")),
        ("zh", ("报案编号", "开启丢失模式", "已执行", "20 秒前")),
    ],
)
def test_the_story_is_told_in_both_languages(desk, tables, language, said):
    client = Browser(Page(desk, Options(language=language)).app, "http://127.0.0.1")
    first = client.get("/").text
    (link,) = set(re.findall(r'href="(/case/\d+)"', first))
    page = client.get(link).text
    assert all(
        words in page for words in (*said, tables["devices"][0]["plate"], tables["cases"][0]["document"])
    )
    assert page.count('class="fix gnss"') > 10 and page.count('class="fix sightings"') > 10
    assert first.count('class="station good"') == len(tables["stations"])


def test_what_is_downloaded_has_every_position_of_the_track(desk, tables):
    client = Browser(Page(desk, Options(language="en")).app, "http://127.0.0.1")
    number = tables["cases"][0]["case_id"]
    shown = int(re.search(r"(\d+) positions", client.get(f"/case/{number}").text)[1])
    features = json.loads(client.get(f"/case/{number}/track.geojson").text)["features"]
    points = [one for one in features if one["geometry"]["type"] == "Point"]
    assert len(points) == shown
