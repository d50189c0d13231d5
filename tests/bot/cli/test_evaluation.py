"""``niangjia evaluate`` up to where a real model is needed (tests/e2e/test_gold_floors.py goes on there)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli.model import Listener
from casework.crisis import CrisisRules
from casework.errors import BadInput, ConfigurationError

ROOT = Path(__file__).parents[3]
DAY = date(2026, 11, 22)


class FakeInterpreter:
    """Takes everything for annual leave, fairly sure."""

    def parse_many(
        self, texts: Iterable[str], as_of: date, *, detail: bool = False
    ) -> Iterator[dict[str, Any]]:
        for text in texts:
            yield {
                "text": text,
                "topic": "labour.leave",
                "intent": "ask_leave",
                "confidence": 0.8,
                "topics": [{"topic": "labour.leave", "confidence": 0.8}],
                "accepted": False,
                "facts": {},
            } | ({"outside": 0.1} if detail else {})


@pytest.fixture(scope="module")
def listener() -> Listener:
    crisis = CrisisRules.load(ROOT / "data" / "knowledge" / "crisis.yml")
    return Listener(FakeInterpreter(), crisis)  # type: ignore[arg-type]  # the real one needs Rasa


def test_a_crisis_rule_speaks_before_the_model(listener: Listener) -> None:
    calm, danger = listener.hear(["年假几天", "我不想活了"], DAY)
    assert (calm["topic"], calm["accepted"]) == ("labour.leave", False)
    assert (danger["topic"], danger["accepted"], danger["confidence"]) == ("crisis.self_harm", True, 1.0)
    assert [item["topic"] for item in danger["topics"]] == ["crisis.self_harm", "labour.leave"]
    assert set(calm) == {"text", "topic", "intent", "confidence", "topics", "accepted", "facts"}


def test_in_detail_it_says_what_either_half_heard(listener: Listener) -> None:
    calm, danger = listener.hear_in_detail(["年假几天", "我不想活了"], DAY)
    assert calm["rule"] is None
    assert calm["outside"] == 0.1
    assert danger["rule"]["kind"] == "self_harm"
    assert danger["outside"] == 0.0
    assert danger["model"]["topic"] == "labour.leave"
    assert danger["topic"] == "crisis.self_harm"


def evaluate(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(app, ["evaluate", *arguments]).exception


def test_a_bad_line_is_refused_before_any_model_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"text": "年假", "topic": "labour.leave"}\n{"text": "年假"}\n', "utf-8")
    error = evaluate(str(file), "--model", str(tmp_path / "none.tar.gz"))
    assert isinstance(error, BadInput)
    assert "line 2: topic is missing" in str(error)


def test_a_missing_model_and_a_bad_day_are_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"text": "年假", "topic": "labour.leave"}\n', "utf-8")
    error = evaluate(str(file), "--model", str(tmp_path / "none.tar.gz"))
    assert isinstance(error, ConfigurationError)
    assert "none.tar.gz" in str(error)
    error = evaluate(str(file), "--as-of", "tomorrow")
    assert isinstance(error, BadInput)
    assert "tomorrow" in str(error)
