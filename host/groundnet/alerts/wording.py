"""What an owner reads: short enough for one SMS in Chinese (70 characters), without plate, name or place."""

from collections.abc import Mapping

_TEXTS = {
    "moved": ("{tag} moved, {time}", "{tag} 移动了，{time}"),
    "left": ("{tag} left its area, {time}", "{tag} 离开了设定区域，{time}"),
    "battery": ("{tag}: battery low, {time}", "{tag} 电量低，{time}"),
    "silent": ("{tag} was not heard for {hours:g} h, {time}", "{tag} 已有 {hours:g} 小时没有信号，{time}"),
    "test": ("{tag}: alerts arrive here, {time}", "{tag} 的提醒会发到这里，{time}"),
}
SUBJECT = ("groundnet alert", "groundnet 提醒")


def text(kind: str, tag_id: str, parameters: Mapping, local_time: str, language: str) -> str:
    """One sentence. ``local_time`` is for people."""
    sentence = _TEXTS[kind][language == "zh"]
    return sentence.format(tag=tag_id, time=local_time, hours=parameters.get("hours", 0))


def subject(language: str) -> str:
    """The subject of an e-mail."""
    return SUBJECT[language == "zh"]
