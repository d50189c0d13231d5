"""Switchboard: every message is recorded first, answered once, in order, and never with silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.dialogue import Utterance
from bot.incoming import BadLocation, EmptyMessage, MessageTooLong, UnknownButton
from bot.switchboard import Switchboard
from bot.views import Incoming
from casework import conversations, messages
from casework.clock import FixedClock
from casework.database import Database
from casework.errors import BadInput, NotFound
from casework.tables import Author, Channel, Handling, Message, OutboxEntry, Owner
from casework.wording import Wording
from tests.bot.conftest import Line, new_line
from tests.bot.fakes import Script, say
from tests.factories import make_message


async def test_a_message_is_answered_and_both_are_in_the_transcript(line: Line, script: Script) -> None:
    script.will_say(
        say("先说结论。", "要开工单吗？", topic="labour.wage_arrears", buttons=(("开工单", "/request_case"),))
    )
    receipt = await line.say("俺干了仨月没给钱")
    assert (receipt.duplicate, receipt.owner) == (False, "bot")
    assert [view.text for view in receipt.replies] == ["先说结论。", "要开工单吗？"]
    last = receipt.replies[-1]
    assert last.topic == "labour.wage_arrears"
    assert [source.article for source in last.sources] == ["第五十条"]
    assert [button.title for button in last.buttons] == ["开工单"]
    transcript = await line.transcript()
    assert [(view.author, view.text) for view in transcript] == [
        ("member", "俺干了仨月没给钱"),
        ("bot", "先说结论。"),
        ("bot", "要开工单吗？"),
    ]
    assert transcript[1:] == receipt.replies


async def test_the_dialogue_is_told_the_message_the_channel_and_the_day_in_shanghai(
    line: Line, script: Script, clock: FixedClock
) -> None:
    clock.advance(timedelta(hours=15))  # 00:30 of the next day in Jinan
    receipt = await line.say("昨天被辞退了")
    assert script.heard == [
        Utterance(line.conversation_id, receipt.message_id, "昨天被辞退了", "web", date(2026, 7, 21))
    ]


async def test_how_the_model_read_a_message_is_kept(line: Line, script: Script, database: Database) -> None:
    script.will_say(say("好", topic="labour.wage_arrears"))
    receipt = await line.say("没给钱")
    async with database.read() as session:
        message = await messages.get(session, receipt.message_id)
    assert (message.intent, message.topic, message.confidence) == (
        "ask_wage_arrears",
        "labour.wage_arrears",
        0.9,
    )
    assert (message.handling, message.attempts) == (Handling.DONE, 1)


async def test_replies_to_a_telegram_member_are_promised_in_the_outbox(
    switchboard: Switchboard, database: Database
) -> None:
    line = await new_line(switchboard, database, Channel.TELEGRAM)
    receipt = await line.say("你好呀")
    async with database.read() as session:
        promised = list(await session.scalars(select(OutboxEntry.message_id)))
    assert promised == [view.id for view in receipt.replies]


# --- the same message twice


async def test_the_same_message_twice_is_one_message_with_the_same_replies(
    line: Line, script: Script
) -> None:
    first = await line.say("没给钱", client_message_id="m1")
    second = await line.say("没给钱", client_message_id="m1")
    assert (first.duplicate, second.duplicate) == (False, True)
    assert (second.message_id, second.replies) == (first.message_id, first.replies)
    assert len(script.heard) == 1
    assert len(await line.transcript()) == 2


async def test_a_duplicate_that_arrives_meanwhile_waits_for_the_first_ones_replies(
    line: Line, script: Script
) -> None:
    thinking = script.hold()
    first = asyncio.create_task(line.say("没给钱", client_message_id="m1"))
    second = asyncio.create_task(line.say("没给钱", client_message_id="m1"))
    await script.hears()
    assert not second.done()
    thinking.set()
    one, two = await asyncio.gather(first, second)
    assert {one.duplicate, two.duplicate} == {False, True}
    assert one.replies == two.replies != []
    assert len(script.heard) == 1


async def test_a_duplicate_gets_the_replies_even_when_the_first_caller_went_away(
    line: Line, script: Script
) -> None:
    thinking = script.hold()
    gone = asyncio.create_task(line.say("没给钱", client_message_id="m1"))
    await script.hears()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    thinking.set()
    receipt = await line.say("没给钱", client_message_id="m1")
    assert receipt.duplicate
    assert [view.text for view in receipt.replies] == ["答：没给钱"]
    assert len(script.heard) == 1


# --- order


async def test_messages_of_one_conversation_are_answered_one_by_one_in_the_order_they_came(
    line: Line, script: Script
) -> None:
    busy = 0

    async def one_at_a_time(utterance: Utterance) -> None:
        nonlocal busy
        busy += 1
        assert busy == 1
        await asyncio.sleep(0.01)
        busy -= 1

    script.before_answering = one_at_a_time
    receipts = await asyncio.gather(*(line.say(f"第{number}句") for number in range(6)))
    assert [utterance.text for utterance in script.heard] == [f"第{number}句" for number in range(6)]
    assert [receipt.replies[0].text for receipt in receipts] == [f"答：第{number}句" for number in range(6)]
    assert [utterance.message_id for utterance in script.heard] == sorted(
        receipt.message_id for receipt in receipts
    )


async def test_different_conversations_do_not_wait_for_each_other(
    switchboard: Switchboard, database: Database, script: Script
) -> None:
    slow, quick = await new_line(switchboard, database), await new_line(switchboard, database)
    release = script.hold(slow.conversation_id)
    waiting = asyncio.create_task(slow.say("慢"))
    await script.hears()
    assert (await quick.say("快")).replies[0].text == "答：快"
    assert not waiting.done()
    release.set()
    assert (await waiting).replies[0].text == "答：慢"


async def test_locks_of_quiet_conversations_are_not_kept(line: Line, switchboard: Switchboard) -> None:
    await line.say("你好呀")
    assert (len(switchboard._recording), len(switchboard._answering_one)) == (0, 0)


# --- what cannot be taken


@pytest.mark.parametrize("text", ["", "   ", "\n\t\r\n", "\x00\x01\x02", "\u200b\u200d\ufeff", "\u3000"])
async def test_a_message_with_nothing_to_see_is_refused_with_a_friendly_sentence(
    line: Line, text: str, wording: Wording
) -> None:
    with pytest.raises(EmptyMessage) as caught:
        await line.say(text)
    assert "空的" in wording.refuse(caught.value)
    assert await line.transcript() == []


async def test_a_long_message_is_refused_with_the_limit_said_and_the_next_one_is_answered(
    line: Line, wording: Wording
) -> None:
    with pytest.raises(MessageTooLong) as caught:
        await line.say("啊" * 20_000)
    assert "4000" in wording.refuse(caught.value)
    assert "20000" in wording.refuse(caught.value)
    assert (await line.say("啊" * 4000)).replies


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("老板\x00拖欠\x07工资", "老板拖欠工资"),
        ("第一行\r\n第二行\r第三行", "第一行\n第二行\n第三行"),
        ("  俺来问问 \n", "俺来问问"),
        ("断了的\ud83d表情", "断了的�表情"),
        ("😀👍", "😀👍"),
        ("'; DROP TABLE messages; --", "'; DROP TABLE messages; --"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
async def test_text_is_kept_as_it_was_meant(line: Line, script: Script, sent: str, kept: str) -> None:
    await line.say(sent)
    assert (await line.transcript())[0].text == kept
    assert script.heard[0].text == kept


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "/session_start",
        '/inform{"phone":"13800138000"}',
        "  /restart",
        "\x00/restart",
        "/",
        "//a",
    ],
)
async def test_a_member_can_never_send_the_dialogue_a_command(line: Line, script: Script, text: str) -> None:
    await line.say(text)
    (heard,) = script.heard
    assert heard.text.startswith("／")
    assert not heard.text.strip().startswith("/")
    assert (await line.transcript())[0].text == text.replace("\x00", "").strip()


@pytest.mark.parametrize("payload", ["b:forged", "b:", "/restart", "restart", "", "b:\x00", "b:" + "x" * 500])
async def test_an_unknown_or_forged_button_is_refused(line: Line, wording: Wording, payload: str) -> None:
    with pytest.raises(UnknownButton) as caught:
        await line.press(payload)
    assert "按钮" in wording.refuse(caught.value)
    assert await line.transcript() == []


async def test_a_button_of_another_conversation_is_refused(
    switchboard: Switchboard, database: Database, script: Script
) -> None:
    mine, theirs = await new_line(switchboard, database), await new_line(switchboard, database)
    script.will_say(say("选一个", buttons=(("是", "/affirm"),)))
    token = (await theirs.say("你好呀")).replies[0].buttons[0].payload
    with pytest.raises(UnknownButton):
        await mine.press(token)
    assert len(script.heard) == 1


@pytest.mark.parametrize("location", [(91.0, 0.0), (0.0, -181.0), (float("nan"), 1.0), (1.0, float("inf"))])
async def test_a_position_off_the_earth_is_refused(line: Line, location: tuple[float, float]) -> None:
    with pytest.raises(BadLocation):
        await line.send(location=location)


@pytest.mark.parametrize(
    "what",
    [
        {"text": "一", "payload": "menu"},
        {"payload": "menu", "location": (36.6, 117.0)},
        {"text": "一", "location": (36.6, 117.0)},
        {"attachment_ids": ("a", "a")},
        {"attachment_ids": tuple("abcdef")},
        {},
    ],
)
async def test_a_message_is_one_thing(line: Line, what: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await line.send(**what)
    assert await line.transcript() == []


async def test_an_unknown_conversation_is_not_found(switchboard: Switchboard) -> None:
    with pytest.raises(NotFound):
        await switchboard.receive(Incoming("no-such-conversation", "m1", text="你好呀"))


async def test_files_of_another_conversation_are_not_found(line: Line) -> None:
    with pytest.raises(NotFound):
        await line.send(text="看图", attachment_ids=("0" * 32,))
    assert await line.transcript() == []


# --- buttons, commands, positions


async def test_a_button_press_travels_as_what_it_means_and_reads_as_what_it_said(
    line: Line, script: Script
) -> None:
    script.will_say(say("选一个", buttons=(("历下区", '/inform{"district": "历下区"}'),)))
    button = (await line.say("站点在哪")).replies[0].buttons[0]
    assert button.payload.startswith("b:")
    assert len(button.payload.encode()) <= 64
    await line.press(button.payload)
    assert script.heard[-1].text == '/inform{"district": "历下区"}'
    assert [view.text for view in await line.transcript() if view.author == "member"] == [
        "站点在哪",
        "历下区",
    ]


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ("start", "/greet"),
        ("menu", "/show_menu"),
        ("cases", "/request_case_status"),
        ("human", "/request_human"),
        ("privacy", "/ask_privacy"),
        ("forget", "/request_forget"),
    ],
)
async def test_a_command_travels_as_its_payload(
    line: Line, script: Script, command: str, payload: str
) -> None:
    await line.press(command)
    assert script.heard[0].text == payload
    assert (await line.transcript())[0].text


async def test_a_shared_position_travels_as_a_payload_and_is_not_shown_in_numbers(
    line: Line, script: Script
) -> None:
    await line.send(location=(36.65, 117.12))
    assert script.heard[0].text == '/share_location{"latitude": 36.65, "longitude": 117.12}'
    assert "36" not in (await line.transcript())[0].text


# --- never the same sentence three times


async def test_the_same_answer_for_the_third_time_running_offers_a_human_instead(
    line: Line, script: Script, wording: Wording
) -> None:
    script.will_say(*[say("没听明白", buttons=(("都不是", "/none_of_these"),))] * 4)
    receipts = [await line.say(f"啥意思{number}") for number in range(4)]
    texts = [receipt.replies[0].text for receipt in receipts]
    assert texts == ["没听明白", "没听明白", wording.say("switchboard.repeated"), "没听明白"]
    third = receipts[2].replies[0]
    assert [button.title for button in third.buttons] == ["都不是", wording.say("dialogue.human_button")]
    await line.press(third.buttons[1].payload)
    assert script.heard[-1].text == "/request_human"


async def test_answers_of_several_sentences_are_compared_as_a_whole(
    line: Line, script: Script, wording: Wording
) -> None:
    script.will_say(*[say("甲", "乙")] * 3)
    texts = [[view.text for view in (await line.say(f"问{number}")).replies] for number in range(3)]
    assert texts == [["甲", "乙"], ["甲", "乙"], [wording.say("switchboard.repeated")]]


async def test_alternating_answers_are_not_a_repetition(line: Line, script: Script) -> None:
    script.will_say(*[say("甲"), say("乙")] * 3)
    texts = [(await line.say(f"问{number}")).replies[0].text for number in range(6)]
    assert texts == ["甲", "乙"] * 3


# --- recovery


async def left_pending(database: Database, line: Line, *texts: str, attempts: int = 1) -> list[int]:
    """Messages as a crash left them."""
    async with database.transaction() as session:
        conversation = await conversations.get(session, line.conversation_id)
        return [
            (await make_message(session, conversation, text=text, attempts=attempts)).id for text in texts
        ]


async def test_messages_a_crash_left_pending_are_answered_in_order(
    line: Line, switchboard: Switchboard, database: Database, script: Script
) -> None:
    ids = await left_pending(database, line, "一", "二", "三")
    assert await switchboard.recover() == 3
    assert [utterance.message_id for utterance in script.heard] == ids
    assert await line.said_by_bot() == ["答：一", "答：二", "答：三"]
    async with database.read() as session:
        assert await messages.pending(session) == []
        assert [(await messages.get(session, one)).attempts for one in ids] == [2, 2, 2]
    assert await switchboard.recover() == 0


async def test_what_was_left_pending_is_answered_before_a_new_message(
    line: Line, database: Database, script: Script
) -> None:
    await left_pending(database, line, "旧的")
    receipt = await line.say("新的")
    assert [utterance.text for utterance in script.heard] == ["旧的", "新的"]
    assert [view.text for view in receipt.replies] == ["答：新的"]


async def test_a_message_begun_three_times_goes_to_a_human_without_a_fourth(
    line: Line, switchboard: Switchboard, database: Database, script: Script, wording: Wording
) -> None:
    await left_pending(database, line, "毒药", attempts=3)
    await switchboard.recover()
    assert script.heard == []
    assert (await line.conversation()).owner is Owner.QUEUED
    (said,) = await line.said_by_bot()
    assert "12351" in said


async def test_a_crash_after_rasa_answered_costs_no_second_reply(
    line: Line, database: Database, script: Script, another_switchboard: Callable[[], Switchboard]
) -> None:
    script.hold()
    crashing = asyncio.create_task(line.say("没给钱", client_message_id="m1"))
    await script.hears()
    await line.switchboard.close(patience_s=0)
    with pytest.raises(asyncio.CancelledError):
        await crashing
    script.before_answering = None
    second_life = another_switchboard()
    assert await second_life.recover() == 1
    assert await line.said_by_bot() == ["答：没给钱"]
    again = Line(second_life, database, line.conversation_id)
    receipt = await again.say("没给钱", client_message_id="m1")
    assert (receipt.duplicate, [view.text for view in receipt.replies]) == (True, ["答：没给钱"])


async def test_closing_lets_a_turn_under_way_finish(line: Line, script: Script) -> None:
    async def think(utterance: Utterance) -> None:
        await asyncio.sleep(0.05)

    script.before_answering = think
    turn = asyncio.create_task(line.say("没给钱"))
    await script.hears()
    await line.switchboard.close()
    assert (await turn).replies[0].text == "答：没给钱"


async def test_nothing_is_stored_twice_whatever_is_sent(line: Line, database: Database) -> None:
    await asyncio.gather(*(line.say("没给钱", client_message_id=f"m{number % 3}") for number in range(12)))
    async with database.read() as session:
        authors = list(await session.scalars(select(Message.author)))
    assert sorted(authors) == [Author.BOT] * 3 + [Author.MEMBER] * 3
