"""docs/benchmarks.md: the rows last written of each work and scale, with machine facts and a plot."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.measured import Measured
from tests.benchmarks.plot import bars

DOCS = Path(__file__).parents[2] / "docs"
DATA, PAGE, PLOT = DOCS / "benchmarks.json", DOCS / "benchmarks.md", DOCS / "benchmarks.svg"
NAMED = ("psycopg", "pyarrow", "granian", "orjson")


def write(measured: list[Measured], scale: str) -> None:
    """Replaces the rows of the works that were measured at this scale, keeps the others', and renders the page."""
    DOCS.mkdir(exist_ok=True)
    kept = json.loads(DATA.read_text()) if DATA.exists() else []
    works = {row.work for row in measured}
    kept = [row for row in kept if row["scale"] != scale or row["work"] not in works]
    facts = {"scale": scale, "on": datetime.now(UTC).date().isoformat(), "machine": machine()}
    rows = sorted(kept + [row.as_json() | facts for row in measured], key=lambda row: (row["scale"], row["work"]))
    DATA.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(_page(rows))
    PLOT.write_text(bars([(f"{row['work']}: {row['against']}", _reach(row)) for row in rows]))


def machine() -> str:
    """Cores, processor, memory and versions, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    named = ", ".join(f"{name} {version(name)}" for name in NAMED)
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Python {platform.python_version()}, {named}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _reach(row: dict[str, Any]) -> float:
    """How far a ratio reaches its goal: 1 is just met, more is better."""
    sign, _, goal = row["goal"].partition(" ")
    return float(row["ratio"]) / float(goal) if sign == ">=" else float(goal) / float(row["ratio"])


def _page(rows: list[dict[str, Any]]) -> str:
    parts = [
        "# Measured against the alternatives\n",
        "Written by `python -m tests.benchmarks --scale SCALE --write`: full, medium (a tenth) or small (a hundredth).",
        "The rows are kept in `benchmarks.json`; those of works or scales not measured again stay.\n",
        "`ours` and `theirs` are medians of rounds taken by turns (ours, theirs, ours, theirs) on the same data in the",
        "same run; `ratio` is the median of the rounds' own ratios. Only ratios compare between machines.\n",
        "![how far each ratio reaches its goal](benchmarks.svg)\n",
    ]
    for scale in sorted({row["scale"] for row in rows}):
        parts += _section(scale, [row for row in rows if row["scale"] == scale])
    return "\n".join(parts) + "\n"


def _section(scale: str, rows: list[dict[str, Any]]) -> list[str]:
    parts = [f"## Scale {scale}\n", "| work | against | ours | theirs | unit | ratio | goal | met |"]
    parts.append("|---|---|--:|--:|---|--:|--:|---|")
    for row in rows:
        met = "yes" if row["met"] else "**no**"
        figures = f"{row['ours']:,.4g} | {row['theirs']:,.4g} | {row['unit']} | {row['ratio']:.3g} | {row['goal']}"
        parts.append(f"| {row['work']} | {row['against']} | {figures} | {met} |")
    parts += ["", *(f"- **{row['work']}**, {row['against']}: {row['note']}" for row in rows if row["note"]), ""]
    for machine_and_day in sorted({f"{row['machine']}, {row['on']}" for row in rows}):
        works = sorted({row["work"] for row in rows if f"{row['machine']}, {row['on']}" == machine_and_day})
        parts.append(f"Machine of {', '.join(works)}: {machine_and_day}.\n")
    return parts
