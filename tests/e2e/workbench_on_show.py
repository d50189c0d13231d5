"""The training workbench with something on it: made-up words through the real functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import (
    conversations,
    handoff,
    inbox_labels,
    lint_report,
    messages,
    model_registry,
    samples,
    suggestions,
)
from casework.canary_share import on_canary
from casework.clock import FixedClock
from casework.inbox_finding import find
from casework.inbox_gathering import put
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.sample_lint import Finding, LintKind, lint
from casework.sample_rules import known_facts
from casework.settings import Settings
from casework.tables import (
    AnswerVote,
    Author,
    ChangeDeed,
    ChangeOrigin,
    Channel,
    Conversation,
    Decision,
    Handling,
    Handoff,
    InboxMessage,
    Member,
    Message,
    SampleChange,
    Staff,
    StaffRole,
)
from tests.e2e import workbench_sentences as said
from tests.e2e.workbench_models import BETTER, GOOD, MUDDLED, SECOND, UNSAFE, Trainer
from tests.e2e.workbench_sentences import Group

SHARE = 20
"""Percent of the conversations on the canary."""
DAYS = 14
TALKS = 100
"""Conversations a day, on a weekday."""
TOPICS = {
    "labour.wage_arrears": 30,
    "labour.overtime": 16,
    "labour.dismissal": 14,
    "labour.work_injury": 10,
    "labour.social_insurance": 8,
    "legal.aid": 6,
    "service.hardship": 5,
    "tuition.aid": 4,
    "labour.leave": 4,
    "service.jobs": 3,
}


class Workbench:
    """Workbench: what is done on it, by whom and when."""

    def __init__(
        self, session: AsyncSession, settings: Settings, people: Sequence[Staff], knowledge: Knowledge
    ) -> None:
        self.session, self.settings, self.knowledge = session, settings, knowledge
        self.me, self.second, self.third = people[:3]
        self.data_nlu = settings.home / "data" / "nlu"
        self.rules = InboxRules.load(settings.home / "data" / "knowledge", knowledge)
        self.asked: dict[Group, list[int]] = {}

    async def add(self, staff: Staff, sentences: Sequence[tuple[str, str]], now: datetime) -> None:
        """Write sentences down, a few minutes apart."""
        for number, (text, intent) in enumerate(sentences):
            at = now + timedelta(minutes=3 * number)
            await samples.add(self.session, staff, text, intent, self.knowledge, self.data_nlu, at)

    async def ask(self, group: Group, now: datetime, every: timedelta = timedelta(hours=2)) -> None:
        """Let a member say each of a group's words in a conversation of their own, the last one now."""
        for number, words in enumerate(reversed(group.words)):
            at = now - every * number
            self.asked.setdefault(group, []).append(await self._told(group, words, at))

    async def _told(self, group: Group, words: str, at: datetime) -> int:
        session, (intent, sure) = self.session, group.guesses[0]
        topic = self.knowledge.intents[intent].topic
        talk = (await conversations.start_conversation(session, Channel.WEB, at)).conversation
        told = (await messages.record_incoming(session, talk, "1", text=words, now=at)).message
        read = messages.Understanding(intent, topic, sure, group.accepted, model=said.LIVE)
        await messages.note_understanding(session, told.id, read)
        await messages.note_answer_time(session, told.id, 210)
        article = self.knowledge.articles.get(topic) if group.accepted else None
        text = article.short if article else "这句话我没太听明白。您换个说法，或者从下面选一个。"
        (answer,) = await messages.record_replies(
            session,
            talk.id,
            [messages.Reply(text, topic=topic if article else None)],
            in_reply_to=told.id,
            author=Author.BOT,
            epoch_seen=talk.epoch,
            now=at + timedelta(seconds=1),
        )
        if group.disliked:
            session.add(AnswerVote(message_id=answer.id, helpful=False, created_at=at + timedelta(minutes=1)))
        if group.handed_off:
            await self._wants_a_human(talk, at + timedelta(minutes=1))
        if group.should is not None:
            await suggestions.suggest(session, self.third, told.id, group.should, self.knowledge, at)
        return told.id

    async def _wants_a_human(self, talk: Conversation, at: datetime) -> None:
        wants = (await messages.record_incoming(self.session, talk, "2", text="转人工", now=at)).message
        read = messages.Understanding("request_human", "case.handoff", 0.98, True, model=said.LIVE)
        await messages.note_understanding(self.session, wants.id, read)
        await handoff.hand_off(self.session, talk, "member_asked", at, message_id=wants.id)
        messages.finish(wants, at)
        await handoff.take_over(
            self.session, talk, self.second, at + timedelta(minutes=1), wording=self.knowledge.wording
        )
        await handoff.hand_back(self.session, talk, self.second, at + timedelta(minutes=9))

    async def gather(self, now: datetime) -> None:
        """Put everything worth a look into the inbox, with what a model makes of it."""
        found, _ = await find(self.session, self.rules, now)
        guesses = {one: group.guesses for group, ids in self.asked.items() for one in ids}
        await put(self.session, found, self.rules, now, guesses)

    async def decide(
        self,
        staff: Staff,
        group: Group,
        now: datetime,
        intent: str | None,
        decision: Decision = Decision.INTENT,
        note: str | None = None,
    ) -> None:
        """Say what a group is."""
        group_id = await self.session.scalar(
            select(InboxMessage.group_id).where(InboxMessage.message_id == self.asked[group][0])
        )
        assert group_id is not None
        await inbox_labels.decide(
            self.session,
            staff,
            group_id,
            decision,
            intent,
            None,
            self.knowledge,
            self.data_nlu,
            now,
            rules=self.rules,
            note=note,
        )

    async def take_in_a_file(self, now: datetime) -> None:
        """A colleague's sentences, as a file brought them."""
        made = [
            SampleChange(
                deed=ChangeDeed.ADD, origin=ChangeOrigin.IMPORT, after_text=text, after_intent=intent
            )
            for text, intent in said.IMPORTED
        ]
        await samples.take(self.session, self.third, made, now, note="示例：同事整理的一份")

    async def look_for_mistakes(self, now: datetime) -> None:
        """The report of the lint on what the file brought, with labels that look wrong."""
        current = await samples.current(self.session, self.data_nlu)
        brought = {text for text, _ in said.IMPORTED}
        facts = known_facts(self.data_nlu)
        found = [
            one for one in lint(current, self.knowledge.intents, facts, ()) if {one.text, one.other} & brought
        ]
        kinds = {one.kind for one in found}
        personal = Finding(LintKind.PERSONAL_DATA, said.IMPORTED[5][1], said.IMPORTED[5][0])
        findings = [
            *(Finding(LintKind.LABEL, where, text, "", to, sure) for text, where, to, sure in said.SUSPECTS),
            *found,
            Finding(LintKind.LEAK, *reversed(said.IMPORTED[-1])),
            *([] if LintKind.PERSONAL_DATA in kinds else [personal]),
            Finding(LintKind.TOO_FEW, "goodbye", detail="57/60"),
        ]
        order = list(LintKind)
        findings.sort(key=lambda one: order.index(one.kind))
        lint_report.write(
            self.settings.var_dir,
            lint_report.LintReport(
                now, lint_report.digest(current), len(current), 48.0, True, tuple(findings)
            ),
        )
        dismissed = Finding(LintKind.LABEL, "ask_leave", "丧假给几天", "", "ask_labour_other", "1.2")
        await lint_report.dismiss(self.session, self.second, [dismissed.key], now)


