"""Bare answers: the one day or number of a short message, and nothing where it is not sure."""

from __future__ import annotations

from datetime import date

import pytest

from nlu.facts.bare import find_bare_day, find_bare_number
from nlu.facts.model import FACT_NAMES
from nlu.normaliser import normalise

AS_OF = date(2026, 11, 22)


def day(text: str) -> list[str]:
    return [fact.value for fact in find_bare_day(normalise(text), AS_OF)]


def number(text: str) -> list[str]:
    return [fact.value for fact in find_bare_number(normalise(text), AS_OF)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2020年3月1日", "2020-03-01"),
        ("２０２６－０５－２２", "2026-05-22"),
        ("去年3月8号", "2025-03-08"),
        ("9月3号", "2026-09-03"),
        ("12月3号", "2025-12-03"),
        ("前天", "2026-11-20"),
        ("三月一号，不对，三月二号", "2026-03-02"),
    ],
)
def test_a_short_message_names_a_day(text: str, found: str) -> None:
    assert day(text) == [found]


@pytest.mark.parametrize(
    "text", ["三月份", "大概三月一号", "去年夏天", "三月一号或者三月五号", "2026年2月30日", "不记得了"]
)
def test_a_day_that_is_not_sure_is_none(text: str) -> None:
    assert day(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6500", "6500"),
        ("六千五", "6500"),
        ("一个月6500块", "6500"),
        ("1.2万", "12000"),
        ("20小时", "20"),
        ("一共20个小时", "20"),
        ("0", "0"),
        ("九级", "9"),
        ("一年半", "18"),
        ("仨月", "3"),
        ("还有5天", "5"),
        ("1.5", "1.5"),
    ],
)
def test_a_short_message_names_a_number(text: str, found: str) -> None:
    assert number(text) == [found]


@pytest.mark.parametrize(
    "text", ["五千来块", "大概五千", "两三天", "5000到6000", "没有", "一共算算", "差不多20小时"]
)
def test_a_number_that_is_not_sure_is_none(text: str) -> None:
    assert number(text) == []


def test_a_story_is_no_bare_answer() -> None:
    text = "我2020年3月1日进的厂，一个月六千五，干到去年三月八号老板让我走了，一分钱没给"
    assert day(text) == []
    assert number(text) == []


def test_what_has_no_role_is_no_fact_of_a_message() -> None:
    assert not {"bare_day", "bare_number"} & set(FACT_NAMES)
