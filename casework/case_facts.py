"""Case facts: what an intake collected, checked before it enters a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from casework.case_types import SLOTS
from casework.errors import BadInput

MAX_TEXT = 4000
"""Characters of one answer."""
OLDEST_DAY = date(1950, 1, 1)
LARGEST_AMOUNT = Decimal("1000000000")


def check_facts(facts: Mapping[str, Any], today: date) -> dict[str, str]:
    """The facts as texts, without empty ones; raises BadInput (``values["fact"]``) for an impossible one.

    Amounts are 元 as decimal strings, days ISO dates not more than a year ahead of ``today`` (Shanghai).
    Names are those of ``case_types.SLOTS``; any other is refused.
    """
    checked: dict[str, str] = {}
    for name, value in facts.items():
        if name not in SLOTS:
            raise BadInput(f"{name} is no fact of a case", field="fact", fact=name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise BadInput(f"{name} must be a text or a number", field="fact", fact=name)
        text = str(value).strip()
        if len(text) > MAX_TEXT or not _CHECKS.get(name, _any)(text, today):
            raise BadInput(f"{name} is not possible", field="fact", fact=name)
        checked[name] = text
    return checked


def _any(text: str, today: date) -> bool:
    return True


def _day(text: str, today: date) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day >= OLDEST_DAY and (day - today).days <= 366


def _number(low: str, high: str) -> Callable[[str, date], bool]:
    def check(text: str, today: date) -> bool:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return False
        return number.is_finite() and Decimal(low) < number <= Decimal(high)

    return check


_amount = _number("0", str(LARGEST_AMOUNT))
_CHECKS: dict[str, Callable[[str, date], bool]] = {
    "hired_on": _day,
    "left_on": _day,
    "monthly_wage": _amount,
    "amount_owed": _amount,
    "months_owed": _number("0", "600"),
    "temperature": _number("-60", "100"),
}
