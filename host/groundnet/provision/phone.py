"""Phone numbers in one spelling: E.164, a plus sign, the country code and the number, 15 digits at most."""

import re

from groundnet.errors import GroundnetError, Text

_E164 = re.compile(
    r"\+[1-9][0-9]{6,14}"
)  # ITU-T E.164, section 6.2.1: 15 digits; none in use has fewer than 7
_SEPARATORS = re.compile(r"[\s().\-]")


def normalise(text: str) -> str:
    """``+86 138-0000-0000`` becomes ``+8613800000000``; ``00`` in place of the plus is understood.

    Raises GroundnetError for what is no international number.
    """
    bare = _SEPARATORS.sub("", text)
    number = "+" + bare[2:] if bare.startswith("00") else bare
    if not _E164.fullmatch(number):
        raise GroundnetError(
            Text(f"'{text}' is not an international phone number", f"“{text}”不是国际格式的电话号码"),
            Text(
                "give it with its country code, for example +8613800000000",
                "请带国家代码，例如 +8613800000000",
            ),
        )
    return number
