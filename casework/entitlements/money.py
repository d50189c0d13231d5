"""Money: 元 as Decimal, rounded once at the end."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
DAYS_PER_MONTH = Decimal("21.75")
"""Paid days of a month (人社部发〔2025〕2号)."""
HOURS_PER_DAY = 8


def cents(amount: Decimal) -> Decimal:
    """The amount rounded half up to 分: only for what is the end of a calculation."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def daily(monthly: Decimal) -> Decimal:
    """A day's wage of a monthly wage, not rounded (人社部发〔2025〕2号)."""
    return monthly / DAYS_PER_MONTH


def hourly(monthly: Decimal) -> Decimal:
    """An hour's wage of a monthly wage, not rounded (人社部发〔2025〕2号)."""
    return monthly / DAYS_PER_MONTH / HOURS_PER_DAY
