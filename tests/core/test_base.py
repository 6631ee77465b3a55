"""The base station: sightings reach the collector exactly once in order, and orders reach tags in time."""

from itertools import pairwise

from core.devices import DEVICE_ID, Bench, records
from groundcore import events, listening, region, store
from groundcore.base import Base
from groundwire import beacon, downlink, frame, keys, messages

SECRET = bytes(range(32))
START_UTC_MS = 1_790_000_000_000


def make_beacon(counter, flags=beacon.LISTENING, secret=SECRET) -> bytes:
    buffer = bytearray(beacon.MAX_SIZE)
    eid = keys.eid(keys.derive(secret, keys.IDENTITY), counter >> keys.EPOCH_BITS)
    size = beacon.encode_into(buffer, beacon.PLAIN, 1, flags, 10, counter, eid)
    return bytes(buffer[: beacon.protect(buffer, size, counter, keys.derive(secret, keys.BEACON))])


class Collector:
    """Answers a station's frames as the contract says. `deaf` makes it lose replies."""

    def __init__(self, bench):
        self.bench = bench
        self.seen = {}  # (boot, sequence) -> sighting
        self.names = []
        self.last = {}
        self.orders = []
        self.deaf = 0

    def answer(self, bench, action):
        if action[0] == events.NET_OPEN:
            return (events.NET_UP,)
        if action[0] != events.NET_SEND:
            return None
        decoder = frame.Decoder(4096, frame.REQUESTS)
        decoder.feed(action[1])
        request = decoder.next()
        while request is frame.CORRUPT:
            request = decoder.next()
        message = messages.decode(request.kind, request.payload)
        self.names.append(message.name)
        self.last[message.name] = message.values
        if self.deaf:
            self.deaf -= 1
            return (events.NET_DOWN,)
        return (events.NET_BYTES, self._reply(request, message))

    def _reply(self, request, message):
        values = {"time_ms": START_UTC_MS + self.bench.now_ms, "orders": self.orders}
        name = "orders"
        if message.name == "sightings":
            name = "sightings_ack"
            first = message.values["first_sequence"]
            for index, sighting in enumerate(message.values["sightings"]):
                self.seen.setdefault((message.values["boot_count"], first + index), sighting)
            values["boot_count"] = message.values["boot_count"]
            values["next_sequence"] = first + len(message.values["sightings"])
        self.orders = []
        kind, payload = messages.encode(name, values)
        return frame.encode(kind, payload, request.sequence)


def station(**settings) -> tuple[Bench, Collector]:
    bench = Bench(Base(DEVICE_ID, records(collector_host="collector", **settings), "1.0"))
    collector = Collector(bench)
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), collector.answer)
    return bench, collector


def hear(bench, collector, data, rssi_dbm=-100, snr_cdb=350):
    bench.play(bench.give(events.RADIO_RECEIVED, data, rssi_dbm, snr_cdb), collector.answer)


def test_it_listens_says_hello_and_tells_its_health_every_half_minute():
    bench, collector = station(lat_e7=452761000, lon_e7=137237000)
    assert bench.sent(events.RADIO_LISTEN)[0][1] == (
        events.RADIO_LISTEN,
        region.PLANS["eu868"].beacon,
        0,
    )
    assert collector.last["station_hello"]["lat_e7"] == 452761000
    assert collector.last["station_hello"]["boot_count"] == 1
    bench.run_until(5 * 60_000, collector.answer)
    assert 10 <= collector.names.count("station_health") <= 11
    assert collector.last["station_health"]["uptime_s"] >= 240
    assert collector.last["station_health"]["time_ms"] - START_UTC_MS <= bench.now_ms


def test_with_both_radios_an_order_goes_out_on_the_channel_of_the_beacon():
    bench, collector = station(both_radios=1)
    gfsk = region.PLANS["eu868-gfsk"]
    data = make_beacon(7)
    collector.orders = [order(5, counter=7)]
    bench.run_until(bench.now_ms + 31_000, collector.answer)
    bench.play(bench.give(events.RADIO_RECEIVED, data, -90, 0, 1), collector.answer)
    assert [action[2] for _, action in bench.sent(events.RADIO_SEND)] == [gfsk.downlink]
    assert collector.last["sightings"]["sightings"][0]["channel"] == 1


