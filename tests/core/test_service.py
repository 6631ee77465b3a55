"""The serial service as a host sees it: provisioning, sessions, settings, and everything out of place."""

import itertools

import pytest
from core.devices import SECRET, records
from groundcore import events, settings, store
from groundcore.service import HANDLERS, Service
from groundwire import frame, keys, messages, session
from hypothesis import given
from hypothesis import strategies as st

DEVICE_ID = b"\x00\x01\x02\x03\x04\x05\x06\x07"
DEVICE = {
    "device_id": DEVICE_ID,
    "role": "tag",
    "board": "xiao_c3_sx1262",
    "product": "groundnet tag",
    "firmware": "0.1.0",
    "hardware_revision": 1,
    "capabilities": ["accelerometer", "radio_lora"],
}
NEW_SECRET = bytes(range(100, 132))


class Host:
    """Talks to a service over its bytes; keeps flash and the session."""

    def __init__(self, flash=None):
        self.flash = dict.fromkeys(store.NAMES) if flash is None else flash
        self.numbers = itertools.count(1)
        self.now_ms = 1000
        self.restart()

    def restart(self):
        """The device starts anew, with what flash holds."""
        record = self.flash.get(store.TRIES)
        self.tries = session.Tries(record[0] if record else 0, self.now_ms)
        self.reopen()

    def reopen(self):
        """The link is closed and opened again; the device goes on."""
        self.service = Service(DEVICE, self.flash, self.draw, self.tries)
        self.decoder = frame.Decoder(2048, frame.REPLIES)
        self.end = None
        self.actions = []

    def draw(self, count: int) -> bytes:
        return bytes([next(self.numbers) & 0xFF]) * count

    def send(self, data: bytes):
        """Give bytes; the decoded replies."""
        self.actions = self.service.receive(data, self.now_ms)
        return self.collect(self.actions)

    def collect(self, actions):
        replies = []
        for action in actions:
            if action[0] == events.STORE:
                self.flash[action[1]] = action[2]
            elif action[0] == events.LINK_SEND:
                self.decoder.feed(action[1])
                while (found := self.decoder.next()) is not frame.NEED_MORE:
                    if found is not frame.CORRUPT:
                        payload = self.end.unseal(found) if found.sealed else found.payload
                        replies.append(messages.decode(found.kind, payload))
        return replies

    def ask(self, name, values=None, sealed=False):
        """One request, its one reply."""
        kind, payload = messages.encode(name, values or {})
        sequence = next(self.numbers)
        if sealed:
            payload = self.end.seal(kind, payload, sequence)
        replies = self.send(frame.encode(kind, payload, sequence, sealed))
        assert len(replies) <= 1
        return replies[0] if replies else None

    def open_session(self, secret=SECRET):
        self.end = session.Initiator(DEVICE_ID, keys.derive(secret, keys.SESSION), bytes(16))
        request = self.end.open()
        while request is not None:
            (reply,) = self.send(frame.encode(*request, next(self.numbers)))
            request = self.end.receive(reply)
        assert self.end.ready()

    def error(self, name, values=None, sealed=False) -> str:
        """The code of the error that a request must meet."""
        reply = self.ask(name, values, sealed)
        assert reply.name == "error"
        return reply.values["code"]


def identity_values(secret=NEW_SECRET):
    return {"tag_id": "GN-7", "profile": "vehicle", "install_point": "Harbour", "secret": secret}


def test_who_it_is():
    reply = Host().ask("identity_get")
    assert reply.values["device_id"] == DEVICE_ID
    assert (reply.values["state"], reply.values["role"], reply.values["boot_count"]) == ("blank", "tag", 0)


def test_parts_that_the_wire_has_no_word_for_are_left_out():
    host = Host()
    host.service = Service({**DEVICE, "capabilities": ["radio_lora", "coffee"]}, host.flash, host.draw)
    assert host.ask("identity_get").values["capabilities"] == ["radio_lora"]
    host.ask("self_test", {"parts": []})
    tests = [
        {"part": part, "result": "passed", "measured": 1, "text": ""} for part in ("radio", "coffee", "led")
    ]
    (reply,) = host.collect(host.service.tested(tests, 2000))
    assert [test["part"] for test in reply.values["tests"]] == ["radio", "led"]


