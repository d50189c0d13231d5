"""Every calculator's words: each is used, none is missing, and every rule names its article."""

from __future__ import annotations

import inspect
import re
import sys
from collections import defaultdict

import pytest

from casework.entitlements.base import Calculator
from casework.entitlements.registry import Entitlements
from casework.wording import Wording
from tests.casework.entitlements.conftest import ROOT

REFUSED = re.compile(r"BadInput\(\s*\"(\w+)\"([^)]*)")
SAID = re.compile(r"\.(step|assume|warn|partial|cannot)\(\s*\"(\w+)\"")
COMMON = {"no_rate", "rate_old"}
"""What any calculator may come to say without naming it."""


def keys_said(calculators: list[Calculator]) -> dict[str, set[str]]:
    """The words each calculator's file uses, by what they are."""
    said: dict[str, set[str]] = defaultdict(set)
    for calculator in calculators:
        source = inspect.getsource(sys.modules[type(calculator).__module__])
        for kind, key in SAID.findall(source):
            said[{"step": "steps", "assume": "assumptions"}.get(kind, "warnings")].add(key)
    return said


def test_every_word_is_used_and_every_word_used_is_there(entitlements: Entitlements) -> None:
    rooms: dict[str, list[Calculator]] = defaultdict(list)
    for name in entitlements.names:
        calculator = entitlements.calculator(name)
        rooms[type(calculator).__module__].append(calculator)
    for calculators in rooms.values():
        said = keys_said(calculators)
        for kind in ("steps", "assumptions", "warnings"):
            known = set()
            for calculator in calculators:
                known |= set(getattr(entitlements.words[calculator.name], kind))
            names = [calculator.name for calculator in calculators]
            assert said[kind] - known == set(), f"{names}: no words for these {kind}"
            assert known - said[kind] - COMMON == set(), f"{names}: nobody says these {kind}"


def test_every_step_that_follows_a_rule_names_its_article(entitlements: Entitlements) -> None:
    for name, words in entitlements.words.items():
        assert any(step.cites for step in words.steps.values()), name
        bare = [key for key, step in words.steps.items() if not step.cites]
        assert len(bare) <= len(words.steps) / 2, f"{name}: {bare} name no article"


def test_every_contradiction_is_said_in_words(entitlements: Entitlements) -> None:
    wording, found = Wording.load(ROOT), 0
    for module in {type(entitlements.calculator(name)).__module__ for name in entitlements.names}:
        for rule, values in REFUSED.findall(inspect.getsource(sys.modules[module])):
            key = f"calculator.problem.{rule}"
            assert wording.has(key), f"{module}: nothing is said of {rule}"
            assert wording.placeholders(key) <= set(re.findall(r"(\w+)=", values)), key
            found += 1
    assert found


@pytest.mark.parametrize("field", ["formula", "refuses", "what"])
def test_every_calculator_says_what_it_does_and_refuses(entitlements: Entitlements, field: str) -> None:
    assert all(getattr(words, field) for words in entitlements.words.values())


def test_every_schema_can_be_shown(entitlements: Entitlements) -> None:
    for name in entitlements.names:
        schema = entitlements.schema(name)
        assert schema["additionalProperties"] is False
        assert "required" not in schema, f"{name}: what is missing is asked for, not refused"
        assert all(field["title"] for field in schema["properties"].values())
