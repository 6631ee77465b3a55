"""Record and replay of a rig: every exchange is one line of JSON; a replay asserts order, arguments and results.

A line: {"who": instrument, "call": method, "arguments": [...], "result": ..., "at_s": seconds}. A failure has
"error": [cause, action] in place of a result. The time is told and not compared.
"""

import difflib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from groundnet.bench.instruments.line import InstrumentError
from groundnet.errors import GroundnetError

Clock = Callable[[], float]


class ReplayMismatch(AssertionError):
    """The test asks the rig for something else than when it was recorded."""


class Recorder:
    """Writes what is asked of instruments, and what came of it; each line is on disk before the next call."""

    def __init__(self, path: Path, now_s: Clock) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._now_s = now_s

    def watch(self, who: str, instrument: object) -> Any:
        """The instrument, with every call of it recorded."""
        return _Watched(who, instrument, self._call)

    def close(self) -> None:
        self._file.close()

    def _call(self, who: str, instrument: object, call: str, arguments: tuple) -> object:
        line: dict[str, object] = {"who": who, "call": call, "arguments": list(arguments)}
        at_s = round(self._now_s(), 3)
        try:
            result = getattr(instrument, call)(*arguments)
        except InstrumentError as error:
            self._write({**line, "error": [str(error.cause), str(error.action)], "at_s": at_s})
            raise
        self._write({**line, "result": result, "at_s": at_s})
        return result

    def _write(self, line: dict) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()


class Replayer:
    """Answers for a rig from a record."""

    def __init__(self, path: Path) -> None:
        self._lines = list(read(path))
        self._next = 0
        self.at_s = 0.0

    def watch(self, who: str, instrument: object = None) -> Any:
        """What answers for an instrument."""
        return _Watched(who, instrument, self._call)

    def close(self) -> None:
        """Raises ReplayMismatch when the record goes on."""
        if self._next < len(self._lines):
            raise ReplayMismatch(
                f"the record goes on with {in_words(self._lines[self._next])}, the test has ended"
            )

    def _call(self, who: str, instrument: object, call: str, arguments: tuple) -> object:
        asked = {"who": who, "call": call, "arguments": list(arguments)}
        if self._next == len(self._lines):
            raise ReplayMismatch(f"the record has ended, the test goes on with {in_words(asked)}")
        line = self._lines[self._next]
        if any(line[key] != asked[key] for key in asked):
            raise ReplayMismatch(
                f"line {self._next + 1}: recorded is {in_words(line)}, the test asks {in_words(asked)}"
            )
        self._next += 1
        self.at_s = line["at_s"]
        if "error" in line:
            raise InstrumentError(who, *line["error"])
        return line["result"]


class _Watched:
    """An instrument whose methods go through a recorder or replayer."""

    def __init__(self, who: str, instrument: object, call: Callable) -> None:
        self._who, self._instrument, self._call = who, instrument, call

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self._call(self._who, self._instrument, name, arguments)


def read(path: Path) -> Iterator[dict]:
    """The lines of a record. Raises GroundnetError for a file that is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GroundnetError(f"the record {path} cannot be read", "record it with --bench-record") from error
    for number, line in enumerate(text.splitlines(), 1):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or not {"who", "call", "arguments", "at_s"} <= found.keys():
            raise GroundnetError(f"line {number} of {path} is no exchange", "record it again")
        yield found


def in_words(line: dict) -> str:
    """One exchange as a person says it."""
    asked = f"{line['who']}.{line['call']}({', '.join(map(repr, line['arguments']))})"
    if "error" in line:
        return f"{asked}, which failed: {line['error'][0]}"
    return asked if line.get("result") is None else f"{asked} = {line['result']!r}"


def compare(old: Path, new: Path) -> list[str]:
    """What is different between two records, in words; empty when they tell the same. Times are passed over."""
    before, after = [in_words(line) for line in read(old)], [in_words(line) for line in read(new)]
    told = []
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind != "equal":
            told += [
                f"exchange {old_from + 1 + n} is gone: {one}" for n, one in enumerate(before[old_from:old_to])
            ]
            told += [
                f"exchange {new_from + 1 + n} is new: {one}" for n, one in enumerate(after[new_from:new_to])
            ]
    return told
