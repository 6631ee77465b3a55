"""What the counter prints of the tag that was just handed over."""

import io
from collections.abc import Callable
from datetime import datetime

from groundnet.provision.paper import labels, receipt
from groundnet.provision.registry import Record

MEDIA = {
    "receipt": ("application/pdf", "pdf"),
    "card": ("application/pdf", "pdf"),
    "label": ("application/pdf", "pdf"),
    "zpl": ("text/plain; charset=utf-8", "zpl"),
}


def make(kind: str, record: Record, terms: receipt.Terms, operator: str) -> bytes:
    """The paper of one of the kinds of MEDIA. Raises KeyError for another one."""
    return _MAKERS[kind](record, terms, operator)


def _label(record: Record) -> labels.TagLabel:
    return labels.TagLabel(record.device_id, record.tag_id)


def _receipt(record: Record, terms: receipt.Terms, operator: str) -> receipt.Receipt:
    handed_over = datetime.fromtimestamp(record.changed_ms / 1000)
    return receipt.Receipt(_label(record), record.profile, record.plate or "", handed_over, operator, terms)


def _pdf(write: Callable[[io.BytesIO], None]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


_MAKERS: dict[str, Callable[[Record, receipt.Terms, str], bytes]] = {
    "receipt": lambda record, terms, operator: _pdf(
        lambda stream: receipt.write_receipt(stream, _receipt(record, terms, operator))
    ),
    "card": lambda record, terms, operator: _pdf(
        lambda stream: receipt.write_card(stream, _receipt(record, terms, operator))
    ),
    "label": lambda record, terms, operator: _pdf(lambda stream: labels.write_one(stream, _label(record))),
    "zpl": lambda record, terms, operator: labels.zpl(_label(record)).encode(),
}
