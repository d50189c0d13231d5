"""Staff talk: a reply once however often it is sent, notes no member reads, and who else is looking."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from casework import conversations, handoff, messages, staff_talk
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.tables import (
    Alert,
    AlertKind,
    Author,
    Channel,
    Delivery,
    Handoff,
    Message,
    Owner,
    Presence,
    Staff,
    StaffRole,
    Watcher,
)
from casework.wording import Wording
from tests.factories import make_attachment, make_conversation, make_staff

WORDING = Wording.load(Path(__file__).parents[2] / "data" / "knowledge")


async def test_a_reply_takes_over_from_the_queue_and_ends_the_wait(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, badge="07")
        conversation = await make_conversation(session, owner=Owner.QUEUED, waiting_since=now)
        later = now + timedelta(minutes=4)
        said = await staff_talk.reply(session, conversation.id, worker, " 您好 ", later, wording=WORDING)
        assert (said.text, said.author, said.staff_id) == ("您好", Author.STAFF, worker.id)
        assert (conversation.owner, conversation.waiting_since) == (Owner.HUMAN, None)
        assert (await session.scalars(select(Handoff.first_reply_at))).one() == later
        await staff_talk.reply(session, conversation.id, worker, "请说", later, wording=WORDING)
        heard = [one.text for one in await messages.transcript(session, conversation.id)]
    assert heard == [WORDING.say("handoff.human_is_here", badge="07"), "您好", "请说"]


async def test_the_same_sending_twice_is_one_message_and_two_workers_are_two(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation = await make_conversation(session, owner=Owner.QUEUED, channel=Channel.TELEGRAM)
    another = Database(database.url)

    async def send(through: Database) -> int:
        async with through.transaction() as session:
            said = await staff_talk.reply(
                session, conversation.id, worker, "您好", now, client_message_id="c1"
            )
            return said.id

    sent = await asyncio.gather(*(send(through) for through in [database, another] * 3))
    await another.close()
    assert len(set(sent)) == 1
    async with database.transaction() as session:
        taken = await conversations.get(session, conversation.id)
        await handoff.take_over(session, taken, supervisor, now)
        second = await staff_talk.reply(
            session, conversation.id, supervisor, "我是班长", now, client_message_id="c1"
        )
        assert second.id != sent[0]
        assert await session.scalar(select(func.count()).select_from(Message)) == 2


@pytest.mark.parametrize("name", ["", "x" * 80, "a\nb"])
async def test_a_sending_has_a_usable_name(database: Database, now: datetime, name: str) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        with pytest.raises(BadInput):
            await staff_talk.reply(session, conversation.id, worker, "您好", now, client_message_id=name)


async def test_no_member_takes_a_name_of_the_staffs(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(BadInput):
            await messages.record_incoming(session, conversation, "staff:1:c1", text="您好", now=now)


@pytest.mark.parametrize("owner", [Owner.BOT, Owner.HUMAN, Owner.WRAP_UP])
async def test_nobody_replies_where_the_bot_or_a_colleague_has_it(
    database: Database, now: datetime, owner: Owner
) -> None:
    async with database.transaction() as session:
        colleague = await make_staff(session)
        human = owner is not Owner.BOT
        conversation = await make_conversation(
            session,
            owner=owner,
            staff_id=colleague.id if human else None,
            wrap_up_at=now if owner is Owner.WRAP_UP else None,
        )
        for role in (StaffRole.AGENT, StaffRole.SUPERVISOR):
            with pytest.raises(NotAllowed):
                await staff_talk.reply(
                    session, conversation.id, await make_staff(session, role=role), "您好", now
                )
        assert await messages.transcript(session, conversation.id) == []


async def test_an_auditor_writes_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        with pytest.raises(NotAllowed):
            await staff_talk.reply(session, conversation.id, auditor, "您好", now)
        with pytest.raises(NotAllowed):
            await staff_talk.note(session, conversation.id, auditor, "看过", now)
        assert conversation.owner is Owner.QUEUED


async def test_a_reply_says_something_short_enough(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        for text in ("", "  ", "长" * 4001):
            with pytest.raises(BadInput):
                await staff_talk.reply(session, conversation.id, worker, text, now)
        file = await make_attachment(session, conversation)
        sent = await staff_talk.reply(session, conversation.id, worker, "", now, attachments=[file.id])
        assert (sent.content or {})["attachments"] == [file.id]


async def test_nobody_sends_another_members_file(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, foreign = await make_staff(session), await make_attachment(session)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        with pytest.raises(NotFound):
            await staff_talk.reply(session, conversation.id, worker, "看附件", now, attachments=[foreign.id])


async def test_a_reply_in_ones_own_wrap_up_goes_on_talking_without_a_second_greeting(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, presence=Presence.OFFLINE, seen_at=now - timedelta(hours=1))
        conversation = await make_conversation(
            session, owner=Owner.WRAP_UP, staff_id=worker.id, wrap_up_at=now
        )
        await staff_talk.reply(session, conversation.id, worker, "还有一点", now, wording=WORDING)
        assert conversation.owner is Owner.HUMAN
        heard = [one.text for one in await messages.transcript(session, conversation.id)]
        there = await session.get_one(Staff, worker.id, populate_existing=True)
    assert heard == ["还有一点"]
    assert (there.presence, there.seen_at) == (Presence.ONLINE, now)


async def test_who_is_named_in_a_note_is_told_and_nobody_else(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        author = await make_staff(session, login="zhang")
        xiaoli, wang = await make_staff(session, login="xiaoli"), await make_staff(session, login="wang.2")
        await make_staff(session, login="zhao")
        await make_staff(session, login="gone", active=False)
        conversation = await make_conversation(session)
        text = "@XiaoLi. 看一下，@wang.2，@zhang @gone @nobody @xiaoli"
        note = await staff_talk.note(session, conversation.id, author, text, now)
        alerts = list(await session.scalars(select(Alert).order_by(Alert.id)))
        assert {(one.kind, one.staff_id, one.message_id) for one in alerts} == {
            (AlertKind.MENTION, xiaoli.id, note.id),
            (AlertKind.MENTION, wang.id, note.id),
        }
        assert len(alerts) == 2
        assert await messages.transcript(session, conversation.id) == []
        assert await messages.replies_to(session, note.id) == []
        assert [one.id for one in await messages.whole_transcript(session, conversation.id)] == [note.id]
        assert (conversation.owner, conversation.epoch) == (Owner.BOT, 0)


@pytest.mark.parametrize("text", ["", "  ", "长" * 4001])
async def test_a_note_says_something(database: Database, now: datetime, text: str) -> None:
    async with database.transaction() as session:
        with pytest.raises(BadInput):
            await staff_talk.note(
                session, (await make_conversation(session)).id, await make_staff(session), text, now
            )


async def test_a_watcher_is_forgotten_when_not_heard_of(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session, display_name="李坐席")
        conversation = await make_conversation(session)
        await staff_talk.watch(session, worker, conversation.id, now, typing=True)

        async def seen(after_s: float) -> list[bool]:
            found = await staff_talk.watchers(session, conversation.id, now + timedelta(seconds=after_s))
            return [one.typing for one in found]

        assert (await seen(5), await seen(7), await seen(31)) == ([True], [False], [])
        await staff_talk.watch(session, worker, conversation.id, now + timedelta(seconds=20))
        assert await seen(31) == [False]
        await staff_talk.leave(session, worker, conversation.id)
        await staff_talk.leave(session, worker, conversation.id)
        assert await seen(21) == []


async def test_two_pages_of_one_worker_open_at_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, conversation = await make_staff(session), await make_conversation(session)
    another = Database(database.url)

    async def page(through: Database) -> None:
        async with through.transaction() as session:
            await staff_talk.watch(session, worker, conversation.id, now)
            await asyncio.sleep(0.02)

    await asyncio.gather(*(page(through) for through in [database, another] * 3))
    await another.close()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Watcher)) == 1


async def test_alerts_are_for_whom_they_are_meant(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        own = Alert(kind=AlertKind.MENTION, staff_id=worker.id, created_at=now)
        shared = Alert(kind=AlertKind.BREACH, staff_id=None, created_at=now)
        session.add_all([own, shared])
        await session.flush()

        async def unread(staff: Staff) -> list[int]:
            return [alert.id for alert in await staff_talk.alerts_for(session, staff)]

        assert await unread(worker) == [own.id]
        assert await unread(supervisor) == [shared.id]
        assert await unread(colleague) == await unread(auditor) == []
        for staff, alert in ((colleague, own), (supervisor, own), (worker, shared), (auditor, shared)):
            with pytest.raises(NotFound):
                await staff_talk.read_alert(session, staff, alert.id, now)
        await staff_talk.read_alert(session, worker, own.id, now)
        again = await staff_talk.read_alert(session, worker, own.id, now + timedelta(hours=1))
        assert (again.read_at, await unread(worker)) == (now, [])


async def test_it_is_known_what_became_of_a_reply_on_a_channel_that_pushes(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        ids = []
        for channel in (Channel.TELEGRAM, Channel.WEB):
            conversation = await make_conversation(session, owner=Owner.QUEUED, channel=channel)
            ids.append((await staff_talk.reply(session, conversation.id, worker, "您好", now)).id)
        assert await staff_talk.delivery_of(session, ids) == {
            ids[0]: staff_talk.Delivered(Delivery.PENDING, None)
        }
        assert await staff_talk.delivery_of(session, []) == {}
