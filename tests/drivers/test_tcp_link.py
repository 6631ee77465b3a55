"""The TCP link of a base station on real MicroPython: a peer that closes, and one that never answers."""

import pytest
from groundnet.image import firmware_image
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.network import Network
from groundnet.sim.world import World

MAIN = b"""
import time
from drivers.tcp_link import TcpLink
import network
station = network.WLAN(network.WLAN.IF_STA)
station.active(True)
station.connect("bench", "")
while not station.isconnected():
    time.sleep_ms(100)
print("joined")
time.sleep(5)
link = TcpLink()
link.open("collector", 7400)
began = time.ticks_ms()
into = bytearray(64)
while time.ticks_diff(time.ticks_ms(), began) < 30_000:
    link.read_into(into)
    news = link.poll()
    if news:
        print("news", news, time.ticks_diff(time.ticks_ms(), began) // 1000)
        if news == 1:
            link.send(b"hello")
    time.sleep_ms(100)
print("end")
"""
OPENED, CLOSED = 1, 2


class Closes:
    """Takes one request and hangs up."""

    def receive(self, data):
        raise ConnectionResetError("bye")

    def close(self):
        pass


@pytest.fixture
def board():
    world = World(1)
    network = Network(world)
    files = firmware_image.build("base", "heltec_v3") | {"/main.py": MAIN}
    made = VirtualBoard(world, "base", files=BoardFs(files), chip="esp32s3", network=network)
    yield made, network
    made.close()


def news(board, on_the_air=lambda: None) -> list[tuple[int, int]]:
    """(what, seconds since the connection was begun) of all that was told; ``on_the_air`` is called before that."""
    board.power_on()
    while "joined" not in board.log:
        board.world.run_for(100_000)
    on_the_air()
    board.world.run_for(60_000_000)
    assert "end" in board.log, board.log
    lines = [line.split() for line in board.log.splitlines() if line.startswith("news")]
    return [(int(what), int(second)) for _, what, second in lines]


def test_a_peer_that_hangs_up_is_told(board):
    device, network = board
    network.serve("collector", 7400, Closes)
    told = news(device)
    assert [what for what, _ in told] == [OPENED, CLOSED] and told[1][1] <= 2


def test_a_peer_that_never_answers_is_given_up_after_ten_seconds(board):
    device, network = board

    def cut() -> None:
        network.latency_us = 12_000_000  # the answer would come in twice that

    assert news(device, cut) == [(CLOSED, 10)]


def test_a_peer_that_refuses_is_told_at_once(board):
    device, _ = board
    told = news(device)
    assert [what for what, _ in told] == [CLOSED] and told[0][1] <= 2
