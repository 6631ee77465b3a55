"""Whole apps on virtual boards: real MicroPython, real drivers, real cores, chips as models."""

import itertools

import pytest
from groundnet.image import firmware_image
from groundnet.sim import groundcore_runtime
from groundnet.sim.boardfs import BoardFs, PowerCut
from groundnet.sim.cells import Cells, Tower
from groundnet.sim.desk import quiet_place
from groundnet.sim.network import Network
from groundnet.sim.roles import DEFAULT_BOARDS, make_device
from groundnet.sim.state_files import record
from groundnet.sim.world import World
from groundwire import beacon, frame, keys, messages, report, session

SECRET = bytes(range(32))
PLACE = (45.2783, 13.7230)
UNIQUE_ID = b"\x01\x02\x03\x04\x05\x06"
store = groundcore_runtime.load("store")
settings = groundcore_runtime.load("settings")
IDENTITY = store.encode_identity(store.Identity("T1", "vehicle", "here", SECRET, True))
UNLOCKED = store.encode_identity(store.Identity("T1", "vehicle", "here", SECRET, False))


class Rig:
    """One device with its surroundings.

    Args:
        change: replaces text in board.py before the image is built into flash, to break a part.
        main: replaces main.py.
        files: in flash besides.
    """

    def __init__(self, role, identity=IDENTITY, changed=None, change=("", ""), main=None, files=None):
        self.world = World(3)
        self.network = Network(self.world)
        self.place = quiet_place(self.world, self.network)
        self.place.cells = Cells([Tower("LTE", 219, 1, 100, 1000, 45.28, 13.72, 3000)], lambda at_ms: PLACE)
        image = firmware_image.build(role, DEFAULT_BOARDS[role])
        image["/board.py"] = image["/board.py"].replace(change[0].encode(), change[1].encode())
        if main is not None:
            image["/main.py"] = main
        if identity:
            image["/state/identity.0"] = record(identity)
        image["/state/settings.0"] = record(settings.encode(changed or {}))
        self.files = BoardFs(image | (files or {}))
        self.device = make_device(self.world, role, role, self.place, UNIQUE_ID, files=self.files)
        self.board = self.device.board
        self.aired = []
        self.place.medium.sniff(lambda sent: self.aired.append((self.world.now_us / 1e6, sent.payload)))
        self.output = bytearray()
        self.board.console.listeners.append(self.output.extend)
        self.device.power_on()

    def run(self, duration_s: float) -> "Rig":
        self.world.run_for(int(duration_s * 1e6))
        return self

    def type(self, data: bytes, duration_s: float = 1.0) -> bytes:
        """What the board prints after ``data``."""
        del self.output[:]
        self.board.console.feed(data)
        self.run(duration_s)
        return bytes(self.output)

    def ask(self, name: str, values: dict, duration_s: float = 1.0):
        """The reply to a request on the open link."""
        reply = self.exchange(*messages.encode(name, values), duration_s=duration_s)
        return messages.decode(reply.kind, reply.payload)

    def ask_sealed(self, end: session.Initiator, name: str, values: dict):
        """The same inside a session."""
        kind, payload = messages.encode(name, values)
        reply = self.exchange(kind, end.seal(kind, payload, 7), sealed=True)
        return messages.decode(reply.kind, end.unseal(reply))

    def exchange(self, kind: int, payload: bytes, sealed=False, duration_s: float = 1.0) -> frame.Frame:
        decoder = frame.Decoder(8192, frame.REPLIES)
        decoder.feed(self.type(frame.encode(kind, payload, 7, sealed), duration_s))
        reply = decoder.next()
        assert isinstance(reply, frame.Frame), reply
        return reply


@pytest.fixture
def rig():
    rigs = []

    def make(*args, **kwargs) -> Rig:
        rigs.append(Rig(*args, **kwargs))
        return rigs[-1]

    yield make
    for made in rigs:
        radio = made.device.parts["radio"]
        made.board.close()
        assert radio.refusals == []


# --- tag


