"""Brief: what a human reads before the first word, quoted and counted, from whatever is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from casework.brief import MAX_MESSAGES, Brief, make_brief, risks_in
from casework.database import Database
from casework.knowledge import Knowledge
from casework.tables import (
    Audience,
    Author,
    CaseState,
    Channel,
    Conversation,
    Handling,
    Handoff,
    Message,
    Owner,
    Priority,
)
from tests.factories import (
    FIRST_MOMENT,
    make_attachment,
    make_case,
    make_conversation,
    make_member,
    make_message,
    make_staff,
)

KNOWLEDGE = Knowledge.load(Path(__file__).parents[2] / "data" / "knowledge")


async def said(session: AsyncSession, conversation: Conversation, text: str | None, **values: Any) -> Message:
    """What the member wrote, handled and acted upon."""
    return await make_message(
        session, conversation, text=text, **{"handling": Handling.DONE, "accepted": True} | values
    )


async def brief_of(session: AsyncSession, conversation: Conversation, now: datetime) -> Brief:
    return await make_brief(session, conversation, KNOWLEDGE, now)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_an_empty_conversation_has_a_brief_that_claims_nothing(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        brief = await brief_of(session, await make_conversation(session), now)
    assert (brief.name, brief.phone, brief.district, brief.channel) == (None, None, None, Channel.WEB)
    assert brief.topics == brief.facts == brief.answered == brief.risks == brief.attachments == ()
    assert (brief.past.conversations, brief.past.cases, brief.past.cases_total) == (0, (), 0)
    assert (brief.wants.wish, brief.wants.request, brief.wants.last_words) == (None, None, None)
    assert brief.case_type == "general"
    assert brief.open_questions[0].slot == "story"
    assert brief.last_handoff is None
    assert not brief.truncated


async def test_who_it_is_since_when_and_what_there_was_before(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="示例甲", phone="13800138000")
        earlier = await make_conversation(session, member, created_at=FIRST_MOMENT - timedelta(days=9))
        stranger = await make_conversation(session)
        conversation = await make_conversation(
            session, member, district="历下区", waiting_since=now, channel=Channel.API
        )
        old = await make_case(session, earlier, opened_at=FIRST_MOMENT - timedelta(days=8))
        new = await make_case(session, conversation, state=CaseState.IN_PROGRESS)
        await make_case(session, stranger)
        brief = await brief_of(session, conversation, now)
    assert (brief.name, brief.phone, brief.district) == ("示例甲", "13800138000", "历下区")
    assert (brief.channel, brief.since, brief.waiting_since) == (Channel.API, FIRST_MOMENT, now)
    assert brief.past.conversations == 1
    assert [(case.number, case.state) for case in brief.past.cases] == [
        (new.number, CaseState.IN_PROGRESS),
        (old.number, CaseState.ACCEPTED),
    ]
    assert brief.past.cases_total == 2


async def test_topics_stand_in_the_order_they_came_up_with_their_counts(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        for topic in ("talk.greet", "labour.dismissal", "labour.wage_arrears", "labour.wage_arrears"):
            await said(session, conversation, "……", topic=topic)
        await said(session, conversation, "……", topic="heat.allowance", accepted=False)
        await said(session, conversation, "……", topic="case.handoff", intent="request_human")
        brief = await brief_of(session, conversation, now)
    assert [(one.topic, one.label, one.count) for one in brief.topics] == [
        ("labour.dismissal", "被辞退、经济补偿", 1),
        ("labour.wage_arrears", "拖欠、克扣工资", 2),
    ]
    assert brief.case_type == "labour_dispute"
    assert brief.wants.not_understood == 1


async def test_the_newest_value_of_a_fact_wins_and_contradictions_are_listed_with_their_words(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        first = await said(session, conversation, "一个月8000", facts={"monthly_wage": "8000"})
        second = await said(
            session, conversation, "准确说7500，在历下", facts={"monthly_wage": "7500", "district": "历下区"}
        )
        await said(session, conversation, "对，7500", facts={"monthly_wage": "7500"})
        brief = await brief_of(session, conversation, now)
    wage = next(fact for fact in brief.facts if fact.name == "monthly_wage")
    assert (wage.label, wage.said.value, wage.said.shown) == ("月工资", "7500", "7500元")
    assert wage.said.quote.text == "对，7500"
    assert [(one.value, one.quote.message_id, one.quote.text) for one in wage.earlier] == [
        ("8000", first.id, "一个月8000")
    ]
    district = next(fact for fact in brief.facts if fact.name == "district")
    assert (district.said.quote.message_id, district.earlier) == (second.id, ())
    assert [fact.name for fact in brief.facts] == ["district", "monthly_wage"]


async def test_a_fact_no_case_asks_for_is_kept_without_a_label(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        facts = {"tenure_years": "3", "wish": None, "story": "  ", "odd": {"a": 1}, "flag": True}
        await said(session, conversation, "干了三年", facts=facts)
        brief = await brief_of(session, conversation, now)
    assert [(fact.name, fact.label, fact.said.value) for fact in brief.facts] == [("tenure_years", None, "3")]


async def test_what_the_bot_answered_is_listed_with_its_sources_and_buttons(
    database: Database, now: datetime
) -> None:
    source = {"title": "劳动合同法", "article": "第四十七条", "as_of": "2025-04-30"}
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        worker = await make_staff(session)
        asked = await said(session, conversation, "补偿多少", topic="labour.dismissal")
        answer = await make_message(
            session,
            conversation,
            author=Author.BOT,
            text="……",
            topic="labour.dismissal",
            in_reply_to=asked.id,
            content={"sources": [source], "buttons": [{"title": "找人工", "payload": "b:x"}]},
        )
        await make_message(session, conversation, author=Author.BOT, text="您好")
        await make_message(session, conversation, author=Author.STAFF, staff_id=worker.id, text="您好")
        brief = await brief_of(session, conversation, now)
    (found,) = brief.answered
    assert (found.message_id, found.topic, found.buttons) == (answer.id, "labour.dismissal", ("找人工",))
    article = KNOWLEDGE.article("labour.dismissal")
    assert article is not None
    assert found.title == article.title
    assert found.sources == (source,)


async def test_what_the_member_wants_is_quoted_and_how_they_take_it_counted(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(
            session, owner=Owner.QUEUED, handoff_reason="member_asked", queued_at=now
        )
        wish = await said(session, conversation, "我就想把钱要回来", facts={"wish": "要回工资"})
        human = {"topic": "case.handoff", "intent": "request_human"}
        await said(session, conversation, "转人工", **human)
        await said(session, conversation, "你们怎么回事", topic="talk.complain", intent="complain")
        asked = await said(session, conversation, "快转人工！", **human)
        await said(session, conversation, "有人吗", accepted=False, intent="greet")
        last = await said(session, conversation, "气死我了", topic="talk.complain", intent="complain")
        await said(session, conversation, None)
        brief = await brief_of(session, conversation, now)
    wants = brief.wants
    assert wants.wish is not None
    assert wants.request is not None
    assert wants.last_words is not None
    assert (wants.wish.message_id, wants.wish.text, wants.wish_value) == (
        wish.id,
        "我就想把钱要回来",
        "要回工资",
    )
    assert (wants.request.message_id, wants.request_label) == (asked.id, "转人工")
    assert (wants.last_words.message_id, wants.last_words.text) == (last.id, "气死我了")
    assert (wants.complaints, wants.asked_for_human, wants.not_understood) == (2, 2, 1)
    assert wants.handoff_reason == "member_asked"


async def test_nobody_asks_what_is_known_already(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        member = await make_member(session, name="示例甲", phone="13800138000")
        conversation = await make_conversation(session, member, district="历下区")
        facts = {"months_owed": "3", "employer": "示例公司"}
        await said(
            session, conversation, "示例公司欠了我三个月工资不给", topic="labour.wage_arrears", facts=facts
        )
        brief = await brief_of(session, conversation, now)
    assert [question.slot for question in brief.open_questions] == ["amount_owed", "wish"]


async def test_risks_come_with_advice_and_the_days_that_are_left(database: Database) -> None:
    now = datetime(2026, 7, 1, 3, tzinfo=UTC)
    async with database.transaction() as session:
        conversation = await make_conversation(
            session, last_crisis_kind="violence.care", last_crisis_at=now - timedelta(days=2)
        )
        await said(
            session,
            conversation,
            "去年七月十号辞的我，我们30个人",
            topic="labour.dismissal",
            facts={"left_on": "2025-07-10"},
            created_at=now,
        )
        brief = await brief_of(session, conversation, now)
        risks = await risks_in(session, conversation, now)
    assert [one.risk for one in brief.risks] == risks
    assert [(one.risk.code, one.risk.priority, one.days_left) for one in brief.risks] == [
        ("crisis.violence", Priority.CRITICAL, None),
        ("limitation", Priority.HIGH, 9),
        ("group", Priority.HIGH, None),
    ]
    assert brief.risks[1].risk.due_on == date(2026, 7, 10)
    assert all(one.note is not None for one in brief.risks)


async def test_the_day_is_the_one_in_jinan(database: Database) -> None:
    before_midnight = datetime(2026, 7, 10, 15, 59, tzinfo=UTC)
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        await said(session, conversation, "……", topic="labour.dismissal", facts={"left_on": "2025-07-10"})
        (last_day,) = await risks_in(session, conversation, before_midnight)
        (over,) = await risks_in(session, conversation, before_midnight + timedelta(minutes=1))
    assert (last_day.code, over.code) == ("limitation", "limitation_over")


async def test_old_words_and_old_crises_raise_no_alarm(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(
            session, last_crisis_kind="violence", last_crisis_at=now - timedelta(days=8)
        )
        await said(session, conversation, "刚收到裁决书", created_at=now - timedelta(days=31))
        assert await risks_in(session, conversation, now) == []
        await said(session, conversation, "刚收到裁决书", created_at=now - timedelta(days=29))
        assert [risk.code for risk in await risks_in(session, conversation, now)] == ["lawsuit_deadline"]


async def test_files_and_the_last_handoffs_note_are_at_hand(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session)
        message = await said(session, conversation, "工资条")
        file = await make_attachment(session, conversation, message_id=message.id)
        await make_attachment(session, conversation)  # never sent
        for note, ended in (("先前的", True), ("等她发合同", True), (None, True), ("还没写完", False)):
            session.add(
                Handoff(
                    conversation_id=conversation.id,
                    channel=Channel.WEB,
                    reason="member_asked",
                    staff_id=worker.id,
                    queued_at=now,
                    ended_at=now if ended else None,
                    outcome=None,
                    note=note,
                )
            )
            await session.flush()
        brief = await brief_of(session, conversation, now)
    assert [(one.id, one.filename, one.message_id) for one in brief.attachments] == [
        (file.id, "工资条.jpg", message.id)
    ]
    assert brief.last_handoff is not None
    assert (brief.last_handoff.text, brief.last_handoff.staff_id) == ("等她发合同", worker.id)


async def test_notes_among_staff_are_no_source_of_facts_or_risks(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        worker = await make_staff(session)
        conversation = await make_conversation(session)
        await make_message(
            session,
            conversation,
            author=Author.STAFF,
            audience=Audience.INTERNAL,
            staff_id=worker.id,
            text="他们30个人收到裁决书",
            facts={"employer": "别家"},
        )
        brief = await brief_of(session, conversation, now)
    assert (brief.facts, brief.risks) == ((), ())


async def test_what_was_erased_leaves_counts_but_no_words(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        await said(session, conversation, None, topic="labour.leave", facts=None, content=None)
        await make_message(session, conversation, author=Author.BOT, text=None, topic="labour.leave")
        brief = await brief_of(session, conversation, now)
    assert [(one.topic, one.count) for one in brief.topics] == [("labour.leave", 1)]
    assert brief.facts == ()
    assert brief.wants.last_words is None
    assert len(brief.answered) == 1


@pytest.mark.parametrize("messages", [1, MAX_MESSAGES, MAX_MESSAGES + 1])
async def test_it_costs_seven_statements_however_long_the_conversation_is(
    database: Database, now: datetime, messages: int
) -> None:
    async with database.transaction() as session:
        conversation = await make_conversation(session)
        session.add_all(
            Message(
                conversation_id=conversation.id,
                author=Author.MEMBER,
                client_message_id=f"c{number}",
                text="……",
                topic="labour.leave",
                facts={"months_owed": str(number)},
                created_at=now,
            )
            for number in range(messages)
        )
        await session.flush()
        for _ in range(3):
            await make_case(session, conversation)
    async with database.read() as session:
        conversation = await session.get_one(Conversation, conversation.id)
        with counted(database) as statements:
            brief = await brief_of(session, conversation, now)
    assert len(statements) <= 7
    assert brief.truncated is (messages > MAX_MESSAGES)
    assert brief.topics[0].count == min(messages, MAX_MESSAGES)
    assert brief.facts[0].said.value == str(messages - 1)
