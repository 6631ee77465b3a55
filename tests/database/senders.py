"""Stations and a tracker that keep sending whatever is killed, as the firmware does: what is not acknowledged again."""

import random
import socket
import threading
import time

from groundwire import frame, messages
from host.radio_senders import TagSender, fix_item, hello, sighting, sightings, signed_report

PATIENCE_S = 20.0
PAUSE_S = 0.02  # between two tries to connect
HEARD_MS = (
    time.time_ns() // 1_000_000 - 3_600_000
)  # an hour ago: the collector believes no station's older times


class Sender(threading.Thread):
    """Asks one request after the other until each has its answer; ``asked`` counts every try, also the lost ones."""

    def __init__(self, port: int, on_asked) -> None:
        super().__init__(daemon=True)
        self.acknowledged = 0
        self.error: Exception | None = None
        self._port, self._on_asked = port, on_asked
        self._line: socket.socket | None = None
        self._pause = threading.Event()

    def requests(self):
        """Each request, as bytes, and the name of the message that acknowledges it."""
        raise NotImplementedError

    def run(self) -> None:
        try:
            for data, answer in self.requests():
                while (reply := self._asked(data)) is None:
                    self._pause.wait(PAUSE_S)
                assert reply.name == answer, (reply.name, reply.values)
                self.acknowledged += 1
        except Exception as error:  # noqa: BLE001 - told by the test, which waits for the thread
            self.error = error

    def _asked(self, data: bytes):
        """The reply; None when the line broke before it came: then nobody knows whether it was stored."""
        try:
            if self._line is None:
                self._line = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
                self._decoder = frame.Decoder(5000, frame.REPLIES)
            self._line.sendall(data)
            self._on_asked()
            while (found := self._decoder.next()) is frame.NEED_MORE:
                if not (received := self._line.recv(4096)):
                    raise ConnectionResetError
                self._decoder.feed(received)
        except ConnectionError:
            if self._line is not None:
                self._line.close()
            self._line = None
            return None
        return messages.decode(found.kind, found.payload)


class Station(Sender):
    """Heard every beacon of a tag with these counters; sends them in batches of 1 to 4."""

    def __init__(self, port: int, on_asked, station_id: bytes, tag: TagSender, counters: range) -> None:
        super().__init__(port, on_asked)
        self.station_id, self._tag, self._counters = station_id, tag, counters
        self._sizes = random.Random(station_id)

    def requests(self):
        yield hello(self.station_id), "orders"
        at = 0
        while at < len(self._counters):
            batch = self._counters[at : at + self._sizes.randrange(1, 5)]
            heard = [sighting(self._tag.beacon(counter), HEARD_MS + counter) for counter in batch]
            yield sightings(heard, at, self.station_id), "sightings_ack"
            at += len(batch)


class Tracker(Sender):
    """Reports a fix at a time."""

    def __init__(self, port: int, on_asked, device_id: bytes, secret: bytes, count: int) -> None:
        super().__init__(port, on_asked)
        self._device_id, self._secret, self._count = device_id, secret, count

    def requests(self):
        for number in range(self._count):
            fix = fix_item(HEARD_MS + number, 45 + number / 1000, 13)
            yield signed_report(self._device_id, self._secret, number, [fix]), "report_ack"
