"""Case types: what an intake asks, in which order, and what it shows at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from casework.case_types import SLOTS, CaseTypes

HOME = Path(__file__).parents[2]
TYPES = CaseTypes.load(HOME / "data" / "knowledge" / "case_types.yml")


def asked(case_type: str, topic: str, facts: dict[str, str] | None = None) -> list[str]:
    return [question.slot for question in TYPES.next_questions(case_type, topic, facts or {})]


def test_the_union_opens_five_types_of_cases() -> None:
    assert TYPES.names == ("labour_dispute", "heat_report", "tuition_aid", "legal_appointment", "general")


def test_wage_arrears_ask_how_much_and_how_long_but_not_the_dates_of_employment() -> None:
    slots = asked("labour_dispute", "labour.wage_arrears")
    assert {"months_owed", "amount_owed"} < set(slots)
    assert not {"hired_on", "left_on", "monthly_wage"} & set(slots)


def test_a_dismissal_asks_dates_and_wage_but_not_what_is_owed() -> None:
    slots = asked("labour_dispute", "labour.dismissal")
    assert {"hired_on", "left_on", "monthly_wage"} < set(slots)
    assert not {"months_owed", "amount_owed"} & set(slots)


def test_what_is_known_is_not_asked_again() -> None:
    facts = {"story": "三个月没发工资", "district": "历下区", "months_owed": "3"}
    assert asked("labour_dispute", "labour.wage_arrears", facts) == [
        "employer", "amount_owed", "wish", "person_name", "phone",
    ]  # fmt: skip


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_answer_is_no_answer(empty: str) -> None:
    assert "story" in asked("general", "case.open", {"story": empty})


def test_nobody_has_to_say_who_they_are() -> None:
    for case_type in TYPES:
        required = {question.slot for question in case_type.questions if question.required}
        assert required <= {"story"}, case_type.name


def test_the_questions_end_with_the_person_so_that_the_matter_comes_first() -> None:
    for case_type in TYPES:
        assert [question.slot for question in case_type.questions][-2:] == ["person_name", "phone"]


def test_the_summary_shows_what_was_said_in_the_order_of_the_questions() -> None:
    facts = {
        "phone": "13800001234",
        "months_owed": "3",
        "amount_owed": "19500",
        "story": "干了三个月没给钱",
        "wish": "",
    }
    assert TYPES.summary_lines("labour_dispute", facts) == [
        "情况：干了三个月没给钱",
        "欠薪月数：3个月",
        "欠款：19500元",
        "电话：13800001234",
    ]


def test_a_stored_yes_is_shown_in_words() -> None:
    assert TYPES.summary_lines("tuition_aid", {"hardship_registered": "no"}) == ["困难职工建档：没办过"]


def test_a_fact_the_type_does_not_ask_is_not_shown() -> None:
    assert TYPES.summary_lines("general", {"temperature": "39"}) == []


@pytest.mark.parametrize(
    ("topic", "case_type"),
    [
        ("labour.dismissal", "labour_dispute"),
        ("heat.stop_work", "heat_report"),
        ("tuition.aid", "tuition_aid"),
        ("legal.station", "legal_appointment"),
        ("service.hardship", "general"),
        ("never.heard", "general"),
    ],
)
def test_a_topic_leads_to_its_type_and_everything_else_to_general(topic: str, case_type: str) -> None:
    assert TYPES.for_topic(topic).name == case_type


def test_no_days_and_no_amounts_are_promised() -> None:
    text = (HOME / "data" / "knowledge" / "case_types.yml").read_text(encoding="utf-8")
    assert re.findall(r"\d+\s*(?:个)?(?:工作日|天|日内|小时|元)", text) == []


def test_every_question_has_its_words_in_the_domain() -> None:
    domain = yaml.safe_load((HOME / "domain.yml").read_text(encoding="utf-8"))
    missing = {slot for slot in SLOTS if f"utter_ask_case_form_{slot}" not in domain["responses"]}
    assert missing == set()
    assert set(SLOTS) <= set(domain["forms"]["case_form"]["required_slots"])
