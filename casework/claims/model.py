"""Claim sheet (权益清单): each claim with its amount or why there is none, its deadline and its proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from casework.entitlements.base import Missing, Result, Status
from casework.entitlements.wording import Citation


class Strength(StrEnum):
    """How well what the member holds proves a claim."""

    STRONG = "strong"
    SOME = "some"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Quote:
    """The member's own words something was taken from; both None when a button said it."""

    text: str | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact of the story: ``value`` normalised, ``shown`` as a member reads it, and where it was said."""

    name: str
    label: str
    value: str
    shown: str
    quote: Quote

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        return {
            "name": self.name,
            "label": self.label,
            "value": self.value,
            "shown": self.shown,
            "quote": self.quote.text,
            "message_id": self.quote.message_id,
        }


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something that happened, by its code (没签合同, 口头辞退 …), with the words that say so."""

    code: str
    label: str
    quote: Quote

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        return {
            "code": self.code,
            "label": self.label,
            "quote": self.quote.text,
            "message_id": self.quote.message_id,
        }


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when a claim must be raised; ``certain`` is false where a year's holidays are not known yet."""

    label: str
    day: date | None
    days_left: int | None
    certain: bool
    text: str
    cites: tuple[Citation, ...]

    @property
    def expired(self) -> bool:
        """Whether the day has passed."""
        return self.days_left is not None and self.days_left < 0

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        return {
            "label": self.label,
            "day": None if self.day is None else self.day.isoformat(),
            "days_left": self.days_left,
            "certain": self.certain,
            "expired": self.expired,
            "text": self.text,
            "articles": [cited.to_json() for cited in self.cites],
        }


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One kind of proof, and whether the member said they hold it."""

    code: str
    label: str
    held: bool

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        return {"code": self.code, "label": self.label, "held": self.held}


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim: one right a story touches, with what it comes to or why that cannot be said."""

    right: str
    label: str
    topic: str
    status: Status
    amount: Decimal | None
    why: str | None
    """Why there is no amount, or only a part of it; None when it was computed."""
    result: Result | None
    cites: tuple[Citation, ...]
    because: tuple[str, ...]
    """Codes of the circumstances that touch this right."""
    alternative_to: str | None
    """The right it cannot be had together with; it is not in the total."""
    deadline: Deadline | None
    evidence: tuple[EvidenceItem, ...]
    strength: Strength
    notes: tuple[str, ...]
    missing: tuple[Missing, ...]

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        computed = self.result.to_json() if self.result is not None else {}
        return {
            "right": self.right,
            "label": self.label,
            "topic": self.topic,
            "status": self.status.value,
            "amount": None if self.amount is None else str(self.amount),
            "why": self.why,
            "alternative_to": self.alternative_to,
            "because": list(self.because),
            "articles": [cited.to_json() for cited in self.cites],
            "steps": computed.get("steps", []),
            "assumptions": computed.get("assumptions", []),
            "warnings": computed.get("warnings", []),
            "figures": computed.get("figures", {}),
            "notes": list(self.notes),
            "deadline": None if self.deadline is None else self.deadline.to_json(),
            "evidence": [item.to_json() for item in self.evidence],
            "strength": self.strength.value,
            "missing": [
                {"name": one.name, "label": one.label, "question": one.question} for one in self.missing
            ],
        }


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One step of the way: 协商, 调解, 监察, 仲裁, 诉讼."""

    code: str
    label: str
    text: str
    cites: tuple[Citation, ...]

    def to_json(self) -> dict[str, Any]:
        """As the sheet keeps it."""
        return {
            "code": self.code,
            "label": self.label,
            "text": self.text,
            "articles": [cited.to_json() for cited in self.cites],
        }


@dataclass(frozen=True, slots=True)
class Sheet:
    """Claim sheet: everything one story comes to, as of a day."""

    as_of: date
    district: str | None
    facts: tuple[KnownFact, ...]
    circumstances: tuple[Circumstance, ...]
    claims: tuple[Claim, ...]
    total: Decimal | None
    """元, of what was computed and can be had together; None when nothing was."""
    warnings: tuple[str, ...]
    route: tuple[RouteStep, ...]
    confirm_year: int | None

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it, and pages, documents and the desk show it.

        ``offices`` (who to go to in the district) is added where the stations are known.
        """
        return {
            "as_of": self.as_of.isoformat(),
            "district": self.district,
            "facts": [fact.to_json() for fact in self.facts],
            "circumstances": [one.to_json() for one in self.circumstances],
            "claims": [claim.to_json() for claim in self.claims],
            "total": None if self.total is None else str(self.total),
            "warnings": list(self.warnings),
            "route": [step.to_json() for step in self.route],
            "offices": [],
            "confirm_year": self.confirm_year,
        }
