"""Two models on the same sentences: what one gained and lost over the other, and whether chance does that.

Paired, because two models trained on nearly the same sentences err on nearly the same ones: only those they
differ on say anything (McNemar 1947, exact as in Edwards 1948).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from nlu.evaluation.figures import SEED, share

_RESAMPLES = 4000


@dataclass(frozen=True)
class Paired:
    """Paired comparison: of ``total`` sentences ``gained`` became right and ``lost`` became wrong.

    ``worse`` is how likely chance loses that many more than it gains (one-sided), ``better`` the reverse.
    """

    total: int
    before: int
    after: int
    gained: int
    lost: int
    worse: float
    better: float

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, the shares right before and after, and both probabilities."""
        return {
            **asdict(self),
            "share_before": share(self.before, self.total),
            "share_after": share(self.after, self.total),
            "points": round(100 * (self.after - self.before) / self.total, 2) if self.total else 0.0,
        }


def paired(before: Sequence[bool], after: Sequence[bool]) -> Paired:
    """Compare two models sentence by sentence; raises ``ValueError`` when the lengths differ."""
    pairs = list(zip(before, after, strict=True))
    gained = sum(new and not old for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    return Paired(
        total=len(pairs),
        before=sum(map(bool, before)),
        after=sum(map(bool, after)),
        gained=gained,
        lost=lost,
        worse=at_least(lost, gained + lost),
        better=at_least(gained, gained + lost),
    )


def at_least(hits: int, tosses: int) -> float:
    """Return how likely a fair coin shows ``hits`` or more heads in ``tosses`` (1.0 of none)."""
    return round(float(binom.sf(hits - 1, tosses, 0.5)), 6) if tosses else 1.0


def difference_interval(before: Sequence[bool], after: Sequence[bool], seed: int = SEED) -> list[float]:
    """Return the 95 % bootstrap interval of the difference in percentage points, ``[low, high]``."""
    change = np.asarray(after, dtype=np.int64) - np.asarray(before, dtype=np.int64)
    if not len(change):
        return [0.0, 0.0]
    drawn = np.random.default_rng(seed).multinomial(
        len(change),
        [(change == value).mean() for value in (-1, 0, 1)],
        size=_RESAMPLES,
    )
    low, high = np.quantile(100 * (drawn[:, 2] - drawn[:, 0]) / len(change), [0.025, 0.975])
    return [round(float(low), 2), round(float(high), 2)]


def by_group(
    groups: Sequence[str], before: Sequence[bool], after: Sequence[bool]
) -> dict[str, Mapping[str, Any]]:
    """Return ``Paired.as_dict`` for the sentences of every group."""
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return {
        group: paired([before[i] for i in inside], [after[i] for i in inside]).as_dict()
        for group, inside in sorted(places.items())
    }
