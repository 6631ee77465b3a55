"""The modem between driver and core: network, cells, SMS and the connection to the collector."""

from apps.run_loop import Part
from drivers import air780e
from drivers.sms_pdu import SmsError
from groundcore import events

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
    errors = (air780e.Air780eError, SmsError, OSError)

    def __init__(self, loop, hardware):
        entry = hardware.part("modem")
        uart = hardware.uart(entry["uart"])
        self._modem = air780e.Air780e(uart, hardware.open_drain(entry["power_key"]))
        self._loop = loop
        self._buffer = bytearray(512)
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
        if kind == air780e.READY:
            post(events.MODEM_READY)
        elif kind == air780e.LOST:
            post(events.MODEM_LOST)
        elif kind == air780e.CONNECTED:
            post(events.NET_UP)
        elif kind == air780e.CLOSED:
            post(events.NET_DOWN)
        elif kind == air780e.CELLS:
            post(events.CELLS, value)
        elif kind in (air780e.SMS_SENT, air780e.SMS_FAILED):
            post(events.SMS_DONE, kind == air780e.SMS_SENT)
        elif kind == air780e.FAULT:
            self._loop.log(2, "modem", "no answer to " + value.decode())
