"""Sessions: both ends prove themselves, wrong secrets are refused, counted and slowed down, seals hold."""

import pytest
from groundwire import frame, keys, messages, session
from groundwire.errors import AuthenticationError, EncodeError

KEY = keys.derive(bytes(range(32)), keys.SESSION)
OTHER = keys.derive(bytes(32), keys.SESSION)
DEVICE_ID = b"deviceid"


def nonce(number: int) -> bytes:
    return bytes((number,)) * session.NONCE_SIZE


def message(pair: tuple) -> messages.Message:
    return messages.decode(*pair)


def opened() -> tuple[session.Initiator, session.Responder]:
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    responder = session.Responder(DEVICE_ID, KEY)
    prove = initiator.receive(message(responder.receive(message(initiator.open()), 0, nonce(2))))
    assert initiator.receive(message(responder.receive(message(prove), 0))) is None
    return initiator, responder


def sealed(
    end: session.Initiator | session.Responder, kind: int, payload: bytes, sequence: int
) -> frame.Frame:
    return frame.Frame(kind, sequence, end.seal(kind, payload, sequence), True)


def test_both_ends_become_ready():
    initiator, responder = opened()
    assert initiator.ready()
    assert responder.ready()


def test_sealed_frames_go_both_ways():
    initiator, responder = opened()
    for sequence in range(3):
        assert responder.unseal(sealed(initiator, 0x19, b"write", sequence)) == b"write"
        assert initiator.unseal(sealed(responder, 0xFE, b"", sequence)) == b""


def test_another_process_of_the_responder_goes_on_and_takes_nothing_twice():
    initiator, first = opened()
    old = sealed(initiator, 0x31, b"one", 1)
    first.unseal(old)
    assert initiator.unseal(sealed(first, 0xB1, b"", 1)) == b"" and first.seen() == 1
    second = session.Responder(DEVICE_ID, KEY)
    assert second.seen() == 0
    second.resume(nonce(1), nonce(2), 1)
    with pytest.raises(AuthenticationError, match="replay"):
        second.unseal(old)
    assert second.unseal(sealed(initiator, 0x31, b"two", 2)) == b"two" and second.seen() == 2
    assert initiator.unseal(sealed(second, 0xB1, b"ack", 2)) == b"ack"


def test_a_seal_holds_kind_sequence_payload_and_direction():
    initiator, responder = opened()
    good = sealed(initiator, 0x19, b"write", 7)
    spoiled = [
        good._replace(kind=0x1B),
        good._replace(sequence=8),
        good._replace(payload=b"W" + good.payload[1:]),
        good._replace(payload=good.payload[:-1] + b"\x00"),
    ]
    for wrong in spoiled:
        with pytest.raises(AuthenticationError, match="mac"):
            responder.unseal(wrong)
    with pytest.raises(AuthenticationError, match="mac"):  # reflected to its sender
        initiator.unseal(good)
    assert responder.unseal(good) == b"write"


def test_a_sealed_frame_works_once_and_in_order():
    initiator, responder = opened()
    first, second = sealed(initiator, 0x19, b"1", 1), sealed(initiator, 0x19, b"2", 2)
    assert responder.unseal(second) == b"2"
    for late in (second, first):
        with pytest.raises(AuthenticationError, match="replay"):
            responder.unseal(late)


def test_frames_of_one_session_are_nothing_to_the_next():
    initiator, responder = opened()
    old = sealed(initiator, 0x19, b"write", 1)
    again = session.Initiator(DEVICE_ID, KEY, nonce(1))
    prove = again.receive(message(responder.receive(message(again.open()), 0, nonce(3))))
    again.receive(message(responder.receive(message(prove), 0)))
    with pytest.raises(AuthenticationError, match="mac"):
        responder.unseal(old)


def test_unsealed_and_sessionless_frames_are_refused():
    initiator, responder = opened()
    for wrong in (frame.Frame(0x19, 1, b"", False), frame.Frame(0x19, 1, bytes(11), True)):
        with pytest.raises(AuthenticationError, match="unsealed"):
            responder.unseal(wrong)
    kept = sealed(initiator, 0x19, b"", 1)
    responder.close()
    with pytest.raises(AuthenticationError, match="state"):
        responder.unseal(kept)
    with pytest.raises(EncodeError, match="state"):
        responder.seal(0xFE, b"", 1)


def test_the_initiator_notices_a_responder_without_the_secret():
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    impostor = session.Responder(DEVICE_ID, OTHER)
    with pytest.raises(AuthenticationError, match="proof"):
        initiator.receive(message(impostor.receive(message(initiator.open()), 0, nonce(2))))
    assert initiator.state == session.FAILED


def guess(responder: session.Responder, now_ms: int, number: int) -> dict:
    """A host without the secret plays on regardless; values of the last reply."""
    opening = session.Initiator(DEVICE_ID, OTHER, nonce(number)).open()
    reply = message(responder.receive(message(opening), now_ms, nonce(number + 1)))
    if reply.name == "session_challenge":
        prove = messages.encode("session_prove", {"initiator_proof": bytes(16)})
        reply = message(responder.receive(message(prove), now_ms))
    return reply.values


