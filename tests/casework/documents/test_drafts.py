"""Drafts: every blank visible, no figure of our own, alternatives a choice, only reasons that were told."""

from __future__ import annotations

import copy
import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.claims.model import Quote
from casework.claims.told import Said, Told
from casework.documents import Person, draft_context, names, suitable, to_docx
from casework.documents.places import against
from casework.documents.words import ROOT, book
from casework.errors import NotFound
from tests.casework.documents.drafts import (
    TODAY,
    hurt,
    numbers,
    paragraphs,
    sheet_of,
    sheet_text,
    shown,
    staying,
    text_of,
    three_claims,
    told_sheet,
)
from tests.claim_sheets import claims

ALL = tuple(kind.name for kind in names())
NASTY = '{{ 7*7 }} {% if x %} <b>&amp; "老板" \' </w:t> \x00\x0b\ud800 ]]>\n第二行\t完'


def test_there_are_six_documents_each_with_its_use() -> None:
    assert ALL == (
        "arbitration_application",
        "evidence_list",
        "wage_demand",
        "forced_termination_notice",
        "work_injury_points",
        "legal_aid_points",
    )
    assert all(kind.label and kind.when for kind in names())


def test_an_unknown_document_is_refused() -> None:
    with pytest.raises(NotFound):
        draft_context("love_letter", three_claims(), None, TODAY)
    with pytest.raises(NotFound):
        to_docx("../secret", {})


class TestSuitable:
    def test_after_a_dismissal_nobody_is_offered_to_quit(self) -> None:
        assert suitable(three_claims()) == (
            "arbitration_application",
            "evidence_list",
            "wage_demand",
            "legal_aid_points",
        )

    def test_who_is_still_there_and_unpaid_may_quit_with_reasons(self) -> None:
        assert "forced_termination_notice" in suitable(staying())

    def test_who_does_not_say_whether_they_are_still_there_is_not_offered_to_quit(self) -> None:
        assert "forced_termination_notice" not in suitable(told_sheet("公司拖欠我三个月工资"))

    def test_still_being_there_is_no_reason_to_quit(self) -> None:
        sheet = told_sheet("没签合同", None, {"employed": "yes"})
        assert "arbitration_application" in suitable(sheet)
        assert "forced_termination_notice" not in suitable(sheet)

    def test_only_an_injury_leads_to_the_points_on_injuries(self) -> None:
        assert "work_injury_points" in suitable(hurt())
        assert "work_injury_points" not in suitable(three_claims())

    def test_an_award_leads_to_court_and_not_to_arbitration_again(self) -> None:
        sheet = told_sheet("公司拖欠工资，我收到仲裁裁决书了，不服", None, {"received_on": "2026-11-20"})
        assert {claim["right"] for claim in sheet["claims"]} >= {"lawsuit"}
        assert suitable(sheet) == ("evidence_list", "legal_aid_points")

    def test_who_works_for_a_household_is_not_sent_to_arbitration(self) -> None:
        sheet = told_sheet("我给人家当住家保姆，欠我两个月工资没给", {"months_owed": "2"})
        assert "arbitration_application" not in suitable(sheet)

    def test_a_right_the_story_speaks_against_is_asked_for_nowhere(self) -> None:
        sheet = told_sheet("我自己辞职了，还能要补偿吗", None, {"ending": "resigned"})
        assert [claim["right"] for claim in sheet["claims"]] == ["severance"]
        assert "arbitration_application" not in suitable(sheet)
        context = draft_context("legal_aid_points", sheet, None, TODAY)
        assert context["items"] == []
        assert "自己辞职" in shown(context)

    def test_nothing_told_gives_reason_for_nothing(self) -> None:
        assert suitable(sheet_of(Told())) == ()


