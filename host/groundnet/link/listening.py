"""Who speaks on a port, told from what it says by itself; nothing is written for it.

What a ROM bootloader prints: ESP-IDF, "Boot mode selection" of each chip; a chip whose flash is empty prints
"invalid header: 0xffffffff" and restarts without end. Sentences of GNSS receivers: NMEA 0183, section 5.3.
"""

import re

from groundnet.errors import Text
from groundnet.link.errors import (
    BootloaderWaits,
    ForeignDevice,
    LinkError,
    NoAnswer,
    NothingToStart,
    ReplAnswers,
    ScriptRuns,
)

_PROMPT, _BANNER = b">>>", b'Type "help()" for more information.'  # the prompt comes right behind its banner
_WAITING = b"waiting for download"
_NOTHING_TO_START = (b"invalid header: 0x", b"No bootable app partitions", b"flash read err, 1000")
_ROM_BANNER = re.compile(rb"ESP-ROM:(esp32[a-z0-9]*)")
_FIRST_ESP32_BANNER = b"ets Jun  8 2016"  # its ROM names no chip
_RECEIVER = Text("a GNSS receiver", "GNSS 接收机")
_FOREIGN = (
    (re.compile(rb"(^|[\r\n])[$!][A-Z]{5},"), _RECEIVER),
    (re.compile(rb"\xb5\x62[\x01-\x2f]"), _RECEIVER),  # UBX, u-blox M8 protocol description 32.3
    (re.compile(rb"(^|[\r\n])\+[A-Z]{2,}: ?|[\r\n]OK\r\n"), Text("a modem", "通信模块")),
    (
        re.compile(rb"(^|[\r\n])[EWIDV] \(\d+\) [\w.-]+: "),
        Text("an ESP32 with other firmware", "运行其他固件的 ESP32"),
    ),
)
_SAID_CHARACTERS = 40
_LEAST_TEXT_SHARE = 0.9  # of the bytes; noise on a line of another baud rate has far less


def chip_named_in(heard: bytes) -> str:
    """The chip whose boot text was heard, as esptool names it; empty when there was none."""
    banners = _ROM_BANNER.findall(heard)
    if banners:
        return banners[-1].decode()
    return "esp32" if _FIRST_ESP32_BANNER in heard else ""


def waits_for_download(heard: bytes) -> bool:
    """Whether the last thing said was a ROM bootloader's offer to take a download."""
    return heard.rstrip().endswith(_WAITING)


def at_prompt(heard: bytes) -> bool:
    """Whether MicroPython waits for input, or is about to: the banner comes a moment before the prompt."""
    return _PROMPT in heard or _BANNER in heard


def foreign_speaker(heard: bytes) -> Text | None:
    """Name of a kind of device that is certainly not ours; None when it may be."""
    return next((name for pattern, name in _FOREIGN if pattern.search(heard)), None)


def who_speaks(port: str, heard: bytes) -> LinkError:
    """The error that names who is on a port where no link could be opened."""
    if not heard.strip(b"\0\r\n "):
        return NoAnswer(port)
    chip = chip_named_in(heard)
    if waits_for_download(heard):
        return BootloaderWaits(port, chip)
    if any(words in heard for words in _NOTHING_TO_START):
        return NothingToStart(port, chip)
    if at_prompt(heard):
        return ReplAnswers(port)
    foreign = foreign_speaker(heard)
    if foreign or not _is_text(heard):
        return ForeignDevice(port, foreign)
    return ScriptRuns(port, _last_line(heard))


def _is_text(heard: bytes) -> bool:
    text = heard.decode("utf-8", errors="replace")
    shown = sum((one.isprintable() and one != "\ufffd") or one in "\r\n\t\x1b" for one in text)
    return shown >= _LEAST_TEXT_SHARE * len(text)


def _last_line(heard: bytes) -> str:
    """The last words that were heard in whole, short enough for a message."""
    lines = [line for line in heard.decode("utf-8", errors="replace").splitlines() if line.strip()]
    whole = lines[-2] if len(lines) > 1 and not heard.endswith((b"\n", b"\r")) else lines[-1]
    return "".join(one for one in whole.strip() if one.isprintable())[:_SAID_CHARACTERS]
