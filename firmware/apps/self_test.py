"""The self-test that a bench or an install point asks for: every part, and what is no part. Loaded when asked."""

import gc
import time

from groundcore import store
from groundwire import keys
from micropython import const

_FREE_BYTES = const(16384)  # what a link with a session and a beacon need at once, twice over
_CLOCK_LOOK_MS = const(50)
_CLOCK_OFF_MS = const(3)


def run(loop, records: dict, names: list) -> list:
    """Results as the wire carries them, of the parts in ``names``, or of all that there are.

    Args:
        loop: of this device; each part has its own ``test``.
        records: what flash holds.
    """
    own = {"memory": _memory, "clock": _clock, "key": lambda: _key(records)}
    results = []
    for name in names or list(loop.parts) + list(loop.missing) + list(own):
        if name in loop.missing:
            results.append({"part": name, "result": "failed", "measured": 0, "text": loop.missing[name]})
            continue
        part = loop.parts.get(name)
        test = own.get(name) if part is None else part.test
        result = _result(name, test, OSError if part is None else part.errors)
        if names or result["result"] != "skipped":
            results.append(result)
    return results


def _result(name, test, errors):
    found = None
    if test is not None:
        try:
            found = test()
        except errors as error:
            found = False, 0, str(error)
    if found is None:
        text = "not fitted" if test is None else "nothing to test"
        return {"part": name, "result": "skipped", "measured": 0, "text": text}
    passed, measured, text = found
    return {"part": name, "result": "passed" if passed else "failed", "measured": measured, "text": text}


def _memory() -> tuple:
    gc.collect()
    free = gc.mem_free()
    return free >= _FREE_BYTES, free, "bytes free"


def _clock() -> tuple:
    """The real-time clock against the processor's."""
    began_ns, began_ticks = time.time_ns(), time.ticks_ms()
    time.sleep_ms(_CLOCK_LOOK_MS)
    off_ms = (time.time_ns() - began_ns) // 1_000_000 - time.ticks_diff(time.ticks_ms(), began_ticks)
    return abs(off_ms) <= _CLOCK_OFF_MS, off_ms, "ms off in %d" % _CLOCK_LOOK_MS


def _key(records) -> tuple | None:
    """Whether a secret is there that can be worked with; measured 1 when it is locked in."""
    identity = store.decode_identity(records.get(store.IDENTITY))
    if identity is None:
        return None
    works = len(set(identity.secret)) > 1 and len(keys.check_value(identity.secret)) == keys.CHECK_SIZE
    return works, int(identity.locked), "locked" if identity.locked else "not locked"
