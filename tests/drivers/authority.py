"""An authority that signs the certificates of servers, as a county has one of its own."""

import base64
import datetime
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "collector.county"


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
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.signed([name], over))
        return context

    def signed(self, names, over=False):
        """A file with certificate and key of a server of these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._sign(subject, key.public_key(), names, over)
        path = self._folder / f"{names[0]}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return path

    def _sign(self, subject, key, names, over=False):
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
            if names is None
            else x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        )
        return builder.add_extension(extension, critical=names is None).sign(self._key, hashes.SHA256())
