"""Training sentences: what the files say with what people changed on top, every change kept and undoable.

A change is written down, never made in the files: the set is the files with all changes that are not undone,
in order. The last change of a sentence says where it stands, whatever the files say: so one that was
committed into the files meanwhile changes nothing, and it does not matter when that happens. Sentences are
told apart by their words alone, without fact marks and blanks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.errors import BadInput, NotFound
from casework.knowledge import Knowledge
from casework.permissions import Right, require
from casework.sample_files import Sentence, TrainingSet, plain, read_files, write
from casework.sample_rules import (
    check_form,
    check_intent,
    check_new,
    check_personal_data,
    known_facts,
    tidied,
)
from casework.tables import ChangeDeed, ChangeOrigin, ModelVersion, SampleChange, Staff, TrainingJob

MOST_NOTE = 500

__all__ = [
    "Sentence",
    "TrainingSet",
    "add",
    "changed_since",
    "changes",
    "current",
    "edit",
    "folded",
    "history",
    "last_change_id",
    "move",
    "plain",
    "read_files",
    "redo",
    "remove",
    "take",
    "undo",
    "write",
]


async def current(session: AsyncSession, data_nlu: Path) -> TrainingSet:
    """The sentences to learn from now: the files with every change that is not undone."""
    return folded(read_files(data_nlu), await changes(session))


async def changes(session: AsyncSession, after: int = 0) -> Sequence[SampleChange]:
    """The changes with a higher id that are not undone, in the order they were made."""
    found = await session.scalars(
        select(SampleChange)
        .where(SampleChange.undone_at.is_(None), SampleChange.id > after)
        .order_by(SampleChange.id)
    )
    return found.all()


def folded(base: TrainingSet, made: Iterable[SampleChange]) -> TrainingSet:
    """A set with changes made on it, in this order; one that was made in it already changes nothing."""
    made = list(made)
    if not made:
        return base
    blocks = {intent: dict(texts) for intent, texts in base.blocks.items()}
    where = dict(base.intents)
    for change in made:
        _fold(blocks, where, change)
    return TrainingSet(blocks, base.files)


def _fold(blocks: dict[str, dict[str, str]], where: dict[str, str], change: SampleChange) -> None:
    """A change says where its sentences stand from now on, whatever was before: so it may be made twice."""
    before, after = (
        None if text is None else plain(text) for text in (change.before_text, change.after_text)
    )
    intent, text = change.after_intent, change.after_text
    place = next((key for key in (after, before) if key and intent and where.get(key) == intent), None)
    for key in (before, after):
        if key and key != place and key in where:
            del blocks[where.pop(key)][key]
    if after is None or intent is None or text is None:
        return
    if place is None or place == after:
        blocks.setdefault(intent, {})[after] = text
    else:
        replaced = {place: (after, text)}
        blocks[intent] = dict(replaced.get(key, (key, old)) for key, old in blocks[intent].items())
        del where[place]
    where[after] = intent


async def add(
    session: AsyncSession,
    staff: Staff | None,
    text: str,
    intent: str,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
    *,
    origin: ChangeOrigin = ChangeOrigin.HAND,
    group_id: int | None = None,
    note: str | None = None,
    facts: Collection[str] | None = None,
) -> SampleChange:
    """Add a sentence, facts marked ``[value](fact)``, at the end of an intent; flushed. Audited.

    ``staff`` None: the command line. ``facts`` are those that may be marked (None: all of ``domain.yml``).
    Raises NotAllowed without the right TEACH and BadInput: field ``intent``, ``sentence``, ``command``,
    ``marks``, ``fact_name``, ``personal_data`` or ``duplicate`` (values intent, label).
    """
    _allowed(staff)
    text = tidied(text)
    check_intent(intent, knowledge)
    check_form(text, known_facts(data_nlu) if facts is None else facts)
    check_new(text, await current(session, data_nlu), knowledge)
    check_personal_data(text)
    change = SampleChange(deed=ChangeDeed.ADD, origin=origin, after_text=text, after_intent=intent)
    return await _made(session, staff, change, now, group_id=group_id, note=note)


async def edit(
    session: AsyncSession,
    staff: Staff | None,
    text: str,
    new_text: str,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
    *,
    origin: ChangeOrigin = ChangeOrigin.HAND,
    note: str | None = None,
    facts: Collection[str] | None = None,
) -> SampleChange:
    """Change the words of a sentence, or only what is marked in it; it stays where it stands. Audited.

    Raises NotFound where the sentence is not in the set, BadInput field ``unchanged``, and else as ``add``.
    """
    _allowed(staff)
    training_set = await current(session, data_nlu)
    old, text = _found(training_set, text), tidied(new_text)
    if old.text == text:
        raise BadInput("nothing was changed", field="unchanged")
    check_form(text, known_facts(data_nlu) if facts is None else facts)
    if plain(text) != plain(old.text):
        check_new(text, training_set, knowledge)
        check_personal_data(text)
    change = SampleChange(
        deed=ChangeDeed.EDIT,
        origin=origin,
        before_text=old.text,
        before_intent=old.intent,
        after_text=text,
        after_intent=old.intent,
    )
    return await _made(session, staff, change, now, note=note)


async def move(
    session: AsyncSession,
    staff: Staff | None,
    text: str,
    intent: str,
    knowledge: Knowledge,
    data_nlu: Path,
    now: datetime,
    *,
    origin: ChangeOrigin = ChangeOrigin.HAND,
    group_id: int | None = None,
    note: str | None = None,
) -> SampleChange:
    """Move a sentence to the end of another intent. Audited.

    Raises NotFound where the sentence is not in the set, BadInput field ``intent`` or ``unchanged``.
    """
    _allowed(staff)
    check_intent(intent, knowledge)
    old = _found(await current(session, data_nlu), text)
    if old.intent == intent:
        raise BadInput("it stands there already", field="unchanged")
    change = SampleChange(
        deed=ChangeDeed.MOVE,
        origin=origin,
        before_text=old.text,
        before_intent=old.intent,
        after_text=old.text,
        after_intent=intent,
    )
    return await _made(session, staff, change, now, group_id=group_id, note=note)


async def remove(
    session: AsyncSession,
    staff: Staff | None,
    text: str,
    data_nlu: Path,
    now: datetime,
    *,
    origin: ChangeOrigin = ChangeOrigin.HAND,
    note: str | None = None,
) -> SampleChange:
    """Take a sentence out of the set. Audited. Raises NotFound where it is not in it."""
    _allowed(staff)
    old = _found(await current(session, data_nlu), text)
    change = SampleChange(
        deed=ChangeDeed.REMOVE, origin=origin, before_text=old.text, before_intent=old.intent
    )
    return await _made(session, staff, change, now, note=note)


async def take(
    session: AsyncSession,
    staff: Staff | None,
    made: Iterable[SampleChange],
    now: datetime,
    *,
    note: str | None = None,
) -> None:
    """Write changes down that were looked at already (``casework.sample_import``). Audited one by one."""
    _allowed(staff)
    for change in made:
        await _made(session, staff, change, now, note=note)


async def undo(
    session: AsyncSession, staff: Staff | None, change_id: int, data_nlu: Path, now: datetime
) -> SampleChange:
    """Take a change back as long as what it made still stands; gives the change that says so. Audited.

    A change that is in the files by now (and any, from the command line, which has no name to put to it) is
    taken back by its opposite, a change of its own. Raises NotFound, and BadInput field ``built_upon`` where
    it is undone already or something was done with the sentence since.
    """
    _allowed(staff)
    change = await _locked(session, change_id)
    base, made = read_files(data_nlu), await changes(session)
    if (
        change.undone_at is not None
        or _touched_since(change, made)
        or not _stands(folded(base, made), change.after_text, change.after_intent, change.before_text)
    ):
        raise BadInput("something was done with it since", field="built_upon")
    without = folded(base, [one for one in made if one.id != change.id])
    gone = _stands(without, change.before_text, change.before_intent, change.after_text)
    if staff is None or change.committed_at is not None or not gone:
        return await _made(session, staff, _opposite(change), now)
    change.undone_at, change.undone_by_id = now, staff.id
    await session.flush()
    _audit(session, staff, "sample.undone", change, now)
    return change


async def redo(
    session: AsyncSession, staff: Staff | None, change_id: int, data_nlu: Path, now: datetime
) -> SampleChange:
    """Do a change again that was undone. Audited. Raises as ``undo`` does."""
    _allowed(staff)
    change = await _locked(session, change_id)
    made = await changes(session)
    if (
        change.undone_at is None
        or _touched_since(change, made)
        or not _stands(
            folded(read_files(data_nlu), made), change.before_text, change.before_intent, change.after_text
        )
    ):
        raise BadInput("something was done with it since", field="built_upon")
    change.undone_at = change.undone_by_id = None
    await session.flush()
    _audit(session, staff, "sample.redone", change, now)
    return change


async def history(
    session: AsyncSession, intent: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[SampleChange]:
    """The changes of one intent (None: of all), undone too, the newest first; ``before`` an id to page."""
    query = select(SampleChange).order_by(SampleChange.id.desc()).limit(limit)
    if intent is not None:
        query = query.where(or_(SampleChange.before_intent == intent, SampleChange.after_intent == intent))
    if before is not None:
        query = query.where(SampleChange.id < before)
    return (await session.scalars(query)).all()


async def last_change_id(session: AsyncSession) -> int:
    """The id of the last change there is, undone or not; 0 where there is none."""
    return await session.scalar(select(func.max(SampleChange.id))) or 0


async def changed_since(session: AsyncSession, version: ModelVersion | None) -> dict[str, int]:
    """Intent → how many changes touch it that a model version has not learnt from (None: all there are)."""
    after = 0
    if version is not None and version.job_id is not None:
        job = await session.get(TrainingJob, version.job_id)
        after = 0 if job is None else job.changes_up_to
    found: Counter[str] = Counter()
    for change in await changes(session, after):
        if version is None or version.job_id is not None or change.created_at > version.created_at:
            found.update({intent for intent in (change.before_intent, change.after_intent) if intent})
    return dict(found)


def _allowed(staff: Staff | None) -> None:
    if staff is not None:
        require(staff, Right.TEACH)


def _found(training_set: TrainingSet, text: str) -> Sentence:
    found = training_set.find(text)
    if found is None:
        raise NotFound("no such sentence")
    return found


async def _locked(session: AsyncSession, change_id: int) -> SampleChange:
    found = await session.get(SampleChange, change_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("no such change")
    return found


def _touched_since(change: SampleChange, made: Iterable[SampleChange]) -> bool:
    keys = _keys(change)
    return any(one.id > change.id and keys & _keys(one) for one in made)


def _keys(change: SampleChange) -> set[str]:
    return {plain(text) for text in (change.before_text, change.after_text) if text is not None}


def _stands(training_set: TrainingSet, text: str | None, intent: str | None, instead_of: str | None) -> bool:
    """Whether a sentence stands under an intent as it was written, and the one it replaced is nowhere."""
    if text is not None and training_set.find(text) != Sentence(text, intent or ""):
        return False
    same = text is not None and instead_of is not None and plain(text) == plain(instead_of)
    return same or instead_of is None or training_set.intent_of(instead_of) is None


_OPPOSITES = {ChangeDeed.ADD: ChangeDeed.REMOVE, ChangeDeed.REMOVE: ChangeDeed.ADD}


def _opposite(change: SampleChange) -> SampleChange:
    return SampleChange(
        deed=_OPPOSITES.get(change.deed, change.deed),
        origin=change.origin,
        before_text=change.after_text,
        before_intent=change.after_intent,
        after_text=change.before_text,
        after_intent=change.before_intent,
    )


async def _made(
    session: AsyncSession,
    staff: Staff | None,
    change: SampleChange,
    now: datetime,
    *,
    group_id: int | None = None,
    note: str | None = None,
) -> SampleChange:
    change.staff_id = None if staff is None else staff.id
    change.created_at, change.group_id = now, group_id
    change.note = (note or "").strip()[:MOST_NOTE] or None
    session.add(change)
    await session.flush()
    _audit(session, staff, f"sample.{change.deed}", change, now)
    return change


def _audit(
    session: AsyncSession, staff: Staff | None, deed: str, change: SampleChange, now: datetime
) -> None:
    audit.record(
        session,
        "system" if staff is None else audit.staff_actor(staff),
        deed,
        "sample_change",
        change.id,
        now=now,
        origin=change.origin,
        before=change.before_intent,
        after=change.after_intent,
    )
