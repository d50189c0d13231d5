"""The union's words stay whole, in an instance of jieba that nobody else shares."""

from __future__ import annotations

import logging
from pathlib import Path

import jieba
import pytest
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.dictionary import UnionDictionary, lower
from nlu.tokeniser import UnionJiebaTokenizer
from tests.nlu.pipeline import KNOWLEDGE, SmallPipeline, context, settings

DICTIONARY = UnionDictionary.read(KNOWLEDGE / "dictionary" / "union.txt")


def make_tokeniser(folder: Path, content: str) -> UnionJiebaTokenizer:
    folder.mkdir(parents=True, exist_ok=True)
    dictionary = folder / "words.txt"
    dictionary.write_text(content, "utf-8")
    config = settings(UnionJiebaTokenizer, dictionary=str(dictionary))
    resource = Resource("train_UnionJiebaTokenizer")
    storage = LocalModelStorage(folder)
    return UnionJiebaTokenizer.create(config, storage, resource, context(UnionJiebaTokenizer))


def words(tokeniser: UnionJiebaTokenizer, text: str) -> list[str]:
    return [token.text for token in tokeniser.cut(text)]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("我要申请劳动仲裁", "劳动仲裁"),
        ("防暑降温费发多少", "防暑降温费"),
        ("公司未签合同怎么办", "未签合同"),
        ("算不算被迫离职", "被迫离职"),
        ("经济补偿金怎么算", "经济补偿金"),
        ("金秋助学报名", "金秋助学"),
        ("N+1怎么赔", "n+1"),
        ("齐鲁工惠登不上", "齐鲁工惠"),
    ],
)
def test_the_unions_words_stay_whole(small: SmallPipeline, text: str, whole: str) -> None:
    assert whole in words(small.load(UnionJiebaTokenizer), text)


def test_two_instances_do_not_mix_and_the_global_jieba_is_left_alone(tmp_path: Path) -> None:
    invented = "蓝鲸打卡费"
    knows = make_tokeniser(tmp_path / "one", f"{invented} 3000 overtime\n")
    knows_not = make_tokeniser(tmp_path / "two", "劳动仲裁 3000 procedure\n")
    assert words(knows, f"要{invented}") == ["要", invented]
    assert invented not in words(knows_not, f"要{invented}")
    assert invented not in jieba.lcut(f"要{invented}")
    assert invented not in jieba.dt.FREQ
    assert words(knows, f"要{invented}") == ["要", invented]


def test_a_model_keeps_the_dictionary_it_was_trained_with(tmp_path: Path) -> None:
    trained = make_tokeniser(tmp_path, "蓝鲸打卡费 3000 overtime\n")
    trained.train(TrainingData([]))
    (tmp_path / "words.txt").write_text("别的词 10 other\n", "utf-8")
    loaded = UnionJiebaTokenizer.load(
        settings(UnionJiebaTokenizer, dictionary=str(tmp_path / "words.txt")),
        LocalModelStorage(tmp_path),
        Resource("train_UnionJiebaTokenizer"),
        context(UnionJiebaTokenizer),
    )
    assert words(loaded, "要蓝鲸打卡费") == ["要", "蓝鲸打卡费"]


def test_a_changed_dictionary_is_noticed_by_rasas_training_cache(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("劳动仲裁 3000 procedure\n", "utf-8")
    before = UnionJiebaTokenizer.fingerprint_addon({"dictionary": str(path)})
    path.write_text("劳动仲裁 3001 procedure\n", "utf-8")
    assert UnionJiebaTokenizer.fingerprint_addon({"dictionary": str(path)}) != before


def test_a_line_that_breaks_the_format_is_named() -> None:
    with pytest.raises(ValueError, match="line 2"):
        UnionDictionary("劳动仲裁 3000 procedure\n高温费 many heat\n")
    with pytest.raises(ValueError, match="line 1"):
        UnionDictionary("劳动仲裁 3000\n")


def test_jieba_makes_no_noise_and_leaves_no_shared_cache_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with caplog.at_level(logging.DEBUG):
        DICTIONARY.new_jieba().lcut("劳动仲裁")
    assert not [
        record for record in caplog.records if record.levelno < logging.WARNING and "jieba" in record.name
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("老板拖欠工资", "arrears"),
        ("经济不长有多少", "~compensation"),
        ("去仲才", "procedure"),
        ("ldzc咋申请", "procedure"),
        ("tuoqian gongzi", "~arrears"),
        ("jinqiuzhuxue", "~tuition"),
        ("今天吃饭", None),
    ],
)
def test_a_concept_is_known_by_word_by_sound_and_by_initials(text: str, concept: str | None) -> None:
    found = DICTIONARY.concepts(lower(text.replace(" ", "")))
    assert (concept in found) if concept else not found


def test_every_concept_has_several_words_and_every_word_one_concept() -> None:
    concepts = [concept for _, concept in DICTIONARY.words.values()]
    assert len(DICTIONARY.words) >= 300
    assert min(concepts.count(concept) for concept in set(concepts)) >= 5


def test_offsets_hold_for_letters_whose_lower_case_is_longer(small: SmallPipeline) -> None:
    text = "İ拖欠工资"
    assert len(lower(text)) == len(text)
    token = small.load(UnionJiebaTokenizer).cut(text)[-1]
    assert text[token.start : token.end] == token.text


def test_a_payload_is_not_cut(small: SmallPipeline) -> None:
    message = Message({"text": '/inform{"district":"历下区"}'})
    small.load(UnionJiebaTokenizer).process([message])
    assert message.get("text_tokens") is None
