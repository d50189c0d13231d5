"""Conversations: tokens, owners, and what makes no sense."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from casework import conversations, handoff
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.tables import AuditEntry, Channel, Conversation, Owner, StaffRole
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


async def test_a_conversation_goes_from_the_bot_to_a_human_and_back(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, login="xiaoli")
        conversation = await make_conversation(session)
        queued = await handoff.hand_off(session, conversation, "member_asked", now)
        assert (queued.owner, queued.epoch, queued.queued_at) == (Owner.QUEUED, 1, now)
        assert queued.handoff_reason == "member_asked"
        taken = await handoff.take_over(session, queued, staff, now)
        assert (taken.owner, taken.epoch, taken.staff_id) == (Owner.HUMAN, 2, staff.id)
        released = await handoff.release(session, taken, staff, now + timedelta(minutes=5))
        assert (released.owner, released.epoch, released.staff_id) == (Owner.QUEUED, 3, None)
        assert released.queued_at == now + timedelta(minutes=5)
        await handoff.take_over(session, released, staff, now)
        back = await handoff.hand_back(session, conversation, staff, now)
        # Through wrap-up: two moves.
        assert (back.owner, back.epoch, back.staff_id, back.queued_at) == (Owner.BOT, 6, None, None)
        assert back.handoff_reason is None
    told = await audited(database)
    assert [(actor, deed) for actor, deed, _ in told] == [
        ("bot", "conversation.handed_off"),
        ("staff:xiaoli", "conversation.taken_over"),
        ("staff:xiaoli", "conversation.released"),
        ("staff:xiaoli", "conversation.taken_over"),
        ("staff:xiaoli", "conversation.finished"),
        ("staff:xiaoli", "conversation.handed_back"),
    ]
    assert told[0][2] == {"before": "bot", "after": "queued", "epoch": 1, "reason": "member_asked"}


async def test_handing_off_twice_keeps_the_place_in_the_queue(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        await handoff.hand_off(session, conversation, "member_asked", now)
        again = await handoff.hand_off(
            session, conversation, "dialogue_failed", now + timedelta(hours=1), urgent=True
        )
    assert (again.epoch, again.queued_at, again.handoff_reason) == (1, now, "member_asked")
    assert again.urgent


async def test_a_conversation_a_human_owns_is_not_handed_off_again(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=staff.id)
        with pytest.raises(NotAllowed):
            await handoff.hand_off(session, conversation, "member_asked", now)
        assert conversation.epoch == 0


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


async def test_only_its_owner_or_a_supervisor_gives_a_conversation_away(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        owner, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=owner.id)
        for deed in (handoff.hand_back, handoff.release):
            with pytest.raises(NotAllowed):
                await deed(session, conversation, colleague, now)
        assert (await handoff.hand_back(session, conversation, supervisor, now)).owner is Owner.BOT


@pytest.mark.parametrize("owner", [Owner.BOT, Owner.QUEUED])
async def test_what_no_human_owns_cannot_be_given_back_or_released(
    database: Database, now: datetime, owner: Owner
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session, role=StaffRole.ADMIN)
        conversation = await make_conversation(session, owner=owner)
        for deed in (handoff.hand_back, handoff.release):
            with pytest.raises(NotAllowed):
                await deed(session, conversation, staff, now)


async def test_a_closed_account_may_do_nothing_in_a_conversation(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        gone = await make_staff(session, active=False, role=StaffRole.ADMIN)
        waiting = await make_conversation(session, owner=Owner.QUEUED)
        owned = await make_conversation(session, owner=Owner.HUMAN, staff_id=gone.id)
        with pytest.raises(NotAllowed):
            await handoff.take_over(session, waiting, gone, now)
        with pytest.raises(NotAllowed):
            await handoff.hand_back(session, owned, gone, now)


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


async def test_handing_back_ends_the_urgency_but_not_the_memory_of_the_crisis(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        conversation = await make_conversation(session)
        await handoff.hand_off(session, conversation, "crisis.medical", now, urgent=True)
        await handoff.take_over(session, conversation, staff, now)
        back = await handoff.hand_back(session, conversation, staff, now)
    assert not back.urgent
    assert back.last_crisis_kind == "medical"


@pytest.mark.parametrize("reason", ["", "x" * 61])
async def test_a_reason_is_a_short_code(database: Database, now: datetime, reason: str) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        with pytest.raises(BadInput):
            await handoff.hand_off(session, conversation, reason, now)
        with pytest.raises(BadInput):
            await conversations.flag_urgent(session, conversation, reason, now)


async def test_the_bots_hand_off_remembers_the_message_whose_turn_it_is(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        by_bot, by_staff = await make_conversation(session), await make_conversation(session)
        message = await make_message(session, by_bot)
        await make_message(session, by_bot)
        await make_message(session, by_staff)
        await handoff.hand_off(session, by_bot, "member_asked", now)
        await handoff.hand_off(session, by_staff, "staff_wants_it", now, actor="staff:xiaoli")
    assert by_bot.handoff_message_id == message.id
    assert by_staff.handoff_message_id is None


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
