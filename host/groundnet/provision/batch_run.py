"""Tags of a batch come and go at many ports: one thread for each port, until every row is done or nothing comes."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from groundnet.provision.batch import Bench, Line
from groundnet.provision.tag_places import TagPlaces

LOOK_EVERY_S = 0.25  # between two looks at the ports, and at one port


class BatchRun:
    """Watches ports and serves what is connected to them.

    Args:
        open_bench: called once in each port's own thread; what it gives is closed there.
        tell: told of each line, by one thread at a time.
        remaining: how many rows are not done yet; called in the thread of ``run``.
        parallel: how many tags are written at once.
        idle_s: longest time in which no tag is worked on; None waits for ever.
    """

    def __init__(
        self,
        places: TagPlaces,
        open_bench: Callable[[], AbstractContextManager[Bench]],
        tell: Callable[[Line], None],
        remaining: Callable[[], int],
        parallel: int = 8,
        idle_s: float | None = None,
    ) -> None:
        self._places = places
        self._open_bench = open_bench
        self._tell = tell
        self._remaining = remaining
        self._slots = threading.Semaphore(parallel)
        self._idle_s = idle_s
        self._stopped = threading.Event()
        self._telling = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._failure: BaseException | None = None
        self._last_told_s = time.monotonic()

    def run(self) -> None:
        """Serve until every row is done, until nothing was told for ``idle_s``, or until Ctrl-C.

        A tag that is being written is finished first. Raises what a thread could not go on with.
        """
        try:
            while not self._stopped.is_set() and self._remaining() and not self._idle():
                for port in self._places.ports():
                    if port.path not in self._threads:
                        self._threads[port.path] = self._start(port.path)
                self._stopped.wait(LOOK_EVERY_S)
        finally:
            self._stopped.set()
            for thread in self._threads.values():
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _idle(self) -> bool:
        return self._idle_s is not None and time.monotonic() - self._last_told_s > self._idle_s

    def _start(self, path: str) -> threading.Thread:
        thread = threading.Thread(target=self._work, args=(path,), name=f"batch {path}")
        thread.start()
        return thread

    def _work(self, path: str) -> None:
        try:
            with self._open_bench() as bench:
                while not self._stopped.is_set():
                    self._look(bench, path)
                    self._stopped.wait(LOOK_EVERY_S)
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that runs the batch
            self._failure = error
            self._stopped.set()

    def _look(self, bench: Bench, path: str) -> None:
        if not os.path.exists(path):
            bench.forget()
            return
        with self._slots:
            line = None if self._stopped.is_set() else bench.serve(path)
        if line is not None:
            with self._telling:
                self._last_told_s = time.monotonic()
                self._tell(line)
