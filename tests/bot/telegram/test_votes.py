"""Whether an answer helped, asked with two quiet buttons below it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.telegram.keyboards import (
    MAX_CALLBACK_BYTES,
    USED,
    callback_data,
    keyboard,
    pressed,
    read_vote,
    vote_row,
    without_vote,
)
from bot.views import Button
from casework import answer_votes, handoff
from casework.tables import Author
from tests.bot.fakes import say
from tests.bot.telegram import updates as build

ME = 700


def test_a_vote_fits_behind_a_button_whatever_the_message():
    for key, helped in zip(vote_row(10**18 - 1, "有", "没"), (True, False), strict=True):
        assert len(callback_data(key.callback_data).encode()) <= MAX_CALLBACK_BYTES
        assert read_vote(key.callback_data) == (10**18 - 1, helped)


@pytest.mark.parametrize(
    "data",
    ["", "v:", "v:1", "v:1:2", "v:0:1", "v:-1:1", "v:1:1 ", "v:１:1", "v:" + "9" * 19 + ":1", "b:1", USED],
)
def test_nothing_else_is_a_vote(data):
    assert read_vote(data) is None


def titles(markup):
    return [[key.text for key in row] for row in markup.inline_keyboard]


def test_a_choice_leaves_the_vote_and_a_vote_leaves_the_choices():
    markup = keyboard([Button("历下区", "b:1"), Button("市中区", "b:2")], vote_row(7, "有", "没"))
    assert [[key.text for key in row] for row in markup.inline_keyboard] == [
        ["历下区", "市中区"],
        ["有", "没"],
    ]
    assert titles(pressed(markup, "b:2")) == [["✓ 市中区"], ["有", "没"]]
    assert titles(without_vote(markup)) == [["历下区", "市中区"]]
    assert without_vote(keyboard([], vote_row(7, "有", "没"))) is None
    assert without_vote(None) is None


@pytest.fixture
async def known(line):
    """A member who has said something before."""
    await line.bring(build.text(ME, "您好"))
    await line.heard()
    line.api.calls.clear()
    return line


async def ask(line, script, *titles, topic="labour.wage_arrears"):
    """The member asks; the keyboard under the answer, as Telegram got it."""
    buttons = tuple((title, f'/inform{{"n": {n}}}') for n, title in enumerate(titles))
    script.will_say(say("工资要按月发。", topic=topic, buttons=buttons))
    await line.bring(build.text(ME, "没给钱"))
    await line.heard()
    sent = line.api.made("sendMessage")[-1]
    line.api.calls.clear()
    return sent.get("reply_markup")


def vote_data(markup, helpful):
    return markup["inline_keyboard"][-1][0 if helpful else 1]["callback_data"]


async def votes(line):
    answers = [message.id for message in await line.transcript() if message.author is Author.BOT]
    async with line.database.read() as session:
        return await answer_votes.votes_on(session, answers)


async def test_an_answer_asks_below_its_choices_and_small_talk_does_not(known, script, wording):
    markup = await ask(known, script, "历下区")
    choices, asked = [[key["text"] for key in row] for row in markup["inline_keyboard"]]
    assert choices == ["历下区"]
    assert asked == [wording.say("telegram.vote_helpful"), wording.say("telegram.vote_unhelpful")]
    assert await ask(known, script, topic=None) is None


async def test_a_good_vote_is_kept_thanked_for_and_not_asked_again(known, script, wording):
    markup = await ask(known, script, "历下区")
    heard, said = len(script.heard), len(await known.transcript())
    await known.bring(build.press(ME, vote_data(markup, True), markup=markup))
    assert list((await votes(known)).values()) == [True]
    (answer,) = known.api.made("answerCallbackQuery")
    assert answer["text"] == wording.say("telegram.vote_thanks")
    (edit,) = known.api.made("editMessageReplyMarkup")
    assert [[key["text"] for key in row] for row in edit["reply_markup"]["inline_keyboard"]] == [["历下区"]]
    assert await known.heard() == []
    assert (len(script.heard), len(await known.transcript())) == (heard, said)


async def test_where_nothing_else_was_offered_the_keyboard_goes(known, script):
    markup = await ask(known, script)
    await known.bring(build.press(ME, vote_data(markup, True), markup=markup))
    (edit,) = known.api.made("editMessageReplyMarkup")
    assert "reply_markup" not in edit


async def test_a_bad_vote_is_kept_and_the_member_is_told_what_else_there_is(known, script, wording):
    markup = await ask(known, script)
    await known.bring(build.press(ME, vote_data(markup, False), markup=markup))
    assert list((await votes(known)).values()) == [False]
    assert await known.heard() == [wording.say("telegram.vote_next")]
    ((human,),) = known.api.made("sendMessage")[-1]["reply_markup"]["inline_keyboard"]
    assert human["text"] == wording.say("dialogue.human_button")
    await known.bring(build.press(ME, human["callback_data"]))
    assert script.heard[-1].text == "/request_human"


async def test_the_same_vote_brought_twice_says_nothing_twice_and_the_last_word_counts(
    known, script, wording
):
    markup = await ask(known, script)
    for helpful in (False, False, True):
        await known.bring(build.press(ME, vote_data(markup, helpful), markup=markup))
    assert list((await votes(known)).values()) == [True]
    assert await known.heard() == [wording.say("telegram.vote_next")]


async def test_while_a_human_is_on_the_way_nothing_else_is_offered(known, script, clock):
    markup = await ask(known, script)
    conversation = await known.conversation()
    async with known.database.transaction() as session:
        held = await session.merge(conversation)
        await handoff.hand_off(session, held, "member_asked", clock.now(), actor="member")
    await known.bring(build.press(ME, vote_data(markup, False), markup=markup))
    assert list((await votes(known)).values()) == [False]
    assert await known.heard() == []


async def test_nobody_votes_on_another_members_answer(known, script, wording):
    markup = await ask(known, script)
    await known.bring(build.press(999, vote_data(markup, False), markup=markup))
    assert await votes(known) == {}
    assert (await known.heard(999))[-1] == wording.say("refusal.not_found_answer")
    (answer,) = known.api.made("answerCallbackQuery")
    assert "text" not in answer
    assert known.api.made("editMessageReplyMarkup") == []


async def test_a_vote_in_a_group_is_not_taken(known, script):
    markup = await ask(known, script)
    update = build.press(ME, vote_data(markup, False), markup=markup)
    update["callback_query"]["message"]["chat"] = build.group_chat()
    await known.bring(update)
    assert await votes(known) == {}
    assert known.api.made("answerCallbackQuery")


async def test_a_vote_after_a_choice_still_counts(known, script):
    markup = await ask(known, script, "历下区")
    await known.bring(build.press(ME, markup["inline_keyboard"][0][0]["callback_data"], markup=markup))
    after = known.api.made("editMessageReplyMarkup")[-1]["reply_markup"]
    await known.bring(build.press(ME, vote_data(after, True), markup=after, query_id="q2"))
    assert list((await votes(known)).values()) == [True]
    ((ticked,),) = known.api.made("editMessageReplyMarkup")[-1]["reply_markup"]["inline_keyboard"]
    assert ticked["text"] == "✓ 历下区"


async def test_a_vote_too_old_to_answer_counts_all_the_same(known, script, api, clock):
    markup = await ask(known, script)
    clock.advance(timedelta(days=3))
    too_old = {"ok": False, "error_code": 400, "description": "Bad Request: query is too old"}
    api.answer("answerCallbackQuery", (400, too_old))
    api.answer("editMessageReplyMarkup", (400, too_old))
    await known.bring(build.press(ME, vote_data(markup, True), markup=markup))
    assert list((await votes(known)).values()) == [True]
