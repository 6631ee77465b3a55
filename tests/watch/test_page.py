"""The operators' page as a browser asks for it: what is shown to whom, what is written down, what is refused."""

import json
import re

import pytest
from asgi_browser import Browser
from groundnet.collector.casework.cases import close_cases, open_cases
from groundnet.collector.outbound import orders
from groundnet.collector.stations import quarantine
from groundnet.collector.stations.quarantine_store import hold, release
from groundnet.database.store import StoreError
from groundnet.watch.app import COOKIE, Options, Page
from groundnet.watch.desk import LOOK_MS
from groundnet.watch.map_svg import Style

from watch.conftest import MINUTE_MS, NAME, PIN, PRIVATE, TAG, TRACKER


@pytest.fixture
def browser(desk):
    """A browser on the page; the desk is opened with it."""
    made = []

    def open_browser(**options):
        made.append(desk())
        return Browser(Page(made[-1], Options(language="en", **options)).app, "http://127.0.0.1")

    return open_browser


def token(client, path="/"):
    return re.search(r'name="token" value="(\w+)"', client.get(path).text)[1]


def send(client, path, **fields):
    return client.post(path, data={"token": token(client), **fields})


def test_without_a_case_nothing_is_shown_but_stations(county, browser):
    page = browser().get("/").text
    assert "No case is open" in page and "3c71bf0000b00001" in page and "-112 dBm" in page
    assert "云A12345" not in page and "云B77777" not in page
    assert county.looks() == []


def test_an_open_case_is_shown_with_its_place_and_the_look_is_written_down_once(county, browser):
    number = county.steal()
    client = browser()
    page = client.get("/").text
    assert "云A12345" in page and "± " in page and f'href="/case/{number}"' in page
    assert "云B77777" not in page, "nobody may look at that one"
    for _ in range(3):
        client.get("/part")
    assert county.looks() == [("root", TAG, "watch", 1), ("root", TRACKER, "watch", 1)]
    county.now_ms += LOOK_MS
    client.get("/part")
    assert len(county.looks()) == 4
    assert PRIVATE not in {device for _, device, _, _ in county.looks()}


def test_a_case_that_is_opened_anew_is_another_look(county, browser):
    county.steal()
    client = browser()
    client.get("/")
    close_cases(county.database, [TAG, TRACKER], "found", county.now_ms)
    county.steal()
    client.get("/part")
    assert [device for _, device, _, _ in county.looks()] == [TAG, TRACKER, TAG, TRACKER]


def test_the_track_of_a_case_with_slider_and_downloads(county, browser):
    number = county.steal()
    client = browser()
    page = client.get(f"/case/{number}").text
    assert page.count("data-t=") > 10 and 'type="range"' in page and "2026-118" in page
    for form, begin in (("gpx", "<?xml"), ("csv", "time,lat"), ("geojson", "{")):
        answer = client.get(f"/case/{number}/track.{form}")
        assert answer.text.startswith(begin) and "25.09" in answer.text
        assert answer.headers["content-disposition"].endswith(f'.{form}"')
        assert answer.headers["cache-control"] == "no-store"
    assert client.get(f"/case/{number}/track.exe").status_code == 404
    client.get(f"/case/{number}/track.gpx")
    looked = [what for _, device, what, _ in county.looks() if device == TAG]
    downloads = ["download gpx", "download csv", "download geojson", "download gpx"]
    assert looked == ["watch track", *downloads], "each download is written down"


def test_a_download_is_wgs84_whatever_the_map_shows(county, browser):
    number = county.steal()
    client = browser(style=Style(lambda lat, lon: (lat + 1, lon + 1)))
    told = client.get(f"/case/{number}/track.csv").text
    assert "Z,25.09" in told and "Z,26.09" not in told


def test_a_case_that_is_closed_disappears_at_once_also_from_an_open_page(county, browser):
    number = county.steal()
    client = browser()
    assert client.get(f"/case/{number}/part").status_code == 200
    close_cases(county.database, [TAG, TRACKER], "found", county.now_ms)
    assert client.get(f"/case/{number}/part").status_code == 204
    answer = client.get(f"/case/{number}")
    assert answer.status_code == 404 and "no open case" in answer.text and "25.09" not in answer.text
    assert client.get(f"/case/{number}/track.gpx").status_code == 404
    assert "云A12345" not in client.get("/part").text


def test_a_case_is_opened_ordered_about_and_closed(county, browser):
    client = browser()
    opened = send(client, "/case", tag="云A12345", document="2026-9", reason="stolen", reporter="li")
    assert opened.status_code == 303
    where = opened.headers["location"]
    assert send(client, f"{where}/order", command="siren-on").headers["location"] == where
    commands = [
        row["command"] for row in county.database.rows("SELECT command FROM orders ORDER BY order_id")
    ]
    assert len(commands) == 4, "lost mode and siren, for tag and tracker"
    page = client.get(f"{where}/part").text
    assert page.count("waiting for the device") == 4 and "Siren on" in page and "Lost mode on" in page
    assert send(client, f"{where}/close", outcome="found").headers["location"] == "/"
    (case, other) = county.database.rows("SELECT * FROM cases ORDER BY case_id")
    assert (case["document"], case["reporter"], case["outcome"], other["outcome"]) == (
        "2026-9",
        "li",
        "found",
        "found",
    )
    assert orders.waiting(county.database, county.now_ms)


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/case", {"tag": "云X00000", "document": "1", "reason": "r", "reporter": "l"}, "no device is known"),
        ("/case/99/close", {"outcome": "found"}, "no open case"),
        ("/case/99/order", {"command": "siren-on"}, "no open case"),
        ("/case/1/order", {"command": "fly"}, "there is no order"),
    ],
)
def test_what_cannot_be_done_says_why(county, browser, path, fields, said):
    county.steal()
    answer = send(browser(), path, **fields)
    assert answer.status_code == 400 and said in answer.text


