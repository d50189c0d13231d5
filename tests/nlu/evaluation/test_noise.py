"""Noise is what it says, the same for the same seed, and its cost is counted in points."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from nlu.evaluation.noise import CHARACTERS_PER_SLIP, KINDS, homophones, typos, without_punctuation
from nlu.evaluation.robustness import RUNS, robustness_figures
from tests.nlu.evaluation.rows import make_reading, make_row

TEXTS = st.text("公司拖欠我三个月工资了怎么办仲裁班长，。！a7 8~🙂", max_size=60)
LONG = "公司拖欠我三个月工资一直没有发给我现在又要把我辞退请问我应该怎么样去申请劳动仲裁"


@pytest.fixture(scope="module", autouse=True)
def dictionaries_are_read() -> None:
    """Read once, so that no example is timed with them."""
    for noise in KINDS.values():
        noise(LONG, 0)


@given(TEXTS, st.integers(0, 99))
def test_every_noise_is_the_same_for_the_same_seed_and_never_empties_a_text(text: str, seed: int) -> None:
    for noise in KINDS.values():
        noisy = noise(text, seed)
        assert noisy == noise(text, seed)
        assert bool(noisy) == bool(text)


def test_another_seed_makes_another_noise() -> None:
    for kind, noise in KINDS.items():
        many = {noise(LONG, seed) for seed in range(20)}
        assert (len(many) > 1) == noise.by_chance, kind


@given(TEXTS, st.integers(0, 99))
def test_homophones_sound_alike_and_leave_everything_but_chinese_alone(text: str, seed: int) -> None:
    noisy = homophones(text, Random(seed))  # noqa: S311  (noise, no secret)
    assert len(noisy) == len(text)
    changed = [(old, new) for old, new in zip(text, noisy, strict=True) if old != new]
    for old, new in changed:
        assert lazy_pinyin(new)[0] in _readings(old)
    han = [char for char in text if "\u4e00" <= char <= "\u9fff"]
    if not {"么", "怎"} & set(han):  # which sound like no other common character
        assert bool(changed) == bool(han)
    assert len(changed) <= max(1, round(len(text) / CHARACTERS_PER_SLIP))


def _readings(char: str) -> list[str]:
    from pypinyin import Style, pinyin

    (readings,) = pinyin(char, style=Style.NORMAL, heteronym=True)
    return readings


def test_one_character_in_twelve_is_changed_and_at_least_one() -> None:
    noisy = homophones(LONG, Random(1))  # noqa: S311  (noise, no secret)
    assert len(LONG) == 40
    assert sum(old != new for old, new in zip(LONG, noisy, strict=True)) == 3
    assert homophones("工资", Random(1)) != "工资"  # noqa: S311  (noise, no secret)


def test_a_homophone_is_chosen_by_the_reading_the_character_has_in_its_word() -> None:
    # 长 is zhǎng here and cháng alone.
    replaced = {homophones("班长", Random(seed))[1] for seed in range(60)} - {"长"}  # noqa: S311
    assert replaced
    assert all("zhang" in _readings(char) for char in replaced)


@given(TEXTS, st.integers(0, 99))
def test_typos_swap_drop_double_or_mistake_but_leave_digits_and_marks(text: str, seed: int) -> None:
    noisy = typos(text, Random(seed))  # noqa: S311  (noise, no secret)
    slips = max(1, round(len(text) / CHARACTERS_PER_SLIP))
    assert abs(len(noisy) - len(text)) <= slips

    def rest(one: str) -> list[str]:
        return [char for char in one if not char.isalpha()]

    assert rest(noisy) == rest(text)


def test_all_four_kinds_of_typo_happen() -> None:
    made = {typos("没末天", Random(seed)) for seed in range(200)}  # noqa: S311  (noise, no secret)
    assert {"末没天", "没天", "没末末天", "没未天", "没末夭"} <= made


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("没发工资，怎么办？", "没发工资怎么办"),
        ("每月4,500.50元。", "每月4,500.50元"),
        ("我 没发 工资！", "我 没发 工资"),
        ("？？？", "？？？"),
    ],
)
def test_marks_are_dropped_but_not_those_of_numbers(text: str, bare: str) -> None:
    assert without_punctuation(text) == bare


def test_traditional_characters_and_pinyin() -> None:
    assert KINDS["traditional"]("劳动仲裁怎么办", 1) == "勞動仲裁怎麼辦"
    assert KINDS["traditional"]("发" * 900, 1) == "發" * 900, "long texts are converted too"
    assert KINDS["pinyin_word"]("仲裁", 1) == "zhongcai"
    assert KINDS["pinyin_word"]("我", 1) == "wo"
    assert KINDS["pinyin_word"]("ok 123", 1) == "ok 123"
    halves = {KINDS["pinyin_word"]("公司仲裁", seed) for seed in range(20)}
    assert halves == {"gongsi仲裁", "公司zhongcai"}


def reader(understands: Callable[[str], str]) -> Callable[[list[str]], list[dict[str, Any]]]:
    return lambda texts: [make_reading(understands(text)) for text in texts]


def test_the_drop_is_counted_in_points_as_the_mean_of_the_runs() -> None:
    rows = [
        make_row("a", text="仲裁"),
        make_row("a", text="工资，多少"),
        make_row("b", text="年假"),
        make_row("b", text="a1"),
    ]
    read = reader(lambda text: "a" if text in {"仲裁", "工资，多少"} else "b")
    asked: list[str] = []
    figures = robustness_figures(rows, read([row["text"] for row in rows]), read, progress=asked.append)
    assert figures["homophones"]["drop_points"] == 50.0
    assert figures["homophones"]["accuracy"] == 0.5
    assert figures["homophones"]["changed"] == 0.75
    assert figures["homophones"]["drops"] == [50.0] * RUNS
    assert figures["punctuation"]["drops"] == [25.0]
    assert figures["punctuation"]["examples"] == [{"text": "工资，多少", "noisy": "工资多少"}]
    assert len(asked) == len(KINDS)


def test_a_mean_is_taken_where_runs_differ_and_a_second_defensible_topic_counts() -> None:
    rows = [make_row("a", text="公司仲裁", alt="b")]
    seen: list[str] = []

    def read(texts: list[str]) -> list[dict[str, Any]]:
        seen.extend(texts)
        return [make_reading("b" if len(seen) < 3 else "c") for _ in texts]

    figures = robustness_figures(rows, [make_reading("a")], read, kinds={"typos": KINDS["typos"]})
    assert figures["typos"]["drops"] == [0.0, 0.0, 100.0]
    assert figures["typos"]["drop_points"] == pytest.approx(33.33)


def test_crises_that_noise_hides_are_counted() -> None:
    rows = [make_row("crisis.violence", text="救命"), make_row("crisis.violence", text="abc")]
    read = reader(lambda text: "crisis.fraud" if text in {"救命", "abc"} else "talk.bot")
    figures = robustness_figures(rows, read(["救命", "abc"]), read)
    assert figures["homophones"]["crisis_recall_drop_points"] == 50.0
