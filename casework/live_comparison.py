"""Live comparison: two versions' live figures side by side, and whether a difference is more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from casework.live_figures import LiveFigures
from casework.model_bands import RATES, Bands
from casework.proportions import CONFIDENCE, Rate, chance_of_more


class Difference(StrEnum):
    """What can be said of two shares."""

    NOTHING = "nothing"
    """Nothing was counted on one side."""
    TOO_FEW = "too_few"
    SAME = "same"
    """Chance alone makes as much of a difference."""
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Compared:
    """Compared: one figure of two versions."""

    figure: str
    here: Rate
    there: Rate
    difference: Difference

    @property
    def points(self) -> float | None:
        """How many percentage points it is above the other one."""
        if self.here.share is None or self.there.share is None:
            return None
        return round(100 * (self.here.share - self.there.share), 1)


def compare(here: LiveFigures, there: LiveFigures, bands: Bands) -> list[Compared]:
    """Each share of two versions side by side; from as many on as the bands ask for, it is judged."""
    return [
        Compared(name, one, other, _difference(one, other, bands.rates[name].least))
        for name in RATES
        for one, other in ((_rate(here, name), _rate(there, name)),)
    ]


def _difference(here: Rate, there: Rate, least: int) -> Difference:
    if not here.total or not there.total:
        return Difference.NOTHING
    if min(here.total, there.total) < least:
        return Difference.TOO_FEW
    # Asked both ways: half of what may be chance is left for each.
    if chance_of_more(here, there) < (1 - CONFIDENCE) / 2:
        return Difference.MORE
    if chance_of_more(there, here) < (1 - CONFIDENCE) / 2:
        return Difference.LESS
    return Difference.SAME


def _rate(figures: LiveFigures, name: str) -> Rate:
    rate: Rate = getattr(figures, name)
    return rate
