"""The network in virtual time: in-process servers, real ones on the loopback, and what goes wrong."""

import socket
import threading

from groundnet.sim.network import FrameCounter, Network, PacketCounter
from groundnet.sim.world import World


class Client:
    """One connection that writes down what happens and when."""

    def __init__(self, world: World, network: Network, host: str = "collector", port: int = 7700):
        self.events: list[tuple[int, str, bytes]] = []

        def note(kind: str, data: bytes = b"") -> None:
            self.events.append((world.now_us, kind, data))

        self.connection = network.connect(
            host,
            port,
            on_open=lambda: note("open"),
            on_receive=lambda data: note("data", data),
            on_close=lambda reason: note("close", reason.encode()),
        )


class Upper:
    """Answers in capitals."""

    def receive(self, data: bytes) -> bytes:
        return data.upper()

    def close(self) -> None:
        pass


def serve_frames(answer_frames: bool = True) -> int:
    """A real server on the loopback that answers each frame with the frame reversed; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        peer, _ = listener.accept()
        buffer = b""
        with peer, listener:
            while piece := peer.recv(1024):
                buffer += piece
                while b"\0" in buffer:
                    frame, buffer = buffer.split(b"\0", 1)
                    if not answer_frames:
                        return
                    if frame:
                        peer.sendall(frame[::-1][:2])
                        peer.sendall(frame[::-1][2:] + b"\0")

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def test_a_round_trip_takes_its_latency():
    world = World()
    network = Network(world, latency_us=40_000)
    network.serve("collector", 7700, Upper)
    client = Client(world, network)
    world.run_for(1_000_000)
    client.connection.send(b"hello")
    world.run_for(1_000_000)
    assert client.events == [(80_000, "open", b""), (1_080_000, "data", b"HELLO")]


def test_nobody_serves_there():
    world = World()
    client = Client(world, Network(world))
    world.run_for(1_000_000)
    assert [event[1:] for event in client.events] == [("close", b"refused")]


def test_a_dead_backhaul():
    world = World()
    network = Network(world)
    network.serve("collector", 7700, Upper)
    client = Client(world, network)
    world.run_for(1_000_000)
    network.up = False
    client.connection.send(b"lost")
    late = Client(world, network)
    world.run_for(1_000_000)
    assert [event[1:] for event in client.events] == [("open", b""), ("close", b"timed out")]
    assert [event[1:] for event in late.events] == [("close", b"unreachable")]


def test_a_closed_connection_delivers_nothing_more():
    world = World()
    network = Network(world)
    network.serve("collector", 7700, Upper)
    client = Client(world, network)
    world.run_for(1_000_000)
    client.connection.send(b"question")
    world.run_for(60_000)
    client.connection.close()
    world.run_for(1_000_000)
    assert [kind for _, kind, _ in client.events] == ["open"]


def test_virtual_time_stands_still_while_a_real_server_answers():
    times = []
    for _ in range(2):
        world = World()
        network = Network(world, latency_us=10_000)
        network.route_to_tcp("collector", 7700, "127.0.0.1", serve_frames())
        client = Client(world, network)
        world.run_for(1_000_000)
        client.connection.send(b"\0abc\0")
        client.connection.send(b"defg")
        world.run_for(1_000_000)
        client.connection.send(b"hi\0\0")
        world.run_for(1_000_000)
        client.connection.close()
        times.append(client.events)
    assert times[0] == times[1]
    assert [event[1:] for event in times[0]] == [("open", b""), ("data", b"cba\0"), ("data", b"ihgfed\0")]


def test_a_real_server_that_closes_or_is_not_there():
    world = World()
    network = Network(world)
    network.route_to_tcp("closing", 1, "127.0.0.1", serve_frames(answer_frames=False))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_port = taken.getsockname()[1]
    network.route_to_tcp("absent", 1, "127.0.0.1", free_port)
    closing, absent = Client(world, network, "closing", 1), Client(world, network, "absent", 1)
    world.run_for(1_000_000)
    closing.connection.send(b"x\0")
    world.run_for(1_000_000)
    assert [event[1] for event in closing.events] == ["open", "close"]
    assert [event[1:] for event in absent.events] == [("close", b"refused")]


def test_frames_are_counted_whatever_the_pieces():
    for pieces in ([b"\0ab\0cd\0"], [b"\0", b"a", b"b\0c", b"d\0"], [b"ab\0\0\0", b"cd\0\0"]):
        counter = FrameCounter()
        assert sum(counter.feed(piece) for piece in pieces) == 2


def test_mqtt_packets_are_weighed_whatever_the_pieces():
    long = bytes.fromhex("32c801") + bytes(200)  # PUBLISH with a remaining length of two bytes
    stream = bytes.fromhex("100100") + long + bytes.fromhex("c000") + bytes.fromhex("40020001")
    for size in (1, 2, 7, len(stream)):
        counter = PacketCounter({1: 1, 3: 2, 12: 1})
        assert sum(counter.feed(stream[at : at + size]) for at in range(0, len(stream), size)) == 4
