"""`groundnet provision serve` in a process of its own that is killed with SIGKILL at one step, once it gets there.

Run as a module it reads one JSON object a line, ``{"argv": [...], "mine": [...], "faults": {...}}``, and forks the
command, so that its imports are paid for once. The first line of answer is the command's own; the last one says with
which signal or code it ended.

``mine`` is where it dies: ``["row", STATE, EVENT]`` when the screen is about to take this row of its table,
``["registry", STATE]`` when a row of the registry came to this state and is on the disk, ``["locked"]`` when the tag
was locked and nothing else knows. ``faults`` are what goes wrong before: by the state of the screen ``cut``, ``fail``,
``broken``, ``gone`` or ``silent``.
"""

import gc
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from groundnet.cli import main
from groundnet.link.device import Device
from groundnet.link.errors import NoAnswer, PortGone, Refused
from groundnet.provision import counter, counter_desk, people, tag_check, tag_watch
from groundnet.provision.binding import Binding
from groundnet.provision.registry import Registry

LATE = (
    "groundnet.cli.provision",
    "uvicorn.protocols.http.auto",
    "uvicorn.loops.auto",
    "uvicorn.lifespan.off",
)
QUICK = 0.01  # seconds between two looks at the ports


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MinedTable(dict):
    """The screen's table; who takes the row that is mined is dead before anything comes of it."""

    def __init__(self, row):
        super().__init__(counter.TABLE)
        self._mined = row

    def get(self, row, default=None):
        if row == self._mined and row in self:
            die()
        return super().get(row, default)


def lay(mine):
    """Where the process ends."""
    kind, *names = mine
    if kind == "row":
        counter.TABLE = MinedTable((counter.State(names[0]), counter.Event(names[1])))
        _hurry_the_clock(*names)
    elif kind == "registry":
        for name in ("reserve", "advance"):
            _die_after(Registry, name, lambda record: record.state == names[0])
    else:
        _die_after(Device, "lock", lambda nothing: True)


def _hurry_the_clock(state, event):
    """The three minutes in which nobody goes on are over at once, where they are what is waited for."""
    if event != counter.Event.TICK:
        return

    def next_deadline_ms(self):
        return self.since_ms if self.state == state and not self.draft.empty else None

    counter.Counter.next_deadline_ms = next_deadline_ms


def _die_after(owner, name, fits):
    real = getattr(owner, name)

    def mined(self, *arguments, **named):
        result = real(self, *arguments, **named)
        if fits(result):
            die()
        return result

    setattr(owner, name, mined)


def break_things(faults, tags):
    """Each fault happens once, when the screen is in its state."""
    half = {"writing": "proves", "locking": "lock", "undoing": "erase"}

    def carry_out(self, action, screen, approval, real=Binding.carry_out):
        fault = faults.pop(screen.state, None)
        if fault == "broken":
            Device.self_test = lambda device: [
                {"part": "radio", "result": "failed", "measured": 0, "text": ""}
            ]
        elif fault:
            _strike_after(half[screen.state], fault, tags)
        return real(self, action, screen, approval)

    def examine(link, registry, real=tag_check.examine):
        fault = faults.pop("looking", None)
        if fault == "gone":
            (tags / "tag").unlink()
            raise PortGone(link.port)
        if fault == "silent":
            raise NoAnswer(link.port)
        return real(link, registry)

    Binding.carry_out = carry_out
    tag_check.examine = examine


def _strike_after(name, fault, tags):
    """The tag does this one thing, and its answer never comes: the cable is out, or it says no."""
    real = getattr(Device, name)

    def once(self, *arguments):
        setattr(Device, name, real)
        real(self, *arguments)
        if fault == "cut":
            (tags / "tag").unlink()
            raise PortGone("tag")
        raise Refused(name, "storage", "")

    setattr(Device, name, once)


def serve(wish):
    counter_desk.LOOK_EVERY_S = QUICK
    tag_watch.ASK_EVERY_MS = 50
    people._SCRYPT["n"] = 16
    break_things(dict(wish["faults"]), Path(wish["tags"]))
    if wish["mine"]:
        lay(wish["mine"])
    main.app(wish["argv"], standalone_mode=False)


def fork_for_each_line():
    for name in ("cli.provision", "provision.web.app"):
        importlib.import_module(f"groundnet.{name}")
    for name in (
        "protocols.http.auto",
        "protocols.websockets.auto",
        "loops.auto",
        "lifespan.off",
        "middleware.proxy_headers",
    ):
        importlib.import_module(f"uvicorn.{name}")
    gc.freeze()  # a child need not copy what is there already
    for line in sys.stdin:
        wish = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                serve(wish)
                code = 0
            finally:
                os._exit(code)
        sys.stdout.write(json.dumps({"pid": child}) + "\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
        sys.stdout.write(json.dumps({"ended": ended}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    fork_for_each_line()
