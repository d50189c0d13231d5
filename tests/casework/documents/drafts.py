"""Claim sheets to draft from, made by the real parts, and reading what was drafted."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from datetime import date
from typing import Any

from lxml import etree

from casework.claims.drafts import read_into
from casework.claims.model import Quote
from casework.claims.questions import record
from casework.claims.sheet import make_sheet
from casework.claims.told import Told
from casework.documents.model import Context
from tests.claim_sheets import ANSWERS, FACTS, STORY, claims

TODAY = date(2026, 11, 22)
STAYING = "公司拖欠我三个月工资，也不给交社保，天天加班没加班费，我还在上班"
HURT = "我在工地上干活把手砸伤了，老板不给报工伤，没签合同"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def sheet_of(told: Told, today: date = TODAY) -> dict[str, Any]:
    """The claim sheet of what was told, as the database gives it back."""
    made: dict[str, Any] = json.loads(json.dumps(make_sheet(told, claims(), today).to_json()))
    return made


def told_sheet(
    story: str, facts: Mapping[str, str] | None = None, answers: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """The claim sheet of a story with the facts in it, and what was answered."""
    told = Told()
    read_into(told, claims(), story, facts or {}, Quote(story, 1))
    for name, value in (answers or {}).items():
        record(told, claims(), name, value, Quote(None, None), TODAY)
    return sheet_of(told)


def three_claims() -> dict[str, Any]:
    """Wages, a dismissal (with its alternative) and double wages; proof is held."""
    return told_sheet(STORY, FACTS, ANSWERS)


def staying() -> dict[str, Any]:
    """Somebody who is still there, unpaid and uninsured; no amount is known."""
    return told_sheet(STAYING, {"months_owed": "3"}, {"employed": "yes"})


def hurt() -> dict[str, Any]:
    """An injury, and nothing else is known."""
    return told_sheet(HURT)


def paragraphs(docx: bytes, part: str = "word/document.xml") -> list[str]:
    """The text of each paragraph of a Word file, in order; empty ones left out."""
    with zipfile.ZipFile(io.BytesIO(docx)) as file:
        root = etree.fromstring(file.read(part))
    found = ["".join(run.text or "" for run in one.iter(f"{W}t")) for one in root.iter(f"{W}p")]
    return [text for text in found if text]


def text_of(docx: bytes) -> str:
    """All words of a Word file's body."""
    return "\n".join(paragraphs(docx))


def shown(context: Context) -> str:
    """All words of a draft as the page shows them, without layout."""

    def write(pieces: list[Mapping[str, Any]]) -> str:
        return "".join(f"{piece['text']}{piece['hint'] or ''}" for piece in pieces)

    lines = [context["title"]]
    for block in context["blocks"]:
        lines += [block["label"] or "", write(block.get("pieces", []))]
        lines += [write(line) for line in block.get("lines", [])]
        for item in block.get("items", []):
            for one in (item, *item["choices"]):
                lines += [write(one["lead"]), *(write(line) for line in one["lines"] if not block["brief"])]
        for row in block.get("rows", []):
            for cell in row:
                lines.append(cell[0] + write(cell[1]) if isinstance(cell[0], str) else write(cell))
    return "\n".join(line for line in lines if line)


def numbers(text: str) -> set[str]:
    """The numbers in a text, as written."""
    return set(re.findall(r"\d+(?:\.\d+)?", text))


def sheet_text(sheet: Mapping[str, Any]) -> str:
    """Everything a sheet says, its ISO days also as they are written."""
    text = json.dumps(sheet, ensure_ascii=False)
    return text + " ".join(
        f"{int(y)}年{int(m)}月{int(d)}日" for y, m, d in re.findall(r"(\d{4})-(\d\d)-(\d\d)", text)
    )