def test_parked_tag_sleeps_deeply_and_beacons_every_half_hour(rig):
    tag = rig("tag").run(30)
    before_uas = sum(tag.device.power.charge_uas().values())
    tag.run(4 * 3600)
    mean_ua = (sum(tag.device.power.charge_uas().values()) - before_uas) / (4 * 3600)
    assert tag.board.state == "deep sleep"
    assert mean_ua < 25, "a parked tag would not live for years"
    assert 6 <= len(tag.aired) <= 10
    counters = [beacon.decode(payload).low for _, payload in tag.aired]
    assert counters == list(range(len(counters)))
    key = keys.derive(SECRET, keys.BEACON)
    for counter, (_, payload) in enumerate(tag.aired):
        beacon.verify(payload, counter, key)


def test_moved_tag_speaks_within_three_seconds_and_keeps_on(rig):
    tag = rig("tag").run(100)
    tag.place.motion.start(tag.world.now_us).ride(120)
    tag.run(120)
    alarms = [at_s for at_s, payload in tag.aired if beacon.decode(payload).flags & beacon.MOTION]
    assert alarms[0] < 103
    assert 4 <= len(alarms) <= 13


def test_blank_tag_waits_for_a_host_then_sleeps_silently(rig):
    tag = rig("tag", identity=None).run(500)
    assert tag.board.state == "running"
    tag.run(200)
    assert tag.board.state == "deep sleep" and tag.aired == []
    tag.run(3600)
    assert tag.board.boots == 1


def test_tag_without_its_accelerometer_tells_and_goes_on(rig):
    tag = rig("tag", change=('"address": 25', '"address": 24'))
    tag.run(3)
    assert "error accelerometer: no answer on I2C" in tag.board.log
    tag.run(2 * 3600)
    assert len(tag.aired) >= 3 and tag.board.reset_cause == 4


def test_tag_whose_radio_is_stuck_does_not_stop_or_reset(rig):
    tag = rig("tag", change=('"busy": 20', '"busy": 19'))
    tag.board.io.line(19).drive(1)
    tag.run(7200)
    assert "error radio: stuck busy" in tag.board.log
    assert tag.aired == [] and "Traceback" not in tag.board.log


def test_link_opens_after_power_on_and_a_silent_host_still_restarts_what_it_changed(rig):
    tag = rig("tag", identity=None).run(2)
    assert tag.type(b"\x00", 0.2) == b"\x00"
    identity = tag.ask("identity_get", {}).values
    assert identity["device_id"] == b"\x00\x00" + UNIQUE_ID
    assert (identity["role"], identity["state"]) == ("tag", "blank")
    tests = tag.ask("self_test", {"parts": []}, 2.0).values["tests"]
    assert {test["part"]: test["result"] for test in tests} == dict.fromkeys(
        ("storage", "accelerometer", "radio", "battery", "memory", "clock"), "passed"
    )
    values = {"tag_id": "T9", "profile": "vehicle", "install_point": "shop", "secret": SECRET}
    assert tag.ask("provision_write", values).name == "ack"
    assert tag.aired == []
    tag.run(30)
    assert tag.board.boots >= 2 and len(tag.aired) == 1


def test_self_test_gives_a_number_for_every_part(rig):
    tag = rig("tag", UNLOCKED).run(4)
    tag.type(b"\x00", 0.2)
    tests = {test["part"]: test for test in tag.ask("self_test", {"parts": []}, 2.0).values["tests"]}
    assert {name for name, test in tests.items() if test["result"] != "passed"} == set()
    assert -125 < tests["radio"]["measured"] < -100 and tests["radio"]["text"] == "dBm of noise, errors 0"
    assert 3000 < tests["battery"]["measured"] < 4000
    assert abs(tests["clock"]["measured"]) <= 3 and tests["memory"]["measured"] > 16384
    assert (tests["key"]["measured"], tests["key"]["text"]) == (0, "not locked")
    assert 70 <= tests["accelerometer"]["measured"] <= 1500


def test_a_locked_device_tests_itself_in_a_session_only(rig):
    tag = rig("tag").run(4)
    tag.type(b"\x00", 0.2)
    assert tag.ask("self_test", {"parts": []}, 2.0).values["code"] == "locked"


def test_self_test_tells_a_broken_chip_and_what_is_not_there(rig):
    tag = rig("tag", identity=None, change=('"address": 25', '"address": 24')).run(3)
    tag.type(b"\x00", 0.2)
    asked = {"parts": ["accelerometer", "key", "gnss", "radio"]}
    tests = {test["part"]: test["result"] for test in tag.ask("self_test", asked, 2.0).values["tests"]}
    assert tests == {"accelerometer": "failed", "key": "skipped", "gnss": "skipped", "radio": "passed"}


