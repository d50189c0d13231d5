"""What the desk offers is what the deeds allow, no more and no less."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from casework import aside, handoff, staff_talk
from casework.case_from_talk import open_from_talk
from casework.database import Database
from casework.desk_moves import Moves, moves_open_to
from casework.errors import Refusal
from casework.knowledge import Knowledge
from casework.tables import Conversation, Owner, Staff, StaffRole
from casework.visibility import unmask
from casework.wording import Wording
from tests.factories import make_conversation, make_staff

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
WORDING = Wording.load(KNOWLEDGE)
Deed = Callable[[AsyncSession, Conversation, Staff, datetime], Awaitable[object]]

DEEDS: dict[str, Deed] = {
    "take_over": handoff.take_over,
    "reply": lambda s, c, who, now: staff_talk.reply(s, c.id, who, "您好", now),
    "note": lambda s, c, who, now: staff_talk.note(s, c.id, who, "记一笔", now),
    "finish": handoff.finish,
    "resume": handoff.resume,
    "hand_back": handoff.hand_back,
    "release": handoff.release,
    "hold": lambda s, c, who, now: aside.hold(s, c, who, 5, now, wording=WORDING),
    "snooze": lambda s, c, who, now: aside.snooze(s, c, who, now + timedelta(hours=1), now),
    "block": lambda s, c, who, now: aside.block(s, c, who, 1, "辱骂", now, wording=WORDING),
    "unmask": lambda s, c, who, now: unmask(s, who, c, "回电", now),
}

NOT_OFFERED = {
    (Owner.HUMAN, "take_over"),  # one's own: it would change nothing
    (Owner.WRAP_UP, "take_over"),
    (Owner.WRAP_UP, "reply"),  # a colleague's wrap-up: take it over first, and on purpose
}
"""What would go through and is not offered; never the other way round."""


async def allowed_in_truth(
    session: AsyncSession, conversation_id: str, staff: Staff, now: datetime
) -> dict[str, bool]:
    """Which deeds go through, each tried by itself and undone."""
    truth = {}
    for name, deed in DEEDS.items():
        savepoint = await session.begin_nested()
        try:
            conversation = await session.get_one(Conversation, conversation_id, populate_existing=True)
            await deed(session, conversation, staff, now)
            truth[name] = True
        except Refusal:
            truth[name] = False
        finally:
            await savepoint.rollback()
            session.expire_all()
    return truth


@pytest.mark.parametrize("owner", list(Owner))
@pytest.mark.parametrize("for_supervisor", [False, True])
@pytest.mark.parametrize("waiting", [False, True])
async def test_what_is_offered_is_what_goes_through(
    database: Database, now: datetime, owner: Owner, for_supervisor: bool, waiting: bool
) -> None:
    if for_supervisor and owner is not Owner.QUEUED:
        pytest.skip("only what waits in the queue waits for a supervisor")
    async with database.transaction() as session:
        people = {
            "its worker": await make_staff(session),
            "a colleague": await make_staff(session),
            "a supervisor": await make_staff(session, role=StaffRole.SUPERVISOR),
            "an auditor": await make_staff(session, role=StaffRole.AUDITOR),
            "a closed account": await make_staff(session, active=False),
        }
        worker = people["its worker"] if owner in (Owner.HUMAN, Owner.WRAP_UP) else None
        conversation = await make_conversation(
            session,
            owner=owner,
            staff_id=worker.id if worker else None,
            wrap_up_at=now if owner is Owner.WRAP_UP else None,
            for_supervisor=for_supervisor,
            waiting_since=now if waiting else None,
        )
        conversation_id = conversation.id
        offered: dict[str, Moves] = {}
        truth = {}
        for who, staff in people.items():
            offered[who] = moves_open_to(conversation, staff, now)
        session.expunge_all()
        for who, staff in people.items():
            truth[who] = await allowed_in_truth(session, conversation_id, staff, now)
    wrong = [
        (who, name, getattr(moves, name))
        for who, moves in offered.items()
        for name in DEEDS
        if getattr(moves, name) != truth[who][name] and (owner, name) not in NOT_OFFERED
    ]
    assert not wrong
    for who, moves in offered.items():
        assert all(truth[who][name] for name in DEEDS if getattr(moves, name))


async def test_nothing_is_offered_to_an_auditor(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        conversation = await make_conversation(session, owner=Owner.QUEUED)
    moves = moves_open_to(conversation, auditor, now)
    assert moves == Moves(moves.standing)


async def test_what_was_put_aside_can_be_brought_back(database: Database, now: datetime) -> None:
    later = now + timedelta(minutes=10)
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(
            session, owner=Owner.HUMAN, staff_id=worker.id, held_until=later, snoozed_until=later
        )
    moves = moves_open_to(conversation, worker, now)
    assert (moves.hold, moves.unhold, moves.snooze, moves.unsnooze) == (False, True, False, True)
    moves = moves_open_to(conversation, worker, later)
    assert (moves.hold, moves.unhold, moves.snooze, moves.unsnooze) == (True, False, True, False)


async def test_a_case_is_opened_by_whom_it_is_offered_to(database: Database, now: datetime) -> None:
    knowledge = Knowledge.load(KNOWLEDGE)
    async with database.transaction() as session:
        worker = await make_staff(session)
        auditor = await make_staff(session, role=StaffRole.AUDITOR)
        conversation = await make_conversation(session, owner=Owner.HUMAN, staff_id=worker.id)
        assert moves_open_to(conversation, worker, now).open_case
        case = await open_from_talk(session, conversation, worker, "general", knowledge, now)
        assert case.conversation_id == conversation.id
        assert not moves_open_to(conversation, auditor, now).open_case
        with pytest.raises(Refusal):
            await open_from_talk(session, conversation, auditor, "general", knowledge, now)
