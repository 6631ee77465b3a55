"""The same seed gives the same run, to the microsecond, whatever the host does meanwhile."""

import serial
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World
from sim.boards import board

CHATTER = """
import machine, os, select, time
port = machine.UART(1, 115200)
poller = select.poll()
poller.register(port, select.POLLIN)
pin = machine.Pin(3, machine.Pin.IN)
pin.irq(lambda p: print('edge', time.ticks_us()), machine.Pin.IRQ_RISING)
for turn in range(20):
    port.write(os.urandom(4))
    ready = poller.poll(7 + os.urandom(1)[0] % 50)
    print(turn, time.ticks_us(), port.read() if ready else None)
    with open('/log', 'a') as file:
        file.write(str(turn))
    if turn == 9:
        machine.lightsleep(33)
machine.deepsleep(1000)
"""


class Wire:
    """Sends to the other board's port."""

    def __init__(self, other):
        self.other = other

    def receive(self, data):
        self.other.send(data)


def chat(seed):
    """Two boards that talk over a serial line: everything that happened, with its time."""
    world = World(seed)
    happened = []
    with board(CHATTER, world, "a") as first, board(CHATTER, world, "b") as second:
        for device, other in ((first, second), (second, first)):
            device.io.uart(1).attach(Wire(other.io.uart(1)))
            device.console.listeners.append(
                lambda data, name=device.name: happened.append((world.now_us, name, data))
            )
            device.files.on_step = lambda step, name=device.name: happened.append((world.now_us, name, step))
            device.power_on()
        noise = world.random("edges")
        for _ in range(30):
            at_us, level = noise.randrange(3_000_000), noise.randrange(2)
            world.at(at_us, lambda level=level: first.io.line(3).drive(level))
        world.run_for(3_000_000)
    return happened


def test_two_runs_of_two_boards_are_the_same():
    first = chat(seed=5)
    assert len(first) > 100
    assert first == chat(seed=5)
    assert first != chat(seed=6)


ANSWERS = """
import select, sys, time
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
while True:
    ready = poller.poll(5000)
    if not ready:
        print('idle', time.ticks_ms())
        continue
    word = sys.stdin.readline().strip()
    if word == 'slow':
        poller.unregister(sys.stdin)
        poller.poll(700)
        poller.register(sys.stdin, select.POLLIN)
    print(word, time.ticks_ms())
"""


def ask_over_serial(extra_work):
    """What a host program hears that takes its time between the questions."""
    with board(ANSWERS) as device:
        device.power_on()
        path = device.pty_path

        def host():
            answers = []
            with serial.Serial(path, timeout=20) as port:
                for word in (b"one", b"slow", b"three", b"four"):
                    for _ in range(extra_work):
                        sum(range(1000))
                    port.write(word[:2])
                    port.write(word[2:] + b"\n")
                    answers.append(port.readline())
            return answers

        return hold_while(device.world, [device], host)


def test_held_time_does_not_depend_on_how_slow_the_host_is():
    assert ask_over_serial(0) == ask_over_serial(2000)


def test_held_time_goes_on_when_the_host_waits_for_the_board():
    with board(ANSWERS) as device:
        device.power_on()
        path = device.pty_path

        def host():
            with serial.Serial(path, timeout=20) as port:
                return port.readline() + port.readline()

        assert hold_while(device.world, [device], host, start_s=0.3) == b"idle 5049\r\nidle 10049\r\n"


def test_held_time_waits_for_the_rest_of_what_the_host_says():
    waiting = """
import select, sys
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
print('ready')
sys.stdin.read(2)
print('whole' if poller.poll(1000) else 'late')
"""
    with board(waiting) as device:
        device.power_on()
        path = device.pty_path

        def host():
            with serial.Serial(path, timeout=20) as port:
                port.read_until(b"ready\r\n")
                port.write(b"fr")
                for _ in range(20_000):
                    sum(range(1000))  # a busy machine lets the rest wait
                port.write(b"ame\n")
                return port.readline()

        assert hold_while(device.world, [device], host, patience_s=20) == b"whole\r\n"


def test_failure_of_the_host_program_is_raised_here():
    with board(ANSWERS) as device:
        device.power_on()
        try:
            hold_while(device.world, [device], lambda: {}["missing"])
        except KeyError as error:
            assert error.args == ("missing",)
        else:
            raise AssertionError("the error was swallowed")
