"""The number of a case, in whatever spelling it is read out."""

from __future__ import annotations

import re
from datetime import date

from nlu.facts.model import Fact

_CASE_NUMBER = re.compile(r"(?<![A-Za-z])[Jj]\s?[Nn][\s-]*(?P<digits>(?:\d[\s-]*){12}\d)(?!\d)")
_BARE_CASE_NUMBER = re.compile(r"(?<!\d)(?P<digits>20\d{6}[\s-]?\d{4}[\s-]?\d)(?!\d)")


def find_case_no(text: str, as_of: date) -> list[Fact]:
    """Find a case number, as ``JN-20261122-0031-9``; hyphens, spaces and case do not matter.

    The check digit is not judged here: whoever looks the case up asks again in a friendly way. Without
    the letters, the first eight digits must be a day.
    """
    facts = []
    for match in _CASE_NUMBER.finditer(text):
        facts.append(_case_no(text, match))
    for match in _BARE_CASE_NUMBER.finditer(text):
        overlaps = any(fact.start <= match.start() < fact.end for fact in facts)
        if not overlaps and _is_day(match["digits"][:8]):
            facts.append(_case_no(text, match))
    return sorted(facts, key=lambda fact: fact.start)


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
