"""Rights: which of them a story touches, and what each is reckoned from.

Pure. What each is called, its articles and its proof are ``data/knowledge/claims/rights.yml``; the
arithmetic is ``casework.entitlements``. A right that hangs on how the employment ended waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.claims.told import Told

ENDED = (
    "dismissed",
    "forced_to_sign_off",
    "layoff",
    "not_renewed",
    "probation_dismissed",
    "agreed_to_leave",
    "resigned",
    "employer_closed",
)  # fmt: skip
"""Circumstances that say the employment is over, or about to be."""
_ENDINGS = {
    "probation_dismissed": "probation",
    "told_fault": "fault",
    "article_40": "article_40",
    "layoff": "layoff",
    "not_renewed": "not_renewed",
    "agreed_to_leave": "agreed",
    "employer_closed": "closed",
}
"""How the employment ended, where one circumstance alone says it."""
UNLAWFUL = ("dismissed", "fault", "probation")
PAID = ("agreed", "layoff", "not_renewed", "closed", "forced")
PROTECTED = ("pregnant", "sick", "injured")
"""Nobody may be dismissed for other than their own fault in these (劳动合同法 第四十二条)."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One right a story touches: what its calculator is given, and what stands against it."""

    right: str
    calculator: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    """The fact to ask for, by the calculator's input; an input that is not here is never asked for."""
    gates: tuple[str, ...] = ()
    """Facts that must be known before anything is reckoned."""
    against: str | None = None
    """Why it cannot be had (``against.<code>``)."""
    alternative_to: str | None = None


def ending(told: Told) -> str | None:
    """How the employment ended (a choice of the question ``ending``), or None when that must be asked."""
    known = told.fact("ending")
    if known is not None:
        return known
    said = {way for code, way in _ENDINGS.items() if told.has(code)}
    if len(said) == 1 and not told.has("resigned"):
        return said.pop()
    if not said and told.has("dismissed", "forced_to_sign_off") and not told.has("resigned"):
        return "dismissed"
    return None


def is_over(told: Told) -> bool | None:
    """Whether the employment has ended; None when nothing says so."""
    said = told.fact("employed")
    if said is not None:
        return said == "no"
    if "left_on" in told.facts or told.fact("ending") is not None:
        return True
    return True if told.has(*ENDED) else None


def touched(told: Told) -> tuple[Claimed, ...]:
    """The rights a story touches, in the order they are to be shown."""
    claims: list[Claimed] = []
    for right in _RIGHTS:
        claims += right(told)
    seen: dict[str, Claimed] = {}
    for claim in claims:
        seen.setdefault(claim.right, claim)
    return tuple(seen.values())


def _known(told: Told, asks: Mapping[str, str]) -> dict[str, Any]:
    """The calculator's inputs that are known."""
    return {name: told.fact(fact) for name, fact in asks.items() if told.fact(fact) is not None}


def _lawsuit(told: Told) -> list[Claimed]:
    return [Claimed("lawsuit", gates=("received_on",))] if told.has("award_received") else []


def _injury(told: Told) -> list[Claimed]:
    if told.has("graded") or told.fact("grade") is not None:
        asks = {"grade": "grade", "average_wage": "monthly_wage"}
        return [Claimed("disability_grant", "injury_disability_grant", _known(told, asks), asks)]
    if told.has("injured", "commute_accident") or "labour.work_injury" in told.topics:
        return [Claimed("work_injury", gates=("injured_on",))]
    return []


def _arrears(told: Told) -> list[Claimed]:
    known = told.facts.keys() & {"amount_owed", "months_owed"}
    if not (told.has("unpaid", "docked", "below_minimum") or known or "labour.wage_arrears" in told.topics):
        return []
    asks = {"amount_owed": "amount_owed"}
    gates = _leaving(told)
    by_months = "months_owed" in told.facts and "amount_owed" not in told.facts
    if by_months or "amount_owed" in told.unknown:
        asks = {"months": "months_owed", "monthly_wage": "monthly_wage"}
        gates = (*gates, *asks.values())
    return [Claimed("wage_arrears", "wage_arrears", _known(told, asks), asks, gates=gates)]