def test_self_test_of_a_station_tells_of_its_network(rig):
    base = rig("base", UNLOCKED, changed=BACKHAUL)
    collector = Collector()
    base.network.serve("collector", 4710, lambda: collector)
    base.run(30)
    base.type(b"\x00", 0.2)
    tests = {test["part"]: test for test in base.ask("self_test", {"parts": []}, 2.0).values["tests"]}
    assert tests["network"]["result"] == "passed" and tests["network"]["measured"] < 0
    assert tests["radio"]["result"] == "passed"
    wired = rig("base", UNLOCKED, changed={"collector_host": "nowhere"}).run(30)
    wired.type(b"\x00", 0.2)
    (test,) = wired.ask("self_test", {"parts": ["network"]}, 2.0).values["tests"]
    assert (test["result"], test["measured"], test["text"]) == ("failed", 0, "connections")


# --- what every app shares


def test_ctrl_c_ends_in_a_repl_that_the_watchdog_leaves_alone(rig):
    base = rig("base", UNLOCKED).run(5)
    assert b">>> " in base.type(b"\x03")
    assert b"42\r\n" in base.type(b"6*7\r")
    base.run(1800)
    assert base.board.boots == 1


def test_crash_is_written_down_and_ends_in_a_reset_with_a_window_for_ctrl_c(rig):
    tag = rig("tag", UNLOCKED, change=('"busy": 20', '"busyness": 20')).run(3)
    assert tag.board.boots == 1 and "KeyError" in tag.board.log
    tag.run(27)
    assert 4 <= tag.board.boots <= 6
    crash_log = tag.files["/state/crash.log"].decode()
    assert crash_log.count("KeyError: busy") == tag.board.boots
    assert b">>> " in tag.type(b"\x03")
    tag.run(120)
    assert tag.files["/state/crash.log"].decode() == crash_log


def test_setting_utc_moves_the_real_time_clock_but_not_the_cores_time(rig):
    base = rig("base", UNLOCKED).run(5)
    base.type(b"\x03")
    base.type(b"import time; from apps.clock import Clock; clock = Clock(); began = clock.now_ms()\r")
    base.type(b"clock.set_unix_ms(1_700_000_000_123); passed = clock.now_ms() - began\r")
    assert b"(2023, 11, 14, 22, 13, 21)" in base.type(b"time.gmtime()[:6]\r", 0.1)  # typed 1 s later
    assert 900 < int(base.type(b"print(passed)\r").split(b"\r\n")[1]) < 1200


# --- who may come in by the cable

KEYS = b"\r\x03\x03\r\x01print(6*7)\x04\x05A\x01\x02\x03\x04\r\x05print(6*7)\x04"  # what mpremote, and people, type


def sealed_frame(end: session.Initiator, name: str, values: dict) -> bytes:
    kind, payload = messages.encode(name, values)
    return frame.encode(kind, end.seal(kind, payload, 7), 7, True)


def open_session(device: Rig, secret=SECRET) -> session.Initiator:
    """The host's end of a session; raises AuthenticationError when the device refuses."""
    device_id = b"\x00\x00" + UNIQUE_ID
    end = session.Initiator(device_id, keys.derive(secret, keys.SESSION), bytes(16))
    request = end.open()
    while request is not None:
        reply = device.exchange(*request)
        request = end.receive(messages.decode(reply.kind, reply.payload))
    return end


@pytest.mark.parametrize("role", ["tag", "tracker", "base"])
def test_nothing_that_is_typed_at_a_locked_device_leads_to_a_prompt(rig, role):
    device = rig(role)
    heard = b""
    for pause_s in (0.01, 0.05, 0.2, 0.5, 1.0, 2.0):  # while it starts, and when it runs
        heard += device.type(KEYS, pause_s)
    assert b">" not in heard and b"42" not in heard and b"Traceback" not in heard
    assert device.board.boots == 1
    assert device.type(b"\x00", 0.2) == b"\x00" and device.ask("identity_get", {}).values["state"] == "locked"
    device.ask("bye", {})
    assert b">" not in device.type(KEYS)


