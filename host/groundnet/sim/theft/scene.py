"""Where and when the story plays: stations, cells, night and journey as data, and the journey's reader."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from xml.etree import ElementTree

from groundnet.sim.theft.record import Place

JOURNEY = "around-visnjan-with-car.gpx"
GPX = "{http://www.topografix.com/GPX/1/1}"

TAG_BOARD, TRACKER_BOARD, STATION_BOARD = "xiao_c3_sx1262", "s3_tracker", "heltec_v3"
PLATE, PLATE_STORED = "云A·12345", "云A12345"
OWNER_PHONE = "+8613800000000"


@dataclass(frozen=True)
class StationSite:
    """A base station: its name, WGS-84 degrees, and the eight bytes of its chip's own id."""

    name: str
    lat: float
    lon: float
    device_id: bytes


STATIONS = (
    StationSite("church", 45.27450, 13.71000, bytes.fromhex("3c71bf0000b00001")),
    StationSite("school", 45.27900, 13.71550, bytes.fromhex("3c71bf0000b00002")),
    StationSite("water tower", 45.27850, 13.72450, bytes.fromhex("3c71bf0000b00003")),
    StationSite("chapel", 45.27220, 13.71820, bytes.fromhex("3c71bf0000b00004")),
)

# Cell table in OpenCelliD columns; the places are invented, the country code is the journey's.
CELLS_CSV = """\
radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal
LTE,219,1,1201,28741121,101,13.7168,45.2771,900,212,1,1577836800,1606780800,-91
LTE,219,1,1201,28741122,102,13.7090,45.2729,1100,118,1,1577836800,1606780800,-95
LTE,219,1,1201,28741123,103,13.7251,45.2812,1200,96,1,1577836800,1606780800,-97
"""


def utc_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time that ends in Z."""
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


SHOP_OPENS_MS = utc_ms("2020-12-17T19:30:00Z")  # tag and tracker get their identity at the install point
PARKED_MS = utc_ms("2020-12-17T20:00:00Z")  # fitted to the bike, powered, parked at home
WIND_MS = tuple(utc_ms(f"2020-12-{day}Z") for day in ("17T22:10:00", "18T00:40:00", "18T03:05:00"))
TRUCK_MS = utc_ms("2020-12-18T02:13:00Z")
LIFTED_MS = utc_ms("2020-12-18T06:15:40Z")  # ten seconds before the recording begins
REPORTED_MS = utc_ms("2020-12-18T06:18:30Z")  # the owner has read the message and reports the theft
GARAGE_MS = (
    utc_ms("2020-12-18T06:19:38Z"),
    utc_ms("2020-12-18T06:21:40Z"),
)  # no sky: the recording stands still
PARKED_AGAIN_MS = utc_ms("2020-12-18T06:22:42Z")  # the recording stands at its last place
ENDED_MS = utc_ms("2020-12-18T06:32:00Z")


def read_journey() -> list[Place]:
    """The recorded journey as places in time order."""
    text = files("groundnet.sim.theft").joinpath("data", JOURNEY).read_text(encoding="utf-8")
    places = []
    for point in ElementTree.fromstring(text).iter(f"{GPX}trkpt"):
        moment = point.findtext(f"{GPX}time", "")
        places.append(Place(utc_ms(moment), float(point.attrib["lat"]), float(point.attrib["lon"])))
    return places
