"""Labels of tags: a sheet of them as PDF, a single one as PDF or for a thermal printer (ZPL II)."""

from collections.abc import Sequence
from dataclasses import dataclass

from groundnet.errors import GroundnetError
from groundnet.provision.label import Label, encode
from groundnet.provision.paper import qr_code
from groundnet.provision.paper.drawing import A4_MM, Page

MODULE_MM = 0.5
_DOTS_PER_MM = 8  # a printer of 203 dpi
_ZPL_MODULE_DOTS = 4  # 0.5 mm


class SheetError(GroundnetError):
    """A layout of labels that does not fit its sheet."""


@dataclass(frozen=True)
class TagLabel:
    """One label: the device, and the code below the square that people type. Never key material."""

    device_id: bytes
    tag_id: str

    @property
    def payload(self) -> str:
        return encode(Label(self.device_id))


@dataclass(frozen=True)
class Sheet:
    """How labels lie on a sheet of A4; millimetres. The default is 40 labels of 52.5 by 29.7 mm."""

    columns: int = 4
    rows: int = 10
    label_mm: tuple[float, float] = (52.5, 29.7)
    margin_mm: tuple[float, float] = (0.0, 0.0)
    first: int = 0  # places that were used up before

    def place_mm(self, index: int) -> tuple[float, float]:
        """Top left of the label at this place of its page."""
        row, column = divmod(index, self.columns)
        return (
            self.margin_mm[0] + column * self.label_mm[0],
            self.margin_mm[1] + row * self.label_mm[1],
        )


def write_sheet(path, labels: Sequence[TagLabel], sheet: Sheet | None = None) -> int:
    """Write a PDF with all labels; returns its pages. Raises SheetError for a layout beyond the paper."""
    layout = sheet or Sheet()
    width, height = layout.label_mm
    right, bottom = layout.place_mm(layout.columns * layout.rows - 1)
    if right + width > A4_MM[0] + 0.1 or bottom + height > A4_MM[1] + 0.1:
        raise SheetError("the labels do not fit on A4", "use fewer columns or rows, or smaller labels")
    per_page = layout.columns * layout.rows
    page = Page(path, A4_MM, "groundnet labels")
    for index, label in enumerate(labels, layout.first % per_page):
        if index and index % per_page == 0:
            page.next()
        _draw(page, *layout.place_mm(index % per_page), label, layout.label_mm)
    page.save()
    return max(1, -(-(layout.first % per_page + len(labels)) // per_page))


def write_one(path, label: TagLabel, label_mm: tuple[float, float] = (50.0, 25.0)) -> None:
    """Write a PDF with one label of its own size."""
    page = Page(path, label_mm, label.tag_id)
    _draw(page, 0, 0, label, label_mm)
    page.save()


def _draw(page: Page, x_mm: float, y_mm: float, label: TagLabel, label_mm: tuple[float, float]) -> None:
    width, height = label_mm
    side = (qr_code.size(label.payload) + 8) * MODULE_MM
    if side > min(width, height):
        raise SheetError(
            f"a label of {width:g} x {height:g} mm is too small for its code", f"use at least {side:g} mm"
        )
    page.qr(x_mm, y_mm + (height - side) / 2, label.payload, MODULE_MM)
    page.text(x_mm + side, y_mm + height / 2 - 1, label.tag_id, 11)
    page.text(x_mm + side, y_mm + height / 2 + 4, label.device_id.hex().upper()[-8:], 7)
    page.text(x_mm + side, y_mm + height / 2 + 8, "平安卡 groundnet", 6)


def zpl(label: TagLabel, label_mm: tuple[float, float] = (50.0, 25.0), copies: int = 1) -> str:
    """The label for a thermal printer of 203 dpi in ZPL II: ^BQ model 2, error correction M, automatic mode."""
    width, height = (round(side * _DOTS_PER_MM) for side in label_mm)
    side = (qr_code.size(label.payload) + 8) * _ZPL_MODULE_DOTS
    top = max(0, (height - side) // 2)
    return "\n".join(
        (
            "^XA",
            "^CI28",  # UTF-8
            f"^PW{width}",
            f"^LL{height}",
            f"^FO{4 * _ZPL_MODULE_DOTS},{top + 4 * _ZPL_MODULE_DOTS}",
            f"^BQN,2,{_ZPL_MODULE_DOTS}",
            f"^FDMA,{label.payload}^FS",
            f"^FO{side},{height // 2 - 30}^A0N,32,32^FD{label.tag_id}^FS",
            f"^FO{side},{height // 2 + 10}^A0N,20,20^FD{label.device_id.hex().upper()[-8:]}^FS",
            f"^PQ{copies}",
            "^XZ",
            "",
        )
    )
