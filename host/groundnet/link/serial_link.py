"""Link frames over a serial port: open, ask, be answered; sealed once a session is open."""

import errno
import os
import secrets
import time
from collections.abc import Callable
from types import TracebackType

import serial
from groundwire import frame, keys, messages, session
from groundwire.errors import AuthenticationError, EncodeError, WireError

from groundnet.link.errors import (
    ForeignDevice,
    LinkError,
    NoAnswer,
    NotASerialPort,
    PortBusy,
    PortForbidden,
    PortGone,
    PortMissing,
    Refused,
    TriesExhausted,
    Unsendable,
    WrongSecret,
)
from groundnet.link.listening import at_prompt, foreign_speaker, waits_for_download, who_speaks
from groundnet.link.ports import holder_of

BAUDRATE = 115_200  # of UART bridges; USB devices ignore it
OPEN = b"\x00"
ENTER = b"\r"  # makes a MicroPython prompt show itself and interrupts nothing
READ_TIMEOUT_S = 0.05
WRITE_TIMEOUT_S = 5.0
READ_SIZE = 4096
HEARD_SIZE = 4096  # of a device that talks without end, only the last words are kept
SILENT_S = 0.6  # a device that has not answered by then may be a prompt, which says nothing by itself
OPEN_AGAIN_S = 0.2  # a device that was just powered may not have heard the first one
UPDATE_REQUESTS = range(0x20, 0x26)  # all are answered by update_state
REPLY = 0x80  # kind of the reply to a kind of request; ack and error name the request inside
BYE_TIMEOUT_S = 1.0
ASK_TRIES = 3  # requests may be repeated: a device answers a repeated one again

Entropy = Callable[[int], bytes]


