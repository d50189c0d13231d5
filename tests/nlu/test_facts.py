"""Facts are exact or they are not facts: one table of sentences per fact."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from nlu.facts.finder import FactFinder
from nlu.normaliser import normalise

AS_OF = date(2026, 11, 22)
"""A Sunday."""
CASES = Path(__file__).parent / "fact_cases"
KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
TABLES = sorted(CASES.glob("*.yml"))


@pytest.fixture(scope="module")
def finder() -> FactFinder:
    return FactFinder.from_files(KNOWLEDGE / "districts.yml", KNOWLEDGE / "schools.yml")


def rows() -> list[tuple[str, str, str | None]]:
    return [
        (path.stem, text, value) for path in TABLES for text, value in yaml.safe_load(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize(("name", "text", "value"), rows())
def test_a_sentence_states_this_fact_or_none(
    finder: FactFinder, name: str, text: str, value: str | None
) -> None:
    found = {fact.name: fact.value for fact in finder.find(normalise(text), AS_OF)}
    assert found.get(name) == value


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_fact_has_at_least_25_cases_of_both_kinds(path: Path) -> None:
    values = [value for _, value in yaml.safe_load(path.read_text("utf-8"))]
    assert len(values) >= 25
    assert sum(value is None for value in values) >= 5
    assert sum(value is not None for value in values) >= 10


@pytest.mark.parametrize(
    "text", ["上班 8 年 零 6 个月 电话 138 0000 1234", "今天37度 预报说后天40度", "我 电 话 13800009999"]
)
def test_a_fact_stands_where_it_was_written_whatever_its_spaces(finder: FactFinder, text: str) -> None:
    written = normalise(text)
    found = finder.find(written, AS_OF)
    assert found
    assert all(written[fact.start : fact.end] == fact.text for fact in found)