def _double_wage(told: Told) -> list[Claimed]:
    tells = told.has("no_contract", "contract_kept_by_boss", "signed_later", "contract_expired_working")
    if not tells and ("labour.contract" not in told.topics or told.has("ev_contract")):
        return []
    if told.has("part_time"):
        return [Claimed("double_wage", against="part_time")]
    if told.has("contract_kept_by_boss") and not told.has("no_contract"):
        return []
    asks = {"hired_on": "hired_on", "monthly_wage": "monthly_wage"}
    gates = _leaving(told)
    if is_over(told):
        asks["left_on"] = "left_on"
    if told.has("signed_later"):
        asks["signed_on"] = "signed_on"
        gates = (*gates, "signed_on")
    inputs = _known(told, asks)
    if told.has("contract_expired_working") and not told.has("no_contract"):
        inputs["contract_expired"] = True
    return [Claimed("double_wage", "double_wage", inputs, asks, gates=gates)]


def _termination(told: Told) -> list[Claimed]:
    if not told.has(*ENDED) and told.fact("ending") is None and "labour.dismissal" not in told.topics:
        return []
    if told.has("part_time"):
        return [Claimed("severance", against="part_time")]
    if is_over(told) is False:
        return [Claimed("severance", against="still_there")]
    asks = {
        "hired_on": "hired_on",
        "left_on": "left_on",
        "average_wage": "monthly_wage",
        "district": "district",
    }
    inputs = _known(told, asks)
    way = ending(told)
    if way is None:
        return [Claimed("severance", "severance", inputs, asks, gates=("ending",))]
    if way == "resigned":
        return [Claimed("severance", against="resigned")]
    severance = Claimed("severance", "severance", inputs, asks)
    unlawful = Claimed("unlawful_dismissal", "unlawful_dismissal", inputs, asks)
    if way in UNLAWFUL or (told.has(*PROTECTED) and way in ("article_40", "layoff")):
        other = Claimed("severance", "severance", inputs, asks, alternative_to="unlawful_dismissal")
        return [unlawful, other]
    if way == "article_40":
        if told.fact("notice_given") == "yes":
            return [severance]
        plus = {**asks, "last_month_wage": "last_month_wage"}
        gates = () if told.fact("notice_given") is not None else ("notice_given",)
        return [
            Claimed("severance_plus_notice", "severance_plus_notice", _known(told, plus), plus, gates=gates)
        ]
    return [severance]


def _overtime(told: Told) -> list[Claimed]:
    if not told.has("overtime") and "labour.overtime" not in told.topics:
        return []
    hours = ("hours_150", "hours_200", "hours_300")
    asks = {"monthly_wage": "monthly_wage", **{name: name for name in hours}}
    return [Claimed("overtime", "overtime", _known(told, asks), asks, gates=(*_leaving(told), *hours))]


def _annual_leave(told: Told) -> list[Claimed]:
    if not told.has("no_leave"):
        return []
    asks = {"days": "leave_days", "average_wage": "monthly_wage"}
    return [Claimed("annual_leave_pay", "annual_leave_pay", _known(told, asks), asks)]


def _heat(told: Told) -> list[Claimed]:
    if not told.has("hot_work") and "heat.allowance" not in told.topics:
        return []
    kind, months = told.fact("heat_kind"), told.number("heat_months")
    inputs: dict[str, Any] = {} if kind is None else {"kind": kind}
    if months is not None:
        inputs["months"] = months
    gates = tuple(name for name in ("heat_kind", "heat_months") if told.fact(name) is None)
    return [Claimed("heat_fee", "heat_fee", inputs, gates=(*gates, *_leaving(told)))]


def _probation(told: Told) -> list[Claimed]:
    if not told.has("probation_long") and told.fact("probation_months") is None:
        return []
    asks = {
        "contract_months": "contract_months",
        "probation_months": "probation_months",
        "regular_wage": "monthly_wage",
    }
    return [Claimed("probation_compensation", "probation_compensation", _known(told, asks), asks)]


def _noncompete(told: Told) -> list[Claimed]:
    if not told.has("noncompete"):
        return []
    asks = {"average_wage": "monthly_wage", "district": "district"}
    return [Claimed("noncompete_compensation", "noncompete_compensation", _known(told, asks), asks)]


def _insurance(told: Told) -> list[Claimed]:
    return [Claimed("social_insurance")] if told.has("no_social_insurance", "waived_insurance") else []


def _deposit(told: Told) -> list[Claimed]:
    return [Claimed("deposit")] if told.has("deposit", "id_held") else []


def _leaving(told: Told) -> tuple[str, ...]:
    """Whether the limitation period runs hangs on it."""
    if is_over(told) is None:
        return ("employed",)
    return ("left_on",) if is_over(told) else ()


_RIGHTS: tuple[Callable[[Told], list[Claimed]], ...] = (
    _lawsuit,
    _injury,
    _arrears,
    _termination,
    _double_wage,
    _overtime,
    _annual_leave,
    _heat,
    _probation,
    _noncompete,
    _insurance,
    _deposit,
)
