"""Who may come in: this computer's own pages alone, each request with its token, each person with a session."""

import hashlib
import hmac
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_FIELD = "token"
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends its forms with the Origin "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Door:
    """Wraps the page: refuses foreign hosts and origins, gives each browser its cookie, adds the headers.

    Args:
        hosts: names under which the page may be asked for, without port. Any other is somebody's web page that
            resolves its own name to this computer (DNS rebinding).
        cookie: its name; two pages of one computer have one each.
        images: an origin that pictures may come from beside this one, as https://tiles.example; empty: none.
        secure: the page is served by TLS: the cookie goes over nothing else.
    """

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str], cookie: str, images: str = "", secure: bool = False
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._cookie = cookie
        self._attributes = f"HttpOnly; SameSite=Strict; Path=/{'; Secure' if secure else ''}"
        self._headers = {
            name: value.format(images=f" {images}" if images else "") for name, value in _HEADERS.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(headers, scope["method"])
        if refusal:
            await PlainTextResponse(refusal, 403)(scope, receive, send)
            return
        known = HTTPConnection(scope).cookies.get(self._cookie, "")
        browser = known if len(known) == 43 else secrets.token_urlsafe(32)
        scope.setdefault("state", {})["browser"] = browser

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    out[name] = value
                if "cache-control" not in out:
                    out["cache-control"] = "no-store"
                if browser != known:
                    out.append("set-cookie", f"{self._cookie}={browser}; {self._attributes}")
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers, method: str) -> str:
        if host_name(headers.get("host", "")) not in self._hosts:
            return "this page is for the computer that it runs on\n"
        if method not in ("GET", "HEAD"):
            origin = headers.get("origin")
            if origin not in (None, f"http://{headers['host']}", f"https://{headers['host']}"):
                return "this came from another page\n"
        return ""


def host_name(host: str) -> str:
    """The name in a Host header, without its port; "[::1]:8470" gives "::1"."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


class Tokens:
    """A form is taken only with the token of the browser that was given it."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def of(self, request: Request) -> str:
        return hmac.new(self._key, request.state.browser.encode(), hashlib.sha256).hexdigest()

    def fits(self, request: Request, token: str) -> bool:
        return hmac.compare_digest(self.of(request).encode(), token.encode())
