"""Tag ids that people read and type: ``GN-`` and five characters, the last one a check character.

Crockford's base 32 leaves out I, L, O and U. The check character is a weighted sum in the field of 32 elements, so
that one wrong character or two swapped neighbours never give another valid id.
"""

import re

from groundnet.errors import GroundnetError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "GN-"
DIGITS = 4
LARGEST = len(ALPHABET) ** DIGITS - 1
_FIELD_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1, primitive over GF(2)
_LOOKALIKES = str.maketrans("ILOU", "110V")


class TagIdError(GroundnetError):
    """A text that is no tag id, or one with a wrong check character."""


def make(number: int) -> str:
    """The tag id of a number 0..LARGEST. Raises ValueError beyond."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"number is 0..{LARGEST}")
    digits = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(DIGITS)))
    return PREFIX + digits + _check(digits)


def parse(text: str) -> str:
    """The tag id in its one spelling. Accepts lower case, missing prefix, and O for 0, I and L for 1.

    Raises TagIdError.
    """
    bare = re.sub(r"[\s-]", "", text.upper()).removeprefix("GN").translate(_LOOKALIKES)
    if len(bare) != DIGITS + 1 or any(character not in ALPHABET for character in bare):
        raise TagIdError(
            f"'{text}' is not a tag id", "type it as on the label, for example GN-0001" + _check("0001")
        )
    if _check(bare[:-1]) != bare[-1]:
        raise TagIdError(
            f"'{text}' has a wrong check character", "compare it with the label and type it again"
        )
    return PREFIX + bare


def _check(digits: str) -> str:
    """Sum of digit * x^(distance from the check character) in GF(32), by Horner's rule."""
    total = 0
    for digit in digits:
        total = (total ^ ALPHABET.index(digit)) << 1
        if total & 32:
            total ^= _FIELD_POLYNOMIAL
    return ALPHABET[total]
