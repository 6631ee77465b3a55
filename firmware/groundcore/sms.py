"""Texts to the owner: short, in the owner's language, with a link that a map opens.

Positions are WGS-84 throughout. The link goes to OpenStreetMap, which is WGS-84 too; a map that uses GCJ-02
converts when it shows them.
"""

from groundcore.position import Position

_CAUSES = {
    "lifted": ("lifted", "被抬起"),
    "rolling": ("being moved", "正在移动"),
    "transported": ("carried away", "被运走"),
    "tamper": ("tampered with", "被撬动"),
    "power_cut": ("cut from its supply", "电源被切断"),
    "low_battery": ("low on battery", "电量低"),
    "sos": ("calling for help", "发出求救"),
    "fall": ("reporting a fall", "检测到跌倒"),
    "strap": ("taken off", "腕带被打开"),
    "still": ("not moving any more", "长时间不动"),
    "herd": ("away from its herd", "离开了畜群"),
    "fence": ("outside its fence", "越出了围栏"),
    "intruder": ("reporting an intruder", "发现有人闯入"),
}
_ALARM = ("Alarm: %s is %s.", "报警：%s%s。")
_NO_FIX = ("No position yet.", "暂无定位。")
_CELL = ("Only a cell so far: %d-%d-%d-%d, %s.", "目前只有基站：%d-%d-%d-%d，%s。")
_PLACE = ("%s: within %d m, %s.", "%s：误差%d米，%s。")
_NOW = ("now", "刚刚")
_SECONDS = ("%d s ago", "%d秒前")
_MINUTES = ("%d min ago", "%d分钟前")


def _pick(texts: tuple, language: str) -> str:
    return texts[1] if language == "zh" else texts[0]


def alarm(
    tag_id: str, cause: str, place: Position | None, cells, cells_age_s: int, now_ms: int, language: str
) -> str:
    """The first text: what happened, and the best that is known of where; no cells: none is recent enough."""
    cause_text = _pick(_CAUSES.get(cause, (cause, cause)), language)
    text = _pick(_ALARM, language) % (tag_id, cause_text)
    if place is not None:
        return text + " " + position(tag_id, place, now_ms, language)
    if cells:
        seen = tuple(cells[0][:4]) + (_age(cells_age_s, language),)  # noqa: RUF005 - MicroPython
        return text + " " + _pick(_CELL, language) % seen
    return text + " " + _pick(_NO_FIX, language)


def position(tag_id: str, place: Position, now_ms: int, language: str) -> str:
    """Where, how exactly, how long ago, and a link."""
    age = _age(max(0, now_ms - place.taken_ms) // 1000, language)
    return _pick(_PLACE, language) % (tag_id, place.accuracy_m, age) + " " + link(place)


def _age(age_s, language) -> str:
    if age_s < 10:
        return _pick(_NOW, language)
    if age_s < 120:
        return _pick(_SECONDS, language) % age_s
    return _pick(_MINUTES, language) % (age_s // 60)


def link(place: Position) -> str:
    """A map link with five decimals (one metre)."""
    lat = degrees(place.lat_e7)
    lon = degrees(place.lon_e7)
    return "https://osm.org/?mlat=" + lat + "&mlon=" + lon + "#map=17/" + lat + "/" + lon


def degrees(value_e7: int) -> str:
    """Degrees with five decimals, by integers: 4527610 of 1e-5 degrees is "45.27610"."""
    value_e5 = (abs(value_e7) + 50) // 100
    text = "%d.%05d" % (value_e5 // 100000, value_e5 % 100000)
    return "-" + text if value_e7 < 0 and value_e5 else text
