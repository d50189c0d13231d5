"""Model watch: looks at a version while it is new, and takes it back when its live figures leave their band.

Looking and acting are two transactions: what is acted on is named by the event it began with, and under its
lock it is asked again whether that still holds. So two bots roll back once, and a human who promotes
in the same moment is not overruled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry
from casework.live_figures import Belongs, LiveFigures, read_figures
from casework.live_series import CHANGES_OF_LIVE
from casework.model_bands import Bands, Breach, as_values, judge
from casework.model_registry import MOST_REASON
from casework.tables import Alert, AlertKind, ModelDeed, ModelEvent, ModelState, ModelVersion

FELL_BACK = "model_fell_back"
CANARY_ENDED = "canary_ended"
ALERT_DETAILS = (FELL_BACK, CANARY_ENDED)

OnCanary = Callable[[str, int], bool]
"""Whether a conversation, by its id, is among the so many percent that are on the canary."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Watched: a version that is looked at, from when on, and beside which one."""

    version_id: int
    name: str
    canary_share: int | None
    """Percent of the conversations it has as the canary; None for the live version."""
    event_id: int
    """What it is watched for: its promotion, or the beginning of the canary."""
    since: datetime
    beside: str
    """The name of the version it is compared with."""


@dataclass(frozen=True, slots=True)
class Look:
    """Look: what a watched version did, beside the other one, and what left its band."""

    watched: Watched
    figures: LiveFigures
    baseline: LiveFigures
    breaches: list[Breach]

    @property
    def what(self) -> str:
        """What left its band, in words."""
        return "；".join(one.words for one in self.breaches)


async def watched(session: AsyncSession, bands: Bands, now: datetime) -> list[Watched]:
    """The versions to look at: the live one within its window after a promotion, and the canary.

    A version that became live by going back is not watched (it was good enough before), nor is one there is
    nothing to go back from.
    """
    live = await model_registry.live(session)
    if live is None:
        return []
    found = []
    promotion = await _began(session, live, *CHANGES_OF_LIVE)
    before = await model_registry.version_before(session, live)
    if (
        promotion is not None
        and promotion.deed is ModelDeed.PROMOTED
        and before is not None
        and now < promotion.created_at + bands.window
    ):
        found.append(Watched(live.id, live.name, None, promotion.id, promotion.created_at, before.name))
    canary = await model_registry.canary(session)
    begun = None if canary is None else await _began(session, canary, ModelDeed.CANARY_BEGUN)
    if canary is not None and begun is not None:
        since = max(begun.created_at, now - bands.window)
        found.append(Watched(canary.id, canary.name, canary.canary_share, begun.id, since, live.name))
    return found


async def baseline_of(
    session: AsyncSession, one: Watched, bands: Bands, now: datetime, on_canary: OnCanary
) -> LiveFigures:
    """What a version is compared with: the one before, in the days before; for a canary the live one, now."""
    if one.canary_share is None:
        return await read_figures(session, one.beside, one.since - bands.baseline, one.since)
    return await read_figures(
        session, one.beside, one.since, now, belongs=_conversations(one.canary_share, on_canary, canary=False)
    )


async def look(
    session: AsyncSession,
    one: Watched,
    baseline: LiveFigures,
    bands: Bands,
    now: datetime,
    on_canary: OnCanary,
) -> Look:
    """Count what a version did until now, and judge it."""
    canary = await model_registry.canary(session)
    share = canary.canary_share if canary is not None else None
    belongs = _conversations(share, on_canary, canary=one.canary_share is not None)
    figures = await read_figures(session, one.name, one.since, now, belongs=belongs)
    return Look(one, figures, baseline, judge(figures, baseline, bands))


async def take_back(session: AsyncSession, seen: Look, bands: Bands, now: datetime) -> ModelVersion | None:
    """Go back from a version that left its band, or end its canary; who directs others is alerted.

    Returns the version that answers instead, or None where there is nothing to do any more: somebody else did
    it, or something newer was promoted since it was looked at.
    """
    one = seen.watched
    if not seen.breaches:
        return None
    version = await model_registry.get(session, one.version_id, lock=True)
    state, deeds = (
        (ModelState.LIVE, CHANGES_OF_LIVE)
        if one.canary_share is None
        else (ModelState.CANARY, (ModelDeed.CANARY_BEGUN,))
    )
    began = await _began(session, version, *deeds)
    if version.state is not state or began is None or began.id != one.event_id:
        return None
    figures = as_values(seen.figures, seen.baseline, seen.breaches)
    instead: ModelVersion | None
    if one.canary_share is None:
        before = await model_registry.version_before(session, version)
        if before is None:
            return None
        reason = bands.say("fell_back", back=before.name, what=seen.what)[:MOST_REASON]
        instead = await model_registry.roll_back(
            session, None, now, reason=reason, by_itself=True, figures=figures
        )
    else:
        reason = bands.say("canary_ended", what=seen.what)[:MOST_REASON]
        await model_registry.end_canary(session, None, now, reason=reason, figures=figures)
        instead = await model_registry.live(session)
    detail = FELL_BACK if one.canary_share is None else CANARY_ENDED
    session.add(Alert(kind=AlertKind.WARNING, staff_id=None, detail=detail, created_at=now))
    await session.flush()
    return instead


def _conversations(share: int | None, on_canary: OnCanary, *, canary: bool) -> Belongs:
    """Whether a conversation is on the canary, or (``canary`` false) on the live version."""
    if share is None:
        return lambda _: not canary
    return lambda conversation_id: on_canary(conversation_id, share) is canary


async def _began(session: AsyncSession, version: ModelVersion, *deeds: ModelDeed) -> ModelEvent | None:
    found: ModelEvent | None = await session.scalar(
        select(ModelEvent)
        .where(ModelEvent.version_id == version.id, ModelEvent.deed.in_(deeds))
        .order_by(ModelEvent.id.desc())
        .limit(1)
    )
    return found
