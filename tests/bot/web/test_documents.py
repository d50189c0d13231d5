"""The printable page of a draft: the words of the Word file, its mark above every page, nothing executed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.web.documents import document_page
from casework.documents import Context, Person, draft_context, names, to_docx
from tests.casework.documents.drafts import TODAY, staying, text_of, three_claims

ALL = tuple(kind.name for kind in names())
NASTY = "<script>alert(1)</script> {{ 7*7 }} {% raw %} \" onload='x' &amp;"
STYLE = Path(__file__).parents[3] / "bot" / "web" / "static" / "document.css"


class Words(HTMLParser):
    """The words inside <main>, and the names of all tags and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._inside |= tag == "main"

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "main"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.words.append(data)


def bare(text: str) -> str:
    return re.sub(r"[\s·]+", "", text)


def context_of(name: str) -> Context:
    return draft_context(name, three_claims(), Person("示例", None), TODAY)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("make", [three_claims, staying])
def test_the_page_says_what_the_word_file_says(name: str, make: object) -> None:
    context = draft_context(name, make(), Person("示例", None), TODAY)  # type: ignore[operator]
    page = Words(document_page(context))
    assert bare("".join(page.words)) == bare(text_of(to_docx(name, context)))


@pytest.mark.parametrize("name", ALL)
def test_the_mark_heads_every_printed_page_and_blanks_are_marked(name: str) -> None:
    page = document_page(context_of(name))
    head = page.split('<table class="paper"')[1].split("</thead>")[0]
    assert "草稿，须经法律援助律师核对后使用" in head
    assert '<span class="blank">____' in page
    style = STYLE.read_text("utf-8")
    assert "size: A4" in style
    assert ".paper > thead" in style
    assert ".page { break-before: page; }" in style


@pytest.mark.parametrize("name", ALL)
def test_what_members_say_is_never_run(name: str) -> None:
    sheet = three_claims()
    for one in (*sheet["facts"], *sheet["circumstances"]):
        one["quote"] = NASTY
    page = document_page(draft_context(name, sheet, Person(NASTY, NASTY), TODAY))
    read = Words(page)
    assert "script" not in read.tags
    assert not {name for name in read.attributes if name.startswith("on")}
    assert "style" not in read.attributes | set(read.tags)
    assert "49" not in "".join(read.words)
    assert "<script>alert(1)</script>" in "".join(read.words)


def test_a_page_cannot_be_found_by_search_engines() -> None:
    assert '<meta name="robots" content="noindex, nofollow">' in document_page(context_of("wage_demand"))