def test_ctrl_c_in_the_first_instant_of_a_locked_device_only_restarts_it(rig):
    base = rig("base")
    base.board.console.feed(b"\x03")
    base.run(0.001)
    for _ in range(50):
        base.type(b"\x03\x01", 0.002)
    base.run(20)
    assert ">" not in base.board.log
    assert base.type(b"\x00", 0.2) == b"\x00"


def test_a_crash_of_a_locked_device_opens_nothing(rig):
    tag = rig("tag", change=('"busy": 20', '"busyness": 20')).run(3)
    for _ in range(20):
        tag.type(KEYS)
    assert tag.board.boots >= 3 and "KeyError" in tag.board.log
    assert ">>>" not in tag.board.log and "raw REPL" not in tag.board.log and "42" not in tag.board.log


def test_a_host_with_the_secret_opens_the_console_for_a_while(rig):
    base = rig("base").run(5)
    base.type(b"\x00", 0.2)
    host = open_session(base)
    assert base.ask_sealed(host, "service_open", {"duration_s": 60}).name == "ack"
    base.ask_sealed(host, "bye", {})
    assert b">>> " in base.type(b"\x03")
    assert b"42\r\n" in base.type(b"6*7\r")
    base.run(70)
    assert base.board.boots == 2 and base.board.reset_cause == 3, "the watchdog ends the prompt"
    assert b">" not in base.type(KEYS)


def test_a_console_that_was_opened_and_not_used_closes_again(rig):
    base = rig("base").run(5)
    base.type(b"\x00", 0.2)
    host = open_session(base)
    base.ask_sealed(host, "service_open", {"duration_s": 60})
    base.ask_sealed(host, "bye", {})
    base.run(61)
    assert b">" not in base.type(KEYS) and base.board.boots == 1


def test_nobody_opens_the_console_without_the_secret(rig):
    base = rig("base").run(5)
    base.type(b"\x00", 0.2)
    assert base.ask("service_open", {"duration_s": 60}).values["code"] == "not_authenticated"
    assert base.ask("settings_read", {"first": 0}).values["code"] == "locked"
    base.ask("bye", {})
    assert b">" not in base.type(KEYS)


def guess(device: Rig) -> dict:
    """Somebody without the secret tries one; the values of the last reply."""
    device.type(b"\x00", 0.1)
    opening = {"device_id": b"\x00\x00" + UNIQUE_ID, "initiator_nonce": bytes(16)}
    reply = device.ask("session_open", opening, 0.25)
    if reply.name == "session_challenge":
        reply = device.ask("session_prove", {"initiator_proof": bytes(16)}, 0.2)
    device.ask("bye", {}, 0.1)
    return reply.values


def test_wrong_secrets_are_counted_over_links_restarts_and_losses_of_power(rig):
    base = rig("base").run(5)
    waits = []
    for _ in range(4):
        waits.append(guess(base)["retry_after_ms"])
        assert guess(base)["detail"] == "too many wrong secrets"
        base.run(waits[-1] / 1000)
    assert waits == [1000, 2000, 4000, 8000]
    guess(base)
    base.device.power_off()
    base.device.power_on()
    base.run(2)
    left_ms = guess(base)["retry_after_ms"]
    assert 12_000 < left_ms < 16_000, "the wait of 16 s begins anew"
    base.run(left_ms / 1000)
    base.type(b"\x00", 0.2)
    assert open_session(base).ready()
    base.ask("bye", {})
    assert guess(base)["retry_after_ms"] == 1000


def test_a_tag_stays_awake_until_its_owner_may_try_again(rig):
    tag = rig("tag", files={"/state/tries.0": record(b"\x05")})
    tag.run(17)
    tag.type(b"\x00", 0.2)
    assert open_session(tag).ready()
    tag.ask("bye", {})
    tag.run(60)
    assert tag.board.state == "deep sleep"


