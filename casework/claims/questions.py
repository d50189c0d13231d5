"""Questions: what to ask next, one at a time, and only what a right the story touches hangs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from casework.claims.deadlines import deadline_of
from casework.claims.model import Quote
from casework.claims.registry import Claims
from casework.claims.rights import Claimed, touched
from casework.claims.told import Said, Told
from casework.entitlements.base import Result
from casework.entitlements.registry import InputsRefused
from casework.errors import BadInput

FIRST = ("received_on", "injured_on", "employed", "ending", "hired_on", "left_on", "monthly_wage")
"""What comes before everything else, in this order: a right may end with the first, most hang on the rest."""
EVIDENCE = "evidence"
WARNED_DAYS = 30
"""So long before the end of a period it is warned of."""
OLDEST = date(1950, 1, 1)
_LIMITS: dict[str, tuple[Decimal, Decimal]] = {
    "money": (Decimal("0.01"), Decimal(10_000_000)),
    "number": (Decimal(0), Decimal(10_000)),
    "months_owed": (Decimal("0.5"), Decimal(240)),
    "heat_months": (Decimal(1), Decimal(4)),
    "leave_days": (Decimal("0.5"), Decimal(15)),
    "probation_months": (Decimal("0.1"), Decimal(60)),
    "contract_months": (Decimal("0.1"), Decimal(240)),
    "grade": (Decimal(1), Decimal(10)),
}
"""The least and the most a number may be, by question or else by its kind."""
_WHOLE = ("grade", "heat_months")


@dataclass(frozen=True, slots=True)
class Question:
    """The question to ask next, and about how many are left with it."""

    name: str
    text: str
    hint: str | None
    kind: str
    choices: tuple[tuple[str, str], ...]
    left: int
    unit: str | None = None


def next_question(told: Told, claims: Claims, today: date) -> Question | None:
    """What to ask next, or None when nothing more would change the sheet; ``today`` in Shanghai."""
    wanted = open_questions(told, claims, today)
    if not wanted:
        return None
    words = claims.words.questions[wanted[0]]
    choices = tuple(words.choices.items())
    if words.kind == "district":
        choices = tuple((name, name) for name in claims.districts.names)
    hint = words.hint
    if words.name == "monthly_wage" and "about_wage" in told.circumstances:
        hint = claims.words.warnings["approximate"]
    return Question(words.name, words.question, hint, words.kind, choices, len(wanted), words.unit)


def open_questions(told: Told, claims: Claims, today: date) -> tuple[str, ...]:
    """The facts that are still to be asked for, in the order they are."""
    counted: Counter[str] = Counter()
    for claim in touched(told):
        counted.update(set(_wanted_by(claim, told, claims, today)))
    wanted = [name for name in counted if name not in told.facts and name not in told.unknown]
    wanted.sort(key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), -counted[name]))
    if touched(told) and not told.held and EVIDENCE not in told.unknown and EVIDENCE not in told.facts:
        wanted.append(EVIDENCE)
    return tuple(wanted)


def record(told: Told, claims: Claims, name: str, value: str | None, quote: Quote, today: date) -> None:
    """Take in the answer to a question; None means the member does not know.

    Raises BadInput (``field``, ``rule``) for an answer that cannot be: not a day, in the future where it
    cannot lie there, no such choice, a number out of its limits.
    """
    words = claims.words.questions[name]
    if value is None:
        told.unknown.add(name)
        told.facts.pop(name, None)
        return
    if name == EVIDENCE:
        for found in claims.circumstances.held(value):
            told.circumstances.setdefault(found.code, Said(found.code, Quote(found.quote, quote.message_id)))
        told.facts[EVIDENCE] = Said(value[:200], quote)
        return
    checked = _checked(words.kind, name, value, claims, today)
    told.facts[name] = Said(checked, quote)
    told.unknown.discard(name)
    _check_order(told, name)


def compute(claim: Claimed, claims: Claims, today: date) -> Result | None:
    """The calculator's result for what is known of a claim; None without a calculator, or when it refuses."""
    if claim.calculator is None or claim.against is not None:
        return None
    try:
        return claims.entitlements.calculate(claim.calculator, claim.inputs, today)
    except InputsRefused:
        return None


def _wanted_by(claim: Claimed, told: Told, claims: Claims, today: date) -> Sequence[str]:
    if claim.against is not None:
        return ()
    gates = [name for name in claim.gates if name not in told.facts]
    if any(name not in told.unknown for name in gates):
        return gates
    late = _late(claim, told, claims, today)
    result = compute(claim, claims, today)
    if result is None:
        return [*gates, *late]
    missing = [claim.asks[one.name] for one in result.missing if one.name in claim.asks]
    return [*gates, *missing, *late]


def _late(claim: Claimed, told: Told, claims: Claims, today: date) -> Sequence[str]:
    """Where a period is over or nearly so, it matters whether it was asked for since (仲裁法 第二十七条)."""
    if claims.words.rights[claim.right].deadline not in ("wages", "general"):
        return ()
    deadline = deadline_of(claim.right, told, claims, today)
    near = deadline.days_left is not None and deadline.days_left <= WARNED_DAYS
    return ("interrupted_on",) if near or "interrupted_on" in told.facts else ()


def _checked(kind: str, name: str, value: str, claims: Claims, today: date) -> str:
    value = value.strip()
    if kind == "day":
        return _day(name, value, today)
    if kind == "choice":
        if value not in claims.words.questions[name].choices:
            raise BadInput("no such choice", field=name, rule="choice")
        return value
    if kind == "district":
        if value not in claims.districts.names:
            raise BadInput("no such district", field=name, rule="district")
        return value
    if kind == "text":
        return value[:200]
    return _number(kind, name, value)


def _day(name: str, value: str, today: date) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise BadInput("not a day", field=name, rule="day") from None
    ahead = 366 if name == "left_on" else 0
    if day < OLDEST or (day - today).days > ahead:
        raise BadInput("not possible", field=name, rule="day_range")
    return day.isoformat()


def _number(kind: str, name: str, value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise BadInput("not a number", field=name, rule="number") from None
    least, most = _LIMITS.get(name) or _LIMITS[kind]
    if not number.is_finite() or not least <= number <= most:
        raise BadInput("out of range", field=name, rule="range", least=least, most=most)
    if name in _WHOLE and number != number.to_integral_value():
        raise BadInput("not whole", field=name, rule="whole")
    return f"{number:f}"


def _check_order(told: Told, name: str) -> None:
    hired, left = told.day("hired_on"), told.day("left_on")
    if hired is not None and left is not None and left < hired:
        told.facts.pop(name, None)
        raise BadInput("left before hired", field=name, rule="left_before_hired")
