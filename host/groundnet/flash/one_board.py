"""One board of a tray: look, base image where it is needed, application, start, and hear from it what it is.

Nothing is written before the board has shown what it is: a bootloader, a chip without a program, MicroPython at
its prompt, or a groundnet device that nobody has locked. Whatever else answers is refused, with what to do.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from groundnet.errors import GroundnetError, Text
from groundnet.flash import base_image
from groundnet.flash.board_lock import BoardLocks
from groundnet.flash.esptool_run import BaseImageError
from groundnet.flash.report import FAILED, PASSED, REFUSED, BoardResult
from groundnet.link import probe as probing
from groundnet.link.errors import LinkError, NoAnswer, PortGone
from groundnet.link.ports import SerialPort
from groundnet.link.probe import Finding, overhear, probe
from groundnet.link.replug import Gone, await_return

if TYPE_CHECKING:
    from groundnet.flash.application import Application

LOOK, BASE, APPLICATION, START = "look", "base image", "application", "start"
REPLUG, BOOT_BUTTON = "replug", "boot button"
START_TIMEOUT_S = 60.0  # the loader copies the application into the ROM partition at its first boot
OURS = (probing.GROUNDNET, probing.MICROPYTHON, probing.BOOTLOADER, probing.EMPTY)
_RENEW_S = 20.0
_AGAIN_S = 0.5

Progress = Callable[[SerialPort, str, float], None]  # port, step, share done 0 to 1


@dataclass(frozen=True)
class Plan:
    """What every board of a tray shall become.

    Args:
        base: prepared base image; None when there is none, or none is wanted.
        base_wanted: False never writes one, also where it is missing.
        base_always: write it also over a MicroPython that would do.
        retries: how often a board is begun again after its cable, its bootloader or its link failed.
        replug_s: how long a board that disappeared is waited for.
        listen_s: how long a port is listened to before the first byte is written.
        boot_button_s: how long a silent board is listened to, for a person who holds BOOT and presses reset.
    """

    application: "Application"
    base: Path | None = None
    base_wanted: bool = True
    base_always: bool = False
    retries: int = 2
    replug_s: float = 30.0
    boot_button_s: float = 15.0
    listen_s: float = probing.LISTEN_S
    steal: bool = False
    locks: Path | None = None


class Refusal(GroundnetError):
    """The board is not written to."""


class Locked(Refusal):
    """It has an identity and is closed: what comes over a cable is no longer trusted."""

    def __init__(self, port: str) -> None:
        super().__init__(
            Text(
                f"the device on {port} has an identity and is locked",
                f"{port} 上的设备已有身份并已锁定",
            ),
            Text("update it in a session: `groundnet update`", "请在会话中更新：`groundnet update`"),
        )


class NotStarted(GroundnetError):
    """The board was written and does not answer as what it should be."""

    def __init__(self, port: str, found: Finding) -> None:
        super().__init__(
            Text(
                f"after flashing, {port} is not what was written: {found.what}",
                f"烧录后 {port} 应答不符：{getattr(found.what, 'zh', found.what)}",
            ),
            Text(
                "press reset, look with `groundnet doctor`, flash again",
                "按复位键，用 `groundnet doctor` 查看后重新烧录",
            ),
        )


class Stopped(GroundnetError):
    """Somebody ended the whole tray."""

    def __init__(self, port: str) -> None:
        super().__init__(
            Text(f"the work on {port} was stopped", f"{port} 的操作已中止"),
            Text("repeat the command: it goes on where it stopped", "再次运行该命令即可继续"),
        )


class OneBoard:
    """Flashes the board on one port; ``run`` never raises for what a board or a cable may do.

    Args:
        stop: ends the work at the next step or piece when it is set.
    """

    def __init__(self, port: SerialPort, plan: Plan, progress: Progress, stop: threading.Event) -> None:
        self._port = port
        self._plan = plan
        self._progress = progress
        self._stop = stop
        self._locks = BoardLocks(plan.locks)
        self._held: dict[str, str] = {}  # key -> token
        self._renewed_s = 0.0
        self._touched = False
        self._step = LOOK
        self.result = BoardResult(port.path, port.serial_number, port.mac, board=plan.application.board)

    def run(self) -> BoardResult:
        began_s = time.monotonic()
        try:
            self._take(self._port.board_key)
            self._until_it_works()
            self.result.verdict = PASSED
        except GroundnetError as error:
            self.result.verdict = FAILED if self._touched else REFUSED
            self.result.cause, self.result.action = error.cause, error.action
        finally:
            for key, token in self._held.items():
                self._locks.give_back(key, token)
            self._locks.close()
            self.result.duration_s = time.monotonic() - began_s
        return self.result

    def _until_it_works(self) -> None:
        for left in range(self._plan.retries, -1, -1):
            self.result.tries += 1
            try:
                self._flash()
                return
            except (LinkError, BaseImageError, NotStarted) as error:
                if not left or not getattr(error, "transient", True):
                    raise
            self._timed(REPLUG, self._wait_for_the_board)

    def _flash(self) -> None:
        found = self._timed(LOOK, self._look)
        if self._needs_base(found):
            self._timed(BASE, lambda: self._write_base(found))
        self._timed(APPLICATION, self._deploy)
        found = self._timed(START, self._hear)
        self._note(found)

    # --- steps

    def _look(self) -> Finding:
        found = probe(self._port, listen_s=self._plan.listen_s)
        if self._touched and found.kind in (probing.SILENT, probing.SCRIPT):
            found = self._await(lambda now: now.kind in OURS)  # what we wrote in part may boot for a while
        if found.kind == probing.SILENT and not self._port.usb_jtag:
            found = self._hear_boot_text(found)
        self._note(found)
        if found.mac:
            self._take(found.mac)  # the same chip on its second port is the same board
        self._admit(found)
        return found

    def _admit(self, found: Finding) -> None:
        """Raises Refusal for what must not be written to."""
        if found.state == "locked":
            raise Locked(found.port.path)
        chip = self._plan.application.chip
        if found.chip and found.chip != chip:
            raise Refusal(
                Text(
                    f"the chip on {found.port.path} is an {found.chip}, not an {chip}",
                    f"{found.port.path} 上的芯片是 {found.chip}，不是 {chip}",
                ),
                Text("choose the board that it is with --board", "用 --board 选择正确的板型"),
            )
        if found.kind in OURS:
            return
        if found.kind == probing.GONE or (found.kind == probing.MISSING and self.result.tries > 1):
            raise PortGone(self._port.path)  # it was there: somebody pulled the cable
        if found.kind == probing.SILENT and self._port.usb_jtag:
            return  # the USB device is the chip itself, whatever its program does
        raise Refusal(found.what, found.action)

    def _needs_base(self, found: Finding) -> bool:
        if self._plan.base_always and self._plan.base is not None:
            return True
        if found.kind == probing.GROUNDNET or (
            found.kind == probing.MICROPYTHON and found.rom and base_image.fits(found.bytecode)
        ):
            return False
        if found.kind == probing.MICROPYTHON and not found.bytecode:
            raise NoAnswer(self._port.path)  # the prompt never said what it is: a cable was pulled meanwhile
        if self._plan.base is None and self._plan.base_wanted:
            base_image.find(self._plan.application.chip)  # raises, with what to build
        if self._plan.base is None:
            raise Refusal(
                Text(
                    f"{found.port.path} has no MicroPython {base_image.MICROPYTHON} with a ROM partition",
                    f"{found.port.path} 没有带 ROM 分区的 MicroPython {base_image.MICROPYTHON}",
                ),
                Text("flash it without --no-base", "去掉 --no-base 重新烧录"),
            )
        return True

    def _write_base(self, found: Finding) -> None:
        chip = self._plan.application.chip
        assert self._plan.base is not None
        self._touched = True
        waits = found.kind == probing.BOOTLOADER
        base_image.write(self._port.path, chip, self._plan.base, in_bootloader=waits, progress=self._tell)
        self._await(lambda now: now.kind == probing.MICROPYTHON)

    def _deploy(self) -> None:
        self._touched = True
        try:
            self._plan.application.lay_down(self._port.path, self._tell)
        except OSError as error:
            raise PortGone(self._port.path) from error

    def _hear(self) -> Finding:
        """Wait for the device to say that it is what was written."""
        wanted = self._plan.application
        return self._await(lambda now: (now.role, now.firmware) == (wanted.role, wanted.version))

    def _await(self, arrived: Callable[[Finding], bool]) -> Finding:
        """Raises NotStarted with what was last found."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            found = probe(self._port, listen_s=0.0)
            if arrived(found):
                return found
            if found.kind in (probing.GONE, probing.MISSING):
                raise PortGone(self._port.path)
            if time.monotonic() > deadline_s:
                raise NotStarted(self._port.path, found)
            self._tell(0.0)
            time.sleep(_AGAIN_S)

    def _hear_boot_text(self, found: Finding) -> Finding:
        """A silent chip speaks when somebody holds BOOT and presses reset; until then nothing is written to it."""
        self._progress(self._port, BOOT_BUTTON, 0.0)
        heard = overhear(self._port, self._plan.boot_button_s)
        return heard if heard.kind != probing.SILENT else found

    def _wait_for_the_board(self) -> None:
        try:
            self._port = await_return(self._port, self._plan.replug_s)
        except Gone as error:
            raise Refusal(error.cause, error.action) from error

    # --- bookkeeping

    def _timed(self, step: str, work):
        self._step = step
        self._tell(0.0)
        began_s = time.monotonic()
        try:
            return work()
        finally:
            self.result.steps.append((step, round(time.monotonic() - began_s, 3)))

    def _tell(self, share: float) -> None:
        if self._stop.is_set():
            raise Stopped(self._port.path)
        if time.monotonic() - self._renewed_s > _RENEW_S:
            self._renewed_s = time.monotonic()
            for key, token in self._held.items():
                self._locks.renew(key, token)
        self._progress(self._port, self._step, share)

    def _take(self, key: str) -> None:
        if key not in self._held:
            self._held[key] = self._locks.take(key, steal=self._plan.steal)

    def _note(self, found: Finding) -> None:
        """What the device says of itself; what it does not say now it may have said before.

        Raises Refusal for another chip than before: boards were swapped while the cable was out.
        """
        if found.mac and self.result.mac not in ("", found.mac):
            raise Refusal(
                Text(
                    f"another board, {found.mac}, came back on {self._port.path} for {self.result.mac}",
                    f"{self._port.path} 上换成了另一块板 {found.mac}（原为 {self.result.mac}）",
                ),
                Text("plug the first board in and repeat the command", "插回原来的板，再运行一次该命令"),
            )
        names = ("mac", "device_id", "chip", "role", "firmware", "micropython")
        told = {name: getattr(found, name) for name in names if getattr(found, name)}
        self.result = replace(self.result, port=self._port.path, **told)
