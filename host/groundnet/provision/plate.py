"""Number plates in one spelling."""

import unicodedata

from groundnet.errors import GroundnetError, Text

LONGEST = 16


def normalise(text: str) -> str:
    """NFKC, upper case, without separators: ``云a·12 345`` becomes ``云A12345``.

    Raises GroundnetError for an empty or overlong plate.
    """
    kept = [character for character in unicodedata.normalize("NFKC", text).upper() if character.isalnum()]
    if not 0 < len(kept) <= LONGEST:
        raise GroundnetError(
            Text(f"'{text}' is not a number plate", f"“{text}”不是车牌号"),
            Text(
                f"type its letters and digits, at most {LONGEST}",
                f"请输入车牌的字母和数字，最多 {LONGEST} 位",
            ),
        )
    return "".join(kept)