def test_settings_written_by_a_host_survive_a_power_cut_at_every_flash_step(rig):
    """All old or all new, on the real interpreter with the real session; never neither, never half."""
    old, new = {"siren_s": 3, "owner_phone": "+385 1"}, {"siren_s": 9, "owner_phone": "+86 2"}
    wanted = {"settings": [{"name": name, "value": str(value)} for name, value in new.items()]}
    seen = []
    for cut_at in range(1, 40):
        base = rig("base", changed=old).run(4)
        base.type(b"\x00", 0.2)
        host = open_session(base)
        first = base.files.steps

        def cut(step, first=first, cut_at=cut_at):
            if step.number == first + cut_at:
                raise PowerCut

        base.files.on_step = cut
        base.type(sealed_frame(host, "settings_write", wanted))
        if base.board.state != "off":
            break
        base.device.power_on()
        base.run(4)
        base.type(b"\x00", 0.2)
        host = open_session(base)
        told = {}
        while len(told) < len(settings.TABLE):
            reply = base.ask_sealed(host, "settings_read", {"first": len(told)})
            told |= {entry["name"]: entry["value"] for entry in reply.values["settings"]}
        held = {name: told[name] for name in new}
        seen.append(held)
        assert held in [{name: str(value) for name, value in state.items()} for state in (old, new)]
    assert len(seen) >= 2


def test_factory_reset_over_the_cable_keeps_who_it_is(rig):
    tracker = rig("tracker", changed={"owner_phone": "+385 1"}).run(5)
    assert any(path.startswith("/history/") for path in tracker.files.paths())
    tracker.type(b"\x00", 0.2)
    host = open_session(tracker)
    asked = {"check_value": keys.check_value(SECRET)}
    assert tracker.ask_sealed(host, "factory_reset", asked).name == "ack"
    assert not any(path.startswith("/history/") for path in tracker.files.paths())
    tracker.ask_sealed(host, "bye", {})
    tracker.run(5)
    assert tracker.board.boots == 2
    tracker.type(b"\x00", 0.2)
    host = open_session(tracker)
    assert tracker.ask("identity_get", {}).values["state"] == "locked"


# --- base station


SESSION_KINDS = (messages.kind_of("session_open"), messages.kind_of("session_prove"))
BACKHAUL = {"collector_host": "collector", "wifi_name": "shop", "wifi_key": "12345678"}


class Collector:
    """Answers every request, inside a session what was asked inside; keeps what it was told."""

    def __init__(self):
        self.messages = []
        self._decoder = frame.Decoder(8192, frame.REQUESTS)
        self._end = None

    def receive(self, data: bytes) -> bytes:
        self._decoder.feed(data)
        answer = b""
        while isinstance(request := self._decoder.next(), frame.Frame):
            if request.kind in SESSION_KINDS:
                answer += self._negotiate(request)
                continue
            payload = self._end.unseal(request) if request.sealed else request.payload
            message = messages.decode(request.kind, payload)
            self.messages.append(message)
            if message.name == "report":
                answer += self._acknowledge(message.values, request.sequence)
                continue
            values = {"time_ms": 1_767_225_600_000, "orders": []}
            name = "orders"
            if message.name == "sightings":
                count = message.values["first_sequence"] + len(message.values["sightings"])
                values |= {"boot_count": message.values["boot_count"], "next_sequence": count}
                name = "sightings_ack"
            kind, payload = messages.encode(name, values)
            if request.sealed:
                payload = self._end.seal(kind, payload, request.sequence)
            answer += frame.encode(kind, payload, request.sequence, request.sealed)
        return answer

    def _negotiate(self, request: frame.Frame) -> bytes:
        message = messages.decode(request.kind, request.payload)
        if message.name == "session_open":
            key = keys.derive(SECRET, keys.UPLINK)
            self._end = session.Responder(message.values["device_id"], key)
        return frame.encode(*self._end.receive(message, 0, bytes(16)), request.sequence)

    @staticmethod
    def _acknowledge(asked: dict, sequence: int) -> bytes:
        values = {
            "boot_count": asked["boot_count"],
            "sequence": asked["sequence"],
            "time_ms": 1_767_225_600_000,
            "downlinks": [],
        }
        kind, payload = report.encode("report_ack", values, keys.derive(SECRET, keys.REPORT))
        return frame.encode(kind, payload, sequence)

    def close(self) -> None:
        pass

    def items(self, kind: str) -> list[dict]:
        """Report items of one kind, oldest first."""
        reports = [message.values for message in self.messages if message.name == "report"]
        return [item for values in reports for item in values["items"] if item["type"] == kind]

    def names(self) -> list[str | None]:
        return [message.name for message in self.messages]


