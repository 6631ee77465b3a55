"""Number plates in one spelling."""

import unicodedata

from groundnet.errors import GroundnetError

LONGEST = 16


def normalise(text: str) -> str:
    """NFKC, upper case, without separators: ``云a·12 345`` becomes ``云A12345``.

    Raises GroundnetError for an empty or overlong plate.
    """
    kept = [character for character in unicodedata.normalize("NFKC", text).upper() if character.isalnum()]
    if not 0 < len(kept) <= LONGEST:
        raise GroundnetError(
            f"'{text}' is not a number plate", f"type its letters and digits, at most {LONGEST}"
        )
    return "".join(kept)
