"""Live progress of things that work side by side: one bar each."""

from collections.abc import Hashable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class LiveBars:
    """Bars by key, told from any thread; on a terminal only, and never among JSON."""

    def __init__(self, as_json: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[name]}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=Console(stderr=as_json),
            disable=as_json,
            transient=True,
        )
        self._tasks: dict[Hashable, TaskID] = {}

    def __enter__(self) -> "LiveBars":
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def show(self, key: Hashable, name: str, what: str, share: float, stays: bool = True) -> None:
        """How far one of them is, 0..1, and what it does now. ``stays``: also when it is done."""
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task("", total=1.0, name=name)
        visible = stays or share < 1.0
        self._progress.update(self._tasks[key], description=what, completed=share, visible=visible)

    def say(self, line: str) -> None:
        """A line above the bars that stays."""
        self._progress.console.print(line, highlight=False)
