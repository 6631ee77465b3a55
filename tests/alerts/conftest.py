"""A registry with a device of an owner, a collector's store, and real servers for what is sent."""

import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from groundnet.collector.database import Database
from groundnet.provision.registry import Record, Registry, Secret

DEVICE_ID = bytes.fromhex("3c71bf0000a00001")


@pytest.fixture
def registry(tmp_path):
    store = Registry(tmp_path / "registry.db")
    store.reserve(
        Record(DEVICE_ID, "", "tag", "b", "vehicle", "云A12345", None, "", "", 1, Secret(bytes(32)))
    )
    store.advance(DEVICE_ID, "handed_over", "op", 2)
    yield store
    store.close()


@pytest.fixture
def database(tmp_path):
    store = Database(tmp_path / "collector.db")
    yield store
    store.close()


@pytest.fixture
def web():
    """A web server on the loopback; ``answers`` are the codes it gives, one after another, then 204."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            server.taken.append((self.path, dict(self.headers), body))
            self.send_response(server.answers.pop(0) if server.answers else 204)
            self.end_headers()
            server.arrived.set()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.taken, server.answers, server.arrived = [], [], threading.Event()
    yield from _served(server)


@pytest.fixture
def mail_server():
    """A mail server on the loopback, as far as a sender needs one (RFC 5321, section 4.1.1)."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 mail.test\r\n")
            letter, in_data = [], False
            for line in self.rfile:
                if in_data:
                    if line == b".\r\n":
                        server.taken.append(b"".join(letter))
                        letter, in_data = [], False
                        self.wfile.write(b"250 taken\r\n")
                    else:
                        letter.append(line)
                    continue
                word = line[:4].upper()
                in_data = word == b"DATA"
                self.wfile.write(server.replies.get(word, b"250 mail.test\r\n"))
                if word == b"QUIT":
                    return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.taken = []
    server.replies = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
    yield from _served(server)


def _served(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
