"""The number of a case, in whatever spelling it is read out."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.model import Fact

_CASE_NUMBER = re.compile(r"(?<![A-Za-z])[Jj]\s?[Nn][\s-]*(?P<digits>(?:\d[\s-]*){12}\d)(?!\d)")
_BARE_CASE_NUMBER = re.compile(r"(?<!\d)(?P<digits>20\d{6}[\s-]?\d{4}[\s-]?\d)(?!\d)")


def find_case_no(text: str, as_of: date) -> list[Fact]:
    """Find a case number, as ``JN-20261122-0031-9``; hyphens, spaces and case do not matter.

    The first eight digits must be a day and the last the check digit (Luhn) of those before it; a number
    misread is no fact, and whoever looks the case up asks again in a friendly way.
    """
    facts: list[Fact] = []
    for match in (*_CASE_NUMBER.finditer(text), *_BARE_CASE_NUMBER.finditer(text)):
        overlaps = any(fact.start <= match.start() < fact.end for fact in facts)
        if not overlaps and _is_sound(re.sub(r"\D", "", match["digits"])):
            facts.append(_case_no(text, match))
    return sorted(facts, key=lambda fact: fact.start)


def _is_sound(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return _is_day(digits[:8]) and sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _case_no(text: str, match: re.Match[str]) -> Fact:
    digits = re.sub(r"\D", "", match["digits"])
    value = f"JN-{digits[:8]}-{digits[8:12]}-{digits[12]}"
    return Fact(
        "case_no", value, match.start(), match.end("digits"), text[match.start() : match.end("digits")]
    )


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
