"""Claim sheets as they are shown: what was given, with the days left counted anew each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.claims.drafts import latest
from casework.tables import ClaimSheet, SheetState

NEAR_DAYS = 30
"""So few days before its end a deadline is pressing."""
FIXED = ("lawsuit", "work_injury")
"""Rights whose time runs on whatever was asked for since (仲裁法 第四十八条；工伤保险条例 第十七条)."""


class Standing(StrEnum):
    """How a deadline stands today."""

    UNKNOWN = "unknown"
    OPEN = "open"
    NEAR = "near"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class ShownDeadline:
    """A deadline today: ``days_left`` is below nothing once it has passed."""

    day: date | None
    days_left: int | None
    certain: bool
    text: str
    articles: Sequence[Mapping[str, Any]]
    was_past: bool
    """It had passed already when the sheet was given: ``text`` says so."""
    fixed: bool
    """Its time does not begin anew."""

    @property
    def standing(self) -> Standing:
        """How it stands today."""
        if self.days_left is None:
            return Standing.UNKNOWN
        if self.days_left < 0:
            return Standing.PAST
        return Standing.NEAR if self.days_left <= NEAR_DAYS else Standing.OPEN


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A claim of the sheet; everything but the deadline is as it was given."""

    right: str
    label: str
    status: str
    amount: Decimal | None
    why: str | None
    alternative_to: str | None
    """What the claim is called that it cannot be had together with."""
    deadline: ShownDeadline | None
    articles: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    assumptions: Sequence[str]
    warnings: Sequence[str]
    notes: Sequence[str]
    held: Sequence[str]
    lacking: Sequence[str]
    strength: str
    missing: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A given sheet as of today."""

    id: str
    as_of: date
    district: str | None
    total: Decimal | None
    claims: Sequence[ShownClaim]
    facts: Sequence[Mapping[str, Any]]
    circumstances: Sequence[Mapping[str, Any]]
    warnings: Sequence[str]
    route: Sequence[Mapping[str, Any]]
    offices: Sequence[Mapping[str, Any]]
    confirm_year: int | None

    @property
    def held(self) -> list[str]:
        """What proof the member holds, each kind once."""
        return list(dict.fromkeys(kind for claim in self.claims for kind in claim.held))

    @property
    def missing(self) -> list[str]:
        """What every claim still lacks, each thing once, by what it is called."""
        return list(dict.fromkeys(one["label"] for claim in self.claims for one in claim.missing))


def show(claim_sheet: ClaimSheet, today: date) -> ShownSheet | None:
    """The sheet as of a day in Shanghai; None for one that has not been given."""
    kept = claim_sheet.sheet
    if kept is None:
        return None
    labels = {claim["right"]: claim["label"] for claim in kept["claims"]}
    return ShownSheet(
        id=claim_sheet.id,
        as_of=date.fromisoformat(kept["as_of"]),
        district=kept["district"],
        total=_amount(kept["total"]),
        claims=tuple(_claim(claim, labels, today) for claim in kept["claims"]),
        facts=kept["facts"],
        circumstances=kept["circumstances"],
        warnings=kept["warnings"],
        route=kept["route"],
        offices=kept["offices"],
        confirm_year=kept["confirm_year"],
    )


async def sheet_of_conversation(session: AsyncSession, conversation_id: str) -> ClaimSheet | None:
    """The newest sheet given in a conversation, or None."""
    return await latest(session, conversation_id)


async def sheet_of_case(session: AsyncSession, case_id: str) -> ClaimSheet | None:
    """The newest sheet given that belongs to a case, or None."""
    return await session.scalar(
        select(ClaimSheet)
        .where(ClaimSheet.case_id == case_id, ClaimSheet.state == SheetState.GIVEN)
        .order_by(ClaimSheet.given_at.desc(), ClaimSheet.id)
        .limit(1)
    )


def _claim(kept: Mapping[str, Any], labels: Mapping[str, str], today: date) -> ShownClaim:
    other = kept["alternative_to"]
    deadline = kept["deadline"]
    return ShownClaim(
        right=kept["right"],
        label=kept["label"],
        status=kept["status"],
        amount=_amount(kept["amount"]),
        why=kept["why"],
        alternative_to=None if other is None else labels.get(other, other),
        deadline=None if deadline is None else _deadline(kept["right"], deadline, today),
        articles=kept["articles"],
        steps=kept["steps"],
        assumptions=kept["assumptions"],
        warnings=kept["warnings"],
        notes=kept["notes"],
        held=tuple(item["label"] for item in kept["evidence"] if item["held"]),
        lacking=tuple(item["label"] for item in kept["evidence"] if not item["held"]),
        strength=kept["strength"],
        missing=kept["missing"],
    )


def _deadline(right: str, kept: Mapping[str, Any], today: date) -> ShownDeadline:
    day = None if kept["day"] is None else date.fromisoformat(kept["day"])
    return ShownDeadline(
        day=day,
        days_left=None if day is None else (day - today).days,
        certain=kept["certain"],
        text=kept["text"],
        articles=kept["articles"],
        was_past=kept["expired"],
        fixed=right in FIXED,
    )


def _amount(kept: str | None) -> Decimal | None:
    return None if kept is None else Decimal(kept)
