"""Pictures of a report as inline SVG: no script, no outside file, colours from the page's style sheet.

Drawn in stand-in colours, which are then replaced by the page's CSS variables, so that one picture is
readable on light and on dark paper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_INK, _SOFT, _LINE, _HIT, _MISS, _SECOND = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f", "#101112"
_VARIABLES = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _LINE: "var(--line)",
    _HIT: "var(--hit)",
    _MISS: "var(--miss)",
    _SECOND: "var(--second)",
}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "niangjia",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _LINE,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "grid.color": _LINE,
    "legend.frameon": False,
}
_POINT = "D"
Report = Mapping[str, Any]


def reliability(report: Report) -> str:
    """Draw confidence against the share that is right, with one point per equal-mass bin."""
    bins = report["calibration"]["bins"]
    with mpl.rc_context(_STYLE):
        figure, axes = _square("confidence", "share that is right")
        axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=1, linestyle="--", label="perfectly calibrated")
        sure, right = [one["confidence"] for one in bins], [one["accuracy"] for one in bins]
        axes.plot(sure, right, color=_HIT, linewidth=2, marker="o", markersize=5, label="model")
        axes.legend(loc="upper left")
        return _svg(figure, "reliability")


def risk_coverage(report: Report) -> str:
    """Draw the share that is wrong among the surest, over the share kept."""
    points = report["risk_coverage"]["points"]
    with mpl.rc_context(_STYLE):
        figure, axes = _square("coverage", "risk (share that is wrong)")
        risks = [point["risk"] for point in points]
        axes.set_ylim(0, max([0.1, *risks]) * 1.15)
        axes.plot([point["coverage"] for point in points], risks, color=_HIT, linewidth=2)
        coverage, wrong = report["coverage"], 1 - report["accuracy_of_accepted"]
        if report["coverage"]:
            axes.plot([coverage], [wrong], _POINT, color=_MISS, markersize=7, label="acted on, by the house")
            axes.legend(loc="upper left")
        return _svg(figure, "risk")


def rejection_roc(report: Report) -> str:
    """Draw out-of-scope messages caught against in-scope ones refused, with the working point."""
    outside = report["out_of_scope"]
    with mpl.rc_context(_STYLE):
        figure, axes = _square("in-scope messages refused", "out-of-scope messages caught")
        axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=1, linestyle="--")
        refused = [point["refused"] for point in outside["roc"]]
        axes.plot(refused, [point["caught"] for point in outside["roc"]], color=_HIT, linewidth=2)
        lost, caught = outside["in_scope_turned_away"], outside["turned_away"]
        axes.plot([lost], [caught], _POINT, color=_MISS, markersize=7, label="working point")
        axes.add_patch(
            Rectangle((0, 0.95), 0.08, 0.05, fill=False, edgecolor=_SECOND, linewidth=1.5, label="aim")
        )
        axes.legend(loc="lower right")
        return _svg(figure, "roc")


def topic_bars(report: Report) -> str:
    """Draw one bar per topic: its F1, the weakest at the bottom, with its support."""
    topics = sorted(
        ((name, one["f1"], one["support"]) for name, one in report["per_topic"].items() if one["support"]),
        key=lambda item: (item[1], item[0]),
    )
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 0.6 + 0.21 * max(len(topics), 1)))
        axes = figure.add_subplot()
        places = range(len(topics))
        axes.barh(places, [f1 for _, f1, _ in topics], color=_HIT, height=0.7)
        axes.set_yticks(places, [name for name, _, _ in topics])
        axes.set_xlim(0, 1.12)
        axes.set_ylim(-0.6, max(len(topics), 1) - 0.4)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        for place, (_, f1, support) in enumerate(topics):
            axes.text(f1 + 0.01, place, f"{f1:.2f}  ({support})", va="center", color=_SOFT, fontsize=8)
        axes.set_xlabel("F1 (support)")
        _open(axes)
        return _svg(figure, "bars")


def confusion(report: Report) -> str:
    """Draw the confusion matrix: a line per topic meant, a column per topic understood, deeper for more."""
    topics: list[str] = report["confusion_matrix"]["topics"]
    counts: Sequence[Sequence[int]] = report["confusion_matrix"]["counts"]
    many = len(topics)
    with mpl.rc_context({**_STYLE, "font.size": 7}):
        side = 2.2 + 0.165 * many
        figure = Figure(figsize=(side, side))
        axes = figure.add_subplot()
        for line, row in enumerate(counts):
            for column, count in enumerate(row):
                if count:
                    share = count / sum(row)
                    color, least = (_HIT, 0.12) if line == column else (_MISS, 0.25)
                    axes.add_patch(
                        Rectangle((column, line), 1, 1, color=color, alpha=least + (1 - least) * share, lw=0)
                    )
                    if line != column:
                        middle = (column + 0.5, line + 0.55)
                        axes.text(*middle, str(count), ha="center", va="center", fontsize=6)
        groups = [topic.partition(".")[0] for topic in topics]
        for place in range(1, many):
            if groups[place] != groups[place - 1]:
                axes.axhline(place, color=_LINE, linewidth=0.8)
                axes.axvline(place, color=_LINE, linewidth=0.8)
        axes.set(xlim=(0, many), ylim=(many, 0), aspect="equal")
        axes.set_xticks([place + 0.5 for place in range(many)], topics, rotation=90)
        axes.set_yticks([place + 0.5 for place in range(many)], topics)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.set_ylabel("meant")
        axes.set_xlabel("understood")
        axes.xaxis.set_label_position("top")
        return _svg(figure, "confusion")


def _square(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 4.2))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up)
    axes.grid(linewidth=0.6)
    _open(axes)
    return figure, axes


def _open(axes: Axes) -> None:
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _svg(figure: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element whose ids are its own and whose colours are the page's."""
    FigureCanvasSVG(figure)
    file = StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(file, format="svg", transparent=True, bbox_inches="tight", metadata=nothing)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'\bid="', f'id="{name}-', drawn)
    drawn = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", drawn)
    drawn = drawn.replace("'DejaVu Sans'", "inherit").replace("DejaVu Sans", "inherit")
    for color, variable in _VARIABLES.items():
        drawn = drawn.replace(color, variable)
    return drawn.strip()
