"""From an install point to the central registry over real HTTPS: whatever is cut, each record exactly once."""

import json
import random

import pytest
from groundnet.cli.provision import app
from groundnet.provision import arrivals, outbox
from groundnet.provision.audit import Audit
from groundnet.provision.point import init as seal
from groundnet.provision.record import Record, RegistryError
from groundnet.provision.registry import Registry, Secret
from groundnet.provision.tokens import TokenFile, Tokens, TokensError
from groundnet.provision.uplink import CentralError, Uplink
from groundnet.provision.vault import Cost
from typer.testing import CliRunner

from provision.central_rig import TOKENS, Central, CutLine, write_certificate

PASSPHRASE = "seven tired horses"
NOW_MS = 1_800_000_000_000


def point(folder, name="registry", count=7, first=1):
    """A registry with devices that were handed over, and one that is still being written."""
    registry = Registry(folder / f"{name}.db")
    if first > 1:  # its numbers are not those of another one
        registry.database.execute("INSERT INTO blocks VALUES ('00', '', 'issued', 1, ?, 1)", (first - 1,))
    for number in range(first, first + count + 1):
        add(registry, number, "handed_over" if number < first + count else "verified")
    return registry


def add(registry, number, state="handed_over"):
    device_id, operation = number.to_bytes(8, "big"), f"{number:016x}"
    draft = Record(
        device_id,
        "",
        "tag",
        "xiao_c3_sx1262",
        "vehicle",
        f"云A{number:05d}",
        None,
        "reserved",
        operation,
        1,
        Secret(bytes([number]) * 32),
    )
    registry.reserve(draft)
    registry.advance(device_id, state, operation, 1_000 + number)


