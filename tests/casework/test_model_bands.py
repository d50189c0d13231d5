"""Model bands: every limit at its boundary, chance, and a file that is read strictly."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from casework.errors import KnowledgeError
from casework.live_figures import LiveFigures
from casework.model_bands import FILE, RATES, Bands, as_values, judge
from casework.proportions import Rate

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
BANDS = Bands.load(KNOWLEDGE)
NOTHING = LiveFigures()


def broken(figures: LiveFigures, baseline: LiveFigures = NOTHING, bands: Bands = BANDS) -> list[str]:
    return [breach.figure for breach in judge(figures, baseline, bands)]


def figures_of(**values: Any) -> LiveFigures:
    """Nothing but these figures."""
    return replace(NOTHING, **values)


def before(messages: int = 1000, **values: Any) -> LiveFigures:
    """A version that did well for a while."""
    return replace(
        LiveFigures(
            fallback=Rate(messages // 10, messages),
            handoff=Rate(messages // 20, messages // 2),
            error=Rate(0, messages),
            thumbs_down=Rate(messages // 50, messages // 5),
            latencies={300: messages},
        ),
        **values,
    )


def test_nothing_says_nothing() -> None:
    assert broken(NOTHING) == broken(NOTHING, before()) == []


def test_the_same_figures_break_no_band() -> None:
    assert broken(before(), before()) == []


@pytest.mark.parametrize("name", RATES)
def test_a_figure_speaks_from_the_least_number_on(name: str) -> None:
    least = BANDS.rates[name].least
    assert broken(figures_of(**{name: Rate(least, least)}), before()) == [name]
    assert broken(figures_of(**{name: Rate(least - 1, least - 1)}), before()) == []


@pytest.mark.parametrize("name", RATES)
def test_a_share_may_rise_to_the_edge_of_its_band_and_not_beyond(name: str) -> None:
    total = 100_000
    was = Rate(10_000, total)
    edge = 10_000 + round(BANDS.rates[name].points * total / 100)
    values: dict[str, Any] = {name: was}
    baseline = replace(before(), **values)
    assert broken(figures_of(**{name: Rate(edge, total)}), baseline) == []
    assert broken(figures_of(**{name: Rate(edge + 1, total)}), baseline) == [name]


def test_a_rise_that_chance_makes_as_well_breaks_no_band() -> None:
    # 17 and 25 points more, of 40 messages: chance makes the one in 500 tries, the other in 30,000.
    assert broken(LiveFigures(fallback=Rate(11, 40)), before()) == []
    assert broken(LiveFigures(fallback=Rate(14, 40)), before()) == ["fallback"]


def test_with_too_little_of_the_version_before_the_usual_share_counts() -> None:
    few = before(messages=BANDS.baseline_messages - 1, error=Rate(100, 199))
    here = LiveFigures(error=Rate(50, 100))
    assert broken(here, few) == ["error"]
    assert broken(here, before(messages=BANDS.baseline_messages, error=Rate(100, 200))) == []
    # Messages enough, but hardly any vote among them.
    votes = before(thumbs_down=Rate(19, 19))
    assert broken(LiveFigures(thumbs_down=Rate(40, 40)), votes) == ["thumbs_down"]


def test_a_version_that_does_better_breaks_no_band() -> None:
    assert broken(before(), before(fallback=Rate(500, 1000), latencies={9000: 1000})) == []


def test_latency_counts_from_twice_the_one_before_and_two_seconds_on() -> None:
    def slow(milliseconds: int, many: int) -> LiveFigures:
        return LiveFigures(latencies={100: 100 - many, milliseconds: many})

    assert broken(slow(2000, 100), before()) == []
    assert broken(slow(2001, 100), before()) == ["latency"]
    assert broken(slow(4001, 100), before(latencies={2000: 1000})) == ["latency"]
    assert broken(slow(4000, 100), before(latencies={2000: 1000})) == []
    # Six of a hundred is what chance makes of one in twenty; fourteen is not.
    assert broken(slow(9000, 6), before()) == []
    assert broken(slow(9000, 14), before()) == ["latency"]
    least = BANDS.latency.least
    assert broken(LiveFigures(latencies={9000: least - 1}), before()) == []
    assert broken(LiveFigures(latencies={9000: least}), before()) == ["latency"]


def test_latency_without_one_before_is_compared_with_the_usual_one() -> None:
    assert broken(LiveFigures(latencies={3000: 100})) == []
    assert broken(LiveFigures(latencies={3001: 100})) == ["latency"]


def test_a_breach_says_the_numbers_in_words() -> None:
    (breach,) = judge(LiveFigures(fallback=Rate(60, 200)), before(), BANDS)
    assert breach.words == (
        "没听懂的多了 20 个百分点：200 条消息里有 60 条（30.0%），之前是 10.0%，不像是偶然"
    )
    kept = as_values(LiveFigures(fallback=Rate(60, 200)), before(), [breach])
    assert kept["breaches"] == [{"figure": "fallback", "before": 0.1, "after": 0.3}]
    assert kept["figures"]["fallback"] == [60, 200]


def test_everything_that_breaks_together_fits_into_one_reason() -> None:
    worst = LiveFigures(
        fallback=Rate(99_999, 100_000),
        handoff=Rate(99_999, 100_000),
        error=Rate(99_999, 100_000),
        thumbs_down=Rate(99_999, 100_000),
        latencies={99_999: 100_000},
    )
    what = "；".join(breach.words for breach in judge(worst, before(), BANDS))
    assert len(BANDS.say("fell_back", back="2026-07-20-10", what=what)) <= 500


def test_a_version_that_is_no_worse_is_hardly_ever_taken_back_however_often_it_is_looked_at() -> None:
    dice = random.Random(6)  # noqa: S311  (the same numbers every time)
    alarms = 0
    for _ in range(100):
        unread = 0
        for messages in range(1, 401):
            unread += dice.random() < 0.15
            if messages % 5 == 0 and broken(LiveFigures(fallback=Rate(unread, messages))):
                alarms += 1
                break
    assert alarms <= 2


def test_a_version_that_understands_half_as_much_is_noticed_within_a_hundred_messages() -> None:
    dice = random.Random(6)  # noqa: S311  (the same numbers every time)
    unread = 0
    for messages in range(1, 101):
        unread += dice.random() < 0.55
        if broken(LiveFigures(fallback=Rate(unread, messages)), before()):
            break
    assert BANDS.rates["fallback"].least <= messages < 60


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("watch", "hours"), 0, "hours must be more than 0"),
        (("watch", "confidence"), 1, "confidence must be a share"),
        (("watch", "more"), 1, "more"),
        (("bands", "fallback", "least"), 2.5, "least must be a whole number"),
        (("bands", "fallback", "usual"), "viel", "usual must be a number"),
        (("bands", "surprise"), {"least": 1, "points": 1, "usual": 0.1}, "exactly fallback"),
        (("latency", "times"), -1, "times must be more than 0"),
        (("words", "surprise"), "啊", "surprise"),
        (("words", "latency"), "慢了 {points}", "nothing fills points"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, path: tuple[str, ...], value: object, complaint: str
) -> None:
    content = yaml.safe_load((KNOWLEDGE / FILE).read_text("utf-8"))
    place = content
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    (tmp_path / FILE).write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        Bands.load(tmp_path)
