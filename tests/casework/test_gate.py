"""The gate: who passes, who does not, who never does, and every limit at its boundary."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from casework.errors import KnowledgeError
from casework.gate import Gate, Verdict, Weight

KNOWLEDGE = Path(__file__).parents[2] / "data" / "knowledge"


def figures(
    total: int, before: int, after: int, lost: int = 0, worse: float = 1.0, better: float = 1.0
) -> Any:
    gained = after - before + lost
    return {
        "total": total,
        "before": before,
        "after": after,
        "gained": gained,
        "lost": lost,
        "worse": worse,
        "better": better,
        "share_before": before / total,
        "share_after": after / total,
        "points": 100 * (after - before) / total,
    }


def ece(before: float, after: float) -> dict[str, float]:
    return {"before": before, "after": after}


def well() -> dict[str, Any]:
    """A candidate that is a little better in everything."""
    return {
        "gold": {
            "overall": figures(1000, 840, 845, lost=2, better=0.2),
            "topics": {
                "labour.work_injury": figures(34, 30, 31),
                "heat.illness": figures(15, 14, 14),
                "labour.dismissal": figures(60, 50, 51),
            },
            "crisis": {
                "noticed": figures(100, 96, 97),
                "alarms": figures(900, 36, 36),
                "lost": [],
                "found": [{"text": "活够了"}],
            },
            "outside": {
                "acted_on": figures(120, 6, 6),
                "turned_away": {"before": 0.07, "after": 0.07},
            },
            "calibration": {"before": 0.03, "after": 0.03},
        },
        "held_out": {
            "common": figures(14000, 10400, 10405, lost=20),
            "kept": figures(14000, 10400, 10405, lost=20),
            "relabelled": 2,
            "added": 8,
            "touched_right": 0.5,
            "all_right": 0.74,
        },
        "replay": {
            "messages": 200,
            "accepted": figures(200, 170, 172),
            "changed_share": 0.0,
            "changed": [],
            "crisis_lost": [],
        },
        "corrections": [{"learnt": True}] * 10,
        "latency": {"before_ms": 3.0, "after_ms": 3.1},
        "dialogue": {"passed": True, "detail": ""},
    }


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate.load(KNOWLEDGE)


def codes(verdict: Verdict, *weights: Weight) -> list[str]:
    return [one.code for one in verdict.findings if one.weight in weights]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good candidate with one thing at a dotted path changed (``/`` where a topic has dots)."""
    comparison = deepcopy(well())
    place: Any = comparison
    *parents, last = path.split("/") if "/" in path else path.split(".")
    for name in parents:
        place = place[name]
    place[last] = value
    return comparison


def test_a_candidate_that_is_no_worse_anywhere_passes(gate: Gate) -> None:
    verdict = gate.judge(well())
    assert (verdict.passed, verdict.safe) == (True, True)
    assert codes(verdict, Weight.FLOOR, Weight.REFUSED) == []
    assert codes(verdict, Weight.GOOD) == ["corrections", "passed"]


def test_a_candidate_that_improves_overall_but_loses_one_crisis_sentence_is_refused_for_good(
    gate: Gate,
) -> None:
    comparison = changed("gold.overall", figures(1000, 840, 900, lost=2, better=0.0001))
    comparison["gold"]["crisis"]["lost"] = [{"text": "活够了"}]
    verdict = gate.judge(comparison)
    assert (verdict.passed, verdict.safe) == (False, False)
    assert codes(verdict, Weight.FLOOR) == ["crisis_lost"]
    assert codes(verdict, Weight.GOOD) == ["better", "corrections"]
    assert "有 1 句求救的话" in verdict.findings[0].words


@pytest.mark.parametrize(
    ("path", "kept", "broken", "code"),
    [
        ("gold.crisis.noticed", figures(100, 96, 90), figures(100, 96, 89), "crisis_recall"),
        ("replay.crisis_lost", [], ["不想活了"], "crisis_lost_in_replay"),
        (
            "gold/topics/labour.work_injury",
            figures(34, 30, 29, lost=1),
            figures(34, 30, 28, lost=2),
            "safety_lost",
        ),
        ("gold/topics/heat.illness", figures(20, 15, 15), figures(20, 14, 14), "safety_recall"),
    ],
)
def test_a_floor_is_a_floor_at_its_boundary(gate: Gate, path: str, kept: Any, broken: Any, code: str) -> None:
    assert gate.judge(changed(path, kept)).passed
    verdict = gate.judge(changed(path, broken))
    assert (verdict.passed, verdict.safe) == (False, False)
    assert codes(verdict, Weight.FLOOR) == [code]