def states(registry):
    return [record.state for record in registry.devices()]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def central(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Central(tmp_path, certificate) as running:
        yield running


def deliver(registry, url, certificate, token=TOKENS["point-a"], **options):
    with Uplink(url, token, certificate[0], timeout_s=5.0) as uplink:
        return outbox.deliver(registry, uplink, lambda: NOW_MS, **options)


def test_what_is_handed_over_arrives_once_and_is_synced(tmp_path, central, certificate, monkeypatch):
    monkeypatch.setattr(outbox, "BATCH_RECORDS", 3)
    registry = point(tmp_path)
    delivery = deliver(registry, central.url, certificate)
    assert (delivery.sent, delivery.known, delivery.refused) == (7, 0, {})
    assert states(registry) == ["synced"] * 7 + ["verified"]
    assert central.operations() == [("point-a", f"{number:016x}") for number in range(1, 8)]
    assert deliver(registry, central.url, certificate).sent == 0
    text = (tmp_path / "central.db").read_bytes()
    assert b"\x01" * 32 not in text and "云A00001".encode() not in text  # neither secrets nor owners


def test_the_line_is_cut_after_any_part_of_it_and_nothing_is_lost_or_doubled(tmp_path, central, certificate):
    registry = point(tmp_path)
    line = CutLine(central.port)
    deliver(point(tmp_path, "other", 7, 100), line.url, certificate, TOKENS["point-b"])
    whole = dict(line.carried)
    cuts = [("up", share * whole["up"] // 12) for share in range(12)]
    cuts += [("down", share * whole["down"] // 12) for share in range(12)]
    for way, limit in cuts:
        line.limits = {"up": None, "down": None, way: limit}
        with pytest.raises(CentralError) as caught:
            deliver(registry, line.url, certificate)
        assert caught.value.passing
        assert states(registry) == ["handed_over"] * 7 + ["verified"]
    line.limits = {"up": None, "down": None}
    delivery = deliver(registry, line.url, certificate)
    line.close()
    assert delivery.known == 7  # an answer was cut, not the records: they had arrived, once
    mine = [operation for name, operation in central.operations() if name == "point-a"]
    assert mine == [f"{number:016x}" for number in range(1, 8)]
    assert states(registry) == ["synced"] * 7 + ["verified"]


class Crash(Exception):
    """The process is killed between the answer and the note of it."""


def test_a_crash_before_the_answer_is_noted_sends_again_and_counts_once(tmp_path, central, certificate):
    class Dies(Registry):
        def advance(self, device_id, state, operation, now_ms, *rest, **named):
            if state == "synced" and device_id[-1] == 5:
                raise Crash
            return super().advance(device_id, state, operation, now_ms, *rest, **named)

    point(tmp_path).close()
    dying = Dies(tmp_path / "registry.db")
    with pytest.raises(Crash):
        deliver(dying, central.url, certificate)
    dying.close()
    registry = Registry(tmp_path / "registry.db")
    delivery = deliver(registry, central.url, certificate)
    assert (delivery.sent, delivery.known) == (0, 7)
    assert len(central.operations()) == 7


def test_a_wrong_token_is_told_and_changes_nothing(tmp_path, central, certificate):
    registry = point(tmp_path)
    with pytest.raises(CentralError) as caught:
        deliver(registry, central.url, certificate, "token-of-nobody-at-all")
    assert not caught.value.passing and "token" in caught.value.cause
    assert central.operations() == [] and "synced" not in states(registry)


def test_a_centre_whose_disk_is_full_keeps_nothing_by_half_and_the_point_keeps_everything(
    tmp_path, certificate, monkeypatch
):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    registry = point(tmp_path, count=60)

    def fill(centre):
        (pages,) = centre.database.execute("PRAGMA page_count").fetchone()
        centre.database.execute(f"PRAGMA max_page_count = {pages + 4}")

    with Central(tmp_path, certificate, fill) as full:
        with pytest.raises(CentralError, match="disk may be full; nothing is lost") as caught:
            deliver(registry, full.url, certificate)
        assert caught.value.passing and full.operations() == []
    assert len(outbox.waiting(registry)) == 60
    with Central(tmp_path, certificate) as roomy:
        assert deliver(registry, roomy.url, certificate).sent == 60


def test_a_centre_that_nobody_has_unlocked_takes_no_owners(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    centre = Registry(tmp_path / "central.db")
    seal(centre, "county", PASSPHRASE, 1, own_ids=True, cost=Cost(8, 1, 1))
    centre.close()
    registry = point(tmp_path, count=2)
    with Central(tmp_path, certificate) as locked, pytest.raises(CentralError, match="nobody has unlocked"):
        deliver(registry, locked.url, certificate, personal=True)
    assert len(outbox.waiting(registry)) == 2
    with Central(tmp_path, certificate, lambda opened: opened.unlock(PASSPHRASE)) as unlocked:
        assert deliver(registry, unlocked.url, certificate, personal=True).sent == 2


@pytest.mark.parametrize("days", [1, -1])
def test_a_certificate_of_another_or_one_that_is_over_is_not_spoken_to(
    tmp_path, central, certificate, days, monkeypatch
):
    registry = point(tmp_path)
    other = write_certificate(tmp_path, "other", days=days)
    with pytest.raises(CentralError) as caught:
        deliver(registry, central.url, other)
    assert not caught.value.passing and "certificate is not trusted" in caught.value.cause
    assert central.operations() == []
    if days < 0:
        (tmp_path / "over").mkdir()
        with Central(tmp_path / "over", other) as over, pytest.raises(CentralError, match="expired"):
            deliver(registry, over.url, other)


def test_a_certificate_for_another_host_is_not_spoken_to(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    elsewhere = write_certificate(tmp_path, "elsewhere", host="127.0.0.9")
    with Central(tmp_path, elsewhere) as running, pytest.raises(CentralError, match="not trusted"):
        deliver(point(tmp_path), running.url, elsewhere)


def test_nothing_is_sent_in_the_clear(tmp_path):
    with pytest.raises(CentralError, match="https"):
        Uplink("http://127.0.0.1:1", "x")


def test_a_record_that_is_known_otherwise_is_refused_and_does_not_hold_up_the_rest(
    tmp_path, central, certificate
):
    registry = point(tmp_path, count=3)
    deliver(registry, central.url, certificate)
    registry.close()
    (tmp_path / "restored").mkdir()
    restored = point(tmp_path / "restored", count=4)
    restored.database.execute("UPDATE devices SET profile = 'sentry', state = 'handed_over' WHERE number = 1")
    delivery = deliver(restored, central.url, certificate)
    assert (delivery.sent, delivery.known) == (1, 2)
    assert delivery.refused == {f"{1:016x}": "the same revision is known with other values"}
    assert states(restored) == ["handed_over", "synced", "synced", "synced", "verified"]
    assert len(central.operations()) == 4
    cause = outbox.refused(delivery).cause
    assert f"{1:016x}" in cause and "同一修订号已有不同内容" in cause.zh


def test_messages_that_are_too_large_are_halved(tmp_path, central, certificate, monkeypatch):
    monkeypatch.setattr("groundnet.provision.central.MOST_RECORDS", 2)
    assert deliver(point(tmp_path), central.url, certificate).sent == 7
    assert len(central.operations()) == 7


def test_owner_data_leaves_only_when_asked_for(tmp_path, central, certificate):
    registry = point(tmp_path, count=1)
    deliver(registry, central.url, certificate, personal=True)
    assert central.told()[0].document.owner["subject"] == "云A00001"


@pytest.mark.parametrize(
    "change",
    [
        {"tag_id": "GN-00001"},
        {"device_id": "0" * 15},
        {"operation": "../../etc"},
        {"handed_over_ms": True},
        {"handed_over_ms": -1},
        {"secret": "00" * 32},
        {"subject": "x" * 41},
        {"state": "stolen"},
        {"forgotten": 1},
        {"revision": "7"},
        {"settings": {"region": 7}},
        {"settings": ["region"]},
    ],
)
def test_a_record_of_another_form_is_refused_and_the_others_are_kept(tmp_path, change):
    centre = Registry(tmp_path / "central.db")
    records = [one.document() for one in outbox.waiting(point(tmp_path, count=2))]
    answer = arrivals.take(centre, "point-a", [{**records[0], **change}, "no record", records[1]], NOW_MS)
    assert answer["accepted"] == [records[1]["operation"]]
    assert len(answer["refused"]) == 2


def test_waits_grow_to_a_quarter_of_an_hour_and_heed_the_server():
    draw = random.Random(1)
    waits = [outbox.pause_s(failures, None, draw) for failures in range(1, 2000)]
    assert all(0.5 <= wait <= outbox.LONGEST_WAIT_S for wait in waits)
    assert waits[0] <= 1.0 and min(waits[12:]) >= outbox.LONGEST_WAIT_S / 2
    assert outbox.pause_s(1, 120.0, draw) == 120.0


@pytest.mark.parametrize(
    "text", ["", "a\n", "a short\n", f"a {'t' * 16}\nb {'t' * 16}\n", f"a {'t' * 16} x\n"]
)
def test_a_file_of_tokens_that_cannot_be_used_is_told(tmp_path, text):
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(TokensError):
        Tokens.read(tmp_path / "tokens")


def test_a_line_taken_out_of_the_file_of_tokens_shuts_its_point_out_at_once(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# points\ndealer 12 {'t' * 16}\nnorth {'n' * 16}\n")
    tokens = TokenFile(path)
    assert tokens.point_of("Bearer " + "t" * 16) == "dealer 12", "a name may have spaces"
    path.write_text(f"north {'n' * 16}\n")
    assert (tokens.point_of("Bearer " + "t" * 16), tokens.point_of("bearer " + "n" * 16)) == (None, "north")
    path.write_text("north short\n")
    with pytest.raises(TokensError):
        tokens.point_of("Bearer " + "n" * 16)


def sync(registry_path, url, certificate, *options):
    (registry_path.parent / "token").write_text(TOKENS["point-a"] + "\n")
    arguments = ["sync", "--to", url, "--token-file", str(registry_path.parent / "token"), "--json"]
    arguments += ["--ca", str(certificate[0]), "--registry", str(registry_path)]
    return CliRunner().invoke(app, [*arguments, *options])


def test_the_command_sends_once_and_then_has_nothing_to_send(tmp_path, central, certificate):
    point(tmp_path, count=2).close()
    first, second = (sync(tmp_path / "registry.db", central.url, certificate) for _ in range(2))
    assert json.loads(first.stdout) == {"sent": 2, "known": 0, "left": 0, "refused": {}, "free": None}
    assert json.loads(second.stdout)["sent"] == 0
    registry = Registry(tmp_path / "registry.db")
    assert [entry.action for entry in Audit(registry).entries()].count("synced") == 2
    registry.close()


def test_the_command_tries_again_and_then_says_that_nothing_is_lost(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pauses = []
    monkeypatch.setattr("groundnet.cli.provision_sync.time.sleep", pauses.append)
    point(tmp_path, count=2).close()
    result = sync(tmp_path / "registry.db", "https://127.0.0.1:1", certificate)
    assert "nothing is lost" in result.exception.action
    assert len(pauses) == 3 and pauses == sorted(pauses)


def test_a_watch_outlasts_weeks_offline_and_sends_when_the_line_is_back(
    tmp_path, central, certificate, monkeypatch
):
    class Enough(Exception):
        """The test has seen what it wanted."""

    line = CutLine(central.port)
    line.limits["up"] = 0
    passed_s = []

    def sleep(duration_s):
        passed_s.append(duration_s)
        if sum(passed_s) > 3 * 7 * 86_400:
            line.limits["up"] = None
        if central.operations():
            raise Enough

    monkeypatch.setattr("groundnet.cli.provision_sync.time.sleep", sleep)
    monkeypatch.setattr(outbox, "LONGEST_WAIT_S", 86_400.0)  # fewer of them in a test
    point(tmp_path, count=2).close()
    result = sync(tmp_path / "registry.db", line.url, certificate, "--watch")
    line.close()
    assert isinstance(result.exception, Enough)
    assert result.stderr.count("not reached") == 1  # an offline week is one line
    assert len(central.operations()) == 2 and len(passed_s) > 20


def test_the_receiver_says_what_is_wrong_with_its_certificate(tmp_path, certificate):
    (tmp_path / "tokens").write_text("point-a " + TOKENS["point-a"])
    options = ["--tokens", str(tmp_path / "tokens"), "--registry", str(tmp_path / "central.db")]
    files = ["--cert", str(certificate[0]), "--key", str(certificate[0])]  # a certificate in place of the key
    result = CliRunner().invoke(app, ["central", "serve", "--listen", "127.0.0.1:0", *options, *files])
    assert "cannot be used" in result.exception.cause


def test_a_sealed_registry_syncs_without_the_passphrase_and_keeps_owners_to_itself(
    tmp_path, central, certificate
):
    registry = point(tmp_path, count=2)
    seal(registry, "dealer 12", PASSPHRASE, 1, own_ids=True, cost=Cost(8, 1, 1))
    registry.lock()
    assert deliver(registry, central.url, certificate).sent == 2
    assert states(registry) == ["synced", "synced", "verified"]
    assert Audit(registry).verify()
    add_sealed = Registry(tmp_path / "registry.db")
    add_sealed.unlock(PASSPHRASE)
    add(add_sealed, 9)
    with pytest.raises(RegistryError, match="sealed"):
        deliver(registry, central.url, certificate, personal=True)
    assert deliver(add_sealed, central.url, certificate, personal=True).sent == 1
    subjects = [(one.document.owner or {}).get("subject") for one in central.told()]
    assert subjects == [None, None, "云A00009"]
