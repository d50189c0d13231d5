"""An article as data: JSON in the database, YAML in a file; examined, all its faults are told at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from casework.article_rules import Fault, faults
from casework.articles import ASPECTS, Article, Mark, Season, Section, Source

TEXTS = ("topic", "title", "label", "short", "district", "reviewer")
DAYS = ("reviewed_on", "valid_from", "valid_to")
MARKS = tuple(mark.value for mark in Mark)
_FOLDED = 60
"""Characters from which a text of a file stands on a line of its own."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of examining an article's data: the article, or None and every fault found."""

    article: Article | None
    faults: tuple[Fault, ...]


def as_data(article: Article) -> dict[str, Any]:
    """An article as JSON holds it: days are ``YYYY-MM-DD``, what is not there is left out."""
    data: dict[str, Any] = {
        "topic": article.topic,
        "title": article.title,
        "label": article.label,
        "mark": article.mark.value,
        "district": article.district,
        "reviewer": article.reviewer,
        "reviewed_on": article.reviewed_on.isoformat(),
        "case_type": article.case_type,
        "short": article.short,
        "sections": [
            {"aspect": one.aspect, "text": one.text, "mark": one.mark.value} for one in article.sections
        ],
        "questions": list(article.questions),
        "season": None if article.season is None else _season_data(article.season),
        "related": list(article.related),
        "sources": [_source_data(one) for one in article.sources],
        "valid_from": None if article.valid_from is None else article.valid_from.isoformat(),
        "valid_to": None if article.valid_to is None else article.valid_to.isoformat(),
    }
    return {name: value for name, value in data.items() if value not in (None, [])}


def as_yaml(article: Article) -> str:
    """An article as a file of ``data/knowledge/articles/`` holds it; reading it gives the same article."""
    data = as_data(article)
    for name in DAYS:
        if name in data:
            data[name] = date.fromisoformat(data[name])
    for source in data["sources"]:
        source["as_of"] = date.fromisoformat(source["as_of"])
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6)


def examine(data: Mapping[str, Any], topics: Collection[str], case_types: Collection[str]) -> Examined:
    """The article some data describes, by the rules of the files; never raises for what is in the data."""
    found: list[Fault] = []
    article = _Reader(data, found).article()
    unread = {one.field for one in found}
    # A rule about what could not be read would only repeat it; an unread mark may be any.
    found += [
        one
        for one in faults(article, topics, case_types)
        if one.field not in unread and not (one.rule == "nothing_to_confirm" and unread)
    ]
    return Examined(None if found else article, tuple(found))


def _season_data(season: Season) -> dict[str, Any]:
    data: dict[str, Any] = {
        "opens": season.opens,
        "closes": season.closes,
        "closed_note": season.closed_note,
    }
    return data | ({"aspects": list(season.aspects)} if season.aspects else {})


def _source_data(source: Source) -> dict[str, Any]:
    data: dict[str, Any] = {"title": source.title, "issuer": source.issuer}
    if source.article is not None:
        data["article"] = source.article
    return data | {"as_of": source.as_of.isoformat(), "mark": source.mark.value}


class _Reader:
    """Reads data leniently: what is wrong is noted under its field, and something harmless stands in."""

    def __init__(self, data: Mapping[str, Any], found: list[Fault]) -> None:
        self._data = data
        self._found = found

    def article(self) -> Article:
        texts = {name: self._text(self._data, name) for name in TEXTS}
        mark = self._mark(self._data, "mark")
        return Article(
            **texts,
            mark=mark,
            sections=tuple(self._section(one, index) for index, one in self._rows("sections")),
            related=self._texts(self._data, "related"),
            sources=tuple(self._source(one, index) for index, one in self._rows("sources")),
            reviewed_on=self._day(self._data, "reviewed_on") or date.min,
            questions=self._texts(self._data, "questions"),
            season=self._season(),
            case_type=self._optional(self._data, "case_type"),
            valid_from=self._day(self._data, "valid_from", needed=False),
            valid_to=self._day(self._data, "valid_to", needed=False),
        )

    def _section(self, row: Mapping[str, Any], index: int) -> Section:
        at = f"sections.{index}."
        aspect = str(row.get("aspect") or "")
        if aspect not in ASPECTS:
            self._fault(f"{at}aspect", "not_chosen")
        return Section(aspect, self._text(row, "text", at), self._mark(row, "mark", at))

    def _source(self, row: Mapping[str, Any], index: int) -> Source:
        at = f"sources.{index}."
        return Source(
            title=self._text(row, "title", at),
            article=self._optional(row, "article"),
            as_of=self._day(row, "as_of", at) or date.min,
            mark=self._mark(row, "mark", at),
            issuer=self._text(row, "issuer", at),
        )

    def _season(self) -> Season | None:
        row = self._data.get("season")
        if row is None:
            return None
        if not isinstance(row, Mapping):
            self._fault("season", "missing")
            return None
        at = "season."
        return Season(
            self._text(row, "opens", at),
            self._text(row, "closes", at),
            self._text(row, "closed_note", at),
            self._texts(row, "aspects", at),
        )

    def _rows(self, name: str) -> list[tuple[int, Mapping[str, Any]]]:
        rows = self._data.get(name) or []
        if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
            self._fault(name, "missing")
            return []
        return list(enumerate(rows))

    def _text(self, row: Mapping[str, Any], name: str, at: str = "") -> str:
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            self._fault(f"{at}{name}", "missing")
            return ""
        return value.strip()

    def _optional(self, row: Mapping[str, Any], name: str) -> str | None:
        value = row.get(name)
        return (value.strip() or None) if isinstance(value, str) else None

    def _texts(self, row: Mapping[str, Any], name: str, at: str = "") -> tuple[str, ...]:
        values = row.get(name) or []
        if not isinstance(values, Sequence) or not all(isinstance(value, str) for value in values):
            self._fault(f"{at}{name}", "missing")
            return ()
        return tuple(value.strip() for value in values if value.strip())

    def _mark(self, row: Mapping[str, Any], name: str, at: str = "") -> Mark:
        value = row.get(name)
        if value not in MARKS:
            self._fault(f"{at}{name}", "not_chosen")
            return Mark.CONFIRM
        return Mark(value)

    def _day(self, row: Mapping[str, Any], name: str, at: str = "", *, needed: bool = True) -> date | None:
        value = row.get(name)
        if not value and not needed:
            return None
        try:
            return date.fromisoformat(str(value or ""))
        except ValueError:
            self._fault(f"{at}{name}", "not_a_day")
            return None

    def _fault(self, name: str, rule: str) -> None:
        self._found.append(Fault(name, rule, f"{name}: {rule}"))


class _Dumper(yaml.SafeDumper):
    """YAML as the files are written: long texts on lines of their own, lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _say_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # A folded text keeps neither the lines it has nor blanks at its ends.
    folded = len(text) >= _FOLDED and text.isprintable() and text == text.strip()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=">" if folded else None)


_Dumper.add_representer(str, _say_text)
