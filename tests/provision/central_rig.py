"""A real central registry behind TLS on the loopback, and a line to it that can be cut after any byte."""

import contextlib
import ipaddress
import socket
import threading
from datetime import UTC, datetime, timedelta

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from groundnet.provision import arrivals
from groundnet.provision.central import app_of
from groundnet.provision.registry import Registry
from groundnet.provision.tokens import Tokens
from groundnet.web.server import listen

NOW_MS = 1_800_000_000_000
TOKENS = {"point-a": "token-of-point-a", "point-b": "token-of-point-b"}


def write_certificate(folder, name="central", host="127.0.0.1", days=1):
    """A self-signed certificate and its key as PEM files; with a negative ``days`` it is over."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


class Central:
    """A running central registry, an engineer's or the one whose file is at ``central.db`` already."""

    def __init__(self, folder, certificate, prepare=lambda registry: None):
        self._prepare = prepare
        self.path = folder / "central.db"
        self._socket = listen("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self._certificate, self._key = certificate
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="central", daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10.0)
        return self

    def __exit__(self, *_exception):
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def told(self):
        """What every point told, as the centre keeps it."""
        with contextlib.closing(Registry(self.path)) as registry:
            return arrivals.arrivals(registry)

    def operations(self):
        """(point, operation) of every record."""
        return sorted((one.point, one.document.operation) for one in self.told())

    def _run(self):
        registry = Registry(self.path)
        self._prepare(registry)
        config = uvicorn.Config(
            app_of(registry, Tokens(TOKENS), lambda: NOW_MS),
            log_level="critical",
            lifespan="off",
            ssl_certfile=str(self._certificate),
            ssl_keyfile=str(self._key),
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._socket.listen()
        self._ready.set()
        self._server.run(sockets=[self._socket])
        registry.close()


class CutLine:
    """Carries bytes to a port, and ends both ways after so many of them; None carries everything.

    ``up`` and ``down`` count what one connection carried; a line that is cut before its first byte refuses it.
    """

    def __init__(self, port):
        self._to = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.limits = {"up": None, "down": None}
        self.carried = {"up": 0, "down": 0}
        self._thread = threading.Thread(target=self._accept, name="line", daemon=True)
        self._thread.start()

    def close(self):
        self._socket.close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._socket.accept()
                self.carried = {"up": 0, "down": 0}
                if 0 in self.limits.values():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                back = threading.Thread(target=self._carry, args=(far, near, "down"), daemon=True)
                back.start()
                self._carry(near, far, "up")
                back.join()
                near.close()
                far.close()

    def _carry(self, source, target, way):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                limit = self.limits[way]
                if limit is not None:
                    data = data[: limit - self.carried[way]]
                target.sendall(data)
                self.carried[way] += len(data)
                if limit is not None and self.carried[way] >= limit:
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
