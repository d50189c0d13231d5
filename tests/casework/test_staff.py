"""Staff: who they are, and how they answer."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from casework import conversations, staff_talk
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.tables import Author, Channel, OutboxEntry, Owner
from tests.factories import make_conversation, make_staff


async def test_a_reply_to_a_waiting_conversation_takes_it_over_and_reaches_the_member(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, channel=Channel.TELEGRAM, owner=Owner.QUEUED)
    async with database.transaction() as session:
        said = await staff_talk.reply(session, conversation.id, worker, " 您好，我是小李 ", now)
    assert (said.author, said.staff_id, said.text, said.epoch) == (
        Author.STAFF,
        worker.id,
        "您好，我是小李",
        1,
    )
    async with database.read() as session:
        found = await conversations.get(session, conversation.id)
        entry = (await session.scalars(select(OutboxEntry))).one()
    assert (found.owner, found.staff_id) == (Owner.HUMAN, worker.id)
    assert entry.message_id == said.id


async def test_its_owner_goes_on_answering_without_a_new_takeover(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id, epoch=2)
        for text in ("一", "二"):
            said = await staff_talk.reply(session, conversation.id, worker, text, now)
    assert said.epoch == 2


async def test_nobody_answers_in_the_bots_or_a_colleagues_conversation(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        with_the_bot = await make_conversation(session)
        with_a_colleague = await make_conversation(session, owner=Owner.HUMAN, staff_id=colleague.id)
        for conversation in (with_the_bot, with_a_colleague):
            with pytest.raises(NotAllowed):
                await staff_talk.reply(session, conversation.id, worker, "您好", now)
        with pytest.raises(NotFound):
            await staff_talk.reply(session, "nothing", worker, "您好", now)


@pytest.mark.parametrize("text", ["", " \n", "长" * 4001])
async def test_an_empty_or_endless_reply_is_refused(database: Database, now: datetime, text: str) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        with pytest.raises(BadInput):
            await staff_talk.reply(session, conversation.id, worker, text, now)
        assert conversation.owner is Owner.QUEUED


async def test_a_worker_whose_account_was_closed_cannot_answer(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        gone = await make_staff(session, active=False)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=gone.id)
        with pytest.raises(NotAllowed):
            await staff_talk.reply(session, conversation.id, gone, "您好", now)
