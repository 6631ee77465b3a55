"""The way to a central registry: HTTPS with its certificate checked, a token that names this point, JSON records."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from groundnet.errors import GroundnetError, Text

RECORDS_PATH = "/v1/records"
TIMEOUT_S = 20.0
_ASK_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class CentralError(GroundnetError):
    """The central registry could not be told. ``passing``: the same may work later without anybody doing anything.

    ``wait_s`` is how long the server asks to be left alone.
    """

    def __init__(
        self,
        cause: str,
        action: str,
        passing: bool = True,
        wait_s: float | None = None,
        too_large: bool = False,
    ) -> None:
        super().__init__(cause, action)
        self.passing = passing
        self.wait_s = wait_s
        self.too_large = too_large


@dataclass(frozen=True)
class Answer:
    """What became of the records of one request, by operation."""

    accepted: frozenset[str]
    known: frozenset[str]
    refused: dict[str, str]


class Uplink:
    """A central registry at a URL; a context manager.

    Args:
        url: https://HOST[:PORT][/PATH]; nothing is ever sent unencrypted.
        token: what the central registry gave to this point.
        ca: certificates that are trusted in place of the computer's own.

    Raises CentralError for an URL or a certificate file that cannot be used.
    """

    def __init__(self, url: str, token: str, ca: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        if not url.startswith("https://") or not url.removeprefix("https://").strip("/"):
            raise CentralError(
                Text(f"'{url}' is not an https:// address", f"“{url}”不是 https:// 地址"),
                Text("records are sent encrypted only: give https://HOST", "记录只加密发送，请给出 https://主机"),
                passing=False,
            )  # fmt: skip
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            verify=_trust(ca), timeout=timeout_s, headers={"Authorization": f"Bearer {token}"}
        )

    def __enter__(self) -> "Uplink":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._client.close()

    def send(self, records: Sequence[dict], status: Mapping[str, object]) -> Answer:
        """One request; ``status`` is what the point says of itself. Raises CentralError."""
        try:
            message = {"records": list(records), "point": dict(status)}
            response = self._client.post(self.url + RECORDS_PATH, json=message)
        except httpx.HTTPError as error:
            raise _unreached(error) from error
        if response.status_code != 200:
            raise _refusal(response)
        try:
            said = response.json()
            return Answer(frozenset(said["accepted"]), frozenset(said["known"]), dict(said["refused"]))
        except (ValueError, KeyError, TypeError):
            raise _no_central() from None


def _trust(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise CentralError(
            Text(f"{ca} holds no certificate ({error})", f"{ca} 里没有证书（{error}）"),
            Text("give the PEM file of the central registry's authority with --ca", "请用 --ca 给出中心的 PEM 证书"),
            passing=False,
        ) from error  # fmt: skip
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _unreached(error: httpx.HTTPError) -> CentralError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CentralError(
                Text(f"the certificate is not trusted ({cause.verify_message})",
                     f"证书不可信（{cause.verify_message}）"),
                Text("check address and clock of this computer, or give its authority with --ca",
                     "请检查地址和本机时钟，或用 --ca 给出签发证书"),
                passing=False,
            )  # fmt: skip
        cause = cause.__cause__ or cause.__context__
    why = str(error) or type(error).__name__
    return CentralError(
        Text(f"the central registry is not reached ({why})", f"连不上中心登记处（{why}）"),
        Text("nothing is lost: it is sent when the line is back", "不会丢失，网络恢复后会再发送"),
    )


def _refusal(response: httpx.Response) -> CentralError:
    status = response.status_code
    if status in (401, 403):
        return CentralError(
            Text("the central registry does not know this token", "中心登记处不认识这个令牌"),
            Text("ask its operator for the token of this install point", "请向中心管理员索取本安装点的令牌"),
            passing=False,
        )
    if status == 507:  # Insufficient Storage, RFC 4918
        return CentralError(
            Text("the central registry can store nothing, its disk may be full", "中心登记处无法存储，可能磁盘已满"),
            Text("nothing is lost: it is sent again; tell its operator", "不会丢失，稍后会再发送；请告知中心管理员"),
        )  # fmt: skip
    if status == 423:  # Locked, RFC 4918
        return CentralError(
            Text("nobody has unlocked the central registry", "中心登记簿尚未解锁"),
            Text("nothing is lost: it is sent again; tell its operator", "不会丢失，稍后会再发送；请告知中心管理员"),
        )  # fmt: skip
    if status in _ASK_AGAIN:
        asked = response.headers.get("retry-after", "")
        return CentralError(
            Text(f"the central registry is busy (HTTP {status})", f"中心登记处繁忙（HTTP {status}）"),
            Text("nothing is lost: it is sent again", "不会丢失，稍后会再发送"),
            wait_s=float(asked) if asked.isdecimal() else None,
        )
    if status == 413:
        return CentralError(
            Text("the central registry takes no such large message", "中心登记处不接收这么大的消息"),
            Text("tell its operator", "请联系中心管理员"),
            passing=False,
            too_large=True,
        )
    return _no_central(f" (HTTP {status})")


def _no_central(why: str = "") -> CentralError:
    return CentralError(
        Text(f"there is no central registry at this address{why}", f"这个地址不是中心登记处{why}"),
        Text("check the address given with --to", "请检查 --to 的地址"),
        passing=False,
    )
