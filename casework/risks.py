"""Risks: what makes a matter pressing, read by rules from what is known; it warns, it never decides.

Pure: the same topics, facts and words always give the same risks. What each code is called and what staff
should do about it, with the article it rests on, is ``data/knowledge/desk_risks.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from casework.articles import Mark, Source, read_source
from casework.knowledge_files import Entry, read_knowledge
from casework.tables import Priority

FILE = "desk_risks.yml"
CODES = (
    "injury", "injury_over", "limitation", "limitation_over", "lawsuit_deadline", "heat_now", "minor",
    "pregnant", "group",
)  # fmt: skip
"""Every code ``risks_of`` gives beside ``crisis.<kind>``, in the order of equally grave ones."""
CRISIS = "crisis."
WARNED_WITHIN = timedelta(days=60)
"""How near the end of a limitation period must be to be pressing."""
EMPLOYER_REPORTS_WITHIN = timedelta(days=30)
SUES_WITHIN = timedelta(days=15)
STOP_WORK_AT = Decimal(40)
SMALLEST_GROUP = 3
MAX_ADVICE = 160
"""Characters of the advice to staff on one risk: it is read beside an open conversation."""


@dataclass(frozen=True, slots=True)
class Risk:
    """Risk: one thing that makes a matter pressing, and the day it runs out where a date is known."""

    code: str
    priority: Priority
    due_on: date | None = None
    """The last day by the calendar, not moved past a holiday: never later than the law's."""


@dataclass(frozen=True, slots=True)
class RiskNote:
    """Risk note: what a risk is called in front of staff, what to do about it, and what that rests on."""

    label: str
    advice: str
    sources: tuple[Source, ...]


def risks_of(
    topics: Collection[str],
    facts: Mapping[str, Any],
    *,
    crisis_kind: str | None,
    texts: Sequence[str] = (),
    today: date,
) -> list[Risk]:
    """What is pressing about a matter, the gravest first.

    ``facts`` are those of the dialogue (ISO dates, ℃ as text); ``injured_on`` and ``received_on`` (the day of
    the accident, the day an award or a judgment was received) are used when they are there. ``crisis_kind``
    is as a conversation remembers it (``self_harm`` or ``self_harm.care``), ``texts`` what the member wrote,
    ``today`` the day in Shanghai. A date that cannot be read counts as unknown.
    """
    found: list[Risk] = []
    if crisis_kind:
        found.append(Risk(CRISIS + crisis_kind.partition(".")[0], Priority.CRITICAL))
    said = [text for text in texts if text]
    found += _injury(topics, facts, said, today)
    found += _limitation(topics, facts, today)
    if any(_AWARD.search(text) and not _NO_AWARD.search(text) for text in said):
        received = _day(facts, "received_on")
        found.append(Risk("lawsuit_deadline", Priority.HIGH, received and received + SUES_WITHIN))
    others = {
        "heat_now": _heat_now(topics, facts, said),
        "minor": any(_is_minor(text) for text in said) and "tuition.aid" not in topics,
        "pregnant": _pregnant_and_dismissed(topics, said),
        "group": _at_work(topics) and any(_is_group(text) for text in said),
    }
    found += [Risk(code, Priority.HIGH) for code, present in others.items() if present]
    return sorted(found, key=lambda risk: risk.priority)


def load_risk_notes(root: Path) -> dict[str, RiskNote]:
    """Read ``desk_risks.yml`` of a knowledge folder, by code.

    Raises KnowledgeError for a code of ``CODES`` without a note, advice of more than 160 characters, and
    advice without a source that is certain (save where there is no law behind it: crises and waiting).
    """
    top = Entry(FILE, "(top)", read_knowledge(root / FILE))
    notes: dict[str, RiskNote] = {}
    for code, entry in top.named_entries("risks").items():
        note = RiskNote(
            label=entry.text("label"),
            advice=entry.text("advice"),
            sources=tuple(read_source(source) for source in entry.entries("sources")),
        )
        entry.done()
        if len(note.advice) > MAX_ADVICE:
            raise entry.error(f"advice has {len(note.advice)} characters, more than {MAX_ADVICE}")
        if any(source.mark is not Mark.CERTAIN for source in note.sources):
            raise entry.error("rests on a source that is not certain")
        if code in CODES and not note.sources:
            raise entry.error("needs a source")
        notes[code] = note
    top.done()
    if missing := set(CODES) - notes.keys():
        raise top.error(f"there is nothing about {', '.join(sorted(missing))}")
    return notes