class TestTheApplication:
    def text(self, sheet: dict[str, Any] | None = None, person: Person | None = None) -> str:
        return shown(draft_context("arbitration_application", sheet or three_claims(), person, TODAY))

    def test_asks_for_the_amounts_of_the_sheet_with_their_sums_and_articles(self) -> None:
        text = self.text()
        assert "支付拖欠的工资：12000.00 元" in text
        assert "二倍工资差额：66000.00 元" in text
        assert "算法：" in text
        assert "《中华人民共和国劳动合同法》第八十二条" in text

    def test_what_cannot_be_had_together_is_a_choice_to_tick(self) -> None:
        context = draft_context("arbitration_application", three_claims(), None, TODAY)
        leads = ["".join(piece["text"] for piece in item["lead"]) for item in context["items"]]
        assert [lead[:2] for lead in leads] == ["一、", "二、", "三、"]
        choice = next(item for item in context["items"] if item["choices"])
        ticks = ["".join(piece["text"] for piece in one["lead"]) for one in choice["choices"]]
        assert len(ticks) == 3
        assert all(tick.startswith("□") for tick in ticks)
        assert "18000.00 元" in ticks[0]
        assert "9000.00 元" in ticks[1]
        assert "继续履行" in ticks[2]
        assert not any("18000" in lead or "9000" in lead for lead in leads)

    def test_identity_address_and_employer_are_always_blanks(self) -> None:
        text = self.text(person=Person("示例", "13800000000"))
        for what in ("身份证号码", "住址", "单位全称", "法定代表人", "统一社会信用代码", "仲裁委员会"):
            assert re.search(f"____________【请填写：[^】]*{what}", text), what
        assert "姓名示例" in text
        assert "13800000000" in text

    def test_a_claim_without_an_amount_says_why(self) -> None:
        text = self.text(staying())
        assert "支付拖欠的工资：____________（还算不出：" in text
        assert "每月工资____________【请填写：" in text

    def test_what_goes_elsewhere_is_not_asked_for_but_explained(self) -> None:
        context = draft_context("arbitration_application", staying(), None, TODAY)
        assert not any("社会保险" in json.dumps(item, ensure_ascii=False) for item in context["items"])
        assert "补缴社保：补缴社保一般不走仲裁" in shown(context)

    def test_yearly_figures_are_said_with_the_official_word(self) -> None:
        assert three_claims()["confirm_year"] is not None
        assert "以当年官方公布为准" in self.text()

    def test_dispatched_workers_name_two_employers(self) -> None:
        sheet = told_sheet("我是劳务派遣的，拖欠我工资", {"amount_owed": "8000"})
        assert "被申请人二" in self.text(sheet)
        assert "被申请人二" not in self.text()

    def test_every_request_is_there_when_there_are_twenty(self) -> None:
        sheet = three_claims()
        owed = next(claim for claim in sheet["claims"] if claim["right"] == "wage_arrears")
        sheet["claims"] = [{**copy.deepcopy(owed), "amount": f"{1000 + n}.00"} for n in range(23)]
        made = text_of(to_docx("arbitration_application", self.context(sheet)))
        for n in range(23):
            assert f"{1000 + n}.00 元" in made
        assert "二十、" in made
        assert "23、" in made

    def test_what_was_said_too_late_warns_the_lawyer(self) -> None:
        later = TODAY + timedelta(days=800)
        assert "日子可能已经过了" in shown(
            draft_context("arbitration_application", three_claims(), None, later)
        )
        assert "日子可能已经过了" not in self.text()

    def context(self, sheet: dict[str, Any]) -> dict[str, Any]:
        return draft_context("arbitration_application", sheet, None, TODAY)


def test_the_notice_states_only_reasons_that_were_told() -> None:
    unpaid = told_sheet("公司拖欠我工资，我还在上班", None, {"employed": "yes"})
    text = shown(draft_context("forced_termination_notice", unpaid, None, TODAY))
    assert "第三十八条第一款第二项" in text
    assert "第三十八条第一款第三项" not in text
    assert "加班" not in text.split("核对页")[0]
    both = shown(draft_context("forced_termination_notice", staying(), None, TODAY))
    assert "第三十八条第一款第三项" in both


def test_held_proof_is_listed_and_missing_proof_named() -> None:
    context = draft_context("evidence_list", three_claims(), None, TODAY)
    held = [row[1][0]["text"] for row in context["tables"]["held"]]
    assert held[:3] == ["聊天记录", "工友作证", "银行流水、转账记录"]
    assert held[3:] == ["____"] * 3
    wanted = [row[0][0]["text"] for row in context["tables"]["wanted"]]
    assert "劳动合同" in wanted
    assert not set(held) & set(wanted)


def test_legal_aid_may_begin_at_once_in_the_last_week() -> None:
    day = date.fromisoformat(
        min(claim["deadline"]["day"] for claim in three_claims()["claims"] if claim["deadline"]["day"])
    )
    early = draft_context("legal_aid_points", three_claims(), None, day - timedelta(days=8))
    late = draft_context("legal_aid_points", three_claims(), None, day - timedelta(days=7))
    assert "不足 7 日" not in shown(early)
    assert "不足 7 日" in shown(late)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("make", [three_claims, staying, hurt])
def test_the_word_file_and_the_page_say_the_same(name: str, make: Any) -> None:
    context = draft_context(name, make(), Person("示例", None), TODAY)
    bare = re.compile(r"[\s·]+")
    assert bare.sub("", text_of(to_docx(name, context))) == bare.sub("", words_of(context))


def words_of(context: dict[str, Any]) -> str:
    """The draft's words with the heads of its tables, which ``shown`` leaves out."""
    kept = copy.deepcopy(context)
    for block in kept["blocks"]:
        if block["kind"] == "table":
            head = [[{"text": column, "blank": False, "hint": None}] for column in block["columns"]]
            block["rows"] = [head, *block["rows"]]
    return shown(kept)