def test_base_comes_back_to_its_collector_after_a_dead_backhaul(rig):
    base = rig("base", changed=BACKHAUL)
    base.run(120)
    assert base.board.boots == 1
    collectors = []

    def serve():
        collectors.append(Collector())
        return collectors[-1]

    base.network.serve("collector", 4710, serve)
    base.run(180)
    assert collectors[0].names()[0] == "station_hello"
    assert collectors[0].names().count("station_health") >= 2
    base.network.up = False
    base.run(120)
    base.network.up = True
    base.run(300)
    assert len(collectors) >= 2 and collectors[-1].names()[0] == "station_hello"
    assert "Traceback" not in base.board.log


def test_base_measures_its_channel_its_ring_and_its_chip(rig):
    base = rig("base", changed=BACKHAUL)
    collector = Collector()
    base.network.serve("collector", 4710, lambda: collector)
    base.run(200)
    told = [message.values for message in collector.messages if message.name == "station_health"][-1]
    assert -125 <= told["noise_dbm"] <= -100 and told["load_permille"] == 0
    assert (told["ring_permille"], told["faults"]) == (0, [])
    assert told["temperature_c"] is not None and told["supply_mv"] > 3000


def test_base_hears_on_after_a_self_test(rig):
    base = rig("base", UNLOCKED, changed=BACKHAUL)
    collector = Collector()
    base.network.serve("collector", 4710, lambda: collector)
    tag = make_device(base.world, "tag", "tag", base.place, b"\x09", files=tag_files())
    base.run(5)
    base.type(b"\x00", 0.2)
    assert base.ask("self_test", {"parts": ["radio"]}).values["tests"][0]["result"] == "passed"
    base.ask("bye", {})
    with tag.board:
        tag.power_on()
        base.run(60)
    sightings = [message for message in collector.messages if message.name == "sightings"]
    assert sightings and sightings[0].values["sightings"][0]["beacon"] == base.aired[0][1]


def tag_files() -> BoardFs:
    return BoardFs(
        {**firmware_image.build("tag", DEFAULT_BOARDS["tag"]), "/state/identity.0": record(IDENTITY)}
    )


# --- tracker

GUARDED = {"collector_host": "collector", "owner_phone": "+8613800138000", "language": "zh"}


def test_parked_tracker_rests_in_light_sleep_with_its_receiver_in_standby(rig):
    tracker = rig("tracker", changed=GUARDED)
    collector = Collector()
    tracker.network.serve("collector", 4710, lambda: collector)
    tracker.run(900)
    before_uas = dict(tracker.device.power.charge_uas())
    tracker.run(3600)
    spent_uas = {
        part: charge - before_uas.get(part, 0.0) for part, charge in tracker.device.power.charge_uas().items()
    }
    mean_ua = {key: charge / 3600 for key, charge in spent_uas.items()}
    assert mean_ua["gnss", "standby"] == pytest.approx(20, rel=0.05)
    assert mean_ua["modem", "sleep"] == pytest.approx(500, rel=0.05)
    assert mean_ua["mcu", "light sleep"] > 0.9 * tracker.board.chip.light_sleep_ua
    assert collector.items("fix") and not collector.items("alarm")


def test_lifted_tracker_sounds_reports_and_texts(rig):
    tracker = rig("tracker", changed=GUARDED)
    collector = Collector()
    tracker.network.serve("collector", 4710, lambda: collector)
    siren = []
    tracker.board.io.line(2).listen(lambda level: siren.append((tracker.world.now_us / 1e6, level)))
    tracker.run(600)
    tracker.place.motion.start(tracker.world.now_us).lift().ride(120)
    tracker.run(240)
    assert siren[0][0] < 603
    longest_s = max(end - start for (start, up), (end, down) in itertools.pairwise(siren) if up > down)
    assert 15 < longest_s <= 30.1
    assert next(item["cause"] for item in collector.items("alarm")) == "lifted"
    texts = [(number, text) for _, number, text in tracker.device.parts["modem"].sent_sms]
    assert texts[0][0] == "+8613800138000" and "T1" in texts[0][1]
    assert any("45.27" in text for _, text in texts)
    assert collector.items("fix")[-1]["source"] == "gnss"
    assert "Traceback" not in tracker.board.log


