"""A tray of boards, flashed all at once: one thread per board, none waits for another."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from groundnet.flash.one_board import OneBoard, Plan, Progress
from groundnet.flash.report import BoardResult, TrayReport
from groundnet.link.ports import SerialPort, find_ports


def flash(
    names: Sequence[str], plan: Plan, progress: Progress = lambda port, step, share: None
) -> TrayReport:
    """Flash the boards on the named ports: paths or USB serial numbers, listed once for all.

    Args:
        plan: what each shall become.
        progress: hears (port, step, share of the step 0 to 1), from the board's own thread.

    A board that fails is a result; nothing that a board or a cable does is raised.
    """
    ports = find_ports(names)
    began_s = time.monotonic()
    stop = threading.Event()

    def flash_one(port: SerialPort) -> BoardResult:
        return OneBoard(port, plan, progress, stop).run()

    with ThreadPoolExecutor(max(1, len(ports)), "board") as pool:
        try:
            results = list(pool.map(flash_one, ports))
        except BaseException:
            stop.set()  # Ctrl-C: no board is left in the middle of a piece, and none goes on
            raise
    about = plan.application
    return TrayReport(about.role, about.board, about.version, results, time.monotonic() - began_s)
