"""What modems say of the cells they hear, line by line: one table of layouts, one function that reads it.

Sources: SIM800 Series AT Command Manual V1.09 (+CENG), SIM7000 Series AT Command Manual V1.06 (+CENG),
SIM7500/SIM7600 Series AT Command Manual V2.00 and SIM8200 Series V1.01 (+CPSI), Quectel EC2x&EG9x&EG25-G and
RG50xQ&RM5xxQ AT Commands Manuals (+QENG), openLuat AT Command Manual for EC618 V1.6 (+CCED). Firmwares differ
from their manuals: a level may be an index, dBm or tenths of dBm, the order of RSRP and RSRQ changes, and LTE
neighbours mostly come without an identity.
"""

from micropython import const

# As reports name them.
GSM = "gsm"
WCDMA = "umts"
LTE = "lte"
NR = "nr"
NBIOT = "nbiot"

_NONE = const(-1)  # this layout does not tell
_DEC = const(10)
_HEX = const(16)
_EITHER = const(0)  # hexadecimal when it starts with 0x
_BY_INDEX = const(2)  # the line's first field is 0 for the serving cell

# A layout is: marks, fewest fields, radio, serving (or _BY_INDEX), and where in the fields stand
# (mcc, mnc, area, cell, level), then the bases of area and cell.
# A mark is (position, what): text that the field begins with, or how many characters it has.
_LAYOUTS = {
    # SIM800 chapter 6.2 (AT+CENG=1, 2 and 3), SIM7000 chapter 5.2.11; the fields without quotes, index first.
    b"+CENG": (
        # index, earfcn, pci, rsrp, rssi, rsrq, sinr, tac, cell, mcc, mnc, power
        (((3, b"-"),), 12, LTE, _BY_INDEX, (9, 10, 7, 8, 3), (_DEC, _DEC)),
        # index, arfcn, rxl, rxq, mcc, mnc, bsic, cell, rla, txp, lac, ta
        ((), 12, GSM, _BY_INDEX, (4, 5, 10, 7, 2), (_HEX, _HEX)),
        # index, arfcn, rxl, bsic, cell, mcc, mnc, lac
        ((), 8, GSM, _BY_INDEX, (5, 6, 7, 4, 2), (_HEX, _HEX)),
        # index, earfcn, pci, rsrp, rssi, rsrq, sinr: a neighbour without identity
        (((3, b"-"),), 7, LTE, 0, (_NONE, _NONE, _NONE, _NONE, 3), (_DEC, _DEC)),
        # index, mcc, mnc, lac, cell, bsic, rxl
        (((1, 3),), 7, GSM, _BY_INDEX, (1, 2, 3, 4, 6), (_HEX, _HEX)),
        # index, arfcn, rxl, bsic, mcc, mnc, lac: a neighbour without cell id
        (((1, 4),), 7, GSM, 0, (4, 5, 6, _NONE, 2), (_HEX, _HEX)),
    ),
    # SIM7600 chapter 4.2.17; mcc-mnc counts as two fields: system, mode, mcc, mnc, area, cell, ...
    b"+CPSI": (
        # pci, band, earfcn, dlbw, ulbw, rsrq, rsrp, rssi, rssnr
        (((0, b"LTE NB"),), 15, NBIOT, 1, (2, 3, 4, 5, 12), (_HEX, _EITHER)),
        (((0, b"LTE"),), 15, LTE, 1, (2, 3, 4, 5, 12), (_HEX, _EITHER)),
        # band, psc, frequency, ssc, ec/io, rscp, qual, rxlev, txpwr
        (((0, b"WCDMA"),), 12, WCDMA, 1, (2, 3, 4, 5, 11), (_HEX, _EITHER)),
        # channel and band, rxlev, ...
        (((0, b"GSM"),), 8, GSM, 1, (2, 3, 4, 5, 7), (_HEX, _EITHER)),
        # SIM8200, 5G by itself: pci, band, arfcn, rsrp, rsrq, snr
        (((0, b"NR5G_SA"),), 12, NR, 1, (2, 3, 4, 5, 9), (_HEX, _EITHER)),
    ),
    # EC2x chapter 6.15. The state (field 1: NOCONN, LIMSRV, CONNECT or the misspelt CONECT) decides nothing.
    b"+QENG": (
        (((0, b"servingcell"), (2, b"LTE")), 14, LTE, 1, (4, 5, 12, 6, 13), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"CAT-NB")), 14, NBIOT, 1, (4, 5, 12, 6, 13), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"NBIoT")), 14, NBIOT, 1, (4, 5, 12, 6, 13), (_HEX, _HEX)),
        # RG50xQ, 5G by itself: duplex, mcc, mnc, cell, pci, tac, arfcn, band, bandwidth, rsrp
        (((0, b"servingcell"), (2, b"NR5G-SA")), 14, NR, 1, (4, 5, 8, 6, 12), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"CAT-")), 14, LTE, 1, (4, 5, 12, 6, 13), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"eMTC")), 14, LTE, 1, (4, 5, 12, 6, 13), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"WCDMA")), 11, WCDMA, 1, (3, 4, 5, 6, 10), (_HEX, _HEX)),
        (((0, b"servingcell"), (2, b"GSM")), 11, GSM, 1, (3, 4, 5, 6, 10), (_HEX, _HEX)),
        # Dual connectivity splits the serving cell: this second line lacks the two leading fields.
        (((0, b"LTE"),), 12, LTE, 1, (2, 3, 10, 4, 11), (_HEX, _HEX)),
        # earfcn, pci, then rsrq and rsrp or rsrp and rsrq
        (((0, b"neighbourcell"), (1, b"LTE")), 6, LTE, 0, (_NONE, _NONE, _NONE, _NONE, 5), (_HEX, _HEX)),
        (((0, b"neighbourcell"), (1, b"GSM"), (2, 3)), 9, GSM, 0, (2, 3, 4, 5, 8), (_HEX, _HEX)),
    ),
    # openLuat chapter "Network_service"; "current" or "neighbor" stands before a second colon.
    b"+CCED": (
        (((0, b"LTE current"),), 10, LTE, 1, (1, 2, 11, 8, 9), (_DEC, _DEC)),
        (((0, b"LTE neighbor"),), 8, LTE, 0, (1, 2, 7, 4, 5), (_DEC, _DEC)),
    ),
}

