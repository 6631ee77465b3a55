"""The agent as it is sent: without comments, annotations and long names, packed, and with a check of its own.

A bit that flips on the way must not change what runs: the text is run only when its CRC-32 is right.
"""

import ast
import base64
import functools
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

_SOURCE = Path(__file__).with_name("agent.py")
_WINDOW_BITS = 12  # holds the whole text
_PACKED = """import binascii as b,io,deflate as d
c=b.a2b_base64(b"%s")
if b.crc32(c)!=%d:raise OSError("damaged on the line")
exec(d.DeflateIO(io.BytesIO(c),d.RAW,%d).read(),{})"""
_PLAIN = """import binascii as b
c=b.a2b_base64(b"%s")
if b.crc32(c)!=%d:raise OSError("damaged on the line")
exec(c,{})"""


def code(folders: Sequence[str], tree: str | None, packed: bool = True) -> bytes:
    """What a prompt is given: the agent, and the call that starts it.

    Args:
        folders: are listed without what is below them; "" is the root.
        tree: is listed with all that is below it.
        packed: False for a board before MicroPython 1.21, which cannot inflate.
    """
    text = f"{_short_source()}\nserve({tuple(folders)!r},{tree!r})".encode()
    if packed:
        packer = zlib.compressobj(9, wbits=-_WINDOW_BITS)
        text = packer.compress(text) + packer.flush()
        return (_PACKED % (base64.b64encode(text).decode(), zlib.crc32(text), _WINDOW_BITS)).encode()
    return (_PLAIN % (base64.b64encode(text).decode(), zlib.crc32(text))).encode()


@functools.cache
def _short_source() -> str:
    tree = ast.parse(_SOURCE.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [part for part in node.body if not _is_docstring(part)]
    text = re.sub(r"^ +", lambda found: " " * (len(found[0]) // 4), ast.unparse(tree), flags=re.MULTILINE)
    return "\n".join(line for line in text.splitlines() if line)


def _is_docstring(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
