"""The outbox: in order, at least once, given up when it must be."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import outbox
from casework.database import Database
from casework.errors import NotFound
from casework.messages import Reply, record_replies
from casework.tables import Author, Channel, ChannelIdentity, Conversation, Delivery, OutboxEntry
from tests.factories import make_conversation


async def say(session: AsyncSession, conversation: Conversation, now: datetime, *texts: str) -> None:
    """Say something in a conversation, as a notice."""
    await record_replies(
        session,
        conversation.id,
        [Reply(text) for text in texts],
        in_reply_to=None,
        author=Author.SYSTEM,
        epoch_seen=None,
        now=now,
    )


async def claim(database: Database, now: datetime, limit: int = 20) -> list[outbox.Due]:
    """Claim what is due in a transaction of its own."""
    async with database.transaction() as session:
        return await outbox.claim_due(session, now, limit)


async def entries(database: Database) -> list[OutboxEntry]:
    """Every entry, in order."""
    async with database.read() as session:
        return list(await session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))


async def test_a_conversations_second_message_waits_for_its_first(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, other = [await make_conversation(session, channel=Channel.TELEGRAM) for _ in range(2)]
        await say(session, one, now, "一", "二")
        await say(session, other, now, "甲")
    first = await claim(database, now)
    assert [due.message.text for due in first] == ["一", "甲"]
    assert await claim(database, now) == []
    async with database.transaction() as session:
        await outbox.mark_sent(session, first[0].entry_id, now)
    assert [due.message.text for due in await claim(database, now)] == ["二"]


async def test_a_claim_says_whom_to_reach_and_what_is_left(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=Channel.TELEGRAM)
        identity = (await session.scalars(select(ChannelIdentity))).one()
        await say(session, conversation, now, "很长的一条")
    (due,) = await claim(database, now)
    assert (due.external_id, due.channel, due.parts_sent, due.attempts) == (
        identity.external_id, Channel.TELEGRAM, 0, 1,
    )  # fmt: skip
    async with database.transaction() as session:
        await outbox.mark_part_sent(session, due.entry_id, 2)
        await outbox.mark_part_sent(session, due.entry_id, 1)
        await outbox.mark_failed(session, due.entry_id, "timed out", now)
    (again,) = await claim(database, now)
    assert (again.parts_sent, again.attempts) == (2, 2)


async def test_a_message_that_must_wait_holds_back_the_ones_after_it(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=Channel.TELEGRAM)
        await say(session, conversation, now, "一", "二")
    (due,) = await claim(database, now)
    retry_at = now + timedelta(seconds=30)
    async with database.transaction() as session:
        await outbox.mark_failed(session, due.entry_id, "429 retry after 30", retry_at)
        assert await outbox.next_due_at(session) == now  # "二" is due, but waits for "一"
    assert await claim(database, now + timedelta(seconds=29)) == []
    assert [each.message.text for each in await claim(database, retry_at)] == ["一"]


async def test_a_message_given_up_lets_the_next_one_go(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, channel=Channel.TELEGRAM)
        await say(session, conversation, now, "一", "二")
    (due,) = await claim(database, now)
    async with database.transaction() as session:
        await outbox.mark_failed(session, due.entry_id, "bad request", None)
    assert [each.message.text for each in await claim(database, now)] == ["二"]
    first, _ = await entries(database)
    assert (first.delivery, first.error) == (Delivery.FAILED, "bad request")


async def test_what_a_deliverer_claimed_and_never_reported_is_tried_again(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await say(session, await make_conversation(session, channel=Channel.TELEGRAM), now, "一")
    assert len(await claim(database, now)) == 1
    assert await claim(database, now + outbox.LEASE - timedelta(seconds=1)) == []
    (again,) = await claim(database, now + outbox.LEASE)
    assert again.attempts == 2


async def test_two_deliverers_never_claim_the_same_entry(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for number in range(12):
            await say(session, await make_conversation(session, channel=Channel.TELEGRAM), now, str(number))
    another = Database(database.url)
    claims = await asyncio.gather(*(claim(through, now, limit=4) for through in [database, another] * 4))
    await another.close()
    claimed = [due.entry_id for each in claims for due in each]
    assert len(claimed) == len(set(claimed)) == 12


async def test_a_member_who_blocked_us_gets_nothing_more_from_what_waits(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, other = [await make_conversation(session, channel=Channel.TELEGRAM) for _ in range(2)]
        await say(session, one, now, "一", "二")
        await say(session, other, now, "甲")
    due = (await claim(database, now))[0]
    async with database.transaction() as session:
        await outbox.mark_blocked(session, due.entry_id, now)
    assert [entry.delivery for entry in await entries(database)] == [
        Delivery.BLOCKED, Delivery.BLOCKED, Delivery.PENDING,
    ]  # fmt: skip
    async with database.read() as session:
        blocked = await session.scalars(
            select(ChannelIdentity.member_id).where(ChannelIdentity.blocked_at == now)
        )
        assert list(blocked) == [one.member_id]


async def test_an_error_is_kept_short_and_without_secrets(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await say(session, await make_conversation(session, channel=Channel.TELEGRAM), now, "一")
    (due,) = await claim(database, now)
    leaky = "POST https://api.telegram.org/bot123456789:" + "A" * 35 + "/sendMessage 13800138000 " + "x" * 300
    async with database.transaction() as session:
        await outbox.mark_failed(session, due.entry_id, leaky, now)
    error = (await entries(database))[0].error
    assert error is not None
    assert len(error) == 200
    assert "AAAA" not in error
    assert "13800138000" not in error


async def test_a_late_failure_does_not_undo_what_was_sent(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await say(session, await make_conversation(session, channel=Channel.TELEGRAM), now, "一")
    (due,) = await claim(database, now)
    async with database.transaction() as session:
        await outbox.mark_sent(session, due.entry_id, now)
        await outbox.mark_failed(session, due.entry_id, "late", now)
    (entry,) = await entries(database)
    assert (entry.delivery, entry.sent_at, entry.error) == (Delivery.SENT, now, None)


async def test_an_empty_outbox_has_nothing_due(database: Database, now: datetime) -> None:
    assert await claim(database, now) == []
    async with database.transaction() as session:
        assert await outbox.next_due_at(session) is None
        with pytest.raises(NotFound):
            await outbox.mark_sent(session, 1, now)
