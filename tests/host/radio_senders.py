"""A tag, a station and a tracker as plain builders of bytes, for tests of the collector."""

from groundwire import beacon, frame, keys, messages, report

NOW_MS = 1_700_000_000_000
STATION = bytes.fromhex("3c71bf0000b00001")
OTHER = bytes.fromhex("3c71bf0000b00002")


class TagSender:
    """Makes the beacons of one tag."""

    def __init__(self, device_id: bytes, secret: bytes) -> None:
        self.device_id = device_id
        self.secret = secret
        self._identity = keys.derive(secret, keys.IDENTITY)
        self._beacon = keys.derive(secret, keys.BEACON)
        self._position = keys.derive(secret, keys.POSITION)

    def beacon(self, counter: int, flags: int = 0, kind: int = beacon.PLAIN, body: bytes = b"") -> bytes:
        buffer = bytearray(beacon.MAX_SIZE)
        eid = keys.eid(self._identity, counter >> keys.EPOCH_BITS)
        size = beacon.encode_into(buffer, kind, 1, flags, 10, counter, eid, body)
        return bytes(buffer[: beacon.protect(buffer, size, counter, self._beacon, self._position)])


def sighting(data: bytes, time_ms: int, rssi_dbm: int = -100) -> dict:
    return {"time_ms": time_ms, "rssi_dbm": rssi_dbm, "snr_cdb": 500, "channel": 0, "beacon": data}


def request(name: str, sequence: int = 1, **values: object) -> bytes:
    kind, payload = messages.encode(name, values)
    return frame.encode(kind, payload, sequence)


def hello(station_id: bytes = STATION, lat: float = 45.0, lon: float = 13.0) -> bytes:
    return request(
        "station_hello",
        station_id=station_id,
        boot_count=1,
        protocol_min=1,
        protocol_max=1,
        region="eu868",
        firmware="0.1.0",
        lat_e7=round(lat * 1e7),
        lon_e7=round(lon * 1e7),
    )


def sightings(
    batch: list[dict], first_sequence: int = 0, station_id: bytes = STATION, boot_count: int = 1
) -> bytes:
    return request(
        "sightings",
        station_id=station_id,
        boot_count=boot_count,
        first_sequence=first_sequence,
        sightings=batch,
    )


def signed_report(device_id: bytes, secret: bytes, sequence: int, items: list[dict]) -> bytes:
    values = {"device_id": device_id, "boot_count": 1, "sequence": sequence, "items": items}
    kind, payload = report.encode("report", values, keys.derive(secret, keys.REPORT))
    return frame.encode(kind, payload, 1)


def fix_item(time_ms: int, lat: float, lon: float, accuracy_m: int = 10) -> dict:
    return {
        "type": "fix",
        "time_ms": time_ms,
        "lat_e7": round(lat * 1e7),
        "lon_e7": round(lon * 1e7),
        "accuracy_m": accuracy_m,
        "age_s": 0,
        "speed_cmps": 500,
        "course_cdeg": 9000,
        "altitude_m": None,
        "satellites": 9,
        "hdop_c": 90,
        "source": "gnss",
    }


def reply_of(line: bytes) -> messages.Message:
    """The one message in the bytes of a reply."""
    decoder = frame.Decoder(5000, frame.REPLIES)
    decoder.feed(line)
    answer = decoder.next()
    assert isinstance(answer, frame.Frame), answer
    assert decoder.next() is frame.NEED_MORE
    return messages.decode(answer.kind, answer.payload)


def frame_of(line: bytes) -> frame.Frame:
    """The one request frame in some bytes."""
    decoder = frame.Decoder(5000)
    decoder.feed(line)
    answer = decoder.next()
    assert isinstance(answer, frame.Frame), answer
    return answer


def ask(collector, line: bytes, now_ms: int = NOW_MS) -> messages.Message:
    """The collector's reply to one request."""
    return reply_of(collector.receive(frame_of(line), now_ms))


def count(collector, table: str) -> int:
    return collector.database.row(f"SELECT count(*) AS n FROM {table}")["n"]


def rejects(collector) -> dict[str, int]:
    return {row["reason"]: row["count"] for row in collector.database.rows("SELECT * FROM rejects")}
