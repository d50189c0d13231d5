"""Model bands: how far a version's live figures may rise above those before, and whether they left it.

The limits and the words are in ``model_watch.yml``. A figure leaves its band when it is further above the
comparison than the band allows *and* chance alone hardly does as much (``casework.proportions``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import Any

from casework.errors import KnowledgeError
from casework.knowledge_files import Entry, read_knowledge
from casework.live_figures import LiveFigures
from casework.proportions import Rate, chance_of_more, chance_of_more_than

FILE = "model_watch.yml"
RATES = ("fallback", "handoff", "error", "thumbs_down")
LATENCY = "latency"
SLOW = 0.05
"""Latency is what all but this share of the messages do not exceed."""
_COUNTED = "points total count before after"
VALUES: Mapping[str, str] = {
    **dict.fromkeys(RATES, _COUNTED),
    LATENCY: "total before after",
    "fell_back": "back what",
    "canary_ended": "what",
}
"""Everything that is said, and what is filled into the words."""


@dataclass(frozen=True, slots=True)
class Band:
    """Band: how far one share may rise."""

    least: int
    points: float
    usual: float


@dataclass(frozen=True, slots=True)
class LatencyBand:
    """Latency band: how much slower it may get; milliseconds."""

    least: int
    times: float
    milliseconds: float
    usual: float


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands: everything of ``model_watch.yml``."""

    window: timedelta
    baseline: timedelta
    baseline_messages: int
    confidence: float
    rates: Mapping[str, Band]
    latency: LatencyBand
    words: Mapping[str, str]

    @classmethod
    def load(cls, root: Path) -> Bands:
        """Read ``model_watch.yml`` of a knowledge folder; raises KnowledgeError naming the entry at fault."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        watch, rates, latency = top.entry("watch"), top.named_entries("bands"), top.entry(LATENCY)
        if rates.keys() != set(RATES):
            raise top.error(f"bands: exactly {', '.join(RATES)}")
        bands = cls(
            window=timedelta(hours=_positive(watch, "hours")),
            baseline=timedelta(days=_positive(watch, "baseline_days")),
            baseline_messages=_whole(watch, "baseline_messages"),
            confidence=_share(watch, "confidence"),
            rates={
                name: Band(_whole(entry, "least"), _positive(entry, "points"), _share(entry, "usual"))
                for name, entry in rates.items()
            },
            latency=LatencyBand(
                _whole(latency, "least"),
                _positive(latency, "times"),
                _positive(latency, "milliseconds"),
                _positive(latency, "usual"),
            ),
            words=top.texts_by_key("words"),
        )
        for entry in (watch, latency, *rates.values(), top):
            entry.done()
        bands._check_words()
        return bands

    def say(self, code: str, **values: object) -> str:
        """The words for something, filled in."""
        return self.words[code].format(**values)

    def _check_words(self) -> None:
        if self.words.keys() != VALUES.keys():
            odd = ", ".join(sorted(self.words.keys() ^ VALUES.keys()))
            raise KnowledgeError(f"{FILE}: words: one for everything that is said and none beside: {odd}")
        for code, words in self.words.items():
            unknown = {name for _, name, _, _ in Formatter().parse(words) if name} - set(VALUES[code].split())
            if unknown:
                raise KnowledgeError(f"{FILE}: words: {code}: nothing fills {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class Breach:
    """Breach: one figure that left its band: which, what it is and was, and that in words."""

    figure: str
    before: float
    after: float
    words: str


def judge(figures: LiveFigures, baseline: LiveFigures, bands: Bands) -> list[Breach]:
    """Which figures left their band, beside those of the version before."""
    return [*_rates(figures, baseline, bands), *_latency(figures, baseline, bands)]


def compared_with(name: str, baseline: LiveFigures, bands: Bands) -> Rate | float:
    """What a share is compared with: the one before, or the usual one where there is too little of that."""
    before: Rate = getattr(baseline, name)
    band = bands.rates[name]
    enough = baseline.messages >= bands.baseline_messages and before.total >= band.least
    return before if enough else band.usual


def _rates(figures: LiveFigures, baseline: LiveFigures, bands: Bands) -> Iterator[Breach]:
    for name, band in bands.rates.items():
        here: Rate = getattr(figures, name)
        if here.share is None or here.total < band.least:
            continue
        there = compared_with(name, baseline, bands)
        if isinstance(there, Rate):
            before, chance = there.share or 0.0, chance_of_more(here, there)
        else:
            before, chance = there, chance_of_more_than(here, there)
        points = round(100 * (here.share - before), 6)
        if points <= band.points or chance >= 1 - bands.confidence:
            continue
        words = bands.say(
            name,
            points=f"{points:.0f}",
            total=here.total,
            count=here.count,
            before=_percent(before),
            after=_percent(here.share),
        )
        yield Breach(name, before, here.share, words)


def _latency(figures: LiveFigures, baseline: LiveFigures, bands: Bands) -> Iterator[Breach]:
    band = bands.latency
    after, before = figures.latency(1 - SLOW), baseline.latency(1 - SLOW)
    usual = band.usual
    if before is not None and baseline.messages >= bands.baseline_messages:
        usual = before
    limit = max(band.milliseconds, usual * band.times)
    slow = figures.slower_than(limit)
    if after is None or slow.total < band.least or after <= limit:
        return
    # Were it no slower than the limit, one message in twenty would take longer.
    if chance_of_more_than(slow, SLOW) < 1 - bands.confidence:
        words = bands.say(LATENCY, total=slow.total, before=f"{usual:.0f}", after=after)
        yield Breach(LATENCY, usual, float(after), words)


def as_values(figures: LiveFigures, baseline: LiveFigures, breaches: list[Breach]) -> dict[str, Any]:
    """What was seen as plain values, to be kept with the deed it led to."""
    return {
        "figures": figures.as_dict(),
        "baseline": baseline.as_dict(),
        "breaches": [
            {"figure": one.figure, "before": round(one.before, 4), "after": round(one.after, 4)}
            for one in breaches
        ],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _positive(entry: Entry, field: str) -> float:
    value = entry.number(field)
    if value <= 0:
        raise entry.error(f"{field} must be more than 0")
    return value


def _share(entry: Entry, field: str) -> float:
    value = _positive(entry, field)
    if value >= 1:
        raise entry.error(f"{field} must be a share, less than 1")
    return value


def _whole(entry: Entry, field: str) -> int:
    value = _positive(entry, field)
    if value != int(value):
        raise entry.error(f"{field} must be a whole number")
    return int(value)
