"""The rejector learns what texts look like that are none of the union's business."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu.rejector import OUT_OF_SCOPE_SHARE, Rejector, fit_rejector, signals_of

TOPIC_OF = np.asarray([0, 0, 1, 2])
"""Two intents of one topic, one of another, and out of scope in the last column."""


def make_signals(seed: int, inside: int, outside: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]  # shapes differ
    """Scores where the last class is a little higher for strangers, and less of their text was ever seen."""
    random = np.random.default_rng(seed)
    total = inside + outside
    strangers = np.arange(total) >= inside
    scores = random.normal(-0.8, 0.3, (total, 4)).astype(np.float32)
    scores[strangers, 3] += 0.6
    scores[~strangers, random.integers(0, 3)] += 0.7
    exponents = np.exp(4 * scores)
    probabilities = (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
    known = np.where(strangers, 0.7, 0.95) + random.normal(0, 0.05, total)
    lengths = random.integers(4, 200, total)
    return signals_of(scores, probabilities, 3, TOPIC_OF, lengths.tolist(), known.tolist()), strangers


def test_it_tells_strangers_from_members_it_has_not_seen() -> None:
    rejector = fit_rejector(*make_signals(seed=1, inside=900, outside=150))
    signals, strangers = make_signals(seed=2, inside=400, outside=100)
    chance = rejector.probabilities(signals)
    pairs = chance[strangers][:, None] > chance[~strangers][None, :]
    assert pairs.mean() > 0.95


def test_its_probability_holds_for_daily_use_not_for_the_share_in_the_training_data() -> None:
    few = fit_rejector(*make_signals(seed=1, inside=900, outside=100))
    many = fit_rejector(*make_signals(seed=1, inside=300, outside=700))
    for rejector in (few, many):
        signals, _ = make_signals(seed=3, inside=800, outside=200)
        assert rejector.probabilities(signals).mean() == pytest.approx(OUT_OF_SCOPE_SHARE, abs=0.06)


def test_intents_of_one_topic_speak_together() -> None:
    scores = np.asarray([[0.2, 0.1, -1, -1]], dtype=np.float32)
    split = np.asarray([[0.45, 0.45, 0.05, 0.05]], dtype=np.float32)
    whole = np.asarray([[0.9, 0.0, 0.05, 0.05]], dtype=np.float32)
    both = [signals_of(scores, one, 3, TOPIC_OF, [20], [1.0])[0] for one in (split, whole)]
    assert both[0][5] == pytest.approx(both[1][5])


def test_a_stored_rejector_judges_the_same(tmp_path: Path) -> None:
    signals, strangers = make_signals(seed=4, inside=200, outside=50)
    rejector = fit_rejector(signals, strangers)
    rejector.write(tmp_path / "rejector.json")
    again = Rejector.read(tmp_path / "rejector.json")
    assert np.array_equal(again.probabilities(signals), rejector.probabilities(signals))