# TS 45.008 8.1.4, TS 25.133 9.1.1.3, TS 36.133 9.1.4, TS 38.133 10.1.6.1, TS 36.133 9.1.22
_LEVEL_AT_INDEX_0_DBM = {GSM: -110, WCDMA: -121, LTE: -141, NR: -157, NBIOT: -157}
_INDEX_MAX = const(97)  # 99 and 255 are "unknown"
_TENTHS_FROM = const(-200)  # no receiver hears -200 dBm: so many are tenths
_WEAKEST_DBM = const(-160)
_RSRP_BELOW_DBM = const(-43)  # RSRP lies below, RSRQ (-3 .. -20 dB) above


def read(line: bytes) -> tuple | None:
    """One line of an answer.

    Returns:
        (serving, radio, mcc, mnc, area, cell, level_dbm); mcc, mnc, area, cell and level_dbm are None where the
        line does not tell. None when the line describes no cell (a header, "NO SERVICE", rubbish).
    """
    name, _, text = line.partition(b":")
    layouts = _LAYOUTS.get(name)
    if layouts is None:
        return None
    fields = _fields(name, text)
    for marks, fewest, radio, serving, places, bases in layouts:
        if len(fields) >= fewest and _marked(fields, marks):
            if serving == _BY_INDEX:
                serving = 1 if fields[0] == b"0" else 0
            return _cell(fields, serving, radio, places, bases)
    return None


def _fields(name: bytes, text: bytes) -> list:
    """The line without its quotes, cut at commas; compound fields are taken apart."""
    if name == b"+CCED":
        text = text.replace(b":", b",")
    fields = [field.strip() for field in text.replace(b'"', b"").split(b",")]
    if name == b"+CPSI" and len(fields) > 2:
        return fields[:2] + fields[2].split(b"-") + fields[3:]
    return fields


def _marked(fields: list, marks: tuple) -> bool:
    for position, what in marks:
        field = fields[position]
        if isinstance(what, int):
            if len(field) != what:
                return False
        elif not field.startswith(what):
            return False
    return True


def _cell(fields: list, serving: int, radio: str, places: tuple, bases: tuple) -> tuple | None:
    """The cell at these places; None when it should have an identity and has none."""
    mcc = _number(fields, places[0], _DEC)
    mnc = _number(fields, places[1], _DEC)
    area = _number(fields, places[2], bases[0])
    cell = _number(fields, places[3], bases[1])
    level_dbm = _level_dbm(fields, places[4], radio)
    if places[0] != _NONE and (not mcc or mnc is None or mcc > 999 or mnc > 999):
        return None
    if places[3] != _NONE and (area is None or cell is None or area > 0xFFFFFF or cell >= 1 << 36):
        return None
    return serving, radio, mcc, mnc, area, cell, level_dbm


def _number(fields: list, position: int, base: int) -> int | None:
    """A number of at least zero; None for anything else."""
    if position == _NONE:
        return None
    field = fields[position]
    if base == _EITHER:
        base = _HEX if field[:2] in (b"0x", b"0X") else _DEC
    try:
        value = int(field, base)
    except ValueError:
        return None
    return value if value >= 0 else None


def _level_dbm(fields: list, position: int, radio: str) -> int | None:
    """A received level, whatever its unit."""
    value = _signed(fields[position])
    if value is None:
        return None
    if radio in (LTE, NBIOT) and _RSRP_BELOW_DBM < value < 0:
        value = _signed(fields[position - 1])  # that was RSRQ: this firmware has the two the other way round
        if value is None or value >= 0:
            return None
    if value > _INDEX_MAX:
        return None
    if value >= 0:
        return value + _LEVEL_AT_INDEX_0_DBM[radio]
    if value <= _TENTHS_FROM:
        value = -((5 - value) // 10)
    return value if value >= _WEAKEST_DBM else None


def _signed(field: bytes) -> int | None:
    try:
        return int(field)
    except ValueError:
        return None