def test_provisioning_from_blank_to_locked():
    host = Host()
    assert host.ask("provision_read").values["state"] == "blank"
    assert host.ask("provision_write", identity_values()).name == "ack"
    held = host.ask("provision_read").values
    assert (held["state"], held["tag_id"], held["profile"]) == ("provisioned", "GN-7", "vehicle")
    assert held["check_value"] == keys.check_value(NEW_SECRET)
    challenge = bytes(range(16))
    proof = host.ask("provision_prove", {"challenge": challenge}).values["proof"]
    assert proof == keys.provision_proof(NEW_SECRET, challenge)
    host.open_session(NEW_SECRET)
    wanted = {"settings": [{"name": "owner_phone", "value": "+385 1"}, {"name": "siren_s", "value": "5"}]}
    assert host.ask("settings_write", wanted, sealed=True).name == "ack"
    assert (
        host.ask("provision_lock", {"check_value": keys.check_value(NEW_SECRET)}, sealed=True).name == "ack"
    )
    assert host.ask("provision_read").values["state"] == "locked"
    assert host.ask("bye").name == "ack"
    assert [action[0] for action in host.actions] == [events.LINK_SEND, events.LINK_CLOSE, events.RESTART]
    identity = store.decode_identity(host.flash[store.IDENTITY])
    assert (identity.secret, identity.locked, identity.install_point) == (NEW_SECRET, True, "Harbour")
    assert settings.decode(host.flash[store.SETTINGS]) == {"owner_phone": "+385 1", "siren_s": 5}


def test_a_link_that_changed_nothing_restarts_nothing():
    host = Host(records())
    host.ask("identity_get")
    host.ask("bye")
    assert [action[0] for action in host.actions] == [events.LINK_SEND, events.LINK_CLOSE]


def test_writing_is_safe_in_flash_before_it_is_acknowledged():
    host = Host()
    host.ask("provision_write", identity_values())
    kinds = [action[0] for action in host.actions]
    assert kinds.index(events.STORE) < kinds.index(events.LINK_SEND)


def test_a_new_secret_begins_its_counters_anew_and_the_same_one_does_not():
    state = store.State()
    state.boot_count, state.beacon_limit, state.downlink_counter, state.lost = 7, 5000, 50, True
    flash = {**records(), store.STATE: state.encode()}
    identity = store.decode_identity(flash[store.IDENTITY])
    flash[store.IDENTITY] = store.encode_identity(store.Identity(*identity[:4], False))
    host = Host(flash)
    host.ask("provision_write", identity_values(SECRET))
    assert store.State(host.flash[store.STATE]).beacon_limit == 5000
    host.ask("provision_write", identity_values(NEW_SECRET))
    anew = store.State(host.flash[store.STATE])
    assert (anew.boot_count, anew.beacon_limit, anew.downlink_counter, anew.lost) == (7, 0, 0, False)


def test_a_locked_device_lets_nobody_write_without_a_session():
    host = Host(records())
    before = dict(host.flash)
    assert host.error("provision_write", identity_values()) == "locked"
    assert host.error("provision_lock", {"check_value": keys.check_value(SECRET)}) == "locked"
    assert host.error("provision_erase", {"check_value": keys.check_value(SECRET)}) == "not_authenticated"
    assert host.error("settings_write", {"settings": []}) == "not_authenticated"
    assert host.error("time_write", {"time_ms": 1}) == "not_authenticated"
    assert host.flash == before
    host.open_session()
    assert host.ask("settings_write", {"settings": []}, sealed=True).name == "ack"
    assert host.error("settings_write", {"settings": []}) == "not_authenticated"  # unsealed, session or not


def test_another_secret_opens_no_session():
    host = Host(records())
    with pytest.raises(session.AuthenticationError, match="proof"):
        host.open_session(NEW_SECRET)
    assert (
        Host().error("session_open", {"device_id": DEVICE_ID, "initiator_nonce": bytes(16)}) == "wrong_state"
    )


def guess(host) -> dict:
    """A host without the secret plays on regardless; the values of the last reply."""
    opening = {"device_id": DEVICE_ID, "initiator_nonce": bytes(16)}
    reply = host.ask("session_open", opening)
    if reply.name == "session_challenge":
        reply = host.ask("session_prove", {"initiator_proof": bytes(16)})
    return reply.values


def test_wrong_secrets_slow_the_device_down_whatever_link_or_restart_they_come_by():
    host = Host(records())
    waits = []
    for again in (host.reopen, host.restart, host.reopen, host.restart):
        waits.append(guess(host)["retry_after_ms"])
        again()
        assert guess(host)["detail"] == "too many wrong secrets"
        host.now_ms += waits[-1]
    assert waits == [1000, 2000, 4000, 8000]
    host.open_session()
    host.restart()
    assert guess(host)["retry_after_ms"] == 1000, "a right secret sets the count back"


def test_the_owner_waits_a_quarter_of_an_hour_at_most():
    host = Host(records())
    for _ in range(30):
        host.now_ms += guess(host)["retry_after_ms"]
    host.restart()
    host.now_ms += 899_999
    assert guess(host)["detail"] == "too many wrong secrets"
    host.now_ms += 1
    host.open_session()


