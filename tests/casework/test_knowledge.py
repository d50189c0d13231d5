"""Knowledge: what ships is whole and honest, and a broken file is named at start."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from casework.answers import compose_answer
from casework.articles import ASPECTS, Article, Mark, Season, Section, Source
from casework.errors import AttachmentRefused, BadCaseNumber, BadInput, KnowledgeError, NotFound, Refusal
from casework.knowledge import IntentKind, Knowledge, Wording

HOME = Path(__file__).parents[2]
ROOT = HOME / "data" / "knowledge"
KNOWLEDGE = Knowledge.load(ROOT)
TODAY = date(2026, 11, 22)
SHIPPED = sorted(KNOWLEDGE.articles)


def make_article(**values: Any) -> Article:
    """A certain article about wage arrears with two sections."""
    defaults: dict[str, Any] = {
        "topic": "labour.wage_arrears",
        "title": "拖欠工资",
        "label": "拖欠工资",
        "mark": Mark.CERTAIN,
        "short": "工资要按月用钱发，不能拖。",
        "sections": (
            Section("steps", "先留证据，再找劳动监察。", Mark.CERTAIN),
            Section("evidence", "流水、考勤、聊天记录。", Mark.CERTAIN),
            Section("amount", "最低工资按区县分档。", Mark.CONFIRM),
        ),
        "related": (),
        "sources": (
            Source("劳动法", "第五十条", date(2026, 11, 22), Mark.CERTAIN, "全国人民代表大会常务委员会"),
            Source("山东省最低工资通知", None, date(2025, 10, 1), Mark.CONFIRM, "山东省人民政府"),
        ),
        "district": "济南市",
        "reviewer": "娘家人知识组（上线前须经工会审核）",
        "reviewed_on": date(2026, 11, 22),
    }
    return Article(**defaults | values)


def answer(article: Article, aspect: str | None = None, today: date = TODAY) -> str:
    return compose_answer(KNOWLEDGE, article, aspect, today).text


# ---- what ships


def test_the_knowledge_and_the_dialogue_know_the_same_intents() -> None:
    domain = yaml.safe_load((HOME / "domain.yml").read_text(encoding="utf-8"))
    # Rasa adds the fallback by itself.
    assert set(KNOWLEDGE.intents) == {*domain["intents"], "nlu_fallback"}


def test_every_topic_of_an_asking_intent_has_an_article() -> None:
    asked = {intent.topic for intent in KNOWLEDGE.intents.values() if intent.kind is IntentKind.ASK}
    assert asked - set(KNOWLEDGE.articles) == set()


@pytest.mark.parametrize("topic", SHIPPED)
def test_every_answer_carries_its_source_and_reservation(topic: str) -> None:
    article = KNOWLEDGE.articles[topic]
    for aspect in (None, *(section.aspect for section in article.sections), "deadline"):
        made = compose_answer(KNOWLEDGE, article, aspect, TODAY)
        if not made.current:
            continue
        assert re.search(r"依据：.*《.+》.*（截至 \d{4}-\d\d-\d\d）", made.text)
        assert ("以当年官方公布/窗口答复为准" in made.text) == (made.mark is Mark.CONFIRM)
        assert made.sources
        assert "V0" not in made.text


@pytest.mark.parametrize("topic", SHIPPED)
def test_an_article_that_leads_to_a_case_leads_to_the_one_for_its_topic(topic: str) -> None:
    article = KNOWLEDGE.articles[topic]
    assert article.case_type in (None, KNOWLEDGE.case_types.for_topic(topic).name)


@pytest.mark.parametrize("topic", SHIPPED)
def test_every_source_says_who_issued_it_and_when_it_was_checked(topic: str) -> None:
    article = KNOWLEDGE.articles[topic]
    assert article.sources
    for source in article.sources:
        assert source.issuer
        assert source.as_of <= article.reviewed_on


def test_no_question_people_also_ask_stands_in_two_articles() -> None:
    asked = [question for topic in SHIPPED for question in KNOWLEDGE.articles[topic].questions]
    assert len(asked) == len(set(asked)) >= 3 * len(SHIPPED)


def test_the_dialogue_states_no_rule_of_its_own() -> None:
    """What has a source stands in an article; the sentences of the dialogue only lead there."""
    domain = yaml.safe_load((HOME / "domain.yml").read_text(encoding="utf-8"))
    rule = re.compile(r"第[一二三四五六七八九十百零\d]+条|《|\d+\s?(?:元|天|日|个月|年|小时|%|℃|度|岁|倍)")
    wrong = [
        name
        for name, variants in domain["responses"].items()
        for variant in variants
        # How a form is filled in is said by an example in quotes.
        if rule.search(re.sub(r"“[^”]*”", "", str(variant.get("text", ""))))
    ]
    assert wrong == []


def test_no_file_of_the_knowledge_holds_a_local_phone_number() -> None:
    for path in ROOT.rglob("*.yml"):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"(?<![\d.])(?:0531|0\d{2,3}-\d{7})[\d-]*", text) == [], path.name


def test_a_button_that_only_exists_as_payload_is_not_trained() -> None:
    untrained = {intent.name for intent in KNOWLEDGE.intents.values() if not intent.trained}
    assert untrained == {
        "share_location", "send_attachment", "show_menu", "none_of_these", "nlu_fallback", "rate_case",
        "rate_service", "request_claims", "answer_claims", "explain_claim", "remind_claims",
        "remind_season",
    }  # fmt: skip


def test_an_intent_leads_to_its_article_and_a_topic_back_to_its_intent() -> None:
    assert KNOWLEDGE.article_for_intent("ask_heat_allowance").topic == "heat.allowance"
    assert KNOWLEDGE.asking_intent("heat.allowance") == "ask_heat_allowance"
    assert KNOWLEDGE.asking_intent("case.urge") is None
    assert KNOWLEDGE.article("no.such") is None
    with pytest.raises(KnowledgeError, match="thank"):
        KNOWLEDGE.article_for_intent("thank")


def test_a_case_begun_with_a_deed_is_about_the_deeds_topic() -> None:
    assert KNOWLEDGE.topic_of("request_heat_report", "heat_report") == "heat.report"
    assert KNOWLEDGE.topic_of("request_tuition_aid") == "tuition.aid"
    assert KNOWLEDGE.topic_of("request_case", "labour_dispute") is None
    assert KNOWLEDGE.topic_of("ask_heat_allowance", "labour_dispute") is None
    assert KNOWLEDGE.topic_of("affirm") is None


# ---- answers


def test_an_answer_without_an_aspect_gives_the_short_answer_and_the_first_section() -> None:
    text = answer(make_article())
    assert text.splitlines() == [
        "工资要按月用钱发，不能拖。",
        "先留证据，再找劳动监察。",
        "依据：《劳动法》第五十条（截至 2026-11-22）",
    ]
    assert "为准" not in text


def test_the_text_names_three_sources_and_the_message_carries_them_all() -> None:
    laws = tuple(
        Source(f"第{n}部法", f"第{n}条", date(2026, 11, 22), Mark.CERTAIN, "示例机关") for n in "一二三四五"
    )
    said = compose_answer(KNOWLEDGE, make_article(sources=laws), None, TODAY)
    assert said.text.splitlines()[-1] == (
        "依据：《第一部法》第一条、《第二部法》第二条、《第三部法》第三条等 5 条（截至 2026-11-22）"
    )
    assert len(said.sources_json()) == 5


def test_an_answer_to_be_confirmed_names_what_must_be_confirmed_first() -> None:
    text = answer(make_article(), "amount")
    assert "依据：《山东省最低工资通知》" in text
    assert "为准" in text.splitlines()[-1]


def test_the_aspect_asked_about_is_the_one_answered() -> None:
    text = answer(make_article(), "evidence")
    assert "流水、考勤" in text
    assert "劳动监察" not in text


def test_how_and_steps_answer_each_other() -> None:
    assert "先留证据" in answer(make_article(), "how")


def test_a_section_to_be_confirmed_says_so_with_its_year_and_its_source() -> None:
    text = answer(make_article(), "amount")
    assert "依据：《山东省最低工资通知》、《劳动法》第五十条（截至 2025-10-01）" in text
    assert text.endswith("以上是 2025 年核对的口径，以当年官方公布/窗口答复为准。")


def test_an_aspect_nobody_verified_is_named_instead_of_made_up() -> None:
    text = answer(make_article(), "where")
    assert "具体地址我这里没有核实过的" in text
    assert "12351" in text


def test_every_aspect_has_an_honest_way_to_say_that_nothing_is_known() -> None:
    bare = make_article(sections=(Section("misunderstanding", "没签合同也能要工资。", Mark.CERTAIN),))
    for aspect in ASPECTS:
        assert answer(bare, aspect)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"valid_to": date(2026, 11, 21)}, "已经过期"),
        ({"valid_from": date(2026, 11, 23)}, "才施行"),
    ],
)
def test_what_is_not_in_force_today_is_not_served_as_current(values: dict[str, date], said: str) -> None:
    article = make_article(**values)
    made = compose_answer(KNOWLEDGE, article, None, TODAY)
    assert not made.current
    assert said in made.text
    assert article.short not in made.text
    assert made.sources_json() == []


def test_an_article_is_in_force_on_its_first_and_its_last_day() -> None:
    article = make_article(valid_from=TODAY, valid_to=TODAY)
    assert compose_answer(KNOWLEDGE, article, None, TODAY).current


WINTER = Season("12-01", "02-29", "通常在冬天，现在还不是时候。")


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 30), False),
        (date(2026, 12, 1), True),
        (date(2027, 1, 15), True),
        (date(2028, 2, 29), True),
        (date(2027, 3, 1), False),
    ],
)
def test_a_season_may_wrap_the_year(day: date, is_open: bool) -> None:
    assert WINTER.open_on(day) is is_open


def test_a_season_is_open_on_its_first_and_its_last_day() -> None:
    summer = Season("06-01", "09-30", "通常在夏天。")
    opened = [
        day
        for day in ("05-31", "06-01", "09-30", "10-01")
        if summer.open_on(date.fromisoformat(f"2026-{day}"))
    ]
    assert opened == ["06-01", "09-30"]


def test_outside_its_season_an_answer_says_so_first_and_still_gives_what_stays_true() -> None:
    article = make_article(season=WINTER)
    lines = answer(article).splitlines()
    assert lines[:2] == [WINTER.closed_note, article.short]
    assert answer(article, today=date(2026, 12, 24)).splitlines()[0] == article.short


def test_only_what_is_seasonal_is_said_to_be_out_of_season() -> None:
    article = make_article(season=replace(WINTER, aspects=("evidence",)))
    assert WINTER.closed_note in answer(article, "evidence")
    assert WINTER.closed_note not in answer(article)


def test_the_shipped_seasons_open_and_close() -> None:
    assert {topic for topic in SHIPPED if KNOWLEDGE.articles[topic].season} >= {
        "heat.relief", "tuition.aid", "service.hardship",
    }  # fmt: skip
    for topic, opened, closed in (
        ("heat.relief", date(2026, 7, 1), date(2026, 11, 22)),
        ("tuition.aid", date(2026, 8, 1), date(2026, 6, 30)),
    ):
        article = KNOWLEDGE.articles[topic]
        assert article.season is not None
        assert article.season.closed_note not in answer(article, today=opened)
        assert answer(article, today=closed).startswith(article.season.closed_note)


def test_sources_travel_as_the_interfaces_show_them() -> None:
    made = compose_answer(KNOWLEDGE, make_article(), None, TODAY)
    assert made.sources_json() == [{"title": "劳动法", "article": "第五十条", "as_of": "2026-11-22"}]


def test_two_long_sections_are_not_both_read_out() -> None:
    long = tuple(Section(aspect, aspect * 60, Mark.CERTAIN) for aspect in ("steps", "evidence"))
    assert "evidence" not in answer(make_article(sections=long))


# ---- wording


def test_a_sentence_is_filled_in_and_never_said_half() -> None:
    assert KNOWLEDGE.wording.say("case_state.resolved") == "已办结"
    assert "JN-1" in KNOWLEDGE.wording.say("case_notice.start", number="JN-1")
    with pytest.raises(KnowledgeError, match=r"case_notice\.start: needs number"):
        KNOWLEDGE.wording.say("case_notice.start")
    with pytest.raises(KnowledgeError, match=r"no\.such: there is no such wording"):
        KNOWLEDGE.wording.say("no.such")


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (NotFound(), "没有查到"),
        (BadCaseNumber(), "JN-20261122-0031-9"),
        (AttachmentRefused("too large", reason="too_large", limit=10), "10 MB"),
        (AttachmentRefused("odd", reason="a reason nobody worded"), "这个文件收不了"),
        (BadInput("no phone", field="phone"), "手机是 11 位数字"),
        (BadInput("?", field="nothing worded"), "这条内容用不了"),
        (Refusal(), "现在办不了"),
    ],
)
def test_every_refusal_becomes_a_friendly_sentence(refusal: Refusal, said: str) -> None:
    assert said in KNOWLEDGE.wording.refuse(refusal)


STAFF_ONLY = {"not_releasable", "nothing_to_go_back_to", "training_under_way", "job_over"}
"""What no member ever meets is said at the desk alone."""


def test_every_refusal_code_has_its_sentence() -> None:
    said = KNOWLEDGE.wording.keys
    for room in ("attachments", "case_numbers", "cases", "privacy", "model_registry", "training_jobs"):
        importlib.import_module(f"casework.{room}")

    def family(kind: type[Refusal]) -> set[type[Refusal]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    codes = {kind.code for kind in family(Refusal) if kind.__module__.startswith("casework.")}
    assert {code for code in codes - STAFF_ONLY if f"refusal.{code}" not in said} == set()
    at_the_desk = {key.removeprefix("desk.refusal.") for key in said if key.startswith("desk.refusal.")}
    assert all(any(key.startswith(code) for key in at_the_desk) for code in STAFF_ONLY)


def said_keys() -> list[tuple[str, str, frozenset[str] | None]]:
    """Every wording key written in the code as (place, key, names given or None when not to be seen)."""
    found = []
    for room in ("casework", "actions", "bot"):
        for path in sorted((HOME / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                first = node.args[0]
                if name != "say" or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                    continue
                if not re.fullmatch(r"[a-z_]+\.[a-z_.]+", first.value):
                    continue  # domain.yml's utter_* and what the supervisor prints
                given = [keyword.arg for keyword in node.keywords]
                names = None if None in given else frozenset(given)
                found.append((f"{path.relative_to(HOME)}:{node.lineno}", first.value, names))
    return found  # type: ignore[return-value]  # None was ruled out, which mypy does not follow


def test_every_wording_the_code_says_exists_with_the_names_it_is_given() -> None:
    wrong = []
    keys = said_keys()
    for place, key, given in keys:
        if not KNOWLEDGE.wording.has(key):
            wrong.append(f"{place}: {key} is not in wording.yml")
        elif given is not None and not KNOWLEDGE.wording.placeholders(key) <= given:
            wrong.append(f"{place}: {key} needs {KNOWLEDGE.wording.placeholders(key)}, is given {set(given)}")
    assert wrong == []
    assert len(keys) > 5


@pytest.mark.parametrize(
    "content", ["a: {b: 3}", "a: {b: ''}", "a: '{'", "a: '{0}'", "a: '{x.y}'", "[1]", "a: b\na: c"]
)
def test_a_wording_file_that_cannot_be_said_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "wording.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError, match="wording"):
        Wording.load(tmp_path)


# ---- broken files


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped knowledge to break, with one article."""
    root = tmp_path / "knowledge"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("articles", "dictionary"))
    (root / "articles").mkdir()
    sample = {
        "topic": "heat.allowance",
        "title": "防暑降温费",
        "label": "防暑降温费",
        "mark": "V+",
        "short": "企业六到九月发防暑降温费。",
        "sections": [{"aspect": "who", "text": "在岗并正常劳动的企业职工。"}],
        "related": ["heat.stop_work"],
        "sources": [
            {"title": "示例通知", "issuer": "示例机关", "article": None, "as_of": TODAY, "mark": "V+"},
        ],
        "district": "济南市",
        "reviewer": "示例",
        "reviewed_on": TODAY,
        "questions": ["坐办公室有没有？", "几月发？", "饮料能顶吗？"],
        "season": {"opens": "06-01", "closes": "09-30", "closed_note": "6 到 9 月发。", "aspects": ["who"]},
        "case_type": "heat_report",
    }
    write(root / "articles" / "heat_allowance.yml", sample)
    Knowledge.load(root)
    return root


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(content)
    write(path, content)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda a: a.update(sources=[]), "at least one source"),
        (lambda a: a["sources"][0].pop("as_of"), "as_of must be a date"),
        (lambda a: a["sources"][0].update(mark="V0"), "mark must be one of C, V"),
        (lambda a: a.update(mark="V0"), "mark must be one of C, V"),
        (lambda a: a.update(short="长" * 121), "more than 120"),
        (lambda a: a.update(short="【V0】300 元"), "mark of the facts file"),
        (lambda a: a.update(short="拨打 0531-86012345"), "local phone number"),
        (lambda a: a.update(topic="heat.unknown"), "must be heat_unknown.yml"),
        (lambda a: a.update(related=["heat.unknown"]), "no intent belongs to the topic heat.unknown"),
        (lambda a: a.update(related=["heat.allowance"]), "names the topic itself"),
        (lambda a: a.update(sections=[]), "at least one section"),
        (lambda a: a["sections"].append(a["sections"][0].copy()), "the same aspect"),
        (lambda a: a["sections"][0].update(aspect="price"), "aspect must be one of"),
        (lambda a: a["sources"][0].update(mark="C"), "V.* without a source"),
        (lambda a: a.update(case_type="holiday"), "no case type holiday"),
        (lambda a: a.update(valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1)), "valid_from is after"),
        (lambda a: a.update(shrot="misspelt"), "unknown field shrot"),
        (lambda a: a.pop("label"), "label must be a text"),
        (lambda a: a["sources"][0].pop("issuer"), "issuer must be a text"),
        (lambda a: a.pop("district"), "district must be a text"),
        (lambda a: a.pop("reviewer"), "reviewer must be a text"),
        (lambda a: a.pop("reviewed_on"), "reviewed_on must be a date"),
        (lambda a: a.pop("questions"), "3 to 8 questions"),
        (lambda a: a.update(questions=["一个？", "两个？"]), "3 to 8 questions"),
        (lambda a: a.update(questions=["一个？", "两个？", "两个？"]), "stands there twice"),
        (lambda a: a.update(questions=["一个？", "两个？", "长" * 41]), "more than 40"),
        (lambda a: a["season"].update(opens="6-1"), "season.opens must be MM-DD"),
        (lambda a: a["season"].update(closes="13-01"), "season.closes must be MM-DD"),
        (lambda a: a["season"].update(aspects=["amount"]), "which no section answers"),
        (lambda a: a["season"].pop("closed_note"), "closed_note must be a text"),
        (lambda a: a["season"].update(note="x"), "unknown field note"),
    ],
)
def test_an_article_that_breaks_a_rule_is_named(
    copy: Path, edit: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    change(copy / "articles" / "heat_allowance.yml", edit)
    with pytest.raises(KnowledgeError, match=rf"articles/heat_allowance\.yml: article.*{complaint}"):
        Knowledge.load(copy)


@pytest.mark.parametrize(
    ("file", "edit", "complaint"),
    [
        ("intents.yml", lambda c: c["intents"]["greet"].update(kind="chat"), "intents.greet: kind"),
        ("intents.yml", lambda c: c["intents"]["greet"].update(label="谢谢"), "the same label as greet"),
        ("intents.yml", lambda c: c["intents"]["greet"].update(label="长" * 21), "more than 20"),
        ("intents.yml", lambda c: c["intents"]["greet"].update(topic="Greet"), "a topic room.word"),
        (
            "hotlines.yml",
            lambda c: c["hotlines"].update({"053186012345": {"name": "x", "for": "x"}}),
            "short number",
        ),
        ("districts.yml", lambda c: c["districts"][1]["aliases"].append("历下"), "历下 means both"),
        ("districts.yml", lambda c: c["districts"][0].update(confused_with="历区"), "confused_with"),
        ("districts.yml", lambda c: c["zones"][0].update(maybe=["高新区"]), "not official names"),
        ("case_types.yml", lambda c: c["case_types"].pop("general"), "must be a case type general"),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"]["questions"][0].update(slot="salary"),
            r"case_types.general.questions\[1\]: slot must be one of",
        ),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"]["questions"].append({"slot": "story", "required": True}),
            "the same slot twice",
        ),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"]["questions"][0].pop("required"),
            "required must be true or false",
        ),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"]["questions"][0].update(only_for=["heat.report"]),
            "does not lead to this case type",
        ),
        ("case_types.yml", lambda c: c["slots"].pop("wish"), "no label for wish"),
        ("case_types.yml", lambda c: c["case_types"]["general"].update(offer="offer.nothing"), "no wording"),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"].update(default_topic="no.topic"),
            "no intent has the topic no.topic",
        ),
        (
            "case_types.yml",
            lambda c: c["case_types"]["general"].update(topics=["heat.report"]),
            "leads to both general and heat_report",
        ),
    ],
)
def test_a_knowledge_file_that_breaks_a_rule_is_named(
    copy: Path, file: str, edit: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    change(copy / file, edit)
    with pytest.raises(KnowledgeError, match=rf"{re.escape(file)}.*{complaint}"):
        Knowledge.load(copy)


@pytest.mark.parametrize("content", ["a: [", "a: 1\na: 2", "- a", "", "a: !!python/object:os.system {}"])
def test_a_file_that_is_no_strict_yaml_is_named(copy: Path, content: str) -> None:
    (copy / "intents.yml").write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"intents\.yml"):
        Knowledge.load(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "districts.yml").unlink()
    with pytest.raises(KnowledgeError, match=r"districts\.yml: cannot be read"):
        Knowledge.load(copy)
