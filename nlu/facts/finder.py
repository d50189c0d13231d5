"""Finds every fact in a text: one of each kind, none where the text contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from nlu.facts.aspect import find_aspect
from nlu.facts.bare import BARE, find_bare_day, find_bare_number
from nlu.facts.case_number import find_case_no
from nlu.facts.district import Districts
from nlu.facts.employer import Employers
from nlu.facts.employment import find_employment_dates
from nlu.facts.lexicon import lexicon
from nlu.facts.model import Fact
from nlu.facts.months_owed import find_months_owed
from nlu.facts.owed import find_amount_owed
from nlu.facts.person_name import find_person_name
from nlu.facts.phone import find_phone
from nlu.facts.reading import Reading
from nlu.facts.roles import settled
from nlu.facts.school_stage import SchoolStages
from nlu.facts.temperature import find_temperature
from nlu.facts.tenure import find_tenure_years
from nlu.facts.wage import find_monthly_wage

Find = Callable[[str, date], list[Fact]]
_BESIDE = ("aspect", *BARE)
"""What may be found in words that also state a fact; it is for the dialogue alone."""


class FactFinder:
    """Fact finder: the facts of a normalised text, with dates counted from a given day."""

    def __init__(
        self,
        districts: Iterable[Mapping[str, Any]],
        zones: Iterable[Mapping[str, Any]],
        stages: Iterable[Mapping[str, Any]],
    ) -> None:
        districts = list(districts)
        names = [entry.get("name") or entry["official"] for entry in districts]
        # In order of precedence: what is part of a case number or a phone is no amount.
        self._finders: tuple[Find, ...] = (
            find_case_no,
            find_phone,
            find_employment_dates,
            find_months_owed,
            find_tenure_years,
            find_temperature,
            find_amount_owed,
            find_monthly_wage,
            Districts(districts, zones, lexicon()["places"]).find,
            Employers(lexicon()["employer"], names).find,
            SchoolStages(stages).find,
            find_person_name,
            find_aspect,
            find_bare_day,
            find_bare_number,
        )

    @classmethod
    def from_files(cls, districts: str | Path, schools: str | Path) -> FactFinder:
        """Read the gazetteers (``data/knowledge/districts.yml`` and ``schools.yml``)."""
        return cls.from_content(Path(districts).read_text("utf-8"), Path(schools).read_text("utf-8"))

    @classmethod
    def from_content(cls, districts: str, schools: str) -> FactFinder:
        """Take the gazetteers as YAML text."""
        places = yaml.safe_load(districts)
        return cls(places["districts"], places.get("zones", ()), yaml.safe_load(schools)["stages"])

    def find(self, text: str, as_of: date) -> list[Fact]:
        """Return the facts of a normalised ``text``, at most one of each name, in order of the text."""
        reading = Reading.of(text)
        kept: list[Fact] = []
        for find in self._finders:
            for fact in settled(find(reading.text, as_of)):
                if fact.name in _BESIDE or all(_apart(fact, other) for other in kept):
                    kept.append(fact)
        ordered = sorted(kept, key=lambda fact: (fact.start, fact.end))
        return [reading.as_written(fact) for fact in ordered]


def _apart(one: Fact, other: Fact) -> bool:
    return one.end <= other.start or one.start >= other.end
