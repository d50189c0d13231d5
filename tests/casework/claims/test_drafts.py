"""Claim sheets while they are made: kept in the database, begun once, given, and put into the case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework.claims import drafts
from casework.claims.links import LinkOver, sheet_of_token, sheet_token, sheet_url
from casework.claims.registry import Claims
from casework.clock import shanghai_day
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.privacy import forget_member
from casework.tables import ClaimSheet, Conversation, SheetState
from tests.factories import make_case, make_conversation, make_message

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
STORY = "我2025年1月10日进的厂，一直没签合同，2026年3月31日老板让我别来了"
FACTS = {"hired_on": "2025-01-10", "left_on": "2026-03-31", "phone": "13800001234"}


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as session:
        yield session


async def told(session: AsyncSession, claims: Claims) -> tuple[Conversation, ClaimSheet]:
    """A conversation in which a story was told, and the sheet begun from it."""
    conversation = await make_conversation(session)
    message = await make_message(session, conversation, text=STORY, facts=FACTS)
    return conversation, await drafts.begin(session, conversation, claims, None, {}, message.id + 1, NOW)


async def test_a_sheet_begins_from_everything_said_before(session: AsyncSession, claims: Claims) -> None:
    _, sheet = await told(session, claims)
    card = {line.name: line.quote for line in drafts.card(sheet, claims)}
    assert set(card) == {"is:no_contract", "is:dismissed", "hired_on", "left_on"}
    assert card["is:no_contract"] == STORY
    assert not drafts.is_confirmed(sheet)
    assert drafts.tells_a_right(sheet, claims)


async def test_a_conversation_asks_for_one_sheet_at_a_time(session: AsyncSession, claims: Claims) -> None:
    conversation, sheet = await told(session, claims)
    again = await drafts.begin(session, conversation, claims, "还加班", {}, None, NOW)
    assert again is sheet
    with pytest.raises(IntegrityError):
        async with session.begin_nested():
            session.add(
                ClaimSheet(
                    conversation_id=conversation.id,
                    member_id=conversation.member_id,
                    as_of=NOW.date(),
                    created_at=NOW,
                    updated_at=NOW,
                )
            )


async def test_what_was_understood_wrongly_is_taken_back_for_good(
    session: AsyncSession, claims: Claims
) -> None:
    _, sheet = await told(session, claims)
    await drafts.reopen(session, sheet, "is:no_contract", NOW)
    await drafts.reopen(session, sheet, "left_on", NOW)
    assert {line.name for line in drafts.card(sheet, claims)} == {"is:dismissed", "hired_on"}
    await drafts.tell(session, sheet, claims, "一直没签合同", {}, None, NOW)
    assert "is:no_contract" not in {line.name for line in drafts.card(sheet, claims)}


async def test_answers_are_kept_and_the_sheet_is_given_as_of_its_day(
    session: AsyncSession, claims: Claims
) -> None:
    conversation, sheet = await told(session, claims)
    today = shanghai_day(NOW)
    await drafts.confirm(session, sheet, 5, NOW)
    question = drafts.next_question(sheet, claims, today)
    assert question is not None
    assert question.name == "monthly_wage"
    await drafts.answer(session, sheet, claims, "monthly_wage", "6000", "六千", 6, NOW)
    assert drafts.already_read(sheet, 6)
    await drafts.answer(session, sheet, claims, "evidence", None, None, 7, NOW)
    assert drafts.next_question(sheet, claims, today) is None
    given = await drafts.give(session, sheet, claims, today, NOW)
    assert {claim["right"]: claim["amount"] for claim in given["claims"]} == {
        "unlawful_dismissal": "18000.00",
        "severance": "9000.00",
        "double_wage": "66000.00",
    }
    assert given["total"] == "84000.00"
    assert sheet.state is SheetState.GIVEN
    assert await drafts.asking(session, conversation.id) is None
    assert await drafts.latest(session, conversation.id) is sheet


async def test_an_impossible_answer_changes_nothing(session: AsyncSession, claims: Claims) -> None:
    _, sheet = await told(session, claims)
    before = dict(sheet.told)
    for name, value in (
        ("monthly_wage", "五千来块"),
        ("monthly_wage", "0"),
        ("left_on", "2024-12-31"),
        ("left_on", "2029-01-01"),
        ("injured_on", "2026-11-23"),
        ("district", "历上区"),
        ("ending", "elsewhere"),
        ("grade", "11"),
        ("grade", "1.5"),
    ):
        with pytest.raises(BadInput) as impossible:
            await drafts.answer(session, sheet, claims, name, value, value, None, NOW)
        assert impossible.value.values["field"] == name
    assert sheet.told == before
    with pytest.raises(NotFound):
        await drafts.answer(session, sheet, claims, "horoscope", "fish", None, None, NOW)


async def test_the_sheet_becomes_part_of_the_case(session: AsyncSession, claims: Claims) -> None:
    conversation, sheet = await told(session, claims)
    await drafts.give(session, sheet, claims, shanghai_day(NOW), NOW)
    case = await make_case(session, conversation=conversation)
    assert await drafts.attach_to_case(session, conversation.id, case.id, NOW) is sheet
    assert sheet.case_id == case.id
    other = await make_case(session, conversation=conversation)
    await drafts.attach_to_case(session, conversation.id, other.id, NOW)
    assert sheet.case_id == case.id, "a sheet stays with the case it was put into"


async def test_the_link_opens_a_given_sheet_for_thirty_days(session: AsyncSession, claims: Claims) -> None:
    conversation, sheet = await told(session, claims)
    token = sheet_token(sheet.id)
    with pytest.raises(NotFound):
        await sheet_of_token(session, token, NOW)
    await drafts.give(session, sheet, claims, shanghai_day(NOW), NOW)
    assert await sheet_of_token(session, token, NOW + timedelta(days=30)) is sheet
    assert sheet_url("https://u.example/", sheet) == f"https://u.example/claims/{token}"
    with pytest.raises(LinkOver):
        await sheet_of_token(session, token, NOW + timedelta(days=30, seconds=1))
    for wrong in ("", "x", token[:-2] + "AA", sheet_token("0" * 32)):
        with pytest.raises(NotFound):
            await sheet_of_token(session, wrong, NOW)
    await forget_member(session, conversation.member_id, NOW)
    with pytest.raises(NotFound):
        await sheet_of_token(session, token, NOW)
    assert (await session.scalars(select(ClaimSheet))).all() == []


async def test_a_story_with_nothing_in_it_touches_nothing(session: AsyncSession, claims: Claims) -> None:
    conversation = await make_conversation(session)
    assert await drafts.touched(session, conversation.id, "今天天气不错", {}, claims) == ()
    rights = await drafts.touched(session, conversation.id, "没签合同还欠我工资", {}, claims)
    assert rights == ("wage_arrears", "double_wage")
