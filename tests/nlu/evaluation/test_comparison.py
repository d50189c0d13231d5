"""Two models side by side: what was gained and lost, and whether chance does that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu.evaluation.comparison import (
    compare_corrections,
    compare_held_out,
    compare_on_gold,
    compare_replay,
)
from nlu.evaluation.held_out import HeldOut, read_held_out
from nlu.evaluation.paired import at_least, difference_interval, paired
from nlu.network import keys_of
from tests.nlu.evaluation.rows import heard_by_model, heard_by_rule, make_reading, make_row
from tests.nlu.pipeline import train


def test_only_what_two_models_differ_on_counts() -> None:
    found = paired([True] * 90 + [False] * 10, [True] * 89 + [False] + [True] * 5 + [False] * 5)
    assert (found.total, found.before, found.after, found.gained, found.lost) == (100, 90, 94, 5, 1)
    # Six tosses of a coin: five heads or more come in 7 of 64, one or more in 63.
    assert found.better == pytest.approx(7 / 64, abs=1e-6)
    assert found.worse == pytest.approx(63 / 64, abs=1e-6)
    assert found.as_dict()["points"] == 4.0


def test_two_models_that_agree_differ_by_chance_for_sure() -> None:
    assert paired([True, False], [True, False]).worse == 1.0
    assert at_least(0, 0) == 1.0
    assert paired([], []).as_dict()["share_after"] == 0.0


def test_lists_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired([True], [])


def test_the_interval_of_a_difference_holds_it_and_is_the_same_each_time() -> None:
    before, after = [True] * 800 + [False] * 200, [True] * 780 + [False] * 20 + [True] * 50 + [False] * 150
    low, high = difference_interval(before, after)
    assert low < 3.0 < high
    assert high - low < 4
    assert [low, high] == difference_interval(before, after)
    assert difference_interval([], []) == [0.0, 0.0]


def test_every_sentence_that_changed_is_listed_on_its_side() -> None:
    rows = [make_row("labour.leave", text=f"假{i}") for i in range(3)] + [
        make_row("labour.overtime", text="班")
    ]
    before = [heard_by_model(), heard_by_model(topic="talk.greet"), heard_by_model(), heard_by_model()]
    after = [heard_by_model(), heard_by_model(), heard_by_model(topic="labour.other"), heard_by_model()]
    found = compare_on_gold(rows, before, after)
    assert [one["text"] for one in found["to_right"]] == ["假1"]
    assert [(one["text"], one["after"]) for one in found["to_wrong"]] == [("假2", "labour.other")]
    assert found["topics"]["labour.leave"]["gained"] == 1
    assert found["topics"]["labour.overtime"]["before"] == 0


def test_a_second_defensible_topic_is_right_on_both_sides() -> None:
    rows = [make_row("labour.leave", alt=["labour.overtime"])]
    found = compare_on_gold(rows, [heard_by_model()], [heard_by_model(topic="labour.overtime")])
    assert (found["overall"]["gained"], found["overall"]["lost"]) == (0, 0)


def test_a_crisis_is_lost_where_neither_rules_nor_model_notice_it_any_more() -> None:
    rows = [make_row("crisis.self_harm", text=name) for name in ("甲", "乙", "丙")]
    quiet = heard_by_model(topic="labour.leave")
    heard = heard_by_model(topic="crisis.self_harm")
    ruled = heard_by_rule("self_harm", make_reading("labour.leave"))
    found = compare_on_gold(rows, [heard, ruled, quiet], [quiet, ruled, heard])["crisis"]
    assert [one["text"] for one in found["lost"]] == ["甲"]
    assert [one["text"] for one in found["found"]] == ["丙"]
    assert found["noticed"]["after"] == 2


def test_an_alarm_where_nobody_is_in_danger_is_counted() -> None:
    rows = [make_row("labour.leave"), make_row("labour.leave", topics=["labour.leave", "crisis.medical"])]
    alarm = heard_by_model(topic="crisis.medical")
    found = compare_on_gold(rows, [heard_by_model(), heard_by_model()], [alarm, alarm])["crisis"]["alarms"]
    assert (found["total"], found["before"], found["after"]) == (1, 0, 1)


def test_what_is_none_of_ours_and_acted_on_counts_as_acted_on() -> None:
    rows = [make_row("talk.out_of_scope")] * 3
    away = heard_by_model(topic="talk.out_of_scope")
    unsure = heard_by_model(topic="labour.leave", accepted=False)
    found = compare_on_gold(rows, [away, unsure, unsure], [away, heard_by_model(), unsure])["outside"]
    assert (found["acted_on"]["before"], found["acted_on"]["after"], found["acted_on"]["gained"]) == (0, 1, 1)


def held_out(**guesses: tuple[str, str]) -> HeldOut:
    pairs = list(guesses.values())
    return HeldOut(keys_of(list(guesses)), [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def test_wrong_labels_show_in_the_held_out_readings_of_their_neighbours() -> None:
    before = held_out(a=("x", "x"), b=("x", "x"), c=("y", "y"), d=("y", "x"))
    after = held_out(a=("x", "y"), b=("y", "x"), c=("y", "y"), e=("x", "x"), f=("x", "y"))
    found = compare_held_out(before, after, lambda intent: intent)
    assert found is not None
    assert (found["common"]["total"], found["common"]["lost"], found["kept"]["lost"]) == (3, 2, 1)
    assert (found["relabelled"], found["added"], found["touched_right"]) == (1, 2, 0.3333)


def test_intents_of_one_topic_do_not_contradict_each_other() -> None:
    before, after = held_out(a=("ask", "ask")), held_out(a=("ask", "request"))
    found = compare_held_out(before, after, lambda intent: "tuition")
    assert found is not None
    assert found["common"]["lost"] == 0


def test_without_held_out_readings_there_is_nothing_to_compare() -> None:
    assert compare_held_out(None, held_out(a=("x", "x")), lambda intent: intent) is None


def test_a_message_changes_where_a_member_would_notice_it() -> None:
    unsure = make_reading("labour.leave", accepted=False)
    before = [make_reading(), unsure, make_reading(), make_reading("crisis.medical")]
    after = [make_reading(), make_reading("talk.bot", accepted=False), unsure, make_reading("labour.other")]
    found = compare_replay(["甲", "乙", "丙", "丁"], before, after)
    assert [one["text"] for one in found["changed"]] == ["丙", "丁"]
    assert found["crisis_lost"] == ["丁"]
    assert (found["accepted"]["before"], found["accepted"]["after"]) == (3, 2)


def test_a_correction_is_learnt_when_it_is_read_as_its_topic() -> None:
    rows = [{"text": "甲", "intent": "ask_leave", "topic": "labour.leave"}]
    found = compare_corrections(rows, [make_reading("talk.bot")], [make_reading()])
    assert found == [
        {
            "text": "甲",
            "intent": "ask_leave",
            "topic": "labour.leave",
            "before": "talk.bot",
            "after": "labour.leave",
            "learnt": True,
        }
    ]


def test_a_model_keeps_what_held_out_models_said_of_each_sentence(tmp_path: Path) -> None:
    import tarfile

    pipeline = train(tmp_path / "parts")
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "parts", "components")
    found = read_held_out(archive)
    assert found is not None
    by_key = found.readings()
    said = {message.get("text"): message.get("intent") for message in pipeline.examples}
    intents = {text: by_key[int(key)][0] for text, key in zip(said, keys_of(list(said)), strict=True)}
    assert intents == said
    right = np.mean([intent == guess for intent, guess in by_key.values()])
    assert 0.2 < right < 1.0


def test_an_archive_without_them_has_none(tmp_path: Path) -> None:
    import tarfile

    (tmp_path / "classes.json").write_text("[]")
    with tarfile.open(tmp_path / "old.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "classes.json", "components/train_X/classes.json")
    assert read_held_out(tmp_path / "old.tar.gz") is None
