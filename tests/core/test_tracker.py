"""The tracker: a theft from the first jolt to the last report, and what it does when things fail."""

import random

import pytest
from core.devices import DEVICE_ID, SECRET, Bench, records, silent_radio
from groundcore import events, motion, orders, store
from groundcore.tracker import Tracker
from groundnet.sim.motion_profile import MotionProfile
from groundwire import beacon, downlink, frame, keys, messages, report

REPORT_KEY = keys.derive(SECRET, keys.REPORT)
DOWNLINK_KEY = keys.derive(SECRET, keys.DOWNLINK)
UTC_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
REFUSAL = {"request": 0x40, "code": "refused", "detail": "", "retry_after_ms": None}


def nmea(utc_s, lat_e7, lon_e7, speed_mm_s=0, hdop="0.9") -> bytes:
    """RMC and GGA of one second."""
    time = utc_s % 86400
    clock = b"%02d%02d%02d.000" % (time // 3600, time // 60 % 60, time % 60)
    place = b"%02d%09.6f,N,%03d%09.6f,E" % (
        lat_e7 // 10**7,
        lat_e7 % 10**7 * 60 / 1e7,
        lon_e7 // 10**7,
        lon_e7 % 10**7 * 60 / 1e7,
    )
    knots = b"%.2f" % (speed_mm_s / 514.444)
    bodies = (
        b"GNRMC,%s,A,%s,%s,90.00,210926,,,A" % (clock, place, knots),
        b"GNGGA,%s,%s,1,09,%s,20.0,M,,M,," % (clock, place, hdop.encode()),
    )
    lines = []
    for body in bodies:
        checksum = 0
        for byte in body:
            checksum ^= byte
        lines.append(b"$%s*%02X\r\n" % (body, checksum))
    return b"".join(lines)


class World:
    """Everything around a tracker: motion, sky, modem, collector and radio, in steps of 320 ms."""

    def __init__(self, profile=None, sky=True, fixed_to="vehicle", **settings):
        settings = {"owner_phone": "+385911234567", "collector_host": "collector", **settings}
        self.bench = Bench(Tracker(DEVICE_ID, records(fixed_to, **settings)))
        self.profile = profile or MotionProfile(random.Random(1))
        self.noise = random.Random(2)
        self.sky = sky
        self.network = True
        self.place = [452761000, 137237000]
        self.speed_mm_s = 0
        self.sampling = self.gnss_on = False
        self.threshold_mg = 0
        self.reports = []  # (time, items)
        self.texts = []  # (time, text)
        self.downlinks = []
        self.cells = ((219, 1, 30001, 12345678, -91, "lte"), (219, 1, 30001, 12345679, -99, "gsm"))
        self.play(self.bench.give(events.BOOT, events.BOOT_POWER_ON))
        self.play(self.bench.give(events.MODEM_READY))

    def play(self, actions):
        self.bench.play(actions, self.answer)

    def items(self, kind):
        return [item for _, items in self.reports for item in items if item["type"] == kind]

    def answer(self, bench, action):
        kind = action[0]
        if kind == events.SAMPLE:
            self.sampling = action[1] > 0
        elif kind == events.WATCH_MOTION:
            self.threshold_mg = action[1]
        elif kind in (events.GNSS_ON, events.GNSS_STANDBY):
            self.gnss_on = kind == events.GNSS_ON
        elif kind == events.REQUEST_CELLS:
            return (events.CELLS, self.cells)
        elif kind == events.SEND_SMS:
            self.texts.append((bench.now_ms, action[2]))
            return (events.SMS_DONE, self.network)
        elif kind == events.NET_OPEN:
            return (events.NET_UP,) if self.network else (events.NET_DOWN,)
        elif kind == events.NET_SEND:
            return (events.NET_BYTES, self.acknowledge(action[1])) if self.network else (events.NET_DOWN,)
        elif kind == events.RADIO_SEND:
            return (events.RADIO_SENT,)
        elif kind == events.RADIO_LISTEN:
            return (events.RADIO_SILENT,)
        elif kind == events.READ_BATTERY:
            return (events.BATTERY, 3600)
        return None

    def acknowledge(self, data) -> bytes:
        decoder = frame.Decoder(4096, frame.REQUESTS)
        decoder.feed(data)
        request = decoder.next()
        while request is frame.CORRUPT:
            request = decoder.next()
        report.verify(request.kind, request.payload, REPORT_KEY)
        values = messages.decode(request.kind, request.payload).values
        self.reports.append((self.bench.now_ms, values["items"]))
        ack = {
            "boot_count": values["boot_count"],
            "sequence": values["sequence"],
            "time_ms": UTC_MS + self.bench.now_ms,
            "downlinks": [{"downlink": one} for one in self.downlinks],
        }
        self.downlinks = []
        kind, payload = report.encode("report_ack", ack, REPORT_KEY)
        return frame.encode(kind, payload, request.sequence)

    def run(self, seconds):
        """Let virtual time pass."""
        end_ms = self.bench.now_ms + round(seconds * 1000)
        while self.bench.now_ms < end_ms:
            start_ms = self.bench.now_ms
            self.bench.run_until(start_ms + motion.SAMPLE_PERIOD_MS, self.answer)
            samples = self._samples(start_ms)
            if self.sampling:
                self.play(self.bench.give(events.SAMPLES, samples, len(samples) // 3))
            elif self.threshold_mg and self._jolt(samples):
                self.play(self.bench.give(events.MOTION))
            if self.bench.now_ms // 1000 != start_ms // 1000:
                self._second()

    def _second(self):
        if self.speed_mm_s:
            self.place[1] += (
                self.speed_mm_s // 8
            )  # about 11 mm for each step of longitude at 45 degrees north
        if self.gnss_on and self.sky:
            utc_s = (UTC_MS + self.bench.now_ms) // 1000
            self.play(self.bench.give(events.GNSS_BYTES, nmea(utc_s, *self.place, self.speed_mm_s)))

    def _samples(self, start_ms) -> list[int]:
        samples = []
        for index in range(8):
            time_us = (start_ms + 40 * index) * 1000
            for axis in self.profile.acceleration_g(time_us):
                samples.append(round(axis * 1000 + self.noise.gauss(0, 4.5)))
        return samples

    def _jolt(self, samples) -> bool:
        steps = [abs(later - earlier) for earlier, later in zip(samples, samples[3:], strict=False)]
        return max(steps) > self.threshold_mg


def theft(profile) -> MotionProfile:
    return profile.lift().walk(10).ride(200)


def test_it_arms_and_then_sleeps():
    world = World()
    world.run(60)
    assert not world.sampling
    assert world.threshold_mg == 63
    assert world.items("heartbeat")[0]["mode"] == "armed"
    assert world.items("fix")  # where it is parked
    world.run(300)
    assert not world.gnss_on


def test_a_theft_from_the_first_jolt_to_the_last_report():
    world = World(theft(MotionProfile(random.Random(1)).still(300)))
    world.run(300)
    started_ms = world.bench.now_ms
    world.bench.log.clear()
    world.reports.clear()
    world.run(12)
    chirped = world.bench.sent(events.CHIRP)[0][0]
    sounded = world.bench.sent(events.SIREN)[0][0]
    assert chirped - started_ms <= 3000
    assert chirped < sounded
    first_ms, first_items = world.reports[0]
    assert first_ms - started_ms <= 3000
    assert first_items[0]["type"] == "alarm" and first_items[0]["cause"] == "lifted"
    assert world.bench.sent(events.RADIO_SEND)[0][0] - started_ms <= 3000
    assert world.items("alarm")[-1]["siren_on"] == 1
    world.speed_mm_s = 6000
    world.run(200)
    world.speed_mm_s = 0
    fixes = world.items("fix")
    assert len(fixes) >= 10
    assert all(fix["accuracy_m"] == 4 and fix["age_s"] <= 5 for fix in fixes)
    assert fixes[-1]["lon_e7"] > fixes[0]["lon_e7"] + 50_000
    world.run(400)  # it stands somewhere else: told once more, then quiet again
    last = world.items("fix")[-1]
    assert abs(last["lon_e7"] - world.place[1]) < 1500
    assert not world.gnss_on and not world.sampling
    assert world.bench.core.mode == "armed"
    assert len(world.texts) == 2
    assert world.texts[0][1].startswith("Alarm: GN-000123 is ")
    assert "https://osm.org/" in world.texts[1][1]


def test_a_windy_night_with_trucks_and_knocks_is_silent():
    profile = MotionProfile(random.Random(4)).still(30)
    for _ in range(6):
        profile.wind(300, 1.0, 0.16).truck().still(60).bump()
    world = World(profile)
    world.run(30 * 60)
    for kind in (events.SIREN, events.CHIRP, events.SEND_SMS):
        assert not world.bench.sent(kind)
    assert not world.items("alarm")


def test_a_disarmed_tracker_makes_no_alarm_but_reports_where_it_goes():
    world = World(theft(MotionProfile(random.Random(1)).still(60)), armed=0)
    world.run(62)
    world.speed_mm_s = 6000
    world.run(120)
    assert not world.bench.sent(events.SIREN) and not world.bench.sent(events.CHIRP)
    assert world.bench.core.mode == "moving"
    assert len(world.items("fix")) >= 5


def test_without_sky_cells_are_reported_and_the_text_says_so():
    world = World(theft(MotionProfile(random.Random(1)).still(60)), sky=False)
    world.run(200)
    assert not world.items("fix")
    serving = [cell for cell in world.items("cell") if cell["serving"]]
    assert len(serving) >= 3
    assert serving[0]["cell"] == 12345678
    assert "219-1-30001-12345678" in world.texts[0][1]


def test_a_van_is_found_out_by_the_place():
    world = World(MotionProfile(random.Random(3)).still(120).van(900))
    world.run(120)
    world.speed_mm_s = 9000
    world.run(800)
    assert world.items("alarm")[-1]["cause"] == "transported"
    assert world.bench.sent(events.SIREN)
    assert world.bench.core.mode == "alarm"


def test_a_storm_that_only_shakes_does_not_alarm():
    world = World(MotionProfile(random.Random(3)).still(120).van(900))
    world.run(1030)
    assert world.bench.sent(events.GNSS_ON)
    assert not world.bench.sent(events.SIREN)
    assert not world.items("alarm")


def test_without_a_network_reports_wait_and_alarms_come_first():
    world = World(theft(MotionProfile(random.Random(1)).still(60)))
    world.run(50)
    world.network = False
    world.reports.clear()
    world.speed_mm_s = 6000
    world.run(200)
    assert not world.reports
    assert 1 <= len(world.bench.sent(events.NET_OPEN)) <= 12  # with backoff
    world.network = True
    world.run(150)
    first = world.reports[0][1]
    assert first[0]["type"] == "alarm"
    alarm_ms = first[0]["time_ms"] - UTC_MS
    assert 60_000 <= alarm_ms <= 63_500  # the time it happened, not the time it was told
    assert len(world.items("fix")) >= 10


def test_a_text_that_fails_is_tried_again():
    world = World(theft(MotionProfile(random.Random(1)).still(60)))
    world.run(59)
    world.network = False
    world.run(30)
    assert len(world.texts) == 1
    world.network = True
    world.run(120)
    assert len(world.texts) == 2  # it said already where, so one text is enough
    assert world.texts[1][0] - world.texts[0][0] >= 60_000


def test_no_modem_no_deadline_storm():
    world = World(theft(MotionProfile(random.Random(1)).still(60)))
    world.play(world.bench.give(events.MODEM_LOST))
    world.run(300)
    assert not world.texts
    world.play(world.bench.give(events.MODEM_READY))
    world.run(5)
    assert world.reports


def give_order(world, command, counter, argument=0, challenge=b""):
    world.downlinks.append(downlink.encode(command, counter, argument, DOWNLINK_KEY, challenge))
    world.bench.core._reporter.put("battery", BATTERY, world.bench.now_ms)
    world.run(10)


BATTERY = {"battery_mv": 3600, "percent": 90, "supply": "unknown", "external_mv": None}


def test_lost_mode_locates_again_and_again_and_ends_by_challenge():
    world = World()
    world.run(400)
    world.reports.clear()
    give_order(world, downlink.LOST_ON, 1)
    assert store.State(world.bench.stored[store.STATE]).lost
    assert world.bench.core.mode == "lost"
    world.run(40 * 60)
    assert len(world.items("fix")) >= 4
    assert {item["counter"] for item in world.items("downlink_done")} == {1}
    challenge = world.items("challenge")[-1]["challenge"]
    give_order(world, downlink.LOST_OFF, 2, 0, bytes(8))
    assert world.bench.core.mode == "lost"
    give_order(world, downlink.LOST_OFF, 3, 0, challenge)
    assert world.bench.core.mode == "armed"
    assert not store.State(world.bench.stored[store.STATE]).lost


def test_locate_and_siren_by_order():
    world = World()
    world.run(400)
    world.reports.clear()
    give_order(world, downlink.LOCATE, 1)
    world.run(10)
    assert len(world.items("fix")) >= 1
    give_order(world, downlink.SIREN_ON, 2, 9)
    assert world.bench.sent(events.SIREN)[-1][1] == (events.SIREN, 9000)
    give_order(world, downlink.SIREN_OFF, 3, 0, world.items("challenge")[-1]["challenge"])
    assert world.bench.core._cycle.orders.refused == [0] * len(orders.REFUSALS)


def test_an_order_over_the_radio_is_taken_too():
    world = World()
    world.run(10)
    world.bench.now_ms = world.bench.core._cycle.next_ms
    world.bench.give(events.TICK)
    world.bench.give(events.RADIO_SENT)
    data = downlink.encode(downlink.LOST_ON, 1, 0, DOWNLINK_KEY)
    world.play(world.bench.give(events.RADIO_RECEIVED, data, -80, 700))
    assert world.bench.core.mode == "lost"
    assert world.gnss_on


def test_a_forged_answer_acknowledges_nothing():
    world = World()
    world.run(5)
    waiting = world.bench.core._reporter
    waiting.put("battery", BATTERY, world.bench.now_ms)
    sent = []

    def forge(bench, action):
        if action[0] == events.NET_SEND:
            sent.append(bench.now_ms)
            values = {"boot_count": 1, "sequence": 2, "time_ms": 1, "downlinks": []}
            kind, payload = report.encode("report_ack", values, keys.derive(bytes(32), keys.REPORT))
            return (events.NET_BYTES, frame.encode(kind, payload, len(sent) + 1))
        return silent_radio(bench, action)

    world.answer = forge
    world.run(5)
    assert waiting.waiting >= 1
    assert len(sent) <= 1


def test_it_has_been_answered_when_the_collector_has_signed():
    class Liar(World):
        def acknowledge(self, data):
            super().acknowledge(data)
            return frame.encode(*messages.encode("error", REFUSAL), 1)

    world = Liar()
    world.run(10)
    assert world.reports and not world.bench.core.answered
    world = World()
    assert not Tracker(DEVICE_ID, records()).answered and not Tracker(DEVICE_ID, {}).answered
    world.run(10)
    assert world.bench.core.answered


def test_a_cut_supply_is_an_alarm():
    world = World()
    world.run(30)
    world.play(world.bench.give(events.SUPPLY, 12_400))
    assert not world.items("alarm")
    world.play(world.bench.give(events.SUPPLY, 0))
    world.run(5)
    assert world.items("alarm")[0]["cause"] == "power_cut"
    assert len(world.texts) >= 1


def test_a_low_battery_is_told_once():
    world = World(heartbeat_s=300)
    world.answer_battery = 3000
    usual = world.answer
    world.answer = lambda b, a: (events.BATTERY, 3010) if a[0] == events.READ_BATTERY else usual(b, a)
    world.run(1000)
    assert [item["cause"] for item in world.items("alarm")] == ["low_battery"]
    assert len(world.items("battery")) >= 3


def test_its_beacons_carry_the_position():
    world = World()
    world.run(40 * 60)
    sent = [beacon.decode(action[1]) for _, action in world.bench.sent(events.RADIO_SEND)]
    assert sent[-1].type == beacon.FIX
    counter = world.bench.core._cycle.beacons.counter - 1
    shown = beacon.reveal(sent[-1].body, counter, keys.derive(SECRET, keys.POSITION))
    assert abs(shown.lat_e7 - 452761000) < 200


def test_a_blank_tracker_does_nothing():
    tracker = Tracker(DEVICE_ID, {})
    for event in ((events.BOOT, 0), (events.MOTION,), (events.MODEM_READY,), (events.GNSS_BYTES, b"$")):
        assert tracker.handle(event, 0) == []
    assert tracker.next_deadline() is None


@pytest.mark.parametrize("region", ["atlantis"])
def test_without_a_plan_it_reports_but_never_transmits(region):
    world = World(region=region)
    world.run(60)
    assert not world.bench.sent(events.RADIO_SEND)
    assert world.items("heartbeat")
    assert store.State(world.bench.stored[store.STATE]).boot_count == 1