async def furnish_workbench(
    session: AsyncSession,
    settings: Settings,
    people: Sequence[Staff],
    clock: FixedClock,
    knowledge: Knowledge,
) -> dict[str, str]:
    """Three and a half weeks of teaching: inbox, sentences, trainings, versions and how they did.

    The first of ``people`` is shown the pages; the next two become supervisors. Gives the names of the
    versions the pages are about: refused, unsafe, passed.
    """
    now = clock.now()
    people[2].role = StaffRole.SUPERVISOR
    bench = Workbench(session, settings, people, knowledge)
    trainer = Trainer(session, settings, knowledge)
    versions = [await trainer.first(now - timedelta(days=24))]
    await bench.add(bench.second, said.EARLY, now - timedelta(days=13))
    versions.append(await trainer.train(bench.second, "补了要工钱的说法", _ago(now, 12, 3), SECOND))
    await _promote(session, versions[-1], bench.second, _ago(now, 12, 1))
    refused = await _a_muddle(bench, trainer, now)
    await trainer.fail(bench.third, "撤回以后再来一次", _ago(now, 6, 2))
    await bench.add(bench.third, said.LEARNT, now - timedelta(days=5, hours=4))
    unsafe = await trainer.train(bench.third, "补了合同和试用期", _ago(now, 5, 0), UNSAFE)
    versions.append(await trainer.train(bench.me, "换了几句中暑的写法再练", _ago(now, 4, 1), GOOD))
    await model_registry.begin_canary(session, versions[-1].id, bench.me, 10, _ago(now, 3, 23))
    await _promote(session, versions[-1], bench.me, _ago(now, 3, 1))
    passed = await _the_last_days(bench, trainer, now)
    await _members_wrote(session, now, [*versions, passed])
    await trainer.under_way(bench.me, "补了中介和平台的说法", now)
    return {"refused": refused.name, "unsafe": unsafe.name, "passed": passed.name}


