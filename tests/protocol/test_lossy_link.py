"""A link that loses, doubles, reorders, garbles and joins: nothing false ever comes out of it."""

from groundwire import frame, keys, messages, session
from groundwire.errors import AuthenticationError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

KEY = keys.derive(bytes(range(32)), keys.SESSION)
DEVICE_ID = b"deviceid"


def open_session() -> tuple[session.Initiator, session.Responder]:
    initiator = session.Initiator(DEVICE_ID, KEY, bytes(16))
    responder = session.Responder(DEVICE_ID, KEY)
    prove = initiator.receive(
        messages.decode(*responder.receive(messages.decode(*initiator.open()), 0, b"r" * 16))
    )
    initiator.receive(messages.decode(*responder.receive(messages.decode(*prove), 0)))
    return initiator, responder


class LossyLink(RuleBasedStateMachine):
    """A host sends sealed frames; the device takes each at most once and in order, whatever the line does."""

    sent = Bundle("sent")

    @initialize()
    def connect(self):
        self.host, self.device = open_session()
        self.decoder = frame.Decoder(128, frame.REQUESTS)
        self.truth: list[tuple] = []  # frames as they were made
        self.taken: list[bytes] = []  # payloads that the device accepted
        self.pieces = 0  # runs of bytes between delimiters that the decoder has seen end
        self.open_run = False

    @rule(target=sent, payload=st.binary(max_size=40))
    def send(self, payload):
        sequence = len(self.truth) + 1
        payload = sequence.to_bytes(2, "big") + payload
        sealed = self.host.seal(0x19, payload, sequence)
        self.truth.append((0x19, sequence, sealed, True))
        return frame.encode(0x19, sealed, sequence, sealed=True)

    @rule(line=sent)
    def deliver(self, line):
        """Straight, again or late: the rules choose any line sent so far."""
        self._arrive(line)

    @rule(line=sent, at=st.integers(0, 10_000), mask=st.integers(1, 255))
    def garble(self, line, at, mask):
        at %= len(line)
        self._arrive(line[:at] + bytes((line[at] ^ mask,)) + line[at + 1 :])

    @rule(line=sent, first=st.integers(0, 10_000), last=st.integers(0, 10_000))
    def cut(self, line, first, last):
        self._arrive(line[first % len(line) : last % len(line)])

    @rule(noise=st.binary(max_size=200))
    def noise(self, noise):
        self._arrive(noise)

    def _arrive(self, data):
        for start in range(0, len(data), 7):
            self.decoder.feed(data[start : start + 7])
            while (answer := self.decoder.next()) is not frame.NEED_MORE:
                self.pieces += 1
                if isinstance(answer, frame.Frame):
                    assert tuple(answer) in self.truth, "a frame that nobody sent"
                    self._take(answer)

    def _take(self, answer):
        try:
            self.taken.append(self.device.unseal(answer))
        except AuthenticationError as error:
            assert error.reason == "replay"

    @invariant()
    def each_payload_is_taken_once_and_in_order(self):
        numbers = [int.from_bytes(payload[:2], "big") for payload in getattr(self, "taken", [])]
        assert numbers == sorted(set(numbers))

    @invariant()
    def everything_that_ended_is_a_frame_or_counted(self):
        if hasattr(self, "decoder"):
            assert self.decoder.frames + sum(self.decoder.drops.values()) == self.pieces

    def teardown(self):
        """Whatever the line did before: the next good frame is read and taken."""
        if hasattr(self, "decoder"):
            before = len(self.taken)
            self.send_last()
            assert len(self.taken) == before + 1

    def send_last(self):
        sequence = len(self.truth) + 1
        payload = sequence.to_bytes(2, "big") + b"last"
        sealed = self.host.seal(0x19, payload, sequence)
        self.truth.append((0x19, sequence, sealed, True))
        self._arrive(frame.encode(0x19, sealed, sequence, sealed=True))


TestLossyLink = LossyLink.TestCase
TestLossyLink.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
