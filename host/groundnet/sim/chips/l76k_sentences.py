"""NMEA sentences in the L76K's dialect (NMEA 0183 4.11, as in gpsd's log of one), and recorded ones."""

from collections.abc import Iterable
from datetime import UTC, datetime

from groundnet.sim.sky import Measurement, Satellite

KINDS = ("GGA", "GLL", "GSA", "GSV", "RMC", "VTG", "ZDA", "ANT")  # order of output and of the $PCAS03 fields
_SYSTEM_ID = {"GP": 1, "BD": 4}
_KNOTS_PER_MPS = 3600 / 1852
_TIME_FIELD = {b"GGA": 1, b"RMC": 1, b"ZDA": 1, b"GNS": 1, b"GLL": 5}


def sentence(body: str) -> bytes:
    """``$body*checksum`` with line end; the checksum is the XOR over the body (NMEA 0183)."""
    checksum = 0
    for byte in body.encode("ascii"):
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode("ascii")


def body_of(line: bytes) -> str | None:
    """The body of a sentence whose checksum is right, else None."""
    text = line.strip()
    if not text.isascii() or not text.startswith(b"$") or b"*" not in text:
        return None
    body = text[1 : text.rindex(b"*")].decode("ascii")
    return body if sentence(body).strip() == text else None


def boot(systems: Iterable[str]) -> list[bytes]:
    """What it says of itself when it starts."""
    mode = "".join(system[0] for system in ("GP", "BD") if system in systems)
    facts = ("MA=CASIC", "IC=AT6558R-5N-32-1C580901", "SW=URANUS5,V5.3.0.0", f"MO={mode}", "CI=00000000")
    return [sentence(f"GPTXT,01,01,02,{fact}") for fact in facts]


def epoch(
    kinds: Iterable[str],
    unix_ms: int | None,
    fix: Measurement | None,
    satellites: tuple[Satellite, ...],
) -> list[bytes]:
    """The sentences of one epoch, in the receiver's order.

    Args:
        kinds: which of KINDS are due.
        unix_ms: UTC as far as the receiver knows it.
        fix: None while it has none.
        satellites: what it hears.
    """
    moment = None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC)
    clock = f"{moment:%H%M%S}.{moment.microsecond // 1000:03d}" if moment else ""
    date = f"{moment:%d%m%y}" if moment else ""
    calendar = f"{moment:%d,%m,%Y},00,00" if moment else ",,,,"
    used = [satellite for satellite in satellites if satellite.used] if fix else []
    bodies = {
        "GSA": [_active(system, used, fix) for system in _SYSTEM_ID],
        "GSV": [body for system in _SYSTEM_ID for body in _in_view(system, satellites)],
        "ZDA": [f"GNZDA,{clock},{calendar}"],
        "ANT": ["GPTXT,01,01,01,ANTENNA OK"],
    }
    bodies |= _located(fix, len(used), clock, date) if fix else _void(clock, date)
    wanted = set(kinds)
    return [sentence(body) for kind in KINDS if kind in wanted for body in bodies[kind]]


def _located(fix: Measurement, used: int, clock: str, date: str) -> dict[str, list[str]]:
    place = _place(fix)
    speed, kmh = f"{fix.speed_mps * _KNOTS_PER_MPS:.2f}", f"{fix.speed_mps * 3.6:.2f}"
    course = f"{fix.course_deg % 359.995:.2f}"  # two decimals must not show 360.00
    heights = f"{fix.hdop:.1f},{fix.altitude_m:.1f},M,0.0,M"
    return {
        "GGA": [f"GNGGA,{clock},{place},1,{used:02d},{heights},,"],
        "GLL": [f"GNGLL,{place},{clock},A,A"],
        "RMC": [f"GNRMC,{clock},A,{place},{speed},{course},{date},,,A,V"],
        "VTG": [f"GNVTG,{course},T,,M,{speed},N,{kmh},K,A"],
    }


def _void(clock: str, date: str) -> dict[str, list[str]]:
    return {
        "GGA": [f"GNGGA,{clock},,,,,0,00,25.5,,,,,,"],
        "GLL": [f"GNGLL,,,,,{clock},V,N"],
        "RMC": [f"GNRMC,{clock},V,,,,,,,{date},,,N,V"],
        "VTG": ["GNVTG,,,,,,,,,N"],
    }


def _place(fix: Measurement) -> str:
    lat_text, lon_text = _degrees_minutes(abs(fix.lat), 2), _degrees_minutes(abs(fix.lon), 3)
    return f"{lat_text},{'N' if fix.lat >= 0 else 'S'},{lon_text},{'E' if fix.lon >= 0 else 'W'}"


def _degrees_minutes(degrees: float, digits: int) -> str:
    """ddmm.mmmmm; rounding may not show 60 minutes."""
    hundred_thousandths = round(degrees * 60 * 100_000)
    whole, rest = divmod(hundred_thousandths, 60 * 100_000)
    return f"{whole:0{digits}d}{rest // 100_000:02d}.{rest % 100_000:05d}"


def _active(system: str, used: list[Satellite], fix: Measurement | None) -> str:
    prns = [f"{satellite.prn:02d}" for satellite in used if satellite.system == system][:12]
    prns += [""] * (12 - len(prns))
    hdop = fix.hdop if fix else 25.5
    pdop, vdop = (hdop * 1.6, hdop * 1.25) if fix else (25.5, 25.5)
    dilutions = f"{pdop:.1f},{hdop:.1f},{vdop:.1f}"
    return f"GNGSA,A,{3 if fix else 1},{','.join(prns)},{dilutions},{_SYSTEM_ID[system]}"


def _in_view(system: str, satellites: tuple[Satellite, ...]) -> list[str]:
    seen = [satellite for satellite in satellites if satellite.system == system]
    total = max(1, (len(seen) + 3) // 4)
    bodies = []
    for index in range(total):
        body = f"{system}GSV,{total},{index + 1},{len(seen):02d}"
        for satellite in seen[4 * index : 4 * index + 4]:
            snr = f"{satellite.snr_db:02d}" if satellite.snr_db else ""
            body += f",{satellite.prn:02d},{satellite.elevation_deg:02d},{satellite.azimuth_deg:03d},{snr}"
        bodies.append(body + ",0")
    return bodies


def recorded_epochs(lines: Iterable[bytes]) -> list[list[bytes]]:
    """A recorded log cut into epochs; garbage is kept, for it was on the line too.

    An epoch begins with a sentence of another time than the last one, or of a kind that its epoch already
    has (before the receiver knows the time, every time is empty). Lines without a time go with those before.
    """
    epochs: list[list[bytes]] = []
    time = b""
    kinds: set[bytes] = set()
    for line in lines:
        fields = line.split(b"*")[0].split(b",")
        kind = fields[0][-3:]
        place = _TIME_FIELD.get(kind, len(fields))
        stated = fields[place] if place < len(fields) else None
        begins = stated is not None and (stated != time or kind in kinds)
        if begins:
            time, kinds = stated, set()
        if begins or not epochs:
            epochs.append([])
        if stated is not None:
            kinds.add(kind)
        epochs[-1].append(line)
    return epochs
