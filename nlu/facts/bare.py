"""Bare answers: the one day or number of a short message, whatever it is about.

A question of the dialogue gives it its role (哪天受的伤? 9月3号). These are no facts of their own: they never
reach ``niangjia parse``. What is approximate (五千来块) or contradicts itself is none here either.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from nlu.facts.dates import dates
from nlu.facts.durations import durations
from nlu.facts.model import Fact, Mention, is_exact
from nlu.facts.money import sums
from nlu.facts.numerals import NUMBER, plain, read_number
from nlu.facts.roles import settled, stated

BARE = ("bare_day", "bare_number")
"""What the findings are called."""
LONGEST = 30
"""Characters of a message that may be an answer and nothing else."""
_COUNTED = re.compile(rf"(?P<number>{NUMBER})\s*(?:个)?(?P<unit>小时|钟头|天|日|级|次|块钱?|元|月)?")


def find_bare_day(text: str, as_of: date) -> list[Fact]:
    """The day a short message names (ISO), if it names one and is sure of it."""
    if len(text) > LONGEST:
        return []
    return settled(
        stated("bare_day", text, dates(text, as_of), lambda mention: True, lambda one: one.day.isoformat())
    )


def find_bare_number(text: str, as_of: date) -> list[Fact]:
    """The number a short message names, as a decimal string; a span of years is in months (一年半 is 18)."""
    if len(text) > LONGEST or dates(text, as_of):
        return []
    found = sums(text, as_of) or durations(text) or _counted(text)
    return settled(stated("bare_number", text, found, lambda mention: True, lambda one: plain(one.amount)))


def _counted(text: str) -> tuple[Mention, ...]:
    found = []
    for match in _COUNTED.finditer(text):
        value = read_number(match["number"])
        alone = not text.replace(match["number"], "", 1).strip(" 。.!")
        if value is not None and (match["unit"] or alone):
            exact = is_exact(text, match.start(), match.end())
            found.append(Mention(Decimal(value), match.start(), match.end(), exact))
    return tuple(found)
