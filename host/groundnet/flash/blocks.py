"""A stream of bytes to the agent in numbered blocks with a CRC-32: a bad one is sent again with what follows it.

No more is under way than the board's receive buffer holds. Only after a second without an answer is it sent again, on
the chance that the buffer overflows: then it is asked for.
"""

import contextlib
import struct
import zlib
from collections.abc import Callable

from groundnet.flash.raw_mode import RawMode
from groundnet.link.errors import CodeFailed, NoAnswer

TAKEN, AGAIN = 6, 21
_LONGEST_PAYLOAD = 255
_FRAME_BYTES = 6  # number, size, CRC-32
_ANSWER_BYTES = 3
_RESEND_S = 1.0
_TRIES = 12  # a board that moves its flash around answers late
_NONSENSE = bytes(_LONGEST_PAYLOAD + _FRAME_BYTES)  # ends any block that has begun
_NONSENSE_S = 3.0
_ENDED = b"\x04Traceback"
_RESTARTED = (b">>> ", b"MPY: soft reboot", b"rst:0x")


class BlockSender:
    """Numbers go on from call to call.

    Args:
        raw: the line, with the agent running.
        window_bytes: how much may be under way unconfirmed.
    """

    def __init__(self, raw: RawMode, window_bytes: int) -> None:
        self._raw = raw
        self._window = window_bytes
        self.payload_bytes = min(_LONGEST_PAYLOAD, window_bytes // 2 - _FRAME_BYTES)
        self._number = 0
        self._unknown = b""  # what came and was no answer
        self.again = 0  # blocks that had to be sent again

    def send(self, data: bytes, progress: Callable[[float], None]) -> None:
        """Send all and wait until it is taken. Raises NoAnswer, CodeFailed, PortGone, and what ``progress`` raises."""
        size = self.payload_bytes
        blocks = [data[at : at + size] for at in range(0, len(data), size)]
        first = self._number
        taken = sent = quiet = 0
        while taken < len(blocks):
            under_way = sum(len(block) + _FRAME_BYTES for block in blocks[taken:sent])
            frames = b""
            while sent < len(blocks):
                frame = _frame(first + sent, blocks[sent])
                if under_way + len(frames) + len(frame) > self._window:
                    break
                frames += frame
                sent += 1
            self._raw.write(frames)
            self._number = first + sent
            answer = self._answer()
            quiet = 0 if answer else quiet + 1
            if quiet > _TRIES:
                raise NoAnswer(self._raw.port)
            kind, number = answer or (AGAIN, first + taken)
            count = number - first - taken & 255
            if count <= sent - taken:
                taken += count
                progress(taken / len(blocks))
            if kind == AGAIN:
                self.again += sent - taken
                sent = taken

    def stop(self) -> None:
        """End the talk before its end."""
        self._raw.write(_frame(self._number, b""))

    def _answer(self) -> tuple[int, int] | None:
        """(kind, number of the next block that the board wants), None after silence."""
        raw = self._raw
        while True:
            while len(raw.heard) >= _ANSWER_BYTES and not raw.heard.startswith(_ENDED):
                kind, number, check = raw.heard[:_ANSWER_BYTES]
                if kind in (TAKEN, AGAIN) and number ^ check == 255:
                    raw.heard = raw.heard[_ANSWER_BYTES:]
                    return kind, number
                if _ENDED.startswith(raw.heard[: len(_ENDED)]):
                    break
                self._unknown = (self._unknown + raw.heard[:1])[-64:]
                raw.heard = raw.heard[1:]
            if raw.heard.startswith(_ENDED):
                raw.ended()
            if any(words in self._unknown for words in _RESTARTED):
                raise NoAnswer(raw.port)  # what would come next is for a prompt, not for the agent
            if not raw.hear(_RESEND_S):
                return None


def dismiss(raw: RawMode) -> bool:
    """Send an agent away that an earlier talk left behind; False when there is none. Raises PortGone."""
    raw.write(_NONSENSE)
    deadline_s = raw.clock() + _NONSENSE_S
    while raw.clock() < deadline_s and raw.hear(_RESEND_S):
        pass
    kind, number, check = raw.heard[-_ANSWER_BYTES:].rjust(_ANSWER_BYTES, b"\0")
    if kind != AGAIN or number ^ check != 255:
        return False
    raw.heard = b""
    raw.write(_frame(number, b""))
    with contextlib.suppress(CodeFailed, NoAnswer):  # it says that it was stopped
        raw.ended()
    return True


def _frame(number: int, payload: bytes) -> bytes:
    head = bytes((number & 255, len(payload))) + payload
    return head + struct.pack("<I", zlib.crc32(head))
