"""Report figures: what one line of a report counts, and how its rates and spreads are worked out.

A figure that nothing was counted for is None (the page shows “—”): no rate is ever divided by zero.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

LOW_RATING = 2
"""A rating of this or less is a bad one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Spread: how many durations there are, the middle one, and the one that nine in ten do not exceed."""

    count: int
    median: float | None
    p90: float | None


def spread(durations: Sequence[float]) -> Spread:
    """The spread of some durations, in their unit; the 90th percentile is the nearest rank."""
    if not durations:
        return Spread(0, None, None)
    ordered = sorted(durations)
    rank = math.ceil(len(ordered) * 9 / 10)
    return Spread(len(ordered), statistics.median(ordered), ordered[rank - 1])


@dataclass(slots=True)
class Ratings:
    """Ratings: how many marks of 1 to 5 were given, their sum, and how many were 2 or less."""

    count: int = 0
    total: int = 0
    low: int = 0

    @property
    def mean(self) -> float | None:
        """The mean mark."""
        return _rate(self.total, self.count)

    @property
    def low_share(self) -> float | None:
        """The share of marks of 2 or less, 0 to 1."""
        return _rate(self.low, self.count)

    def add(self, other: Ratings) -> None:
        """Count the marks of another line as well."""
        self.count += other.count
        self.total += other.total
        self.low += other.low


@dataclass(slots=True)
class Figures:
    """Figures: everything one line of a report (or its totals) counts.

    ``conversations``, ``messages``, ``bot_answered`` and ``deflected`` are None where they mean nothing: a
    worker has no conversations of the bot's.
    """

    started: int | None = 0
    """Conversations begun."""
    conversations: int | None = 0
    """Conversations in which a member wrote something."""
    messages: int | None = 0
    """What members wrote."""
    bot_answered: int | None = 0
    """Of ``conversations``: those in which the bot answered at least one message it had understood."""
    deflected: int | None = 0
    """Of ``bot_answered``: those that no human service touched."""

    handoffs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_replies: list[float] = field(default_factory=list)
    """Minutes by the clock from the queue to the first reply of a human, of hand-offs that got one."""
    still_waiting: int = 0
    """Hand-offs without a reply of a human that are not over."""
    never_answered: int = 0
    """Hand-offs that were over without a reply of a human."""
    breaches: int = 0
    """Hand-offs in which a promised time was missed."""
    ratings: Ratings = field(default_factory=Ratings)

    cases_opened: int = 0
    cases_closed_once: int = 0
    """Of ``cases_opened``: those that were closed with a result at least once."""
    cases_reopened: int = 0
    """Of ``cases_closed_once``: those that were reopened."""
    urged: int = 0
    """How often members urged the cases of ``cases_opened``."""
    case_breaches: int = 0
    case_ratings: Ratings = field(default_factory=Ratings)
    resolutions: list[float] = field(default_factory=list)
    """Hours by the clock from opening to closing, of the cases closed with a result in the period."""

    @property
    def deflection(self) -> float | None:
        """The share of conversations with a member's message that were answered without a human, 0 to 1."""
        return _rate(self.deflected or 0, self.conversations or 0)

    @property
    def first_response(self) -> Spread:
        """Minutes until the first reply of a human."""
        return spread(self.first_replies)

    @property
    def resolution(self) -> Spread:
        """Hours until a case was closed."""
        return spread(self.resolutions)

    @property
    def cases_resolved(self) -> int:
        """Cases closed with a result in the period, whenever they were opened."""
        return len(self.resolutions)

    @property
    def reopened_share(self) -> float | None:
        """The share of cases opened in the period and closed at least once that were reopened, 0 to 1."""
        return _rate(self.cases_reopened, self.cases_closed_once)

    @property
    def weight(self) -> tuple[int, int, int, int]:
        """What lines without an order of their own are ordered by: conversations first, then the rest."""
        return self.conversations or 0, self.handoffs, self.cases_opened, self.started or 0

    def add_services(self, other: Figures) -> None:
        """Count the hand-offs and cases of another line as well (each belongs to one line only)."""
        self.handoffs += other.handoffs
        self.reasons.update(other.reasons)
        self.first_replies.extend(other.first_replies)
        self.still_waiting += other.still_waiting
        self.never_answered += other.never_answered
        self.breaches += other.breaches
        self.ratings.add(other.ratings)
        self.cases_opened += other.cases_opened
        self.cases_closed_once += other.cases_closed_once
        self.cases_reopened += other.cases_reopened
        self.urged += other.urged
        self.case_breaches += other.case_breaches
        self.case_ratings.add(other.case_ratings)
        self.resolutions.extend(other.resolutions)


def histogram(minutes: Sequence[float], bounds: Sequence[float]) -> list[int]:
    """How many durations lie up to each bound (above the one before), and last those above all bounds."""
    counts = [0] * (len(bounds) + 1)
    for one in minutes:
        counts[next((place for place, bound in enumerate(bounds) if one <= bound), len(bounds))] += 1
    return counts


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
