"""Proportions: known values, the edges, and that both tests say the same where both may be used."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.proportions import Rate, _fisher, chance_of_more, chance_of_more_than


@st.composite
def rates(draw: st.DrawFn, most: int = 300) -> Rate:
    total = draw(st.integers(0, most))
    return Rate(draw(st.integers(0, total)), total)


def test_wilsons_interval_is_the_one_of_the_books() -> None:
    low, high = Rate(10, 100).interval()
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert Rate(0, 10).interval()[0] == 0.0
    assert round(Rate(0, 10).interval()[1], 4) == 0.2775
    assert Rate(10, 10).interval()[1] == 1.0


def test_of_nothing_there_is_no_share_and_anything_is_possible() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval() == (0.0, 1.0)
    assert chance_of_more(Rate(0, 0), Rate(1, 2)) == chance_of_more(Rate(1, 2), Rate(0, 0)) == 1.0


def test_a_count_above_its_total_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        Rate(3, 2)


def test_fishers_test_knows_the_lady_tasting_tea() -> None:
    # Four cups of four right: 1/70; three or more: 17/70.
    assert math.isclose(chance_of_more(Rate(4, 4), Rate(0, 4)), 1 / 70)
    assert math.isclose(chance_of_more(Rate(3, 4), Rate(1, 4)), 17 / 70)


def test_large_numbers_are_judged_by_the_z_test() -> None:
    # z = 2.0766 by hand, and the table of the normal curve.
    assert math.isclose(chance_of_more(Rate(120, 400), Rate(94, 400)), 0.0189, abs_tol=5e-5)


def test_the_binomial_tail_is_exact() -> None:
    assert math.isclose(chance_of_more_than(Rate(9, 10), 0.5), 11 / 1024)
    assert chance_of_more_than(Rate(0, 10), 0.5) == 1.0
    assert chance_of_more_than(Rate(1, 10), 0.0) == 0.0
    assert chance_of_more_than(Rate(10, 10), 1.0) == 1.0


@given(rates())
def test_an_interval_holds_its_share_and_stays_within_nothing_and_all(rate: Rate) -> None:
    low, high = rate.interval()
    assert 0 <= low <= high <= 1
    if rate.share is not None:
        assert low - 1e-12 <= rate.share <= high + 1e-12


@given(rates(), rates())
def test_a_chance_is_a_probability_and_more_of_them_make_it_smaller(here: Rate, there: Rate) -> None:
    chance = chance_of_more(here, there)
    assert 0 <= chance <= 1
    if here.count < here.total and _fisher(here, there) == chance:
        assert _fisher(Rate(here.count + 1, here.total), there) <= chance + 1e-9


@given(st.integers(20, 80), st.integers(20, 80))
def test_both_tests_agree_where_numbers_are_large(here: int, there: int) -> None:
    one, two = Rate(here, 200), Rate(there, 200)
    # Fisher's is the careful one of the two.
    assert -0.005 < _fisher(one, two) - chance_of_more(one, two) < 0.08
