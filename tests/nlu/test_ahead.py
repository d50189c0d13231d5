"""Sentences cut ahead of their turn are cut as the tokeniser would; without them nothing changes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rasa.shared.nlu.training_data.message import Message

from nlu import ahead
from nlu.tokeniser import SAMPLE, UnionJiebaTokenizer
from tests.nlu.pipeline import KNOWLEDGE, SmallPipeline
from tests.nlu.test_tokeniser import make_tokeniser

DICTIONARY = KNOWLEDGE / "dictionary" / "union.txt"
SENTENCES = ["老板拖欠[三个月](amount)工资了", "Ｎ＋１怎麼賠", "您好，防暑降温费发多少"]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[tuple[str, str], object]]:
    monkeypatch.setattr(ahead, "PREPARED", {})
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    yield ahead.PREPARED  # type: ignore[misc]  # what is in it does not matter here
    ahead.wait()


def write(folder: Path, sentences: list[str] = SENTENCES, dictionary: Path = DICTIONARY) -> tuple[Path, Path]:
    config = folder / "config.yml"
    parts = [{"name": "nlu.pipeline.UnionJiebaTokenizer", "dictionary": str(dictionary)}]
    config.write_text(yaml.safe_dump({"pipeline": parts}), "utf-8")
    data = folder / "nlu"
    data.mkdir()
    examples = "".join(f"- {sentence}\n" for sentence in sentences)
    content = {"version": "3.1", "nlu": [{"intent": "ask", "examples": examples}]}
    (data / "ask.yml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return config, data


def test_what_is_cut_ahead_is_what_the_tokeniser_makes_of_it(
    small: SmallPipeline, tmp_path: Path, prepared: dict[tuple[str, str], object]
) -> None:
    component = make_tokeniser(tmp_path / "words", DICTIONARY.read_text("utf-8"))
    texts = ["老板拖欠三个月工资了", "N+1怎么赔", "您好,防暑降温费发多少"]
    cut_in_turn = [Message({"text": text}) for text in texts]
    tokens = [component.tokenize(message, "text") for message in cut_in_turn]
    ahead.start(*write(tmp_path)[:1], [tmp_path / "nlu"])
    ahead.wait()
    assert {text for _, text in prepared} == set(texts)
    again = [Message({"text": text}) for text in texts]
    assert [component.tokenize(message, "text") for message in again] == tokens
    assert [one.get(SAMPLE) for one in again] == [one.get(SAMPLE) for one in cut_in_turn]


def test_another_dictionarys_words_are_not_taken(
    tmp_path: Path, prepared: dict[tuple[str, str], object]
) -> None:
    config, data = write(tmp_path, ["要蓝鲸打卡费"])
    ahead.start(config, [data])
    ahead.wait()
    assert prepared
    other = make_tokeniser(tmp_path / "words", "蓝鲸打卡费 3000 overtime\n")
    assert [token.text for token in other.tokenize(Message({"text": "要蓝鲸打卡费"}), "text")] == [
        "要",
        "蓝鲸打卡费",
    ]


@pytest.mark.parametrize("broken", ["config", "sentences", "dictionary", "nothing there"])
def test_what_cannot_be_cut_ahead_is_left_to_who_needs_it(
    tmp_path: Path, prepared: dict[tuple[str, str], object], caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    caplog.set_level(logging.INFO, logger="nlu.ahead")
    config, data = write(tmp_path, dictionary=tmp_path / "none.txt" if broken == "dictionary" else DICTIONARY)
    if broken == "config":
        config.write_text("pipeline: [{name: WhitespaceTokenizer}]", "utf-8")
    if broken == "sentences":
        (data / "ask.yml").write_text("nlu: [{intent: [", "utf-8")
    if broken == "nothing there":
        config.unlink()
    ahead.start(config, [data])
    ahead.wait()
    assert prepared == {}
    assert "not every sentence was cut ahead of its turn" in caplog.text


def test_on_one_core_nothing_is_begun(
    tmp_path: Path, prepared: dict[tuple[str, str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 1)
    config, data = write(tmp_path)
    ahead.start(config, [data])
    ahead.wait()
    assert prepared == {}


def test_serving_cuts_every_text_itself(small: SmallPipeline) -> None:
    component = small.load(UnionJiebaTokenizer)
    assert ahead.PREPARED == {}
    (message,) = component.process([Message({"text": "公司拖欠工资"})])
    assert message.get(SAMPLE).text == "公司拖欠工资"
