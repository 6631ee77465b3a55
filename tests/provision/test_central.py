"""What the centre can do with what its points told: resolve, find, open cases; and what it refuses."""

import json

import pytest
from groundnet.cli.case import app as case_app
from groundnet.cli.provision import app
from groundnet.cli.track import app as track_app
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.errors import GroundnetError
from groundnet.provision import arrivals, blocks, calls, central, document, outbox, point
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry
from groundnet.provision.vault import VaultLocked
from host.radio_senders import TagSender, ask, hello, sighting, sightings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from provision.county import CHEAP, PASSPHRASE, County, found

PLATE, PHONE = "云A12345", "+8613712345678"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return found(tmp_path_factory.mktemp("county"))


@pytest.fixture
def county(tmp_path, files):
    opened = County.in_folder(tmp_path, files)
    yield opened
    opened.close()


def deliver(county, name, personal=True, **options):
    return outbox.deliver(county.points[name], county.lines[name], county.tick, personal, **options)


def on_disk(county):
    return b"".join(path.read_bytes() for path in county.folder.glob("centre.db*"))


def the_device(county, number=1):
    record = county.centre.by_device(number.to_bytes(8, "big"))
    assert record is not None
    return record


def tokens_at(county):
    return county.centre.database.execute("SELECT count(*) FROM owner_tokens").fetchone()[0]


