"""The way from a board to its world: one blocking call, and the interrupts that come back."""

import _host
import operations as op
from micropython import schedule
from uctypes import addressof

_call = _host.call
_handlers = {}


def call(operation: int, argument: int = 0, out=b"", into=b"") -> int:
    """Call the world.

    Args:
        out: bytes that go with the call.
        into: buffer for the bytes of the answer.

    Returns the result. Raises OSError when the world answers with an error number.
    """
    result = _call(operation, argument, addressof(out), len(out), addressof(into), len(into))
    if result < 0:
        raise OSError(-result)
    return result


def wait_us(duration_us: int) -> None:
    """Let time pass; interrupt handlers run meanwhile."""
    while duration_us > 0:
        part_us = min(duration_us, 1_000_000_000)
        duration_us -= part_us - call(op.SLEEP, part_us)


def on_interrupt(kind: int, number: int, handler, argument) -> None:
    """Run ``handler(argument)`` soon after the interrupt; None removes it."""
    source = kind * 256 + number
    if handler is None:
        _handlers.pop(source, None)
    else:
        _handlers[source] = (handler, argument)


def _dispatch(source: int) -> None:
    entry = _handlers.get(source)
    if entry is None:
        return
    try:
        schedule(entry[0], entry[1])
    except RuntimeError:
        pass  # the queue is full: the interrupt is lost, as on the board


_host.on_interrupt(_dispatch)
