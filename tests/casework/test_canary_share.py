"""The canary's share: stable, as large as it says, and growing without moving anybody back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.canary_share import on_canary
from casework.model_registry import SHARES


@given(st.text(max_size=40), st.integers(0, 100), st.integers(0, 100))
def test_who_is_on_a_small_share_is_on_a_larger_one_too(conversation_id: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert not on_canary(conversation_id, small) or on_canary(conversation_id, large)


@given(st.text(max_size=40))
def test_nobody_is_on_no_share_and_everybody_on_all(conversation_id: str) -> None:
    assert not on_canary(conversation_id, 0)
    assert on_canary(conversation_id, 100)


@pytest.mark.parametrize("share", SHARES)
def test_a_share_is_as_large_as_it_says(share: int) -> None:
    many = sum(on_canary(f"{number:032x}", share) for number in range(20_000))
    assert many / 200 == pytest.approx(share, abs=1)


def test_the_same_conversations_are_on_it_on_every_machine() -> None:
    assert [number for number in range(60) if on_canary(str(number), 5)] == [54]
