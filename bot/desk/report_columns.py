"""Report columns: which figures the reports show, in which table, and how a figure is written.

The page and the CSV file share them, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from casework.report_figures import Figures
from casework.spreadsheet import csv_safe

NOTHING = "—"
"""Stands where nothing was counted: never a zero that was not measured."""

Section = Literal["talk", "handoff", "case"]
Kind = Literal["count", "share", "tenths"]


@dataclass(frozen=True, slots=True)
class Column:
    """Column: one figure of a report; its heading is the desk's (``report_words.html``)."""

    name: str
    kind: Kind
    value: Callable[[Figures], float | None]

    def shown(self, figures: Figures) -> str:
        """The figure as it is written: a count, a percentage or a number with one decimal; “—” for none."""
        value = self.value(figures)
        if value is None:
            return NOTHING
        if self.kind == "share":
            return f"{value * 100:.1f}%"
        return f"{value:.0f}" if self.kind == "count" else f"{value:.1f}"


COLUMNS: Mapping[Section, tuple[Column, ...]] = {
    "talk": (
        Column("started", "count", lambda of: of.started),
        Column("conversations", "count", lambda of: of.conversations),
        Column("messages", "count", lambda of: of.messages),
        Column("bot_answered", "count", lambda of: of.bot_answered),
        Column("deflected", "count", lambda of: of.deflected),
        Column("deflection", "share", lambda of: of.deflection),
    ),
    "handoff": (
        Column("handoffs", "count", lambda of: of.handoffs),
        Column("answered", "count", lambda of: of.first_response.count),
        Column("first_median", "tenths", lambda of: of.first_response.median),
        Column("first_p90", "tenths", lambda of: of.first_response.p90),
        Column("still_waiting", "count", lambda of: of.still_waiting),
        Column("never_answered", "count", lambda of: of.never_answered),
        Column("breaches", "count", lambda of: of.breaches),
        Column("ratings", "count", lambda of: of.ratings.count),
        Column("rating_mean", "tenths", lambda of: of.ratings.mean),
        Column("rating_low", "share", lambda of: of.ratings.low_share),
    ),
    "case": (
        Column("cases_opened", "count", lambda of: of.cases_opened),
        Column("cases_resolved", "count", lambda of: of.cases_resolved),
        Column("resolution_median", "tenths", lambda of: of.resolution.median),
        Column("resolution_p90", "tenths", lambda of: of.resolution.p90),
        Column("reopened", "count", lambda of: of.cases_reopened),
        Column("reopened_share", "share", lambda of: of.reopened_share),
        Column("urged", "count", lambda of: of.urged),
        Column("case_breaches", "count", lambda of: of.case_breaches),
        Column("case_ratings", "count", lambda of: of.case_ratings.count),
        Column("case_rating_mean", "tenths", lambda of: of.case_ratings.mean),
        Column("case_rating_low", "share", lambda of: of.case_ratings.low_share),
    ),
}


def csv_line(*cells: object) -> str:
    """One line of a CSV file; a cell that a spreadsheet might run as a formula is made plain text."""
    return ",".join(_quoted(csv_safe(str(cell))) for cell in cells) + "\r\n"


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
