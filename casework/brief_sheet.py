"""Brief sheet: what a brief is made of (``casework.brief`` fills it in, a page shows it)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.case_types import Question
from casework.risks import Risk, RiskNote
from casework.tables import CaseState, Channel


@dataclass(frozen=True, slots=True)
class Quote:
    """A member's own words, and where they stand."""

    message_id: int
    at: datetime
    text: str
    """Raw; empty when they were erased or there were none (a pressed button)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value that was given for a fact, and in which words."""

    value: str
    shown: str
    """The value with its unit (元, 个月) or in words (办过)."""
    quote: Quote


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact: the value given last; values that contradict it are kept, the newest first."""

    name: str
    label: str | None
    """What it is called, as the case types call it; None for a fact no case asks for."""
    said: Said
    earlier: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic the member wrote about, and how often."""

    topic: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A bot turn that answered something: on what, from which sources, offering which buttons."""

    message_id: int
    at: datetime
    topic: str | None
    title: str | None
    """The article's title, None where no article answers the topic."""
    sources: tuple[Mapping[str, Any], ...]
    """{title, article, as_of} as the message holds them."""
    buttons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wants:
    """What the member wants, as far as they said it, and how they take it."""

    wish: Quote | None
    """The words in which they said what should come of it."""
    wish_value: str | None
    request: Quote | None
    """The last deed they asked for."""
    request_label: str | None
    last_words: Quote | None
    handoff_reason: str | None
    """A code."""
    complaints: int
    """How often they complained."""
    asked_for_human: int
    not_understood: int
    """How many of their sentences the bot did not act upon."""


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case of the member's."""

    id: str
    number: str
    case_type: str
    topic: str
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    merged_into_id: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """What there was before: other conversations, and cases (the newest 20) with their states."""

    conversations: int
    cases: tuple[PastCase, ...]
    cases_total: int


@dataclass(frozen=True, slots=True)
class FileSent:
    """A file the member or staff sent; the name is raw."""

    id: str
    filename: str
    media_type: str
    size: int
    message_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class HandoffNote:
    """What the colleague before wrote down when handing back."""

    staff_id: int | None
    at: datetime
    outcome: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class RiskShown:
    """A risk with its label, advice and sources; None for a code that has none."""

    risk: Risk
    note: RiskNote | None
    days_left: int | None
    """Days until it runs out, 0 on the last day, below 0 when it is over; None without a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Brief: everything a human must know before they write the first word."""

    name: str | None
    phone: str | None
    channel: Channel
    district: str | None
    since: datetime
    """When the conversation began."""
    waiting_since: datetime | None
    truncated: bool
    """There is more than the newest 300 messages, which alone were read."""
    past: Past
    topics: tuple[Topic, ...]
    """In the order they came up."""
    facts: tuple[Fact, ...]
    answered: tuple[Answered, ...]
    wants: Wants
    risks: tuple[RiskShown, ...]
    """The gravest first."""
    case_type: str
    """Which case it would become."""
    open_questions: tuple[Question, ...]
    """What an intake would still ask."""
    attachments: tuple[FileSent, ...]
    last_handoff: HandoffNote | None
