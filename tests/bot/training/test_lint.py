"""The look for wrong labels: what somebody said is right takes no place from another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.training.lint import label_suspects
from casework import confirmed_labels
from casework.sample_files import TrainingSet
from nlu import label_errors
from nlu.label_errors import Suspect

SUSPECTS = [Suspect(f"第{number}句话", "ask_leave", "greet", 9 - number) for number in range(6)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()

    # The ranking itself is asked in tests/nlu/test_label_errors.py; here a known one is cut.
    def ranked(*_: object, **__: object) -> list[tuple[int, str, float]]:
        return [(number, one.suggested, one.score) for number, one in enumerate(SUSPECTS)]

    class Vectoriser:
        def __init__(self, *_: object) -> None: ...

        def fit_transform(self, samples: list[object]) -> None: ...

    monkeypatch.setattr(label_errors, "suspects", ranked)
    monkeypatch.setattr(label_errors, "samples_of", lambda texts, dictionary: list(texts))
    monkeypatch.setattr(label_errors, "NgramVectoriser", Vectoriser)
    monkeypatch.setattr(label_errors, "_FEWEST", 2)
    monkeypatch.setattr(label_errors, "MOST", 2)
    return tmp_path


def test_confirmed_and_dismissed_ones_make_room_for_others(home: Path) -> None:
    here = TrainingSet.of({"ask_leave": [one.text for one in SUSPECTS]}, {})
    first = label_suspects(home, here)
    assert [one.text for one in first] == ["第0句话", "第1句话"]
    confirmed_labels.add(home / "data", [("ask_leave", "第0句话"), ("greet", "第1句话")])
    assert [one.text for one in label_suspects(home, here)] == ["第1句话", "第2句话"]
    dismissed = {first[1].key}
    after = label_suspects(home, here, dismissed)
    # The dismissed one stays in the report, behind the others: so it can be confirmed for good.
    assert [one.text for one in after] == ["第2句话", "第3句话", "第1句话"]
