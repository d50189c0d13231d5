"""Claim sheets for tests: told, asked, worked out and given by the real parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from casework.claims import drafts
from casework.claims.registry import Claims
from casework.clock import shanghai_day
from casework.entitlements.registry import Entitlements
from casework.rates import Rates
from casework.tables import ClaimSheet, Conversation
from tests.factories import make_conversation

ROOT = Path(__file__).parents[1] / "data" / "knowledge"
STORY = (
    "我2025年1月10日进的厂，在历下区，一直没签合同，月薪6000，2026年3月31日老板让我别来了，"
    "最后两个月工资也没给，一共欠我12000元。"
)
"""Three claims in one breath, and one that cannot be had beside another."""
FACTS: Mapping[str, str] = {
    "district": "历下区",
    "hired_on": "2025-01-10",
    "left_on": "2026-03-31",
    "monthly_wage": "6000",
    "amount_owed": "12000",
}
"""What the pipeline finds in it."""
ANSWERS: Mapping[str, str | None] = {"evidence": "有微信转账记录和工友作证"}


@cache
def claims() -> Claims:
    """Everything a claim sheet is made with, as it ships."""
    return Claims.load(ROOT, Entitlements.load(ROOT, Rates.load(ROOT)))


async def give_sheet(
    session: AsyncSession,
    now: datetime,
    *,
    story: str = STORY,
    facts: Mapping[str, str] | None = None,
    answers: Mapping[str, str | None] = ANSWERS,
    conversation: Conversation | None = None,
    as_of: date | None = None,
) -> ClaimSheet:
    """The sheet of a story, given at a moment; what is asked and not answered is not known.

    ``facts`` are what the pipeline finds in the story; those of STORY come by themselves.
    """
    today = as_of or shanghai_day(now)
    conversation = conversation or await make_conversation(session)
    found = facts if facts is not None else FACTS if story == STORY else {}
    sheet = await drafts.begin(session, conversation, claims(), story, found, None, now)
    while (question := drafts.next_question(sheet, claims(), today)) is not None:
        await drafts.answer(
            session, sheet, claims(), question.name, answers.get(question.name), None, None, now
        )
    await drafts.give(session, sheet, claims(), today, now)
    return sheet
