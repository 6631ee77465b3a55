"""The chip's modules on the board against simple chips in the world."""

import pytest
from groundnet.sim.network import Network
from groundnet.sim.world import US_PER_S, World
from sim.boards import board, printed, run


class Registers:
    """An I2C and SPI chip with 16 registers: the first byte written is the register."""

    def __init__(self):
        self.values = bytearray(range(16))
        self.pointer = 0
        self.selected = []

    def i2c_write(self, data):
        self.pointer = data[0]
        for value in data[1:]:
            self.values[self.pointer] = value
            self.pointer += 1

    def i2c_read(self, count):
        return bytes(self.values[self.pointer : self.pointer + count])

    def select(self):
        self.selected.append(True)

    def deselect(self):
        self.selected.append(False)

    def spi_transfer(self, data):
        return bytes(value ^ 0xFF for value in data)


class Echo:
    """A UART chip that sends everything back in upper case after 10 ms."""

    def __init__(self, world, uart):
        self.world, self.uart = world, uart
        self.heard = []

    def receive(self, data):
        self.heard.append((self.world.now_us, data))
        self.world.after(10_000, lambda: self.uart.send(data.upper()))


def test_pins_drive_read_and_pull():
    source = """
from machine import Pin
led = Pin(5, Pin.OUT, value=1)
key = Pin(6, Pin.IN, Pin.PULL_UP)
print(led(), key(), Pin(7, Pin.IN)(), Pin(5) is led, Pin(led) is led, led)
led.off()
drain = Pin(8, Pin.OPEN_DRAIN, value=1)
print(led.value(), drain.value())
"""
    with board(source) as device:
        changes = []
        device.io.line(5).listen(changes.append)
        assert run(device) == ["1 1 0 True True Pin(5)", "0 1"]
        assert changes == [1, 0]


def test_reset_lets_go_of_outputs():
    source = (
        "import machine, time\nmachine.Pin(5, machine.Pin.OUT, value=0)\ntime.sleep(1)\nmachine.deepsleep()"
    )
    with board(source) as device:
        line = device.io.line(5)
        line.level = 1  # pulled up on the board
        run(device, 0.5)
        assert line.level == 0
        device.world.run_for(US_PER_S)
        assert line.level == 1


def test_pin_interrupt_ends_a_sleep_and_its_handler_runs_once_per_edge():
    source = """
import time
from machine import Pin
seen = []
pin = Pin(3, Pin.IN)
pin.irq(lambda p: seen.append((p is pin, time.ticks_ms())), Pin.IRQ_RISING)
began = time.ticks_ms()
time.sleep_ms(1000)
print(seen, time.ticks_ms() - began)
"""
    with board(source) as device:
        line = device.io.line(3)
        for at_ms, level in ((300, 1), (400, 0), (500, 1)):
            device.world.at(at_ms * 1000, lambda level=level: line.drive(level))
        assert run(device, 2) == ["[(True, 300), (True, 500)] 1000"]


def test_light_sleep_ends_at_time_or_at_a_wake_pin():
    source = """
import machine, esp32, time
pin = machine.Pin(3, machine.Pin.IN)
esp32.wake_on_gpio([pin], esp32.WAKEUP_ANY_HIGH)
kept = [1]
for _ in range(2):
    began = time.ticks_ms()
    machine.lightsleep(5000)
    print(time.ticks_ms() - began, machine.wake_reason(), kept)
    while pin():
        time.sleep_ms(1)
"""
    with board(source) as device:
        line = device.io.line(3)
        device.world.at(2_000_000, lambda: line.drive(1))
        device.world.at(2_500_000, lambda: line.drive(0))
        assert run(device, 10) == ["1952 7 [1]", "5001 4 [1]"]