def test_an_advertisement_is_a_sighting_without_snr_and_is_not_answered():
    bench, collector = station(both_radios=1)
    data = make_beacon(7)
    collector.orders = [order(5, counter=7)]
    bench.run_until(bench.now_ms + 31_000, collector.answer)
    bench.play(bench.give(events.RADIO_RECEIVED, data, -83, None, listening.BLE), collector.answer)
    (told,) = collector.last["sightings"]["sightings"]
    assert (told["channel"], told["snr_cdb"], told["rssi_dbm"]) == (2, None, -83)
    assert not bench.sent(events.RADIO_SEND)


def rmc(hhmmss, status="A") -> bytes:
    """An RMC sentence of 2026-09-21 with its checksum (NMEA 0183)."""
    body = f"GNRMC,{hhmmss}.00,{status},4516.4500,N,01343.3800,E,0.0,0.0,210926,,,A".encode()
    checksum = 0
    for byte in body:
        checksum ^= byte
    return b"$" + body + b"*%02X\r\n" % checksum


def test_its_own_receiver_tells_time_and_place_before_the_network_while_it_has_sky():
    bench = Bench(Base(DEVICE_ID, records(collector_host="c"), "1.0", has_gnss=True))
    collector = Collector(bench)
    assert (events.GNSS_ON,) in bench.give(events.BOOT, events.BOOT_POWER_ON)
    bench.now_ms = 5000
    for second in range(3):
        bench.give(events.GNSS_BYTES, rmc(f"12000{second}"))
    assert len(bench.sent(events.SET_CLOCK)) == 1
    sky_ms = bench.sent(events.SET_CLOCK)[0][1][1]
    assert sky_ms == 1_789_992_000_000, "2026-09-21T12:00:00Z"
    hear(bench, collector, make_beacon(1))
    bench.run_until(200_000, collector.answer)
    assert collector.last["station_hello"]["lat_e7"] == 452741667
    assert abs(collector.seen[(1, 0)]["time_ms"] - sky_ms) < 3000, "and not what the collector says"
    bench.now_ms += 1_000_000  # a roof over it: the network's time again
    bench.run_until(bench.now_ms + 200_000, collector.answer)
    hear(bench, collector, make_beacon(2))
    assert abs(collector.seen[(1, 1)]["time_ms"] - START_UTC_MS - bench.now_ms) < 3000


def test_its_health_tells_what_was_measured_and_what_fails():
    bench, collector = station()
    assert collector.last["station_health"]["noise_dbm"] is None
    bench.give(events.HEALTH, -112, 37, 250, 41)
    bench.give(events.FAULT, "network", "certificate refused: " + "x" * 60)
    bench.give(events.FAULT, "led", "gone")
    bench.give(events.FAULT, "led", "")
    bench.run_until(bench.now_ms + 31_000, collector.answer)
    told = collector.last["station_health"]
    assert (told["noise_dbm"], told["load_permille"], told["ring_permille"], told["temperature_c"]) == (
        -112,
        37,
        250,
        41,
    )
    network = {"part": "network", "text": ("certificate refused: " + "x" * 60)[:40]}
    assert told["faults"] == [{"part": "led", "text": "was: gone"}, network]
    bench.run_until(bench.now_ms + 31_000, collector.answer)
    assert collector.last["station_health"]["faults"] == [network], "what is over is told once"
    assert bench.sent(events.READ_HEALTH)


def test_an_error_in_reply_is_waited_out_and_not_asked_again_at_once():
    bench, collector = station()
    refusal = {"request": 0x30, "code": "not_authenticated", "detail": "who?", "retry_after_ms": None}
    collector._reply = lambda request, message: frame.encode(
        *messages.encode("error", refusal), request.sequence
    )
    del collector.names[:]
    bench.run_until(bench.now_ms + 600_000, collector.answer)
    assert 5 <= len(collector.names) <= 12
    assert "who?" in bench.sent(events.LOG)[0][1][3]


def test_a_station_without_a_place_says_so():
    _, collector = station()
    assert collector.last["station_hello"]["lat_e7"] is None


def test_a_beacon_becomes_a_sighting_with_the_time_it_was_heard():
    bench, collector = station()
    bench.now_ms = 123_456
    data = make_beacon(5)
    hear(bench, collector, data, -117, -1250)
    assert collector.seen == {
        (1, 0): {
            "time_ms": START_UTC_MS + 123_456,
            "rssi_dbm": -117,
            "snr_cdb": -1250,
            "channel": 0,
            "beacon": data,
        }
    }


