"""What is said of inputs that cannot be: a sentence for each rule, naming the limit and quoting nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.calculators import say_problem
from casework.clock import shanghai_day
from casework.entitlements.examples import EXAMPLES
from casework.entitlements.registry import Entitlements, InputsRefused, Problem
from casework.rates import Rates
from casework.wording import Wording
from tests.bot.conftest import KNOWLEDGE
from tests.factories import FIRST_MOMENT

TODAY = shanghai_day(FIRST_MOMENT)
ODD: list[Any] = [
    "8,000", "八千", "abc", "2026年3月1日", "20260301", 20260301, "2026-03-01T08:00:00", "1930-01-01",
    "2101-01-01",
    -1, 0, 0.001, 10**12, "123456789012345", float("nan"), float("inf"), "1e400", True, "maybe", "x" * 5000,
    "\ud800",
    [], ["八千"], [1] * 50, [{}], [{"x": "八千"}], {}, {"x": 1}, 3.7, "3.7", 10**30,
]  # fmt: skip


@pytest.fixture(scope="module")
def entitlements() -> Entitlements:
    return Entitlements.load(KNOWLEDGE, Rates.load(KNOWLEDGE))


def problems(entitlements: Entitlements, name: str, inputs: dict[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with these inputs; nothing when they can be reckoned with."""
    try:
        entitlements.calculate(name, inputs, TODAY)
    except InputsRefused as refused:
        return refused.problems
    return ()


def test_every_problem_of_every_input_has_its_own_chinese_sentence(
    entitlements: Entitlements, wording: Wording
) -> None:
    general, found = wording.say("calculator.problem.other"), 0
    for name in entitlements.names:
        words = entitlements.words[name]
        for field in [*words.inputs, "no_such_field"]:
            for value in ODD:
                for problem in problems(entitlements, name, {field: value}):
                    said = say_problem(wording, words, problem)
                    assert said.text != general, f"{name}.{field}: nothing is said of {problem.rule}"
                    assert any("\u4e00" <= one <= "\u9fff" for one in said.text)
                    assert said.label or field == "no_such_field"
                    assert "{" not in said.text
                    found += 1
    assert found > 200


def test_what_was_sent_is_not_repeated(entitlements: Entitlements, wording: Wording) -> None:
    secret = "13800138000是我的电话"
    for name in entitlements.names:
        words = entitlements.words[name]
        for field in words.inputs:
            for value in (secret, [secret], {"x": secret}, [{"x": secret}]):
                for problem in problems(entitlements, name, {field: value}):
                    said = say_problem(wording, words, problem)
                    assert "13800138000" not in f"{said.text}{said.limits}", f"{name}.{field}"


def test_a_limit_is_named(entitlements: Entitlements, wording: Wording) -> None:
    words = entitlements.words["injury_disability_grant"]
    (problem,) = problems(entitlements, "injury_disability_grant", {"grade": 11})
    said = say_problem(wording, words, problem)
    assert (said.field, said.label, said.limits) == ("grade", "伤残等级", {"le": 10})
    assert said.text == "不能大于 10。"


def test_choices_are_named(entitlements: Entitlements, wording: Wording) -> None:
    words = entitlements.words["legal_aid_precheck"]
    (problem,) = problems(entitlements, "legal_aid_precheck", {"matter": "工资"})
    said = say_problem(wording, words, problem)
    assert "（wages）" in said.text
    assert "injury" in said.limits["choices"]


def test_a_rule_nobody_worded_is_said_in_general(entitlements: Entitlements, wording: Wording) -> None:
    said = say_problem(wording, entitlements.words["severance"], Problem("hired_on", "no_such_rule", {}))
    assert said.text == wording.say("calculator.problem.other")


def test_every_calculator_has_an_example_that_can_be_reckoned(entitlements: Entitlements) -> None:
    assert set(EXAMPLES) == set(entitlements.names)
    for name, example in EXAMPLES.items():
        result = entitlements.calculate(name, example, TODAY)
        assert result.steps, f"{name}: the example leads nowhere"
