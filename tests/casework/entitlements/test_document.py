"""docs/entitlements.md says what the calculators say."""

from __future__ import annotations

import re

from casework.entitlements.document import HOME, PAGE, write_page
from casework.entitlements.registry import Entitlements

AGAIN = "write it again: .venv/bin/python -m casework.entitlements.document"


def test_the_committed_page_is_what_the_calculators_say(entitlements: Entitlements) -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(entitlements), AGAIN


def test_every_calculator_has_its_formula_articles_and_refusals_on_the_page(
    entitlements: Entitlements,
) -> None:
    sections = re.split(r'<a id="(\w+)"></a>', write_page(entitlements))[1:]
    page = dict(zip(sections[::2], sections[1::2], strict=True))
    assert list(page) == list(entitlements.names)
    for name, words in entitlements.words.items():
        for text in (*words.formula, *words.refuses, *(f"`{field}`" for field in words.inputs)):
            assert text in page[name], f"{name}: {text}"
        assert "《" in page[name].partition("**What it refuses**")[0]
        assert "**Example**" in page[name]


def test_every_picture_on_the_page_is_there(entitlements: Entitlements) -> None:
    pictures = re.findall(r'<img src="([^"]+)"', write_page(entitlements))
    assert pictures
    assert all((HOME / "docs" / picture).is_file() for picture in pictures)
