"""What the owner takes home: a receipt with the terms, and a safety card for the wallet; Chinese and English."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from groundnet.errors import GroundnetError
from groundnet.provision.paper.drawing import A5_MM, Page
from groundnet.provision.paper.labels import MODULE_MM, TagLabel

CARD_MM = (85.6, 54.0)  # ISO/IEC 7810 ID-1
PROFILES = {
    "none": ("设备", "device"),
    "vehicle": ("车辆", "vehicle"),
    "livestock": ("牲畜", "livestock"),
    "wearable": ("佩戴设备", "wearable"),
    "sentry": ("店铺报警器", "shop sentry"),
}
WHEN_STOLEN = (
    ("1. 立即报警，说明标签编号。", "1. Report to the police at once and give the tag's number."),
    ("2. 到安装点或拨打热线登记失案，设备即转入丢失模式。",
     "2. Have the install point or the hotline open a case: the tag goes into lost mode."),
    ("3. 不要自行追车；位置由警方跟踪。", "3. Do not go after it yourself: the patrol follows the signal."),
    ("4. 保留本回执、购车发票和报案回执，理赔时需要。",
     "4. Keep this receipt, the purchase receipt and the police certificate for a payout."),
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What an install point says of itself, of insurance and payout: its own words, each in (Chinese, English)."""

    install_point: str = ""
    hotline: str = ""
    insurance: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class Receipt:
    """One handed-over device. ``subject`` is its plate, the animal's ear tag or the wearer's initials."""

    label: TagLabel
    profile: str
    subject: str
    handed_over: datetime
    operator: str
    terms: Terms


class TermsError(GroundnetError):
    """A file of terms that says nothing in one of the languages."""


def read_terms(path: Path) -> tuple[tuple[str, str], ...]:
    """Lines of "Chinese | English"; empty ones and those with # are left out. Raises TermsError."""
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        chinese, bar, english = (part.strip() for part in line.partition("|"))
        if not bar or not chinese or not english:
            raise TermsError(
                f"{path}, line {number}: no Chinese | English", "write both, with a | between them"
            )
        pairs.append((chinese, english))
    return tuple(pairs)


def write_receipt(path, receipt: Receipt) -> None:
    """Write the receipt, one page of A5."""
    page = Page(path, A5_MM, f"receipt {receipt.label.tag_id}")
    page.text(12, 18, "平安卡 安装回执", 18)
    page.text(12, 25, "Tag receipt", 11)
    side = page.qr(98, 8, receipt.label.payload, 1.0)
    page.text(98 + side / 2, 8 + side + 2, receipt.label.tag_id, 12, "center")
    y = page.rows(12, 36, _facts(receipt), 46)
    page.rule(12, max(y, 52), 124)
    y = _section(page, max(y, 52) + 7, "车辆被盗怎么办 / When it is stolen", WHEN_STOLEN)
    if receipt.terms.insurance:
        page.rule(12, y, 124)
        y = _section(page, y + 7, "保险与赔付 / Insurance and payout", receipt.terms.insurance)
    page.rule(12, y, 124)
    page.text(12, y + 14, "经办人 / staff: ______________", 9)
    page.text(76, y + 14, "用户 / owner: ______________", 9)
    page.save()


def write_card(path, receipt: Receipt) -> None:
    """Write the safety card, two pages of the size of a bank card: number and code, then what to do."""
    page = Page(path, CARD_MM, f"card {receipt.label.tag_id}")
    side = page.qr(4, 10, receipt.label.payload, MODULE_MM * 1.6)
    page.text(6, 8, "平安卡", 14)
    page.text(CARD_MM[0] - 6, 8, receipt.terms.install_point, 8, "right")
    page.text(6 + side, 20, receipt.label.tag_id, 18)
    page.text(6 + side, 28, receipt.subject, 12)
    if receipt.terms.hotline:
        page.text(6 + side, 36, f"热线 {receipt.terms.hotline}", 10)
    page.text(6 + side, 42, f"{receipt.handed_over:%Y-%m-%d}", 8)
    page.next()
    y = 8.0
    for chinese, english in WHEN_STOLEN[:3]:
        y = page.paragraph(5, y, CARD_MM[0] - 10, chinese, 8)
        y = page.paragraph(5, y, CARD_MM[0] - 10, english, 6.5) + 1
    page.save()


def _facts(receipt: Receipt) -> list[tuple[str, str]]:
    chinese, english = PROFILES[receipt.profile]
    facts = [
        ("编号 / number", receipt.label.tag_id),
        ("用途 / for", f"{chinese} / {english}"),
        ("登记 / fitted to", receipt.subject),
        ("安装点 / point", receipt.terms.install_point),
        ("日期 / date", f"{receipt.handed_over:%Y-%m-%d %H:%M}"),
        ("经办 / staff", receipt.operator),
        ("热线 / hotline", receipt.terms.hotline),
    ]
    return [(name, value) for name, value in facts if value]


def _section(page: Page, y: float, title: str, lines: tuple[tuple[str, str], ...]) -> float:
    page.text(12, y, title, 11)
    y += 6
    for chinese, english in lines:
        y = page.paragraph(12, y, 124, chinese, 9)
        y = page.paragraph(12, y, 124, english, 7.5) + 1
    return y + 1
