"""Every kind of update a member can cause, from Telegram's JSON to what they get back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.telegram.keyboards import USED
from bot.views import PRIVACY_VERSION
from casework import handoff
from casework.privacy import forget_member
from casework.tables import Author, Channel, ChannelIdentity, Handling, Owner
from tests.bot.fakes import say
from tests.bot.telegram import updates as build
from tests.bot.telegram.conftest import SECRET, TOKEN
from tests.factories import make_staff

ME = 700


@pytest.fixture
def privacy(wording):
    return wording.say("telegram.first_contact")


@pytest.fixture
async def known(line, api):
    """A member who has said something before."""
    await line.bring(build.text(ME, "您好"))
    await line.heard()
    api.calls.clear()
    return line


async def hand_over(line, clock):
    """A hotline worker takes the conversation over."""
    conversation = await line.conversation()
    async with line.database.transaction() as session:
        staff = await make_staff(session)
        await handoff.hand_off(session, conversation, "asked", clock.now())
        await handoff.take_over(session, conversation, staff, clock.now())


class TestTexts:
    async def test_a_text_is_answered_by_the_dialogue(self, known, script):
        await known.bring(build.text(ME, "老板拖欠工资"))
        assert await known.heard() == ["答：老板拖欠工资"]
        assert script.heard[-1].text == "老板拖欠工资"

    async def test_first_contact_shows_the_privacy_note_once_and_before_the_answer(self, line, privacy):
        await line.bring(build.text(ME, "您好"))
        await line.bring(build.text(ME, "在吗"))
        assert await line.heard() == [privacy, "答：您好", "答：在吗"]

    async def test_going_on_after_the_note_is_consent_and_the_first_message_alone_is_not(self, line):
        await line.bring(build.text(ME, "您好", date=build.SENT_AT - 120))
        assert (await line.member()).consent_version is None
        await line.bring(build.text(ME, "在吗"))
        member = await line.member()
        assert (member.consent_version, member.consented_at is not None) == (PRIVACY_VERSION, True)

    async def test_the_first_message_brought_twice_is_not_consent(self, line):
        update = build.numbered(build.text(ME, "您好", date=build.SENT_AT - 120))
        await line.door.take(update)
        await line.door.take(update)
        assert (await line.member()).consent_version is None

    async def test_the_same_update_twice_is_one_message_and_one_answer(self, known):
        update = build.numbered(build.text(ME, "老板拖欠工资"))
        await known.door.take(update)
        await known.door.take(update)
        assert await known.heard() == ["答：老板拖欠工资"]

    async def test_a_message_carries_its_update_id_so_that_a_restart_knows_it(self, known):
        await known.door.take(build.numbered(build.text(ME, "老板拖欠工资"), update_id=4711))
        assert "tg:4711" in [message.client_message_id for message in await known.transcript()]

    async def test_a_refusal_becomes_a_sentence(self, known, wording):
        await known.bring(build.text(ME, "\u200b\u200c"))
        (sentence,) = await known.heard()
        assert "refusal" not in sentence
        assert sentence != wording.say("telegram.fault", reference="x")

    async def test_telegrams_longest_message_is_not_refused_and_loses_nothing(self, known, script):
        before = len(script.heard)
        await known.bring(build.text(ME, "工" * 4090 + "资没发"))
        assert "".join(utterance.text for utterance in script.heard[before:]) == "工" * 4090 + "资没发"

    async def test_whoever_was_forgotten_is_told_again_and_has_not_agreed_to_anything(
        self, known, clock, privacy
    ):
        await known.bring(build.text(ME, "您好"))
        member = await known.member()
        assert member.consent_version == PRIVACY_VERSION
        async with known.database.transaction() as session:
            await forget_member(session, member.id, clock.now())
        clock.advance(timedelta(seconds=30))
        await known.bring(build.text(ME, "又来了"))
        assert (await known.member()).consent_version is None
        assert (await known.heard())[-2:] == [privacy, "答：又来了"]
        await known.bring(build.text(ME, "好的", date=build.SENT_AT + 600))
        assert (await known.member()).consent_version == PRIVACY_VERSION
        assert (await known.heard())[-1] == "答：好的"

    async def test_an_edited_message_is_a_new_one_that_says_so(self, known):
        await known.bring(build.edited(ME, text="拖欠四个月"))
        assert await known.heard() == ["答：更正：拖欠四个月"]

    async def test_a_live_location_that_moves_says_nothing(self, known):
        await known.bring(
            build.edited(ME, location={"latitude": 36.0, "longitude": 117.0, "live_period": 60})
        )
        assert await known.heard() == []

    async def test_members_in_other_chats_have_conversations_of_their_own(self, line, privacy):
        await line.bring(build.text(701, "甲"), build.text(702, "乙"))
        assert await line.heard(701) == [privacy, "答：甲"]
        assert await line.heard(702) == [privacy, "答：乙"]

    async def test_a_slash_that_is_no_command_of_ours_reaches_the_dialogue_as_words(self, known, script):
        await known.bring(build.text(ME, "/restart"))
        assert script.heard[-1].text == "／restart"


class TestCommands:
    @pytest.mark.parametrize(
        ("words", "payload"),
        [
            ("/start", "/greet"),
            ("/start from_poster", "/greet"),
            ("/menu", "/show_menu"),
            ("/help", "/show_menu"),
            ("/cases@niangjia_test_bot", "/request_case_status"),
            ("/human", "/request_human"),
            ("/privacy", "/ask_privacy"),
            ("/forget", "/request_forget"),
        ],
    )
    async def test_a_command_reaches_the_dialogue_as_its_payload(self, known, script, words, payload):
        before = len(script.heard)
        await known.bring(build.text(ME, words))
        assert [utterance.text for utterance in script.heard[before:]] == [payload]

    async def test_what_follows_a_command_is_not_lost(self, known, script):
        before = len(script.heard)
        await known.bring(build.text(ME, "/human 老板扣了我身份证"))
        assert [utterance.text for utterance in script.heard[before:]] == [
            "/request_human",
            "老板扣了我身份证",
        ]

    async def test_start_is_greeted_with_the_privacy_note_first(self, line, privacy):
        await line.bring(build.text(ME, "/start"))
        assert await line.heard() == [privacy, "答：/greet"]


class TestButtons:
    async def show(self, line, script, *titles):
        script.will_say(
            say("请选择", buttons=tuple((title, f'/inform{{"n": {n}}}') for n, title in enumerate(titles)))
        )
        await line.bring(build.text(ME, "选"))
        await line.heard()
        sent = line.api.made("sendMessage")[-1]
        line.api.calls.clear()
        return sent["reply_markup"]

    async def test_a_press_is_answered_marked_and_taken(self, known, script):
        markup = await self.show(known, script, "历下区", "市中区")
        data = markup["inline_keyboard"][0][1]["callback_data"]
        assert len(data.encode()) <= 64
        await known.bring(build.press(ME, data, markup=markup))
        assert script.heard[-1].text == '/inform{"n": 1}'
        assert [params["callback_query_id"] for params in known.api.made("answerCallbackQuery")] == ["q1"]
        (edit,) = known.api.made("editMessageReplyMarkup")
        ((key,),) = edit["reply_markup"]["inline_keyboard"]
        assert (key["text"], key["callback_data"]) == ("✓ 市中区", USED)

    async def test_the_press_is_answered_before_the_dialogue_has_thought(self, known, script, api):
        markup = await self.show(known, script, "历下区")
        release = script.hold()
        bringing = build.numbered(
            build.press(ME, markup["inline_keyboard"][0][0]["callback_data"], markup=markup)
        )
        import asyncio

        task = asyncio.create_task(known.door.take(bringing))
        await script.hears(len(script.heard) + 1)
        assert api.made("answerCallbackQuery")
        assert api.made("editMessageReplyMarkup")
        release.set()
        await task

    async def test_a_second_press_on_the_same_keyboard_does_nothing_but_say_so(self, known, script, wording):
        markup = await self.show(known, script, "历下区", "市中区")
        first, second = (key["callback_data"] for key in markup["inline_keyboard"][0])
        await known.bring(build.press(ME, first, markup=markup))
        heard = len(script.heard)
        await known.bring(build.press(ME, second, markup=markup, query_id="q2"))
        assert len(script.heard) == heard
        assert known.api.made("answerCallbackQuery")[-1]["text"] == wording.say("telegram.button_used")

    async def test_pressing_the_tick_itself_does_nothing(self, known, script):
        heard = len(script.heard)
        await known.bring(build.press(ME, USED))
        assert len(script.heard) == heard
        assert known.api.made("answerCallbackQuery")

    async def test_a_forged_token_is_refused_with_a_sentence(self, known, script, wording):
        heard = len(script.heard)
        await known.bring(build.press(ME, "b:AAAAAAAAAAAAAAAA"))
        assert len(script.heard) == heard
        assert await known.heard() == [wording.say("refusal.unknown_button")]

    async def test_an_intent_smuggled_in_as_callback_data_is_refused(self, known, script, wording):
        heard = len(script.heard)
        await known.bring(build.press(ME, '/request_forget{"sure": true}'))
        assert len(script.heard) == heard
        assert await known.heard() == [wording.say("refusal.unknown_button")]

    async def test_another_members_token_is_refused(self, known, script, wording):
        markup = await self.show(known, script, "历下区")
        data = markup["inline_keyboard"][0][0]["callback_data"]
        heard = len(script.heard)
        await known.bring(build.press(999, data))
        assert len(script.heard) == heard
        assert (await known.heard(999))[-1] == wording.say("refusal.unknown_button")

    async def test_a_press_too_old_to_answer_is_taken_all_the_same(self, known, script, api):
        markup = await self.show(known, script, "历下区")
        too_old = {"ok": False, "error_code": 400, "description": "Bad Request: query is too old"}
        not_there = {"ok": False, "error_code": 400, "description": "Bad Request: message to edit not found"}
        api.answer("answerCallbackQuery", (400, too_old))
        api.answer("editMessageReplyMarkup", (400, not_there))
        await known.bring(build.press(ME, markup["inline_keyboard"][0][0]["callback_data"], markup=markup))
        assert script.heard[-1].text == '/inform{"n": 0}'

    async def test_the_same_press_brought_again_after_a_crash_is_taken_once(self, known, script):
        markup = await self.show(known, script, "历下区")
        update = build.numbered(
            build.press(ME, markup["inline_keyboard"][0][0]["callback_data"], markup=markup)
        )
        await known.door.take(update)
        heard = len(script.heard)
        await known.door.take(update)
        assert len(script.heard) == heard
        assert len([text for text in await known.heard() if text.startswith("答：")]) == 1


class TestPlacesAndPeople:
    async def test_a_location_reaches_the_dialogue(self, known, script):
        await known.bring(build.location(ME, 36.66, 117.02))
        assert script.heard[-1].text == '/share_location{"latitude": 36.66, "longitude": 117.02}'

    async def test_an_own_contact_is_a_sentence_with_the_phone(self, known, script):
        await known.bring(build.contact(ME, "13800138000", of=ME))
        assert script.heard[-1].text == "我的电话是 13800138000"

    async def test_somebody_elses_contact_is_not_taken_for_ones_own(self, known, script):
        await known.bring(build.contact(ME, "13800138000", of=999))
        assert script.heard[-1].text == "联系人张 建国的电话是 13800138000"


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("update", "kind"),
        [
            (build.sticker(ME), "贴纸👍"),
            (build.poll(ME), "投票"),
            (build.message(ME, dice={"emoji": "🎲", "value": 3}), "骰子"),
        ],
    )
    async def test_it_gets_a_friendly_sentence_and_the_dialogue_is_not_asked(
        self, known, script, update, kind
    ):
        heard = len(script.heard)
        await known.bring(update)
        (sentence,) = await known.heard()
        assert sentence.startswith(kind)
        assert len(script.heard) == heard
        stored = [message for message in await known.transcript() if message.text == f"［{kind}］"]
        assert [message.handling for message in stored] == [Handling.DONE]

    async def test_it_is_answered_once_though_it_is_brought_twice(self, known):
        update = build.numbered(build.sticker(ME))
        await known.door.take(update)
        await known.door.take(update)
        assert len(await known.heard()) == 1

    async def test_a_service_message_is_passed_over(self, known):
        await known.bring(build.message(ME, new_chat_title="x"))
        assert await known.heard() == []


class TestWhileAHumanSpeaks:
    async def test_messages_get_no_bot_answer(self, known, clock, script):
        await hand_over(known, clock)
        heard = len(script.heard)
        await known.bring(build.text(ME, "在吗"))
        assert await known.heard() == []
        assert len(script.heard) == heard
        assert (await known.transcript())[-1].text == "在吗"

    async def test_a_sticker_is_shown_to_the_human_and_not_answered(self, known, clock):
        await hand_over(known, clock)
        await known.bring(build.sticker(ME, "👍"))
        assert await known.heard() == []
        assert (await known.transcript())[-1].text == "［贴纸👍］"

    async def test_no_typing_is_shown(self, known, clock, monkeypatch):
        monkeypatch.setattr("bot.telegram.handlers.TYPING_AFTER_S", 0.0)
        await hand_over(known, clock)
        await known.bring(build.text(ME, "在吗"))
        assert known.api.made("sendChatAction") == []


class TestBlocking:
    async def test_blocking_is_noted_and_undone_by_the_next_message(self, known):
        await known.bring(build.membership(build.private_chat(ME), "kicked", ME))
        assert (await self.identity(known)).blocked_at is not None
        await known.bring(build.text(ME, "我又来了"))
        assert (await self.identity(known)).blocked_at is None
        assert await known.heard() == ["答：我又来了"]

    async def identity(self, line):
        (identity,) = await line._all(ChannelIdentity)
        return identity


class TestGroups:
    async def test_a_group_is_refused_once_left_and_nothing_of_it_is_kept(self, line, wording):
        group = build.group_chat()
        await line.bring(build.membership(group, "member"))
        await line.bring(build.text(ME, "有人吗", chat=group), build.text(701, "喂", chat=group))
        assert await line.heard() == [wording.say("telegram.group")]
        assert [params["chat_id"] for params in line.api.made("leaveChat")] == [group["id"]]
        assert await line.transcript() == []
        assert await line._all(ChannelIdentity) == []

    async def test_a_group_the_bot_was_in_before_is_refused_at_its_first_message(self, line, wording):
        await line.bring(build.text(ME, "/start", chat=build.group_chat(-5)))
        assert await line.heard() == [wording.say("telegram.group")]

    async def test_a_channel_is_left_without_a_word(self, line):
        await line.bring(build.membership({"id": -77, "type": "channel", "title": "频道"}, "administrator"))
        assert await line.heard() == []
        assert line.api.made("leaveChat")

    async def test_a_group_that_does_not_let_us_speak_is_left_all_the_same(self, line, api):
        api.answer("sendMessage", (400, {"ok": False, "description": "Bad Request: not enough rights"}))
        await line.bring(build.membership(build.group_chat(), "restricted"))
        assert line.api.made("leaveChat")

    async def test_being_thrown_out_of_a_group_is_no_news(self, line):
        await line.bring(build.membership(build.group_chat(), "kicked"))
        assert line.api.made("leaveChat") == []


class TestTyping:
    async def test_typing_is_shown_while_the_dialogue_thinks(self, known, script, monkeypatch):
        import asyncio

        monkeypatch.setattr("bot.telegram.indicator.AGAIN_AFTER_S", 0.03)
        monkeypatch.setattr("bot.telegram.handlers.TYPING_AFTER_S", 0.01)
        release = script.hold()
        task = asyncio.create_task(known.door.take(build.numbered(build.text(ME, "想一想"))))
        await asyncio.sleep(0.15)
        assert len(known.api.made("sendChatAction")) >= 2
        assert {params["action"] for params in known.api.made("sendChatAction")} == {"typing"}
        release.set()
        await task
        shown = len(known.api.made("sendChatAction"))
        await asyncio.sleep(0.05)
        assert len(known.api.made("sendChatAction")) == shown

    async def test_a_quick_answer_shows_no_typing(self, known):
        await known.bring(build.text(ME, "快"))
        assert known.api.made("sendChatAction") == []


async def test_the_transcript_holds_both_sides_in_order(known):
    await known.bring(build.text(ME, "老板拖欠工资"))
    said = [(message.author, message.text) for message in await known.transcript()][-2:]
    assert said == [(Author.MEMBER, "老板拖欠工资"), (Author.BOT, "答：老板拖欠工资")]
    conversation = await known.conversation()
    assert (conversation.channel, conversation.owner) == (Channel.TELEGRAM, Owner.BOT)


def test_the_secrets_of_the_tests_are_not_each_other():
    assert SECRET not in TOKEN
