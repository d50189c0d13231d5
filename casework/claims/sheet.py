"""Making the claim sheet: every right the story touches, reckoned, dated and weighed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from casework.claims.deadlines import URGENT_DAYS, deadline_of
from casework.claims.model import (
    Circumstance,
    Claim,
    EvidenceItem,
    KnownFact,
    RouteStep,
    Sheet,
    Strength,
)
from casework.claims.questions import compute
from casework.claims.registry import Claims
from casework.claims.rights import Claimed, touched
from casework.claims.told import Told
from casework.claims.words import QuestionWords, RightWords
from casework.entitlements.base import Missing, Result, Status
from casework.entitlements.wording import Citation, fill

WHO = ("elsewhere", "over_age", "platform", "household", "intern", "dispatched", "subcontractor", "group")
"""Circumstances that say who somebody is; each has something that must be said."""
INSPECTED = ("wage_arrears", "overtime", "heat_fee", "social_insurance", "deposit")
"""What the labour inspectorate looks into (劳动保障监察条例 第十一条)."""
BEGUN_ANEW = ("wages", "general")
"""Periods that begin anew when it was asked for (仲裁法 第二十七条第二款); the others do not."""
SEVERANCES = ("severance", "severance_plus_notice", "unlawful_dismissal")


def make_sheet(told: Told, claims: Claims, today: date) -> Sheet:
    """The claim sheet for what is known, as of a day in Shanghai."""
    made = tuple(_claim(claim, told, claims, today) for claim in touched(told))
    counted = [one.amount for one in made if one.amount is not None and one.alternative_to is None]
    years = [one.result.confirm_year for one in made if one.result is not None]
    return Sheet(
        as_of=today,
        district=told.fact("district"),
        facts=known_facts(told, claims),
        circumstances=circumstances(told, claims),
        claims=made,
        total=sum(counted, Decimal(0)) if counted else None,
        warnings=_warnings(told, claims, made),
        route=_route(told, claims, made),
        confirm_year=max((year for year in years if year is not None), default=None),
    )


def known_facts(told: Told, claims: Claims) -> tuple[KnownFact, ...]:
    """What was told and answered, in the order of the questions, with the member's words."""
    found = []
    for name, words in claims.words.questions.items():
        said = told.facts.get(name)
        if said is not None:
            found.append(KnownFact(name, words.label, said.value, _shown(words, said.value), said.quote))
    return tuple(found)


def circumstances(told: Told, claims: Claims) -> tuple[Circumstance, ...]:
    """What happened, in the order of the rules, without what the member merely holds."""
    return tuple(
        Circumstance(code, claims.circumstances.label(code), told.circumstances[code].quote)
        for code in claims.circumstances.codes
        if code in told.circumstances and code not in told.held and code != "about_wage"
    )


def _claim(claim: Claimed, told: Told, claims: Claims, today: date) -> Claim:
    words = claims.words.rights[claim.right]
    result = compute(claim, claims, today)
    status, amount = _standing(claim, result)
    if claim.right == "deposit" and told.number("deposit") is not None:
        status, amount = Status.COMPUTED, told.number("deposit")
    held = told.held
    return Claim(
        right=claim.right,
        label=words.label,
        topic=words.topic,
        status=status,
        amount=amount,
        why=_why(claim, status, result, told, claims),
        result=result,
        cites=_cites(words, result),
        because=tuple(code for code in told.circumstances if code not in held),
        alternative_to=claim.alternative_to,
        deadline=None if claim.against is not None else deadline_of(claim.right, told, claims, today),
        evidence=_evidence(words, held, claims),
        strength=_strength(words, held),
        notes=words.notes,
        missing=_missing(claim, result, told, claims),
    )


def _standing(claim: Claimed, result: Result | None) -> tuple[Status, Decimal | None]:
    if claim.against is not None:
        return Status.CANNOT, None
    if result is None:
        return Status.CANNOT, None
    if result.status is Status.INCOMPLETE:
        return Status.INCOMPLETE, None
    return result.status, result.amount


