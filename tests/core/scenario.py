"""Runs all three cores and the service through a theft and prints every action: the same on every interpreter."""

import gc

from groundcore import events, store
from groundcore.base import Base
from groundcore.service import Service
from groundcore.settings import encode
from groundcore.tag import Tag, restore
from groundcore.tracker import Tracker
from groundwire import downlink, frame, keys, messages

SECRET = bytes(range(32))
DEVICE_ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
DOWNLINK_KEY = keys.derive(SECRET, keys.DOWNLINK)


def records(**settings):
    identity = store.Identity("GN-000123", "vehicle", "Harbour", SECRET, True)
    return {
        store.IDENTITY: store.encode_identity(identity),
        store.STATE: None,
        store.SETTINGS: encode(settings),
    }


def show(now_ms, actions):
    for action in actions:
        print(now_ms, *[bytes(value).hex() if type(value) is bytes else repr(value) for value in action])


def give(core, event, now_ms):
    actions = core.handle(event, now_ms)
    show(now_ms, actions)
    return actions


def tag():
    core = Tag(records(parked_interval_s=60))
    now_ms = 0
    give(core, (events.BOOT, events.BOOT_POWER_ON), now_ms)
    for number in range(40):
        now_ms = max(now_ms, core.next_deadline())
        event = (events.MOTION,) if number % 9 == 4 else (events.TICK,)
        give(core, event, now_ms)
        now_ms += 165
        give(core, (events.RADIO_SENT,), now_ms)
        command = downlink.LOST_ON if number == 11 else downlink.SIREN_ON
        order = downlink.encode(command, number, 5, DOWNLINK_KEY)
        if number % 11 == 0:
            give(core, (events.RADIO_RECEIVED, order, -90, 500), now_ms + 100)
        now_ms += 260
        give(core, (events.RADIO_SILENT,), now_ms)
        snapshot = core.snapshot()
        print(snapshot.hex())
        core = restore(snapshot)
    print(core.refused, core.next_deadline())


def nmea(second):
    place = f"0000{second:02d}.000,{{}}4516.{1000 + second * 20:04d},N,01343.1000,E"
    body = "GNRMC," + place.format("A,") + ",9.7,45.0,010126,,,A"
    other = "GNGGA," + place.format("") + ",1,09,0.9,20.0,M,,M,,"
    lines = b""
    for text in (body, other):
        checksum = 0
        for byte in text.encode():
            checksum ^= byte
        lines += b"$%s*%02X\r\n" % (text.encode(), checksum)
    return lines


def samples(number):
    """Still, then shaken as wheels shake, by a generator of its own."""
    values = []
    seed = number + 1
    for index in range(24):
        seed = (seed * 1103515245 + 12345) % 2147483648
        shake = 700 if 60 <= number < 100 else 8
        values.append((1000 if index % 3 == 2 else 0) + seed // 65536 % (2 * shake + 1) - shake)
    return values


def tracker():
    core = Tracker(DEVICE_ID, records(owner_phone="+385", collector_host="collector", language="zh"))
    give(core, (events.BOOT, events.BOOT_RESET), 0)
    give(core, (events.MODEM_READY,), 500)
    for number in range(200):
        now_ms = 1000 + 320 * number
        due_ms = core.next_deadline()
        if due_ms <= now_ms:
            give(core, (events.TICK,), now_ms)
        give(core, (events.SAMPLES, samples(number), 8), now_ms)
        if number % 3 == 0:
            give(core, (events.GNSS_BYTES, nmea(number // 3 % 60)), now_ms)
        if number == 130:
            give(core, (events.CELLS, ((219, 1, 30001, 12345678, -91, "umts"),)), now_ms)
        if number == 140:
            give(core, (events.NET_UP,), now_ms)
    print(core.mode, core.next_deadline())


def base():
    core = Base(DEVICE_ID, records(collector_host="collector"), "1.0")
    give(core, (events.BOOT, events.BOOT_POWER_ON), 0)
    give(core, (events.NET_UP,), 100)
    order = {
        "order_id": 5,
        "expires_ms": 2_000_000_000_000,
        "eids": [keys.eid(keys.derive(SECRET, keys.IDENTITY), 0)],
        "downlink": downlink.encode(downlink.LOST_ON, 1, 0, DOWNLINK_KEY),
    }
    kind, payload = messages.encode("orders", {"time_ms": 1_790_000_000_000, "orders": [order]})
    give(core, (events.NET_BYTES, frame.encode(kind, payload, 1)), 200)
    speaker = Tag(records())
    speaker.handle((events.BOOT, events.BOOT_POWER_ON), 0)
    sent = speaker.handle((events.TICK,), 5000)
    beacon = next(action[1] for action in sent if action[0] == events.RADIO_SEND)
    give(core, (events.RADIO_RECEIVED, beacon, -110, -725), 5000)
    give(core, (events.RADIO_SENT,), 5250)
    print(core.next_deadline())


def service():
    device = {
        "device_id": DEVICE_ID,
        "role": "tag",
        "board": "b",
        "product": "p",
        "firmware": "f",
        "hardware_revision": 1,
        "capabilities": ["battery"],
    }
    link = Service(device, {}, lambda count: bytes(count))
    identity = {"tag_id": "牌-1", "profile": "vehicle", "install_point": "", "secret": SECRET}
    requests = (
        ("identity_get", {}),
        ("provision_write", identity),
        ("provision_prove", {"challenge": bytes(16)}),
        ("provision_lock", {"check_value": keys.check_value(SECRET)}),
        ("provision_write", identity),
        ("settings_read", {"first": 0}),
        ("session_open", {"device_id": DEVICE_ID, "initiator_nonce": bytes(16)}),
        ("bye", {}),
    )
    for sequence, (name, values) in enumerate(requests):
        show(sequence, link.receive(frame.encode(*messages.encode(name, values), sequence), sequence))


for play in (tag, tracker, base, service):
    play()
    gc.collect()