def test_tracker_that_lost_power_reports_what_happened_before_and_nothing_twice(rig):
    tracker = rig("tracker", changed=GUARDED)
    tracker.run(300)  # nobody answers at the collector's address
    tracker.place.motion.start(tracker.world.now_us).lift().ride(60)
    tracker.run(30)
    tracker.device.power_off()
    tracker.run(10)
    tracker.device.power_on()
    collector = Collector()
    tracker.network.serve("collector", 4710, lambda: collector)
    tracker.run(600)
    reports = [message.values for message in collector.messages if message.name == "report"]
    boots = {report["boot_count"] for report in reports}
    assert next(item["cause"] for item in collector.items("alarm")) == "lifted"
    starts = [item["uptime_s"] for item in collector.items("heartbeat")]
    assert len(boots) == 1 and starts.count(0) == 2, "one heartbeat of each life"
    assert "Traceback" not in tracker.board.log


def test_tracker_cut_at_every_flash_step_names_nothing_twice(rig):
    """A report that is sent again is the same report; whatever was cut, the tracker comes back and reports."""
    cuts = 0
    for cut_at in range(1, 60):
        tracker = rig("tracker", changed=GUARDED)
        collector = Collector()
        tracker.network.serve("collector", 4710, lambda collector=collector: collector)
        first = tracker.files.steps

        def cut(step, first=first, cut_at=cut_at):
            if step.number == first + cut_at:
                raise PowerCut

        tracker.files.on_step = cut
        tracker.run(45)
        if tracker.board.state != "off":
            break
        cuts += 1
        tracker.device.power_off()
        tracker.device.power_on()
        tracker.run(90)
        reports = {}
        for message in collector.messages:
            if message.name != "report":
                continue
            name = (message.values["boot_count"], message.values["sequence"])
            assert reports.setdefault(name, message.values["items"]) == message.values["items"]
        assert collector.items("heartbeat") and "Traceback" not in tracker.board.log
    assert cuts >= 8


def test_tracker_without_modem_still_guards(rig):
    tracker = rig("tracker", changed=GUARDED)
    tracker.device.parts["modem"].power_off()
    siren = []
    tracker.board.io.line(2).listen(siren.append)
    tracker.run(300)
    tracker.place.motion.start(tracker.world.now_us).lift().ride(60)
    tracker.run(60)
    assert siren and tracker.aired
    assert "warning modem: no answer to power on" in tracker.board.log
    assert "Traceback" not in tracker.board.log


@pytest.mark.parametrize("change", [("", ""), ('"air780e"', '"whatever"')])
def test_alarm_gets_through_a_modem_that_fails_in_every_way(rig, change):
    """With a part's name that names no family the modem is asked what it is."""
    tracker = rig("tracker", changed=GUARDED, change=change)
    collector = Collector()
    tracker.network.serve("collector", 4710, lambda: collector)
    tracker.run(120)
    faults = tracker.device.parts["modem"].faults
    faults.rate = 0.6
    tracker.place.motion.start(tracker.world.now_us).lift().ride(120)
    tracker.run(180)
    assert sum(faults.counts.values()) >= 3
    faults.heal()
    tracker.run(900)
    assert "lifted" in [item["cause"] for item in collector.items("alarm")]
    boots = {message.values["boot_count"] for message in collector.messages if message.name == "report"}
    assert len(boots) == 1, "the watchdog never bit"
    assert "Traceback" not in tracker.board.log


def test_power_cut_at_every_flash_step_never_repeats_a_beacon(rig):
    """Beacon counters are reserved in flash before they are used: whatever is cut, none comes twice."""
    cuts = 0
    for cut_at in range(1, 50):
        tag = rig("tag")
        begin = tag.files.steps

        def cut(step, begin=begin, cut_at=cut_at):
            if step.number == begin + cut_at:
                raise PowerCut

        tag.files.on_step = cut
        tag.run(8)
        if tag.board.state != "off":
            break
        cuts += 1
        for _ in range(2):
            tag.device.power_off()
            tag.device.power_on()
            tag.run(8)
        assert len(tag.aired) >= 2
        assert len({payload[3:9] + payload[2:3] for _, payload in tag.aired}) == len(tag.aired)
    assert cuts >= 2
