"""``make bench-nlu``: the sample, the labels, the files, the figures and the tables."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.nlu.constants import INTENT, TEXT

from nlu.importer import SentenceImporter
from tests.bench.nlu.__main__ import arguments_of, labelled_task, main
from tests.bench.nlu.figures import TestSet, comparison, difference, side_figures
from tests.bench.nlu.measuring import reading
from tests.bench.nlu.sentences import (
    LEAST_OF_EACH,
    BadFile,
    LabelNames,
    Sentence,
    as_rasa_data,
    read_labelled,
    stratified_sample,
)
from tests.bench.nlu.sides import Side
from tests.bench.nlu.table import format_result
from tests.nlu.bench_rows import make_file, make_found, make_sentences

ODD_LABELS = ["查 天气", "music/play", "a+b", "闹钟+提醒/晚上", "out_of_scope", "nlu_fallback", "{x}"]


# ---------------------------------------------------------------- the sample


def test_a_sample_has_every_label_by_its_share_and_a_few_of_the_rarest() -> None:
    sentences = make_sentences(common=800, usual=195, rare=5)
    counts = Counter(one.label for one in stratified_sample(sentences, 100, seed=1))
    assert counts == {"common": 79, "usual": 18, "rare": LEAST_OF_EACH}


def test_a_label_with_fewer_sentences_than_a_few_gives_all_it_has() -> None:
    counts = Counter(one.label for one in stratified_sample(make_sentences(a=60, b=2), 10, seed=1))
    assert counts == {"a": 8, "b": 2}


def test_the_same_seed_gives_the_same_sample_in_the_order_of_the_data() -> None:
    sentences = make_sentences(a=50, b=50)
    first = stratified_sample(sentences, 20, seed=7)
    assert first == stratified_sample(sentences, 20, seed=7)
    assert first != stratified_sample(sentences, 20, seed=8)
    places = [sentences.index(one) for one in first]
    assert places == sorted(set(places))


def test_a_sample_as_large_as_the_data_is_the_data() -> None:
    sentences = make_sentences(a=4, b=3)
    assert stratified_sample(sentences, 7, seed=1) == sentences


def test_a_sample_too_small_for_its_labels_says_how_many_it_needs() -> None:
    with pytest.raises(ValueError, match="a sample of 5 is too small for 2 labels: 6 or more"):
        stratified_sample(make_sentences(a=9, b=9), 5, seed=1)


# ---------------------------------------------------------------- labels and files


def test_every_label_comes_back_from_a_name_rasa_reads_as_one_intent() -> None:
    names = LabelNames(ODD_LABELS)
    given = [names.name_of(label) for label in ODD_LABELS]
    assert len(set(given)) == len(ODD_LABELS)
    assert all(re.fullmatch(r"label_\d{4}", name) for name in given)
    assert [names.label_of(name) for name in given] == ODD_LABELS
    assert names.label_of("nlu_fallback") is None
    assert names.label_of(None) is None


@pytest.mark.filterwarnings("ignore:NLU data in Rasa JSON format is deprecated")
def test_rasa_reads_a_sentence_as_it_is_whatever_characters_it_has(tmp_path: Path) -> None:
    texts = ["看[这里](url)怎么走", '他说"好"\n然后走了', "- 一二", "{a}: #b", "/help 我"]
    file = tmp_path / "sentences.json"
    file.write_text(as_rasa_data([Sentence(text, "label_0001") for text in texts]), "utf-8")
    examples = SentenceImporter(training_data_paths=[str(file)]).get_nlu_data().training_examples
    assert [(one.get(TEXT), one.get(INTENT)) for one in examples] == [(text, "label_0001") for text in texts]
    assert not any(one.get("entities") for one in examples)


def test_bad_lines_are_refused_with_their_numbers(tmp_path: Path) -> None:
    lines = [
        {"text": "好", "label": "a"},
        "",
        "{text: 好}",
        ["好", "a"],
        {"text": "好"},
        {"text": " ", "label": "a"},
        {"text": "好", "label": 3},
    ]
    with pytest.raises(BadFile) as refused:
        read_labelled(make_file(tmp_path, "bad.jsonl", lines))
    said = str(refused.value)
    assert "line 3: not JSON" in said
    assert "line 4: expected an object" in said
    assert "line 5: label is missing" in said
    assert "line 6: text must be a text that is not empty" in said
    assert "line 7: label must be a text that is not empty, not 3" in said
    assert "line 1:" not in said
    assert "line 2:" not in said


def test_of_very_many_bad_lines_ten_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="and 5 more lines"):
        read_labelled(make_file(tmp_path, "bad.jsonl", ["x"] * 15))


def test_a_line_ends_where_the_file_says_and_not_at_a_separator_inside_a_text(tmp_path: Path) -> None:
    file = make_file(tmp_path, "one.jsonl", [{"text": "上\u2028下", "label": "a"}])
    assert read_labelled(file) == [Sentence("上\u2028下", "a")]


def test_a_file_that_is_empty_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="has no sentences"):
        read_labelled(make_file(tmp_path, "empty.jsonl", []))
    with pytest.raises(BadFile, match="cannot read"):
        read_labelled(tmp_path / "missing.jsonl")


def test_training_lines_of_a_single_label_are_refused(tmp_path: Path) -> None:
    file = make_file(tmp_path, "one.jsonl", [{"text": "好", "label": "a"}])
    with pytest.raises(BadFile, match="one label only"):
        labelled_task(file, file, None, 1)


def test_strange_labels_and_leaked_sentences_are_told(tmp_path: Path) -> None:
    train = make_file(
        tmp_path, "train.jsonl", [{"text": text, "label": text} for text in ("你好", "再见", "谢谢")]
    )
    test = make_file(
        tmp_path, "test.jsonl", [{"text": "你好", "label": "你好"}, {"text": "嗨", "label": "问候"}]
    )
    task = labelled_task(train, test, None, 1)
    assert task.notes[1:] == [
        "1 test labels that the training data does not have: 问候",
        "1 of 2 test sentences are training sentences too",
    ]
    assert [task.topic_of(one.label) for one in task.shared] == ["你好", "再见", "谢谢"]


# ---------------------------------------------------------------- figures and tables


def test_a_refused_guess_is_still_the_guess() -> None:
    ranking = [{"name": "nlu_fallback", "confidence": 0.3}, {"name": "ask_leave", "confidence": 0.2}]
    refused = {"intent": ranking[0], "intent_ranking": ranking}
    assert reading(refused) == {"intent": "ask_leave", "confidence": 0.2, "accepted": False}
    taken = {"intent": ranking[1], "intent_ranking": ranking[1:]}
    assert reading(taken) == {"intent": "ask_leave", "confidence": 0.2, "accepted": True}
    nothing = {"intent": {"name": None, "confidence": 0.0}}
    assert reading(nothing) == {"intent": None, "confidence": 0.0, "accepted": False}


ROWS = [
    {"text": "一", "topic": "labour.leave"},
    {"text": "二", "topic": "labour.leave", "alt": "labour.overtime"},
    {"text": "三", "topic": "talk.out_of_scope"},
    {"text": "四", "topic": "talk.out_of_scope"},
]
TOPICS = {
    "ask_leave": "labour.leave",
    "ask_overtime": "labour.overtime",
    "out_of_scope": "talk.out_of_scope",
}


def topic_of(intent: str | None) -> str | None:
    return TOPICS.get(intent or "")


def make_figures(kind: Any, name: str, *intents: str | None, **more: Any) -> dict[str, Any]:
    side = Side(kind, name, "", make_sentences(a=3, b=2))
    return side_figures(side, make_found(intents, **more), [TestSet("gold", ROWS)], topic_of, 1)


def test_quality_counts_alternatives_and_what_each_gate_refuses() -> None:
    figures = make_figures(
        "ours", "ours", "ask_leave", "ask_overtime", "out_of_scope", "ask_leave", refused=[0]
    )
    gold = figures["quality"]["gold"]
    assert gold["accuracy"] == 0.75
    assert gold["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2, abs=1e-3)
    assert gold["out_of_scope"]["answered_wrongly"] == 0.5
    assert gold["out_of_scope"]["in_scope_turned_away"] == 0.5
    assert figures["right"]["gold"] == [True, True, True, False]
    assert (figures["training_sentences"], figures["classes"]) == (5, 2)
    assert figures["parse_ms"] == {"p50": 2.5, "p99": 3.97, "sentences": 4}


def test_the_difference_of_two_sides_is_drawn_in_pairs() -> None:
    ours, theirs = [True] * 60 + [False] * 40, [True] * 50 + [False] * 50
    found = difference(ours, theirs, seed=1)
    assert found["points"] == 10.0
    assert (found["only_ours_right"], found["only_theirs_right"]) == (10, 0)
    low, high = found["interval"]
    assert 4 <= low < 10 < high <= 17  # unpaired it would reach below 0
    assert difference(ours, ours, seed=1)["interval"] == [0.0, 0.0]
    with pytest.raises(ValueError, match="the same sentences"):
        difference(ours, theirs[1:], seed=1)


def test_the_tables_show_both_sides_their_ratios_and_the_points_between_them() -> None:
    ours = make_figures("ours", "ours", "ask_leave", "ask_overtime", "out_of_scope", "out_of_scope")
    stock = make_figures("stock", "stock", "ask_leave", None, "ask_leave", "ask_leave", training_s=300.0)
    result = {
        "when": "2026-11-22T08:00:00+00:00",
        "machine": {"cores": 2, "memory_gib": 24.0, "load": 0.25},
        "versions": {"rasa": "3.6.21"},
        "seeds": {"sample": 1},
        "data": ["data/nlu, 5 sentences"],
        "trial_epochs": 5,
        "sides": [ours, stock],
        "comparisons": [comparison(ours, stock, 1)],
    }
    text = format_result(result)
    assert text.startswith("A TRIAL: stock Rasa's DIET had 5 epochs instead of 100.")
    assert "2 cores, 24 GiB, load average 0.25" in text
    assert "| what it costs | ours | stock | stock/ours |" in text
    assert "| training, s (processes' start included) | 12.0 | 300 | 25.00 |" in text
    assert "| gold: 4 sentences | ours | stock |" in text
    assert "| out of scope acted on (2 sentences) | 0.0 % | 100.0 % |" in text
    assert "gold: ours +75.0 points of accuracy over stock [" in text
    assert "TRIAL" not in format_result({**result, "trial_epochs": None})
    widths = [line.count("|") for line in text.splitlines() if "stock/ours" in line or "training, s" in line]
    assert widths == [5, 5]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--train", "a.jsonl"], "belong together"),
        (["--full", "--sample", "9"], "--full takes no --sample"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--sample", "-1"], "--sample must be at least 1"),
        (["--train", "a", "--test", "b", "--real", "c"], "--real is for our own data"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    given: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        arguments_of(given)
    assert complaint in capsys.readouterr().err


def test_a_bad_file_ends_the_run_before_anything_is_trained(tmp_path: Path) -> None:
    bad = make_file(tmp_path, "bad.jsonl", ["{"])
    with pytest.raises(SystemExit, match=r"(?s)nothing was measured: .*line 1: not JSON"):
        main(["--train", str(bad), "--test", str(bad), "--out", str(tmp_path / "out.json")])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.jsonl"]
