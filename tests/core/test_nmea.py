"""Sentences, epochs and dates, each rule with the input that needs it."""

import pytest
from groundcore.gnss import GnssReader
from groundcore.nmea import NmeaReader
from groundcore.nmea_fields import angle_e7, days_since_1970, fixed_point, knots_to_mm_s, time_of_day_ms
from hypothesis import given
from hypothesis import strategies as st


def sentence(text: str) -> bytes:
    checksum = 0
    for byte in text.encode():
        checksum ^= byte
    return b"$%s*%02X\r\n" % (text.encode(), checksum)


def rmc(time="120000", status="A", lat="4807.038,N", lon="01131.000,E", date="230394", talker="GP") -> bytes:
    return sentence(f"{talker}RMC,{time},{status},{lat},{lon},022.4,084.4,{date},003.1,W")


def gga(time="120000", quality="1", lat="4807.038,N", lon="01131.000,E", talker="GP") -> bytes:
    return sentence(f"{talker}GGA,{time},{lat},{lon},{quality},08,0.9,545.4,M,46.9,M,,")


def fixes(*sentences: bytes) -> tuple:
    reader = GnssReader()
    return reader.feed(b"".join(sentences)) + reader.flush()


def accepted(stream: bytes) -> list[bytes]:
    found = []
    reader = NmeaReader(lambda s: found.append(bytes(s.buffer[: s.length])))
    reader.feed(stream)
    return found


@pytest.mark.parametrize(
    "stream",
    [
        b"$GPTXT,i*0A\r\n",
        b"$GPTXT,i*0a\n",
        b"$GPTXT,i*0A",
        b"\xb5\x62\x01$GPTXT,i*0A\r\n",
        b"$GPTX$GPTXT,i*0A\r\n",
        b"$GPTXT,i\r\n$GPTXT,i*0A\r\n",
        b"$GPTXT,i*0A$",
    ],
)
def test_one_good_sentence_is_found(stream):
    assert accepted(stream) == [b"GPTXT,i"]


@pytest.mark.parametrize(
    "stream",
    [
        b"$GPTXT,i*0B\r\n",
        b"$GPTXT,i\r\n",
        b"$GPTXT,i*0\r\n",
        b"$GPTXT,\x00i*0A",
        b"GPTXT,i*0A",
        b"$GPTXT,i*G0",
    ],
)
def test_damaged_sentences_are_dropped(stream):
    assert accepted(stream) == []


def test_overlong_sentences_and_too_many_fields_are_dropped_and_counted():
    found = []
    reader = NmeaReader(found.append)
    reader.feed(sentence("GPTXT," + "a" * 130) + sentence("GPTXT" + "," * 40))
    assert found == []
    assert (reader.accepted, reader.rejected) == (0, 2)


@given(st.integers(0, 8_999_999_999), st.integers(0, 9))
def test_angles_are_rounded_to_the_nearest(minutes_e8, decimals):
    """Against exact rational arithmetic: half a unit, plus what the eighth decimal of a minute is worth."""
    degrees, rest = divmod(minutes_e8, 60 * 10**8)
    text = b"%03d%02d.%08d" % (degrees, rest // 10**8, rest % 10**8)
    text = text[: len(text) - 8 + decimals] if decimals < 8 else text
    kept = int(text[6:].ljust(8, b"0") or 0) + rest // 10**8 * 10**8
    exact_e7 = (degrees * 60 * 10**8 + kept) / 6 / 100
    assert abs(angle_e7(text, 0, len(text), 180) - exact_e7) <= 0.502


@pytest.mark.parametrize(
    ("text", "limit"), [(b"9000.0001", 90), (b"4860.0", 90), (b"-4807.0", 90), (b"", 90), (b"48a7.0", 90)]
)
def test_impossible_angles(text, limit):
    assert angle_e7(text, 0, len(text), limit) is None


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (b"235959", 86399000),
        (b"235960", 86400000),
        (b"000000.", 0),
        (b"000001.2", 1200),
        (b"000001.0004", 1000),
        (b"000001.0005", 1001),
        (b"000001.99996", 2000),
    ],
)
def test_times(text, ms):
    assert time_of_day_ms(text, 0, len(text)) == ms


@pytest.mark.parametrize("text", [b"", b"12000", b"240000", b"126000", b"120061", b"120000x5", b"12000a"])
def test_impossible_times(text):
    assert time_of_day_ms(text, 0, len(text)) is None


@pytest.mark.parametrize(
    ("text", "value"), [(b"1.5", 1500), (b"-1.5", -1500), (b".5", 500), (b"2", 2000), (b"1.23456", 1234)]
)
def test_fixed_point(text, value):
    assert fixed_point(text, 0, len(text), 3) == value


