"""``make bench-nlu``: which sides are run, what is kept of them, and a small real run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bench.nlu.__main__ import Task, main, run, sides_of, union_task
from tests.bench.nlu.figures import TestSet
from tests.bench.nlu.sides import RunFailed, Side, stock_config, trained
from tests.nlu.bench_rows import make_file, make_found, make_sentences


def test_by_default_both_sides_get_the_sample_and_ours_everything_too() -> None:
    task = union_task(300, 1, None)
    sides = sides_of(task, None, 1, None)
    assert [(side.name, len(side.sentences)) for side in sides] == [
        ("ours", 300),
        ("ours, everything", len(task.everything)),
        ("stock", 300),
    ]
    assert sides[0].sentences == sides[2].sentences
    assert {one.label for one in task.shared} == {one.label for one in task.everything}
    known = {task.topic_of(one.label) for one in task.everything}
    assert None not in known
    assert {row["topic"] for row in task.tests[0].rows} <= known


def test_with_everything_asked_for_both_sides_get_everything() -> None:
    task = union_task(None, 1, None)
    sides = sides_of(task, None, 1, None)
    assert [(side.name, len(side.sentences)) for side in sides] == [
        ("ours", len(task.everything)),
        ("stock", len(task.everything)),
    ]
    assert [side.kind for side in sides_of(task, "ours", 1, None)] == ["ours"]
    assert [side.kind for side in sides_of(task, "stock", 1, None)] == ["stock"]


def test_real_messages_are_a_test_of_their_own_and_a_missing_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = make_file(tmp_path, "real.jsonl", [{"text": "工资没发", "topic": "labour.wage_arrears"}])
    assert [test.name for test in union_task(300, 1, real).tests] == ["gold", "real"]
    assert [test.name for test in union_task(300, 1, tmp_path / "none.jsonl").tests] == ["gold"]
    assert "none.jsonl: the gold set only" in capsys.readouterr().err


def test_stock_rasa_is_what_a_rasa_user_would_start_from() -> None:
    config = yaml.safe_load(stock_config(seed=3))
    names = [component["name"] for component in config["pipeline"]]
    assert names == [
        "JiebaTokenizer",
        "CountVectorsFeaturizer",
        "CountVectorsFeaturizer",
        "DIETClassifier",
        "FallbackClassifier",
    ]
    characters, diet, fallback = config["pipeline"][2:]
    assert (characters["analyzer"], characters["min_ngram"], characters["max_ngram"]) == ("char_wb", 1, 4)
    assert (diet["epochs"], diet["random_seed"]) == (100, 3)
    assert (fallback["threshold"], fallback["ambiguity_threshold"]) == (0.3, 0.1)
    assert yaml.safe_load(stock_config(seed=3, epochs=5))["pipeline"][3]["epochs"] == 5


def test_what_is_kept_of_a_side_goes_by_its_sentences_and_its_configuration() -> None:
    sentences = make_sentences(a=2, b=2)
    kept_as = Side("stock", "stock", stock_config(1), sentences).digest()
    assert Side("stock", "another name", stock_config(1), sentences).digest() == kept_as
    assert Side("stock", "stock", stock_config(2), sentences).digest() != kept_as
    assert Side("stock", "stock", stock_config(1), sentences[1:]).digest() != kept_as
    assert Side("ours", "stock", stock_config(1), sentences).digest() != kept_as


class ScriptedSide(Side):
    """A side whose training is a line of Python."""

    script = "open('model.tar.gz', 'w').write('model'); open('times', 'a').write('x')"

    def command(self, folder: Path) -> tuple[list[str], Path]:
        return [sys.executable, "-c", self.script], folder


class BrokenSide(ScriptedSide):
    script = "open('model.tar.gz', 'w').write('half'); raise SystemExit(3)"


def test_a_finished_training_is_not_done_again_unless_it_is_asked_for(tmp_path: Path) -> None:
    side = ScriptedSide("stock", "stock", "pipeline: []", make_sentences(a=1))
    folder = trained(side, tmp_path)
    assert trained(side, tmp_path) == folder
    assert (folder / "times").read_text() == "x"
    training = json.loads((folder / "training.json").read_text())
    assert training["model_mb"] == pytest.approx(5e-6)
    assert training["digest"] == side.digest()
    trained(side, tmp_path, anew=True)
    assert (folder / "times").read_text() == "xx"


def test_a_training_that_failed_is_done_again_the_next_time(tmp_path: Path) -> None:
    sentences = make_sentences(a=1)
    for _ in range(2):
        with pytest.raises(RunFailed, match="ended with 3"):
            trained(BrokenSide("stock", "stock", "pipeline: []", sentences), tmp_path)
    folder = trained(ScriptedSide("stock", "stock", "pipeline: []", sentences), tmp_path)
    assert (folder / "times").read_text() == "x"


def test_code_edited_while_it_is_measured_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    still, edited = (
        ScriptedSide("stock", name, "", make_sentences(a=1, b=1)) for name in ("still", "edited")
    )
    task = Task([], [], [TestSet("gold", [{"text": "一", "topic": "a"}])], lambda intent: intent, ["data"])

    def measured(side: Side, folder: Path, texts: Sequence[str], *, anew: bool) -> dict[str, Any]:
        assert (folder / "model.tar.gz").is_file()
        return make_found(["a"], digest=side.digest() if side is still else "as it was before")

    monkeypatch.setattr("tests.bench.nlu.__main__.measured", measured)
    result = run(task, [still, edited], tmp_path, seed=1, epochs=None, anew=False)
    told = "edited: its code or knowledge was edited while it was trained or measured"
    assert result["data"] == ["data", told]
    assert told in capsys.readouterr().err
    assert [side["quality"]["gold"]["accuracy"] for side in result["sides"]] == [1.0, 1.0]


# ---------------------------------------------------------------- the real thing

SPOKEN = {
    "查 天气": ["明天会下雨吗", "济南今天多少度", "周末天气怎么样", "外面冷不冷", "要不要带伞"],
    "music/play": ["放一首周杰伦的歌", "我想听音乐", "来点轻音乐", "播放昨天那首歌", "换一首歌听"],
    "闹钟+提醒": ["七点叫我起床", "定个闹钟", "提醒我下午开会", "十分钟后叫我", "取消明天的闹钟"],
    "问 候/a+b": ["你好呀", "早上好", "在不在", "晚上好啊", "嗨，好久不见"],
}


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_both_sides_are_trained_and_measured_on_any_labels_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = make_file(
        tmp_path,
        "train.jsonl",
        [{"text": text, "label": label} for label, texts in SPOKEN.items() for text in texts],
    )
    questions = [*((texts[0], label) for label, texts in SPOKEN.items()), ("/唱[一](x)首", "music/play")]
    test = make_file(tmp_path, "test.jsonl", [{"text": text, "label": label} for text, label in questions])
    out = tmp_path / "bench" / "nlu.json"
    command = ["--train", str(train), "--test", str(test), "--epochs", "1", "--out", str(out)]
    main(command)
    first = json.loads(out.read_text("utf-8"))
    assert "| training sentences (classes) | 20 (4) | 20 (4) |  |" in capsys.readouterr().out
    ours, stock = first["sides"]
    assert (ours["side"], stock["side"]) == ("ours", "stock")
    assert ours["quality"]["test"]["accuracy"] >= 0.8  # four of the five were trained on
    assert set(stock["quality"]["test"]["per_topic"]) <= set(SPOKEN)
    for side in (ours, stock):
        assert side["training_s"] > 1
        assert 0 < side["parse_ms"]["p50"] <= side["parse_ms"]["p99"]
        assert side["memory_mb"]["loaded"] > 100
        assert side["model_mb"] > 0
        assert side["quality"]["test"]["sentences"] == len(questions)
    (compared,) = first["comparisons"]
    assert compared["ratios"]["training_s"] > 1

    main([*command, "--only", "stock"])
    again = json.loads(out.read_text("utf-8"))
    assert capsys.readouterr().err.count("trained before, kept in stock-") == 1
    assert again["sides"] == [stock]