def test_people_sign_in_and_what_they_look_at_is_theirs(county, browser):
    county.hire()
    number = county.steal()
    client = browser()
    assert "云A12345" not in client.get("/").text
    assert client.get("/part").status_code == 401
    assert client.get(f"/case/{number}/track.gpx").status_code == 401
    assert "PIN is wrong" in send(client, "/sign-in", name=NAME, pin="0000").text
    assert send(client, "/sign-in", name=NAME, pin=PIN).status_code == 303
    assert "云A12345" in client.get("/").text
    assert {who for who, _, _, _ in county.looks()} == {NAME}
    assert send(client, "/sign-out").status_code == 303
    assert client.get("/part").status_code == 401


def test_polling_keeps_no_session_alive(county, browser):
    county.hire()
    client = browser()
    send(client, "/sign-in", name=NAME, pin=PIN)
    for _ in range(4):
        county.now_ms += 4 * MINUTE_MS
        status = client.get("/part").status_code
    assert status == 401, "a quarter of an hour without a hand on it"


def test_many_wrong_pins_lock_the_name_out(county, browser):
    county.hire()
    client = browser()
    for _ in range(5):
        send(client, "/sign-in", name=NAME, pin="0000")
    assert "too many wrong PINs" in send(client, "/sign-in", name=NAME, pin=PIN).text


def test_forms_need_their_token_and_their_own_page(county, browser):
    county.steal()
    client = browser()
    assert client.post("/case/1/close", data={"token": "x" * 64, "outcome": "found"}).status_code == 403
    good = token(client)
    foreign = client.post(
        "/case/1/close", data={"token": good, "outcome": "x"}, headers={"origin": "http://evil.example"}
    )
    assert foreign.status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    assert county.database.row("SELECT closed_ms FROM cases")["closed_ms"] is None


def test_nothing_is_fetched_from_elsewhere_unless_tiles_are_set(county, browser):
    county.steal()
    plain, tiled = (
        browser(),
        browser(style=Style(tiles="https://t.example/{z}/{x}/{y}"), images="https://t.example"),
    )
    policy = plain.get("/").headers["content-security-policy"]
    assert "img-src 'self';" in policy and "unsafe" not in policy
    assert "img-src 'self' https://t.example;" in tiled.get("/").headers["content-security-policy"]
    page = plain.get("/case/1").text
    assert "https://" not in page and " style=" not in page and "<script>" not in page
    assert COOKIE in plain.cookies


def test_a_station_that_tells_of_a_fault_is_not_working(county, browser):
    told = {"faults": [{"part": "radio", "text": "no answer"}], "lost": 0, "supply_mv": 4900}
    county.database.run("UPDATE stations SET health = ?", json.dumps(told))
    page = browser().get("/").text
    assert re.findall(r'class="mark (\w+)"', page) == ["faulty", "late"]
    assert "radio: no answer, 4900 mV" in page and "0 lost" not in page


def test_a_station_in_quarantine_is_first_and_says_why(county, browser):
    row = county.database.row("SELECT station_id FROM stations ORDER BY station_id DESC")
    hold(county.database, bytes(row["station_id"]), quarantine.FLOOD, "", county.now_ms)
    page = browser().get("/").text
    assert re.findall(r'class="mark (\w+)"', page)[0] == "held"
    assert "tells more than its radio can hear" in page
    release(county.database, bytes(row["station_id"]), county.now_ms, "operator")
    assert 'class="mark held"' not in browser().get("/").text


def test_what_is_old_says_so(county, browser):
    client = browser()
    page = client.get("/").text
    assert "No station has been heard" not in page and "newest word: 0 s ago" in page
    county.now_ms += 16 * MINUTE_MS
    assert "No station has been heard for a while" in client.get("/").text


def test_the_page_speaks_chinese(county, browser):
    county.steal()
    client = browser()
    answer = send(client, "/language", language="zh", back="/case/1")
    assert answer.headers["location"] == "/case/1"
    page = client.get("/case/1").text
    assert 'lang="zh-CN"' in page and "立即定位" in page and "Locate" not in page
    assert send(client, "/language", language="zh", back="https://evil.example/").headers["location"] == "/"


def test_names_are_escaped(county, browser):
    county.database.run(
        "UPDATE stations SET health = ?", json.dumps({"noise_dbm": "<b>1</b>", "queued": "<i>"})
    )
    page = browser().get("/").text
    assert "<b>1</b>" not in page and "<i>" not in page


def test_a_store_that_fails_is_named_and_the_page_goes_on_when_it_works_again(county, browser, monkeypatch):
    number = county.steal()
    client = browser()

    def fails(*_):
        raise StoreError("the store is away", "start it again")

    with monkeypatch.context() as broken:
        broken.setattr("groundnet.watch.situation.sought", fails)
        answers = [client.get(path) for path in ("/", "/part", f"/case/{number}/track.gpx")]
    assert [(one.status_code, "the store is away" in one.text) for one in answers] == [(503, True)] * 3
    assert "云A12345" in client.get("/part").text


def test_with_many_cases_places_come_a_few_at_a_time(county, browser, monkeypatch):
    monkeypatch.setattr("groundnet.watch.desk.PLACES_AT_ONCE", 1)
    open_cases(county.database, [PRIVATE], "owner", "2026-2", "stolen", county.now_ms)
    county.steal()
    client = browser()
    counts = [client.get("/part").text.count('class="last"') for _ in range(3)]
    assert counts == [1, 2, 2]