def test_i2c_registers_scan_and_missing_chip():
    source = """
from machine import I2C, Pin
bus = I2C(0, sda=Pin(6), scl=Pin(7), freq=100_000)
print(bus.scan(), bus.readfrom_mem(25, 3, 4))
bus.writeto_mem(25, 2, b'\\xaa\\xbb')
buffer = bytearray(3)
bus.readfrom_mem_into(25, 1, buffer)
print(buffer, bus.writeto(25, b'\\x05'), bus.readfrom(25, 1))
try:
    bus.readfrom(26, 1)
except OSError as error:
    print(error.errno)
"""
    with board(source) as device:
        device.io.i2c(0).attach(25, Registers())
        assert run(device) == [
            "[25] b'\\x03\\x04\\x05\\x06'",
            "bytearray(b'\\x01\\xaa\\xbb') 1 b'\\x05'",
            "19",
        ]


def test_spi_transfers_under_chip_select_take_bus_time():
    source = """
import time
from machine import SPI, Pin
bus = SPI(1, baudrate=1_000_000, sck=Pin(8), mosi=Pin(10), miso=Pin(9))
select = Pin(2, Pin.OUT, value=1)
select(0)
buffer = bytearray(b'\\x0f\\xf0')
bus.write_readinto(buffer, buffer)
print(buffer, bus.read(2, 0x55))
began = time.ticks_us()
bus.write(bytes(1000))
print((time.ticks_us() - began) // 100)
select(1)
print(bus.read(1))
"""
    with board(source) as device:
        chip = Registers()
        device.io.line(2).level = 1
        device.io.spi(1).attach(device.io.line(2), chip)
        assert run(device) == ["bytearray(b'\\xf0\\x0f') b'\\xaa\\xaa'", "80", "b'\\x00'"]
        assert chip.selected == [True, False]


def test_uart_carries_bytes_at_the_pace_of_its_baud_rate():
    source = """
import time, select
from machine import UART
port = UART(1, baudrate=9600, tx=4, rx=5)
print(port.any(), port.read())
port.write(b'hello\\nworld')
poller = select.poll()
poller.register(port, select.POLLIN)
print(poller.poll(5), poller.poll(1000) == [(port, select.POLLIN)], time.ticks_ms())
print(port.any(), port.readline(), port.read(2), port.read(), port.read(1))
"""
    with board(source) as device:
        uart = device.io.uart(1)
        uart.attach(echo := Echo(device.world, uart))
        lines = run(device)
        assert lines[0] == "0 None"
        assert lines[2] == "11 b'HELLO\\n' b'WO' b'RLD' None"
        assert echo.heard[0][1] == b"hello\nworld"
        # 11 characters of 10 bits at 9600 baud, then the chip's own 10 ms.
        sent_ms = 11 * 10 * 1000 / 9600
        assert lines[1] == f"[] True {49 + round(sent_ms + 10)}"


def test_uart_is_deaf_in_light_sleep_but_keeps_what_it_heard_before():
    source = """
import machine, time
port = machine.UART(1, 115200)
time.sleep_ms(100)
machine.lightsleep(500)
time.sleep_ms(500)
print(port.read())
"""
    with board(source) as device:
        uart = device.io.uart(1)
        for at_ms, word in ((100, b"one "), (300, b"two "), (900, b"three")):
            device.world.at(at_ms * 1000, lambda word=word: uart.send(word))
        assert run(device, 2) == ["b'one three'"]
        assert uart.unheard_bytes == 4


def test_uart_read_waits_for_its_timeout():
    source = """
import time
from machine import UART
port = UART(1, 115200, timeout=200)
began = time.ticks_ms()
print(port.read(3), time.ticks_ms() - began >= 200)
port.write(b'abc')
print(port.read(3))
"""
    with board(source) as device:
        uart = device.io.uart(1)
        uart.attach(Echo(device.world, uart))
        assert run(device) == ["None True", "b'ABC'"]


def test_adc_reads_the_calibrated_voltage():
    source = """
from machine import ADC, Pin
adc = ADC(Pin(4), atten=ADC.ATTN_11DB)
print(adc.read_uv() // 1000, adc.read(), adc.read_u16() >> 4)
"""
    with board(source) as device:
        device.io.adc(4).source = lambda: 1.25
        assert run(device) == ["1249 2047 2047"]


