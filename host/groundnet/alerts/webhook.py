"""Alerts to a web address: one POST with JSON, done when the answer is 2xx."""

import hashlib
import hmac
import json

import httpx

from groundnet.alerts.post import DeliveryError, Message

TIMEOUT_S = 10.0
SIGNATURE = "X-Groundnet-Signature"


class Webhook:
    """Posts ``{"alert", "kind", "tag", "text", "time_ms"}``.

    Args:
        key: when given, the header X-Groundnet-Signature is "sha256=" and the HMAC-SHA256 of the body in hex, so that
            a receiver can tell our messages from others'.

    The same alert may come twice: ``alert`` is its number. Redirects are not followed: an address that is moved is
    for its owner to change.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    def __call__(self, message: Message) -> None:
        """Raises DeliveryError."""
        body = json.dumps(
            {
                "alert": message.alert_id,
                "kind": message.kind,
                "tag": message.tag_id,
                "text": message.text,
                "time_ms": message.time_ms,
            },
            ensure_ascii=False,
        ).encode()
        headers = {"content-type": "application/json"}
        if self._key:
            headers[SIGNATURE] = "sha256=" + hmac.new(self._key, body, hashlib.sha256).hexdigest()
        try:
            answer = httpx.post(message.contact, content=body, headers=headers, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(
                f"the webhook was not reached ({type(error).__name__})", "it is tried again"
            ) from error
        if not answer.is_success:
            raise DeliveryError(f"the webhook answered {answer.status_code}", "it is tried again")
