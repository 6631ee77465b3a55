"""Tracks as OGC KML 2.2 (07-147r2) with the gx:Track extension: the way with its times, each place with its circle."""

import re
from xml.etree import ElementTree

from groundnet.collector.places.circle import ring
from groundnet.collector.places.times import iso_time
from groundnet.collector.places.track import TrackPoint

KML = "http://www.opengis.net/kml/2.2"
GX = "http://www.google.com/kml/ext/2.2"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
LINE, CIRCLE = "ff0055ff", "330055ff"  # aabbggrr: opaque for the way, a fifth for a circle


def to_kml(points: list[TrackPoint], name: str) -> str:
    """A document with one gx:Track and a placemark for each position: a point, its 68 % circle and a TimeStamp."""
    ElementTree.register_namespace("", KML)
    ElementTree.register_namespace("gx", GX)
    root = ElementTree.Element(f"{{{KML}}}kml")
    document = _add(root, "Document")
    _add(document, "name", NO_XML.sub("\N{REPLACEMENT CHARACTER}", name))
    _style(document)
    if points:
        _way(document, points)
    folder = _add(document, "Folder")
    _add(folder, "name", "positions")
    for point in points:
        _placemark(folder, point)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _style(document: ElementTree.Element) -> None:
    style = _add(document, "Style", id="position")
    line = _add(style, "LineStyle")
    _add(line, "color", LINE)
    _add(line, "width", "2")
    _add(_add(style, "PolyStyle"), "color", CIRCLE)


def _way(document: ElementTree.Element, points: list[TrackPoint]) -> None:
    placemark = _add(document, "Placemark")
    _add(placemark, "name", "track")
    _add(placemark, "styleUrl", "#position")
    way = ElementTree.SubElement(placemark, f"{{{GX}}}Track")
    _add(way, "altitudeMode", "clampToGround")
    for point in points:
        _add(way, "when", iso_time(point.time_ms))
    for point in points:
        ElementTree.SubElement(way, f"{{{GX}}}coord").text = f"{point.lon:.7f} {point.lat:.7f} 0"


def _placemark(folder: ElementTree.Element, point: TrackPoint) -> None:
    placemark = _add(folder, "Placemark")
    _add(placemark, "name", f"{point.source}, {point.radius_m:.0f} m")
    _add(_add(placemark, "TimeStamp"), "when", iso_time(point.time_ms))
    _add(placemark, "styleUrl", "#position")
    data = _add(placemark, "ExtendedData")
    for key, value in (("source", point.source), ("radius_m", f"{point.radius_m:.1f}")):
        _add(_add(data, "Data", name=key), "value", value)
    both = _add(placemark, "MultiGeometry")
    _add(_add(both, "Point"), "coordinates", f"{point.lon:.7f},{point.lat:.7f}")
    boundary = _add(_add(_add(both, "Polygon"), "outerBoundaryIs"), "LinearRing")
    corners = ring(point.lat, point.lon, point.radius_m)
    _add(boundary, "coordinates", " ".join(f"{lon:.7f},{lat:.7f}" for lat, lon in corners))


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{KML}}}{tag}", attributes)
    element.text = text or None
    return element