def test_timers_fire_once_or_again_and_again():
    source = """
import time
from machine import Timer
ticks, shots = [], []
periodic = Timer(0)
periodic.init(mode=Timer.PERIODIC, period=100, callback=lambda t: ticks.append(t is periodic))
Timer(1, mode=Timer.ONE_SHOT, period=250, callback=lambda t: shots.append(1))
time.sleep_ms(1005)
periodic.deinit()
time.sleep_ms(500)
print(len(ticks), all(ticks), shots)
"""
    with board(source) as device:
        assert run(device, 3) == ["10 True [1]"]


def test_clock_starts_in_2000_and_runs_through_resets_once_set():
    source = """
import machine, time
rtc = machine.RTC()
if machine.reset_cause() == machine.PWRON_RESET:
    print(rtc.datetime()[:7], time.gmtime(0)[0])
    rtc.datetime((2026, 11, 23, 0, 8, 30, 0, 0))
    time.sleep(3)
    machine.reset()
print(rtc.datetime()[:7], time.time() == time.mktime(time.gmtime()), time.time_ns() // 1_000_000_000 - time.time())
"""
    with board(source) as device:
        assert run(device, 5) == [
            "(2000, 1, 1, 5, 0, 0, 0) 2000",
            "(2026, 11, 23, 0, 8, 30, 3) True 0",
        ]


def test_ticks_follow_virtual_time_and_busy_loops_end():
    source = """
import time
began_ms, began_us = time.ticks_ms(), time.ticks_us()
while time.ticks_diff(time.ticks_ms(), began_ms) < 50:
    pass
print(time.ticks_diff(time.ticks_us(), began_us) // 1000)
time.sleep(0.25)
time.sleep_us(700)
print(time.ticks_diff(time.ticks_us(), began_us) // 100)
"""
    with board(source) as device:
        first, second = run(device)
        assert int(first) in (49, 50) and int(second) - 10 * int(first) in range(2500, 2520)


def test_poll_waits_for_a_stream_written_in_python():
    """It is asked again at every change of a pin; its own interrupt handler need not do anything."""
    source = """
import io, select, time
from machine import Pin
class Level(io.IOBase):
    def __init__(self, pin):
        self.pin = pin
    def ioctl(self, request, argument):
        return select.POLLIN & argument if request == 3 and self.pin() else 0
level = Level(Pin(3, Pin.IN))
poller = select.poll()
poller.register(level, select.POLLIN)
print(poller.poll(100), poller.poll(5000) == [(level, select.POLLIN)], time.ticks_ms())
poller.unregister(level)
print(poller.poll(10))
"""
    with board(source) as device:
        device.world.at(700_000, lambda: device.io.line(3).drive(1))
        assert run(device, 2) == ["[] True 700", "[]"]


def test_wait_that_timed_out_does_not_answer_a_later_sleep():
    source = """
import machine, select, time
port = machine.UART(1, 115200)
poller = select.poll()
poller.register(port, select.POLLIN)
print(poller.poll(10))
began = time.ticks_ms()
time.sleep_ms(500)
print(time.ticks_ms() - began, port.any())
"""
    with board(source) as device:
        device.world.at(300_000, lambda: device.io.uart(1).send(b"x"))
        assert run(device) == ["[]", "500 1"]


def test_interrupt_handlers_run_at_the_prompt():
    source = """
import machine
ticks = []
machine.Timer(0, period=100, callback=lambda t: ticks.append(1))
"""
    with board(source) as device:
        run(device, 1.1)
        device.console.feed(b"len(ticks)\r")
        device.world.run_for(10_000)
        assert device.log.endswith("len(ticks)\r\n10\r\n>>> ")


def test_non_volatile_storage_survives_power_off():
    source = """
import esp32
nvs = esp32.NVS('state')
try:
    print(nvs.get_i32('boots'))
except OSError as error:
    print(error.errno)
    nvs.set_i32('boots', -7)
    nvs.set_blob('name', b'abc')
    nvs.commit()
buffer = bytearray(10)
print(nvs.get_blob('name', buffer), buffer[:3])
"""
    with board(source) as device:
        run(device)
        device.power_off()
        assert run(device) == ["2", "3 bytearray(b'abc')", "-7", "3 bytearray(b'abc')"]


