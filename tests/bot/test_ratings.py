"""A rating counts whoever speaks in the conversation."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.switchboard import Switchboard
from casework import case_work, cases, conversations, handoff, messages, staff_talk
from casework.case_life import Actor
from casework.clock import FixedClock
from casework.database import Database
from casework.tables import Author, CaseState, Owner, Staff
from casework.wording import Wording
from tests.bot.conftest import Line
from tests.bot.fakes import Script
from tests.factories import make_staff


async def a_resolved_case(database: Database, clock: FixedClock, line: Line, wording: Wording) -> Staff:
    """A human has the conversation and has just resolved the member's case there."""
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.take_over(session, conversation, worker, clock.now())
        await staff_talk.reply(session, conversation.id, worker, "您好", clock.now())
        new = cases.NewCase(
            case_type="labour_dispute",
            topic="labour.wage_arrears",
            member_id=conversation.member_id,
            conversation_id=conversation.id,
        )
        case = await cases.open_case(session, new, clock.now(), actor=Actor.of_staff(worker))
        await case_work.assign(session, case, worker, to=worker, now=clock.now(), wording=wording)
        await case_work.start(session, case, worker, now=clock.now(), wording=wording)
        await case_work.resolve(session, case, worker, reason="已补发", now=clock.now(), wording=wording)
    return worker


async def press(line: Line, title: str) -> str:
    """Press the latest button with this title; what is said to it."""
    shown = [button for view in await line.transcript() for button in view.buttons if button.title == title]
    receipt = await line.press(shown[-1].payload)
    return "\n".join(view.text for view in receipt.replies)


@pytest.mark.parametrize(
    ("title", "said", "state"),
    [("5 分", "谢谢评价", CaseState.RESOLVED), ("1 分", "重新打开", CaseState.ACCEPTED)],
)
async def test_a_case_is_rated_while_a_human_has_the_conversation(
    database: Database,
    clock: FixedClock,
    line: Line,
    wording: Wording,
    script: Script,
    title: str,
    said: str,
    state: CaseState,
) -> None:
    worker = await a_resolved_case(database, clock, line, wording)
    clock.advance(timedelta(minutes=1))
    heard_before = len(script.heard)
    assert said in await press(line, title)
    assert len(script.heard) == heard_before, "the dialogue is not asked while a human speaks"
    async with database.read() as session:
        conversation = await conversations.get(session, line.conversation_id)
        (case,) = await cases.cases_of(session, conversation.member_id)
        assert (conversation.owner, conversation.staff_id) == (Owner.HUMAN, worker.id)
        assert conversation.waiting_since is None, "who rates waits for nobody"
        assert case.state is state


async def test_a_second_press_is_refused_in_words(
    database: Database, clock: FixedClock, line: Line, wording: Wording
) -> None:
    await a_resolved_case(database, clock, line, wording)
    await press(line, "1 分")
    assert "办不了" in await press(line, "1 分")


async def test_the_service_before_is_rated_while_another_human_serves(
    database: Database, clock: FixedClock, line: Line, wording: Wording
) -> None:
    worker = await a_resolved_case(database, clock, line, wording)
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.hand_back(session, conversation, worker, clock.now(), wording=wording)
        await handoff.take_over(session, conversation, await make_staff(session), clock.now())
    assert "谢谢评价" in await press(line, "4 分")


async def test_a_rating_is_taken_once_whoever_takes_it_up(
    database: Database, clock: FixedClock, line: Line, wording: Wording, another_switchboard: object
) -> None:
    await a_resolved_case(database, clock, line, wording)
    await press(line, "1 分")
    assert isinstance(line.switchboard, Switchboard)
    assert await line.switchboard.recover() == 0
    async with database.read() as session:
        said = await messages.transcript(session, line.conversation_id)
    assert sum(one.author is Author.SYSTEM and "重新打开" in (one.text or "") for one in said) == 1
