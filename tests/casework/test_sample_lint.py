"""What is wrong with training sentences: one as it is typed, and a whole set."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.knowledge import Intent, IntentKind
from casework.sample_files import TrainingSet
from casework.sample_lint import (
    FEWEST,
    FEWEST_SERVICE,
    GOLD_LEAST,
    NEAR_GOLD,
    NEAR_OTHER,
    Checker,
    Finding,
    GoldGuard,
    LintKind,
    NearIndex,
    Severity,
    bare,
    counts,
    gold_texts,
    grams,
    lint,
)

FACTS = frozenset({"district", "monthly_wage"})
SENTENCES = {
    "ask_wage_arrears": [
        "老板拖欠工资三个月不发怎么办",
        "老板拖欠工资三个月不发怎么办呢",
        "工地上的钱一直没结",
    ],
    "ask_overtime": ["周末加班没有加班费合理吗", "我在[历下区](district)加班到半夜"],
}
SET = TrainingSet.of(SENTENCES, {})
INTENTS = {
    name: Intent(name, topic, name, IntentKind.ASK)
    for name, topic in (("ask_wage_arrears", "labour.wage_arrears"), ("ask_overtime", "service.overtime"))
}


def checker(training_set: TrainingSet = SET, gold: tuple[str, ...] = ()) -> Checker:
    files = [text for texts in SENTENCES.values() for text in texts]
    return Checker(training_set, NearIndex(files, NEAR_OTHER), FACTS, GoldGuard(gold))


def kinds(found: list[Finding]) -> list[LintKind]:
    return [finding.kind for finding in found]


def test_a_sentence_like_no_other_is_well() -> None:
    assert checker().check("孩子考上大学有补助吗", "ask_overtime") == []


def test_the_same_sentence_in_other_punctuation_is_a_repetition() -> None:
    found = checker().check("工地上的钱，一直没结！", "ask_wage_arrears")
    assert kinds(found) == [LintKind.DUPLICATE]
    assert found[0].other == "工地上的钱一直没结"
    assert found[0].severity is Severity.WARNING


def test_the_same_sentence_under_another_intent_is_an_error() -> None:
    found = checker().check("工地上的钱一直没结", "ask_overtime")
    assert kinds(found) == [LintKind.TWO_INTENTS]
    assert found[0].other_intent == "ask_wage_arrears"
    assert found[0].severity is Severity.ERROR


def test_nearly_the_same_under_another_intent_is_said_and_under_the_same_only_when_very_like() -> None:
    near = "周末加班没有加班费合理吗我"
    assert kinds(checker().check(near, "ask_wage_arrears")) == [LintKind.NEAR_OTHER]
    assert kinds(checker().check(near, "ask_overtime")) == [LintKind.NEAR]
    assert kinds(checker().check("周末加班没有加班费合理不", "ask_overtime")) == []
    assert kinds(checker().check("周末加班没有加班费合理不", "ask_wage_arrears")) == [LintKind.NEAR_OTHER]


def test_fact_marks_do_not_make_a_sentence_another_one() -> None:
    found = checker().check("我在历下区加班到半夜", "ask_overtime")
    assert kinds(found) == [LintKind.DUPLICATE]
    assert found[0].other == "我在[历下区](district)加班到半夜"


def test_the_sentence_that_is_being_changed_is_not_its_own_repetition() -> None:
    assert checker().check("工地上的钱一直没结。", "ask_wage_arrears", was="工地上的钱一直没结") == []


def test_an_unknown_fact_a_broken_mark_and_a_command_are_said() -> None:
    found = [checker().check(text, "ask_overtime") for text in ("[三千](pay)一天", "[三千](", "/restart")]
    assert [(one.kind, one.detail) for lines in found for one in lines] == [
        (LintKind.FORM, "fact_name"),
        (LintKind.FORM, "marks"),
        (LintKind.FORM, "command"),
    ]


def test_personal_data_is_said() -> None:
    assert kinds(checker().check("我电话13912345678，找我", "ask_overtime")) == [LintKind.PERSONAL_DATA]


def test_a_sentence_of_the_gold_set_is_not_shown_to_whoever_gives_it_away() -> None:
    found = checker(gold=("单位不给缴社保我该怎么维权",)).check(
        "单位不给缴社保我应该怎么维权", "ask_overtime"
    )
    assert kinds(found) == [LintKind.LEAK]
    assert "维权" not in found[0].other + found[0].detail + found[0].other_intent


def test_short_gold_sentences_are_everybodys() -> None:
    assert checker(gold=("怎么办呢",)).check("怎么办呢", "ask_overtime") == []


def test_what_was_added_counts_and_what_was_removed_or_moved_does_not_stand_where_it_was() -> None:
    changed = TrainingSet.of(
        {"ask_wage_arrears": [], "ask_overtime": ["工地上的钱一直没结", "夜班费一分钱都没见着"]}, {}
    )
    now = checker(changed)
    assert now.check("老板拖欠工资三个月不发怎么办", "ask_overtime") == []
    assert kinds(now.check("工地上的钱一直没结", "ask_overtime")) == [LintKind.DUPLICATE]
    assert kinds(now.check("夜班费一分钱都没见着！", "ask_wage_arrears")) == [LintKind.TWO_INTENTS]


def test_a_whole_set_is_looked_through_in_a_fixed_order() -> None:
    poor = {
        "ask_wage_arrears": [*SENTENCES["ask_wage_arrears"], "工地上的钱一直没结。"],
        "ask_overtime": [*SENTENCES["ask_overtime"], "老板拖欠工资三个月不发怎么办？", "[三千](pay)一天"],
    }
    found = lint(TrainingSet.of(poor, {}), INTENTS, FACTS, ["周末加班没有加班费合理不"])
    assert kinds(found) == [
        LintKind.TWO_INTENTS,
        LintKind.NEAR_OTHER,
        LintKind.LEAK,
        LintKind.FORM,
        LintKind.DUPLICATE,
        LintKind.NEAR,
        LintKind.TOO_FEW,
        LintKind.TOO_FEW,
    ]
    assert [one.detail for one in found[-2:]] == [f"4/{FEWEST}", f"4/{FEWEST_SERVICE}"]
    assert counts(found)[LintKind.NEAR] == 1
    assert counts(found)[LintKind.LABEL] == 0


def test_a_dismissed_finding_is_remembered_by_what_nobody_can_read() -> None:
    one = Finding(LintKind.LABEL, "ask_overtime", "夜班费一分钱都没见着", other_intent="ask_wage_arrears")
    scored = Finding(LintKind.LABEL, "ask_overtime", "夜班费 一分钱都没见着", "", "ask_wage_arrears", "3.1")
    assert one.key == scored.key  # whatever the score, and however it is spaced
    assert len(one.key) == 20
    assert one.key != Finding(LintKind.LABEL, "ask_overtime", "夜班费", other_intent="ask_wage_arrears").key


def test_the_limits_are_those_of_the_checks_at_training() -> None:
    leakage, validation = pytest.importorskip("nlu.leakage"), pytest.importorskip("nlu.validation")
    assert (NEAR_GOLD, GOLD_LEAST) == (leakage.NEAR, leakage.LEAST_TO_COMPARE)
    assert (FEWEST, FEWEST_SERVICE) == (validation.MIN_SENTENCES, validation.MIN_SERVICE_SENTENCES)


def test_the_gold_set_is_read_without_its_facts(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "nlu" / "gold"
    folder.mkdir(parents=True)
    (folder / "labour.jsonl").write_text('{"text": "社保", "topic": "x"}\n\n', encoding="utf-8")
    (folder / "facts.jsonl").write_text('{"text": "三千块"}\n', encoding="utf-8")
    assert gold_texts(tmp_path) == ["社保"]
    assert gold_texts(tmp_path / "tests") == []


WORDS = st.text("工资加班费不给发了吗老板我", min_size=1, max_size=14)


@given(st.lists(WORDS, min_size=1, max_size=25), WORDS)
def test_the_index_finds_all_that_comparing_every_pair_would_find(texts: list[str], asked: str) -> None:
    def likeness(one: str, other: str) -> float:
        mine, its = grams(bare(one)), grams(bare(other))
        return len(mine & its) / len(mine | its) if mine | its else 0.0

    expected = {
        number
        for number, text in enumerate(texts)
        if bare(text) != bare(asked) and likeness(asked, text) >= NEAR_OTHER
    }
    assert {number for _, number in NearIndex(texts, NEAR_OTHER).near(asked)} == expected
