"""The modem between driver and core: network, cells, SMS and the connection to the collector."""

from apps.run_loop import Part
from drivers import at_modem
from drivers.sms_pdu import SmsError
from groundcore import events

_NO_NETWORK = str(at_modem.NO_NETWORK, "ascii")
# What the core hears at once when the modem cannot take a request.
_REFUSALS = {
    events.REQUEST_CELLS: (events.CELLS, ()),
    events.SEND_SMS: (events.SMS_DONE, False),
    events.NET_OPEN: (events.NET_DOWN,),
    events.NET_SEND: (events.NET_DOWN,),
}


class Modem(Part):
    """Carries out MODEM_ON/OFF, REQUEST_CELLS, SEND_SMS, NET_OPEN, NET_SEND and NET_CLOSE."""

    actions = (
        (events.MODEM_ON, "start"),
        (events.MODEM_OFF, "stop"),
        (events.REQUEST_CELLS, "request_cells"),
        (events.SEND_SMS, "send_sms"),
        (events.NET_OPEN, "open"),
        (events.NET_SEND, "send"),
        (events.NET_CLOSE, "close"),
    )
    errors = (at_modem.AtModemError, SmsError, OSError)

    def __init__(self, loop, hardware):
        entry = hardware.part("modem")
        uart = hardware.uart(entry["uart"])
        self._modem = at_modem.AtModem(uart, hardware.open_drain(entry["power_key"]), entry["part"].encode())
        self._loop = loop
        self._buffer = bytearray(512)
        self._complaint = ""
        self.start = self._modem.start
        self.stop = self._modem.stop
        self.request_cells = self._modem.request_cells
        self.send_sms = self._modem.send_sms
        self.open = self._modem.connect
        self.send = self._modem.send
        loop.watch(uart)

    def close(self) -> None:
        if self._modem.connected:
            self._modem.close()

    def poll(self) -> None:
        while True:
            event = self._modem.poll()
            if event is None:
                break
            self._tell(*event)
        while True:
            count = self._modem.read_into(self._buffer)
            if not count:
                return
            self._loop.post(events.NET_BYTES, bytes(self._buffer[:count]))

    def due_ms(self) -> int | None:
        return self._modem.due_ms()

    def busy(self) -> bool:
        return not self._modem.idle or self._modem.connected

    def failed(self, action: int) -> None:
        refusal = _REFUSALS.get(action)
        if refusal is not None:
            self._loop.post(*refusal)

    def test(self) -> tuple:
        return self._modem.ready, int(self._modem.ready), "registered" if self._modem.ready else "no network"

    def _tell(self, kind: int, value) -> None:
        post = self._loop.post
        if kind == at_modem.READY:
            self._complain("")
            post(events.MODEM_READY)
        elif kind == at_modem.LOST:
            post(events.MODEM_LOST)
        elif kind == at_modem.CONNECTED:
            post(events.NET_UP)
        elif kind == at_modem.CLOSED:
            post(events.NET_DOWN)
        elif kind == at_modem.CELLS:
            post(events.CELLS, value)
        elif kind in (at_modem.SMS_SENT, at_modem.SMS_FAILED):
            post(events.SMS_DONE, kind == at_modem.SMS_SENT)
        elif kind == at_modem.TIME:
            post(events.NETWORK_TIME, value)
        elif kind == at_modem.SMS_RECEIVED:
            self._loop.log(1, "modem", "text from " + value[0])  # orders come signed, never by text
        elif kind == at_modem.FAULT:
            self._complain(str(value, "ascii"))

    def _complain(self, text: str) -> None:
        """Log every fault; the core hears of the first one, and of the end. A dead zone is no fault."""
        if text:
            self._loop.log(2, "modem", text)
        if bool(text) != bool(self._complaint) and text != _NO_NETWORK:
            self._complaint = text
            self._loop.post(events.FAULT, "modem", text)
