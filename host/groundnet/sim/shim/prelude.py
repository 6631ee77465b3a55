"""Runs once before the first boot: puts the chip's own modules in place of the interpreter's."""

import sys

sys.modules.pop("time", None)  # frozen into the interpreter, without the world's clock

import builtins
import os
import select  # noqa: F401
import socket  # noqa: F401
import ssl  # noqa: F401
import time  # noqa: F401

import _host
import _vfs
import esp32  # noqa: F401
import machine  # noqa: F401
import micropython
import network  # noqa: F401


def _urandom(count: int) -> bytes:
    return bytes(_host.random() & 255 for _ in range(count))


def _ilistdir(folder="."):
    """With the sizes that the file systems of boards give and the interpreter's own leaves out."""
    for entry in _plain_ilistdir(folder):
        if len(entry) == 3:
            entry += (os.stat(folder + "/" + entry[0])[6],)
        yield entry


def _input(prompt=""):
    """A line from the console with echo; the interpreter's own waits for keys of a web page."""
    sys.stdout.write(prompt)
    line = ""
    while True:
        key = sys.stdin.read(1)
        if key in "\r\n":
            sys.stdout.write("\r\n")
            return line
        if key in "\x08\x7f":
            sys.stdout.write("\x08 \x08" if line else "")
            line = line[:-1]
        else:
            sys.stdout.write(key)
            line += key


sys.modules["vfs"] = _vfs
builtins.input = _input
_plain_ilistdir = os.ilistdir
os.ilistdir = _ilistdir
os.urandom = _urandom  # the interpreter's build leaves it out
micropython.kbd_intr(3)
