"""What is said of a claim sheet in a conversation: the card, the questions, the sheet, each reckoning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from casework.claims.drafts import CardLine
from casework.claims.questions import Question
from casework.entitlements.wording import fill
from casework.knowledge_files import Entry, read_knowledge

FILE = "claims/saying.yml"
MAX_WARNINGS = 3
MAX_SOURCES = 12
MAX_QUOTE = 24
"""Characters of the member's words on a line of the card."""


@dataclass(frozen=True)
class Saying:
    """The sentences of ``saying.yml``."""

    texts: Mapping[str, str]
    buttons: Mapping[str, str]
    steps: Mapping[str, str]

    @classmethod
    def load(cls, root: Path) -> Saying:
        """Read the file; raises KnowledgeError."""
        top = Entry(FILE, "(top)", read_knowledge(root / FILE))
        saying = cls(
            texts=top.texts_by_key("texts"),
            buttons=top.texts_by_key("buttons"),
            steps=top.texts_by_key("steps"),
        )
        top.done()
        return saying

    def say(self, key: str, **values: object) -> str:
        """A sentence with its values; days and numbers as people read them."""
        return fill(self.texts[key], values)

    def card(self, lines: Sequence[CardLine]) -> str:
        """The confirm card: what was understood, each with the member's own words."""
        said = []
        for line in lines:
            quote = line.quote if line.quote is None or len(line.quote) <= MAX_QUOTE else None
            said.append(
                self.say(
                    "card_line",
                    label=line.label,
                    shown=self.say("card_shown", shown=line.shown) if line.shown else "",
                    quote=self.say("card_quote", quote=quote) if quote else "",
                )
            )
        return self.say("card", lines="\n".join(said))

    def question(self, question: Question) -> str:
        """One question, with its hint and about how many are left."""
        return self.say(
            "question",
            question=question.text,
            hint=self.say("hint", hint=question.hint) if question.hint else "",
            left=self.say("left", left=question.left) if question.left > 1 else "",
        )

    def sheet(self, sheet: Mapping[str, Any], today: date, url: str | None) -> str:
        """The whole sheet in the length of a phone's screen; each step is behind the link or a button."""
        lines = [self.say("head", day=date.fromisoformat(sheet["as_of"]))]
        labels = {claim["right"]: claim["label"] for claim in sheet["claims"]}
        for number, claim in enumerate(sheet["claims"], 1):
            lines += self._claim(number, claim, labels, today)
        if sheet["total"] is not None:
            lines.append(self.say("total", total=sheet["total"]))
        else:
            lines.append(self.say("nothing"))
        lines += [self.say("warning", text=text) for text in sheet["warnings"][:MAX_WARNINGS]]
        if sheet["confirm_year"] is not None:
            lines.append(self.say("confirm", year=sheet["confirm_year"]))
        steps = " → ".join(self.steps[step["code"]] for step in sheet["route"])
        lines.append(self.say("next", steps=steps))
        if url is not None:
            lines.append(self.say("link", url=url))
        return "\n".join(lines)

    def explained(self, claim: Mapping[str, Any]) -> str:
        """How one claim was reckoned, step by step, each with its article."""
        if not claim["steps"]:
            return self.say("no_explain", why=claim["why"] or "")
        steps = []
        for number, step in enumerate(claim["steps"], 1):
            articles = "；".join(
                f"{_titled(article['title'])}{article['article'] or ''}" for article in step["articles"]
            )
            steps.append(
                self.say(
                    "explain_step",
                    number=number,
                    text=step["text"],
                    articles=self.say("explain_articles", articles=articles) if articles else "",
                )
            )
        steps += [self.say("warning", text=text) for text in (*claim["assumptions"], *claim["warnings"])]
        return self.say("explain", label=claim["label"], steps="\n".join(steps))

    def _claim(
        self, number: int, claim: Mapping[str, Any], labels: Mapping[str, str], today: date
    ) -> list[str]:
        key = "claim_none"
        if claim["amount"] is not None:
            key = "claim_partial" if claim["status"] == "partial" else "claim_amount"
        line = self.say(
            key, number=number, label=claim["label"], amount=claim["amount"], why=claim["why"] or ""
        )
        if claim["alternative_to"]:
            return [line + self.say("alternative", label=labels[claim["alternative_to"]])]
        deadline = claim["deadline"]
        if deadline is None:
            return [line]
        return [line, self._deadline(deadline, today)]

    def _deadline(self, deadline: Mapping[str, Any], today: date) -> str:
        if deadline["day"] is None:
            return self.say("deadline_text", text=deadline["text"])
        day = date.fromisoformat(deadline["day"])
        left = (day - today).days
        if left < 0:
            return self.say("deadline_over", day=day, text=deadline["text"])
        return self.say("deadline", day=day, left=left) if left else self.say("deadline_today")


def sources(sheet: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the sheet rests on, each article once, as messages store sources."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for claim in sheet["claims"]:
        for article in claim["articles"]:
            found.setdefault((article["title"], article["article"]), dict(article))
    return list(found.values())[:MAX_SOURCES]


def _titled(title: str) -> str:
    return title if "《" in title else f"《{title}》"
