"""Gate: whether a newly trained model may answer members instead of the present one, and why in plain words.

It judges a comparison (``nlu.evaluation.comparison``: both models on the same sentences in one run) by the
limits of ``gate.yml``. Safety floors cannot be overridden; everything else a supervisor may, in writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from casework.gate_rules import Floors, GateRules, Limits


class Weight(StrEnum):
    """What a finding means for the verdict."""

    FLOOR = "floor"
    """Refused, and nobody may override it."""
    REFUSED = "refused"
    NOTICE = "notice"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Finding:
    """Finding: one thing the gate says about a candidate, in words."""

    code: str
    weight: Weight
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict: whether the candidate passed, whether it keeps the floors, and every finding."""

    passed: bool
    safe: bool
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """The verdict as plain values, to be kept with the version."""
        return {
            "passed": self.passed,
            "safe": self.safe,
            "findings": [
                {"code": one.code, "weight": one.weight.value, "words": one.words} for one in self.findings
            ],
        }


class Gate:
    """Gate: judges a comparison of two models by the rules."""

    def __init__(self, rules: GateRules) -> None:
        self.floors: Floors = rules.floors
        self.limits: Limits = rules.limits
        self._words = rules.words

    @classmethod
    def load(cls, root: Path) -> Gate:
        """Read ``gate.yml`` of a knowledge folder; raises KnowledgeError naming the entry at fault."""
        return cls(GateRules.load(root))

    def judge(
        self, comparison: Mapping[str, Any], topic_label: Callable[[str], str] = lambda topic: topic
    ) -> Verdict:
        """Judge a comparison: ``gold``, ``held_out``, ``replay``, ``corrections``, ``latency``, ``dialogue``.

        What was not measured (None) is said where it matters, and refuses where the verdict hangs on it.
        """
        findings = [
            *self._crisis(comparison),
            *self._safety_topics(comparison["gold"], topic_label),
            *self._overall(comparison["gold"]),
            *self._topics(comparison["gold"], topic_label),
            *self._training_data(comparison.get("held_out")),
            *self._outside(comparison["gold"]),
            *self._service(comparison),
            *self._replay(comparison.get("replay")),
            *self._corrections(comparison.get("corrections") or ()),
        ]
        safe = all(one.weight is not Weight.FLOOR for one in findings)
        passed = safe and all(one.weight is not Weight.REFUSED for one in findings)
        last = self._say("passed", Weight.GOOD) if passed else self._say("refused", Weight.NOTICE)
        return Verdict(passed, safe, (*findings, last))

    def _crisis(self, comparison: Mapping[str, Any]) -> Iterator[Finding]:
        crisis = comparison["gold"]["crisis"]
        if len(crisis["lost"]) > self.floors.most_crisis_lost:
            yield self._say("crisis_lost", Weight.FLOOR, count=len(crisis["lost"]))
        recall = crisis["noticed"]["share_after"]
        if recall < self.floors.least_crisis_recall:
            least = _percent(self.floors.least_crisis_recall)
            yield self._say("crisis_recall", Weight.FLOOR, recall=_percent(recall), least=least)
        alarms = crisis["alarms"]
        if alarms["share_after"] > self.limits.most_crisis_alarms:
            yield self._say(
                "crisis_alarms",
                Weight.REFUSED,
                before=_percent(alarms["share_before"]),
                after=_percent(alarms["share_after"]),
                most=_percent(self.limits.most_crisis_alarms),
            )
        lost = (comparison.get("replay") or {}).get("crisis_lost") or ()
        if len(lost) > self.floors.most_crisis_lost_in_replay:
            yield self._say("crisis_lost_in_replay", Weight.FLOOR, count=len(lost))

    def _safety_topics(self, gold: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[Finding]:
        for topic, floor in self.floors.topics.items():
            figures = gold["topics"].get(topic)
            if figures is None:
                yield self._say(
                    "safety_recall",
                    Weight.FLOOR,
                    topic=label(topic),
                    recall="—",
                    least=_percent(floor.least_recall),
                )
                continue
            if figures["lost"] - figures["gained"] > floor.most_net_lost:
                yield self._say(
                    "safety_lost",
                    Weight.FLOOR,
                    topic=label(topic),
                    lost=figures["lost"],
                    gained=figures["gained"],
                )
            if figures["share_after"] < floor.least_recall:
                yield self._say(
                    "safety_recall",
                    Weight.FLOOR,
                    topic=label(topic),
                    recall=_percent(figures["share_after"]),
                    least=_percent(floor.least_recall),
                )

    def _overall(self, gold: Mapping[str, Any]) -> Iterator[Finding]:
        overall = gold["overall"]
        if overall["total"] < self.limits.least_sentences:
            least = f"{self.limits.least_sentences:g}"
            yield self._say("too_few", Weight.REFUSED, total=overall["total"], least=least)
        values = {
            "total": overall["total"],
            "gained": overall["gained"],
            "lost": overall["lost"],
            "before": _percent(overall["share_before"]),
            "after": _percent(overall["share_after"]),
        }
        worse_by_chance = overall["lost"] > overall["gained"] and overall["worse"] < self.limits.chance
        if worse_by_chance or -overall["points"] > self.limits.most_points_lost:
            yield self._say("worse", Weight.REFUSED, **values)
        elif overall["gained"] > overall["lost"] and overall["better"] < self.limits.chance:
            yield self._say("better", Weight.GOOD, **values)
        else:
            yield self._say("same", Weight.NOTICE, **values)

    def _topics(self, gold: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[Finding]:
        for topic, figures in gold["topics"].items():
            net = figures["lost"] - figures["gained"]
            if net >= self.limits.topic_most_net_lost and figures["worse"] < self.limits.topic_chance:
                yield self._say(
                    "topic_worse",
                    Weight.REFUSED,
                    topic=label(topic),
                    total=figures["total"],
                    lost=figures["lost"],
                    gained=figures["gained"],
                )

    def _training_data(self, held_out: Mapping[str, Any] | None) -> Iterator[Finding]:
        if held_out is None:
            return
        common = held_out["common"]
        if (
            -common["points"] > self.limits.held_out_most_points_lost
            and common["worse"] < self.limits.held_out_chance
        ):
            yield self._say(
                "held_out_worse",
                Weight.REFUSED,
                total=common["total"],
                lost=common["lost"],
                gained=common["gained"],
            )
        touched = held_out["relabelled"] + held_out["added"]
        if (
            touched >= self.limits.touched_least
            and held_out["touched_right"] < self.limits.touched_least_right
        ):
            share = _percent(held_out["touched_right"])
            yield self._say("touched_contradict", Weight.REFUSED, count=touched, share=share)

    def _outside(self, gold: Mapping[str, Any]) -> Iterator[Finding]:
        outside = gold["outside"]
        acted_on = outside["acted_on"]
        rose = acted_on["gained"] > acted_on["lost"] and acted_on["better"] < self.limits.chance
        if acted_on["share_after"] > self.limits.most_outside_acted_on or rose:
            yield self._say(
                "outside_acted_on",
                Weight.REFUSED,
                share=_percent(acted_on["share_after"]),
                most=_percent(self.limits.most_outside_acted_on),
            )
        away, before = outside["turned_away"]["after"], outside["turned_away"]["before"]
        rise = round(100 * (away - before), 6)
        if away > self.limits.most_turned_away or rise > self.limits.most_turned_away_points:
            yield self._say(
                "turned_away",
                Weight.REFUSED,
                share=_percent(away),
                before=_percent(before),
                most=_percent(self.limits.most_turned_away),
            )

    def _service(self, comparison: Mapping[str, Any]) -> Iterator[Finding]:
        """Confidence that means what it says, speed, and dialogues that still go as written."""
        error = comparison["gold"]["calibration"]
        if (
            error["after"] > self.limits.most_calibration_error
            or round(error["after"] - error["before"], 6) > self.limits.most_calibration_error_more
        ):
            before, after = _percent(error["before"]), _percent(error["after"])
            yield self._say("calibration", Weight.REFUSED, before=before, after=after)
        latency = comparison.get("latency")
        if latency is not None and latency["after_ms"] > max(
            self.limits.fast_enough_ms, latency["before_ms"] * self.limits.most_latency_ratio
        ):
            yield self._say(
                "latency",
                Weight.REFUSED,
                before=f"{latency['before_ms']:.1f}",
                after=f"{latency['after_ms']:.1f}",
            )
        dialogue = comparison.get("dialogue")
        if dialogue is None:
            yield self._say("dialogue_missing", Weight.REFUSED)
        elif not dialogue["passed"]:
            yield self._say("dialogue", Weight.REFUSED, detail=dialogue["detail"])

    def _replay(self, replay: Mapping[str, Any] | None) -> Iterator[Finding]:
        if replay is None or not replay["messages"]:
            yield self._say("no_replay", Weight.NOTICE)
            return
        accepted = replay["accepted"]
        if (
            -accepted["points"] > self.limits.most_replay_points_lost
            and accepted["worse"] < self.limits.chance
        ):
            yield self._say(
                "replay_worse",
                Weight.REFUSED,
                total=replay["messages"],
                before=_percent(accepted["share_before"]),
                after=_percent(accepted["share_after"]),
            )
        if replay["changed"]:
            yield self._say(
                "replay_changed", Weight.NOTICE, total=replay["messages"], count=len(replay["changed"])
            )

    def _corrections(self, corrections: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        if not corrections:
            return
        learnt = sum(bool(one["learnt"]) for one in corrections)
        all_learnt = learnt == len(corrections)
        yield self._say(
            "corrections" if all_learnt else "corrections_unlearned",
            Weight.GOOD if all_learnt else Weight.NOTICE,
            total=len(corrections),
            learnt=learnt,
        )

    def _say(self, code: str, weight: Weight, **values: object) -> Finding:
        return Finding(code, weight, self._words[code].format(**values))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