@pytest.mark.parametrize("text", [b"", b".", b"-", b"1.2.3", b"1e5", b" 1"])
def test_not_a_number(text):
    assert fixed_point(text, 0, len(text), 3) is None


def test_a_knot():
    assert knots_to_mm_s(1000) == 514
    assert knots_to_mm_s(100_000) == 51444


@given(st.dates())
def test_days_agree_with_the_calendar(date):
    assert days_since_1970(date.year, date.month, date.day) == date.toordinal() - 719163


def test_hemispheres():
    south_west = fixes(rmc(lat="4807.038,S", lon="01131.000,W"))[0]
    assert (south_west.lat_e7, south_west.lon_e7) == (-481173000, -115166667)
    assert fixes(rmc(lat="4807.038,X")) == ()


@pytest.mark.parametrize("talker", ["GP", "GN", "BD", "GB", "GA", "GL", "QZ", "GI"])
def test_talkers(talker):
    assert len(fixes(rmc(talker=talker))) == 1


@pytest.mark.parametrize("sentence_type", ["PGRMC", "PXGGA"])
def test_proprietary_sentences_are_not_positions(sentence_type):
    body = rmc().decode()[len("$GPRMC") : -len("*00\r\n")]
    assert fixes(sentence(sentence_type + body)) == ()


@pytest.mark.parametrize("date", ["", "2303", "000094", "321394", "2303940", "23a394"])
def test_no_date_no_fix(date):
    assert fixes(rmc(date=date), gga()) == ()


@pytest.mark.parametrize(
    ("date", "year"), [("010169", 1969), ("010199", 1999), ("010168", 2068), ("010126", 2026)]
)
def test_two_digit_years(date, year):
    assert fixes(rmc(date=date))[0].utc_s // 31556952 == year - 1970


def test_void_fixes():
    assert fixes(rmc(status="V")) == ()
    assert fixes(rmc("115959"), gga(quality="0")) == fixes(rmc("115959"))
    assert len(fixes(rmc("115959"), rmc(status="V"), gga(quality="6"))) == 2


def test_empty_position_is_no_fix():
    assert fixes(rmc(lat=",", lon=",")) == ()


def test_order_of_sentences_does_not_matter():
    first = fixes(rmc(), gga(), sentence("GPVTG,084.4,T,,M,022.4,N,41.5,K"))
    assert first == fixes(gga(), rmc())
    assert first[0].quality == 1 and first[0].sats == 8 and first[0].hdop_c == 90
    assert first[0].speed_mm_s == 11524 and first[0].course_cdeg == 8440


def test_gll_and_gns_alone_are_dated_by_zda():
    zda = sentence("GPZDA,120000.00,31,12,2025,00,00")
    gll = sentence("GPGLL,4807.038,N,01131.000,E,120000.00,A,A")
    gns = sentence("GNGNS,120000.00,4807.038,N,01131.000,E,DAN,14,0.7,545.4,46.9,,,S")
    for position in (gll, gns):
        assert [fix.utc_s for fix in fixes(zda, position)] == [1767182400]
        assert fixes(zda, position) == fixes(position, zda)
    assert fixes(zda, gns)[0].quality == 2
    assert fixes(zda, sentence("GPGLL,4807.038,N,01131.000,E,120000.00,V,N")) == ()
    assert fixes(zda, sentence("GNGNS,120000.00,4807.038,N,01131.000,E,AN,14,0.7,545.4,46.9,,,V")) == ()


def test_gll_decides_when_sentences_of_one_time_disagree():
    old, new = "4807.038,N", "4807.040,N"
    gll = sentence(f"GPGLL,{new},01131.000,E,120000,A,A")
    for order in ((rmc(lat=old), gga(lat=new), gll), (gll, rmc(lat=old), gga(lat=old))):
        assert fixes(*order)[0].lat_e7 == 481173333


def test_midnight_between_gga_and_the_next_date():
    found = fixes(rmc("235959", date="311299"), gga("235959"), gga("000000"), gga("000001"))
    assert [fix.utc_s for fix in found] == [946684799, 946684800, 946684801]


def test_zda_of_the_new_day_does_not_move_the_old_epoch():
    zda = sentence("GPZDA,000000.00,01,01,2000,00,00")
    found = fixes(rmc("235959", date="311299"), zda, gga("235959"), gga("000000"))
    assert [fix.utc_s for fix in found] == [946684799, 946684800]


def test_a_fix_is_out_when_the_next_epoch_begins():
    reader = GnssReader()
    assert reader.feed(rmc("120000") + gga("120000")) == ()
    assert len(reader.feed(rmc("120001"))) == 1
    assert len(reader.flush()) == 1
    assert reader.flush() == ()


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(data):
    reader = GnssReader()
    reader.feed(data)
    reader.flush()
    assert len(reader.feed(b"\r\n" + rmc()) + reader.flush()) == 1
