"""Standing: members hear who speaks, by number, and where they stand in the queue."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from casework import staff_talk
from casework.database import Database
from casework.handoff import finish, hand_off, take_over
from casework.standing import Standing, standings, told_owner
from casework.tables import Conversation, Owner, Presence, Staff
from casework.waiting import place
from tests.factories import make_conversation, make_message, make_staff


async def waiting(session: AsyncSession, since: datetime, *, urgent: bool = False) -> Conversation:
    conversation = await make_conversation(session)
    await hand_off(session, conversation, "member_asked", since, urgent=urgent)
    return conversation


async def served(session: AsyncSession, worker: Staff, now: datetime) -> Conversation:
    conversation = await waiting(session, now)
    return await take_over(session, conversation, worker, now)


@pytest.mark.parametrize("owner", Owner)
def test_members_never_hear_that_a_worker_writes_up(owner: Owner) -> None:
    assert told_owner(owner) is (Owner.HUMAN if owner is Owner.WRAP_UP else owner)


async def test_the_bots_conversation_has_neither_badge_nor_place(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        said = await make_message(session, conversation)
    async with database.read() as session:
        assert await standings(session, [conversation.id, "no-such"], now) == {
            conversation.id: Standing(said.id, Owner.BOT)
        }
        assert await standings(session, [], now) == {}


async def test_everybody_s_place_is_the_one_the_queue_gives_them(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, presence=Presence.ONLINE, seen_at=now)
        for minutes in range(6):
            await served(session, worker, now - timedelta(minutes=10 * minutes))
        line = [await waiting(session, now - timedelta(minutes=minutes)) for minutes in (3, 20, 20, 7)]
        line.append(await waiting(session, now - timedelta(minutes=1), urgent=True))
    async with database.read() as session:
        found = await standings(session, [one.id for one in line], now)
        for one in line:
            assert found[one.id].place == await place(session, one, now)
        assert sorted(shown.place.ahead for shown in found.values() if shown.place) == [0, 1, 2, 3, 4]
        assert found[line[-1].id].place is not None
        assert found[line[-1].id].place.ahead == 0


async def test_who_speaks_is_named_by_badge_and_stays_while_they_write_up(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, badge="07", display_name="李坐席")
        conversation = await served(session, worker, now)
        nameless = await served(session, await make_staff(session, badge=None), now)
        await staff_talk.reply(session, conversation.id, worker, "您好", now)
    async with database.read() as session:
        found = await standings(session, [conversation.id, nameless.id], now)
    assert (found[conversation.id].owner, found[conversation.id].badge) == (Owner.HUMAN, "07")
    assert (found[nameless.id].owner, found[nameless.id].badge) == (Owner.HUMAN, None)
    async with database.transaction() as session:
        await finish(session, await session.get_one(Conversation, conversation.id), worker, now)
    async with database.read() as session:
        shown = (await standings(session, [conversation.id], now))[conversation.id]
    assert (shown.owner, shown.badge, shown.typing) == (Owner.HUMAN, "07", False)


async def test_only_the_typing_of_who_speaks_is_seen_and_it_passes(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, onlooker = await make_staff(session), await make_staff(session)
        conversation = await served(session, worker, now)
        await staff_talk.watch(session, onlooker, conversation.id, now, typing=True)

    async def typing(at: datetime) -> bool:
        async with database.read() as session:
            return (await standings(session, [conversation.id], at))[conversation.id].typing

    assert not await typing(now)
    async with database.transaction() as session:
        await staff_talk.watch(session, worker, conversation.id, now, typing=True)
    assert await typing(now)
    assert not await typing(now + staff_talk.TYPING_FOR)
