"""The central registry's door: takes what install points tell, over HTTPS.

A point is known by its token and can only speak for itself. What became of each record is answered after it is on
the disk; until then the point keeps it.
"""

import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from groundnet.database.store import StoreError
from groundnet.provision import arrivals, calls
from groundnet.provision.document import Malformed
from groundnet.provision.registry import Registry
from groundnet.provision.tokens import TokenFile, Tokens, TokensError
from groundnet.provision.uplink import RECORDS_PATH
from groundnet.provision.vault import VaultLocked

MOST_BYTES = 1 << 20
MOST_RECORDS = 500


class TooLarge(Exception):
    """A message with more bytes or records than are taken at once."""


def app_of(registry: Registry, tokens: Tokens | TokenFile, now_ms: Callable[[], int]) -> Starlette:
    """The service. Everything runs in the event loop's own thread, one transaction after the other."""

    async def take(request: Request) -> Response:
        try:
            point = tokens.point_of(request.headers.get("authorization", ""))
        except (TokensError, OSError):
            return JSONResponse({"error": "tokens cannot be read"}, 503)
        if point is None:
            return JSONResponse({"error": "unknown token"}, 401, {"www-authenticate": "Bearer"})
        try:
            records, status = read_message(await _body(request))
            return JSONResponse(keep(registry, point, records, status, now_ms()))
        except TooLarge:
            return JSONResponse({"error": "too large"}, 413)
        except Malformed as error:
            return JSONResponse({"error": str(error)}, 400)
        except StoreError:
            return JSONResponse({"error": "cannot store"}, 507)
        except VaultLocked:
            return JSONResponse({"error": "locked"}, 423)

    return Starlette(routes=[Route(RECORDS_PATH, take, methods=["POST"])])


def keep(registry: Registry, point: str, records: list, status: object, now_ms: int) -> dict[str, object]:
    """One message of a point; on disk when this returns. Raises VaultLocked, StoreError."""
    answer = arrivals.take(registry, point, records, now_ms)
    calls.keep(registry, point, status, now_ms)
    return answer


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge
    return body


def read_message(body: bytes) -> tuple[list, object]:
    """The records, and what the point says of itself. Raises Malformed, TooLarge."""
    try:
        message = json.loads(body)
        records, status = message["records"], message.get("point")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Malformed("no records") from None
    if not isinstance(records, list):
        raise Malformed("no records")
    if len(records) > MOST_RECORDS:
        raise TooLarge
    return records, status
