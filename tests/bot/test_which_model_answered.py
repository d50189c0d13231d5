"""What a member's message keeps of its answer: which model version read it, and how long it took."""

from __future__ import annotations

import asyncio

from bot.dialogue import Answer, Utterance
from casework import conversations, handoff, messages
from casework.clock import FixedClock
from casework.database import Database
from casework.tables import Message
from tests.bot.conftest import Line
from tests.bot.fakes import Script, Trouble, say, understand

THOUGHT_MS = 40


async def kept(database: Database, message_id: int) -> Message:
    async with database.read() as session:
        return await messages.get(session, message_id)


async def think(utterance: Utterance) -> None:
    await asyncio.sleep(THOUGHT_MS / 1000)


def answer_by(model: str | None) -> Answer:
    return say("工资要按月发").model_copy(
        update={"understanding": understand("ask_wage_arrears", model=model)}
    )


async def test_the_model_that_read_a_message_and_the_time_of_its_answer_are_kept(
    line: Line, script: Script, database: Database
) -> None:
    script.will_say(answer_by("2026-11-23-1"))
    script.before_answering = think
    receipt = await line.say("没给钱")
    message = await kept(database, receipt.message_id)
    assert (message.intent, message.model) == ("ask_wage_arrears", "2026-11-23-1")
    assert message.answer_ms is not None
    assert THOUGHT_MS - 2 <= message.answer_ms < 10_000
    said = await kept(database, receipt.replies[0].id)
    assert (said.model, said.answer_ms) == (None, None)


async def test_an_answer_without_a_reading_still_took_its_time(
    line: Line, script: Script, database: Database
) -> None:
    script.will_say(say("好的").model_copy(update={"understanding": None}))
    script.before_answering = think
    message = await kept(database, (await line.say("没给钱")).message_id)
    assert message.model is None
    assert message.answer_ms is not None
    assert message.answer_ms >= THOUGHT_MS - 2


async def test_a_message_without_an_answer_has_no_time(
    line: Line, script: Script, database: Database
) -> None:
    script.will_say(Trouble.DOWN)
    message = await kept(database, (await line.say("没给钱")).message_id)
    assert (message.model, message.answer_ms) == (None, None)


async def test_what_is_only_read_for_staff_names_the_model_and_no_time(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", clock.now(), actor="member")
    script.will_read(understand("ask_wage_arrears", model="2026-11-23-2"))
    message = await kept(database, (await line.say("没给钱")).message_id)
    assert (message.model, message.answer_ms) == ("2026-11-23-2", None)


async def test_a_model_of_a_very_long_name_stops_no_answer(
    line: Line, script: Script, database: Database
) -> None:
    script.will_say(answer_by("m" * 200))
    receipt = await line.say("没给钱")
    assert [reply.text for reply in receipt.replies] == ["工资要按月发"]
    assert (await kept(database, receipt.message_id)).model == "m" * 40