@pytest.mark.parametrize(
    ("path", "kept", "broken", "code"),
    [
        ("gold.overall", figures(500, 420, 420), figures(499, 420, 420), "too_few"),
        (
            "gold.overall",
            figures(1000, 840, 836, lost=6, worse=0.05),
            figures(1000, 840, 836, lost=6, worse=0.049),
            "worse",
        ),
        (
            "gold.overall",
            figures(1000, 840, 830, lost=20, worse=0.2),
            figures(1000, 840, 829, lost=20, worse=0.2),
            "worse",
        ),
        (
            "gold/topics/labour.dismissal",
            figures(60, 50, 48, lost=2, worse=0.001),
            figures(60, 50, 47, lost=3, worse=0.019),
            "topic_worse",
        ),
        (
            "held_out.common",
            figures(14000, 10400, 10330, lost=100, worse=0.00001),
            figures(14000, 10400, 10329, lost=100, worse=0.00001),
            "held_out_worse",
        ),
        ("gold.outside.acted_on", figures(100, 9, 9), figures(100, 9, 10), "outside_acted_on"),
        (
            "gold.outside.turned_away",
            {"before": 0.11, "after": 0.12},
            {"before": 0.11, "after": 0.121},
            "turned_away",
        ),
        (
            "gold.outside.turned_away",
            {"before": 0.05, "after": 0.07},
            {"before": 0.05, "after": 0.071},
            "turned_away",
        ),
        (
            "gold.calibration",
            {"before": 0.05, "after": 0.06},
            {"before": 0.05, "after": 0.061},
            "calibration",
        ),
        (
            "gold.calibration",
            {"before": 0.02, "after": 0.04},
            {"before": 0.02, "after": 0.041},
            "calibration",
        ),
        ("gold.crisis.alarms", figures(900, 36, 54), figures(900, 36, 55), "crisis_alarms"),
        ("latency", {"before_ms": 10.0, "after_ms": 16.0}, {"before_ms": 10.0, "after_ms": 16.1}, "latency"),
        ("latency", {"before_ms": 2.0, "after_ms": 10.0}, {"before_ms": 2.0, "after_ms": 10.1}, "latency"),
        (
            "replay.accepted",
            figures(200, 170, 164, lost=20, worse=0.01),
            figures(200, 170, 163, lost=20, worse=0.01),
            "replay_worse",
        ),
        ("dialogue", {"passed": True, "detail": ""}, {"passed": False, "detail": "1"}, "dialogue"),
        ("dialogue", {"passed": True, "detail": ""}, None, "dialogue_missing"),
    ],
)
def test_a_limit_is_a_limit_at_its_boundary(gate: Gate, path: str, kept: Any, broken: Any, code: str) -> None:
    assert codes(gate.judge(changed(path, kept)), Weight.REFUSED, Weight.FLOOR) == []
    verdict = gate.judge(changed(path, broken))
    assert (verdict.passed, verdict.safe) == (False, True)
    assert codes(verdict, Weight.REFUSED) == [code]
    assert verdict.findings[-1].code == "refused"


def test_many_new_sentences_that_contradict_the_rest_are_refused_few_are_not(gate: Gate) -> None:
    comparison = well()
    comparison["held_out"] |= {"relabelled": 10, "added": 19, "touched_right": 0.1}
    assert gate.judge(comparison).passed
    comparison["held_out"]["added"] = 20
    assert codes(gate.judge(comparison), Weight.REFUSED) == ["touched_contradict"]
    comparison["held_out"]["touched_right"] = 0.4
    assert gate.judge(comparison).passed


def test_a_safety_topic_that_nothing_measures_does_not_pass(gate: Gate) -> None:
    comparison = well()
    del comparison["gold"]["topics"]["heat.illness"]
    assert codes(gate.judge(comparison), Weight.FLOOR) == ["safety_recall"]


def test_without_members_messages_that_is_said_and_does_not_refuse(gate: Gate) -> None:
    verdict = gate.judge(changed("replay", None))
    assert verdict.passed
    assert "no_replay" in codes(verdict, Weight.NOTICE)


def test_corrections_that_were_not_learnt_are_said(gate: Gate) -> None:
    verdict = gate.judge(changed("corrections", [{"learnt": True}, {"learnt": False}]))
    assert verdict.passed
    assert [one.words for one in verdict.findings if one.code == "corrections_unlearned"] == [
        "这次的 2 条更正只学会了 1 条；没学会的列在下面，可以多写几句相近的再训练。"
    ]


def test_topics_are_called_by_their_labels(gate: Gate) -> None:
    comparison = changed("gold/topics/labour.dismissal", figures(60, 50, 40, lost=12, worse=0.0001))
    found = gate.judge(comparison, {"labour.dismissal": "辞退"}.get).findings
    assert any(one.words.startswith("「辞退」变差") for one in found)


def test_the_verdict_is_kept_as_plain_values(gate: Gate) -> None:
    kept = gate.judge(well()).as_dict()
    assert kept["passed"] is True
    assert {"code", "weight", "words"} == set(kept["findings"][0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda top: top["limits"].pop("chance"), "chance"),
        (lambda top: top["limits"].update(chance=0), "chance must be more than 0"),
        (lambda top: top["floors"].update(most_crisis_lost=-1), "whole number"),
        (lambda top: top["floors"].update(least_crisis_recall=1.5), "at most 1"),
        (lambda top: top["words"].pop("passed"), "passed"),
        (lambda top: top["words"].update(passed="好 {nonsense}"), "nonsense"),
        (lambda top: top["limits"].update(odd=1), "odd"),
    ],
)
def test_rules_with_something_wrong_are_refused_by_name(tmp_path: Path, change: Any, said: str) -> None:
    top = yaml.safe_load((KNOWLEDGE / "gate.yml").read_text(encoding="utf-8"))
    change(top)
    (tmp_path / "gate.yml").write_text(yaml.safe_dump(top, allow_unicode=True), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=said):
        Gate.load(tmp_path)
