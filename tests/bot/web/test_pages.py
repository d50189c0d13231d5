"""The members' pages: how they say days and money, and that no sentence written for them is left over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bot.web.pages import day_text, money_text
from casework.wording import Wording
from tests.bot.conftest import KNOWLEDGE

BOT = Path(__file__).parents[3] / "bot"
BY_VALUE = (
    "calculator.problem.",
    "calculator.part.",
    "calculator.amount.",
    "claim_page.strength.",
    *(f"calculator.{status}" for status in ("computed", "partial", "incomplete", "cannot")),
)
"""Keys that are put together from a rule, an input, a calculator, a strength or a status."""


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("39000.00", "39,000"),
        ("39000.50", "39,000.50"),
        (Decimal("0.01"), "0.01"),
        ("100", "100"),
        ("1234567.80", "1,234,567.80"),
    ],
)
def test_money_is_said_with_thousands_and_without_empty_cents(amount: Decimal | str, said: str) -> None:
    assert money_text(amount) == said


@pytest.mark.parametrize("day", ["2026-03-01", date(2026, 3, 1)])
def test_days_are_said_as_people_write_them(day: date | str) -> None:
    assert day_text(day) == "2026年3月1日"


def test_no_sentence_for_these_pages_is_left_over() -> None:
    sources = [path for path in BOT.rglob("*") if path.suffix in (".py", ".html")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    keys = [key for key in Wording.load(KNOWLEDGE).keys if key.startswith(("calculator.", "claim_page."))]
    assert [key for key in sorted(keys) if f'"{key}"' not in said and not key.startswith(BY_VALUE)] == []
