"""Plots as SVG written by hand: no library, and a change of a figure is a change of a line."""

from __future__ import annotations

from html import escape
from math import log10

WIDTH, LEFT, ROW = 900, 430, 26


def bars(reaches: list[tuple[str, float]]) -> str:
    """One bar per label on a logarithmic axis from a tenth of the goal to a hundred times it; the line is the goal."""
    height = ROW * (len(reaches) + 2)
    goal = _at(1.0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for place, (label, reach) in enumerate(reaches):
        lines += _bar(ROW * (place + 0.5), label, reach)
    lines.append(f'<line x1="{goal}" x2="{goal}" y1="4" y2="{height - ROW}" stroke="black" stroke-dasharray="3 3"/>')
    lines += [
        f'<text x="{_at(reach)}" y="{height - 8}" text-anchor="middle">{name}</text>'
        for reach, name in ((0.1, "a tenth"), (1, "the goal"), (10, "10 times"), (100, "100 times"))
    ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(top: float, label: str, reach: float) -> list[str]:
    end = _at(min(max(reach, 0.1), 100))
    colour = "#2a7f4f" if reach >= 1 else "#b5482f"
    return [
        f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(label[:70])}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{max(end - LEFT, 2):.0f}" height="18" fill="{colour}"/>',
        f'<text x="{end + 5:.0f}" y="{top + 13}">{reach:.3g}</text>',
    ]


def _at(reach: float) -> float:
    return round(LEFT + (log10(reach) + 1) / 3 * (WIDTH - LEFT - 60))
