"""Deadlines: until when each claim must be raised (仲裁法 第二十七条；民法典 第二百至二百零三条)."""

from __future__ import annotations

from datetime import date

from casework.claims.model import Deadline
from casework.claims.registry import Claims
from casework.claims.rights import is_over
from casework.claims.told import Told
from casework.entitlements.dates import add_days, add_months
from casework.entitlements.wording import Citation, fill

URGENT_DAYS = 7
"""So near the end legal aid may help before its papers are in (法律援助法 第四十四条)."""
_YEAR = 12
_LAWSUIT_DAYS = 15


def deadline_of(right: str, told: Told, claims: Claims, today: date) -> Deadline:
    """The deadline of a claim, as far as the story tells it. ``today`` is the day in Shanghai."""
    kind = claims.words.rights[right].deadline
    texts = claims.words.deadlines
    since: date | None = None
    key = kind
    if kind == "wages":
        key = "wages_left" if is_over(told) else "wages_employed"
        since = told.day("left_on") if is_over(told) else None
    elif kind == "general":
        since = _since(right, told)
    elif kind == "injury":
        since = told.day("injured_on")
    elif kind == "lawsuit":
        since = told.day("received_on")
    if since is None:
        text = texts.get(f"{key}_unknown", texts[key])
        return Deadline(claims.words.rights[right].label, None, None, True, text, _cites(kind, claims))
    if kind == "lawsuit":
        nominal = add_days(since, _LAWSUIT_DAYS)
    else:
        nominal = add_months(_begun_anew(kind, since, told, claims), _YEAR)
    day, certain = claims.entitlements.rates.roll_forward(nominal)
    left = (day - today).days
    over = texts.get(f"expired_{kind}", texts["expired"])
    text = texts[key] if left >= 0 else fill(over, {"day": day})
    if not certain and left >= 0:
        text += fill(texts["uncertain"], {"year": nominal.year})
    return Deadline(claims.words.rights[right].label, day, left, certain, text, _cites(kind, claims))


def _begun_anew(kind: str, since: date, told: Told, claims: Claims) -> date:
    """The day the year runs from: asking begins it anew while it runs (仲裁法 第二十七条第二款)."""
    again = told.day("interrupted_on")
    first_end, _ = claims.entitlements.rates.roll_forward(add_months(since, _YEAR))
    return again if again is not None and kind != "injury" and since <= again <= first_end else since


def _since(right: str, told: Told) -> date | None:
    """The day from which a claim's year runs; the earliest that is certain where views differ."""
    if right == "double_wage":
        hired = told.day("hired_on")
        ends = [told.day("left_on"), told.day("signed_on")]
        if hired is not None:
            ends.append(add_days(add_months(hired, _YEAR), -1))
        return min((end for end in ends if end is not None), default=None)
    return told.day("left_on")


def _cites(kind: str, claims: Claims) -> tuple[Citation, ...]:
    return claims.words.deadline_cites.get(kind, ())