def test_a_try_is_in_flash_before_its_answer_and_wears_it_little():
    host = Host(records())
    writes = []
    for _ in range(40):
        host.now_ms += guess(host)["retry_after_ms"]
        writes += [action[0] for action in host.actions if action[0] == events.STORE]
        if host.flash[store.TRIES][0] < session.FAILURES_MAX:
            assert [action[0] for action in host.actions] == [events.STORE, events.LINK_SEND]
    assert len(writes) == session.FAILURES_MAX


def test_a_new_secret_is_not_made_to_wait_for_the_tries_at_the_old_one():
    host = Host()
    host.ask("provision_write", identity_values())
    for _ in range(20):
        host.now_ms += guess(host)["retry_after_ms"]
    host.ask("provision_write", identity_values(SECRET))
    host.restart()
    host.open_session()


def test_a_replayed_sealed_frame_is_refused():
    host = Host(records())
    host.open_session()
    kind, payload = messages.encode("settings_write", {"settings": []})
    data = frame.encode(kind, host.end.seal(kind, payload, 9), 9, True)
    assert host.send(data)[0].name == "ack"
    assert host.send(data)[0].values["code"] == "not_authenticated"


def test_erasing_needs_the_session_and_the_right_secret():
    host = Host(records())
    host.open_session()
    assert host.error("provision_erase", {"check_value": bytes(8)}, sealed=True) == "refused"
    assert host.ask("provision_erase", {"check_value": keys.check_value(SECRET)}, sealed=True).name == "ack"
    assert host.ask("provision_read").values["state"] == "blank"
    assert host.error("provision_prove", {"challenge": bytes(16)}) == "wrong_state"


def test_erasing_leaves_nothing_of_the_owner_behind():
    host = Host({**records(), store.SETTINGS: settings.encode({"owner_phone": "+385 1"})})
    host.open_session()
    host.ask("provision_erase", {"check_value": keys.check_value(SECRET)}, sealed=True)
    assert (events.FORGET_HISTORY,) in host.actions
    assert settings.decode(host.flash[store.SETTINGS]) == {}


def test_a_new_secret_does_not_inherit_the_history_of_the_old_one():
    host = Host()
    host.ask("provision_write", identity_values())
    assert (events.FORGET_HISTORY,) in host.actions
    host.ask("provision_write", identity_values())
    assert (events.FORGET_HISTORY,) not in host.actions


def test_a_factory_reset_keeps_identity_counters_and_lost_mode():
    state = store.State()
    state.boot_count, state.beacon_limit, state.downlink_counter, state.lost = 7, 5000, 50, True
    host = Host({**records(owner_phone="+385 1", siren_s=3), store.STATE: state.encode()})
    before = dict(host.flash)
    asked = {"check_value": keys.check_value(SECRET)}
    assert host.error("factory_reset", asked) == "not_authenticated"
    host.open_session()
    assert host.error("factory_reset", {"check_value": bytes(8)}, sealed=True) == "refused"
    assert host.flash == {**before, store.TRIES: b"\x00"}
    assert host.ask("factory_reset", asked, sealed=True).name == "ack"
    kinds = [action[0] for action in host.actions]
    assert kinds.index(events.FORGET_HISTORY) < kinds.index(events.STORE) < kinds.index(events.LINK_SEND)
    assert settings.decode(host.flash[store.SETTINGS]) == {}
    assert host.flash[store.IDENTITY] == before[store.IDENTITY]
    assert host.flash[store.STATE] == before[store.STATE]
    host.ask("bye")
    assert host.actions[-1] == (events.RESTART,)


def test_the_console_is_opened_for_the_time_that_was_asked_inside_a_session():
    host = Host(records())
    assert host.error("service_open", {"duration_s": 60}) == "not_authenticated"
    host.open_session()
    assert host.ask("service_open", {"duration_s": 60}, sealed=True).name == "ack"
    assert (events.OPEN_CONSOLE, 60) in host.actions


def test_settings_are_read_in_parts_and_secrets_stay():
    host = Host({**records(), store.SETTINGS: settings.encode({"wifi_key": "hunter22", "siren_s": 3})})
    host.open_session()
    found, total = {}, 1
    while len(found) < total:
        values = host.ask("settings_read", {"first": len(found)}, sealed=True).values
        total = values["total"]
        found.update({entry["name"]: entry["value"] for entry in values["settings"]})
    assert set(found) == set(settings.TABLE)
    assert (found["siren_s"], found["wifi_key"]) == ("3", "")
    assert host.ask("settings_read", {"first": 200}, sealed=True).values["settings"] == []