class SerialLink:
    """An open link to one device; a context manager.

    Args:
        port: path of a serial port or PTY.
        timeout_s: longest wait for one answer.
        entropy: source of nonces.
        listen_s: how long to listen before the first byte is written; nothing at all is written to a
            bootloader or to a device that is certainly somebody else's.

    Raises (from the constructor): PortMissing, PortForbidden, NotASerialPort, PortBusy, PortGone, NoAnswer,
    BootloaderWaits, NothingToStart, ReplAnswers, ScriptRuns, ForeignDevice.
    """

    def __init__(
        self,
        port: str,
        timeout_s: float = 5.0,
        entropy: Entropy = secrets.token_bytes,
        listen_s: float = 0.0,
    ) -> None:
        self.port = port
        self._timeout_s = timeout_s
        self._entropy = entropy
        self._serial = open_port(port)
        self._decoder = frame.Decoder(capacity=4400, accept=frame.REPLIES)
        self._sequence = 0
        self._session: session.Initiator | None = None
        try:
            self._open_link(self._listen(listen_s))
        except BaseException:
            self._serial.close()
            raise

    def __enter__(self) -> "SerialLink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def authenticated(self) -> bool:
        return self._session is not None and self._session.ready()

    def ask(self, name: str, **values: object) -> messages.Message:
        """Send one request, return its reply; sealed both ways while a session is ready.

        Raises Unsendable for values that do not fit the message, Refused for an error reply, ForeignDevice,
        NoAnswer, PortGone.
        """
        try:
            kind, payload = messages.encode(name, values)
        except EncodeError as error:
            raise Unsendable(name, str(error)) from error
        reply = self._exchange(kind, payload)
        if reply.name == "error":
            raise Refused(name, str(reply.values["code"]), str(reply.values["detail"]))
        return reply

    def authenticate(self, device_id: bytes, secret: bytes) -> None:
        """Open a session: both ends prove that they hold ``secret``. Raises WrongSecret, TriesExhausted."""
        end = session.Initiator(
            device_id, keys.derive(secret, keys.SESSION), self._entropy(session.NONCE_SIZE)
        )
        request = end.open()
        try:
            while request is not None:
                request = end.receive(self._exchange(*request))
        except AuthenticationError as error:
            if error.reason == "refused" and "wait" in str(error):
                raise TriesExhausted(str(error)) from error
            raise WrongSecret(str(error.reason)) from error
        self._session = end

    def close(self) -> None:
        """Say bye, so that the device's console takes text again, hear it out, and free the port."""
        try:
            kind, payload = messages.encode("bye", {})
            self._send(kind, payload)
            self._receive(kind, min(self._timeout_s, BYE_TIMEOUT_S))
        except (LinkError, WireError):
            pass  # the device is gone already: nothing to say bye to
        finally:
            self._serial.close()

    def _listen(self, duration_s: float) -> bytes:
        """What the device says by itself, before anything is written."""
        heard = b""
        deadline_s = time.monotonic() + duration_s
        while time.monotonic() < deadline_s:
            heard = (heard + self._read(READ_SIZE))[-HEARD_SIZE:]
            if waits_for_download(heard) or foreign_speaker(heard):
                raise who_speaks(self.port, heard)
        return heard

    def _open_link(self, heard: bytes) -> None:
        self._drop_old_input()
        began_s = time.monotonic()
        asked = False
        while time.monotonic() - began_s < self._timeout_s:
            self._write(OPEN)
            heard = (heard + self._read_until_zero())[-HEARD_SIZE:]
            if heard.endswith(OPEN):
                return
            if at_prompt(heard) or foreign_speaker(heard) or waits_for_download(heard):
                break
            late = time.monotonic() - began_s > min(SILENT_S, self._timeout_s / 2)
            if late and not asked and not heard.strip():  # who talks needs no question
                self._write(ENTER)
                asked = True
        raise who_speaks(self.port, heard)

    def _read_until_zero(self) -> bytes:
        """What the device said up to its answer; log text may come before it."""
        heard = b""
        deadline_s = time.monotonic() + OPEN_AGAIN_S
        while time.monotonic() < deadline_s and not heard.endswith(OPEN):
            heard += self._read(1)
        return heard

    def _exchange(self, kind: int, payload: bytes) -> messages.Message:
        for _ in range(ASK_TRIES if self._session is None else 1):  # a sealed frame is never repeated
            self._send(kind, payload)
            reply = self._receive(kind, self._timeout_s)
            if reply is not None:
                return reply
        raise NoAnswer(self.port)

    def _send(self, kind: int, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        sealed = self._session is not None
        if self._session is not None:
            payload = self._session.seal(kind, payload, self._sequence)
        self._write(frame.encode(kind, payload, self._sequence, sealed))

    def _receive(self, kind: int, timeout_s: float) -> messages.Message | None:
        """The reply to the request under way, None when time is up."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            self._decoder.feed(self._read(READ_SIZE))
            while (answer := self._decoder.next()) is not frame.NEED_MORE:
                if not isinstance(answer, frame.Frame) or answer.sequence != self._sequence:
                    continue
                reply = self._decode(answer)
                one_for_all = reply.name == "update_state" and kind in UPDATE_REQUESTS
                if answer.kind == kind | REPLY or one_for_all or reply.values.get("request") == kind:
                    return reply
        return None

    def _decode(self, answer: frame.Frame) -> messages.Message:
        try:
            payload = self._session.unseal(answer) if self._session is not None else answer.payload
            return messages.decode(answer.kind, payload)
        except WireError as error:
            raise ForeignDevice(self.port) from error

    def _drop_old_input(self) -> None:
        """What an earlier program left unread is no answer to this one."""
        try:
            self._serial.reset_input_buffer()
        except (serial.SerialException, OSError) as error:
            raise PortGone(self.port) from error

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise NoAnswer(self.port) from error  # it is there, but takes nothing
        except (serial.SerialException, OSError) as error:
            raise PortGone(self.port) from error

    def _read(self, most: int) -> bytes:
        """What has arrived, at most so many bytes; waits a moment for the first one."""
        try:
            return self._serial.read(min(max(1, self._serial.in_waiting), most))
        except (serial.SerialException, OSError) as error:
            raise PortGone(self.port) from error


def open_port(port: str) -> serial.Serial:
    """The port, for this program alone. Raises PortBusy, PortForbidden, NotASerialPort, PortMissing.

    Not every program locks what it opens (`cat`, `screen`): one that is seen to hold the port is left alone, too.
    """
    holder = holder_of(port)
    if holder is not None:
        raise PortBusy(port, holder)
    try:
        return serial.Serial(
            port, BAUDRATE, timeout=READ_TIMEOUT_S, write_timeout=WRITE_TIMEOUT_S, exclusive=True
        )
    except (serial.SerialException, OSError) as error:
        if error.errno in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
            raise PortBusy(port, holder_of(port)) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise PortForbidden(port) from error
        raise (NotASerialPort if os.path.exists(port) else PortMissing)(port) from error