async def _a_muddle(bench: Workbench, trainer: Trainer, now: datetime) -> Any:
    """Sentences moved where they do not belong, what came of that, and the way back."""
    moved = []
    for number, text in enumerate(said.MISTAKEN):
        at = _ago(now, 8, 2) + timedelta(minutes=number)
        moved.append(
            await samples.move(
                bench.session, bench.third, text, "ask_leave", bench.knowledge, bench.data_nlu, at
            )
        )
    refused = await trainer.train(bench.third, "把值班的挪到休假里", _ago(now, 7, 0), MUDDLED)
    for change in moved:
        await samples.undo(bench.session, bench.second, change.id, bench.data_nlu, _ago(now, 6, 5))
    return refused


async def _the_last_days(bench: Workbench, trainer: Trainer, now: datetime) -> Any:
    """What came into the inbox, what was decided, and the canary."""
    me, second, third = bench.me, bench.second, bench.third
    for hours, group in enumerate((said.BADGE, said.FALLEN, said.THREATENED, said.BUS, said.PARKING)):
        await bench.ask(group, _ago(now, 2, 6 - hours))
    await bench.gather(_ago(now, 2, 1))
    await bench.decide(second, said.BADGE, _ago(now, 1, 23), "ask_dismissal")
    for number, staff in enumerate((second, third)):
        await bench.decide(staff, said.FALLEN, _ago(now, 1, 23 - number), "crisis_medical")
        await bench.decide(staff, said.THREATENED, _ago(now, 1, 23 - number), "crisis_violence")
    await bench.decide(third, said.BUS, _ago(now, 1, 22), None, Decision.NEW_TOPIC, "三个厂都有人问")
    await bench.add(second, said.LATER, _ago(now, 1, 20))
    await trainer.cancel(third, "还差几句没写完", _ago(now, 1, 19))
    passed = await trainer.train(second, "补了押金、社保和收工牌", _ago(now, 1, 2), BETTER)
    await model_registry.begin_canary(bench.session, passed.id, second, SHARE, _ago(now, 1, 1))
    open_ones = (said.WAGES, said.INJURY, said.ALLOWANCE, said.RIDER, said.NIGHT, said.CLOSE, said.DESPAIR)
    for number, group in enumerate((*open_ones, said.LOCKED_IN, said.TOWER)):
        await bench.ask(group, now - timedelta(minutes=40 + 11 * number), timedelta(minutes=95))
    await bench.gather(now - timedelta(minutes=25))
    await bench.decide(third, said.LOCKED_IN, now - timedelta(minutes=20), "crisis_violence")
    await bench.decide(second, said.TOWER, now - timedelta(minutes=19), "crisis_extreme_protest")
    await bench.decide(
        third, said.TOWER, now - timedelta(minutes=17), "ask_wage_arrears", note="听着是气话，要的是工钱"
    )
    await bench.add(me, said.TODAY, now - timedelta(minutes=30))
    await samples.edit(
        bench.session,
        me,
        said.TODAY[0][0],
        "中介拿着俺的工资卡，要也不还",
        bench.knowledge,
        bench.data_nlu,
        now - timedelta(minutes=12),
    )
    await samples.remove(
        bench.session, me, "jbf咋要", bench.data_nlu, now - timedelta(minutes=11), note="没人这么打字"
    )
    await bench.take_in_a_file(now - timedelta(minutes=10))
    await bench.look_for_mistakes(now - timedelta(minutes=8))
    return passed