def run(program, county, *words, collector=False, passphrase=PASSPHRASE):
    """A command at the centre; what it said. An error is raised."""
    stores = ["--registry", str(county.folder / "centre.db")]
    stores += ["--database", str(county.folder / "collector.db")] if collector else []
    done = CliRunner().invoke(program, [*words, *stores], env={"GROUNDNET_PASSPHRASE": passphrase})
    if isinstance(done.exception, GroundnetError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_running_collector_learns_of_tags_of_all_points_and_of_one_that_was_bound_anew_elsewhere(county):
    collector = Collector(Database(county.folder / "collector.db"))
    devices = county.open("centre")

    def hear(number, counter):
        """A station hears the tag as the point wrote it; whether the collector knows whose beacon it is."""
        collector.learn((record.device_id, record.secret.reveal()) for record in devices.added())
        name = county.owner_of(number)
        record = county.points[name].by_device(number.to_bytes(8, "big"))
        data = TagSender(record.device_id, record.secret.reveal()).beacon(counter)
        now_ms = county.tick()
        ask(collector, sightings([sighting(data, now_ms)], first_sequence=counter), now_ms)
        return counter in counters()

    def counters():
        return [
            row["counter"] for row in collector.database.rows("SELECT counter FROM beacons ORDER BY counter")
        ]

    county.bind("north", 1)
    assert not hear(1, 16)
    deliver(county, "north", personal=False)
    assert hear(1, 17)
    assert counters() == [16, 17], "what was heard before the point told of the tag was kept"
    county.bind("south", 2)
    deliver(county, "south")
    assert hear(2, 18) and hear(1, 19)
    county.release("north", 1)
    county.bind("south", 1, "云A99999")
    deliver(county, "south")
    assert hear(1, 20), "the later binding counts before the first point has told that it let it go"
    deliver(county, "north")
    assert hear(1, 21)
    assert devices.added() == []
    devices.close()
    collector.database.close()


def test_cases_tracks_and_silence_work_at_the_centre(county):
    record = county.bind("north", 1, settings={"parked_interval_s": "600"})
    other = county.bind("north", 2, "云A54321")
    deliver(county, "north")
    collector = Collector(Database(county.folder / "collector.db"))
    collector.learn((one.device_id, one.secret.reveal()) for one in county.centre.added())
    ask(collector, hello(), county.now_ms)
    tags = [TagSender(one.device_id, one.secret.reveal()) for one in (record, other)]
    ask(collector, sightings([sighting(tag.beacon(40), county.now_ms) for tag in tags]), county.now_ms)
    collector.database.close()
    county.release("north", 2)
    deliver(county, "north")
    opening = ("open", PLATE, "--reason", "stolen", "--document", "A-7", "--json")
    (case,) = json.loads(run(case_app, county, *opening, collector=True))
    assert case["device_id"] == record.device_id.hex()
    place = json.loads(run(track_app, county, "云a·12345", "--json", collector=True))
    assert place["tags"] == [record.tag_id] and place["positions"] == 1
    assert county.centre.settings_of(record.device_id) == {"parked_interval_s": "600"}
    silent = json.loads(run(case_app, county, "silent", "--json", collector=True))
    assert [one["tag_id"] for one in silent] == [record.tag_id], "what was released is nobody's to miss"
    run(app, county, "token", PLATE)
    county.points["north"].keep_settings(record.device_id, {"region": "cn-gfsk"})
    deliver(county, "north")
    assert tokens_at(county) == 1
    county.forget("north", 1)
    deliver(county, "north")
    assert tokens_at(county) == 0, "the token was that owner's"
    with pytest.raises(GroundnetError, match="no device is known"):
        run(case_app, county, *opening, collector=True)


def test_owners_are_sealed_at_the_centre_and_leave_no_trace_once_they_are_forgotten(county):
    county.bind("north", 1)
    county.forget("north", 1)
    county.bind("north", 2)
    deliver(county, "north")
    assert the_device(county, 1).plate is None, "forgotten before it was told"
    assert (the_device(county, 2).plate, the_device(county, 2).owner_phone) == (PLATE, PHONE)
    assert PLATE.encode() not in on_disk(county) and PHONE.encode() not in on_disk(county)
    rows = county.centre.database.execute("SELECT owner FROM arrived UNION ALL SELECT owner FROM devices")
    kept = [row["owner"] for row in rows.fetchall() if row["owner"] is not None]
    issued = county.centre.database.execute("SELECT * FROM identities").fetchall()
    secrets = [county.centre.opened("secret", row["secret"], row) for row in issued]
    assert len(secrets) == 16 and not any(secret in on_disk(county) for secret in secrets)
    assert the_device(county, 2).secret.reveal() in secrets
    assert len(kept) == 2 and all(one in on_disk(county) for one in kept)
    county.forget("north", 2)
    assert deliver(county, "north", personal=False).sent == 1, "forgetting goes there unasked"
    assert the_device(county, 2).plate is None and not any(one in on_disk(county) for one in kept)
    actions = [entry.action for entry in Audit(county.centre).entries(the_device(county, 2).tag_id)]
    assert actions == ["arrive", "forget"]
    county.centre.lock()
    county.bind("north", 3)
    with pytest.raises(VaultLocked):
        deliver(county, "north")
    county.centre.unlock(PASSPHRASE)
    assert deliver(county, "north").sent == 1


def test_an_owner_can_be_told_later_and_stays_when_the_rest_is_told_without(county):
    county.bind("north", 1)
    deliver(county, "north", personal=False)
    assert the_device(county).plate is None
    assert deliver(county, "north", everything=True).sent == 1
    assert the_device(county).plate == PLATE
    county.points["north"].keep_settings((1).to_bytes(8, "big"), {"region": "cn-gfsk"})
    deliver(county, "north", personal=False)
    assert the_device(county).plate == PLATE
    county.release("north", 1)
    county.bind("north", 1, "云A99999")
    deliver(county, "north", personal=False)
    assert the_device(county).plate is None, "another binding is another owner"


def test_a_centre_that_was_brought_back_from_an_old_copy_is_told_everything_again(county, files):
    county.bind("north", 1)
    county.bind("south", 2)
    for name in ("north", "south"):
        deliver(county, name)
    county.centre.close()
    for path in county.folder.glob("centre.db*"):
        path.unlink()
    (county.folder / "centre.db").write_bytes(files["centre"])
    county.centre = county.open("centre")
    for name in ("north", "south"):
        assert deliver(county, name).sent == 0
        assert deliver(county, name, everything=True).sent == 1
    assert county.known() == county.expected() and len(county.known()) == 2


def test_a_point_that_was_brought_back_from_an_old_copy_gives_no_id_away_twice_unseen(county, files):
    county.bind("north", 1)
    deliver(county, "north")
    county.points["north"].close()
    for path in county.folder.glob("north.db*"):
        path.unlink()
    (county.folder / "north.db").write_bytes(files["north"])
    county.points["north"] = county.open("north")
    county.bind("north", 7)
    assert set(deliver(county, "north").refused.values()) == {"this tag id is another device's"}
    assert the_device(county).state == "synced" and county.centre.by_device((7).to_bytes(8, "big")) is None


def test_a_point_tells_of_its_own_tags_only(county):
    county.bind("north", 1)
    county.lines["north"].name = "south"
    (why,) = deliver(county, "north").refused.values()
    assert why == document.OTHERS_BLOCK
    assert list(county.centre.devices()) == []
    stranger = Registry(county.folder / "stranger.db")
    county.points["stranger"], county.lines["stranger"] = stranger, county.lines["south"]
    stranger.database.execute("INSERT INTO blocks VALUES ('00', '', 'issued', 1, 1000, 1)")
    county.bind("stranger", 9)
    assert deliver(county, "stranger").sent == 1, "kept, though nobody here could resolve it"
    (one,) = arrivals.arrivals(county.centre)
    assert not one.secret_known and list(county.centre.devices()) == []


def test_a_device_of_the_centre_itself_is_not_changed_by_a_point(county):
    county.bind("north", 1)
    records = [one.document() for one in outbox.waiting(county.points["north"])]
    county.points["centre"] = county.centre
    county.bind("centre", 1)
    answer = arrivals.take(county.centre, "north", records, county.tick())
    assert list(answer["refused"].values()) == ["the central registry bound this device itself"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NASTY = st.sampled_from(("\ud800", "\0", "x" * 41, "云", ""))
VALUES = ANYTHING | NASTY | st.dictionaries(st.sampled_from(("region", "\ud800")), NASTY, max_size=2)
FIELDS = ("operation", "tag_id", "device_id", "role", "board", "profile", "handed_over_ms", "revision", "state",
          "settings", "forgotten", "subject", "owner_phone", "consent", "more")  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"subject": "\ud800"}, None)
