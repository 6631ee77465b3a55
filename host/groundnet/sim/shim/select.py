"""select: waits for the console, UARTs, sockets and any stream written in Python."""

import sys
from time import ticks_add, ticks_diff, ticks_ms

import operations as op
from _board import _call
from uctypes import addressof

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16

_IOCTL_POLL = 3
_EINTR = 4
_ENOENT = 2
_CONSOLE_TYPES = (type(sys.stdin), type(sys.stdin.buffer))


class poll:
    """Watches streams. A stream of the shim names itself to the world by ``_stream``: (kind, number)."""

    def __init__(self):
        self._entries = []  # [stream, events, events that are there]
        self._wanted = bytearray()  # (kind, number, events) per entry, for the world
        self._ready = bytearray()

    def register(self, stream, events: int = POLLIN | POLLOUT) -> None:
        index = self._find(stream)
        if index is None:
            kind, number = _stream_of(stream)
            self._entries.append([stream, events, 0])
            self._wanted += bytes((kind, number, events))
            self._ready = bytearray(len(self._entries))
        else:
            self._set_events(index, events)

    def modify(self, stream, events: int) -> None:
        index = self._find(stream)
        if index is None:
            raise OSError(_ENOENT)
        self._set_events(index, events)

    def unregister(self, stream) -> None:
        index = self._find(stream)
        if index is None:
            raise KeyError(stream)
        del self._entries[index]
        self._wanted[3 * index : 3 * index + 3] = b""
        self._ready = bytearray(len(self._entries))

    def poll(self, timeout_ms: int = -1) -> list:
        self._wait(timeout_ms)
        return [(entry[0], entry[2]) for entry in self._entries if entry[2]]

    def ipoll(self, timeout_ms: int = -1, flags: int = 0):
        self._wait(timeout_ms)
        for entry in self._entries:
            if entry[2]:
                yield entry[0], entry[2]
                if flags & 1:
                    entry[1] = 0

    def _find(self, stream):
        for index, entry in enumerate(self._entries):
            if entry[0] is stream:
                return index
        return None

    def _set_events(self, index: int, events: int) -> None:
        self._entries[index][1] = events
        self._wanted[3 * index + 2] = events

    def _wait(self, timeout_ms) -> None:
        timeout_ms = -1 if timeout_ms is None else int(timeout_ms)
        deadline_ms = ticks_add(ticks_ms(), timeout_ms) if timeout_ms > 0 else 0
        while True:
            ready = self._ask_foreign()
            result = self._ask_world(0 if ready else timeout_ms)
            if result >= 0:
                if ready or result or timeout_ms == 0:
                    return
                timeout_ms = 0  # over; streams in Python have the last word
            elif timeout_ms > 0:
                timeout_ms = max(0, ticks_diff(deadline_ms, ticks_ms()))

    def _ask_foreign(self) -> bool:
        """Ask the streams that the world does not know."""
        found = False
        for index, entry in enumerate(self._entries):
            entry[2] = 0
            if self._wanted[3 * index] == op.STREAM_FOREIGN:
                entry[2] = entry[0].ioctl(_IOCTL_POLL, entry[1]) & (entry[1] | POLLERR | POLLHUP)
                found = found or entry[2] != 0
        return found

    def _ask_world(self, timeout_ms: int) -> int:
        wanted, ready = self._wanted, self._ready
        result = _call(op.WAIT, timeout_ms, addressof(wanted), len(wanted), addressof(ready), len(ready))
        for index, entry in enumerate(self._entries):
            entry[2] |= ready[index]
        if result < 0 and result != -_EINTR:
            raise OSError(-result)
        return result


def _stream_of(stream) -> tuple:
    if isinstance(stream, _CONSOLE_TYPES):
        return op.STREAM_CONSOLE, stream.fileno()
    if not hasattr(stream, "ioctl"):
        raise OSError(22)
    return getattr(stream, "_stream", (op.STREAM_FOREIGN, 0))


def select(readers, writers, failed, timeout_s=-1):
    """As on CPython; ``timeout_s`` -1 waits for ever."""
    poller = poll()
    for stream in readers:
        poller.register(stream, POLLIN)
    for stream in writers:
        poller.register(stream, POLLOUT | (POLLIN if stream in readers else 0))
    found = poller.poll(-1 if timeout_s is None or timeout_s < 0 else int(timeout_s * 1000))
    return (
        [stream for stream, events in found if events & POLLIN],
        [stream for stream, events in found if events & POLLOUT],
        [stream for stream, events in found if events & (POLLERR | POLLHUP) and stream in failed],
    )
