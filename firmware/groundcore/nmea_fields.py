"""Numbers in NMEA fields, by integer arithmetic only.

Boards may have single-precision floats (24 bits: 1 m at the equator), so positions are integers of 1e-7
degrees, speeds millimetres a second, courses hundredths of a degree. Every function takes a buffer and the
field's bounds and answers None when the field is empty or not what it should be.
"""

from groundwire.constant import const

_POINT = const(0x2E)
_MINUS = const(0x2D)
_MINUTE_DECIMALS = const(7)
_MS_PER_SECOND = const(1000)


def digits(buffer, start: int, end: int) -> int | None:
    """Unsigned decimal number."""
    if start >= end:
        return None
    value = 0
    for i in range(start, end):
        digit = buffer[i] - 0x30
        if not 0 <= digit <= 9:
            return None
        value = value * 10 + digit
    return value


def fixed_point(buffer, start: int, end: int, decimals: int) -> int | None:
    """Decimal number times 10**decimals, cut (not rounded) after that many decimals."""
    negative = start < end and buffer[start] == _MINUS
    if negative:
        start += 1
    point = start
    while point < end and buffer[point] != _POINT:
        point += 1
    if point == start and point + 1 >= end:
        return None  # neither a digit before the point nor one after it
    whole = digits(buffer, start, point) if point > start else 0
    if whole is None:
        return None
    value = whole
    for i in range(point + 1, end):
        digit = buffer[i] - 0x30
        if not 0 <= digit <= 9:
            return None
        if i - point <= decimals:
            value = value * 10 + digit
    for _ in range(decimals - max(0, end - point - 1)):
        value *= 10
    return -value if negative else value


def time_of_day_ms(buffer, start: int, end: int) -> int | None:
    """`hhmmss[.sss]` as milliseconds since midnight, rounded; a leap second 60 runs into the next day."""
    if end - start < 6:
        return None
    hhmmss = digits(buffer, start, start + 6)
    if hhmmss is None:
        return None
    hours = hhmmss // 10000
    minutes = hhmmss // 100 % 100
    seconds = hhmmss % 100
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    tenths_of_ms = 0
    if end - start > 7:
        if buffer[start + 6] != _POINT:
            return None
        tenths_of_ms = fixed_point(buffer, start + 6, end, 4)
        if tenths_of_ms is None:
            return None
    return ((hours * 60 + minutes) * 60 + seconds) * _MS_PER_SECOND + (tenths_of_ms + 5) // 10


def angle_e7(buffer, start: int, end: int, limit_degrees: int) -> int | None:
    """`dddmm.mmmm` (degrees and minutes) as 1e-7 degrees, rounded to the nearest."""
    value = fixed_point(buffer, start, end, _MINUTE_DECIMALS)
    if value is None or value < 0:
        return None
    degrees = value // 1000000000
    minutes_e7 = value % 1000000000
    if minutes_e7 >= 600000000:
        return None
    result = degrees * 10000000 + (minutes_e7 + 30) // 60
    return result if result <= limit_degrees * 10000000 else None


def knots_to_mm_s(knots_e3: int) -> int:
    """Thousandths of a knot to millimetres a second: one knot is 1852 m an hour."""
    return (knots_e3 * 1852 + 1800) // 3600


def days_since_1970(year: int, month: int, day: int) -> int | None:
    """Days from 1970-01-01 in the Gregorian calendar, or None for a month or day that cannot be."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if month <= 2:  # count years from 1 March, so that the leap day comes last
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
