"""Model registry: every trained model, how it was judged, which one answers members, and the way back.

A promotion is one row changing its state in one transaction; replicas find it out by asking the model
server. Whatever dies half-way, the row says either the old version or the new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import audit
from casework.clock import shanghai_day
from casework.errors import BadInput, NotFound, Refusal
from casework.permissions import Right, require
from casework.tables import ModelDeed, ModelEvent, ModelState, ModelVersion, Staff

LEAST_REASON = 8
"""Characters of a written reason."""
MOST_REASON = 500
VERSION_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-\d{1,4}")
SHARES = (1, 5, 10, 20, 50)
"""Percent of the conversations a canary may have."""


class NotReleasable(Refusal):
    """The version may not answer members; ``values["reason"]``: gate, floors or unjudged."""

    code = "not_releasable"


class NothingToGoBackTo(Refusal):
    """No version was live before the present one."""

    code = "nothing_to_go_back_to"


async def register(
    session: AsyncSession,
    *,
    sha256: str,
    size: int,
    now: datetime,
    hashes: Mapping[str, Any] | None = None,
    scores: Mapping[str, Any] | None = None,
    why: str | None = None,
    staff_id: int | None = None,
    job_id: int | None = None,
) -> ModelVersion:
    """Enter a trained model (SHA-256 in hex and size in bytes of its file) as a candidate; flushed.

    A file that is registered already is given back as it is.
    """
    known = await session.scalar(select(ModelVersion).where(ModelVersion.sha256 == sha256))
    if known is not None:
        return known
    version = ModelVersion(
        name=await _next_name(session, now),
        sha256=sha256,
        size=size,
        state=ModelState.CANDIDATE,
        hashes=dict(hashes or {}),
        scores=dict(scores or {}),
        why=why,
        staff_id=staff_id,
        job_id=job_id,
        created_at=now,
    )
    session.add(version)
    await session.flush()
    await _note(session, version, ModelDeed.REGISTERED, None, now, staff_id=staff_id)
    return version


async def judge(
    session: AsyncSession,
    version: ModelVersion,
    *,
    gate: Mapping[str, Any],
    passed: bool,
    safe: bool,
    against: ModelVersion,
    now: datetime,
) -> None:
    """Keep what the gate saw and said of a version beside another one."""
    version.gate = dict(gate)
    version.passed, version.safe, version.against_id = passed, safe, against.id
    await _note(session, version, ModelDeed.JUDGED, None, now, figures={"passed": passed, "safe": safe})


async def adopt(session: AsyncSession, version: ModelVersion, now: datetime, reason: str) -> ModelVersion:
    """Make a version live without a comparison: the first one, or after the pipeline itself changed."""
    await _lock_live(session)
    await _go_live(session, version, ModelDeed.PROMOTED, now, reason=reason)
    return version


async def promote(
    session: AsyncSession,
    version_id: int,
    staff: Staff | None,
    now: datetime,
    *,
    reason: str | None = None,
    override: str | None = None,
) -> ModelVersion:
    """Let a version answer all members. ``staff`` None is the operator's command line. Audited.

    ``override`` is the written reason to release one the gate refused. Raises NotAllowed without the right
    (RELEASE, and OVERRIDE_GATE to override), NotFound, NotReleasable, and BadInput (field ``model_reason``)
    for a reason that is no sentence.
    """
    if staff is not None:
        require(staff, Right.RELEASE)
    await _lock_live(session)
    version = await get(session, version_id, lock=True)
    if version.state is ModelState.LIVE:
        return version
    await _check_releasable(session, version, staff, now, override)
    await _go_live(session, version, ModelDeed.PROMOTED, now, staff=staff, reason=override or reason)
    return version


async def begin_canary(
    session: AsyncSession,
    version_id: int,
    staff: Staff | None,
    share: int,
    now: datetime,
    *,
    override: str | None = None,
) -> ModelVersion:
    """Let a version answer ``share`` percent of the conversations (one of ``SHARES``). Audited.

    Raises as ``promote`` does, and BadInput: field ``canary_share``, or ``canary_live`` for the version that
    answers everybody.
    """
    if staff is not None:
        require(staff, Right.RELEASE)
    if share not in SHARES:
        raise BadInput(f"a canary has one of {SHARES} percent", field="canary_share")
    await _lock_live(session)
    version = await get(session, version_id, lock=True)
    if version.state is ModelState.LIVE:
        raise BadInput("this version answers everybody", field="canary_live")
    await _check_releasable(session, version, staff, now, override)
    running = await canary(session)
    if running is not None and running.id != version.id:
        await end_canary(session, staff, now, reason=version.name)
    version.state, version.canary_share = ModelState.CANARY, share
    await session.flush()
    await _note(
        session, version, ModelDeed.CANARY_BEGUN, staff, now, reason=override, figures={"share": share}
    )
    return version


async def end_canary(
    session: AsyncSession,
    staff: Staff | None,
    now: datetime,
    *,
    reason: str | None = None,
    figures: Mapping[str, Any] | None = None,
) -> ModelVersion | None:
    """Take the canary's conversations back to the live version; None where there is no canary. Audited."""
    if staff is not None:
        require(staff, Right.RELEASE)
    running = await canary(session)
    if running is None:
        return None
    running.state, running.canary_share = ModelState.CANDIDATE, None
    await session.flush()
    await _note(session, running, ModelDeed.CANARY_ENDED, staff, now, reason=reason, figures=figures)
    return running


