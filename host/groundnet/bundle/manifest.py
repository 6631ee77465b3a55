"""The manifest of a bundle: what each entry must be. A wrong one is named, with what it should have been."""

import datetime
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from groundnet.errors import GroundnetError, Text

FORMAT = 1
APPLICATION, BASE = "application", "base"
COUNTER_MAX = 0xFFFFFFFF

_HASH = re.compile(r"[0-9a-f]{64}")
_BYTECODE = re.compile(r"\d{1,3}\.\d{1,3}")
_AGAIN = Text("get the bundle again, or build it", "请重新获取或构建固件包")


class BundleError(GroundnetError):
    """A bundle that is refused."""


class BadManifest(BundleError):
    """The manifest is not what a manifest is."""


def canonical(manifest: Mapping[str, Any]) -> bytes:
    """The one spelling of a manifest."""
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(packed: bytes) -> Mapping[str, Any]:
    """The manifest in a bundle. Raises BadManifest, whatever the bytes."""
    try:
        manifest = json.loads(packed)
        spelled = canonical(manifest)
    except (ValueError, RecursionError):
        raise _bad("the manifest is no JSON text", "清单不是 JSON 文本") from None
    if not isinstance(manifest, dict):
        raise _bad("the manifest is no JSON object", "清单不是 JSON 对象")
    if type(manifest.get("format")) is not int or manifest["format"] != FORMAT:
        said = _shown(manifest.get("format"))
        raise BadManifest(
            Text(f"the bundle has format {said}, not {FORMAT}", f"固件包格式为 {said}，而不是 {FORMAT}"),
            Text("use a newer groundnet for it", "请使用更新版本的 groundnet"),
        )
    for name in sorted(manifest.keys() - ENTRIES.keys()):
        raise _bad(f"the manifest has an unknown entry {_shown(name)}", f"清单中有未知条目 {_shown(name)}")
    for name, (good, en, zh) in ENTRIES.items():
        if name not in manifest:
            if name == "kind":  # older than base images
                continue
            raise _bad(f"the manifest lacks '{name}'", f"清单缺少“{name}”")
        if not good(manifest[name]):
            said = _shown(manifest[name])
            raise _bad(f"'{name}' in the manifest is {said}, not {en}", f"清单中“{name}”为 {said}，应为{zh}")
    if spelled != packed:
        raise _bad("the manifest is spelled in another way than ours", "清单的书写形式不规范")
    return manifest


def kind_of(manifest: Mapping[str, Any]) -> str:
    """APPLICATION, or BASE for MicroPython itself."""
    return manifest.get("kind", APPLICATION)


def version_of(text: str) -> tuple[int, int, int]:
    """The three numbers of a version. Raises GroundnetError."""
    numbers = _numbers(text)
    if numbers is None:
        raise GroundnetError(
            Text(f"'{text}' is no version", f"“{text}”不是版本号"), Text("write it as 1.2.3", "请写成 1.2.3")
        )
    return numbers


def _numbers(text: str) -> tuple[int, int, int] | None:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return None
    numbers = int(parts[0]), int(parts[1]), int(parts[2])
    return numbers if max(numbers) <= 65535 else None


def _name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= 64 and value.isprintable()


def _number(value: Any, high: int = COUNTER_MAX) -> bool:
    return type(value) is int and 0 <= value <= high


def _revisions(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(_number(one, 255) for one in value):
        return False
    return value == sorted(set(value))


def _version(value: Any) -> bool:
    return isinstance(value, str) and _numbers(value) is not None


def _date(value: Any) -> bool:
    if value is None:
        return True
    try:
        return datetime.date.fromisoformat(value).isoformat() == value
    except (ValueError, TypeError):
        return False


def _hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _files(value: Any) -> bool:
    return isinstance(value, dict) and all(
        path.startswith("/")
        and isinstance(about, dict)
        and about.keys() == {"bytes", "sha256"}
        and _number(about["bytes"])
        and _hash(about["sha256"])
        for path, about in value.items()
    )


def _settings(value: Any) -> bool:
    return isinstance(value, dict) and all(type(one) in (int, str) for one in value.values())


def _shown(value: Any) -> str:
    """What stands there, short and in one line."""
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _bad(en: str, zh: str) -> BadManifest:
    return BadManifest(Text(en, zh), _AGAIN)


_Check = Callable[[Any], bool]
# entry: (what it must pass, in English, in Chinese)
ENTRIES: Mapping[str, tuple[_Check, str, str]] = {
    "format": (lambda value: value == FORMAT, "1", " 1"),
    "kind": (lambda value: value == BASE, f"'{BASE}'", f"“{BASE}”"),
    "role": (_name, "a name", "名称"),
    "board": (_name, "a name", "名称"),
    "product": (_name, "a name", "名称"),
    "hardware_revisions": (
        _revisions,
        "a sorted list of numbers from 0 to 255",
        "0 到 255 的升序数字列表",
    ),
    "version": (_version, "a version like 1.2.3", "形如 1.2.3 的版本号"),
    "mpy": (
        lambda value: isinstance(value, str) and _BYTECODE.fullmatch(value) is not None,
        "a bytecode version like 6.3",
        "形如 6.3 的字节码版本",
    ),
    "security_counter": (_number, f"a number from 0 to {COUNTER_MAX}", f" 0 到 {COUNTER_MAX} 的数字"),
    "least_version": (_version, "a version like 1.2.3", "形如 1.2.3 的版本号"),
    "not_after": (_date, "a date like 2026-12-31 or null", "形如 2026-12-31 的日期或 null"),
    "image_sha256": (_hash, "64 hex digits", " 64 位十六进制数"),
    "files": (
        _files,
        "a table of paths with bytes and sha256",
        "由路径、bytes 和 sha256 组成的表",
    ),
    "settings": (_settings, "a table of numbers and texts", "由数字和文本组成的表"),
}
