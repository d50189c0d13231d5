"""Charts: small pictures of numbers as SVG, drawn on the server with the desk's classes and no script.

Each has a name of its own on the page (for its identifiers), a title and a description, says ``empty`` when
there is nothing to draw, and stands beside the table that says the same in words. Colours and strokes are
classes (``desk/static/reports.css``): the content security policy forbids style attributes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 34
ROW = 28
"""Height of one line of horizontal bars."""
LABELS_WIDTH = 168
MAX_TICKS = 5
MAX_LABELS = 12

Number = float | int | None
Shown = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """Series: one value for each label, None where there is none."""

    name: str
    values: Sequence[Number]


def whole(value: float) -> str:
    """A count as a chart shows it."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """A share of 0 to 1 as a chart shows it."""
    return f"{value * 100:.0f}%"


def short(value: float) -> str:
    """A duration or a mean as a chart shows it: one digit after the point, when it has one."""
    return f"{value:,.1f}".removesuffix(".0")


def nice_ticks(highest: float, *, whole_only: bool = False) -> list[float]:
    """The marks of an axis from 0 to at least ``highest``: at most six, in steps of 1, 2, 2.5 or 5."""
    if highest <= 0:
        return [0, 1]
    rough = highest / MAX_TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * (1 - 1e-9))
    if whole_only:
        step = max(1, math.ceil(step))
    marks = math.ceil(highest / step - 1e-9)
    return [round(mark * step, 10) for mark in range(marks + 1)]


def stacked_columns(
    name: str,
    title: str,
    empty: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    shown: Shown = whole,
) -> Markup:
    """Upright columns, one for each label, the series standing on each other."""
    totals = [sum(one.values[place] or 0 for one in series) for place in range(len(labels))]
    if not any(totals):
        return _empty(title, empty)
    ticks = nice_ticks(max(totals), whole_only=shown is whole)
    step = (WIDTH - LEFT - RIGHT) / len(labels)
    bar = min(step * 0.72, 48)
    parts = [*_axis(ticks, shown), *_labels(labels, step)]
    for place, label in enumerate(labels):
        below = 0.0
        for number, one in enumerate(series, 1):
            value = one.values[place] or 0
            if not value:
                continue
            top, foot = _y(below + value, ticks[-1]), _y(below, ticks[-1])
            parts.append(
                _tag(
                    "rect",
                    _tag("title", _words(label, one.name, shown(value))),
                    x=LEFT + step * place + (step - bar) / 2,
                    y=top,
                    width=bar,
                    height=max(foot - top, 1),
                    class_=f"chart-fill chart-{number}",
                )
            )
            below += value
    described = "；".join(_words(label, shown(total)) for label, total in zip(labels, totals, strict=True))
    return _figure(name, title, described, parts, legend=series)


def lines(
    name: str,
    title: str,
    empty: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    shown: Shown = short,
    highest: float | None = None,
    marks: Sequence[tuple[int, str, str]] = (),
) -> Markup:
    """Lines over the labels; where a value is missing the line is broken, and no zero is drawn.

    ``marks`` are upright lines: the place of a label, the short sign above, and what happened there.
    """
    known = [value for one in series for value in one.values if value is not None]
    if not known:
        return _empty(title, empty)
    ticks = nice_ticks(max([*known, highest or 0]))
    step = (WIDTH - LEFT - RIGHT) / len(labels)
    parts = [*_axis(ticks, shown), *_labels(labels, step), *_marks(labels, step, marks)]
    for number, one in enumerate(series, 1):
        for stretch in _stretches(one.values):
            points = [(LEFT + step * (place + 0.5), _y(value, ticks[-1])) for place, value in stretch]
            if len(points) > 1:
                path = " ".join(f"{_round(x)},{_round(y)}" for x, y in points)
                parts.append(_tag("polyline", points=path, class_=f"chart-line chart-{number}"))
            for (x, y), (place, value) in zip(points, stretch, strict=True):
                mark = _tag("title", _words(labels[place], one.name, shown(value)))
                parts.append(_tag("circle", mark, cx=x, cy=y, r=3.5, class_=f"chart-fill chart-{number}"))
    described = "；".join(
        _words(label, one.name, shown(value))
        for one in series
        for label, value in zip(labels, one.values, strict=True)
        if value is not None
    )
    happened = "；".join(_words(sign, labels[place], what) for place, sign, what in marks)
    described = "；".join(part for part in (described, happened) if part)
    return _figure(name, title, described, parts, legend=series, of_lines=True)


def bars(
    name: str, title: str, empty: str, rows: Sequence[tuple[str, float]], *, shown: Shown = whole
) -> Markup:
    """Lying bars, one for each row that has something, the longest first, with the number at its end."""
    rows = sorted((row for row in rows if row[1]), key=lambda row: -row[1])
    if not rows:
        return _empty(title, empty)
    highest = max(value for _, value in rows)
    height = ROW * len(rows) + 8
    room = WIDTH - LABELS_WIDTH - 72
    parts = []
    for place, (label, value) in enumerate(rows):
        middle = 4 + ROW * place + ROW / 2
        length = max(room * value / highest, 1)
        parts += [
            _tag(
                "text",
                escape(_cut(label)),
                x=LABELS_WIDTH - 10,
                y=middle + 4,
                class_="chart-text chart-end",
            ),
            _tag(
                "rect",
                _tag("title", _words(label, shown(value))),
                x=LABELS_WIDTH,
                y=middle - 9,
                width=length,
                height=18,
                class_="chart-fill chart-1",
            ),
            _tag(
                "text",
                escape(shown(value)),
                x=LABELS_WIDTH + length + 8,
                y=middle + 4,
                class_="chart-text chart-strong",
            ),
        ]
    described = "；".join(_words(label, shown(value)) for label, value in rows)
    return _figure(name, title, described, parts, height=height)


def _figure(
    name: str,
    title: str,
    described: str,
    parts: Sequence[Markup],
    *,
    height: int = HEIGHT,
    legend: Sequence[Series] = (),
    of_lines: bool = False,
) -> Markup:
    """The SVG in a box that scrolls where the screen is narrow, its name above and its legend below."""
    drawing = _tag(
        "svg",
        _tag("title", escape(title), id=f"{name}-title"),
        _tag("desc", escape(described), id=f"{name}-desc"),
        *parts,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="chart-drawing",
    )
    kind = "chart-key-line" if of_lines else "chart-key"
    keys = [
        _tag("li", _tag("span", class_=f"{kind} chart-{number}", aria_hidden="true"), escape(one.name))
        for number, one in enumerate(legend, 1)
    ]
    return _tag(
        "figure",
        _tag("figcaption", escape(title)),
        _tag("div", drawing, class_="chart-scroll", tabindex=0, role="group", aria_label=title),
        _tag("ul", *keys, class_="chart-legend") if len(keys) > 1 else Markup(""),
        class_="chart",
    )


def _empty(title: str, empty: str) -> Markup:
    return _tag(
        "figure",
        _tag("figcaption", escape(title)),
        _tag("p", escape(empty), class_="chart-empty"),
        class_="chart",
    )


def _axis(ticks: Sequence[float], shown: Shown) -> Iterator[Markup]:
    for tick in ticks:
        y = _y(tick, ticks[-1])
        yield _tag("line", x1=LEFT, y1=y, x2=WIDTH - RIGHT, y2=y, class_="chart-grid")
        yield _tag("text", escape(shown(tick)), x=LEFT - 8, y=y + 4, class_="chart-text chart-end")


def _labels(labels: Sequence[str], step: float) -> Iterator[Markup]:
    """What stands under the columns: every one while they fit, else every second, third …"""
    every = math.ceil(len(labels) / MAX_LABELS)
    for place in range(0, len(labels), every):
        yield _tag(
            "text",
            escape(labels[place]),
            x=LEFT + step * (place + 0.5),
            y=HEIGHT - BOTTOM + 20,
            class_="chart-text chart-middle",
        )


def _marks(labels: Sequence[str], step: float, marks: Sequence[tuple[int, str, str]]) -> Iterator[Markup]:
    """Upright lines with a sign above; several at one place stand under each other."""
    for number, (place, sign, what) in enumerate(marks):
        x = LEFT + step * (place + 0.5)
        above = sum(one == place for one, _, _ in marks[:number])
        title = _tag("title", _words(sign, labels[place], what))
        if not above:
            yield _tag("line", title, x1=x, y1=TOP, x2=x, y2=HEIGHT - BOTTOM, class_="chart-mark")
        yield _tag(
            "text", title, escape(sign), x=x + 4, y=TOP + 10 + 14 * above, class_="chart-text chart-sign"
        )


def _stretches(values: Sequence[Number]) -> Iterator[list[tuple[int, float]]]:
    """The runs of neighbouring values that are there, each with its place."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _y(value: float, highest: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / highest)


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _cut(label: str, most: int = 12) -> str:
    label = label.unescape() if isinstance(label, Markup) else label
    return label if len(label) <= most else label[: most - 1] + "…"


def _round(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def _tag(name: str, *inner: Markup | str, **attributes: object) -> Markup:
    """An element; attribute names lose their underscores (``class_``, ``aria_label``), values are escaped."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_round(value))}"' for key, value in attributes.items()
    )
    content = Markup("").join(inner)
    return Markup(f"<{name}{shown}>{content}</{name}>")  # noqa: S704  # every part was escaped above
