"""Places: what a claim sheet knows for a document, each thing as it is written, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from casework.claims.model import Quote
from casework.claims.rights import ending, is_over
from casework.claims.told import Said, Told
from casework.documents.model import Item, Person, Piece, Pieces, clean, words
from casework.documents.words import CommonWords, DocumentWords, Line, Text

URGENT_DAYS = 7
"""So near the end legal aid may help before its papers are in (法律援助法 第四十四条)."""
_SEVERAL = re.compile("第([一二三四五六七八九十百]+(?:、[一二三四五六七八九十百]+)+)条")
SPARE_ROWS = 3
"""Empty rows for proof that is still to come."""


@dataclass(frozen=True)
class Filling:
    """What one document is filled from: the sheet, the person, and the day in Shanghai."""

    document: DocumentWords
    common: CommonWords
    sheet: Mapping[str, Any]
    person: Person | None
    today: date

    def flags(self) -> frozenset[str]:
        """What is so: ``is:<circumstance>``, ``right:<right>``, ``fact:<name>``, ``ending:<way>`` …"""
        told = _told(self.sheet)
        over, way = is_over(told), ending(told)
        found = {f"is:{one['code']}" for one in self.sheet["circumstances"]}
        found |= {f"right:{claim['right']}" for claim in self.sheet["claims"] if not against(claim)}
        found |= {f"fact:{fact['name']}" for fact in self.sheet["facts"]}
        found.add("over:unknown" if over is None else f"over:{'yes' if over else 'no'}")
        if way is not None:
            found |= {f"ending:{way}", "ending:known"}
        if self.sheet["claims"]:
            found.add("claims")
        if self.sheet["confirm_year"] is not None:
            found.add("confirm")
        left = [(day - self.today).days for day in self._days().values()]
        found |= {"expired"} if any(days < 0 for days in left) else set()
        found |= {"urgent"} if any(0 <= days <= URGENT_DAYS for days in left) else set()
        for place, filled in {"items": self.items(), **self.tables()}.items():
            found |= {f"some:{place}"} if filled else set()
        return frozenset(found)

    def one(self, place: str) -> Pieces:
        """What belongs in a place within a line: what is known of it, or its blank."""
        known = self._known.get(place)
        return [self.blank(place) if known is None else words(known)]

    def write(self, text: Text, also: Mapping[str, Pieces] | None = None) -> Pieces:
        """A sentence with its places filled."""
        pieces: Pieces = []
        for fixed, place in text.parts:
            if fixed:
                pieces.append(words(fixed))
            if place is not None:
                pieces += also[place] if also is not None and place in also else self.one(place)
        return pieces

    def lines(self, flags: Set[str]) -> dict[str, list[Pieces]]:
        """The places that are several paragraphs."""
        return {
            "story": self._said(self.common.story, flags),
            "advice": self._said(self.document.advice, flags),
            "assumptions": [[words(text)] for text in self._assumptions()],
            "warnings": [[words(clean(text))] for text in self.sheet["warnings"]],
            "elsewhere": [
                [words(self._say("not_asked", label=label, why=why))] for label, why in self._elsewhere()
            ],
            "missing": [[words(self._say("to_ask", **one))] for one in self._missing()],
        }

    def items(self) -> list[Item]:
        """What is asked for, numbered; what cannot be had together as a choice to tick."""
        asked = [claim for claim in self._claims() if claim["right"] in self.document.items]
        rights = {claim["right"] for claim in asked}
        items = []
        for claim in asked:
            if claim["alternative_to"] in rights:
                continue
            others = [one for one in asked if one["alternative_to"] == claim["right"]]
            item = self._choice(claim, others) if others else self._item(claim)
            items.append(item)
        for number, item in enumerate(items):
            item["lead"].insert(0, words(f"{self._numeral(number)}、"))
        return items

    def tables(self) -> dict[str, list[list[Pieces]]]:
        """The places that are rows of a table."""
        return {
            "held": list(self._held()),
            "wanted": [
                [[words(label)], [*self._proves(code), words(self._say("serves", labels="、".join(serves)))]]
                for (code, label, held), serves in self._evidence().items()
                if not held
            ],
            "deadlines": list(self._deadlines()),
            "quotes": list(self._quotes()),
        }

    def blank(self, place: str) -> Piece:
        """The visible blank of a place, with the name of what belongs there."""
        hint = self._say("hint", what=self.common.blanks[place])
        return {"text": self.common.said["blank"], "blank": True, "hint": hint}

    def _empty(self) -> Piece:
        """A blank in a table: its column names what belongs there."""
        return {"text": self.common.said["blank_in_table"], "blank": True, "hint": None}

    def _said(self, lines: tuple[Line, ...], flags: Set[str]) -> list[Pieces]:
        return [self.write(line.text) for line in lines if line.condition.holds(flags)]

    @cached_property
    def _known(self) -> dict[str, str]:
        """What is known, as it is written, by place."""
        known = {fact["name"]: clean(fact["shown"]) for fact in self.sheet["facts"]}
        if self.sheet["district"]:
            known["district"] = clean(self.sheet["district"])
        if self.person is not None:
            known |= {
                "person_name": clean(self.person.name or ""),
                "person_phone": clean(self.person.phone or ""),
            }
        known["as_of"] = _day(date.fromisoformat(self.sheet["as_of"]))
        known["articles"] = self._articles()
        if self.sheet["confirm_year"] is not None:
            known["confirm_year"] = str(self.sheet["confirm_year"])
        if self.sheet["total"] is not None:
            known["total"] = self._say("amount", amount=clean(self.sheet["total"]))
        days = self._days()
        ahead = [(day, right) for right, day in days.items() if day >= self.today]
        if ahead:
            day, right = min(ahead)
            label = next(one["label"] for one in self.sheet["claims"] if one["right"] == right)
            known["nearest_deadline"] = self._say("nearest", day=_day(day), label=clean(label))
        if "work_injury" in days:
            known["injury_deadline"] = _day(days["work_injury"])
        return {place: text for place, text in known.items() if text}

    def _claims(self) -> list[Mapping[str, Any]]:
        return [claim for claim in self.sheet["claims"] if not against(claim)]

    def _days(self) -> dict[str, date]:
        """The day each claim must be raised by, where it is known."""
        return {
            claim["right"]: date.fromisoformat(claim["deadline"]["day"])
            for claim in self._claims()
            if claim["deadline"]["day"] is not None
        }

    def _item(self, claim: Mapping[str, Any]) -> Item:
        lead = self.write(self.document.items[claim["right"]], {"amount": self._amount(claim)})
        lines: list[Pieces] = []
        if claim["amount"] is not None:
            for step in claim["steps"]:
                cited = _cited(step["articles"])
                text = self._say("step", step=clean(step["text"]))
                lines.append([words(text + (self._say("step_articles", articles=cited) if cited else ""))])
        return {"lead": lead, "lines": lines, "choices": []}

    def _choice(self, claim: Mapping[str, Any], others: list[Mapping[str, Any]]) -> Item:
        choices = [self._item(one) for one in (claim, *others)]
        for right in (claim["right"], *(one["right"] for one in others)):
            for said in self.document.choices.get(right, ()):
                choices.append({"lead": [words(said)], "lines": [], "choices": []})
        for choice in choices:
            choice["lead"].insert(0, words(self._say("tick", text="")))
        return {"lead": [words(self.common.said["choose"])], "lines": [], "choices": choices}

    def _amount(self, claim: Mapping[str, Any]) -> Pieces:
        why = clean(claim["why"] or "").rstrip("。")
        if claim["amount"] is None:
            hint = self._say("no_amount", why=why) if why else None
            return [{"text": self.common.said["blank"], "blank": True, "hint": hint}]
        hint = self._say("part", why=why) if claim["status"] == "partial" and why else None
        text = self._say("amount", amount=clean(claim["amount"]))
        return [{"text": text, "blank": False, "hint": hint}]

    def _elsewhere(self) -> Iterator[tuple[str, str]]:
        for claim in self.sheet["claims"]:
            right = claim["right"]
            if against(claim) and right in self.document.items:
                yield clean(claim["label"]), clean(claim["why"] or "")
            elif not against(claim) and right in self.document.elsewhere:
                yield clean(claim["label"]), self.document.elsewhere[right]

    def _missing(self) -> list[dict[str, str]]:
        asked = {one["name"]: one for claim in self._claims() for one in claim["missing"]}
        return [{"label": clean(one["label"]), "question": clean(one["question"])} for one in asked.values()]

    def _assumptions(self) -> list[str]:
        asked = [claim for claim in self._claims() if claim["right"] in self.document.items]
        found = [clean(one) for claim in asked for one in claim["assumptions"]]
        return list(dict.fromkeys(found))

    def _evidence(self) -> dict[tuple[str, str, bool], list[str]]:
        """Each kind of proof, and the claims it serves."""
        serves: dict[tuple[str, str, bool], list[str]] = {}
        for claim in self._claims():
            for item in claim["evidence"]:
                key = (item["code"], clean(item["label"]), item["held"])
                serves.setdefault(key, []).append(clean(claim["label"]))
        return serves

    def _held(self) -> Iterator[list[Pieces]]:
        rows = [
            (
                [words(label)],
                [words(self.common.said["held_source"])],
                [*self._proves(code), words(self._say("serves", labels="、".join(serves)))],
            )
            for (code, label, held), serves in self._evidence().items()
            if held
        ]
        for _ in range(SPARE_ROWS):
            rows.append(([self._empty()], [self._empty()], [self._empty()]))
        for number, (name, source, purpose) in enumerate(rows):
            yield [
                [words(self._say("proof_number", number=self._numeral(number)))],
                name,
                source,
                purpose,
                [self._empty()],
                [words(self.common.said["original"])],
            ]

    def _proves(self, code: str) -> Pieces:
        known = self.common.proof.get(code)
        return [self._empty() if known is None else words(known)]

    def _deadlines(self) -> Iterator[list[Pieces]]:
        """Until when what must be raised, by the day and what is said of it."""
        days = self._days()
        same: dict[tuple[str, str], list[str]] = {}
        for claim in self._claims():
            day = days.get(claim["right"])
            shown = self.common.said["deadline_unknown"] if day is None else _day(day)
            same.setdefault((shown, clean(claim["deadline"]["text"])), []).append(clean(claim["label"]))
        for (shown, text), labels in same.items():
            yield [[words("；".join(labels))], [words(shown)], [words(text)]]

    def _quotes(self) -> Iterator[list[Pieces]]:
        """What was written down, by the words it was taken from."""
        taken: dict[str, list[str]] = {}
        for fact in self.sheet["facts"]:
            text = self._say("fact", label=clean(fact["label"]), shown=clean(fact["shown"]))
            taken.setdefault(clean(fact["quote"] or ""), []).append(text)
        for one in self.sheet["circumstances"]:
            taken.setdefault(clean(one["quote"] or ""), []).append(clean(one["label"]))
        for quote, said in taken.items():
            yield [[words("；".join(said))], self._quoted(quote)]

    def _quoted(self, quote: str) -> Pieces:
        if not quote:
            return [words(self.common.said["by_button"])]
        return [words(self._say("quote", text=quote))]

    def _articles(self) -> str:
        """The articles of what is asked for (of everything, where nothing is), each law once."""
        asked = [claim for claim in self._claims() if claim["right"] in self.document.items]
        return _cited([one for claim in asked or self._claims() for one in claim["articles"]])

    def _numeral(self, number: int) -> str:
        numerals = self.common.numerals
        return numerals[number] if number < len(numerals) else str(number + 1)

    def _say(self, key: str, **values: str) -> str:
        return self.common.said[key].format(**values)


def against(claim: Mapping[str, Any]) -> bool:
    """Whether the story speaks against a claim: it is then not asked for."""
    return claim["status"] == "cannot" and claim["deadline"] is None


def _told(sheet: Mapping[str, Any]) -> Told:
    nothing = Quote(None, None)
    return Told(
        facts={fact["name"]: Said(fact["value"], nothing) for fact in sheet["facts"]},
        circumstances={one["code"]: Said(one["code"], nothing) for one in sheet["circumstances"]},
    )


def _cited(articles: Iterable[Mapping[str, Any]]) -> str:
    """Articles as they are cited: each law once, each of its articles once."""
    laws: dict[str, list[str]] = {}
    for one in articles:
        if one["article"]:
            title = clean(one["title"])
            title = title if "《" in title else f"《{title}》"
            laws.setdefault(title, []).extend(_single(clean(one["article"])))
    return "，".join(f"{title}{'、'.join(_without_repeats(found))}" for title, found in laws.items())


def _single(article: str) -> list[str]:
    """第六、七条 as 第六条 and 第七条; anything else as it is."""
    several = _SEVERAL.fullmatch(article)
    return [f"第{number}条" for number in several[1].split("、")] if several else [article]


def _without_repeats(articles: list[str]) -> list[str]:
    """Without what is named twice, and without a paragraph of an article that is named whole."""
    once = list(dict.fromkeys(articles))
    return [one for one in once if not any(one != other and one.startswith(other) for other in once)]


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
