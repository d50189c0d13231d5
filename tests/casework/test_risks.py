"""Risks: what makes a matter pressing, to the day, and what must not raise an alarm."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from casework.crisis import CrisisRules
from casework.errors import KnowledgeError
from casework.risks import CODES, Risk, a_year_after, load_risk_notes, risks_of
from casework.tables import Priority

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"
TODAY = date(2026, 7, 20)
WAGES = {"labour.wage_arrears"}


def codes(
    *,
    topics: set[str] | None = None,
    facts: dict[str, str] | None = None,
    texts: tuple[str, ...] = (),
    crisis: str | None = None,
    today: date = TODAY,
) -> list[str]:
    return [
        risk.code
        for risk in risks_of(
            WAGES if topics is None else topics, facts or {}, crisis_kind=crisis, texts=texts, today=today
        )
    ]


def only(facts: dict[str, str], today: date, topics: set[str] | None = None) -> Risk | None:
    found = risks_of(topics or WAGES, facts, crisis_kind=None, today=today)
    assert len(found) <= 1
    return found[0] if found else None


def test_an_ordinary_matter_has_no_risk() -> None:
    assert codes(facts={"months_owed": "3"}, texts=("老板拖欠我三个月工资",)) == []


def test_a_crisis_comes_before_everything_else() -> None:
    found = risks_of(
        {"labour.work_injury"}, {}, crisis_kind="self_harm.care", texts=("我们30个人都没发",), today=TODAY
    )
    assert [(risk.code, risk.priority) for risk in found] == [
        ("crisis.self_harm", Priority.CRITICAL),
        ("injury", Priority.HIGH),
        ("group", Priority.HIGH),
    ]


@pytest.mark.parametrize(
    ("left_on", "expected"),
    [
        (date(2025, 9, 19), None),  # 61 days remain
        (date(2025, 9, 18), "limitation"),  # 60 days exactly
        (date(2025, 7, 20), "limitation"),  # the last day itself
        (date(2025, 7, 19), "limitation_over"),  # the day after
        (date(2026, 7, 20), None),  # left today
        (date(2026, 8, 1), None),  # leaves next month: employment has not ended
        (date(2030, 1, 1), None),
    ],
)
def test_the_year_for_arbitration_is_counted_to_the_day(left_on: date, expected: str | None) -> None:
    found = only({"left_on": left_on.isoformat()}, TODAY)
    assert (found.code if found else None) == expected
    if found:
        assert (found.priority, found.due_on) == (Priority.HIGH, a_year_after(left_on))


def test_who_left_on_a_leap_day_has_until_the_end_of_february() -> None:
    left = {"left_on": "2024-02-29"}
    assert only(left, date(2025, 2, 28)) == Risk("limitation", Priority.HIGH, date(2025, 2, 28))
    assert only(left, date(2025, 3, 1)) == Risk("limitation_over", Priority.HIGH, date(2025, 2, 28))


@pytest.mark.parametrize(
    ("day", "later"),
    [("2026-03-15", "2027-03-15"), ("2025-11-30", "2026-11-30"), ("2024-02-29", "2025-02-28")],
)
def test_a_year_is_counted_as_the_facts_say(day: str, later: str) -> None:
    assert a_year_after(date.fromisoformat(day)) == date.fromisoformat(later)


def test_wages_owed_while_employed_have_no_limitation_period() -> None:
    assert codes(facts={"hired_on": "2015-01-01", "months_owed": "30"}) == []


def test_the_limitation_period_is_not_raised_over_tuition_aid() -> None:
    assert codes(topics={"tuition.aid"}, facts={"left_on": "2020-01-01"}) == []
    assert codes(topics=set(), facts={"left_on": "2020-01-01"}) == ["limitation_over"]


@pytest.mark.parametrize("value", ["", "去年", "2025-13-40", "None"])
def test_a_date_that_cannot_be_read_is_unknown(value: str) -> None:
    found = codes(facts={"left_on": value}, today=date(2030, 1, 1))
    assert found == []


@pytest.mark.parametrize(
    ("injured_on", "code", "due_on"),
    [
        (TODAY, "injury", date(2026, 8, 19)),
        (date(2026, 6, 20), "injury", date(2026, 7, 20)),  # the employer's 30th day
        (date(2026, 6, 19), "injury", date(2027, 6, 19)),  # now the worker's own year runs
        (date(2025, 7, 20), "injury", date(2026, 7, 20)),
        (date(2025, 7, 19), "injury_over", date(2026, 7, 19)),
        (date(2026, 7, 21), "injury", None),  # a day to come is a slip
    ],
)
def test_an_injury_has_the_employers_month_and_then_the_workers_year(
    injured_on: date, code: str, due_on: date | None
) -> None:
    found = only({"injured_on": injured_on.isoformat()}, TODAY, {"labour.work_injury"})
    assert found == Risk(code, Priority.HIGH, due_on)


def test_an_injury_without_a_known_day_has_no_date() -> None:
    assert only({"hired_on": "2026-01-01"}, TODAY, {"labour.work_injury"}) == Risk("injury", Priority.HIGH)
    assert codes(texts=("今天上班手被机器轧伤了",)) == ["injury"]
    assert codes(texts=("受伤的总是我，工资还不发",)) == []


@pytest.mark.parametrize(
    "text", ["昨天收到仲裁裁决书了", "裁决下来了我不服", "法院判决书收到了咋办", "刚拿到判决"]
)
def test_an_award_in_hand_is_pressing_and_dated_only_when_the_day_is_known(text: str) -> None:
    assert risks_of(WAGES, {}, crisis_kind=None, texts=[text], today=TODAY) == [
        Risk("lawsuit_deadline", Priority.HIGH)
    ]
    dated = risks_of(
        WAGES, {"received_on": "2026-11-02"}, crisis_kind=None, texts=[text], today=date(2026, 11, 5)
    )
    assert dated == [Risk("lawsuit_deadline", Priority.HIGH, date(2026, 11, 17))]


@pytest.mark.parametrize("text", ["还没收到裁决书", "裁决书一直没下来", "仲裁要多久出裁决", "怎么申请仲裁"])
def test_an_award_that_is_still_awaited_is_not(text: str) -> None:
    assert codes(texts=(text,)) == []


@pytest.mark.parametrize(
    ("topic", "temperature", "text", "expected"),
    [
        ("heat.stop_work", "40", "", True),
        ("heat.stop_work", "40.5", "", True),
        ("heat.stop_work", "39.9", "", False),
        ("heat.stop_work", "很热", "", False),
        ("heat.illness", None, "工友中暑了", True),
        ("heat.allowance", "41", "", False),
        ("labour.leave", "41", "中暑", False),
    ],
)
def test_heat_is_pressing_from_forty_degrees_or_when_somebody_is_struck(
    topic: str, temperature: str | None, text: str, expected: bool
) -> None:
    facts = {} if temperature is None else {"temperature": temperature}
    assert ("heat_now" in codes(topics={topic}, facts=facts, texts=(text,))) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我15岁在厂里上班，工资不给", True),
        ("厂里用童工", True),
        ("弟弟才十六岁就上夜班", True),
        ("我35岁，上班十年", False),
        ("孩子15岁上初三", False),
        ("未成年工能干这个吗", False),
        ("工龄16年", False),
        ("我二十五岁打工", False),
    ],
)
def test_a_minor_at_work_is_noticed(text: str, expected: bool) -> None:
    assert ("minor" in codes(texts=(text,))) is expected


def test_who_is_dismissed_while_pregnant_is_noticed_whichever_half_is_a_topic() -> None:
    assert codes(topics={"labour.maternity", "labour.dismissal"}) == ["pregnant"]
    assert codes(topics={"labour.maternity"}, texts=("他们把我开除了",)) == ["pregnant"]
    assert codes(topics={"labour.dismissal"}, texts=("我怀孕五个月",)) == ["pregnant"]
    assert codes(topics={"labour.maternity"}, texts=("产假多少天",)) == []
    assert codes(topics={"labour.dismissal"}, texts=("明天别来了",)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我们30个人的工资都没发", True),
        ("俺们十几个人都在等", True),
        ("我们三个工友", True),
        ("全体职工都没发", True),
        ("几十号人等着过年", True),
        ("整个车间的人都被欠着", True),
        ("我们两个人一起来的", False),
        ("我们1个人也没有", False),
        ("欠我30000块", False),
        ("我们单位没发工资", False),
    ],
)
def test_a_matter_of_many_is_noticed(text: str, expected: bool) -> None:
    assert ("group" in codes(texts=(text,))) is expected
    assert "group" not in codes(topics={"service.culture"}, texts=(text,))


def test_every_risk_and_every_crisis_has_a_note_for_staff() -> None:
    notes = load_risk_notes(KNOWLEDGE)
    crises = {f"crisis.{kind}" for kind in CrisisRules.load(KNOWLEDGE / "crisis.yml").kinds}
    assert notes.keys() >= crises | set(CODES)
    assert all(notes[code].sources for code in CODES)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  injury_over:", "  injury_gone:", "injury_over"),
        ("mark: C}", "mark: V+}", "not certain"),
        ("    label: 工伤\n", "    label: 工伤\n    advise: 无\n", "unknown field advise"),
        ("先问人怎么样、有没有就医。", "问" * 160, "more than 160"),
    ],
)
def test_a_note_that_breaks_a_rule_is_found_at_start(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    shutil.copy(KNOWLEDGE / "desk_risks.yml", tmp_path)
    path = tmp_path / "desk_risks.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        load_risk_notes(tmp_path)


def test_a_period_that_is_over_is_never_said_to_be_over() -> None:
    notes = load_risk_notes(KNOWLEDGE)
    for code in ("limitation_over", "injury_over"):
        assert "可能" in notes[code].label
        assert "先核实" in notes[code].advice


def test_the_risk_grows_only_as_the_day_comes_nearer() -> None:
    seen = [only({"left_on": "2025-07-20"}, date(2026, 1, 1) + timedelta(days=day)) for day in range(300)]
    order = [risk.code if risk else "" for risk in seen]
    assert order == sorted(order)
