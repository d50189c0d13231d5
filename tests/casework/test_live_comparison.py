"""Live comparison: what is said of two versions, and what is left unsaid while there is too little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casework.live_comparison import Compared, Difference, compare
from casework.live_figures import LiveFigures
from casework.model_bands import RATES, Bands
from casework.proportions import Rate

BANDS = Bands.load(Path(__file__).parents[2] / "data" / "knowledge")
LEAST = BANDS.rates["fallback"].least


def figures_of(**values: Any) -> LiveFigures:
    return replace(LiveFigures(), **values)


def compared(here: Rate, there: Rate) -> Compared:
    found = compare(figures_of(fallback=here), figures_of(fallback=there), BANDS)
    assert tuple(one.figure for one in found) == RATES
    return found[0]


@pytest.mark.parametrize(
    ("here", "there", "difference", "points"),
    [
        (Rate(0, 0), Rate(40, 400), Difference.NOTHING, None),
        (Rate(40, 400), Rate(0, 0), Difference.NOTHING, None),
        (Rate(LEAST - 1, LEAST - 1), Rate(0, 400), Difference.TOO_FEW, 100),
        (Rate(LEAST, LEAST), Rate(0, 400), Difference.MORE, 100),
        (Rate(0, 400), Rate(LEAST, LEAST), Difference.LESS, -100),
        (Rate(44, 400), Rate(40, 400), Difference.SAME, 1),
        (Rate(40, 400), Rate(40, 400), Difference.SAME, 0),
        (Rate(60, 400), Rate(40, 400), Difference.MORE, 5),
        (Rate(40, 400), Rate(60, 400), Difference.LESS, -5),
    ],
)
def test_a_difference_is_said_when_it_is_more_than_chance(
    here: Rate, there: Rate, difference: Difference, points: float | None
) -> None:
    found = compared(here, there)
    assert (found.difference, found.points) == (difference, points)
