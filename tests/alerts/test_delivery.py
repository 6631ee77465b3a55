"""From what the collector holds to a message that arrived: each beginning once queued, sent at least once."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import json
import os
import pty
import threading

import pytest
from groundnet.alerts import post, rule_book, watch
from groundnet.alerts.mail import Mail, MailServer
from groundnet.alerts.post import DeliveryError, Message
from groundnet.alerts.rules import RuleError, checked
from groundnet.alerts.service import one_round
from groundnet.alerts.settings import AlertSettingsError, senders
from groundnet.alerts.sms_modem import SmsModem
from groundnet.alerts.webhook import Webhook

from alerts.conftest import DEVICE_ID

NOW_MS = 1_800_000_000_000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


def beacon(database, at_ms, counter=1, flags=0, battery=10):
    database.run(
        "INSERT INTO beacons (device_id, counter, time_ms, flags, battery, received_ms) VALUES (?, ?, ?, ?, ?, ?)",
        DEVICE_ID,
        counter,
        at_ms,
        flags,
        battery,
        at_ms,
    )


def wanted(registry, kind, contact, **parameters):
    records = [registry.by_device(DEVICE_ID)]
    (made,) = rule_book.add(registry, records, kind, checked(kind, parameters), contact, "zh", NOW_MS)
    return made


def queue(database):
    return [(row["kind"], row["state"], row["tries"]) for row in database.rows("SELECT * FROM alert_queue")]


def play(database, registry, ways, at_ms):
    return asyncio.run(one_round(database, lambda: rule_book.rules(registry), ways, lambda: at_ms))


def message(contact):
    return Message(7, contact, "moved", "GN-00012", "GN-00012 移动了，11-23 08:00", "zh", NOW_MS)


def test_each_beginning_is_queued_once_however_often_it_is_looked(database, registry):
    rule = wanted(registry, "moved", "tel:+8613800000000")
    assert watch.look(database, [rule], NOW_MS) == 0
    beacon(database, NOW_MS, flags=1)
    assert [watch.look(database, [rule], NOW_MS + at) for at in (0, 1000, 2000)] == [1, 0, 0]
    later_ms = NOW_MS + HOUR_MS
    assert watch.look(database, [rule], later_ms) == 0
    beacon(database, later_ms, counter=2, flags=1)
    assert watch.look(database, [rule], later_ms) == 1
    assert [kind for kind, _, _ in queue(database)] == ["moved", "moved"]


def test_every_kind_is_seen_in_the_store(database, registry):
    rules = [
        wanted(registry, "left", "tel:+8613800000000", lat=25.0, lon=103.0, radius_m=500),
        wanted(registry, "battery", "tel:+8613800000000", percent=20),
        wanted(registry, "silent", "tel:+8613800000000", hours=2),
    ]
    beacon(database, NOW_MS)
    assert watch.look(database, rules, NOW_MS) == 0
    database.run(
        "INSERT INTO fixes VALUES (?, ?, 25.1, 103.0, 20.0, 'gnss', NULL, NULL)", DEVICE_ID, NOW_MS + 1
    )
    assert watch.look(database, rules, NOW_MS + 1) == 1
    database.run("INSERT INTO batteries VALUES (?, ?, 3300, 15)", DEVICE_ID, NOW_MS + 2)
    assert watch.look(database, rules, NOW_MS + 2) == 1
    assert watch.look(database, rules, NOW_MS + 2 * HOUR_MS + 1) == 1
    assert [kind for kind, _, _ in queue(database)] == ["left", "battery", "silent"]


def test_a_webhook_gets_the_message_and_a_receiver_can_check_it(web):
    Webhook(b"key")(message(f"http://127.0.0.1:{web.server_port}/hook"))
    ((path, headers, body),) = web.taken
    assert path == "/hook"
    assert json.loads(body) == {
        "alert": 7,
        "kind": "moved",
        "tag": "GN-00012",
        "text": "GN-00012 移动了，11-23 08:00",
        "time_ms": NOW_MS,
    }
    assert headers["X-Groundnet-Signature"] == "sha256=" + hmac.new(b"key", body, hashlib.sha256).hexdigest()


def test_what_fails_is_tried_again_later_and_later_and_arrives(database, registry, web):
    wanted(registry, "moved", f"http://127.0.0.1:{web.server_port}/hook")
    web.answers = [500, 302]
    beacon(database, NOW_MS, flags=1)
    ways = {"https": Webhook()}
    assert "answered 500" in play(database, registry, ways, NOW_MS)[0]
    assert play(database, registry, ways, NOW_MS + MINUTE_MS - 1) == []
    assert "answered 302" in play(database, registry, ways, NOW_MS + MINUTE_MS)[0]
    assert play(database, registry, ways, NOW_MS + 2 * MINUTE_MS) == []
    assert play(database, registry, ways, NOW_MS + 3 * MINUTE_MS) == []
    assert queue(database) == [("moved", "sent", 3)]
    assert len(web.taken) == 3
    assert play(database, registry, ways, NOW_MS + 9 * MINUTE_MS) == [] and len(web.taken) == 3


def test_two_collectors_never_send_the_same_at_the_same_time(database, registry):
    rule = wanted(registry, "moved", "tel:+8613800000000")
    beacon(database, NOW_MS, flags=1)
    watch.look(database, [rule], NOW_MS)
    known = {rule.rule_id: rule}
    assert len(post.due(database, known, NOW_MS)) == 1
    assert post.due(database, known, NOW_MS) == []
    assert len(post.due(database, known, NOW_MS + post.LEASE_MS)) == 1, "the first one died over it"


def test_an_alert_of_yesterday_is_given_up(database, registry):
    rule = wanted(registry, "moved", "tel:+8613800000000")
    beacon(database, NOW_MS, flags=1)
    watch.look(database, [rule], NOW_MS)
    assert post.due(database, {rule.rule_id: rule}, NOW_MS + post.GIVEN_UP_MS + 1) == []
    assert queue(database) == [("moved", "failed", 0)]


def test_what_an_owner_took_back_is_not_sent(database, registry):
    rule = wanted(registry, "moved", "tel:+8613800000000")
    beacon(database, NOW_MS, flags=1)
    watch.look(database, [rule], NOW_MS)
    rule_book.remove(registry, rule, NOW_MS)
    with pytest.raises(RuleError):
        rule_book.rule(registry, rule.rule_id)
    assert post.due(database, {}, NOW_MS) == []
    assert queue(database) == [("moved", "withdrawn", 0)]


def test_alerts_end_with_their_owner(registry):
    wanted(registry, "moved", "tel:+8613800000000")
    registry.forget_owner(DEVICE_ID, NOW_MS)
    assert rule_book.rules(registry) == []


def test_without_a_way_the_message_waits_and_says_which_one_is_missing(database, registry):
    wanted(registry, "moved", "mailto:li@example.org")
    beacon(database, NOW_MS, flags=1)
    assert "no way to send mailto" in play(database, registry, {}, NOW_MS)[0]
    assert queue(database) == [("moved", "queued", 1)]


def test_a_letter_arrives_in_chinese(mail_server):
    Mail(MailServer("127.0.0.1", mail_server.server_address[1], "watch@county.example", "none"))(
        message("mailto:li@example.org")
    )
    letter = email.message_from_bytes(mail_server.taken[0], policy=email.policy.default)
    assert (letter["To"], letter["From"]) == ("li@example.org", "watch@county.example")
    assert letter["Subject"] == "groundnet 提醒: GN-00012"
    assert letter.get_content().strip() == "GN-00012 移动了，11-23 08:00"


def test_a_mail_server_that_refuses_is_named_by_its_code_without_the_address(mail_server):
    mail_server.replies[b"RCPT"] = b"550 nobody li@example.org here\r\n"
    with pytest.raises(DeliveryError) as caught:
        Mail(MailServer("127.0.0.1", mail_server.server_address[1], "w@c.example", "none"))(
            message("mailto:li@example.org")
        )
    assert "li@" not in str(caught.value)


def test_a_mail_server_that_offers_no_encryption_is_not_told_the_password(mail_server):
    server = MailServer("127.0.0.1", mail_server.server_address[1], "w@c.example", "starttls", "w", "pw-1")
    assert "pw-1" not in repr(server)
    with pytest.raises(DeliveryError):
        Mail(server)(message("mailto:li@example.org"))
    assert mail_server.taken == []


class ModemOnPty:
    """Answers like a modem in text mode; ``answers`` replaces the answer to a command that begins so."""

    def __init__(self, answers=None):
        self.answers = answers or {}
        self.commands, self.texts = [], []
        self._master, slave = pty.openpty()
        self.port = os.ttyname(slave)
        self._slave = slave
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        heard = b""
        while True:
            try:
                heard += os.read(self._master, 256)
            except OSError:
                return
            heard = heard.replace(b"\x1b", b"")
            while heard and (ends := [at for at in map(heard.find, (b"\r", b"\x1a")) if at >= 0]):
                end = min(ends)
                self._answer(heard[:end].decode(), heard[end : end + 1] == b"\x1a")
                heard = heard[end + 1 :]

    def _answer(self, said, is_text):
        (self.texts if is_text else self.commands).append(said)
        answer = "\r\n+CMGS: 5\r\n\r\nOK\r\n" if is_text else "\r\nOK\r\n"
        if said.startswith("AT+CMGS"):
            answer = "\r\n> "
        for begin, other in self.answers.items():
            if said.startswith(begin):
                answer = other
        os.write(self._master, answer.encode())

    def close(self):
        os.close(self._slave)
        os.close(self._master)


@pytest.fixture
def modem():
    found = ModemOnPty()
    yield found
    found.close()


def test_a_text_message_leaves_in_ucs2(modem):
    SmsModem(modem.port)(message("tel:+8613800001234"))
    assert modem.commands[-1] == 'AT+CMGS="' + "+8613800001234".encode("utf-16-be").hex().upper() + '"'
    assert bytes.fromhex(modem.texts[0]).decode("utf-16-be") == "GN-00012 移动了，11-23 08:00"


def test_a_modem_without_a_network_says_why(modem):
    modem.answers["AT+CMGS"] = "\r\n+CMS ERROR: 331\r\n"  # no network service, TS 27.005 3.2.5
    with pytest.raises(DeliveryError, match="331"):
        SmsModem(modem.port)(message("tel:+8613800001234"))


def test_a_modem_that_is_silent_or_gone_is_named(modem):
    modem.answers["AT+CMGF"] = ""
    ticks = iter(range(1000))
    with pytest.raises(DeliveryError, match="did not answer"):
        SmsModem(modem.port, now_s=lambda: next(ticks))(message("tel:+8613800001234"))
    with pytest.raises(DeliveryError, match="not there"):
        SmsModem("/dev/no-such")(message("tel:+8613800001234"))


def test_the_settings_name_every_way(tmp_path):
    (tmp_path / "pw").write_text("secret\n")
    file = tmp_path / "alerts.toml"
    file.write_text(
        '[webhook]\nkey_file = "pw"\n[mail]\nhost = "m.example"\nfrom = "a@b.example"\nuser = "a"\n'
        'password_file = "pw"\n[sms]\nport = "/dev/ttyUSB2"\n'
    )
    assert set(senders(file)) == {"https", "mailto", "tel"}
    assert set(senders(None)) == {"https"}


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("[sms", "cannot be read"),
        ("[fax]\n", "[fax] is none of"),
        ("fax = 1\n", "[fax] is none of"),
        ('[sms]\nport = "x"\nspeed = 1\n', "[sms] has no speed"),
        ("[sms]\nport = 5\n", "port must be a text"),
        ("[sms]\n", "needs port"),
        ('[mail]\nhost = "m"\nfrom = "nobody"\n', "from is an address"),
        ('[mail]\nhost = "m.example"\nfrom = "a@b"\nsecurity = "none"\n', "same computer"),
        ('[mail]\nhost = "m.example"\nfrom = "a@b"\nsecurity = "ssl"\n', "security is one of"),
        ('[webhook]\nkey_file = "none"\n', "cannot be read"),
    ],
)
def test_settings_that_are_not_understood_are_named(tmp_path, said, cause):
    file = tmp_path / "alerts.toml"
    file.write_text(said)
    with pytest.raises(AlertSettingsError) as caught:
        senders(file)
    assert cause in str(caught.value)
