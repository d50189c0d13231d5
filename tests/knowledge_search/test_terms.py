"""What search compares: words of the union's dictionary, characters, sounds, concepts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from casework.errors import KnowledgeError
from casework.knowledge_terms import Lexicon, syllable
from tests.knowledge_search.measure import ROOT


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load(ROOT)


def test_stop_words_and_single_characters_are_no_words(lexicon: Lexicon) -> None:
    assert lexicon.terms("请问我的工资怎么要").words == ("工资",)
    assert not lexicon.terms("那个 怎么 办？！")


def test_words_of_the_unions_dictionary_stay_whole(lexicon: Lexicon) -> None:
    assert "经济补偿金" in lexicon.terms("经济补偿金咋算").words


def test_characters_come_in_twos_and_threes(lexicon: Lexicon) -> None:
    assert set(lexicon.terms("陪产假").grams) == {"陪产", "产假", "陪产假"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("工商认定", "工伤认定"), ("仲才", "仲裁"), ("qianxin", "欠薪"), ("gong shang", "工伤")],
)
def test_what_is_typed_by_its_sound_sounds_like_what_is_meant(
    lexicon: Lexicon, typed: str, meant: str
) -> None:
    assert set(lexicon.terms(typed).sounds) == set(lexicon.terms(meant).sounds) != set()


def test_traditional_characters_are_read_as_simplified_ones(lexicon: Lexicon) -> None:
    assert lexicon.terms("經濟補償金怎麼計算") == lexicon.terms("经济补偿金怎么计算")


def test_typed_pinyin_is_read_as_the_unions_words(lexicon: Lexicon) -> None:
    assert lexicon.terms("qianxin zhongcai").words == ("欠薪", "仲裁")


def test_letters_that_are_no_pinyin_are_left_whole(lexicon: Lexicon) -> None:
    assert "app" in lexicon.terms("app").grams
    assert lexicon.terms("app").sounds == ()


@pytest.mark.parametrize("text", ["拖欠我工资", "没发工资", "白条"])
def test_a_word_stands_for_its_concept(lexicon: Lexicon, text: str) -> None:
    assert "arrears" in lexicon.terms(text).concepts


def test_a_word_that_only_sounds_like_one_is_told_apart(lexicon: Lexicon) -> None:
    concepts = lexicon.terms("拖钱工资").concepts
    assert "~arrears" in concepts
    assert "arrears" not in concepts


def test_wide_letters_and_capitals_are_the_same(lexicon: Lexicon) -> None:
    assert lexicon.terms("Ｎ＋１") == lexicon.terms("n+1")


def test_flat_and_curled_sounds_are_one() -> None:
    assert syllable("是") == syllable("四")
    assert syllable("影") == syllable("引")
    assert syllable("仲") != syllable("裁")


def test_the_global_jieba_knows_nothing_of_it() -> None:
    # In a process of its own: other tests of this one may have used the global one.
    script = (
        "import jieba\n"
        "from casework.knowledge_terms import Lexicon\n"
        "from tests.knowledge_search.measure import ROOT\n"
        "assert Lexicon.load(ROOT).terms('高温津贴').words\n"
        "assert '包工头跑路' not in jieba.dt.FREQ\n"
        "assert not jieba.dt.initialized\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_lexicon_is_read_once(lexicon: Lexicon) -> None:
    assert Lexicon.load(ROOT) is lexicon


def make_folder(root: Path, search: str) -> Path:
    (root / "dictionary").mkdir()
    (root / "dictionary" / "union.txt").write_text("欠薪 1500 arrears\n", encoding="utf-8")
    (root / "search.yml").write_text(search, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("search", "complaint"),
    [
        ("fold: {traditional: 經濟, simplified: 经}\ntopics: {labour.leave: {words: [年假]}}", "length"),
        ("stop_word: [吗]\ntopics: {labour.leave: {words: [年假]}}", "stop_word"),
        ("topics: {labour.wage_arrears: {concepts: [wages]}}", "wages"),
        ("topics: {labour.wage_arrears: {word: [工资]}}", "word"),
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path: Path, search: str, complaint: str) -> None:
    with pytest.raises(KnowledgeError, match=complaint):
        Lexicon.load(make_folder(tmp_path, search))