def test_whose_phone_is_in_a_locked_device_is_told_inside_a_session_only():
    phone = {store.SETTINGS: settings.encode({"owner_phone": "+8613800138000"})}
    host = Host({**records(), **phone})
    kind, payload = messages.encode("settings_read", {"first": 0})
    (reply,) = host.send(frame.encode(kind, payload, 1))
    assert (reply.name, reply.values["code"]) == ("error", "locked")
    assert not any(b"13800138000" in action[1] for action in host.actions if action[0] == events.LINK_SEND)
    host.open_session()
    assert host.error("settings_read", {"first": 0}) == "locked"  # not in the open either, session or not
    names = [
        host.ask("settings_read", {"first": first}, sealed=True) for first in range(0, len(settings.TABLE), 6)
    ]
    told = {entry["name"]: entry["value"] for reply in names for entry in reply.values["settings"]}
    assert told["owner_phone"] == "+8613800138000"


def test_the_settings_of_a_device_that_is_not_locked_yet_can_be_read():
    assert Host().ask("settings_read", {"first": 0}).name == "settings"


def test_settings_are_written_all_or_none():
    host = Host()
    wrong = {"settings": [{"name": "siren_s", "value": "5"}, {"name": "siren_s", "value": "500"}]}
    assert host.error("settings_write", wrong) == "out_of_range"
    assert host.flash[store.SETTINGS] is None


def test_time():
    host = Host()
    assert host.ask("time_read").values == {"time_ms": None, "uptime_ms": 0, "source": "none"}
    host.now_ms = 5000
    assert host.ask("time_write", {"time_ms": 1_790_000_000_000}).name == "ack"
    assert (events.SET_CLOCK, 1_790_000_000_000) in host.actions
    host.now_ms = 8000
    assert host.ask("time_read").values == {"time_ms": 1_790_000_003_000, "uptime_ms": 7000, "source": "host"}


def test_self_test_is_answered_when_it_is_done():
    host = Host()
    assert host.ask("self_test", {"parts": ["radio", "battery"]}) is None
    assert (events.SELF_TEST, ["radio", "battery"]) in host.actions
    assert host.error("self_test", {"parts": []}) == "busy"
    results = [{"part": "radio", "result": "passed", "measured": 0, "text": ""}]
    (reply,) = host.collect(host.service.tested(results, 2000))
    assert reply.values == {"tests": results}
    assert host.service.tested(results, 2001) == []


def test_unknown_and_malformed_requests():
    host = Host()
    assert host.send(frame.encode(0x77, b"new", 1))[0].values["code"] == "unknown_kind"
    kind = messages.kind_of("provision_write")
    assert host.send(frame.encode(kind, b"\x05short", 2))[0].values["code"] == "malformed"
    assert host.error("log_read", {"first_sequence": 0, "most": 1}) in ("unknown_kind", "unsupported")


def test_an_update_is_the_apps_to_answer():
    host = Host()
    host.ask("update_begin", UPDATE)  # of a blank device, which has no secret to prove
    (reply,) = host.collect(host.service.updated({"code": "refused", "detail": "too old"}, False))
    assert (reply.name, reply.values["code"], reply.values["detail"]) == ("error", "refused", "too old")
    host.ask("update_begin", UPDATE)
    state = {"state": "receiving", "next_offset_bytes": 0, "version": "0.2.0", "detail": ""}
    (reply,) = host.collect(host.service.updated(state, False))
    assert reply.values == state


UPDATE = {
    "product": "",
    "version": "",
    "hardware_revision": 1,
    "security_counter": 1,
    "size_bytes": 1,
    "sha256": bytes(32),
}


@given(st.binary(max_size=600), st.lists(st.integers(1, 64), min_size=1, max_size=12))
def test_garbage_before_a_request_is_survived(garbage, cuts):
    host = Host()
    kind, payload = messages.encode("identity_get", {})
    stream = garbage + b"\x00" + frame.encode(kind, payload, 77)
    replies, position = [], 0
    for cut in itertools.cycle(cuts):
        replies += host.send(stream[position : position + cut])
        position += cut
        if position >= len(stream):
            break
    assert replies[-1].name == "identity"


@given(st.integers(0, 0x7F), st.binary(max_size=120))
def test_any_request_gets_one_reply_and_writes_nothing_to_a_locked_device(kind, payload):
    host = Host(records())
    before = dict(host.flash)
    replies = host.send(frame.encode(kind, payload, 5))
    assert host.flash == before
    asked = [action[0] for action in host.actions]
    waits = events.SELF_TEST in asked or events.UPDATE in asked  # the app answers these when it has done them
    assert len(replies) == (0 if waits else 1)


def test_every_handler_is_there():
    for name, method in HANDLERS.items():
        assert messages.kind_of(name) < 0x80
        assert callable(getattr(Service, method))
