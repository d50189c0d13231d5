"""Answering: crisis first in every state, nobody talks over a human, and failure is said with a number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.dialogue import Utterance
from bot.incoming import MessageTooLong
from bot.switchboard import Switchboard
from casework import conversations, handoff, messages
from casework.clock import FixedClock
from casework.crisis import CrisisLevel, CrisisRules
from casework.database import Database
from casework.tables import AuditEntry, Handling, Owner
from casework.wording import Wording
from tests.bot.conftest import Line, new_line
from tests.bot.fakes import Script, Trouble, say, understand
from tests.factories import make_staff

IN_DANGER = "俺不想活了"
FELL_DOWN = "工友从架子上坠落，现在昏迷叫不醒"
NO_RULE_SEES_IT = "今天门口站着的还是那个人"
WORN_OUT = "俺活不下去了，睡不着也没人管"


@pytest.fixture(autouse=True)
def sentences_are_what_the_tests_take_them_for(crisis: CrisisRules) -> None:
    for text, kind, level in [
        (IN_DANGER, "self_harm", CrisisLevel.URGENT),
        (FELL_DOWN, "medical", CrisisLevel.URGENT),
        (WORN_OUT, "self_harm", CrisisLevel.CARE),
    ]:
        finding = crisis.detect(text)
        assert finding is not None
        assert (finding.kind, finding.level) == (kind, level)
    assert crisis.detect(NO_RULE_SEES_IT) is None


async def queue(database: Database, clock: FixedClock, line: Line) -> None:
    """Put the conversation into the queue."""
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.hand_off(session, conversation, "member_asked", clock.now(), actor="member")


async def take_over(database: Database, clock: FixedClock, line: Line) -> None:
    """Let a hotline worker have the conversation."""
    await queue(database, clock, line)
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.take_over(session, conversation, await make_staff(session), clock.now())


async def audited(database: Database, deed: str) -> list[AuditEntry]:
    """The audit entries of one deed."""
    async with database.read() as session:
        return list(await session.scalars(select(AuditEntry).where(AuditEntry.deed == deed)))


# --- crisis first


async def test_a_crisis_is_answered_with_advice_at_once_and_without_the_dialogue(
    line: Line, script: Script, crisis: CrisisRules, wording: Wording
) -> None:
    receipt = await line.say(IN_DANGER)
    (reply,) = receipt.replies
    finding = crisis.detect(IN_DANGER)
    assert finding is not None
    assert reply.text == finding.advice
    assert "12356" in reply.text
    assert (reply.topic, receipt.owner) == ("crisis.self_harm", "bot")
    assert [button.title for button in reply.buttons] == [wording.say("dialogue.human_button")]
    assert script.heard == []
    conversation = await line.conversation()
    assert (conversation.urgent, conversation.urgent_reason) == (True, "crisis.self_harm")


async def test_the_lecture_comes_once_and_then_the_short_text(
    line: Line, crisis: CrisisRules, clock: FixedClock
) -> None:
    finding = crisis.detect(IN_DANGER)
    assert finding is not None
    said = []
    for _ in range(3):
        said += [view.text for view in (await line.say(IN_DANGER)).replies]
        clock.advance(timedelta(hours=11))
    assert said == [finding.advice, finding.again, finding.again]
    clock.advance(timedelta(hours=12))
    assert [view.text for view in (await line.say(IN_DANGER)).replies] == [finding.advice]


async def test_another_danger_gets_its_own_advice(line: Line, crisis: CrisisRules) -> None:
    await line.say(IN_DANGER)
    finding = crisis.detect(FELL_DOWN)
    assert finding is not None
    assert [view.text for view in (await line.say(FELL_DOWN)).replies] == [finding.advice]


async def test_where_care_is_enough_the_advice_comes_before_the_answer(
    line: Line, script: Script, crisis: CrisisRules
) -> None:
    finding = crisis.detect(WORN_OUT)
    assert finding is not None
    receipt = await line.say(WORN_OUT)
    assert [view.text for view in receipt.replies] == [finding.advice, f"答：{WORN_OUT}"]
    assert [utterance.text for utterance in script.heard] == [WORN_OUT]
    assert (await line.conversation()).urgent


async def test_advice_is_given_when_the_dialogue_is_down(line: Line, script: Script) -> None:
    script.will_say(Trouble.DOWN)
    receipt = await line.say(WORN_OUT)
    assert [reply.topic for reply in receipt.replies] == ["crisis.self_harm", None]
    assert "编号" in receipt.replies[1].text


@pytest.mark.parametrize("state", ["queued", "human"])
async def test_in_a_humans_conversation_the_advice_is_all_the_bot_says(
    line: Line, script: Script, database: Database, clock: FixedClock, state: str
) -> None:
    await (queue if state == "queued" else take_over)(database, clock, line)
    assert (await line.say("在吗")).replies == []
    receipt = await line.say(WORN_OUT)
    assert [reply.topic for reply in receipt.replies] == ["crisis.self_harm"]
    assert receipt.replies[0].buttons == []
    assert receipt.owner == state
    assert (await line.say("那后来呢")).replies == []
    assert script.heard == []
    assert (await line.conversation()).urgent


@pytest.mark.parametrize("state", ["queued", "human"])
async def test_what_only_the_model_sees_is_advised_in_a_humans_conversation(
    line: Line, script: Script, database: Database, clock: FixedClock, state: str
) -> None:
    await (queue if state == "queued" else take_over)(database, clock, line)
    script.will_read(understand("crisis_violence", 0.8))
    receipt = await line.say(NO_RULE_SEES_IT)
    assert [reply.topic for reply in receipt.replies] == ["crisis.violence"]
    assert "110" in receipt.replies[0].text
    assert (await line.conversation()).last_crisis_kind == "violence"


@pytest.mark.parametrize(
    "reading",
    [
        understand("crisis_violence", 0.79),
        understand("crisis_violence", 0.95, accepted=False),
        understand("ask_wage_arrears", 0.99),
        understand("crisis_unheard_of", 0.99),
        *Trouble,
    ],
)
async def test_a_model_that_is_unsure_or_broken_changes_nothing_in_a_humans_conversation(
    line: Line,
    script: Script,
    database: Database,
    clock: FixedClock,
    reading: object,
) -> None:
    await queue(database, clock, line)
    script.will_read(reading)  # type: ignore[arg-type]  # a parameter of either kind
    receipt = await line.say(NO_RULE_SEES_IT)
    assert (receipt.replies, receipt.owner) == ([], "queued")
    assert script.read == [NO_RULE_SEES_IT]
    assert not (await line.conversation()).urgent


async def test_a_button_is_no_cry_for_help(line: Line, script: Script) -> None:
    script.will_say(say("选一个", buttons=((IN_DANGER[:5], "/ask_wage_arrears"),)))
    token = (await line.say("你好呀")).replies[0].buttons[0].payload
    assert (await line.press(token)).replies[0].topic is None


# --- a human owns it


@pytest.mark.parametrize("state", ["queued", "human"])
async def test_what_a_member_says_to_a_human_is_kept_and_the_bot_is_silent(
    line: Line, script: Script, database: Database, clock: FixedClock, state: str
) -> None:
    await (queue if state == "queued" else take_over)(database, clock, line)
    for what in ({"text": "在吗"}, {"payload": "menu"}, {"location": (36.6, 117.0)}):
        receipt = await line.send(**what)
        assert (receipt.replies, receipt.owner) == ([], state)
    assert script.heard == []
    async with database.read() as session:
        assert await messages.pending(session) == []
        said = await messages.transcript(session, line.conversation_id)
    assert [message.handling for message in said] == [Handling.DONE] * 3


async def test_the_sentence_of_a_hand_off_is_still_said_in_the_turn_that_hands_off(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        async with database.transaction() as session:
            conversation = await conversations.get(session, line.conversation_id)
            await handoff.hand_off(session, conversation, "member_asked", clock.now())

    script.before_answering = act
    script.will_say(say("已转人工，请稍等。"))
    receipt = await line.say("找人工")
    assert ([view.text for view in receipt.replies], receipt.owner) == (["已转人工，请稍等。"], "queued")


async def test_a_reply_made_while_a_human_took_over_is_dropped_and_noted(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        await take_over(database, clock, line)

    script.before_answering = act
    script.will_say(say("一", "二"))
    receipt = await line.say("没给钱")
    assert (receipt.replies, receipt.owner) == ([], "human")
    assert await line.said_by_bot() == []
    (entry,) = await audited(database, "message.replies_suppressed")
    assert (entry.subject_id, entry.detail) == (str(receipt.message_id), {"replies": 2})
    async with database.read() as session:
        assert (await messages.get(session, receipt.message_id)).handling is Handling.DONE


async def test_a_hand_off_that_a_human_picks_up_at_once_silences_the_turn(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        async with database.transaction() as session:
            conversation = await conversations.get(session, line.conversation_id)
            await handoff.hand_off(session, conversation, "member_asked", clock.now())
            await handoff.take_over(session, conversation, await make_staff(session), clock.now())

    script.before_answering = act
    assert (await line.say("找人工")).replies == []


async def test_crisis_advice_of_the_dialogue_is_said_even_when_a_human_took_over_meanwhile(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        await take_over(database, clock, line)

    script.before_answering = act
    script.will_say(say("先保证安全，打110。", topic="crisis.violence"))
    receipt = await line.say(NO_RULE_SEES_IT)
    assert [view.text for view in receipt.replies] == ["先保证安全，打110。"]


async def test_care_is_said_even_when_a_human_took_over_while_the_dialogue_thought(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        await take_over(database, clock, line)

    script.before_answering = act
    receipt = await line.say(WORN_OUT)
    assert [view.topic for view in receipt.replies] == ["crisis.self_harm"]


# --- when it breaks


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_every_trouble_of_the_dialogue_becomes_numbers_to_call_and_a_place_in_the_queue(
    line: Line, script: Script, database: Database, trouble: Trouble, caplog: pytest.LogCaptureFixture
) -> None:
    script.will_say(trouble)
    receipt = await line.say("没给钱")
    (reply,) = receipt.replies
    assert receipt.owner == "queued"
    for number in ("12351", "12348", "12333", "110", "120"):
        assert number in reply.text
    reference = reply.text.split("编号 ")[1][:11]
    assert reference in caplog.text
    assert "没给钱" not in caplog.text
    conversation = await line.conversation()
    assert (conversation.owner, conversation.handoff_reason) == (Owner.QUEUED, "system_failure")
    async with database.read() as session:
        message = await messages.get(session, receipt.message_id)
    assert (message.text, message.handling) == ("没给钱", Handling.DONE)


async def test_after_a_failure_the_member_waits_for_a_human_and_is_not_told_again(
    line: Line, script: Script, database: Database
) -> None:
    script.will_say(Trouble.DOWN)
    first, second = await asyncio.gather(line.say("一"), line.say("二"))
    assert (len(first.replies), second.replies, second.owner) == (1, [], "queued")
    queued_at = (await line.conversation()).queued_at
    assert (await line.say("三")).replies == []
    assert (await line.conversation()).queued_at == queued_at
    assert len(await audited(database, "conversation.handed_off")) == 1
    assert len(script.heard) == 1


async def test_a_dialogue_that_takes_too_long_is_a_failure(
    another_switchboard: Callable[..., Switchboard], database: Database, script: Script
) -> None:
    hasty = another_switchboard(time_limit_s=0.3)
    script.hold()
    receipt = await (await new_line(hasty, database)).say("没给钱")
    await hasty.close()
    assert receipt.owner == "queued"
    assert "编号" in receipt.replies[0].text


async def test_a_turn_that_hands_off_and_then_breaks_is_not_silent(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        async with database.transaction() as session:
            conversation = await conversations.get(session, line.conversation_id)
            await handoff.hand_off(session, conversation, "member_asked", clock.now())

    script.before_answering = act
    script.will_say(Trouble.SILENT)
    receipt = await line.say("找人工")
    assert (len(receipt.replies), receipt.owner) == (1, "queued")
    assert (await line.conversation()).handoff_reason == "member_asked"


async def test_a_turn_that_breaks_after_a_human_took_over_leaves_it_to_them(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def act(utterance: Utterance) -> None:
        await take_over(database, clock, line)

    script.before_answering = act
    script.will_say(Trouble.ERROR)
    receipt = await line.say("没给钱")
    assert (receipt.replies, receipt.owner) == ([], "human")


async def test_an_answer_that_cannot_be_stored_is_a_failure_like_any_other(
    line: Line, script: Script
) -> None:
    script.will_say(say("选一个", buttons=(("长" * 81, "/affirm"),)))
    receipt = await line.say("没给钱")
    assert ("编号" in receipt.replies[0].text, receipt.owner) == (True, "queued")


async def test_a_bug_of_ours_is_a_failure_like_any_other_and_quotes_nobody(
    line: Line, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(utterance: Utterance) -> None:
        raise ValueError(utterance.text)

    script.before_answering = stumble
    receipt = await line.say("我的电话是13800138000")
    assert ("编号" in receipt.replies[0].text, receipt.owner) == (True, "queued")
    assert "ValueError" in caplog.text
    assert "13800138000" not in caplog.text


async def test_when_the_reply_cannot_be_stored_the_message_is_not_done(
    line: Line, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*args: object, **values: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(messages, "record_replies", full_disk)
    with pytest.raises(OSError, match="no space"):
        await line.say("没给钱", client_message_id="m1")
    async with database.read() as session:
        (waiting,) = await messages.pending(session)
    assert (await line.conversation()).owner is Owner.BOT
    monkeypatch.undo()
    receipt = await line.say("没给钱", client_message_id="m1")
    assert (receipt.message_id, receipt.duplicate) == (waiting.id, True)
    assert [view.text for view in receipt.replies] == ["答：没给钱"]


# --- what the logs hold


async def test_no_phone_number_reaches_a_log(
    line: Line, script: Script, database: Database, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for ours in ("bot", "casework"):
        caplog.set_level(logging.DEBUG, logger=ours)
    phone = "13912345678"
    script.will_say(say(f"您的电话是{phone}吗", buttons=((phone, f'/inform{{"phone": "{phone}"}}'),)))
    button = (await line.say(f"我叫张三，电话{phone}")).replies[0].buttons[0]
    await line.press(button.payload)
    script.will_say(Trouble.ERROR)
    await line.say(f"再说一遍 {phone}")
    await take_over_again(database, clock, line)
    await line.say(f"坐席你好 {phone}")
    with pytest.raises(MessageTooLong):
        await line.say(phone * 1000)
    assert phone not in caplog.text
    assert "张三" not in caplog.text
    assert len(caplog.records) > 0


async def take_over_again(database: Database, clock: FixedClock, line: Line) -> None:
    """Let a hotline worker take a conversation that waits already."""
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        await handoff.take_over(session, conversation, await make_staff(session), clock.now())


# --- who is left to the bot


async def leave_to_the_bot(database: Database, clock: FixedClock, line: Line) -> None:
    """Staff asked that the member be left to the bot for an hour."""
    async with database.transaction() as session:
        conversation = await conversations.lock(session, line.conversation_id)
        conversation.blocked_until = clock.now() + timedelta(hours=1)


async def test_a_failure_is_said_to_who_is_left_to_the_bot_and_nothing_stays_pending(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    await leave_to_the_bot(database, clock, line)
    script.will_say(Trouble.DOWN)
    receipt = await line.say("工资怎么算")
    (reply,) = receipt.replies
    assert receipt.owner == "bot"
    assert "编号" in reply.text
    assert "人工会在这里回您" not in reply.text, "nobody will"
    async with database.read() as session:
        assert await messages.pending(session) == []
    assert [view.text for view in (await line.say("再问一遍")).replies] == ["答：再问一遍"]


async def test_a_cry_for_help_reaches_a_human_although_the_dialogue_failed_and_they_were_left_to_the_bot(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    await leave_to_the_bot(database, clock, line)
    script.will_say(Trouble.DOWN)
    assert (await line.say(WORN_OUT)).owner == "queued"
    conversation = await line.conversation()
    assert (conversation.urgent, conversation.risks) == (True, ["crisis.self_harm.care"])


async def test_what_a_message_was_taken_for_is_kept_although_a_human_took_over_meanwhile(
    line: Line, script: Script, database: Database, clock: FixedClock
) -> None:
    async def meanwhile(_: Utterance) -> None:
        await take_over(database, clock, line)

    script.before_answering = meanwhile
    receipt = await line.say("工资怎么算")
    assert receipt.replies == []
    async with database.read() as session:
        assert (await messages.get(session, receipt.message_id)).intent == "ask_wage_arrears"
