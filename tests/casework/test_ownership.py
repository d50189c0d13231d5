"""Ownership: every move of who speaks and every refused one, and nobody talks over a human."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import conversations, handoff, messages
from casework.database import Database
from casework.errors import NotAllowed, StaleEpoch
from casework.messages import Reply
from casework.ownership import MOVES, Move, move
from casework.tables import (
    Alert,
    AlertKind,
    AuditEntry,
    Author,
    Conversation,
    Handoff,
    Owner,
    Presence,
    Staff,
    StaffRole,
)
from casework.wording import Wording
from tests.factories import make_conversation, make_message, make_staff

WORDING = Wording.load(Path(__file__).parents[2] / "data" / "knowledge")


async def audited(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """Actor, deed and detail of every audit entry, in order."""
    async with database.read() as session:
        entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.actor, entry.deed, entry.detail) for entry in entries]


async def owned_by(session: AsyncSession, owner: Owner, worker: Staff, now: datetime) -> Conversation:
    """A conversation in which this one speaks; of humans it is this worker."""
    human = owner in (Owner.HUMAN, Owner.WRAP_UP)
    return await make_conversation(
        session,
        owner=owner,
        staff_id=worker.id if human else None,
        wrap_up_at=now if owner is Owner.WRAP_UP else None,
    )


async def heard(database: Database, conversation_id: str) -> list[str]:
    """What the member can read of what we said."""
    async with database.read() as session:
        said = await messages.transcript(session, conversation_id)
        return [one.text or "" for one in said if one.author is not Author.MEMBER]


async def alerts(database: Database) -> list[tuple[AlertKind, int | None]]:
    """Every alert and whom it is for, in order."""
    async with database.read() as session:
        found = await session.scalars(select(Alert).order_by(Alert.id))
        return [(alert.kind, alert.staff_id) for alert in found]


async def service_of(database: Database, conversation_id: str) -> Handoff:
    """The latest service of a conversation."""
    async with database.read() as session:
        found = await session.scalars(
            select(Handoff).where(Handoff.conversation_id == conversation_id).order_by(Handoff.id.desc())
        )
        return found.first() or pytest.fail("there was none")


async def test_what_a_colleague_speaks_in_is_not_taken_over(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff, colleague = await make_staff(session), await make_staff(session)
        with_a_colleague = await make_conversation(session, owner=Owner.HUMAN, staff_id=colleague.id)
        with pytest.raises(NotAllowed):
            await handoff.take_over(session, with_a_colleague, staff, now)
        assert with_a_colleague.epoch == 0
    assert with_a_colleague.staff_id == colleague.id


async def test_a_conversation_is_taken_over_from_the_bot_by_way_of_the_queue(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, login="xiaoli")
        conversation = await make_conversation(session)
        taken = await handoff.take_over(session, conversation, staff, now)
        assert (taken.owner, taken.epoch, taken.staff_id) == (Owner.HUMAN, 2, staff.id)
    assert [deed for _, deed, _ in await audited(database)] == [
        "conversation.handed_off",
        "conversation.taken_over",
    ]


async def test_taking_over_ones_own_conversation_changes_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id, epoch=4)
        assert (await handoff.take_over(session, conversation, staff, now)).epoch == 4
    assert await audited(database) == []


async def test_two_workers_who_take_over_at_once_get_one_owner(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        workers = [await make_staff(session) for _ in range(6)]
        conversation = await make_conversation(session, owner=Owner.QUEUED)
    another = Database(database.url)

    async def take(index: int) -> bool:
        through = (database, another)[index % 2]
        try:
            async with through.transaction() as session:
                await handoff.take_over(session, conversation, workers[index], now)
        except NotAllowed:
            return False
        return True

    won = await asyncio.gather(*(take(index) for index in range(len(workers))))
    await another.close()
    assert won.count(True) == 1
    async with database.read() as session:
        found = await conversations.get(session, conversation.id)
    assert found.staff_id == workers[won.index(True)].id
    assert found.epoch == 1


@pytest.mark.parametrize("step", list(Move))
@pytest.mark.parametrize("owner", list(Owner))
async def test_a_conversation_moves_as_the_table_says_and_in_no_other_way(
    database: Database, now: datetime, owner: Owner, step: Move
) -> None:
    async with database.transaction() as session:
        worker, other = await make_staff(session), await make_staff(session)
        conversation = await owned_by(session, owner, worker, now)
        staff_id = other.id if step is Move.TAKE_OVER else None
        if (owner, step) not in MOVES:
            with pytest.raises(NotAllowed):
                await move(session, conversation, step, actor="system", now=now, staff_id=staff_id)
            assert (conversation.owner, conversation.epoch) == (owner, 0)
            return
        service = await move(session, conversation, step, actor="system", now=now, staff_id=staff_id)
        after = MOVES[owner, step]
        await session.flush()  # the database agrees
        assert (conversation.owner, conversation.epoch) == (after, 1)
        assert (conversation.staff_id is not None) == (after in (Owner.HUMAN, Owner.WRAP_UP))
        assert (conversation.queued_at is not None) == (after is Owner.QUEUED)
        assert (conversation.wrap_up_at is not None) == (after is Owner.WRAP_UP)
        assert (service.ended_at is not None) == (after is Owner.BOT)
        if step is Move.TAKE_OVER:
            assert conversation.staff_id == service.staff_id == other.id


TO_HUMANS: list[tuple[Owner, StaffRole, bool]] = [
    (Owner.BOT, StaffRole.AGENT, True),
    (Owner.QUEUED, StaffRole.AGENT, True),
    (Owner.WRAP_UP, StaffRole.AGENT, True),
    (Owner.HUMAN, StaffRole.AGENT, False),
    (Owner.HUMAN, StaffRole.SUPERVISOR, True),
    (Owner.HUMAN, StaffRole.ADMIN, True),
    *((owner, StaffRole.AUDITOR, False) for owner in Owner),
]


@pytest.mark.parametrize(("owner", "role", "may"), TO_HUMANS)
async def test_who_may_take_over_from_whom(
    database: Database, now: datetime, owner: Owner, role: StaffRole, may: bool
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session, role=role)
        conversation = await owned_by(session, owner, worker, now)
        if not may:
            with pytest.raises(NotAllowed):
                await handoff.take_over(session, conversation, colleague, now)
            return
        taken = await handoff.take_over(session, conversation, colleague, now)
        assert (taken.owner, taken.staff_id) == (Owner.HUMAN, colleague.id)
    told = [(AlertKind.TRANSFERRED, worker.id)] if owner is Owner.HUMAN else []
    assert await alerts(database) == told
    assert (await service_of(database, conversation.id)).requeued == 0


async def test_the_member_hears_the_badge_and_never_the_name(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        with_badge = await make_staff(session, badge="07", display_name="李坐席")
        without = await make_staff(session, role=StaffRole.SUPERVISOR, display_name="王班长")
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        for worker in (with_badge, with_badge, without):
            await handoff.take_over(session, conversation, worker, now, wording=WORDING)
    first, second = await heard(database, conversation.id)
    assert first == WORDING.say("handoff.human_is_here", badge="07")
    assert second == WORDING.say("handoff.human_is_here_unnamed")


async def test_who_takes_over_is_there_whatever_their_browser_said(database: Database, now: datetime) -> None:
    long_ago = now - timedelta(hours=1)
    async with database.transaction() as session:
        gone = await make_staff(session, presence=Presence.OFFLINE, seen_at=long_ago)
        away = await make_staff(session, presence=Presence.AWAY, seen_at=long_ago)
        by_command = await make_staff(session)
        for worker in (gone, away, by_command):
            await handoff.take_over(session, await make_conversation(session), worker, now)
    async with database.read() as session:
        found = [await session.get_one(Staff, worker.id) for worker in (gone, away, by_command)]
    assert [(one.presence, one.seen_at) for one in found] == [
        (Presence.ONLINE, now),
        (Presence.AWAY, now),
        (Presence.OFFLINE, None),
    ]


async def test_no_answer_of_the_bot_comes_after_a_human_took_over(database: Database, now: datetime) -> None:
    """Eight turns race eight take-overs through two processes: whatever wins, nobody talks over a human."""
    async with database.transaction() as session:
        worker = await make_staff(session)
        threads = [await make_conversation(session) for _ in range(8)]
        asked = [await make_message(session, conversation) for conversation in threads]
    another = Database(database.url)

    async def answer(index: int) -> None:
        async with (database, another)[index % 2].transaction() as session:
            try:
                await messages.record_replies(
                    session,
                    threads[index].id,
                    [Reply("机器人的回答")],
                    in_reply_to=asked[index].id,
                    author=Author.BOT,
                    epoch_seen=0,
                    now=now,
                )
            except StaleEpoch:
                return

    async def take(index: int) -> None:
        async with (another, database)[index % 2].transaction() as session:
            conversation = await conversations.get(session, threads[index].id)
            await handoff.take_over(session, conversation, worker, now, wording=WORDING)

    await asyncio.gather(*(deed(index) for index in range(8) for deed in (answer, take)))
    await another.close()
    async with database.read() as session:
        for thread in threads:
            said = [
                one.author
                for one in await messages.transcript(session, thread.id)
                if one.author is not Author.MEMBER
            ]
            assert said in ([Author.SYSTEM], [Author.BOT, Author.SYSTEM])
            assert (await conversations.get(session, thread.id)).staff_id == worker.id
