"""The letters by which staff find something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.initials import initials


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("拖欠、克扣工资", "tqkkgz"),
        ("被辞退、经济补偿", "bctjjbc"),
        ("12351 热线 A", "12351rxa"),
        ("阿坐", "az"),
        ("", ""),
        ("，。！", ""),
    ],
)
def test_initials_are_the_first_letters_of_the_sounds(text: str, letters: str) -> None:
    assert initials(text) == letters


@given(st.text())
def test_initials_are_plain_small_letters_and_digits_whatever_the_text(text: str) -> None:
    found = initials(text)
    assert len(found) <= len(text)
    assert all(letter.isascii() and letter.isalnum() and letter == letter.lower() for letter in found)
