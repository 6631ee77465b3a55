"""A station inside TLS: its own link on a virtual board, a real handshake at the edge, the real collector."""

import asyncio
import base64
import datetime
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from drivers.test_apps import SECRET, UNIQUE_ID, Rig
from groundnet.collector.core import Collector
from groundnet.collector.database import Database
from groundnet.collector.inbox import Inbox
from groundnet.collector.server import Server
from groundnet.collector.station_door import StationDoor
from groundnet.collector.station_list import stations

STATION = UNIQUE_ID.rjust(8, b"\x00")
NAME = "collector.county"
START_MS = 1_790_000_000_000


class Authority:
    """A CA that signs servers; ``settings`` are those of a station that trusts it."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "county CA")])
        self.certificate = self._sign(self._name, self._key.public_key(), None)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.settings = {
            "collector_host": f"tls://{NAME}",
            "collector_ca": base64.b64encode(self.der).decode(),
            "wifi_name": "shop",
            "wifi_key": "12345678",
        }

    def context(self, name=NAME, over=False):
        """What a server of that name shows; ``over``: its time has passed."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key(), name, over)
        path = self._folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(self, subject, key, name, over=False):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2020 if over else 2120, 2, 1))
        )
        extension = (
            x509.BasicConstraints(True, None)
            if name is None
            else x509.SubjectAlternativeName([x509.DNSName(name)])
        )
        return builder.add_extension(extension, critical=name is None).sign(self._key, hashes.SHA256())


class TlsCollector:
    """The collector behind TLS, in a thread of its own."""

    def __init__(self, path, context):
        self._path, self._context = path, context
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def _run(self):
        database = Database(self._path)
        door = StationDoor(database)
        door.learn([(STATION, SECRET)])
        server = Server(Inbox(Collector(database), lambda: START_MS, door=door))
        self.port = self._loop.run_until_complete(server.listen("127.0.0.1", 0, self._context))
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(server.close())
        database.close()
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)


@pytest.fixture
def county(tmp_path):
    """Makes a station whose collector shows what a context says; ``.move(context)`` puts another one in its place."""
    opened = []

    class County:
        def __init__(self, settings, context):
            self.rig = Rig("base", changed=settings)
            self.move(context)
            opened.append(self.rig.board)

        def move(self, context):
            collector = TlsCollector(tmp_path / "collector.db", context)
            opened.append(collector)
            self.rig.network.route_to_tcp(NAME, 4710, "127.0.0.1", collector.port)

        def listed(self):
            database = Database(tmp_path / "collector.db")
            found = stations(database)
            database.close()
            return found

    yield County
    for one in reversed(opened):
        one.close()


def test_a_station_reaches_a_collector_whose_certificate_is_of_its_authority(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context())
    made.rig.run(90)
    (station,) = made.listed()
    assert station.proved_ms and station.health["faults"] == []
    assert "certificate" not in made.rig.board.log


@pytest.mark.parametrize(
    ("name", "stranger", "reason"),
    [("collector.thief", False, "does not match"), (NAME, True, "not correctly signed")],
)
def test_another_name_or_authority_is_refused_and_told_once_a_good_one_is_there(
    county, tmp_path, name, stranger, reason
):
    authority = Authority(tmp_path)
    signer = Authority(tmp_path) if stranger else authority
    made = county(authority.settings, signer.context(name))
    made.rig.run(90)
    assert made.listed() == []
    assert "network: certificate refused: " in made.rig.board.log and reason in made.rig.board.log
    made.move(authority.context())
    made.rig.run(240)
    (station,) = made.listed()
    assert "network: works again" in made.rig.board.log
    assert made.rig.board.boots == 1 and "Traceback" not in made.rig.board.log
    assert station.refusals == ()


def test_a_certificate_that_is_over_is_taken_for_the_station_knows_no_time_yet(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context(over=True))
    made.rig.run(60)
    assert made.listed()[0].proved_ms


@pytest.mark.parametrize("ca", ["", "AAAA", "no base64!"])
def test_without_an_authority_nothing_is_sent(county, tmp_path, ca):
    authority = Authority(tmp_path)
    made = county(authority.settings | {"collector_ca": ca}, authority.context())
    made.rig.run(60)
    assert made.listed() == [] and "network: collector_ca" in made.rig.board.log


def test_a_server_without_tls_hears_nothing_readable(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context())
    heard = []

    class Plain:
        def receive(self, data):
            heard.append(data)
            return b""

        def close(self):
            pass

    made.rig.network.serve(NAME, 4710, Plain)
    made.rig.run(60)
    assert heard == [] and "no TLS there" in made.rig.board.log
