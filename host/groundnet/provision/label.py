"""The QR code on a tag: LoRa Alliance TR005, "LoRaWAN Device Identification QR Codes".

    LW:D0:JOINEUI:DEVEUI:PROFILE[:Otoken][:Sserial][:Pproprietary][:Ccrc]

DEVEUI is the device id. Everything is upper case, so that the QR code stays in its alphanumeric mode. The optional
fields come in any order; those that a later version adds are skipped. A label never holds key material.
"""

import re
from dataclasses import dataclass

import crcmod.predefined

from groundnet.errors import GroundnetError

JOIN_EUI = bytes.fromhex(
    "67726F756E640001"
)  # no join server: what tells our labels from those of other makers
PROFILE_ID = bytes.fromhex(
    "FFFF0001"
)  # vendor FFFF is nobody's; the second half is the version of this label
_SCHEMA = "LW:D0"
_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]*")  # ISO/IEC 18004, table 5
_crc16 = crcmod.predefined.mkPredefinedCrcFun(
    "modbus"
)  # TR005 section 3, "C": CRC-16/MODBUS of what stands before


class LabelError(GroundnetError):
    """A code that is no label, or one that is damaged."""


class ForeignLabel(LabelError):
    """A whole label, of another maker's device."""


@dataclass(frozen=True)
class Label:
    """What a label says; ``serial`` and the other optional fields are "" when absent."""

    device_id: bytes
    join_eui: bytes = JOIN_EUI
    profile_id: bytes = PROFILE_ID
    owner_token: str = ""
    serial: str = ""
    proprietary: str = ""
    checked: bool = True  # by a CRC

    @property
    def ours(self) -> bool:
        return self.join_eui == JOIN_EUI


def encode(label: Label) -> str:
    """The text of the QR code, with its CRC.

    Raises LabelError for a field with characters outside QR's alphanumeric mode.
    """
    pieces = [_SCHEMA, *(part.hex().upper() for part in (label.join_eui, label.device_id, label.profile_id))]
    for mark, value in (("O", label.owner_token), ("S", label.serial), ("P", label.proprietary)):
        if value:
            if ":" in value or not _ALPHANUMERIC.fullmatch(value):
                raise LabelError(
                    f"'{value}' cannot stand on a label", "use capitals, digits, space and $%*+-./"
                )
            pieces.append(mark + value)
    text = ":".join(pieces)
    return f"{text}:C{_crc16(text.encode()):04X}"


def decode(text: str) -> Label:
    """What a label says.

    Args:
        text: as scanned; upper and lower case are one.

    Raises LabelError: no label at all, or a damaged one.
    """
    upper = text.strip().upper()
    if not upper.startswith(_SCHEMA + ":"):
        raise LabelError("this code is not a tag's label", "scan the square code on the tag or its card")
    fields = upper.split(":")
    ids = [_bytes_of(field, size) for field, size in zip(fields[2:5], (8, 8, 4), strict=False)]
    if len(ids) < 3 or None in ids:
        raise _damaged()
    values: dict[str, str] = {}
    for index, field in enumerate(fields[5:], 5):
        if not field or field[0] in values:
            raise _damaged()
        if field[0] == "C" and field[1:] != f"{_crc16(':'.join(fields[:index]).encode()):04X}":
            raise _damaged()
        values[field[0]] = field[1:]
    join_eui, device_id, profile_id = ids
    assert join_eui is not None and device_id is not None and profile_id is not None
    return Label(
        device_id,
        join_eui,
        profile_id,
        values.get("O", ""),
        values.get("S", ""),
        values.get("P", ""),
        "C" in values,
    )


def _bytes_of(field: str, size: int) -> bytes | None:
    return bytes.fromhex(field) if re.fullmatch(f"[0-9A-F]{{{2 * size}}}", field) else None


def _damaged() -> LabelError:
    return LabelError("the label was read wrongly or is damaged", "scan it again, or type the code below it")
