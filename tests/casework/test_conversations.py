"""Conversations: tokens, owners, and what makes no sense."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from casework import conversations
from casework.database import Database
from casework.errors import NotFound
from casework.tables import AuditEntry, Channel, Conversation, Owner
from tests.factories import make_conversation, make_member, make_message, make_staff


async def audited(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """Actor, deed and detail of every audit entry, in order."""
    async with database.read() as session:
        entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.actor, entry.deed, entry.detail) for entry in entries]


async def test_a_new_conversation_opens_with_its_token_and_starts_with_the_bot(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        started = await conversations.start_conversation(session, Channel.WEB, now)
    async with database.read() as session:
        found = await conversations.authenticate(session, started.conversation.id, started.token)
    assert found.id == started.conversation.id
    assert found.owner is Owner.BOT
    assert found.epoch == 0


async def test_the_token_itself_is_not_stored(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        started = await conversations.start_conversation(session, Channel.API, now)
    assert started.token not in (started.conversation.token_hash or "")
    assert len(started.token) >= 40


@pytest.mark.parametrize("wrong", ["", "x", "\x00", "\ud800", "令牌"])
async def test_a_wrong_token_and_an_unknown_conversation_are_answered_alike(
    database: Database, now: datetime, wrong: str
) -> None:
    async with database.transaction() as session:
        started = await conversations.start_conversation(session, Channel.WEB, now)
        other = await conversations.start_conversation(session, Channel.WEB, now)
        lasting = await conversations.conversation_for(session, Channel.TELEGRAM, "42", now)
    refusals = set()
    async with database.read() as session:
        for conversation_id, token in (
            (started.conversation.id, wrong),
            (started.conversation.id, other.token),
            (started.conversation.id, started.conversation.token_hash or ""),
            (lasting.id, wrong),
            (lasting.id, started.token),
            ("nothing", started.token),
            (wrong, started.token),
        ):
            with pytest.raises(NotFound) as caught:
                await conversations.authenticate(session, conversation_id, token)
            refusals.add(str(caught.value))
    assert len(refusals) == 1


async def test_a_telegram_user_has_one_conversation_for_good(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        first = await conversations.conversation_for(session, Channel.TELEGRAM, "42", now)
        other = await conversations.conversation_for(session, Channel.TELEGRAM, "43", now)
    async with database.transaction() as session:
        again = await conversations.conversation_for(
            session, Channel.TELEGRAM, "42", now + timedelta(days=400)
        )
    assert again.id == first.id
    assert other.id != first.id
    assert other.member_id != first.member_id


async def test_two_first_messages_at_once_make_one_member_and_one_conversation(
    database: Database, now: datetime
) -> None:
    another = Database(database.url)

    async def first_message(through: Database) -> str:
        async with through.transaction() as session:
            return (await conversations.conversation_for(session, Channel.TELEGRAM, "42", now)).id

    found = await asyncio.gather(*(first_message(through) for through in [database, another] * 4))
    await another.close()
    assert len(set(found)) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 1


async def test_the_database_refuses_a_second_telegram_conversation_of_a_member(database: Database) -> None:
    async with database.transaction() as session:
        member = await make_member(session)
        await make_conversation(session, member, channel=Channel.TELEGRAM)
        for channel in (Channel.WEB, Channel.WEB):
            await make_conversation(session, member, channel=channel)

    async def a_second() -> None:
        async with database.transaction() as session:
            session.add(
                Conversation(
                    member_id=member.id,
                    channel=Channel.TELEGRAM,
                    created_at=member.created_at,
                    last_message_at=member.created_at,
                )
            )

    with pytest.raises(IntegrityError):
        await a_second()


async def test_each_kind_of_channel_has_its_own_way_in(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        with pytest.raises(ValueError, match="conversation_for"):
            await conversations.start_conversation(session, Channel.TELEGRAM, now)
        with pytest.raises(ValueError, match="start_conversation"):
            await conversations.conversation_for(session, Channel.WEB, "42", now)


async def test_the_queue_shows_urgent_ones_first_and_then_who_waited_longest(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        await make_conversation(session)
        await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id)
        newer, older, urgent, urgent_older = [
            await make_conversation(
                session, owner=Owner.QUEUED, queued_at=now - timedelta(minutes=waited), urgent=flagged
            )
            for waited, flagged in ((1, False), (30, False), (2, True), (5, True))
        ]
    async with database.read() as session:
        waiting = await conversations.queue(session)
        mine = await conversations.of_staff(session, staff)
    assert [each.id for each in waiting] == [urgent_older.id, urgent.id, older.id, newer.id]
    assert len(mine) == 1


async def test_a_crisis_makes_a_conversation_urgent_and_leaves_its_owner(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        flagged = await conversations.flag_urgent(session, conversation, "crisis.self_harm", now)
    assert (flagged.urgent, flagged.urgent_reason) == (True, "crisis.self_harm")
    assert (flagged.last_crisis_kind, flagged.last_crisis_at) == ("self_harm", now)
    assert (flagged.owner, flagged.epoch) == (Owner.BOT, 0)
    assert [deed for _, deed, _ in await audited(database)] == ["conversation.flagged_urgent"]


async def test_the_database_itself_refuses_a_human_owner_without_a_name(database: Database) -> None:
    async def nobody() -> None:
        async with database.transaction() as session:
            await make_conversation(session, owner=Owner.HUMAN)

    with pytest.raises(IntegrityError):
        await nobody()


async def test_an_unknown_conversation_is_not_found(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await conversations.get(session, "nothing")
        with pytest.raises(NotFound):
            await conversations.lock(session, "nothing")


async def test_records_of_a_conversation_made_at_once_do_not_deadlock_with_its_lock(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
    another = Database(database.url)

    async def refer_then_lock(through: Database) -> None:
        async with through.transaction() as session:
            await make_message(session, conversation)
            await asyncio.sleep(0.01)
            await conversations.flag_urgent(session, conversation, "test", now)

    await asyncio.gather(*(refer_then_lock(through) for through in [database, another] * 3))
    await another.close()
    assert len(await audited(database)) == 6
