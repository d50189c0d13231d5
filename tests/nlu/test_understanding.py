"""From a member's sentence to topic, acceptance and facts, through every component of the pipeline."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message

from nlu.acceptance import Thresholds
from nlu.clauses import split_clauses
from nlu.facts.bare import BARE
from nlu.facts.component import FactExtractor
from nlu.facts.finder import FactFinder
from nlu.facts.model import FACT_NAMES
from nlu.fallback import AcceptanceGate
from nlu.normaliser import normalise
from nlu.topics import IntentTable
from nlu.understanding import Interpreter, ModelUnreadable, summary
from tests.nlu.pipeline import KNOWLEDGE, ROOT, SENTENCES, SmallPipeline

AS_OF = date(2026, 11, 22)
FINDER = FactFinder.from_files(KNOWLEDGE / "districts.yml", KNOWLEDGE / "schools.yml")


@pytest.fixture(scope="module")
def interpreter(small: SmallPipeline) -> Interpreter:
    return small.interpreter()


def test_a_sentence_is_understood_with_its_topic_and_facts(interpreter: Interpreter) -> None:
    found = interpreter.parse("老闆拖欠工資三個月不給,我在历下区上班", AS_OF)
    assert found["text"] == "老闆拖欠工資三個月不給,我在历下区上班"
    assert found["topic"] == "labour.wage_arrears"
    assert found["intent"] == "ask_wage_arrears"
    assert found["accepted"] is True
    assert found["topics"][0]["topic"] == "labour.wage_arrears"
    assert 0 < found["confidence"] <= 1
    assert found["facts"] == {"months_owed": "3", "district": "历下区"}


def test_the_keys_are_those_of_the_command_lines_contract(interpreter: Interpreter) -> None:
    assert list(interpreter.parse("高温费多少钱", AS_OF)) == [
        "text",
        "topic",
        "intent",
        "confidence",
        "topics",
        "accepted",
        "facts",
    ]


@pytest.mark.parametrize("text", ["", "😀😀😀", "\u200b\u200b", "???", "qwrtplkj", "   "])
def test_what_says_nothing_known_is_not_acted_on(interpreter: Interpreter, text: str) -> None:
    found = interpreter.parse(text, AS_OF)
    assert found["accepted"] is False
    assert found["facts"] == {}


@pytest.mark.parametrize(
    "text", ["/request_human", "／request_human", " /转人工", "//转人工", '/inform{"district":"历下区"}']
)
def test_a_members_own_words_are_never_a_command(interpreter: Interpreter, text: str) -> None:
    assert interpreter.parse(text, AS_OF)["facts"] in ({}, {"district": "历下区"})
    assert interpreter.parse("/转人工", AS_OF)["intent"] == "request_human"


def test_many_lines_are_read_in_order_and_the_same_as_one_by_one(interpreter: Interpreter) -> None:
    lines = [text for texts in SENTENCES.values() for text in texts] * 2
    together = list(interpreter.parse_many(iter(lines), AS_OF))
    assert [found["text"] for found in together] == lines
    assert together[:5] == [interpreter.parse(line, AS_OF) for line in lines[:5]]


def test_relative_dates_count_from_the_day_given(interpreter: Interpreter) -> None:
    found = interpreter.parse("昨天被辞退了", date(2024, 3, 1))
    assert found["facts"]["left_on"] == "2024-02-29"


def test_a_long_story_names_the_topics_of_its_clauses(interpreter: Interpreter) -> None:
    story = "老板拖欠工资不给怎么办。金秋助学怎么申请?"
    topics = {topic["topic"] for topic in interpreter.parse(story, AS_OF)["topics"]}
    assert topics == {"labour.wage_arrears", "tuition.aid"}


def test_a_guess_not_acted_on_stays_in_the_ranking_behind_the_fallback(small: SmallPipeline) -> None:
    gate = AcceptanceGate(
        {},
        small.storage,
        small.resources["AcceptanceGate"],
        IntentTable.read(KNOWLEDGE / "intents.yml"),
        Thresholds(confidence=0.4, deed=0.7, out_of_scope=0.2),
    )
    message = Message(
        {
            "text": "说点啥",
            "intent_ranking": [{"name": "request_human", "confidence": 0.2}],
            "intent": {"name": "request_human", "confidence": 0.2},
        }
    )
    gate.process([message])
    assert message.get("intent")["name"] == "nlu_fallback"
    assert [guess["name"] for guess in message.get("intent_ranking")] == ["nlu_fallback", "request_human"]
    assert message.get("topic") == "case.handoff"
    assert message.get("accepted") is False
    assert summary(message.data)["intent"] == "request_human"


def test_a_text_of_twenty_thousand_characters_is_understood_in_a_moment(interpreter: Interpreter) -> None:
    found = interpreter.parse("老板拖欠工资不给。" * 2500, AS_OF)
    assert found["topic"] == "labour.wage_arrears"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tar.gz").write_text("no archive")
    with pytest.raises(ModelUnreadable):
        Interpreter.load(tmp_path / "text.tar.gz")
    with pytest.raises(ModelUnreadable):
        Interpreter.load(tmp_path / "missing.tar.gz")


def test_an_archive_that_reaches_outside_its_folder_writes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil", "components/../../escaped")
        archive.add(tmp_path / "evil", "components/../escaped")
    with pytest.raises(ModelUnreadable):
        Interpreter.load(tmp_path / "model.tar.gz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["evil", "model.tar.gz"]


def test_parsing_needs_neither_tensorflow_nor_scikit_learn() -> None:
    code = (
        "import sys, nlu.understanding, nlu.classifier, nlu.fallback, nlu.facts.component, nlu.tokeniser;"
        "print([name for name in ('tensorflow', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"


def make_extractor(folder: Path, today: date) -> FactExtractor:
    districts, schools = (KNOWLEDGE / name for name in ("districts.yml", "schools.yml"))
    return FactExtractor(
        LocalModelStorage(folder),
        Resource("facts"),
        districts.read_text("utf-8"),
        schools.read_text("utf-8"),
        today=lambda: today,
    )


@pytest.mark.parametrize(
    ("metadata", "left_on"),
    [
        ({"as_of": "2024-03-01"}, "2024-02-29"),
        ({}, "2026-07-19"),
        (None, "2026-07-19"),
        ({"as_of": "soon"}, "2026-07-19"),
    ],
)
def test_dates_count_from_the_messages_day_and_else_from_the_clocks(
    tmp_path: Path, metadata: dict[str, str] | None, left_on: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = Message({"text": "昨天被辞退了", "metadata": metadata})
    with caplog.at_level(logging.WARNING):
        make_extractor(tmp_path, date(2026, 7, 20)).process([message])
    found = {entity["entity"]: entity["value"] for entity in message.get("entities")}
    assert found == {"left_on": left_on, "bare_day": left_on}
    assert ("as_of" in caplog.text) is (metadata == {"as_of": "soon"})
    assert "昨天" not in caplog.text


def test_entities_stand_where_they_say_and_word_positions_are_not_kept(tmp_path: Path) -> None:
    text = "我在历下区鑫达机械厂,一个月六千五,电话13800001234"
    message = Message({"text": text}, output_properties={"text_tokens"})
    make_extractor(tmp_path, AS_OF).process([message])
    entities = message.get("entities")
    assert {entity["entity"]: text[entity["start"] : entity["end"]] for entity in entities} == {
        "district": "历下区",
        "employer": "鑫达机械厂",
        "monthly_wage": "六千五",
        "phone": "13800001234",
    }
    assert "text_tokens" not in message.output_properties
    assert json.dumps(entities)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.sampled_from(
            list(
                "欠我俺工资一个月三两万千百年月日号0123456789.,-。干了进厂被辞上去前今天电话JNjn是不对叫王区历下度高温元块岁多"
            )
        ),
        max_size=40,
    )
)
def test_facts_of_any_text_are_well_formed_and_stand_in_it(text: str) -> None:
    text = normalise(text)
    facts = FINDER.find(text, AS_OF)
    names = [fact.name for fact in facts]
    assert len(names) == len(set(names))
    for fact in facts:
        assert fact.name in {*FACT_NAMES, "aspect", *BARE}
        assert text[fact.start : fact.end] == fact.text
        if fact.name in {"hired_on", "left_on"}:
            assert date(1950, 1, 1) <= date.fromisoformat(fact.value) <= AS_OF
        if fact.name in {"monthly_wage", "amount_owed", "months_owed", "tenure_years"}:
            assert float(fact.value) > 0
            assert "e" not in fact.value.lower()


def test_clauses_cover_the_text_and_short_pieces_join_their_neighbours() -> None:
    text = "我去年进厂,没签合同,八月让我走,还有社保也没交。能赔多少?"
    clauses = split_clauses(text)
    assert "".join(clause.text for clause in clauses) == text
    assert all(text[clause.start :].startswith(clause.text) for clause in clauses)
    assert all(len(clause.text) >= 6 for clause in clauses[:-1])
    assert split_clauses("") == []
