"""The report as one page that holds everything it shows: no script, no outside file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nlu.evaluation import pictures


def as_page(report: Mapping[str, Any]) -> str:
    """Return a ``full_report`` with its ``about`` as HTML, readable on a phone and on dark paper."""
    environment = Environment(
        loader=PackageLoader("nlu", "evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "figure": _figure}
    drawings = {
        "reliability": pictures.reliability(report),
        "risk_coverage": pictures.risk_coverage(report),
        "roc": pictures.rejection_roc(report),
        "bars": pictures.topic_bars(report),
        "confusion": pictures.confusion(report),
    }
    template = environment.get_template("report.html.j2")
    # Our own drawings, made of topic keys and numbers: no member's words are in them.
    return template.render(report=report, pictures={name: Markup(svg) for name, svg in drawings.items()})  # noqa: S704


def _percent(value: float | None, digits: int = 1) -> str:
    """A share as per cent; a dash where nothing was measured."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
