"""Changes of an article: every one is shown, and what is shown is what was and what is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from casework.article_changes import Kind, changes, compare

BEFORE: dict[str, Any] = {
    "short": "每月 300 元。",
    "sections": [
        {"aspect": "who", "text": "在岗的职工。", "mark": "C"},
        {"aspect": "when", "text": "6 到 9 月。", "mark": "V+"},
    ],
    "sources": [{"title": "示例通知", "issuer": "示例机关", "as_of": "2026-01-01", "mark": "V+"}],
}


def shown(after: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.field, one.part) for one in changes(BEFORE, after)]


def test_nothing_changed_shows_nothing() -> None:
    assert changes(BEFORE, dict(BEFORE)) == []


def test_a_changed_number_is_the_only_thing_taken_out_and_put_in() -> None:
    (change,) = changes(BEFORE, BEFORE | {"short": "每月 320 元。"})
    assert [piece.text for piece in change.pieces if piece.kind is Kind.IN] == ["2"]
    assert [piece.text for piece in change.pieces if piece.kind is Kind.OUT] == ["0"]


def test_a_section_is_compared_with_the_one_of_the_same_aspect() -> None:
    who, when = BEFORE["sections"]
    assert shown(BEFORE | {"sections": [who, when | {"text": "6、7、8、9 月。"}]}) == [("sections", "when")]
    assert shown(BEFORE | {"sections": [who]}) == [("sections", "when")]
    assert shown(BEFORE | {"sections": [when, who]}) == [("sections", "order")]
    assert shown(BEFORE | {"sections": [who, when | {"mark": "C"}]}) == [("sections.mark", "when")]


def test_a_source_checked_anew_and_a_new_season_are_shown() -> None:
    source = BEFORE["sources"][0]
    assert shown(BEFORE | {"sources": [source | {"as_of": "2026-06-01"}]}) == [("sources", "示例通知")]
    season = {"opens": "06-01", "closes": "09-30", "closed_note": "不在季节。"}
    assert shown(BEFORE | {"season": season}) == [
        ("season", "opens"), ("season", "closes"), ("season", "closed_note"),
    ]  # fmt: skip


def test_codes_and_days_are_shown_whole() -> None:
    (change,) = changes(BEFORE | {"valid_to": "2026-09-30"}, BEFORE | {"valid_to": "2026-10-31"})
    assert [(piece.kind, piece.text) for piece in change.pieces] == [
        (Kind.OUT, "2026-09-30"), (Kind.IN, "2026-10-31"),
    ]  # fmt: skip
    assert shown(BEFORE | {"related": ["heat.report"]}) == [("related", "heat.report")]


def test_the_same_law_cited_twice_is_two_sources() -> None:
    source = BEFORE["sources"][0]
    assert shown(BEFORE | {"sources": [source, source]}) == [("sources", "示例通知（2）")]


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_pieces_give_back_both_texts(old: str, new: str) -> None:
    pieces = compare(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind is not Kind.IN) == old
    assert "".join(piece.text for piece in pieces if piece.kind is not Kind.OUT) == new
