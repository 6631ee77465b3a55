"""The slip with the owner's token: printed once and handed over, since nobody keeps the token in clear."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from groundnet.errors import GroundnetError, Text
from groundnet.provision.paper.drawing import Page

A6_MM = (105.0, 148.0)
WHAT_FOR = (
    ("凭此凭证可以查询本人车辆的位置和轨迹，无需立案。每次查询都有记录。",
     "Whoever shows this may see where the vehicle is and was, without a case. Each look is written down."),
    ("请像保管钥匙一样保管，不要拍照，不要告诉他人。",
     "Keep it as you keep a key: no picture of it, and nobody else."),
    ("丢失或被他人看到时，请到安装点重新领取；旧凭证随即作废。转让车辆时凭证同样作废。",
     "When it is lost or was seen, the install point makes a new one, and this one is void at once; so it is when the "
     "vehicle is somebody else's."),
)  # fmt: skip


class SlipError(GroundnetError):
    """The slip cannot be written."""


def hand_over(path: Path, tag_ids: Sequence[str], issue: Callable[[], str]) -> None:
    """Write the slip of a token that ``issue`` makes; the file is readable by its owner alone.

    The token is made when the file is there: one that could not be handed over would only void the one before.
    Raises SlipError, and what ``issue`` raises; then no file is left behind.
    """
    part = path.with_name(path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            write_owner_slip(file, issue(), tag_ids, datetime.now())
        part.replace(path)
    except OSError as error:
        raise SlipError(
            Text(f"{path} cannot be written ({error.strerror})", f"无法写入 {path}（{error.strerror}）"),
            Text("name another file", "请换一个文件"),
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_owner_slip(file: BinaryIO, token: str, tag_ids: Sequence[str], made: datetime) -> None:
    """Write the slip, one page of A6.

    Args:
        token: as `owner_token.issue` gave it.
        tag_ids: of the devices that it opens.
    """
    page = Page(file, A6_MM, "owner's token")
    page.text(10, 16, "车主查询凭证", 16)
    page.text(10, 22, "Owner's token", 10)
    side = page.qr(10, 28, token, 1.0)
    page.text(14 + side, 36, "编号 / number", 8)
    for line, tag_id in enumerate(tag_ids[:4]):
        page.text(14 + side, 42 + 5 * line, tag_id, 11)
    y = 28 + side + 10
    page.text(A6_MM[0] / 2, y, token, 15, "center")
    page.rule(10, y + 6, A6_MM[0] - 20)
    y += 14
    for chinese, english in WHAT_FOR:
        y = page.paragraph(10, y, A6_MM[0] - 20, chinese, 8.5)
        y = page.paragraph(10, y, A6_MM[0] - 20, english, 7) + 1.5
    page.text(10, A6_MM[1] - 6, f"{made:%Y-%m-%d}", 8)
    page.save()