def test_sightings_wait_while_the_collector_is_away_and_arrive_once():
    bench, collector = station()
    bench.give(events.NET_DOWN)
    for counter in range(40):
        bench.now_ms += 1000
        bench.give(events.RADIO_RECEIVED, make_beacon(counter), -100, 0)
    collector.deaf = 3  # replies get lost: the same sightings go again
    bench.run_until(bench.now_ms + 30 * 60_000, collector.answer)
    assert sorted(collector.seen) == [(1, sequence) for sequence in range(40)]
    heard = [sighting["beacon"] for _, sighting in sorted(collector.seen.items())]
    assert heard == [make_beacon(counter) for counter in range(40)]
    assert collector.last["station_health"]["queued"] == 0


def test_a_full_memory_loses_the_oldest_and_counts_them():
    bench, collector = station()
    bench.give(events.NET_DOWN)
    for counter in range(300):
        bench.now_ms += 100
        bench.give(events.RADIO_RECEIVED, make_beacon(counter), -100, 0)
    bench.run_until(bench.now_ms + 10 * 60_000, collector.answer)
    heard = [sighting["beacon"] for _, sighting in sorted(collector.seen.items())]
    assert heard[-1] == make_beacon(299)
    assert len(heard) == 256
    assert collector.last["station_health"]["lost"] == 44


def test_noise_and_other_stations_are_no_sightings():
    bench, collector = station()
    hear(bench, collector, b"\x00" * 15)
    hear(bench, collector, b"")
    hear(bench, collector, downlink.encode(1, 1, 0, keys.derive(SECRET, keys.DOWNLINK)))
    hear(bench, collector, make_beacon(5))
    assert len(collector.seen) == 1
    assert (bench.core.bad_frames, bench.core.heard) == (2, 1)


def order(number=7, counter=20, expires_ms=START_UTC_MS + 3_600_000) -> dict:
    eid = keys.eid(keys.derive(SECRET, keys.IDENTITY), counter >> keys.EPOCH_BITS)
    command = downlink.encode(downlink.LOST_ON, 1, 0, keys.derive(SECRET, keys.DOWNLINK))
    return {"order_id": number, "expires_ms": expires_ms, "eids": [bytes(6), eid], "downlink": command}


def test_an_order_goes_out_inside_the_window_of_its_tag_and_is_receipted():
    bench, collector = station()
    collector.orders = [order()]
    bench.run_until(31_000, collector.answer)
    hear(bench, collector, make_beacon(20, secret=bytes(32)))
    assert not bench.sent(events.RADIO_SEND)
    hear(bench, collector, make_beacon(20))
    (_, (_, data, channel, delay_ms)) = bench.sent(events.RADIO_SEND)[0]
    assert (data, channel) == (order()["downlink"], region.PLANS["eu868"].downlink)
    assert 0 < delay_ms < beacon.RECEIVE_WINDOW_MS
    bench.log.clear()
    bench.play(bench.give(events.RADIO_SENT), collector.answer)
    assert bench.sent(events.RADIO_LISTEN)  # back to beacons
    receipt = collector.last["downlink_receipt"]["receipts"]
    assert [(one["order_id"], one["result"]) for one in receipt] == [(7, "sent")]
    hear(bench, collector, make_beacon(21))
    assert not bench.sent(events.RADIO_SEND)  # once


def test_a_tag_that_does_not_listen_is_not_answered():
    bench, collector = station()
    collector.orders = [order()]
    bench.run_until(31_000, collector.answer)
    hear(bench, collector, make_beacon(20, flags=0))
    assert not bench.sent(events.RADIO_SEND)


def test_an_order_that_could_not_be_sent_waits_for_the_next_beacon():
    bench, collector = station()
    collector.orders = [order()]
    bench.run_until(31_000, collector.answer)
    hear(bench, collector, make_beacon(20))
    bench.play(bench.give(events.RADIO_FAILED, events.FAILED_CHANNEL_BUSY), collector.answer)
    assert collector.last["downlink_receipt"]["receipts"][0]["result"] == "busy"
    hear(bench, collector, make_beacon(21))
    assert len(bench.sent(events.RADIO_SEND)) == 2


def test_an_old_order_expires():
    bench, collector = station()
    collector.orders = [order(expires_ms=START_UTC_MS + 60_000)]
    bench.run_until(200_000, collector.answer)
    assert collector.last["downlink_receipt"]["receipts"][0]["result"] == "expired"
    hear(bench, collector, make_beacon(20))
    assert not bench.sent(events.RADIO_SEND)


def test_an_order_of_the_same_number_replaces_the_old_one():
    bench, collector = station()
    for _ in range(3):
        collector.orders = [order()]
        bench.run_until(bench.now_ms + 31_000, collector.answer)
    assert collector.last["station_health"]["orders_waiting"] == 1


