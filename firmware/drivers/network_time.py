"""The time as a network tells it: yy/MM/dd,hh:mm:ss+zz (3GPP TS 27.007 section 8.15)."""

_YEARS = (2024, 2069)


def unix_time(text: bytes, is_utc: bool) -> int | None:
    """Unix seconds of such a text, with or without quotes and what follows the zone.

    Args:
        is_utc: False: the time is local, and the zone in quarters of an hour leads back to UTC.

    None for anything else, and for clocks that were never set: they begin in 1970, 1980 (GPS) or 2000.
    """
    digits = text.strip(b' "').split(b",")
    if len(digits) < 2:
        return None
    clock = digits[1].replace(b'"', b"")
    try:
        year, month, day = (int(part) for part in digits[0].split(b"/"))
        hour, minute, second = (int(part) for part in clock[:8].split(b":"))
        quarters = int(clock[8:]) if len(clock) > 8 else 0
    except ValueError:
        return None
    year = year % 2000 + 2000
    in_range = 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61
    if (
        not _YEARS[0] <= year <= _YEARS[1]
        or not in_range
        or not -96 <= quarters <= 96
        or min(hour, minute, second) < 0
    ):
        return None
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    return seconds if is_utc else seconds - quarters * 900


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 (proleptic Gregorian: the year begins in March)."""
    if month <= 2:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719_469
