"""The firmware's table of settings, read without running it, and which values a bundle may bring as defaults."""

import ast
import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundnet.errors import GroundnetError, Text
from groundnet.image.firmware_image import firmware_folder

Value = int | str


class SettingError(GroundnetError):
    """A default that a bundle cannot bring."""


class NotASetting(SettingError):
    """The text is not NAME=VALUE."""


class UnknownSetting(SettingError):
    """The firmware has no such setting."""


class NotANumber(SettingError):
    """The setting is a number."""


class OutOfRange(SettingError):
    """The number is outside of its range, or the text is too long."""


class UnknownRegion(SettingError):
    """The firmware has no plan for the region: a device would be silent there."""


class SecretSetting(SettingError):
    """A bundle is no secret; the setting is one."""


class GivenTwice(SettingError):
    """One setting with two values."""


@dataclass(frozen=True)
class Setting:
    """One row of the table; ``low`` and ``high`` are of a number, ``high`` is the longest text in bytes."""

    name: str
    default: Value
    low: int
    high: int
    secret: bool

    def parse(self, text: str) -> Value:
        """The value that a text stands for, as the device reads it. Raises SettingError."""
        if isinstance(self.default, str):
            if not text.isprintable() or len(text.encode()) > self.high:
                raise OutOfRange(
                    Text(
                        f"the text for '{self.name}' is too long or cannot be printed",
                        f"“{self.name}”的文本过长或含不可打印字符",
                    ),
                    Text(f"use at most {self.high} bytes in one line", f"请用一行，最多 {self.high} 字节"),
                )
            return text
        try:
            value = int(text)
        except ValueError:
            raise NotANumber(
                Text(f"'{text}' for '{self.name}' is no number", f"“{self.name}”的值“{text}”不是数字"),
                Text(f"choose {self.low} to {self.high}", f"请选择 {self.low} 到 {self.high}"),
            ) from None
        if not self.low <= value <= self.high and value != self.default:
            raise OutOfRange(
                Text(f"{value} is out of range for '{self.name}'", f"“{self.name}”的值 {value} 超出范围"),
                Text(f"choose {self.low} to {self.high}", f"请选择 {self.low} 到 {self.high}"),
            )
        return value


def bundled_defaults(texts: Iterable[str], of_board: Collection[str] = ()) -> dict[str, Value]:
    """The defaults that NAME=VALUE texts ask for, without those that change nothing on any device.

    Args:
        of_board: settings for which the board has a default of its own.

    Raises a SettingError for each way to be wrong.
    """
    table, profiles = read()
    chosen: dict[str, Value] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise NotASetting(
                Text(f"'{text}' is no setting", f"“{text}”不是设置"),
                Text("write NAME=VALUE", "请写成 名称=值"),
            )
        if name not in table:
            raise UnknownSetting(
                Text(f"the firmware has no setting '{name}'", f"固件没有设置“{name}”"),
                Text(f"choose one of: {', '.join(sorted(table))}", f"可选：{', '.join(sorted(table))}"),
            )
        if table[name].secret:
            raise SecretSetting(
                Text(f"'{name}' is a secret, and a bundle is none", f"“{name}”是机密，而固件包不保密"),
                Text("write it to each device when it gets its identity", "请在写入身份时逐台写入设备"),
            )
        if name in chosen:
            raise GivenTwice(
                Text(f"'{name}' is given twice", f"“{name}”给出了两次"), Text("give it once", "请只给一次")
            )
        chosen[name] = table[name].parse(value)
        if name == "region" and value not in regions():
            raise UnknownRegion(
                Text(f"the firmware has no plan for region '{value}'", f"固件没有地区“{value}”的频率方案"),
                Text(f"choose one of: {', '.join(regions())}", f"可选：{', '.join(regions())}"),
            )
    of_others = {name for changed in profiles.values() for name in changed} | set(of_board)
    return {
        name: chosen[name]
        for name in sorted(chosen)
        if name in of_others or chosen[name] != table[name].default
    }


@functools.cache
def read() -> tuple[Mapping[str, Setting], Mapping[str, Mapping[str, Value]]]:
    """(settings by name, what each profile changes) of the firmware's sources."""
    literals: dict = {}  # what a name stands for in the literals below it
    for node in ast.parse(_path().read_text(encoding="utf-8"), str(_path())).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            literals[node.targets[0].id] = _evaluated(node.value, literals)
    text = literals["_TEXT"]
    table = {
        name: Setting(name, default, 0, low, high)
        if kind == text
        else Setting(name, default, low, high, False)
        for name, (kind, default, low, high) in literals["TABLE"].items()
    }
    return table, literals["PROFILES"]


@functools.cache
def regions() -> tuple[str, ...]:
    """Names of the firmware's region plans."""
    path = firmware_folder() / "groundcore" / "region.py"
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="PLANS")], value=ast.Dict(keys=keys)):
                return tuple(str(key.value) for key in keys if isinstance(key, ast.Constant))
    raise GroundnetError("the firmware has no region plans", "restore PLANS in groundcore/region.py")


def source_with(defaults: Mapping[str, Value]) -> str:
    """The text of the firmware's module with these defaults filled in."""
    text = _path().read_text(encoding="utf-8")
    before, empty, after = text.partition("\nBUNDLED = {}\n")
    if not empty:
        raise GroundnetError("the firmware has no place for a bundle's defaults", "restore BUNDLED = {}")
    return f"{before}\nBUNDLED = {dict(defaults)!r}\n{after}"


def _path() -> Path:
    return firmware_folder() / "groundcore" / "settings.py"


def _evaluated(node: ast.expr, names: Mapping) -> Any:
    """A literal, in which names of before, const() and arithmetic may stand."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name]
        case ast.Call(func=ast.Name(id="const"), args=[inner]):
            return _evaluated(inner, names)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_evaluated(inner, names)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _evaluated(left, names) ** _evaluated(right, names)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _evaluated(left, names) - _evaluated(right, names)
        case ast.Tuple(elts=elements):
            return tuple(_evaluated(element, names) for element in elements)
        case ast.Dict(keys=keys, values=values):
            return {
                _evaluated(key, names): _evaluated(value, names)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
    raise GroundnetError(
        f"line {node.lineno} of {_path()} is no literal", "write the settings' table with literals only"
    )
