"""The inbox: what is gathered, what is put together, what comes first, and what nobody may ever read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casework import inbox, suggestions
from casework.database import Database
from casework.errors import KnowledgeError
from casework.inbox_finding import find
from casework.inbox_gathering import Gathered, gather, put
from casework.inbox_grouping import GroupIndex, key_of
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.tables import (
    AnswerVote,
    Author,
    Channel,
    Conversation,
    Decision,
    GroupState,
    Handling,
    Handoff,
    InboxGroup,
    InboxMessage,
    InboxReason,
    Message,
    ModelState,
    ModelVersion,
    Staff,
    StaffRole,
    SuggestionState,
)
from tests.factories import make_conversation, make_member, make_message, make_staff

ROOT = Path(__file__).parents[2] / "data" / "knowledge"
KNOWLEDGE = Knowledge.load(ROOT)
RULES = InboxRules.load(ROOT, KNOWLEDGE)


async def said(session: AsyncSession, words: str, **values: Any) -> Message:
    """A message the assistant did not act on."""
    defaults: dict[str, Any] = {
        "intent": "ask_wage_arrears",
        "confidence": 0.3,
        "accepted": False,
        "handling": Handling.DONE,
    }
    return await make_message(session, text=words, **defaults | values)


async def answer(session: AsyncSession, message: Message, **values: Any) -> Message:
    return await make_message(
        session,
        await _conversation(session, message),
        author=Author.BOT,
        text="这是回答",
        in_reply_to=message.id,
        **values,
    )


async def _conversation(session: AsyncSession, message: Message) -> Any:

    return await session.get_one(Conversation, message.conversation_id)


async def groups(session: AsyncSession) -> list[InboxGroup]:
    return list(await session.scalars(select(InboxGroup).order_by(InboxGroup.id)))


async def reasons_of(session: AsyncSession, message: Message) -> list[str]:
    found = await session.get(InboxMessage, message.id, populate_existing=True)
    return [] if found is None else list(found.reasons)


async def test_forty_messages_that_say_nearly_the_same_are_one_group(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for number in range(40):
            await said(session, f"老板 拖欠俺{number}个月的工钱，" + "！" * (number % 5))
        await said(session, "食堂的饭能不能报销一点")
        assert await gather(session, RULES, now) == Gathered(41, 0, 2)
        first, second = await groups(session)
        assert (first.size, second.size) == (40, 1)
    async with database.read() as session:
        staff = reader()
        assert [one.size for one in await inbox.listed(session, staff, knowledge=KNOWLEDGE)] == [40, 1]


def reader() -> Staff:
    """Somebody who has decided about nothing."""
    return Staff(id=0, login="x", display_name="x", role=StaffRole.SUPERVISOR)


async def test_gathering_twice_adds_nothing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await said(session, "俺垒的墙他量都不量")
        await gather(session, RULES, now)
        assert await gather(session, RULES, now) == Gathered()
        assert [one.size for one in await groups(session)] == [1]


async def test_a_phone_number_and_a_name_are_never_stored(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="张小明")
        conversation = await make_conversation(session, member)
        await said_in(session, conversation, "俺垒的墙他量都不量，打13805310042找张小明")
        await gather(session, RULES, now)
        (group,) = await groups(session)
        assert group.text == "俺垒的墙他量都不量，打[电话]找[姓名]"
        stored = [one async for one in everything_of_the_inbox(session)]
        assert "13805310042" not in str(stored)


async def said_in(session: AsyncSession, conversation: Any, words: str, **values: Any) -> Message:
    return await make_message(
        session,
        conversation,
        text=words,
        handling=Handling.DONE,
        **{"intent": "ask_wage_arrears", "confidence": 0.3, "accepted": False} | values,
    )


async def everything_of_the_inbox(session: AsyncSession) -> Any:
    for table in ("inbox_groups", "inbox_messages"):
        for row in await session.execute(text(f"SELECT * FROM {table}")):  # noqa: S608  # ours
            yield tuple(row)
    for group in await groups(session):
        yield group.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"accepted": False, "confidence": 0.9}, "not_understood"),
        ({"accepted": True, "confidence": 0.49}, "low_confidence"),
        ({"accepted": True, "confidence": 0.5}, None),
        ({"accepted": None, "intent": None, "confidence": None}, None),
        ({"handling": Handling.PENDING}, None),
        ({"model": "2026-07-21-1", "answer_ms": 80}, "not_understood"),
        ({"model": "2026-07-21-1", "answer_ms": None}, None),
        ({"content": {"payload": "b:x"}}, None),
        ({"text": "/restart"}, None),
        ({"text": "13805310042"}, None),
        ({"text": "！！！"}, None),
    ],
)
async def test_only_own_words_the_assistant_was_unsure_of_are_gathered(
    database: Database, now: datetime, values: dict[str, Any], reason: str | None
) -> None:
    async with database.transaction() as session:
        message = await said(session, **{"words": "俺垒的墙他量都不量"} | rename(values))
        await gather(session, RULES, now)
        assert await reasons_of(session, message) == ([] if reason is None else [reason])


def rename(values: dict[str, Any]) -> dict[str, Any]:
    return {"words" if name == "text" else name: value for name, value in values.items()}


async def test_two_guesses_that_are_close_bring_a_message_in(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        close = await said(session, "他不给算加班也不给假", accepted=True, confidence=0.52)
        clear = await said(session, "公司说我这个不算工伤", accepted=True, confidence=0.52)
        guesses = {
            close.id: [("ask_overtime", 0.52), ("ask_leave", 0.41)],
            clear.id: [("ask_work_injury", 0.52), ("ask_leave", 0.1)],
        }
        found, _ = await find(session, RULES, now)
        await put(session, found, RULES, now, guesses)
        assert await reasons_of(session, close) == ["close_topics"]
        assert await reasons_of(session, clear) == []
        (group,) = await groups(session)
        assert group.guesses == [["ask_overtime", 0.52], ["ask_leave", 0.41]]


async def test_a_vote_against_an_answer_brings_the_question_in(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await said(session, "高温费多少钱", accepted=True, confidence=0.98)
        reply = await answer(session, message)
        await gather(session, RULES, now)
        assert await reasons_of(session, message) == []
        session.add(AnswerVote(message_id=reply.id, helpful=False, created_at=now))
        await session.flush()
        await gather(session, RULES, now)
        assert await reasons_of(session, message) == ["thumbs_down"]


async def test_a_vote_for_an_answer_does_not(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await said(session, "高温费多少钱", accepted=True, confidence=0.98)
        reply = await answer(session, message)
        session.add(AnswerVote(message_id=reply.id, helpful=True, created_at=now))
        await session.flush()
        assert await gather(session, RULES, now) == Gathered()


@pytest.mark.parametrize(("minutes", "counts"), [(1, True), (3, False)])
async def test_a_complaint_right_after_an_answer_is_about_it(
    database: Database, now: datetime, minutes: int, counts: bool
) -> None:
    async with database.transaction() as session:
        message = await said(session, "高温费多少钱", accepted=True, confidence=0.98, created_at=now)
        await answer(session, message, created_at=now)
        await said_in(
            session,
            await _conversation(session, message),
            "你答的什么呀",
            intent="complain",
            accepted=True,
            confidence=0.99,
            created_at=now + timedelta(minutes=minutes),
        )
        await gather(session, RULES, now)
        assert await reasons_of(session, message) == (["thumbs_down"] if counts else [])


@pytest.mark.parametrize(
    ("reason", "minutes", "counts"),
    [("member_asked", 1, True), ("member_asked", 3, False), ("not_understood", 1, False)],
)
async def test_asking_for_a_human_right_after_an_answer_is_about_it(
    database: Database, now: datetime, reason: str, minutes: int, counts: bool
) -> None:
    later = now + timedelta(minutes=minutes)
    async with database.transaction() as session:
        message = await said(session, "高温费多少钱", accepted=True, confidence=0.98, created_at=now)
        await answer(session, message, created_at=now)
        conversation = await _conversation(session, message)
        await said_in(
            session,
            conversation,
            "转人工",
            intent="request_human",
            accepted=True,
            confidence=1,
            created_at=later,
        )
        session.add(
            Handoff(conversation_id=conversation.id, channel=Channel.WEB, reason=reason, queued_at=later)
        )
        await session.flush()
        await gather(session, RULES, later)
        assert await reasons_of(session, message) == (["handed_off"] if counts else [])


async def test_what_the_hotline_marked_comes_in_with_what_it_should_have_been(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        message = await said(session, "老板让我滚蛋", accepted=True, confidence=0.95)
        await suggestions.suggest(session, staff, message.id, "ask_heat_illness", KNOWLEDGE, now)
        await gather(session, RULES, now)
        found = await session.get_one(InboxMessage, message.id)
        assert (found.reasons, found.should_intent) == (["suggested"], "ask_heat_illness")
        (group,) = await groups(session)
        assert (group.uncertainty, group.harm) == (1.0, 4.0)


async def test_a_message_is_in_the_inbox_once_and_gets_new_reasons(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await said(session, "老板让我滚蛋")
        await gather(session, RULES, now)
        reply = await answer(session, message)
        session.add(AnswerVote(message_id=reply.id, helpful=False, created_at=now))
        await session.flush()
        assert await gather(session, RULES, now) == Gathered(0, 1, 0)
        assert await reasons_of(session, message) == ["not_understood", "thumbs_down"]
        assert [one.size for one in await groups(session)] == [1]


async def test_what_was_forgotten_meanwhile_does_not_come_in(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        message = await said(session, "老板让我滚蛋")
        found, _ = await find(session, RULES, now)
        message.text = None
        await session.flush()
        assert await put(session, found, RULES, now) == Gathered()


async def test_marks_on_messages_without_words_do_not_stand_before_the_others(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = await make_staff(session)
        marked = [await said(session, words, accepted=True, confidence=1) for words in ("1", "2", "3")]
        marked.append(await said(session, "老板让我滚蛋", accepted=True, confidence=1))
        for message in marked:
            await suggestions.suggest(session, staff, message.id, "ask_leave", KNOWLEDGE, now)
        found, _ = await find(session, RULES, now, limit=2)
        assert [one.message_id for one in found] == [marked[-1].id]


async def test_looks_one_after_the_other_find_everything_once_and_late_votes_too(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        for number in range(7):
            await said(session, f"{'甲乙丙丁戊己庚'[number] * 9}怎么办呀{number}")
        last, seen = None, []
        for _ in range(5):
            found, last = await find(session, RULES, now, last=last, limit=3)
            seen += [one.message_id for one in found]
            await put(session, found, RULES, now)
        assert sorted(seen) == sorted(set(seen))
        assert len(seen) == 7
        pending = await said(session, "还没答完的那一句话", handling=Handling.PENDING)
        await said(session, "后来的另外一句话呀")
        _, last = await find(session, RULES, now, last=last)
        pending.handling = Handling.DONE
        await session.flush()
        found, _ = await find(session, RULES, now, last=last)
        assert pending.id in {one.message_id for one in found}


async def test_two_gatherers_at_once_begin_no_group_twice(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        for number in range(12):
            await said(session, f"老板拖欠俺{number}个月的工钱一直不给")

    async def one() -> Gathered:
        async with database.transaction() as session:
            return await gather(session, RULES, now)

    async def found_before() -> Gathered:
        async with database.read() as session:
            found, _ = await find(session, RULES, now)
        await asyncio.sleep(0.05)
        async with database.transaction() as session:
            return await put(session, found, RULES, now)

    done = await asyncio.gather(one(), found_before(), one())
    assert sum(each.messages for each in done) == 12
    async with database.read() as session:
        assert [each.size for each in await groups(session)] == [12]
        assert await session.scalar(select(func.count()).select_from(InboxMessage)) == 12


async def settled(
    session: AsyncSession, now: datetime, *, decision: Decision, intent: str | None
) -> InboxGroup:
    await said(session, "俺垒的墙他量都不量")
    await gather(session, RULES, now)
    (group,) = await groups(session)
    group.state, group.decision, group.intent, group.settled_at = GroupState.SETTLED, decision, intent, now
    await session.flush()
    return group


async def live_since(session: AsyncSession, created_at: datetime) -> None:
    session.add(
        ModelVersion(
            name="2026-07-21-1",
            state=ModelState.LIVE,
            sha256="a" * 64,
            size=1,
            created_at=created_at,
            live_since=created_at,
        )
    )
    await session.flush()


async def test_the_same_words_join_a_settled_group_silently(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        group = await settled(session, now, decision=Decision.INTENT, intent="ask_overtime")
        await said(session, "俺垒的墙他量都不量！")
        assert (await gather(session, RULES, now)).groups == 0
        assert (group.size, group.state) == (2, GroupState.SETTLED)


@pytest.mark.parametrize(
    ("trained_after", "read_as", "groups_then"),
    [
        (timedelta(hours=1), "ask_wage_arrears", 2),
        (timedelta(hours=-1), "ask_wage_arrears", 1),
        (timedelta(hours=1), "ask_overtime", 1),
    ],
)
async def test_words_a_later_model_still_gets_wrong_are_asked_about_again(
    database: Database, now: datetime, trained_after: timedelta, read_as: str, groups_then: int
) -> None:
    async with database.transaction() as session:
        await settled(session, now, decision=Decision.INTENT, intent="ask_overtime")
        await live_since(session, now + trained_after)
        await said(
            session,
            "俺垒的墙他量都不量",
            model="2026-07-21-1",
            answer_ms=80,
            intent=read_as,
            accepted=True,
            confidence=0.4,
        )
        await gather(session, RULES, now)
        assert len(await groups(session)) == groups_then


async def test_a_mark_that_says_what_was_decided_before_is_taken_in(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await settled(session, now, decision=Decision.INTENT, intent="ask_overtime")
        message = await said(session, "俺垒的墙他量都不量")
        marked = await suggestions.suggest(
            session, await make_staff(session), message.id, "ask_overtime", KNOWLEDGE, now
        )
        await gather(session, RULES, now)
        assert (marked.state, marked.settled_at) == (SuggestionState.ACCEPTED, now)
        assert (await gather(session, RULES, now)) == Gathered()


async def test_a_message_of_a_settled_group_that_was_marked_otherwise_later_is_asked_about_again(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        group = await settled(session, now, decision=Decision.INTENT, intent="ask_overtime")
        (message_id,) = await session.scalars(select(InboxMessage.message_id))
        await said(session, "俺垒的墙他量都不量。")
        await gather(session, RULES, now)
        await suggestions.suggest(session, await make_staff(session), message_id, "ask_leave", KNOWLEDGE, now)
        assert await gather(session, RULES, now) == Gathered(0, 1, 1)
        before, after = await groups(session)
        assert before is group
        assert [(one.state, one.size) for one in (before, after)] == [
            (GroupState.SETTLED, 1),
            (GroupState.OPEN, 1),
        ]
        moved = await session.get_one(InboxMessage, message_id, populate_existing=True)
        assert (moved.group_id, moved.should_intent) == (after.id, "ask_leave")
        assert await gather(session, RULES, now) == Gathered()


async def test_what_the_hotline_says_otherwise_than_decided_is_asked_about_again(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        await settled(session, now, decision=Decision.INTENT, intent="ask_overtime")
        staff = await make_staff(session)
        for should in ("ask_overtime", "ask_leave"):
            message = await said(session, "俺垒的墙他量都不量")
            await suggestions.suggest(session, staff, message.id, should, KNOWLEDGE, now)
        await gather(session, RULES, now)
        assert [one.state for one in await groups(session)] == [GroupState.SETTLED, GroupState.OPEN]


async def test_lists_are_ordered_by_harm_times_size_times_uncertainty_and_filtered(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        staff = reader()
        await said(session, "不给发工资好几个月了呀")
        await said(session, "心里难受得很不想活了", intent="crisis_self_harm", confidence=0.4, accepted=True)
        await said(session, "今天天气怎么样呀你说", intent="out_of_scope")
        await gather(session, RULES, now)
        found = await inbox.listed(session, staff, knowledge=KNOWLEDGE)
        assert [round(one.score, 2) for one in found] == [4.8, 1.0, 0.5]
        low = await inbox.listed(session, staff, knowledge=KNOWLEDGE, reason=InboxReason.LOW_CONFIDENCE)
        assert [one.id for one in low] == [found[0].id]
        crisis = await inbox.listed(session, staff, knowledge=KNOWLEDGE, topic="labour.wage_arrears")
        assert [one.id for one in crisis] == [found[1].id]
        assert (await inbox.counts(session, staff))[inbox.Shelf.OPEN] == 3


async def test_a_group_shows_what_members_said_and_what_the_bot_answered(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        message = await said(session, "俺垒的墙他量都不量，打13805310042")
        await answer(session, message)
        await gather(session, RULES, now)
        (group,) = await groups(session)
        group = await inbox.opened(session, group.id)
        (one,) = await inbox.said_in(session, group)
        assert "13805310042" not in one.text
        assert one.answers == ("这是回答",)
        assert inbox.reasons_of(group) == {InboxReason.NOT_UNDERSTOOD: 1}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("拖欠我３个月工资。", "拖欠我 12 个月 工资", True),
        ("老板拖欠我三个月的工资不给", "老板拖欠我三个月工资不给", True),
        ("老板拖欠我三个月的工资不给", "公司让我周末加班没有加班费", False),
        ("工资少了", "工资少", False),
        ("你好", "你好！", True),
    ],
)
def test_what_says_nearly_the_same(one: str, other: str, alike: bool) -> None:
    assert (GroupIndex([(7, one)]).like(other) == [7]) is alike
    grown = GroupIndex([])
    grown.add(7, one)
    assert (grown.like(other) == [7]) is alike


def test_numbers_are_alike() -> None:
    assert key_of("欠我 20000 块") == key_of("欠我３块！")


def test_uncertainty_is_at_least_what_people_showed() -> None:
    assert RULES.uncertainty(0.9, accepted=True, reasons=[]) == pytest.approx(0.1)
    assert RULES.uncertainty(0.9, accepted=False, reasons=[]) == 1
    assert RULES.uncertainty(None, accepted=True, reasons=[]) == 1
    assert RULES.uncertainty(0.9, accepted=True, reasons=[InboxReason.THUMBS_DOWN]) == 0.5


def test_harm_goes_by_topic_and_kind() -> None:
    assert RULES.harm(["crisis_minor", "greet"]) == 8
    assert RULES.harm(["ask_work_injury"]) == 4
    assert RULES.harm(["request_human"]) == 2
    assert RULES.harm(["out_of_scope"]) == 0.5
    assert RULES.harm(["greet", None, "no_such_intent"]) == 1
    assert RULES.is_safety(["ask_heat_illness"])
    assert not RULES.needs_second(["ask_heat_illness"])


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("heat.illness: 4", "heat.ilness: 4", "heat.ilness"),
        ("deeds: 2", "deeds: 0", "more than 0"),
        ("sure: 0.5", "sure: 5", "share"),
        ("rest: 1", "rest: 1\nmore: 1", "unknown field more"),
    ],
)
def test_a_mistake_in_the_rules_is_named(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    shipped = (ROOT / "inbox.yml").read_text(encoding="utf-8")
    assert was in shipped
    (tmp_path / "inbox.yml").write_text(shipped.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        InboxRules.load(tmp_path, KNOWLEDGE)


def test_rules_without_weights_count_everything_alike() -> None:
    assert replace(RULES, weights={}).harm(["crisis_minor"]) == RULES.rest
