"""Control packets of MQTT 3.1.1 (OASIS standard mqtt-v3.1.1-os): the fields that every packet is made of."""

import struct

from groundwire.constant import const

_CONNECT = const(0x10)
_PROTOCOL = b"\x00\x04MQTT\x04"  # 3.1.2.1, 3.1.2.2: name and level of 3.1.1
_CLEAN_SESSION = const(0x02)
_WILL_QOS_1 = const(0x0C)  # will flag and QoS 1
_WILL_RETAIN = const(0x20)
_PASSWORD = const(0x40)
_USER_NAME = const(0x80)
_LENGTH_MAX = 268_435_455  # 2.2.3: four bytes of seven bits


class MqttError(Exception):
    """The request does not fit the state or the limits of the client."""


def connect(client_id: str, keepalive_s: int, will, user, password, clean: bool) -> bytes:
    """CONNECT (3.1): variable header, then client id, will, user name and password."""
    flags = _CLEAN_SESSION if clean else 0
    payload = text(client_id)
    if will is not None:
        topic, message, retain = will
        flags |= _WILL_QOS_1 | (_WILL_RETAIN if retain else 0)
        payload += text(topic) + text(message)
    if user is not None:
        flags |= _USER_NAME
        payload += text(user)
        if password is not None:
            flags |= _PASSWORD
            payload += text(password)
    return packet(_CONNECT, _PROTOCOL + struct.pack(">BH", flags, keepalive_s) + payload)


def text(value) -> bytes:
    """Two bytes of length, then UTF-8 (1.5.3); bytes stay as they are."""
    data = value if isinstance(value, bytes) else value.encode()
    if len(data) > 0xFFFF:
        raise MqttError("text is too long")
    return struct.pack(">H", len(data)) + data


def packet(kind: int, body: bytes) -> bytes:
    """Fixed header (2.2) and body."""
    length = len(body)
    if length > _LENGTH_MAX:
        raise MqttError("packet is too long")
    header = bytearray((kind,))
    while length > 0x7F:
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header) + body


def split(data) -> tuple | None:
    """(start, end) of the body of the first packet; end is -1 for a length of five bytes; None: not yet known."""
    length = 0
    for index in range(1, 5):
        if index >= len(data):
            return None
        length |= (data[index] & 0x7F) << 7 * (index - 1)
        if not data[index] & 0x80:
            return index + 1, index + 1 + length
    return 5, -1
