"""The agent as it is sent: without comments and with short names, packed, and with a check of its own.

A bit that flips on the way must not change what runs: the text is run only when its CRC-32 is right.
"""

import ast
import base64
import functools
import itertools
import re
import string
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

_SOURCE = Path(__file__).with_name("agent.py")
_ENTRY = "serve"
_OUR_OBJECTS = ("self", "board")  # whose attributes may have any name
_WINDOW_BITS = 12  # holds the whole text
_PACKED = """import binascii as b,io,deflate as d
c=b.a2b_base64(b"%s")
if b.crc32(c)!=%d:raise OSError("damaged on the line")
exec(d.DeflateIO(io.BytesIO(c),d.RAW,%d).read(),{})"""
_PLAIN = """import binascii as b
c=b.a2b_base64(b"%s")
if b.crc32(c)!=%d:raise OSError("damaged on the line")
exec(c,{})"""

_Scope = TypeVar("_Scope", ast.Module, ast.ClassDef, ast.FunctionDef)


def code(known: Mapping[str, bytes], tree: str | None, packed: bool = True) -> bytes:
    """What a prompt is given: the agent, and the call that starts it.

    Args:
        known, tree: as `agent.serve` takes them.
        packed: False for a board before MicroPython 1.21, which cannot inflate.
    """
    text = f"{_short_source()}\n{_ENTRY}({dict(known)!r},{tree!r})".encode()
    if not packed:
        return (_PLAIN % (base64.b64encode(text).decode(), zlib.crc32(text))).encode()
    packer = zlib.compressobj(9, wbits=-_WINDOW_BITS)
    text = packer.compress(text) + packer.flush()
    return (_PACKED % (base64.b64encode(text).decode(), zlib.crc32(text), _WINDOW_BITS)).encode()


@functools.cache
def _short_source() -> str:
    tree = ast.parse(_SOURCE.read_text(encoding="utf-8"))
    text = ast.unparse(_Shortener(tree).visit(tree))
    text = re.sub(r"^ +", lambda found: " " * (len(found[0]) // 4), text, flags=re.MULTILINE)
    return "\n".join(line for line in text.splitlines() if line)


class _Shortener(ast.NodeTransformer):
    """Takes docstrings out, puts numbers for the constants of the module, and short names for its own ones."""

    def __init__(self, tree: ast.Module) -> None:
        self._constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        own = []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.append(node.name)
            elif isinstance(node, ast.arg):
                own.append(node.arg)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                own.append(node.id if isinstance(node, ast.Name) else node.attr)
        named = set(own) - {"__init__", _ENTRY} - set(self._constants)
        often = sorted(named, key=lambda name: (-own.count(name), name))
        pairs = map("".join, itertools.product("_", string.ascii_letters))
        self._short = dict(zip(often, itertools.chain(string.ascii_letters, pairs), strict=False))

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [part for part in node.body if not isinstance(part, ast.Assign)]
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self._short.get(node.name, node.name)
        return self._without_docstring(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self._short.get(node.name, node.name)
        return self._without_docstring(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self._short.get(node.arg, node.arg))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._constants.get(node.id) or ast.Name(self._short.get(node.id, node.id))

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        ours = isinstance(node.value, ast.Name) and node.value.id in _OUR_OBJECTS
        name = self._short.get(node.attr, node.attr) if ours else node.attr
        return ast.Attribute(self.visit(node.value), name)

    def _without_docstring(self, node: _Scope) -> _Scope:
        if ast.get_docstring(node) is not None:
            del node.body[0]
        self.generic_visit(node)
        return node
