"""SX1262: reception that can be asked whether a frame has begun (DS_SX1261-2_V2.1 13.3.1, table 13-29).

A receiver that changes its channel should first let the frame that is coming in come in.
"""

from micropython import const

_SET_RX = const(0x82)  # 13.1.5: 0xFFFFFF = continuous
_SET_DIO_IRQ = const(0x08)  # 13.3.1: irq[2], dio1[2], dio2[2], dio3[2]
_GET_IRQ = const(0x12)  # 13.3.3
_CLEAR_IRQ = const(0x02)  # 13.3.4
_RX_DONE = const(0x0002)
_PREAMBLE = const(0x0004)  # GFSK: noise looks like one now and then, a sync word does not
_SYNC_WORD = const(0x0008)  # GFSK
_HEADER = const(0x0010)  # LoRa
_HEADER_ERROR = const(0x0020)
_CRC_ERROR = const(0x0040)


def receive(chip) -> None:
    """As ``chip.receive()`` for ever; what begins is noted, without a word on DIO1."""
    chip.prepare_reception()
    news = _RX_DONE | _HEADER_ERROR | _CRC_ERROR
    noted = news | _begun(chip)
    chip.command(_SET_DIO_IRQ, noted >> 8, noted & 0xFF, news >> 8, news & 0xFF, 0, 0, 0, 0)
    chip.command(_SET_RX, 0xFF, 0xFF, 0xFF)


def frame_begun(chip) -> bool:
    """Whether a frame has begun, or was received, since ``receive`` or the last call."""
    chip.ask(_GET_IRQ, 2)
    irq = chip.answer[2] << 8 | chip.answer[3]
    begun = _begun(chip)
    if irq & begun:
        chip.command(_CLEAR_IRQ, begun >> 8, begun & 0xFF)
    return bool(irq & (begun | _RX_DONE))


def _begun(chip) -> int:
    return _PREAMBLE | _HEADER if chip.spreading_factor else _SYNC_WORD