def test_wrong_secrets_are_refused_counted_and_slowed_down():
    responder = session.Responder(DEVICE_ID, KEY)
    now_ms, waits = 0, []
    for number in range(13):
        refusal = guess(responder, now_ms, number)
        assert (refusal["code"], refusal["detail"]) == ("refused", "wrong secret")
        assert responder.tries.failures == min(number + 1, session.FAILURES_MAX)
        waits.append(refusal["retry_after_ms"])
        early = guess(responder, now_ms + waits[-1] - 1, number)
        assert (early["request"], early["retry_after_ms"]) == (0x02, 1)
        assert responder.tries.failures == min(number + 1, session.FAILURES_MAX)
        now_ms += waits[-1]
    assert waits == [1000 << doubled for doubled in range(10)] + [900_000] * 3
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    with pytest.raises(AuthenticationError, match="wait 1 ms"):
        initiator.receive(message(responder.receive(message(initiator.open()), now_ms - 1, nonce(2))))
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    prove = initiator.receive(message(responder.receive(message(initiator.open()), now_ms, nonce(2))))
    assert message(responder.receive(message(prove), now_ms)).name == "session_ready"
    assert responder.tries.failures == 0


def test_a_restart_and_another_link_shorten_no_wait():
    tries = session.Tries()
    for number in range(3):
        guess(session.Responder(DEVICE_ID, KEY, tries), 10_000 * number, number)
    another = session.Responder(DEVICE_ID, KEY, tries)
    assert guess(another, 20_001, 9)["retry_after_ms"] == 3999
    restarted = session.Responder(DEVICE_ID, KEY, session.Tries(tries.failures, 500))
    assert guess(restarted, 501, 9)["retry_after_ms"] == 3999
    assert guess(restarted, 4500, 9)["detail"] == "wrong secret"


def test_another_device_is_refused_without_a_count():
    responder = session.Responder(DEVICE_ID, KEY)
    initiator = session.Initiator(b"another!", KEY, nonce(1))
    with pytest.raises(AuthenticationError, match="refused: refused"):
        initiator.receive(message(responder.receive(message(initiator.open()), 0, nonce(2))))
    assert responder.tries.failures == 0


def test_a_recorded_opening_is_worth_nothing():
    """The proof answers the responder's own fresh nonce."""
    responder = session.Responder(DEVICE_ID, KEY)
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    opening = initiator.open()
    prove = initiator.receive(message(responder.receive(message(opening), 0, nonce(2))))
    responder.receive(message(opening), 0, nonce(3))
    assert message(responder.receive(message(prove), 0)).values["code"] == "refused"


def test_the_responders_own_proof_cannot_be_reflected():
    responder = session.Responder(DEVICE_ID, KEY)
    reflector = session.Initiator(DEVICE_ID, OTHER, nonce(2))
    challenge = message(responder.receive(message(reflector.open()), 0, nonce(2))).values
    prove = messages.encode("session_prove", {"initiator_proof": challenge["responder_proof"]})
    assert message(responder.receive(message(prove), 0)).values["code"] == "refused"


def test_messages_out_of_order():
    responder = session.Responder(DEVICE_ID, KEY)
    prove = messages.encode("session_prove", {"initiator_proof": bytes(16)})
    for stray in (prove, messages.encode("bye", {})):
        assert message(responder.receive(message(stray), 0)).values["code"] == "wrong_state"
    assert responder.tries.failures == 0
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    with pytest.raises(AuthenticationError, match="state"):
        initiator.receive(message(messages.encode("session_ready", {})))


def test_nonces_have_16_bytes():
    with pytest.raises(EncodeError, match="size"):
        session.Initiator(DEVICE_ID, KEY, bytes(15))
    opening = session.Initiator(DEVICE_ID, KEY, nonce(1)).open()
    with pytest.raises(EncodeError, match="size"):
        session.Responder(DEVICE_ID, KEY).receive(message(opening), 0, b"")


def test_a_session_ends_before_its_counter_repeats():
    initiator, _ = opened()
    initiator._sealing._sent = 0xFFFFFFFF
    with pytest.raises(EncodeError, match="used up"):
        initiator.seal(0x19, b"", 1)


def test_the_tables_are_what_happens():
    """Every state that a session reaches here is reached by a row of the printed tables."""
    for table, ready in ((session.INITIATOR, session.READY), (session.RESPONDER, session.READY)):
        targets = {target for _, target in table.values()}
        sources = {source for source, _ in table}
        assert ready in targets
        assert sources - targets <= {session.IDLE}
    moves = []
    responder = session.Responder(DEVICE_ID, KEY)

    def step(event, pair=None):
        before = responder.state
        if pair is None:
            responder.close()
        else:
            responder.receive(message(pair), 0, nonce(9))
        moves.append(((before, event), responder.state))

    opening = session.Initiator(DEVICE_ID, KEY, nonce(1)).open()
    wrong = messages.encode("session_prove", {"initiator_proof": bytes(16)})
    step("session_open", opening)
    step("session_open", opening)
    step("close")
    step("session_open", opening)
    initiator = session.Initiator(DEVICE_ID, KEY, nonce(1))
    initiator.open()
    challenge = {
        "responder_nonce": nonce(9),
        "responder_proof": session._proof(KEY, b"responder", nonce(1), nonce(9)),
    }
    step("session_prove", initiator.receive(message(messages.encode("session_challenge", challenge))))
    step("session_open", opening)
    step("refused", wrong)
    responder = session.Responder(DEVICE_ID, KEY)
    responder.state = session.READY
    step("close")
    assert {(key, target) for key, (_, target) in session.RESPONDER.items()} == set(moves)
