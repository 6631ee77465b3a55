"""A collector as the far end of a connection without a socket: bytes in, replies out at once."""

from groundwire import frame

from groundnet.collector.intake.inbox import CAPACITY, Inbox


class InProcess:
    """One connection of a peer in the same process."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._decoder = frame.Decoder(CAPACITY, frame.REQUESTS)
        self._peer = inbox.connection("in process")

    def receive(self, data: bytes) -> bytes:
        """The replies to the requests that end in ``data``. Raises ConnectionAbortedError when the store fails."""
        return b"".join(self._inbox.receive(self._decoder, data, self._peer))

    def close(self) -> None:
        """Nothing is held."""
