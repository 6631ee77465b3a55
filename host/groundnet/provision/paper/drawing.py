"""Drawing on PDF pages, in millimetres from the top left; Chinese without shipping a font."""

from collections.abc import Sequence

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from groundnet.provision.paper import qr_code

FONT = "STSong-Light"  # of Adobe's Asian font packs: every PDF reader has it or draws something like it
A4_MM = (210.0, 297.0)
A5_MM = (148.0, 210.0)
_QUIET_MODULES = 4


class Page:
    """One page after the other of a PDF.

    Args:
        path: of the file to write, or a binary stream.
        size_mm: (width, height).
        title: what a reader's window says.
    """

    def __init__(self, path, size_mm: tuple[float, float], title: str) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        self.width_mm, self.height_mm = size_mm
        # No date and no random id: the same record gives the same file.
        self._canvas = Canvas(path, (self.width_mm * mm, self.height_mm * mm), invariant=True)
        self._canvas.setTitle(title)

    def text(self, x_mm: float, y_mm: float, text: str, size_pt: float = 10, align: str = "left") -> None:
        """One line; ``y_mm`` is its base line."""
        self._canvas.setFont(FONT, size_pt)
        draw = {
            "left": self._canvas.drawString,
            "center": self._canvas.drawCentredString,
            "right": self._canvas.drawRightString,
        }[align]
        draw(x_mm * mm, self._up(y_mm), text)

    def paragraph(self, x_mm: float, y_mm: float, width_mm: float, text: str, size_pt: float = 9) -> float:
        """Wrapped text; returns the base line of the line below it."""
        for line in wrapped(text, width_mm * mm, size_pt):
            self.text(x_mm, y_mm, line, size_pt)
            y_mm += size_pt * 0.55
        return y_mm

    def rows(
        self,
        x_mm: float,
        y_mm: float,
        pairs: Sequence[tuple[str, str]],
        value_x_mm: float,
        size_pt: float = 10,
    ) -> float:
        """Names and values below each other; returns the base line below them."""
        for name, value in pairs:
            self.text(x_mm, y_mm, name, size_pt)
            self.text(value_x_mm, y_mm, value, size_pt)
            y_mm += size_pt * 0.65
        return y_mm

    def rule(self, x_mm: float, y_mm: float, width_mm: float) -> None:
        self._canvas.setLineWidth(0.4)
        self._canvas.line(x_mm * mm, self._up(y_mm), (x_mm + width_mm) * mm, self._up(y_mm))

    def qr(self, x_mm: float, y_mm: float, text: str, module_mm: float) -> float:
        """A QR code with its quiet zone; (x, y) is the top left. Returns its width in mm."""
        side = qr_code.size(text) + 2 * _QUIET_MODULES
        self._canvas.setFillGray(0)
        for row, column, count in qr_code.runs(text):
            left = x_mm + (column + _QUIET_MODULES) * module_mm
            top = y_mm + (row + _QUIET_MODULES) * module_mm
            self._canvas.rect(
                left * mm, self._up(top + module_mm), count * module_mm * mm, module_mm * mm, stroke=0, fill=1
            )
        return side * module_mm

    def path(
        self, points_mm: Sequence[tuple[float, float]], width_mm: float = 0.3, gray: float = 0.0
    ) -> None:
        """Lines from point to point."""
        self._canvas.setLineWidth(width_mm * mm)
        self._canvas.setStrokeGray(gray)
        drawn = self._canvas.beginPath()
        for index, (x_mm, y_mm) in enumerate(points_mm):
            (drawn.lineTo if index else drawn.moveTo)(x_mm * mm, self._up(y_mm))
        self._canvas.drawPath(drawn)
        self._canvas.setStrokeGray(0)

    def circle(
        self, x_mm: float, y_mm: float, radius_mm: float, filled: bool = False, gray: float = 0.0
    ) -> None:
        self._canvas.setLineWidth(0.2 * mm)
        self._canvas.setStrokeGray(gray)
        self._canvas.setFillGray(gray)
        self._canvas.circle(x_mm * mm, self._up(y_mm), radius_mm * mm, stroke=1, fill=int(filled))
        self._canvas.setStrokeGray(0)
        self._canvas.setFillGray(0)

    def next(self) -> None:
        """Begin a new page."""
        self._canvas.showPage()

    def save(self) -> None:
        self._canvas.save()

    def _up(self, y_mm: float) -> float:
        return (self.height_mm - y_mm) * mm


def wrapped(text: str, width_pt: float, size_pt: float) -> list[str]:
    """Lines that fit: words stay whole, Chinese breaks anywhere."""
    lines = [""]
    for piece in _pieces(text):
        if piece == "\n":
            lines.append("")
        elif pdfmetrics.stringWidth((lines[-1] + piece).rstrip(), FONT, size_pt) <= width_pt or not lines[-1]:
            lines[-1] += piece
        else:
            lines.append(piece.lstrip())
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    pieces, word = [], ""
    for character in text:
        if character.isascii() and not character.isspace():
            word += character
            continue
        if word:
            pieces.append(word)
            word = ""
        pieces.append(character)
    return [*pieces, word] if word else pieces
