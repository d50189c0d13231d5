"""Twenty stories go through to the right claims, amounts and deadlines."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from casework.claims.drafts import read_into
from casework.claims.model import Quote, Sheet
from casework.claims.questions import next_question, record
from casework.claims.registry import Claims
from casework.claims.sheet import make_sheet
from casework.claims.told import Told
from casework.entitlements.base import Status
from casework.entitlements.registry import Entitlements
from casework.rates import Rates
from nlu.facts.finder import FactFinder

ROOT = Path(__file__).parents[3] / "data" / "knowledge"
STORIES = yaml.safe_load(Path(__file__).with_name("stories.yml").read_text("utf-8"))["stories"]
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def finder() -> FactFinder:
    return FactFinder.from_files(ROOT / "districts.yml", ROOT / "schools.yml")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story["name"]))
def test_a_story_goes_through(story: dict[str, Any], claims: Claims, finder: FactFinder) -> None:
    today = story.get("as_of", TODAY)
    told = Told()
    facts = {fact.name: fact.value for fact in finder.find(story["told"], today)}
    read_into(told, claims, story["told"], facts, Quote(story["told"], 1))
    asked = answer_what_is_asked(story, told, claims, today)
    assert asked == set(story["answers"]), "asked something else than the story answers"
    assert set(story.get("asked", ())) <= asked
    check(story, make_sheet(told, claims, today), today)


def answer_what_is_asked(story: dict[str, Any], told: Told, claims: Claims, today: date) -> set[str]:
    asked: set[str] = set()
    while (question := next_question(told, claims, today)) is not None:
        assert question.name not in asked, f"{question.name} is asked twice"
        assert question.name in story["answers"], f"{question.name} is asked, and nobody expected it"
        asked.add(question.name)
        if question.name in story.get("hint", {}):
            assert story["hint"][question.name] in (question.hint or "")
        record(told, claims, question.name, story["answers"][question.name], Quote(None, None), today)
    return asked


def check(story: dict[str, Any], sheet: Sheet, today: date) -> None:
    own = {claim.right: claim for claim in sheet.claims if claim.alternative_to is None}
    others = {claim.right: claim for claim in sheet.claims if claim.alternative_to is not None}
    assert {right: amount(claim.amount) for right, claim in own.items()} == story["claims"]
    assert {right: amount(claim.amount) for right, claim in others.items()} == story.get("alternatives", {})
    deadlines = {claim.right: claim.deadline for claim in sheet.claims if claim.deadline is not None}
    for right, day in story.get("deadlines", {}).items():
        assert deadlines[right].day == day
        assert deadlines[right].days_left == (day - today).days
    for right in story.get("no_deadline", ()):
        assert deadlines[right].day is None
    expired = {right for right, deadline in deadlines.items() if deadline.expired and right in own}
    assert expired == set(story.get("expired", ()))
    for right, words in story.get("why", {}).items():
        assert words in (own[right].why or "")
    for claim in sheet.claims:
        assert claim.cites, f"{claim.right} names no article"
        assert (claim.amount is None) <= bool(claim.why), f"{claim.right}: no amount and no reason"
        assert claim.evidence
    for words in story.get("warnings", ()):
        assert any(words in warning for warning in sheet.warnings), words
    said = [*sheet.warnings, *(deadline.text for deadline in deadlines.values())]
    for words in story.get("not_said", ()):
        assert not any(words in text for text in said), words
    if "total" in story:
        assert amount(sheet.total) == story["total"]
    if "route" in story:
        assert [step.code for step in sheet.route] == story["route"]
    if "district" in story:
        assert sheet.district == story["district"]
    for right, strength in story.get("strength", {}).items():
        assert own[right].strength.value == strength
    for right in story.get("partial", ()):
        assert own[right].status is Status.PARTIAL
    if story.get("confirm"):
        assert sheet.confirm_year is not None
    assert all(
        fact.quote.text is None or fact.quote.text.rstrip("…") in story["told"] for fact in sheet.facts
    )


def amount(found: Decimal | None) -> str | None:
    return None if found is None else f"{found:.2f}"


def test_an_expired_rate_is_said_and_no_other_years_is_taken(tmp_path: Path) -> None:
    """A summer's fee whose rule ended with the year before: the right stays, the number does not."""
    root = tmp_path / "knowledge"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("articles", "dictionary"))
    table = root / "rates" / "heat_fee.yml"
    rates = yaml.safe_load(table.read_text("utf-8"))
    for row in rates["rows"]:
        if row["valid_to"] is None:
            row["valid_to"], row["review_by"] = date(2025, 12, 31), None
    table.write_text(yaml.safe_dump(rates, allow_unicode=True), "utf-8")
    claims = Claims.load(root, Entitlements.load(root, Rates.load(root)))
    told = Told()
    read_into(told, claims, "我夏天在室外干活，公司从来没发高温费", {}, Quote(None, 1))
    for name, value in {"employed": "yes", "heat_kind": "outdoor", "heat_months": "4"}.items():
        record(told, claims, name, value, Quote(None, None), TODAY)
    (claim,) = make_sheet(told, claims, TODAY).claims
    assert (claim.right, claim.amount, claim.status) == ("heat_fee", None, Status.CANNOT)
    assert "不拿别的年份" in (claim.why or "")
    assert "12333" in (claim.why or "")
