"""Bars as inline SVG: places and sizes only; colours come from the style sheet, so that dark mode has its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP = 900, 110, 2


@dataclass(frozen=True)
class Bar:
    """One bar: what it is (shown on hovering, read by screen readers), where it stands, and its kind for its colour."""

    label: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    link: str | None = None


def bars(values: Sequence[tuple[str, str, float]], links: Sequence[str | None] = ()) -> list[Bar]:
    """Bars of (label, kind, value) from left to right, the tallest as tall as the chart; zeros are a hairline."""
    if not values:
        return []
    peak = max(max(value for _, _, value in values), 1e-9)
    step = WIDTH / len(values)
    width = round(max(step - GAP, 1), 1)
    found = []
    for place, (label, kind, value) in enumerate(values):
        height = round(max(HEIGHT * value / peak, 1), 1)
        link = links[place] if links else None
        found.append(Bar(label, kind, round(place * step, 1), round(HEIGHT - height, 1), width, height, link))
    return found