def a_year_after(day: date) -> date:
    """The same day a year later; the last of February after a leap day (民法典 202)."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 2, 28)


def _injury(
    topics: Collection[str], facts: Mapping[str, Any], said: Sequence[str], today: date
) -> list[Risk]:
    """工伤保险条例 17: the employer applies within 30 days, the worker or the union within one year."""
    if "labour.work_injury" not in topics and not any(_INJURED.search(text) for text in said):
        return []
    injured_on = _day(facts, "injured_on")
    if injured_on is None or injured_on > today:
        return [Risk("injury", Priority.HIGH)]
    for due_on in (injured_on + EMPLOYER_REPORTS_WITHIN, a_year_after(injured_on)):
        if today <= due_on:
            return [Risk("injury", Priority.HIGH, due_on)]
    return [Risk("injury_over", Priority.HIGH, a_year_after(injured_on))]


def _limitation(topics: Collection[str], facts: Mapping[str, Any], today: date) -> list[Risk]:
    """劳动争议调解仲裁法 27: one year, for wages owed only once employment has ended."""
    left_on = _day(facts, "left_on")
    if left_on is None or left_on > today or not _at_work(topics):
        return []
    due_on = a_year_after(left_on)
    if today > due_on:
        return [Risk("limitation_over", Priority.HIGH, due_on)]
    return [Risk("limitation", Priority.HIGH, due_on)] if due_on - today <= WARNED_WITHIN else []


def _heat_now(topics: Collection[str], facts: Mapping[str, Any], said: Sequence[str]) -> bool:
    if not {"heat.stop_work", "heat.illness", "heat.report"} & set(topics):
        return False
    try:
        temperature = Decimal(str(facts.get("temperature") or 0))
    except InvalidOperation:
        temperature = Decimal(0)
    hot = temperature.is_finite() and temperature >= STOP_WORK_AT
    return hot or any(_HEATSTROKE.search(text) for text in said)


def _pregnant_and_dismissed(topics: Collection[str], said: Sequence[str]) -> bool:
    pregnant = "labour.maternity" in topics or any(_PREGNANT.search(text) for text in said)
    dismissed = "labour.dismissal" in topics or any(_DISMISSED.search(text) for text in said)
    return pregnant and dismissed


def _is_minor(text: str) -> bool:
    return bool(_CHILD_LABOUR.search(text) or (_YOUNG.search(text) and _WORKING.search(text)))


def _is_group(text: str) -> bool:
    if _EVERYBODY.search(text):
        return True
    return any(_number(match[1]) >= SMALLEST_GROUP for match in _MANY.finditer(text))


def _at_work(topics: Collection[str]) -> bool:
    """Whether it may be a matter of work; without any topic it may."""
    return not topics or any(topic.startswith(("labour.", "heat.")) for topic in topics)


def _day(facts: Mapping[str, Any], name: str) -> date | None:
    value = facts.get(name)
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text == "两":
        return 2
    return _DIGITS.find(text) + 1 if len(text) == 1 else SMALLEST_GROUP


_DIGITS = "一二三四五六七八九十"
_INJURED = re.compile(
    r"(?:刚|今天|昨天|上午|下午|夜班|上班|干活|工地|车间|机器)[^，。！？\n]{0,14}"
    r"(?:摔伤|摔下|砸伤|砸到|压伤|轧伤|轧到|割伤|切到|烫伤|触电|坠落|受伤|骨折|断指|撞伤|被撞)"
)
_AWARD = re.compile(
    r"(?:收到|拿到|接到|领到|签收|送来|寄来)[^，。！？\n]{0,8}(?:裁决|判决)"
    r"|(?:裁决书?|判决书?)[^，。！？\n]{0,6}(?:下来|到手|收到|拿到|出来|寄到|送到)"
)
_NO_AWARD = re.compile(r"(?:没有?|未|等)[^，。！？\n]{0,3}(?:收到|拿到|接到|下来|出来)|(?:收|拿|接)不到")
_HEATSTROKE = re.compile(r"中暑|热射病")
_PREGNANT = re.compile(r"怀孕|孕期|怀着|产期|产假|哺乳期")
_DISMISSED = re.compile(r"辞退|开除|劝退|解雇|裁(?:员|了|掉)|炒了|不让(?:我|她)?来上班|解除(?:劳动)?合同")
_CHILD_LABOUR = re.compile(r"童工|未成年人?(?!工)[^，。！？\n]{0,8}(?:打工|干活|上班|进厂)")
_YOUNG = re.compile(
    r"(?<!\d)1[0-7](?:周)?岁|(?<![二三四五六七八九])十[一二三四五六七]?(?:周)?岁|不满十[六八]"
)
_WORKING = re.compile(r"打工|干活|上班|进厂|工地|流水线|学徒|夜班|工资")
_MANY = re.compile(
    r"(?:我们|俺们|咱们|一共|总共)[^，。！？\n\d]{0,6}?(\d{1,4}|[一二三四五六七八九十百两几]{1,4})[来多]?(?:个|名|号)?(?:工)?[人友]"
)
_EVERYBODY = re.compile(
    r"全体(?:职工|员工|工人|同事)|[几好][十百](?:个|号|名|口)?(?:工)?[人友]|[二三四五六七八九]十(?:多|来)?[个号名](?:工)?人"
    r"|(?:全厂|整个(?:厂|班组|车间|项目))[^，。！？\n]{0,4}(?:人)?都"
)
