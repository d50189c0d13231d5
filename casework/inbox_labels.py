"""Inbox labels: what people decide about a group, and what follows from it.

One person's word is enough, but for what touches a crisis: there a second one decides without knowing what
the first one said, and where they differ a third one, or one of the two who directs others and writes down
why, resolves it. Only the first two labels of a group are independent; a later one, or a ``resolves`` on an
earlier one, is the resolution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from casework import audit, samples, suggestions
from casework.errors import BadInput, NotAllowed, NotFound
from casework.inbox_rules import InboxRules
from casework.knowledge import Knowledge
from casework.permissions import Right, may, require
from casework.sample_rules import check_form, check_intent, check_personal_data, known_facts, tidied
from casework.tables import (
    ChangeDeed,
    ChangeOrigin,
    Decision,
    GroupState,
    InboxGroup,
    InboxLabel,
    JobState,
    SampleChange,
    Staff,
    SuggestionState,
    TrainingJob,
    TrainingSuggestion,
)

OUT_OF_SCOPE = "out_of_scope"
MOST_NOTE = samples.MOST_NOTE
INDEPENDENT = 2
"""So many labels of a group are given without knowing of another."""


async def decide(
    session: AsyncSession,
    staff: Staff,
    group_id: int,
    decision: Decision,
    intent: str | None,
    text: str | None,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
    *,
    rules: InboxRules,
    note: str | None = None,
) -> InboxGroup:
    """Say what a group is; gives it as it is now, labels and messages loaded. Audited.

    ``text`` is the sentence to learn from, facts marked (None: the group's words). A group that is settled
    with an intent or as out of scope becomes a training sentence (one that stands under another intent
    moves), and settles the hotline's suggestions in it. Raises NotAllowed without the right TEACH, for a
    second label by the same person (``own_label``) and for one of two who differ without a note or the right
    DIRECT (``own_dispute``); NotFound; BadInput: ``inbox_settled``, ``intent``, and for the sentence as
    ``samples.add`` does.
    """
    require(staff, Right.TEACH)
    group = await _locked(session, group_id)
    if group.state is GroupState.SETTLED:
        raise BadInput("this was decided already", field="inbox_settled")
    label = _label(staff, group, decision, intent, text, note, now)
    _check(label, group, knowledge, data_nlu)
    if group.state is GroupState.DISPUTED:
        _resolve(staff, group, label)
        await _settle(session, staff, group, label, knowledge, data_nlu, now)
    else:
        if any(one.staff_id == staff.id for one in group.labels):
            raise NotAllowed("the same person decided before", reason="own_label")
        group.labels.append(label)
        first = group.labels[0]
        stands_under = (await samples.current(session, data_nlu)).intent_of(label.text or group.text)
        if group.state is GroupState.OPEN and rules.needs_second(
            [*in_play(group), label.intent, stands_under]
        ):
            group.state = GroupState.SECOND
        elif group.state is GroupState.SECOND and not _same(first, label):
            group.state = GroupState.DISPUTED
        else:
            label.text = label.text or first.text
            await _settle(session, staff, group, label, knowledge, data_nlu, now)
    await session.flush()
    _audit(session, staff, "inbox.decided", group, now, decision=decision, intent=label.intent)
    return group


async def undo(
    session: AsyncSession, staff: Staff, group_id: int, data_nlu: Path, now: datetime
) -> InboxGroup:
    """Take one's own decision back, the last one of its group, while nothing was trained on it. Audited.

    What it taught goes and the suggestions it settled wait again. Raises NotAllowed without the right TEACH
    and for another's (``others_label``); NotFound; BadInput ``inbox_nothing`` (nothing was decided),
    ``inbox_disputed`` (both have seen what the other said), ``inbox_trained``, and ``built_upon`` where
    something was done with the sentence since.
    """
    require(staff, Right.TEACH)
    group = await _locked(session, group_id)
    if not group.labels:
        raise BadInput("nothing was decided", field="inbox_nothing")
    if group.state is GroupState.DISPUTED:
        raise BadInput("they know of each other", field="inbox_disputed")
    resolver = next((one for one in group.labels if one.resolves), None)
    label = resolver or group.labels[-1]
    if label.staff_id != staff.id:
        raise NotAllowed("this is a colleague's decision", reason="others_label")
    if group.state is GroupState.SETTLED:
        await _take_back(session, staff, group, data_nlu, now)
    group.decision = group.intent = group.settled_at = None
    if resolver is not None and resolver in group.labels[:INDEPENDENT]:
        resolver.resolves = False
    else:
        group.labels.remove(label)
    group.state = (GroupState.OPEN, GroupState.SECOND, GroupState.DISPUTED)[len(group.labels)]
    await session.flush()
    _audit(session, staff, "inbox.undone", group, now)
    return group


def in_play(group: InboxGroup) -> list[str | None]:
    """The intents a group may be about: the likeliest guess, how it was read, what the hotline said."""
    guess = [str(one[0]) for one in group.guesses[:1]]
    read = [one.seen_intent for one in group.messages]
    return [*guess, *read, *(one.should_intent for one in group.messages)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement: how often two people who knew nothing of each other said the same."""

    groups: int
    equal: int
    kappa: float | None
    """Cohen's kappa: 1 always the same, 0 no more than by chance; None without a group."""

    @property
    def share(self) -> float | None:
        """The share of equal decisions; None without a group."""
        return self.equal / self.groups if self.groups else None


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Share of equal decisions and Cohen's kappa over (first person's, second person's) decisions."""
    number = len(pairs)
    if not number:
        return Agreement(0, 0, None)
    equal = sum(first == second for first, second in pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[one] * seconds[one] for one in firsts) / number**2
    kappa = 1.0 if by_chance == 1 else (equal / number - by_chance) / (1 - by_chance)
    return Agreement(number, equal, kappa)


async def agreement_now(session: AsyncSession) -> Agreement:
    """The agreement over all groups two people decided about."""
    rows = await session.execute(
        select(InboxLabel.group_id, InboxLabel.decision, InboxLabel.intent).order_by(InboxLabel.id)
    )
    said: dict[int, list[str]] = {}
    for group_id, decision, intent in rows:
        said.setdefault(group_id, []).append(f"{decision}:{intent or ''}")
    return agreement([(labels[0], labels[1]) for labels in said.values() if len(labels) >= INDEPENDENT])


async def _locked(session: AsyncSession, group_id: int) -> InboxGroup:
    found = await session.scalar(
        select(InboxGroup)
        .where(InboxGroup.id == group_id)
        .options(selectinload(InboxGroup.labels), selectinload(InboxGroup.messages))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("no such group")
    return found


def _label(
    staff: Staff,
    group: InboxGroup,
    decision: Decision,
    intent: str | None,
    text: str | None,
    note: str | None,
    now: datetime,
) -> InboxLabel:
    words = None if text is None or not text.strip() else tidied(text)
    return InboxLabel(
        staff_id=staff.id,
        decision=decision,
        intent=intent if decision is Decision.INTENT else None,
        text=None if words == group.text else words,
        note=(note or "").strip()[:MOST_NOTE] or None,
        resolves=False,
        created_at=now,
    )


def _check(label: InboxLabel, group: InboxGroup, knowledge: Knowledge, data_nlu: Path) -> None:
    """Raise for what could not be learnt now rather than when a second person says the same."""
    if label.decision is Decision.INTENT:
        check_intent(label.intent or "", knowledge)
    if label.decision in (Decision.INTENT, Decision.OUT_OF_SCOPE):
        text = tidied(label.text or group.text)
        check_form(text, known_facts(data_nlu))
        check_personal_data(text)


def _same(first: InboxLabel, second: InboxLabel) -> bool:
    return (first.decision, first.intent) == (second.decision, second.intent)


def _resolve(staff: Staff, group: InboxGroup, label: InboxLabel) -> None:
    """Note who resolves a dispute: a third person's label, or a mark on the one that one of the two gave."""
    own = next((one for one in group.labels if one.staff_id == staff.id), None)
    if own is None:
        label.resolves = True
        group.labels.append(label)
        return
    if not may(staff, Right.DIRECT) or label.note is None:
        raise NotAllowed("one of the two who differ", reason="own_dispute")
    own.resolves, own.note = True, label.note


async def _settle(
    session: AsyncSession,
    staff: Staff,
    group: InboxGroup,
    chosen: InboxLabel,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
) -> None:
    group.state, group.settled_at = GroupState.SETTLED, now
    group.decision, group.intent = chosen.decision, chosen.intent
    await session.flush()
    intent = OUT_OF_SCOPE if chosen.decision is Decision.OUT_OF_SCOPE else chosen.intent
    if intent is not None:
        words = tidied(chosen.text or group.text)
        stands_under = (await samples.current(session, data_nlu)).intent_of(words)
        if stands_under != intent:
            await (samples.add if stands_under is None else samples.move)(
                session,
                staff,
                words,
                intent,
                knowledge,
                data_nlu,
                now,
                origin=ChangeOrigin.INBOX,
                group_id=group.id,
                note=chosen.note,
            )
    for suggestion in await _suggestions(session, group):
        if suggestion.state is SuggestionState.NEW:
            await suggestions.settle(session, suggestion, suggestion.should_intent == intent, staff, now)


async def _take_back(
    session: AsyncSession, staff: Staff, group: InboxGroup, data_nlu: Path, now: datetime
) -> None:
    change = await session.scalar(
        select(SampleChange)
        .where(
            SampleChange.group_id == group.id,
            SampleChange.deed.in_((ChangeDeed.ADD, ChangeDeed.MOVE)),
            SampleChange.undone_at.is_(None),
            SampleChange.created_at >= group.settled_at,
        )
        .order_by(SampleChange.id.desc())
        .limit(1)
    )
    if change is not None:
        learnt = select(TrainingJob.id).where(
            TrainingJob.changes_up_to >= change.id, TrainingJob.state.in_((JobState.RUNNING, JobState.DONE))
        )
        if await session.scalar(learnt.limit(1)) is not None:
            raise BadInput("a model was trained on it", field="inbox_trained")
        await samples.undo(session, staff, change.id, data_nlu, now)
    decided_at = group.settled_at or now
    for suggestion in await _suggestions(session, group):
        # One that joined the group later was settled by the same decision.
        if suggestion.settled_at is not None and suggestion.settled_at >= decided_at:
            await suggestions.reopen(session, staff, suggestion.id, now)


async def _suggestions(session: AsyncSession, group: InboxGroup) -> Sequence[TrainingSuggestion]:
    ids = [one.message_id for one in group.messages]
    found = await session.scalars(select(TrainingSuggestion).where(TrainingSuggestion.message_id.in_(ids)))
    return found.all()


def _audit(
    session: AsyncSession, staff: Staff, deed: str, group: InboxGroup, now: datetime, **detail: str | None
) -> None:
    audit.record(
        session,
        audit.staff_actor(staff),
        deed,
        "inbox_group",
        group.id,
        now=now,
        state=group.state,
        size=group.size,
        **detail,
    )
