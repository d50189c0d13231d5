"""Proportions: whether one share is really higher than another, or chance alone does as much.

Which test, and why: against a known share the binomial tail, exact; between two counted shares Fisher's exact
test while any cell of the table is expected to hold fewer than five (the normal curve is wrong there), and
the pooled two-proportion z-test above that, where both agree and it costs nothing. All are asked one way
only, “is the first one higher?”. Intervals are Wilson's: they stay within 0 and 1
and hold for small numbers too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95
FEW = 5
"""Fewer expected in a cell are too few for the normal curve."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Rate:
    """Rate: how many of how many. ``count`` is at most ``total``; of nothing there is no share."""

    count: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total:
            raise ValueError(f"{self.count} of {self.total}")

    @property
    def share(self) -> float | None:
        """The share, 0 to 1, or None of nothing."""
        return self.count / self.total if self.total else None

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Wilson's interval for the share, 0 to 1; of nothing anything is possible."""
        if not self.total:
            return 0.0, 1.0
        z = _NORMAL.inv_cdf((1 + confidence) / 2)
        share, many = self.count / self.total, self.total
        middle = (share + z * z / (2 * many)) / (1 + z * z / many)
        half = z / (1 + z * z / many) * math.sqrt(share * (1 - share) / many + z * z / (4 * many * many))
        # Rounding must not put the end of 0 of 10 a hair above nothing.
        low = 0.0 if self.count == 0 else max(0.0, middle - half)
        return low, 1.0 if self.count == many else min(1.0, middle + half)


def chance_of_more(here: Rate, there: Rate) -> float:
    """The probability that chance alone makes the first share so much higher; 1 of nothing."""
    total = here.total + there.total
    if not here.total or not there.total:
        return 1.0
    count = here.count + there.count
    if min(here.total, there.total) * min(count, total - count) < FEW * total:
        return _fisher(here, there)
    pooled = count / total
    spread = math.sqrt(pooled * (1 - pooled) * (1 / here.total + 1 / there.total))
    return 1 - _NORMAL.cdf((here.count / here.total - there.count / there.total) / spread)


def chance_of_more_than(here: Rate, share: float) -> float:
    """The probability of so many or more of ``here.total`` when each happens with ``share``; 1 of nothing."""
    if here.count == 0 or share >= 1:
        return 1.0
    if share <= 0:
        return 0.0
    terms = (
        _choose(here.total, many) + many * math.log(share) + (here.total - many) * math.log1p(-share)
        for many in range(here.count, here.total + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def _fisher(here: Rate, there: Rate) -> float:
    """The hypergeometric tail: the same margins, and so many or more of them here."""
    count = here.count + there.count
    ways = _choose(here.total + there.total, count)
    most = min(count, here.total)
    terms = (
        _choose(here.total, many) + _choose(there.total, count - many) - ways
        for many in range(here.count, most + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def _choose(many: int, of_them: int) -> float:
    """The logarithm of “many choose of_them”."""
    return math.lgamma(many + 1) - math.lgamma(of_them + 1) - math.lgamma(many - of_them + 1)