@example({"settings": {"region": "\0"}}, None)
@example({"operation": "\ud800"}, {"blocks": [{"first": 1e400}], "free": -1})
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2), VALUES)
def test_whatever_a_point_says_the_others_are_served(county, changes, status):
    """A record that raised would come again for ever, and hold up what is behind it."""
    if not outbox.waiting(county.points["north"]):
        county.bind("north", 1)
        county.bind("north", 2)
    for number in (1, 2):  # a revision that the centre has not seen
        county.points["north"].keep_settings(number.to_bytes(8, "big"), {"region": "eu868"})
    first, second = (one.document(True) for one in outbox.waiting(county.points["north"]))
    body = json.dumps({"records": [first | changes, second], "point": status}).encode()
    try:
        records, told = central.read_message(body)
    except central.Malformed:
        return
    answer = central.keep(county.centre, "north", records, told, county.tick())
    assert second["operation"] in (*answer["accepted"], *answer["known"])
    json.dumps(answer, ensure_ascii=False).encode()


def test_records_and_points_are_listed_and_who_runs_out_of_identities_is_told(county):
    first = county.bind("north", 1)
    county.bind("south", 2, "云A54321")
    for name in ("north", "south"):
        deliver(county, name)
    listed = json.loads(run(app, county, "central", "list", "--json"))
    assert [(one["point"], one["plate"], one["state"], one["secret_known"]) for one in listed] == [
        ("north", PLATE, "handed_over", True),
        ("south", "云A54321", "handed_over", True),
    ]
    assert len(json.loads(run(app, county, "central", "list", "--point", "south", "--json"))) == 1
    for query in (first.tag_id, first.tag_id.lower(), PLATE, first.device_id.hex()):
        (shown,) = json.loads(run(app, county, "central", "show", query, "--json"))
        assert shown["tag_id"] == first.tag_id
    (north,) = json.loads(run(app, county, "central", "show", "north", "--json"))
    assert (north["left"], north["devices"], north["waiting"], north["few_left"]) == (7, 1, 0, True)
    assert [(block["count"], block["used"]) for block in north["blocks"]] == [(8, 1)]
    states = json.loads(run(app, county, "central", "points", "--few", "7", "--json"))
    assert [(one["point"], one["few_left"]) for one in states] == [("north", False), ("south", False)]
    text = run(app, county, "central", "list") + run(app, county, "central", "points")
    assert first.tag_id in text and "north" in text and "7 !" in text
    with pytest.raises(GroundnetError, match="no device is known as 'west'"):
        run(app, county, "central", "show", "west")


def test_a_point_that_never_called_is_listed_by_what_was_issued_to_it(county):
    registry = Registry(county.folder / "west.db")
    mine = point.init(registry, "west", PASSPHRASE, 1, cost=CHEAP)
    registry.close()
    text = blocks.issue(county.centre, mine, 60, county.tick())
    states = {state.point: state for state in calls.points(county.centre)}
    assert (states["west"].last_ms, states["west"].left, states["west"].few()) == (None, 60, False)
    output = str(county.folder / "again.json")
    words = ("issue", "--again", blocks.describe(text).block_id, "-o", output, "--json")
    assert json.loads(run(app, county, *words))["count"] == 60


def test_the_key_of_a_centre_is_written_for_its_points(county):
    output = county.folder / "county.pub"
    told = json.loads(run(app, county, "central", "key", "-o", str(output), "--json"))
    assert json.loads(output.read_text())["centre"] == told["centre"] and len(told["centre"]) == 16
    assert run(app, county, "central", "key") == output.read_text()
