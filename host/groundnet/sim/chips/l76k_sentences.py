"""NMEA sentences in the L76K's dialect (NMEA 0183 4.11, as in gpsd's log of one), and recorded ones."""

from collections.abc import Iterable
from datetime import UTC, datetime

from groundnet.sim.sky import Measurement, Satellite

KINDS = ("GGA", "GLL", "GSA", "GSV", "RMC", "VTG", "ZDA", "ANT")  # order of the $PCAS03 fields
_SYSTEM_ID = {"GP": 1, "BD": 4}
_KNOTS_PER_MPS = 3600 / 1852


def sentence(body: str) -> bytes:
    """``$body*checksum`` with line end; the checksum is the XOR over the body (NMEA 0183)."""
    checksum = 0
    for byte in body.encode("ascii"):
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode("ascii")


def body_of(line: bytes) -> str | None:
    """The body of a sentence whose checksum is right, else None."""
    text = line.strip().decode("ascii", "replace")
    if not text.startswith("$") or "*" not in text:
        return None
    body = text[1 : text.rindex("*")]
    return body if sentence(body).strip() == text.encode("ascii", "replace") else None


def epoch(
    kinds: Iterable[str],
    unix_ms: int | None,
    fix: Measurement | None,
    satellites: tuple[Satellite, ...],
) -> list[bytes]:
    """One second's sentences, in the receiver's order.

    Args:
        kinds: which of KINDS are on.
        unix_ms: UTC as far as the receiver knows it.
        fix: None while it has none.
        satellites: what it hears.
    """
    moment = None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC)
    clock = f"{moment:%H%M%S}.{moment.microsecond // 1000:03d}" if moment else ""
    date = f"{moment:%d%m%y}" if moment else ""
    place = _place(fix)
    used = [satellite for satellite in satellites if satellite.used] if fix else []
    speed = f"{fix.speed_mps * _KNOTS_PER_MPS:.2f}" if fix else ""
    course = f"{fix.course_deg:.2f}" if fix else ""
    status, mode = ("A", "A") if fix else ("V", "N")
    bodies: dict[str, list[str]] = {kind: [] for kind in KINDS}
    if fix:
        heights = f"{fix.hdop:.1f},{fix.altitude_m:.1f},M,0.0,M"
        bodies["GGA"] = [f"GNGGA,{clock},{place},1,{len(used):02d},{heights},,"]
    else:
        bodies["GGA"] = [f"GNGGA,{clock},,,,,0,00,25.5,,,,,,"]
    bodies["GLL"] = [f"GNGLL,{place},{clock},{status},{mode}"]
    bodies["GSA"] = [_active(system, used, fix) for system in _SYSTEM_ID]
    bodies["GSV"] = [body for system in _SYSTEM_ID for body in _in_view(system, satellites)]
    bodies["RMC"] = [f"GNRMC,{clock},{status},{place},{speed},{course},{date},,,{mode},V"]
    kmh = f"{fix.speed_mps * 3.6:.2f}" if fix else ""
    bodies["VTG"] = [f"GNVTG,{course},{'T' if fix else ''},,{'M' if fix else ''},{speed},N,{kmh},K,{mode}"]
    calendar = f"{moment:%d,%m,%Y}" if moment else ",,"
    bodies["ZDA"] = [f"GNZDA,{clock},{calendar},00,00"]
    bodies["ANT"] = ["GPTXT,01,01,01,ANTENNA OK"]
    wanted = set(kinds)
    return [sentence(body) for kind in KINDS if kind in wanted for body in bodies[kind]]


def _place(fix: Measurement | None) -> str:
    if fix is None:
        return ",,,"
    lat, lon = abs(fix.lat), abs(fix.lon)
    lat_text, lon_text = _degrees_minutes(lat, 2), _degrees_minutes(lon, 3)
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
    pdop, vdop = (round(hdop * 1.6, 1), round(hdop * 1.25, 1)) if fix else (25.5, 25.5)
    return f"GNGSA,A,{3 if fix else 1},{','.join(prns)},{pdop},{hdop},{vdop},{_SYSTEM_ID[system]}"


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


def recorded_epochs(log: bytes) -> list[list[bytes]]:
    """A recorded log cut into seconds: a new one begins where its first kind of sentence comes again.

    Comment lines are left out; everything else, garbage too, is played as it is.
    """
    epochs: list[list[bytes]] = []
    first = b""
    for line in log.splitlines(keepends=True):
        if line.startswith(b"#") or not line.strip():
            continue
        kind = line[:6]
        if not epochs or kind == first:
            first = first or kind
            epochs.append([])
        epochs[-1].append(line)
    return epochs