async def _promote(session: AsyncSession, version: Any, staff: Staff, now: datetime) -> None:
    await model_registry.promote(session, version.id, staff, now)


def _ago(now: datetime, days: int, hours: float) -> datetime:
    return now - timedelta(days=days, hours=hours)


async def _members_wrote(session: AsyncSession, now: datetime, versions: Sequence[Any]) -> None:
    """What members asked in two weeks, without words: read by the version that answered then."""
    random = Random(14)  # noqa: S311  # made-up figures, not keys
    first = (await session.scalar(select(func.max(Message.id))) or 0) + 1
    rows: dict[type, list[dict[str, Any]]] = {
        table: [] for table in (Member, Conversation, Message, AnswerVote, Handoff)
    }
    for day in range(DAYS, -1, -1):
        weekday = (now - timedelta(days=day)).weekday() < 5
        for _ in range(int(TALKS * (1 if weekday else 0.7) * (0.6 if day == 0 else 1))):
            begun = now - timedelta(days=day, hours=random.uniform(-8 if day else 0, 2))
            first = _one_talk(random, rows, first, min(begun, now - timedelta(minutes=20)), versions, now)
    for table, made in rows.items():
        await session.execute(insert(table), made)


def _one_talk(
    random: Random,
    rows: dict[type, list[dict[str, Any]]],
    number: int,
    begun: datetime,
    versions: Sequence[Any],
    now: datetime,
) -> int:
    """One conversation's rows; the next message's number."""
    member, talk = f"{random.getrandbits(128):032x}", f"{random.getrandbits(128):032x}"
    _, middle, live, canary = versions
    model, unread, handed = middle.name, 0.125, 0.17
    if begun >= live.live_since:
        model, unread, handed = live.name, 0.082, 0.12
        if begun >= now - timedelta(days=1, hours=1) and on_canary(talk, SHARE):
            model, unread = canary.name, 0.06
    rows[Member].append({"id": member, "created_at": begun})
    at, topic = begun, random.choices(list(TOPICS), list(TOPICS.values()))[0]
    for turn in range(random.randint(2, 6)):
        at = begun + timedelta(seconds=70 * turn)
        accepted = random.random() > unread
        rows[Message] += _a_turn(random, talk, number, at, model, topic if accepted else None, accepted)
        if random.random() < 0.16:
            helpful = random.random() < (0.86 if accepted else 0.3)
            rows[AnswerVote].append({"message_id": number + 1, "helpful": helpful, "created_at": at})
        number += 2
    if random.random() < handed:
        rows[Handoff].append(_a_handoff(talk, topic, at + timedelta(minutes=1)))
    rows[Conversation].append(
        {
            "id": talk,
            "member_id": member,
            "channel": Channel.WEB,
            "created_at": begun,
            "last_message_at": at,
            "last_topic": topic,
        }
    )
    return number


def _a_turn(
    random: Random, talk: str, number: int, at: datetime, model: str, topic: str | None, accepted: bool
) -> list[dict[str, Any]]:
    sure = random.uniform(0.68, 0.99) if accepted else random.uniform(0.2, 0.5)
    common = {"conversation_id": talk, "created_at": at}
    asked = {
        "id": number,
        "author": Author.MEMBER,
        "client_message_id": str(number),
        "in_reply_to": None,
        "model": model,
        "topic": topic,
        "accepted": accepted,
        "confidence": sure,
        "answer_ms": random.randint(120, 420),
        "handling": Handling.DONE,
    }
    blank = dict.fromkeys(("client_message_id", "model", "topic", "accepted", "confidence", "answer_ms"))
    answer = {"id": number + 1, "author": Author.BOT, "in_reply_to": number}
    return [common | asked, common | blank | answer | {"handling": Handling.NOT_NEEDED}]


def _a_handoff(talk: str, topic: str, at: datetime) -> dict[str, Any]:
    return {
        "conversation_id": talk,
        "channel": Channel.WEB,
        "reason": "not_understood",
        "topic": topic,
        "queued_at": at,
        "taken_at": at + timedelta(minutes=1),
        "first_reply_at": at + timedelta(minutes=2),
        "ended_at": at + timedelta(minutes=14),
    }
