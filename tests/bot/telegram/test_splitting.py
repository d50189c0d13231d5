"""Long replies are cut where a reader would pause, and never beyond what Telegram takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.telegram.splitting import MAX_UNITS, split_text, utf16_length


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_the_length_is_counted_as_telegram_counts_it():
    assert utf16_length("工会12351") == 7
    assert utf16_length("👷") == 2
    assert utf16_length("👨‍👩‍👧") == units("👨‍👩‍👧") == 8


def test_a_short_text_stays_whole():
    assert split_text("您好，我是娘家人。") == ["您好，我是娘家人。"]


@pytest.mark.parametrize("text", ["", "  \n ", "\n\n"])
def test_a_blank_text_has_no_parts(text):
    assert split_text(text) == []


def test_a_text_of_exactly_the_limit_is_one_message_and_one_more_unit_makes_two():
    assert len(split_text("工" * MAX_UNITS)) == 1
    assert len(split_text("工" * (MAX_UNITS + 1))) == 2


def test_emoji_count_double():
    assert len(split_text("👷" * (MAX_UNITS // 2))) == 1
    parts = split_text("👷" * (MAX_UNITS // 2 + 1))
    assert [units(part) for part in parts] == [MAX_UNITS, 2]


def test_a_paragraph_border_is_preferred_to_a_line_and_a_line_to_a_sentence():
    assert split_text("第一段。还有。\n\n第二段\n第三行。完", limit=16)[0] == "第一段。还有。"
    assert split_text("第一行没有句号\n第二行。第三句完了吗", limit=14)[0] == "第一行没有句号"
    assert split_text("第一句话。第二句话没有完", limit=10)[0] == "第一句话。"


def test_a_closing_quote_stays_with_its_sentence():
    assert split_text("他说：“不给钱。”我就走了没有别的办法", limit=12)[0] == "他说：“不给钱。”"


def test_a_decimal_point_is_not_the_end_of_a_sentence():
    parts = split_text("补偿金一共是12345.67元，请您核对", limit=13)
    assert "12345.67" in "".join(parts)
    assert all(not part.endswith("12345.") for part in parts)


def test_a_family_emoji_is_not_torn_apart():
    family = "👨‍👩‍👧"
    parts = split_text("字" * 9 + family + "后" * 9, limit=14)
    assert any(family in part for part in parts)


def test_a_border_near_the_start_is_not_taken():
    parts = split_text("好。" + "字" * 30, limit=20)
    assert units(parts[0]) > 2


@given(st.text(max_size=400), st.integers(min_value=10, max_value=60))
def test_nothing_is_lost_but_white_space_and_every_part_fits(text, limit):
    parts = split_text(text, limit)
    assert all(0 < utf16_length(part) <= limit for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