def _why(claim: Claimed, status: Status, result: Result | None, told: Told, claims: Claims) -> str | None:
    """Why there is no amount, or only part of one."""
    if claim.against is not None:
        return claims.words.against[claim.against]
    if status is Status.COMPUTED:
        return None
    if result is not None and status in (Status.PARTIAL, Status.CANNOT) and result.warnings:
        return result.warnings[0]
    return claims.words.rights[claim.right].why


def _missing(claim: Claimed, result: Result | None, told: Told, claims: Claims) -> tuple[Missing, ...]:
    names = [name for name in claim.gates if name not in told.facts]
    if result is not None:
        names += [claim.asks[one.name] for one in result.missing if one.name in claim.asks]
    found = []
    for name in dict.fromkeys(names):
        words = claims.words.questions[name]
        found.append(Missing(name, words.label, words.question, words.hint, words.choices))
    return tuple(found)


def _cites(words: RightWords, result: Result | None) -> tuple[Citation, ...]:
    cites = dict.fromkeys(words.cites)
    if result is not None:
        cites |= dict.fromkeys(result.sources)
    return tuple(cites)


def _evidence(words: RightWords, held: frozenset[str], claims: Claims) -> tuple[EvidenceItem, ...]:
    kinds = dict.fromkeys(kind for group in words.proof for kind in group)
    return tuple(EvidenceItem(kind, claims.circumstances.label(kind), kind in held) for kind in kinds)


def _strength(words: RightWords, held: frozenset[str]) -> Strength:
    groups = sum(any(kind in held for kind in group) for group in words.proof)
    if groups == len(words.proof):
        return Strength.STRONG
    return Strength.SOME if groups else Strength.WEAK


def _warnings(told: Told, claims: Claims, made: tuple[Claim, ...]) -> tuple[str, ...]:
    texts = claims.words.warnings
    found = [texts[code] for code in WHO if told.has(code)]
    if "about_wage" in told.circumstances and "monthly_wage" not in told.facts:
        found.append(texts["approximate"])
    deadlines = [claim.deadline for claim in made if claim.deadline is not None]
    if any(
        claim.deadline is not None and claim.deadline.expired
        for claim in made
        if claims.words.rights[claim.right].deadline in BEGUN_ANEW
    ):
        found.append(texts["limitation"])
    if any(one.days_left is not None and 0 <= one.days_left <= URGENT_DAYS for one in deadlines):
        found.append(texts["urgent"])
    if any(claim.right in SEVERANCES and claim.amount is not None for claim in made):
        found.append(texts["tax"])
    if any(claim.amount is not None for claim in made):
        found.append(texts["estimate"])
    return tuple(found)


def _route(told: Told, claims: Claims, made: tuple[Claim, ...]) -> tuple[RouteStep, ...]:
    """The order of steps for these claims (仲裁法 第四、五、十条)."""
    rights = {claim.right for claim in made}
    steps = ["negotiate", "mediate"]
    if "work_injury" in rights:
        steps.insert(0, "confirm")
    if rights & set(INSPECTED):
        steps.append("inspect")
    if "wage_arrears" in rights and "ev_iou" in told.held:
        steps.append("direct_suit")
    if "lawsuit" in rights:
        steps = ["sue"]
    else:
        steps += ["arbitrate", "sue"]
    return tuple(
        RouteStep(one.code, one.label, one.text, one.cites)
        for one in (claims.words.route[code] for code in steps)
    )


def _shown(words: QuestionWords, value: str) -> str:
    """A fact as a member reads it."""
    if words.kind == "choice":
        return words.choices.get(value, value)
    if words.kind == "day":
        return fill("{day}", {"day": date.fromisoformat(value)})
    return f"{value} {words.unit}" if words.unit else value
