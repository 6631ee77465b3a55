"""Small SVG plots for the report: a curve over something, and how values are spread between their limits."""

from collections.abc import Sequence
from html import escape

from groundnet.bench.production.measurements import Curve
from groundnet.bench.production.results import Statistics

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 420, 180, 56, 30
_BINS = 16


class _Frame:
    """Turns values into places of a picture."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self._x, self._dx = _span(xs)
        self._y, self._dy = _span(ys)

    def x(self, value: float) -> float:
        return _LEFT + (value - self._x) / self._dx * (_WIDTH - _LEFT - 10)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - self._y) / self._dy * (_HEIGHT - _BOTTOM - 12)

    def axes(self, x_name: str, y_name: str) -> str:
        """The two axes with the ends of their scales."""
        bottom = _HEIGHT - _BOTTOM
        lines = f'<path class="axis" d="M{_LEFT} 12V{bottom}H{_WIDTH - 10}"/>'
        texts = (
            (_LEFT, _HEIGHT - 14, "start", f"{self._x:.4g}"),
            (_WIDTH - 10, _HEIGHT - 14, "end", f"{self._x + self._dx:.4g} {x_name}"),
            (_LEFT - 6, bottom, "end", f"{self._y:.4g}"),
            (_LEFT - 6, 18, "end", f"{self._y + self._dy:.4g}"),
            (_LEFT + 4, 10, "start", y_name),
        )
        return lines + "".join(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
            for x, y, anchor, text in texts
        )


def curve(drawn: Curve) -> str:
    """Points joined by a line."""
    xs, ys = [x for x, _ in drawn.points], [y for _, y in drawn.points]
    frame = _Frame(xs, ys)
    points = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in drawn.points)
    return _picture(frame.axes(*drawn.axes) + f'<polyline points="{points}"/>')


def histogram(spread: Statistics) -> str:
    """How many units measure what, with the limits as lines."""
    limits = [limit for limit in (spread.low, spread.high) if limit is not None]
    low, span = _span([*spread.values, *limits])
    counts = [0] * _BINS
    for value in spread.values:
        counts[min(_BINS - 1, int((value - low) / span * _BINS))] += 1
    frame = _Frame([low, low + span], [0, max(counts)])
    width = frame.x(low + span / _BINS) - frame.x(low) - 1
    bars = "".join(
        f'<rect x="{frame.x(low + index * span / _BINS):.1f}" y="{frame.y(count):.1f}" width="{width:.1f}" '
        f'height="{frame.y(0) - frame.y(count):.1f}"/>'
        for index, count in enumerate(counts)
        if count
    )
    lines = "".join(
        f'<path class="limit" d="M{frame.x(limit):.1f} 12V{_HEIGHT - _BOTTOM}"/>' for limit in limits
    )
    return _picture(frame.axes(spread.unit, "units") + bars + lines)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Where a scale begins, and how far it goes."""
    low, high = min(values), max(values)
    return (low, high - low) if high > low else (low - 0.5, 1.0)


def _picture(inner: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{inner}</svg>'