@pytest.mark.parametrize("name", ALL)
def test_what_members_say_is_never_markup(name: str) -> None:
    sheet = three_claims()
    for one in (*sheet["facts"], *sheet["circumstances"]):
        one["quote"] = NASTY
    for claim in sheet["claims"]:
        claim["why"] = NASTY
        claim["amount"] = None
    context = draft_context(name, sheet, Person(NASTY, NASTY), TODAY)
    made = text_of(to_docx(name, context))
    assert "{{ 7*7 }}" in made
    assert "49" not in numbers(made)
    assert '<b>&amp; "老板"' in made
    assert "\x00" not in made


@pytest.mark.parametrize("name", ALL)
def test_long_words_are_kept_whole(name: str) -> None:
    sheet = three_claims()
    long = "老板说等工程款下来就给我们结账一直拖到现在" * 200
    sheet["facts"][0]["quote"] = long
    assert long in text_of(to_docx(name, draft_context(name, sheet, None, TODAY)))


@pytest.mark.parametrize("name", ALL)
def test_the_same_draft_is_the_same_file_and_carries_its_mark(name: str) -> None:
    context = draft_context(name, three_claims(), None, TODAY)
    made = to_docx(name, context)
    assert made == to_docx(name, context)
    assert "草稿，须经法律援助律师核对后使用" in paragraphs(made, "word/header1.xml")


def test_drafting_changes_nothing_and_gives_plain_data() -> None:
    sheet = three_claims()
    before = copy.deepcopy(sheet)
    context = draft_context("arbitration_application", sheet, Person("示例"), TODAY)
    assert sheet == before
    assert json.loads(json.dumps(context, ensure_ascii=False)) == json.loads(json.dumps(context))


FACT_VALUES = {
    "district": st.sampled_from(["历下区", "长清区", "商河县"]),
    "employed": st.sampled_from(["yes", "no"]),
    "ending": st.sampled_from(["dismissed", "fault", "article_40", "agreed", "forced", "resigned"]),
    "hired_on": st.dates(date(2009, 1, 1), date(2026, 1, 1)).map(date.isoformat),
    "left_on": st.dates(date(2026, 1, 2), date(2026, 11, 20)).map(date.isoformat),
    "injured_on": st.dates(date(2024, 1, 1), date(2026, 11, 20)).map(date.isoformat),
    "monthly_wage": st.decimals(1000, 90000, places=2).map(str),
    "amount_owed": st.decimals(1, 900000, places=2).map(str),
    "months_owed": st.integers(1, 20).map(str),
    "leave_days": st.integers(1, 15).map(str),
    "hours_150": st.integers(0, 200).map(str),
    "deposit": st.integers(1, 5000).map(str),
}


@st.composite
def generated_sheets(draw: st.DrawFn) -> dict[str, Any]:
    codes = draw(st.sets(st.sampled_from(claims().circumstances.codes), min_size=1, max_size=9))
    facts = {name: draw(value) for name, value in FACT_VALUES.items() if draw(st.booleans())}
    said = Quote(draw(st.text(max_size=20)), 1)
    return sheet_of(
        Told(
            facts={name: Said(value, said) for name, value in facts.items()},
            circumstances={code: Said(code, said) for code in sorted(codes)},
        )
    )


@settings(deadline=None)
@given(generated_sheets())
def test_no_figure_is_ours(sheet: dict[str, Any]) -> None:
    known = sheet_text(sheet)
    for name in ALL:
        text = shown(draft_context(name, sheet, None, TODAY))
        fixed = (ROOT / f"{name}.yml").read_text("utf-8") + (ROOT / "common.yml").read_text("utf-8")
        assert numbers(text) <= numbers(known) | numbers(fixed)
        assert set(re.findall(r"([\d.]+) ?元", text)) <= numbers(known)
        assert all(day in known for day in re.findall(r"\d{4}年\d+月\d+日", text))


@settings(deadline=None)
@given(generated_sheets())
def test_every_blank_is_seen_and_named(sheet: dict[str, Any]) -> None:
    for name in ALL:
        context = draft_context(name, sheet, None, TODAY)
        for pieces in context["one"].values():
            for piece in pieces:
                assert piece["text"]
                assert not piece["blank"] or (set(piece["text"]) == {"_"} and "请填写" in piece["hint"])
        if "fact:hired_on" not in context["flags"] and "hired_on" in context["one"]:
            assert context["one"]["hired_on"][0]["blank"]
        assert "None" not in shown(context)


@settings(deadline=None)
@given(generated_sheets())
def test_nothing_is_asked_for_twice_or_beside_its_alternative(sheet: dict[str, Any]) -> None:
    context = draft_context("arbitration_application", sheet, None, TODAY)
    asked = [
        claim
        for claim in sheet["claims"]
        if claim["right"] in book().documents[context["name"]].items and not against(claim)
    ]
    rights = {claim["right"] for claim in asked}
    others = [claim for claim in asked if claim["alternative_to"] in rights]
    assert len(context["items"]) == len(asked) - len(others)
    choices = [item for item in context["items"] if item["choices"]]
    assert len(choices) == len({claim["alternative_to"] for claim in others})
    for item in choices:
        assert "元" not in "".join(piece["text"] for piece in item["lead"])
