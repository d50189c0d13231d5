"""The gold set measures nothing if training has seen it: no gold sentence stands among the training ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.evaluation import read_rows
from nlu.leakage import LEAST_TO_COMPARE, NEAR, grams, leaks, plain
from nlu.validation import MARK, sentences

ROOT = Path(__file__).parents[2]
GOLD = sorted((ROOT / "tests" / "nlu" / "gold").glob("*.jsonl"))


def training() -> Iterator[str]:
    for texts in sentences(ROOT / "data" / "nlu").values():
        for text in texts:
            yield MARK.sub(r"\1", text)


def row(text: str, topic: str = "labour.leave") -> dict[str, Any]:
    return {"text": text, "topic": topic}


def test_no_gold_sentence_is_like_a_training_sentence() -> None:
    assert GOLD
    rows = [one for file in GOLD for one in read_rows(file, topics_needed=False)]
    taught = list(training())
    assert len(rows) > 1000
    assert len(taught) > 5000
    found = leaks(rows, taught)
    assert not found, "gold ↔ training:\n" + "\n".join(map(str, found))


def test_a_training_sentence_slipped_into_the_gold_set_is_found() -> None:
    taught = list(training())
    stolen = next(text for text in taught if len(plain(text)) > 20)
    (leak,) = leaks([row(stolen)], taught)
    assert leak.training == stolen
    assert leak.likeness == 1.0


def test_marks_blanks_case_script_and_width_hide_nothing() -> None:
    (leak,) = leaks([row("老板 拖欠工資，ＫＴＶ不發！")], ["老板拖欠工资ktv不发"])
    assert leak.likeness == 1.0


def test_a_near_copy_is_found_with_the_share_of_grams_it_has_in_common() -> None:
    # 10 characters, 8 grams; the last differs: 7 in common of 9.
    (leak,) = leaks([row("一二三四五六七八九十")], ["一二三四五六七八九零"])
    assert leak.likeness == pytest.approx(7 / 9, abs=1e-4)


def test_a_likeness_under_the_limit_is_none() -> None:
    # 5 grams in common of 11.
    assert leaks([row("一二三四五六七八九十")], ["一二三四五六七百千万"]) == []


def test_the_likest_training_sentence_is_named() -> None:
    (leak,) = leaks([row("一二三四五六七八九十")], ["一二三四五六七八九零", "一二三四五六七八九十百"])
    assert leak.training == "一二三四五六七八九十百"


def test_short_texts_leak_only_word_for_word_and_greetings_and_keywords_never() -> None:
    taught = ["年假有几天啊", "谢谢你啊同志", "年假", "经济补偿怎么算呢"]
    assert [leak.gold for leak in leaks([row("年假有几天啊")], taught)] == ["年假有几天啊"]
    assert leaks([row("年假有几天呢")], taught) == []
    assert leaks([row("谢谢你啊同志", "talk.thanks")], taught) == []
    assert leaks([row("年假")], taught) == []
    assert leaks([row("JN-20261103-0054-1", "case.status")], ["JN-20261103-0054-1"]) == []
    assert len(leaks([row("经济补偿怎么算呢", "talk.bot")], taught)) == 1


@given(st.lists(st.text("甲乙丙丁", min_size=5, max_size=14), max_size=12), st.text("甲乙丙丁", max_size=14))
def test_the_index_finds_what_comparing_with_every_sentence_finds(taught: list[str], text: str) -> None:
    bare = plain(text)
    pieces = grams(bare)
    likenesses = [
        len(pieces & grams(plain(one))) / len(pieces | grams(plain(one))) for one in taught if pieces
    ]
    same = len(bare) > 4 and bare in {plain(one) for one in taught}
    near = len(bare) >= LEAST_TO_COMPARE and max(likenesses, default=0.0) >= NEAR
    assert bool(leaks([row(text)], taught)) == (same or near)


def test_twenty_thousand_sentences_are_compared_in_seconds() -> None:
    rng = random.Random(3)  # noqa: S311  (made-up sentences)
    alphabet = [chr(0x4E00 + number) for number in range(900)]
    taught = ["".join(rng.choices(alphabet, k=24)) for _ in range(20_000)]
    stolen = taught[12_345][:-1]
    (leak,) = leaks([row(text[::-1]) for text in taught[:1000]] + [row(stolen)], taught)
    assert leak.training == taught[12_345]