def test_random_numbers_repeat_with_the_seed_and_differ_from_board_to_board():
    source = "import os, random\nprint(os.urandom(8), random.getrandbits(30))"

    def numbers(seed, name):
        with board(source, World(seed), name) as device:
            return run(device)

    assert numbers(1, "a") == numbers(1, "a")
    assert len({tuple(numbers(*key)) for key in ((1, "a"), (2, "a"), (1, "b"))}) == 3


class Upper:
    def receive(self, data):
        return data.upper()

    def close(self):
        pass


SOCKET_CLIENT = """
import network, select, socket, time
wlan = network.WLAN(network.WLAN.IF_STA)
wlan.active(True)
wlan.connect('county', 'secret')
while not wlan.isconnected():
    time.sleep_ms(100)
link = socket.socket()
{work}
"""


def network_board(work, **options):
    world = World()
    network = Network(world)
    network.serve("collector", 7788, Upper)
    return board(SOCKET_CLIENT.format(work=work), world, network=network, **options)


def test_blocking_socket():
    work = """
address = socket.getaddrinfo('collector', 7788)[0][-1]
link.connect(address)
link.send(b'hello')
print(link.recv(100))
link.write(b'abc')
print(link.read(3))
link.close()
"""
    with network_board(work) as device:
        assert run(device, 5) == ["b'HELLO'", "b'ABC'"]


def test_non_blocking_socket_tells_by_poll():
    work = """
link.setblocking(False)
poller = select.poll()
poller.register(link, select.POLLIN | select.POLLOUT)
try:
    link.connect(('collector', 7788))
except OSError as error:
    print(error.errno)
print(link.readinto(bytearray(4)), poller.poll(0))
began = time.ticks_ms()
print(poller.poll(1000)[0][1] == select.POLLOUT, time.ticks_ms() - began)
link.write(b'x')
poller.modify(link, select.POLLIN)
print(poller.poll(1000)[0][1] == select.POLLIN, link.readinto(bytearray(4)))
"""
    with network_board(work) as device:
        lines = run(device, 5)
        assert lines[:2] == ["115", "None []"]
        assert lines[2] == "True 90" and lines[3] == "True 1"


def test_refused_connection_and_missing_network():
    work = """
try:
    link.connect(('collector', 1))
except OSError as error:
    print(error.errno)
wlan.disconnect()
try:
    socket.socket().connect(('collector', 7788))
except OSError as error:
    print(error.errno)
"""
    with network_board(work) as device:
        assert run(device, 5) == ["111", "113"]


def test_input_reads_a_line_with_echo():
    with board("print(repr(input('name? ')))") as device:
        device.power_on()
        device.world.run_for(200_000)
        device.console.feed(b"annx\x7fa\r")
        device.world.run_for(200_000)
        assert printed(device) == ["name? annx\x08 \x08a", "'anna'"]


@pytest.mark.parametrize("body", ["sys.stdin.read(1)", "poll.poll()", "time.sleep(1000)"])
def test_ctrl_c_that_came_while_the_board_printed_ends_the_wait_after_it(body):
    source = f"""
import select, sys, time
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
try:
    exec("print('go'); x = {body}")
except KeyboardInterrupt:
    print('interrupted')
print(len(sys.stdin.read(2)))
"""

    with board(source) as device:
        device.console.listeners.append(lambda data: device.console.feed(b"\x03") if b"go" in data else None)
        assert run(device) == ["go", "interrupted"]
        device.console.feed(b"ab")
        device.world.run_for(10_000)
        assert printed(device) == ["go", "interrupted", "2"]


def test_unique_id():
    with board("import machine\nprint(machine.unique_id())", unique_id=bytes(range(8))) as device:
        assert run(device) == [str(bytes(range(8)))]


@pytest.mark.parametrize("chip", ["esp32c3", "esp32s3"])
def test_chip_draws_what_its_datasheet_says(chip):
    with board("import machine\nmachine.deepsleep()", chip=chip) as device:
        run(device)
        assert device.power.current_ua() == device.chip.deep_sleep_ua
        assert printed(device) == []
