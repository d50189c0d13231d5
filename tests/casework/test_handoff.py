"""Hand-off: into the queue, on to a colleague, back to the bot, and what is heard of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from casework import aside, conversations, handoff, messages
from casework.database import Database
from casework.errors import BadInput, NotAllowed
from casework.handoff import HandoffBlocked
from casework.tables import (
    Alert,
    AlertKind,
    Audience,
    AuditEntry,
    Author,
    Handoff,
    Message,
    Owner,
    Priority,
    StaffRole,
    Team,
)
from casework.wording import Wording
from tests.factories import make_conversation, make_message, make_staff

WORDING = Wording.load(Path(__file__).parents[2] / "data" / "knowledge")


async def audited(database: Database) -> list[tuple[str, str, dict[str, object]]]:
    """Actor, deed and detail of every audit entry, in order."""
    async with database.read() as session:
        entries = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.actor, entry.deed, entry.detail) for entry in entries]


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


async def test_the_topic_finds_its_team_and_a_closed_team_finds_nobody(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        closed = Team(name="旧组", topics=["labour.wage_arrears"], active=False, created_at=now)
        team = Team(name="维权组", topics=["labour.wage_arrears"], created_at=now)
        session.add_all([closed, team])
        await session.flush()
        for topic, expected in (("labour.wage_arrears", team.id), ("tuition.aid", None), (None, None)):
            conversation = await make_conversation(session, last_topic=topic)
            queued = await handoff.hand_off(session, conversation, "member_asked", now)
            assert queued.team_id == expected
            service = await handoff.open_handoff(session, conversation.id)
            assert service is not None
            assert (service.team_id, service.topic) == (expected, topic)


async def test_a_transfer_to_a_colleague_is_reserved_noted_and_told_once(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
        passed = await handoff.transfer(
            session, conversation, worker, now, to=colleague, note="电话里说过一遍了", wording=WORDING
        )
        assert (passed.owner, passed.reserved_for_id) == (Owner.QUEUED, colleague.id)
        assert passed.waiting_since == now
    assert await alerts(database) == [(AlertKind.TRANSFERRED, colleague.id)]
    assert await heard(database, conversation.id) == [WORDING.say("handoff.passed_on")]
    async with database.read() as session:
        notes = await session.scalars(select(Message).where(Message.audience == Audience.INTERNAL))
        assert [note.text for note in notes] == ["电话里说过一遍了"]
        newest = await messages.newest(session, [conversation.id])
        said = await messages.transcript(session, conversation.id)
    assert newest[conversation.id].message_id == said[-1].id, "a note is no news to the member"


async def test_a_transfer_goes_to_one_who_answers_or_to_an_open_team(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker, auditor = await make_staff(session), await make_staff(session, role=StaffRole.AUDITOR)
        gone = await make_staff(session, active=False)
        team = Team(name="维权组", topics=[], created_at=now)
        closed = Team(name="旧组", topics=[], active=False, created_at=now)
        session.add_all([team, closed])
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
        await session.flush()
        with pytest.raises(BadInput):
            await handoff.transfer(session, conversation, worker, now)
        with pytest.raises(BadInput):
            await handoff.transfer(session, conversation, worker, now, to=worker, team=team)
        with pytest.raises(BadInput):
            await handoff.transfer(session, conversation, worker, now, team=closed)
        for nobody in (auditor, gone):
            with pytest.raises(NotAllowed):
                await handoff.transfer(session, conversation, worker, now, to=nobody)
        passed = await handoff.transfer(session, conversation, worker, now, team=team)
        assert (passed.owner, passed.team_id, passed.reserved_for_id) == (Owner.QUEUED, team.id, None)


async def test_out_of_the_queue_only_a_supervisor_transfers(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker, colleague = await make_staff(session), await make_staff(session)
        supervisor = await make_staff(session, role=StaffRole.SUPERVISOR)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
        with pytest.raises(NotAllowed):
            await handoff.transfer(session, conversation, worker, now, to=colleague)
        passed = await handoff.transfer(session, conversation, supervisor, now, to=colleague)
        assert (passed.reserved_for_id, passed.epoch) == (colleague.id, 0)
        taken = await handoff.take_over(session, conversation, worker, now)
        assert taken.reserved_for_id is None, "anybody may still take it"


async def test_what_came_of_it_is_kept_and_a_rating_asked_only_when_a_human_spoke(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        silent, spoken = await make_conversation(session), await make_conversation(session)
        for conversation in (silent, spoken):
            await handoff.take_over(session, conversation, worker, now)
        await handoff.note_answered(session, spoken, now)
        for conversation in (silent, spoken):
            await handoff.hand_back(
                session,
                conversation,
                worker,
                now,
                wording=WORDING,
                outcome="referred",
                note=" 已转仲裁院 ",
                said=" 您先去窗口。 ",
            )
    back = WORDING.say("handoff.handed_back")
    assert await heard(database, silent.id) == [f"您先去窗口。\n{back}"]
    assert await heard(database, spoken.id) == [f"您先去窗口。\n{back}\n{WORDING.say('handoff.ask_rating')}"]
    service = await service_of(database, spoken.id)
    assert (service.outcome, service.note, service.ended_at) == ("referred", "已转仲裁院", now)
    async with database.read() as session:
        (with_buttons,) = await messages.transcript(session, spoken.id)
        (without,) = await messages.transcript(session, silent.id)
    assert len((with_buttons.content or {})["buttons"]) == 5
    assert without.content is None


async def test_an_urgent_service_is_booked_as_urgent(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        await handoff.hand_off(session, conversation, "crisis.violence", now, urgent=True)
    service = await service_of(database, conversation.id)
    assert service.priority == Priority.CRITICAL


async def test_who_is_left_to_the_bot_is_not_handed_off_save_in_a_crisis(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
        await aside.block(session, conversation, worker, 2, "辱骂坐席", now, wording=WORDING)
        with pytest.raises(HandoffBlocked):
            await handoff.hand_off(session, conversation, "member_asked", now)
        assert conversation.owner is Owner.BOT
        await conversations.flag_urgent(session, conversation, "crisis.self_harm", now)
        queued = await handoff.hand_off(session, conversation, "member_asked", now)
        assert (queued.owner, queued.priority) == (Owner.QUEUED, Priority.CRITICAL)


async def test_a_block_ends_with_its_hours(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session, blocked_until=now)
        assert (await handoff.hand_off(session, conversation, "member_asked", now)).owner is Owner.QUEUED
