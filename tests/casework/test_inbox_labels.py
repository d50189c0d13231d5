"""Decisions about the inbox: what they teach, who must look twice, and every way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import inbox, samples, suggestions
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.inbox_gathering import gather
from casework.inbox_labels import Agreement, agreement, agreement_now, decide, undo
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.tables import (
    AuditEntry,
    ChangeOrigin,
    Decision,
    GroupState,
    Handling,
    InboxGroup,
    InboxLabel,
    JobState,
    SampleChange,
    Staff,
    StaffRole,
    SuggestionState,
    TrainingJob,
    TrainingSuggestion,
)
from tests.factories import make_message, make_staff

ROOT = Path(__file__).parents[2]
KNOWLEDGE = Knowledge.load(ROOT / "data" / "knowledge")
RULES = InboxRules.load(ROOT / "data" / "knowledge", KNOWLEDGE)
WORDS = "俺垒的墙他量都不量"
CRISIS = "crisis_self_harm"
WAGES = "ask_wage_arrears"
INTENT, OUT, NEW, SKIP = Decision.INTENT, Decision.OUT_OF_SCOPE, Decision.NEW_TOPIC, Decision.SKIP


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small ``data/nlu`` beside the real facts."""
    made = tmp_path / "data" / "nlu"
    made.mkdir(parents=True)
    file = 'version: "3.1"\nnlu:\n  - intent: greet\n    examples: |\n      - 你好\n      - 在吗在吗\n'
    (made / "talk.yml").write_text(file, encoding="utf-8")
    (tmp_path / "domain.yml").write_text((ROOT / "domain.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return made


async def teacher(session: AsyncSession) -> Staff:
    return await make_staff(session, role=StaffRole.SUPERVISOR)


async def one_group(session: AsyncSession, now: datetime, words: str = WORDS, **values: Any) -> int:
    defaults: dict[str, Any] = {"intent": "ask_leave", "confidence": 0.3, "accepted": False}
    message = await make_message(session, text=words, handling=Handling.DONE, **defaults | values)
    await gather(session, RULES, now)
    found = await session.scalars(select(InboxGroup.id).order_by(InboxGroup.id.desc()).limit(1))
    assert message.id
    return int(found.one())


class Desk:
    """Deciding with everything that never changes in a test."""

    def __init__(self, session: AsyncSession, folder: Path, now: datetime) -> None:
        self.session, self.folder, self.now = session, folder, now

    async def decide(
        self,
        staff: Staff,
        group_id: int,
        decision: Decision,
        intent: str | None = None,
        *,
        text: str | None = None,
        note: str | None = None,
    ) -> InboxGroup:
        return await decide(
            self.session,
            staff,
            group_id,
            decision,
            intent,
            text,
            KNOWLEDGE,
            self.folder,
            self.now,
            rules=RULES,
            note=note,
        )

    async def undo(self, staff: Staff, group_id: int) -> InboxGroup:
        return await undo(self.session, staff, group_id, self.folder, self.now)

    async def taught(self) -> dict[str, str]:
        """What the training set holds beside the files: sentence → intent."""
        current = await samples.current(self.session, self.folder)
        base = samples.read_files(self.folder)
        return {key: intent for key, intent in current.intents.items() if key not in base.intents}


async def test_one_decision_for_forty_messages_teaches_one_sentence(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        for number in range(40):
            await make_message(
                session,
                text=f"俺垒了{number}天的墙他量都不量{'！' * (number % 3)}",
                handling=Handling.DONE,
                accepted=False,
            )
        await gather(session, RULES, now)
        desk, staff = Desk(session, folder, now), await teacher(session)
        (group_id,) = await session.scalars(select(InboxGroup.id))
        group = await desk.decide(staff, group_id, INTENT, WAGES)
        assert (group.state, group.size, group.settled_at) == (GroupState.SETTLED, 40, now)
        assert await desk.taught() == {"俺垒了0天的墙他量都不量": WAGES}
        change = (await session.scalars(select(SampleChange))).one()
        assert (change.origin, change.group_id, change.staff_id) == (ChangeOrigin.INBOX, group_id, staff.id)


async def test_the_sentence_may_be_put_better_and_marked(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now)
        await desk.decide(staff, group_id, INTENT, WAGES, text="在[历下](district)垒墙他量都不量")
        assert list((await samples.current(session, folder)).sentences[WAGES]) == [
            "在[历下](district)垒墙他量都不量"
        ]


async def test_out_of_scope_is_learnt_and_a_new_topic_and_a_skip_are_not(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        await desk.decide(staff, await one_group(session, now, "明天股票是涨还是跌呀"), OUT)
        await desk.decide(staff, await one_group(session, now, "食堂饭菜不合口味"), NEW, note="食堂")
        await desk.decide(staff, await one_group(session, now, "嗯那个啥来着呢"), SKIP)
        assert await desk.taught() == {"明天股票是涨还是跌呀": "out_of_scope"}
        (new,) = await inbox.listed(session, staff, inbox.Shelf.NEW_TOPIC, knowledge=KNOWLEDGE)
        assert (await inbox.opened(session, new.id)).labels[0].note == "食堂"
        counted = await inbox.counts(session, staff)
        assert (counted[inbox.Shelf.NEW_TOPIC], counted[inbox.Shelf.SETTLED]) == (1, 2)


async def test_a_sentence_that_is_there_already_settles_and_teaches_nothing(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group = await desk.decide(staff, await one_group(session, now, "在吗在吗"), INTENT, "greet")
        assert group.state is GroupState.SETTLED
        assert await desk.taught() == {}


async def test_a_sentence_that_stands_under_another_intent_moves_and_comes_back(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now, "在吗在吗")
        await desk.decide(staff, group_id, INTENT, WAGES)
        current = await samples.current(session, folder)
        assert (list(current.sentences["greet"]), current.intent_of("在吗在吗")) == (["你好"], WAGES)
        await desk.undo(staff, group_id)
        assert (await samples.current(session, folder)).intent_of("在吗在吗") == "greet"


async def test_nobody_alone_takes_a_sentence_out_of_a_crisis(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        await samples.add(session, staff, WORDS, CRISIS, KNOWLEDGE, folder, now)
        group = await desk.decide(staff, await one_group(session, now), OUT)
        assert group.state is GroupState.SECOND


@pytest.mark.parametrize(
    ("decision", "intent", "text", "field"),
    [
        (INTENT, "no_such", None, "intent"),
        (INTENT, "nlu_fallback", None, "intent"),
        (INTENT, None, None, "intent"),
        (INTENT, CRISIS, "打13805310042找我说说吧", "personal_data"),
        (INTENT, CRISIS, "在[历下](nowhere)垒墙", "fact_name"),
    ],
)
async def test_what_cannot_be_learnt_is_refused_to_the_first_person(
    database: Database,
    folder: Path,
    now: datetime,
    decision: Decision,
    intent: str | None,
    text: str | None,
    field: str,
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now)
        with pytest.raises(BadInput) as refused:
            await desk.decide(staff, group_id, decision, intent, text=text)
        assert refused.value.values["field"] == field


async def test_nobody_without_the_right_decides_or_takes_back(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, agent = Desk(session, folder, now), await make_staff(session)
        group_id = await one_group(session, now)
        with pytest.raises(NotAllowed):
            await desk.decide(agent, group_id, SKIP)
        with pytest.raises(NotAllowed):
            await desk.undo(agent, group_id)


async def test_a_decided_group_is_not_decided_again_and_an_unknown_one_not_found(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now)
        await desk.decide(staff, group_id, SKIP)
        with pytest.raises(BadInput) as refused:
            await desk.decide(await teacher(session), group_id, SKIP)
        assert refused.value.values["field"] == "inbox_settled"
        with pytest.raises(NotFound):
            await desk.decide(staff, group_id + 100, SKIP)


@pytest.mark.parametrize("how", ["guess", "hotline", "decision"])
async def test_what_touches_a_crisis_waits_for_a_second_person(
    database: Database, folder: Path, now: datetime, how: str
) -> None:
    async with database.transaction() as session:
        desk, first, second = Desk(session, folder, now), await teacher(session), await teacher(session)
        group_id = await one_group(session, now, intent=CRISIS if how == "guess" else "ask_leave")
        if how == "hotline":
            message = (await session.scalars(select(TrainingSuggestion.message_id))).all()
            assert message == []
            group = await inbox.opened(session, group_id)
            await suggestions.suggest(session, first, group.messages[0].message_id, CRISIS, KNOWLEDGE, now)
            await gather(session, RULES, now)
        intent = CRISIS if how == "decision" else WAGES
        group = await desk.decide(first, group_id, INTENT, intent)
        assert (group.state, group.decision) == (GroupState.SECOND, None)
        assert await desk.taught() == {}
        assert (await inbox.counts(session, first))[inbox.Shelf.SECOND] == 0
        assert (await inbox.counts(session, second))[inbox.Shelf.SECOND] == 1
        with pytest.raises(NotAllowed) as refused:
            await desk.decide(first, group_id, INTENT, intent)
        assert refused.value.values["reason"] == "own_label"
        group = await desk.decide(second, group_id, INTENT, intent)
        assert group.state is GroupState.SETTLED
        assert await desk.taught() == {WORDS: intent}


async def test_the_first_ones_better_words_are_learnt_where_the_second_kept_them(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk = Desk(session, folder, now)
        group_id = await one_group(session, now)
        await desk.decide(await teacher(session), group_id, INTENT, CRISIS, text="俺不想活了呀")
        await desk.decide(await teacher(session), group_id, INTENT, CRISIS)
        assert await desk.taught() == {"俺不想活了呀": CRISIS}


async def disputed(desk: Desk, first: Staff, second: Staff) -> int:
    group_id = await one_group(desk.session, desk.now, intent=CRISIS)
    await desk.decide(first, group_id, INTENT, CRISIS)
    group = await desk.decide(second, group_id, INTENT, WAGES)
    assert group.state is GroupState.DISPUTED
    assert await desk.taught() == {}
    return group_id


async def test_a_third_person_resolves_where_two_differ(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, first, second = Desk(session, folder, now), await teacher(session), await teacher(session)
        group_id = await disputed(desk, first, second)
        with pytest.raises(BadInput) as refused:
            await desk.undo(second, group_id)  # by now the second one has seen what the first one said
        assert refused.value.values["field"] == "inbox_disputed"
        third = await teacher(session)
        group = await desk.decide(third, group_id, INTENT, CRISIS)
        assert (group.state, group.intent) == (GroupState.SETTLED, CRISIS)
        assert [one.resolves for one in group.labels] == [False, False, True]
        assert await desk.taught() == {WORDS: CRISIS}
        assert await agreement_now(session) == Agreement(1, 0, 0.0)
        group = await desk.undo(third, group_id)
        assert (group.state, len(group.labels)) == (GroupState.DISPUTED, 2)


async def test_one_of_the_two_resolves_only_with_a_note_and_both_labels_stay(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, first, second = Desk(session, folder, now), await teacher(session), await teacher(session)
        group_id = await disputed(desk, first, second)
        with pytest.raises(NotAllowed) as refused:
            await desk.decide(second, group_id, INTENT, CRISIS)
        assert refused.value.values["reason"] == "own_dispute"
        group = await desk.decide(second, group_id, INTENT, CRISIS, note="和同事说过了")
        assert (group.state, group.intent) == (GroupState.SETTLED, CRISIS)
        stored = [
            (one.staff_id, one.intent, one.resolves)
            for one in await session.scalars(select(InboxLabel).order_by(InboxLabel.id))
        ]
        assert stored == [(first.id, CRISIS, False), (second.id, WAGES, True)]
        assert await agreement_now(session) == Agreement(1, 0, 0.0)
        with pytest.raises(NotAllowed):
            await desk.undo(first, group_id)
        group = await desk.undo(second, group_id)
        assert (group.state, [one.resolves for one in group.labels]) == (GroupState.DISPUTED, [False, False])
        assert await desk.taught() == {}


async def test_a_decision_is_taken_back_with_what_it_taught(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, staff, other = Desk(session, folder, now), await teacher(session), await teacher(session)
        group_id = await one_group(session, now)
        with pytest.raises(BadInput) as refused:
            await desk.undo(staff, group_id)
        assert refused.value.values["field"] == "inbox_nothing"
        for _ in range(2):
            await desk.decide(staff, group_id, INTENT, WAGES)
            with pytest.raises(NotAllowed) as foreign:
                await desk.undo(other, group_id)
            assert foreign.value.values["reason"] == "others_label"
            group = await desk.undo(staff, group_id)
            assert (group.state, group.decision, group.settled_at) == (GroupState.OPEN, None, None)
            assert await desk.taught() == {}


async def test_the_second_ones_decision_is_taken_back_and_the_first_ones_stays(
    database: Database, folder: Path, now: datetime
) -> None:
    async with database.transaction() as session:
        desk, first, second = Desk(session, folder, now), await teacher(session), await teacher(session)
        group_id = await one_group(session, now)
        await desk.decide(first, group_id, INTENT, CRISIS)
        await desk.decide(second, group_id, INTENT, CRISIS)
        with pytest.raises(NotAllowed):
            await desk.undo(first, group_id)
        group = await desk.undo(second, group_id)
        assert (group.state, [one.staff_id for one in group.labels]) == (GroupState.SECOND, [first.id])
        group = await desk.undo(first, group_id)
        assert group.state is GroupState.OPEN


@pytest.mark.parametrize(("state", "stands"), [(JobState.DONE, False), (JobState.FAILED, True)])
async def test_what_a_model_was_trained_on_is_not_taken_back(
    database: Database, folder: Path, now: datetime, state: JobState, stands: bool
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now)
        await desk.decide(staff, group_id, INTENT, WAGES)
        last = await samples.last_change_id(session)
        session.add(TrainingJob(state=state, changes_up_to=last, created_at=now, finished_at=now))
        await session.flush()
        if stands:
            assert (await desk.undo(staff, group_id)).state is GroupState.OPEN
            return
        with pytest.raises(BadInput) as refused:
            await desk.undo(staff, group_id)
        assert refused.value.values["field"] == "inbox_trained"


@pytest.mark.parametrize(
    ("decision", "intent", "state"),
    [(INTENT, WAGES, SuggestionState.ACCEPTED), (SKIP, None, SuggestionState.REFUSED)],
)
async def test_a_decision_settles_what_the_hotline_marked_and_undoing_lets_it_wait_again(
    database: Database, folder: Path, now: datetime, decision: Decision, intent: str, state: SuggestionState
) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        message = await make_message(session, text=WORDS, handling=Handling.DONE, accepted=True, confidence=1)
        agent = await make_staff(session)
        marked = await suggestions.suggest(session, agent, message.id, WAGES, KNOWLEDGE, now)
        await gather(session, RULES, now)
        (group_id,) = await session.scalars(select(InboxGroup.id))
        desk.now = now + timedelta(minutes=1)
        await desk.decide(staff, group_id, decision, intent)
        assert marked.state is state
        await desk.undo(staff, group_id)
        assert (marked.state, marked.settled_at) == (SuggestionState.NEW, None)


async def test_deeds_are_audited_without_the_words(database: Database, folder: Path, now: datetime) -> None:
    async with database.transaction() as session:
        desk, staff = Desk(session, folder, now), await teacher(session)
        group_id = await one_group(session, now)
        await desk.decide(staff, group_id, INTENT, WAGES)
        await desk.undo(staff, group_id)
        entries = list(
            await session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == "inbox_group"))
        )
        assert [one.deed for one in entries] == ["inbox.decided", "inbox.undone"]
        assert WORDS not in str([one.detail for one in entries])


def test_agreement_is_measured_as_cohen_did() -> None:
    # The usual worked example: 20 both yes, 15 both no, 5 and 10 apart: p_o = 0.70, p_e = 0.50, kappa = 0.40.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agreement(pairs)
    assert (found.groups, found.equal, found.share) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)


def test_agreement_of_none_and_of_one_kind_alone() -> None:
    assert agreement([]) == Agreement(0, 0, None)
    assert agreement([]).share is None
    assert agreement([("y", "y")] * 3) == Agreement(3, 3, 1.0)
