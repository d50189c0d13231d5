"""Triage: what is known makes a conversation pressing while humans have it, and never less so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from casework import conversations, handoff, privacy
from casework.database import Database
from casework.tables import Conversation, Handling, Owner, Priority
from casework.triage import triage
from tests.factories import make_conversation, make_message, make_staff

AWARD = "昨天收到仲裁裁决书了"


async def told(session: AsyncSession, text: str = AWARD, **values: Any) -> Conversation:
    """A conversation in which the member wrote this."""
    conversation = await make_conversation(session, **values)
    await make_message(session, conversation, text=text, handling=Handling.DONE)
    return conversation


async def test_what_is_pressing_is_seen_at_the_hand_off(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await told(session)
        await handoff.hand_off(session, conversation, "member_asked", now)
        assert (conversation.priority, conversation.risks) == (Priority.HIGH, ["lawsuit_deadline"])
        service = await handoff.open_handoff(session, conversation.id)
        assert service is not None
        assert service.priority == Priority.HIGH


async def test_nothing_is_pressing_where_nothing_was_said(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await told(session, "想问问工会卡怎么办")
        await handoff.hand_off(session, conversation, "member_asked", now)
        assert (conversation.priority, conversation.risks) == (Priority.NORMAL, [])


async def test_what_the_bot_has_is_not_triaged(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await told(session)
        await triage(session, conversation, now)
        assert (conversation.priority, conversation.risks) == (Priority.NORMAL, [])


@pytest.mark.parametrize("owner", [Owner.QUEUED, Owner.HUMAN, Owner.WRAP_UP])
async def test_a_crisis_and_a_broken_promise_stay_and_the_gravest_comes_first(
    database: Database, now: datetime, owner: Owner
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        conversation = await told(
            session,
            owner=owner,
            staff_id=None if owner is Owner.QUEUED else staff.id,
            wrap_up_at=now if owner is Owner.WRAP_UP else None,
            risks=["overdue", "crisis.self_harm"],
            priority=Priority.CRITICAL.value,
        )
        for _ in range(2):
            await triage(session, conversation, now)
        assert conversation.risks == ["crisis.self_harm", "lawsuit_deadline", "overdue"]
        assert conversation.priority == Priority.CRITICAL


@pytest.mark.parametrize(("days", "priority"), [(6, Priority.CRITICAL), (8, Priority.NORMAL)])
async def test_a_crisis_is_remembered_for_a_week(
    database: Database, now: datetime, days: int, priority: Priority
) -> None:
    async with database.transaction() as session:
        conversation = await told(
            session,
            "在吗",
            last_crisis_kind="self_harm.care",
            last_crisis_at=now - timedelta(days=days),
        )
        await handoff.hand_off(session, conversation, "member_asked", now)
        assert conversation.priority == priority
        assert bool(conversation.risks) == (priority is Priority.CRITICAL)


async def test_a_forgotten_member_leaves_no_mark_of_a_crisis(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await told(session, district="历下区")
        await conversations.flag_urgent(session, conversation, "crisis.self_harm", now)
        assert conversation.risks == ["crisis.self_harm"]
        await privacy.forget_member(session, conversation.member_id, now)
        assert (conversation.risks, conversation.priority) == ([], Priority.NORMAL)
        assert conversation.district is None
        await handoff.hand_off(session, conversation, "member_asked", now)
        assert (conversation.risks, conversation.priority) == ([], Priority.NORMAL)