def test_no_airtime_is_told_and_the_order_waits():
    bench, collector = station()
    sent = 0
    for number in range(3000):
        bench.core._orders.keep([order(number)], bench.now_ms)
        hear(bench, collector, make_beacon(20))
        if not bench.core._orders.answering:
            break
        sent += 1
        bench.play(bench.give(events.RADIO_SENT), collector.answer)
    assert collector.last["downlink_receipt"]["receipts"][0]["result"] == "no_airtime"
    channel = region.PLANS["eu868"].downlink
    assert sent * region.airtime_us(channel, downlink.SIZE) <= 360_000_000
    bench.now_ms = 3_600_000 - 1
    bench.core._orders.keep([order(1, expires_ms=START_UTC_MS * 2)], bench.now_ms)
    bench.now_ms = 3_900_000
    hear(bench, collector, make_beacon(21))
    assert bench.core._orders.answering


def test_a_collector_that_answers_nothing_is_left_and_tried_again_later():
    bench = Bench(Base(DEVICE_ID, records(collector_host="c")))
    bench.play(
        bench.give(events.BOOT, events.BOOT_POWER_ON),
        lambda b, a: (events.NET_UP,) if a[0] == events.NET_OPEN else None,
    )
    opened = []

    def mute(bench, action):
        if action[0] == events.NET_OPEN:
            opened.append(bench.now_ms)
            return (events.NET_UP,)
        return None

    bench.run_until(20 * 60_000, mute)
    assert 6 <= len(opened) <= 14
    gaps = [later - earlier for earlier, later in pairwise(opened)]
    assert gaps == sorted(gaps)
    assert max(gaps) <= 141_000


def test_it_has_been_answered_when_a_reply_was_read():
    bench = Bench(Base(DEVICE_ID, records(collector_host="c")))
    collector = Collector(bench)
    collector.deaf = 2
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), collector.answer)
    bench.run_until(1, collector.answer)
    assert collector.names and not bench.core.answered, "it has asked and heard nothing"
    bench.run_until(60_000, collector.answer)
    assert bench.core.answered


def test_a_garbled_reply_counts_as_none():
    bench, collector = station()
    bench.now_ms = 40_000

    def garble(bench, action):
        event = collector.answer(bench, action)
        if event is not None and event[0] == events.NET_BYTES:
            return (events.NET_BYTES, event[1][:8] + b"\x55" + event[1][8:])
        return event

    bench.play(bench.give(events.RADIO_RECEIVED, make_beacon(1), -90, 0), garble)
    bench.run_until(200_000, collector.answer)
    assert list(collector.seen) == [(1, 0)]


def test_a_region_without_a_plan_is_logged_and_the_radio_stays_silent():
    bench = Bench(Base(DEVICE_ID, records(region="atlantis")))
    actions = bench.give(events.BOOT, events.BOOT_POWER_ON)
    assert [action[0] for action in actions] == [events.STORE, events.LOG]


def test_boots_are_counted():
    state = store.State()
    state.boot_count = 41
    bench = Bench(Base(DEVICE_ID, {**records(), store.STATE: state.encode()}))
    bench.give(events.BOOT, events.BOOT_WATCHDOG)
    assert store.State(bench.stored[store.STATE]).boot_count == 42


def test_in_quarantine_it_waits_as_told_keeps_what_it_hears_and_tells_of_it_afterwards():
    bench, collector = station()
    answer = collector._reply
    refusal = {"request": 0x33, "code": "busy", "detail": "quarantine: by hand", "retry_after_ms": 900_000}
    collector._reply = lambda request, message: frame.encode(
        *messages.encode("error", refusal), request.sequence
    )
    bench.run_until(bench.now_ms + 31_000, collector.answer)
    del collector.names[:]
    began_ms = bench.now_ms
    for counter in range(100):
        bench.now_ms += 5000
        hear(bench, collector, make_beacon(counter))
    bench.run_until(began_ms + 840_000, collector.answer)
    assert collector.names == [], "not a word within the quarter of an hour"
    told = []
    collector._reply = lambda request, message: told.append(message) or answer(request, message)
    bench.run_until(began_ms + 1_000_000, collector.answer)
    assert [one["beacon"] for _, one in sorted(collector.seen.items())] == [
        make_beacon(n) for n in range(100)
    ]
    health = [message.values for message in told if message.name == "station_health"]
    assert {one["lost"] for one in health} == {0}
    was = {"part": "link", "text": "was: quarantine: by hand"}
    assert [one["faults"] for one in health] == [[was]] + [[]] * (len(health) - 1)