async def roll_back(
    session: AsyncSession,
    staff: Staff | None,
    now: datetime,
    *,
    reason: str,
    by_itself: bool = False,
    figures: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Let the version that was live before answer again, and give it back. Audited.

    Rolled back once more it goes one further back, not forward again. Raises NotAllowed without the right
    RELEASE and NothingToGoBackTo.
    """
    if staff is not None:
        require(staff, Right.RELEASE)
    await _lock_live(session)
    present = await live(session)
    before = None if present is None else await version_before(session, present)
    if before is None:
        raise NothingToGoBackTo("no version was live before")
    deed = ModelDeed.ROLLED_BACK_BY_ITSELF if by_itself else ModelDeed.ROLLED_BACK
    await _go_live(session, before, deed, now, staff=staff, reason=reason, figures=figures)
    return before


async def version_before(session: AsyncSession, version: ModelVersion) -> ModelVersion | None:
    """The version that was live before this one was last promoted, or None."""
    found: ModelVersion | None = await session.scalar(
        select(ModelVersion)
        .join(ModelEvent, ModelEvent.from_id == ModelVersion.id)
        .where(
            ModelEvent.version_id == version.id,
            ModelEvent.deed == ModelDeed.PROMOTED,
            ModelVersion.id != version.id,
        )
        .order_by(ModelEvent.id.desc())
        .limit(1)
    )
    return found


async def live(session: AsyncSession) -> ModelVersion | None:
    """The version that answers members, or None before the first one."""
    return await _in_state(session, ModelState.LIVE)


async def live_name(session: AsyncSession) -> str | None:
    """The name of the version that answers members, or None; reads nothing that is encrypted."""
    found: str | None = await session.scalar(
        select(ModelVersion.name).where(ModelVersion.state == ModelState.LIVE)
    )
    return found


async def canary_now(session: AsyncSession) -> int:
    """How many percent of the conversations are on the canary; 0 where there is none."""
    found: int | None = await session.scalar(
        select(ModelVersion.canary_share).where(ModelVersion.state == ModelState.CANARY)
    )
    return found or 0


async def canary(session: AsyncSession) -> ModelVersion | None:
    """The version that answers a share of them, or None."""
    return await _in_state(session, ModelState.CANARY)


async def get(session: AsyncSession, version_id: int, *, lock: bool = False) -> ModelVersion:
    """A version by its id; raises NotFound."""
    query = select(ModelVersion).where(ModelVersion.id == version_id)
    found: ModelVersion | None = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("no such model version")
    return found


async def named(session: AsyncSession, name: str) -> ModelVersion:
    """A version by its name; raises NotFound."""
    found: ModelVersion | None = await session.scalar(select(ModelVersion).where(ModelVersion.name == name))
    if found is None:
        raise NotFound("no such model version")
    return found


async def versions(session: AsyncSession, limit: int = 100) -> Sequence[ModelVersion]:
    """The versions, the newest first."""
    found = await session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc()).limit(limit))
    return found.all()


async def events(
    session: AsyncSession, version_id: int | None = None, limit: int = 200
) -> Sequence[ModelEvent]:
    """What was done with a version, or with all of them, the latest first."""
    query = select(ModelEvent).order_by(ModelEvent.id.desc()).limit(limit)
    if version_id is not None:
        query = query.where(ModelEvent.version_id == version_id)
    return (await session.scalars(query)).all()


async def _check_releasable(
    session: AsyncSession, version: ModelVersion, staff: Staff | None, now: datetime, override: str | None
) -> None:
    """Raise unless the gate let the version pass, it was live before, or somebody answers for it."""
    if version.passed or version.live_since is not None:
        return
    if version.passed is None:
        raise NotReleasable("the gate has not judged this version", reason="unjudged")
    if not version.safe:
        raise NotReleasable("the version falls through a safety floor", reason="floors")
    if override is None:
        raise NotReleasable("the gate refused this version", reason="gate")
    if staff is not None:
        require(staff, Right.OVERRIDE_GATE)
    if not LEAST_REASON <= len(override.strip()) <= MOST_REASON:
        raise BadInput(
            f"the reason must have {LEAST_REASON} to {MOST_REASON} characters",
            field="model_reason",
            least=LEAST_REASON,
            most=MOST_REASON,
        )
    await _note(session, version, ModelDeed.OVERRIDDEN, staff, now, reason=override.strip())


async def _go_live(
    session: AsyncSession,
    version: ModelVersion,
    deed: ModelDeed,
    now: datetime,
    *,
    staff: Staff | None = None,
    reason: str | None = None,
    figures: Mapping[str, Any] | None = None,
) -> None:
    present = await live(session)
    if present is not None and present.id == version.id:
        return
    if present is not None:
        present.state = ModelState.RETIRED
        await session.flush()  # the database allows one live version, at every moment
    version.state, version.canary_share, version.live_since = ModelState.LIVE, None, now
    await session.flush()
    await _note(
        session,
        version,
        deed,
        staff,
        now,
        reason=reason,
        figures=figures,
        from_id=None if present is None else present.id,
    )


async def _note(
    session: AsyncSession,
    version: ModelVersion,
    deed: ModelDeed,
    staff: Staff | None,
    now: datetime,
    *,
    staff_id: int | None = None,
    reason: str | None = None,
    figures: Mapping[str, Any] | None = None,
    from_id: int | None = None,
) -> None:
    by = staff.id if staff is not None else staff_id
    session.add(
        ModelEvent(
            version_id=version.id,
            from_id=from_id,
            deed=deed,
            staff_id=by,
            reason=reason[:MOST_REASON] if reason else None,
            figures=dict(figures or {}),
            created_at=now,
        )
    )
    audit.record(
        session,
        audit.staff_actor(staff) if staff is not None else "system",
        f"model.{deed.value}",
        "model",
        version.id,
        now=now,
        name=version.name,
    )
    await session.flush()


async def _in_state(session: AsyncSession, state: ModelState) -> ModelVersion | None:
    found: ModelVersion | None = await session.scalar(select(ModelVersion).where(ModelVersion.state == state))
    return found


async def _lock_live(session: AsyncSession) -> None:
    """Two promotions at once take turns (SQLite's writers do anyway)."""
    await session.scalars(
        select(ModelVersion.id).where(ModelVersion.state == ModelState.LIVE).with_for_update()
    )


async def _next_name(session: AsyncSession, now: datetime) -> str:
    day = shanghai_day(now).isoformat()
    names = await session.scalars(select(ModelVersion.name).where(ModelVersion.name.startswith(f"{day}-")))
    serials = [int(name.removeprefix(f"{day}-")) for name in names]
    return f"{day}-{max(serials, default=0) + 1}"
