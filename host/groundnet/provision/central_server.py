"""Serves the central receiver over HTTPS until it is told to stop."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from groundnet.errors import GroundnetError, Text
from groundnet.web.server import listen


class CertificateError(GroundnetError):
    """The receiver's own certificate or key cannot be used."""


def serve(
    app: Starlette, address: tuple[str, int], cert: Path, key: Path, ready: Callable[[int], None]
) -> None:
    """Run until Ctrl-C; ``ready`` is told the port once it takes connections.

    Raises CertificateError, ServeError.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        ssl_certfile=cert,
        ssl_keyfile=str(key),
    )
    _load(config, cert)
    bound = listen(*address)
    bound.listen()
    ready(bound.getsockname()[1])
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])


def _load(config: uvicorn.Config, cert: Path) -> None:
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise CertificateError(
            Text(f"{cert} and its key cannot be used ({error})", f"证书 {cert} 或私钥不能用（{error}）"),
            Text("give a PEM certificate and the key that belongs to it", "请给出 PEM 证书和对应的私钥"),
        ) from error
