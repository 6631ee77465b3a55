"""QR codes as squares that any printer can draw."""

import segno


def squares(text: str) -> list[list[bool]]:
    """Rows of dark and light modules, without the quiet zone of 4; error correction M (ISO/IEC 18004)."""
    code = segno.make_qr(text, error="m", boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix]


def runs(text: str) -> list[tuple[int, int, int]]:
    """(row, first column, columns) of every run of dark modules: fewer shapes than modules."""
    found = []
    for y, row in enumerate(squares(text)):
        x = 0
        while x < len(row):
            if row[x]:
                begin = x
                while x < len(row) and row[x]:
                    x += 1
                found.append((y, begin, x - begin))
            else:
                x += 1
    return found


def size(text: str) -> int:
    """Modules on a side, without the quiet zone."""
    return len(squares(text))
