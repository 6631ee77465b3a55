"""What a chip answers by its data sheet, asked of the model here and of the chip with `--bench RIG.toml`.

The questions go to the bus itself, past our drivers: a driver that shares a mistake with the model would agree with it.
On a rig the board runs MicroPython with the firmware's modules (`groundnet deploy`) and no application.
"""

import ast

import pytest
from groundnet.bench.interface import Bench

ACCELEROMETER = """
import time
from machine import I2C, Pin
from board import BOARD
entry = BOARD["parts"]["accelerometer"]
wires = BOARD["i2c"][entry["i2c"]]
i2c = I2C(entry["i2c"], sda=Pin(wires["sda"]), scl=Pin(wires["scl"]), freq=wires["freq_hz"])
def read(register, count=1):
    return i2c.readfrom_mem(entry["address"], register, count)
def write(register, value):
    i2c.writeto_mem(entry["address"], register, bytes((value,)))
write(0x21, 0x40)  # soft reset, 8.4
time.sleep_ms(10)
"""
RADIO = """
import time
from machine import SPI, Pin
from board import BOARD
entry = BOARD["parts"]["radio"]
wires = BOARD["spi"][entry["spi"]]
spi = SPI(entry["spi"], baudrate=1000000, sck=Pin(wires["sck"]), mosi=Pin(wires["mosi"]), miso=Pin(wires["miso"]))
cs = Pin(entry["cs"], Pin.OUT, value=1)
busy = Pin(entry["busy"], Pin.IN)
reset = Pin(entry["reset"], Pin.OUT, value=1)
def wait_us(limit_ms=50):
    began = time.ticks_us()
    while busy():
        if time.ticks_diff(time.ticks_us(), began) > 1000 * limit_ms:
            return -1
    return time.ticks_diff(time.ticks_us(), began)
def ask(*data):
    into = bytearray(len(data))
    cs(0)
    spi.write_readinto(bytes(data), into)
    cs(1)
    return into
reset(0)
time.sleep_ms(1)
reset(1)
time.sleep_us(200)
woke_us = wait_us()
"""


@pytest.fixture
def bare(bench: Bench):
    """Runs a question at the prompt of a bare board; its last line is a literal."""
    device = bench.device("tag", bare=True)
    bench.run(1)

    def ask(setup: str, question: str) -> object:
        return ast.literal_eval(device.execute(setup + question).strip().splitlines()[-1])

    return ask


def test_lis2dw12_says_who_it_is(bare):
    assert bare(ACCELEROMETER, "print(read(0x0F)[0])") == 0x44  # 8.1 WHO_AM_I


def test_lis2dw12_has_its_reset_values(bare):
    values = bare(
        ACCELEROMETER, "print([read(r)[0] for r in (0x20, 0x21, 0x22, 0x23, 0x25, 0x2E, 0x34, 0x35)])"
    )
    assert values == [0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]  # table 25


@pytest.mark.parametrize(("code", "rate_hz"), [(0x2, 12.5), (0x3, 25), (0x5, 100)])
def test_lis2dw12_fills_its_fifo_at_the_rate_it_was_told(bare, code, rate_hz):
    """Within 10 %: the sheet gives no tolerance of the internal clock, parts are a few percent off."""
    wait_ms = round(20 / rate_hz * 1000)
    question = (
        f"write(0x2E, 0xC0); write(0x20, {code << 4}); time.sleep_ms({wait_ms})\nprint(read(0x2F)[0] & 0x3F)"
    )
    assert bare(ACCELEROMETER, question) == pytest.approx(20, abs=2)


def test_lis2dw12_at_rest_feels_one_g(bare):
    question = "write(0x20, 0x50); time.sleep_ms(200); print(list(read(0x28, 6)))"
    raw = bare(ACCELEROMETER, question)
    words = [(raw[i] | raw[i + 1] << 8) - (raw[i + 1] >> 7 << 16) for i in (0, 2, 4)]
    assert sum((word / 16384) ** 2 for word in words) ** 0.5 == pytest.approx(1.0, abs=0.1)  # 2 g on 16 bits


def test_lis2dw12_offset_of_the_self_test_is_in_its_range(bare):
    question = (
        "write(0x20, 0x44); write(0x25, 0x00); time.sleep_ms(200); a = list(read(0x28, 6))\n"
        "write(0x22, 0x40); time.sleep_ms(200); print((a, list(read(0x28, 6))))"
    )
    before, after = bare(ACCELEROMETER, question)
    for i in (0, 2, 4):
        was, now = ((raw[i] | raw[i + 1] << 8) - (raw[i + 1] >> 7 << 16) for raw in (before, after))
        assert 70 <= abs(now - was) * 2000 / 32768 <= 1500  # table 3, ST


def test_sx1262_is_ready_in_time_after_a_reset(bare):
    assert 0 <= bare(RADIO, "print(woke_us)") <= 10_000  # 8.3.1: BUSY falls when it may be talked to


def test_sx1262_begins_in_standby_on_its_rc_clock(bare):
    status = bare(RADIO, "print(ask(0xC0, 0)[1])")
    assert status >> 4 & 7 == 2  # 13.5.1: STBY_RC


def test_sx1262_has_its_default_sync_word(bare):
    answer = bare(RADIO, "print(list(ask(0x1D, 0x07, 0x40, 0, 0, 0)))")
    assert answer[4:] == [0x14, 0x24]  # table 12-1, LoRa sync word


def test_sx1262_keeps_what_is_written_to_its_buffer(bare):
    question = "ask(0x0E, 0, 1, 2, 3, 4); wait_us(); print(list(ask(0x1E, 0, 0, 0, 0, 0, 0)))"
    assert bare(RADIO, question)[3:] == [1, 2, 3, 4]  # 13.2.3, 13.2.4


def test_sx1262_sleeps_with_busy_high_and_wakes_on_its_select(bare):
    question = (
        "ask(0x84, 0x04); time.sleep_ms(2); asleep = busy(); cs(0); time.sleep_us(20); cs(1)\n"
        "print((asleep, wait_us(), ask(0xC0, 0)[1] >> 4 & 7))"
    )
    asleep, woke_us, mode = bare(RADIO, question)
    assert asleep == 1 and 0 <= woke_us <= 5_000 and mode == 2  # 8.3.2 table 8-2


def test_sx1262_gives_up_a_reception_when_its_time_is_up(bare):
    question = (
        "ask(0x97, 6, 0, 1, 64) if entry['tcxo_mv'] else None; wait_us(); ask(0x89, 0x7F); wait_us()\n"
        "ask(0x8A, 1); wait_us(); ask(0x8B, 7, 4, 1, 0); wait_us(); ask(0x8C, 0, 8, 0, 8, 1, 0); wait_us()\n"
        "ask(0x86, 0x36, 0x41, 0x00, 0x00); wait_us(); ask(0x08, 2, 0, 2, 0, 0, 0, 0, 0); wait_us()\n"
        "ask(0x82, 0, 6, 64); wait_us(); time.sleep_ms(60); print(list(ask(0x12, 0, 0, 0)))"
    )
    answer = bare(RADIO, question)
    assert answer[2] << 8 | answer[3] == 0x0200  # 13.1.5: 1600 steps of 15.625 us, then Timeout (bit 9)
