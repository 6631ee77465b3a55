"""Quantities of a rig's description: a number with its unit, such as "3.6 V", "500 mA" or "30 dB"."""

import re

from groundnet.errors import GroundnetError

_PREFIXES = {"": 1.0, "u": 1e-6, "m": 1e-3, "k": 1e3}
_NAMES = {"V": "a voltage", "A": "a current", "dB": "an attenuation", "s": "a time", "deg": "an angle"}
_FORM = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*(\D*?)\s*")


def read(text: object, unit: str, where: str) -> float:
    """The number in the unit without a prefix: read("500 mA", "A", ...) is 0.5.

    Args:
        unit: V, A, dB, s or deg.
        where: how a complaint names the place.

    Raises GroundnetError for what is no number with that unit.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        number, written = found.groups()
        if written == unit:
            return float(number)
        if unit != "dB" and written[:1] in _PREFIXES and written[1:] == unit:
            return float(number) * _PREFIXES[written[:1]]
    raise GroundnetError(f"{where}: {text!r} is not {_NAMES[unit]}", f'write it like "1.5 {unit}"')
