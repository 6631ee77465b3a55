"""Strict UTF-8 (RFC 3629): MicroPython's own check lets overlong forms and surrogates pass."""


def is_utf8(raw: bytes) -> bool:
    """Whether `raw` is well-formed UTF-8 in its shortest form, without surrogates, up to U+10FFFF."""
    position = 0
    size = len(raw)
    while position < size:
        lead = raw[position]
        position += 1
        if lead < 0x80:
            continue
        if 0xC2 <= lead <= 0xDF:
            count, low, high = 1, 0x80, 0xBF
        elif 0xE0 <= lead <= 0xEF:
            count, low, high = 2, 0xA0 if lead == 0xE0 else 0x80, 0x9F if lead == 0xED else 0xBF
        elif 0xF0 <= lead <= 0xF4:
            count, low, high = 3, 0x90 if lead == 0xF0 else 0x80, 0x8F if lead == 0xF4 else 0xBF
        else:
            return False
        for _ in range(count):
            if position >= size or not low <= raw[position] <= high:
                return False
            low, high = 0x80, 0xBF
            position += 1
    return True
