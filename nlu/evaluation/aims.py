"""Aims and floors: what a figure should reach, and what it must not fall below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Limit:
    """What a figure of a report must reach (``at_least``) or keep under (``at_most``).

    ``figure`` is its path in the report (``crisis.together.recall``); ``says`` what that means, or where
    the figure comes from when this report does not hold it.
    """

    figure: str
    at_least: float | None = None
    at_most: float | None = None
    says: str = ""


_BENCH = "make bench-nlu measures it"
AIMS = (
    Limit("accuracy", at_least=0.88, says="topic accuracy, a second defensible topic counts"),
    Limit("out_of_scope.answered_wrongly", at_most=0.05, says="out-of-scope messages acted on"),
    Limit("out_of_scope.in_scope_turned_away", at_most=0.08, says="in-scope messages refused"),
    Limit("crisis.together.missed", at_most=0, says="crisis messages missed"),
    Limit("crisis.together.recall", at_least=0.98, says="crisis recall"),
    Limit("crisis.together.false_alarms_on_near_misses", at_most=0.03, says="crisis alarms on near-misses"),
    Limit("robustness.homophones.drop_points", at_most=3, says="points lost under homophone noise"),
    Limit("robustness.typos.drop_points", at_most=3, says="points lost under typos"),
    Limit("facts.precision", at_least=0.97, says="facts found that are right"),
    Limit("facts.recall", at_least=0.90, says="facts stated that are found"),
    Limit("bench.points_over_stock_rasa", at_least=5, says=f"points over stock Rasa ({_BENCH})"),
    Limit("bench.training_seconds", at_most=60, says=f"full training, 2 cores ({_BENCH})"),
    Limit("bench.parse_p50_ms", at_most=5, says=f"parse in the server, p50 ms ({_BENCH})"),
    Limit("bench.parse_p99_ms", at_most=15, says=f"parse in the server, p99 ms ({_BENCH})"),
)
"""The aims of issue 3."""


def look_up(report: Mapping[str, Any], figure: str) -> float | None:
    """Return the figure at a dotted path of a report, or None where it was not measured."""
    value: Any = report
    for key in figure.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def judge(report: Mapping[str, Any], limits: Sequence[Limit] = AIMS) -> list[dict[str, Any]]:
    """Return every limit with the report's figure and whether it is ``met`` (None: not measured)."""
    judged = []
    for limit in limits:
        value = look_up(report, limit.figure)
        enough = value is not None and (limit.at_least is None or value >= limit.at_least)
        met = enough and value is not None and (limit.at_most is None or value <= limit.at_most)
        aim = f"≥ {limit.at_least:g}" if limit.at_least is not None else f"≤ {limit.at_most:g}"
        judged.append(
            {"figure": limit.figure, "says": limit.says, "aim": aim, "value": value}
            | {"met": None if value is None else met}
        )
    return judged


def below(report: Mapping[str, Any], floors: Sequence[Limit]) -> list[str]:
    """Return a sentence for every floor a report falls through; a missing figure falls through too."""
    return [
        f"{one['figure']} is {'not measured' if one['value'] is None else one['value']}, floor {one['aim']}"
        for one in judge(report, floors)
        if not one["met"]
    ]


def read_floors(path: Path) -> list[Limit]:
    """Read a file of floors: ``floors: [{figure, at_least | at_most, measured, measured_on}]``.

    Raises ``ValueError`` for an entry with no figure, without exactly one bound, or without what was
    measured and on which day.
    """
    floors = []
    for number, entry in enumerate(yaml.safe_load(path.read_text("utf-8"))["floors"], start=1):
        bounds = {"at_least", "at_most"} & set(entry)
        missing = {"figure", "measured", "measured_on"} - set(entry)
        unknown = set(entry) - {"figure", "measured", "measured_on", "at_least", "at_most", "note"}
        if len(bounds) != 1 or missing or unknown:
            raise ValueError(
                f"{path.name}, floor {number}: expected figure, measured, measured_on and one of at_least, "
                f"at_most; got {sorted(entry)}"
            )
        floors.append(Limit(entry["figure"], entry.get("at_least"), entry.get("at_most")))
    if not floors:
        raise ValueError(f"{path.name} has no floors")
    return floors
