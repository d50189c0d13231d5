"""The models of the workbench on show: trainings, what the gate saw and said, and who answers since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.training.measuring import topic_label
from casework import model_registry, replay, training_jobs
from casework.gate import Gate
from casework.knowledge import Knowledge
from casework.sample_files import MARK
from casework.settings import Settings
from casework.tables import JobStage, JobState, ModelVersion, Staff
from nlu.evaluation import comparison
from nlu.evaluation.crisis import crisis_figures
from nlu.evaluation.figures import OUT_OF_SCOPE_TOPIC, evaluate_predictions
from tests.e2e.workbench_sentences import (
    CHANGED_ANSWERS,
    HEAT,
    OVERTIME,
    RIGHT_AT_LAST,
    RIGHT_NOW,
    SLIPPED_BEFORE,
    SLIPPED_NOW,
    SOON_RIGHT,
    Asked,
)

REPLAYED = 220
SECONDS = 84
SIZE = 31_457_280
HELD_OUT = 14_900
_ASKED = (
    *SOON_RIGHT,
    *RIGHT_AT_LAST,
    *RIGHT_NOW,
    *SLIPPED_BEFORE,
    *SLIPPED_NOW,
    *OVERTIME,
    *HEAT,
)
_LINES = (
    (JobStage.TRAINING, 0.11, "Starting to train component 'UnionJiebaTokenizer'."),
    (JobStage.TRAINING, 0.20, "Starting to train component 'NgramFeaturizer'."),
    (JobStage.TRAINING, 0.34, "Starting to train component 'LinearIntentClassifier'."),
    (JobStage.TRAINING, 0.66, "Finished training component 'LinearIntentClassifier'."),
    (JobStage.MEASURING, 0.75, "gold set"),
    (JobStage.MEASURING, 0.82, "side by side"),
    (JobStage.MEASURING, 0.90, "dialogue tests"),
)


@dataclass(frozen=True)
class Made:
    """Made: what a training on show came to: the sentences it reads wrong, and how its data hang together."""

    wrong: Collection[Asked]
    unlearnt: Collection[str] = ()
    """Corrections it did not learn."""
    contradicting: int = 0
    """Training sentences that contradict the others since."""
    changed_answers: Sequence[tuple[str, str, str]] = field(default=CHANGED_ANSWERS)


FIRST = Made({*SOON_RIGHT, *RIGHT_AT_LAST, *RIGHT_NOW})
SECOND = Made({*RIGHT_AT_LAST, *RIGHT_NOW})
MUDDLED = Made({*RIGHT_AT_LAST[3:], *RIGHT_NOW, *OVERTIME}, ("大年夜上班几倍", "强制加班"), 113)
UNSAFE = Made({*RIGHT_AT_LAST[4:], *RIGHT_NOW, *HEAT})
GOOD = Made({*RIGHT_NOW, *SLIPPED_BEFORE})
BETTER = Made({*SLIPPED_BEFORE, *SLIPPED_NOW}, ("交了保险没有，上哪看得着",))


class Trainer:
    """Trainer: does trainings as the real one does, but that nothing is trained."""

    def __init__(self, session: AsyncSession, settings: Settings, knowledge: Knowledge) -> None:
        self._session, self._settings, self._knowledge = session, settings, knowledge
        self._gate = Gate.load(settings.home / "data" / "knowledge")
        self._rows, self._sure, self._off = _gold(knowledge)
        self._made: dict[int, Made] = {}

    async def first(self, now: datetime) -> ModelVersion:
        """The version there was before anything was changed."""
        version = await model_registry.register(
            self._session, sha256=_digest("first"), size=SIZE, now=now, scores=self._scores(FIRST)
        )
        self._made[version.id] = FIRST
        await model_registry.adopt(self._session, version, now, "第一个模型")
        self._store(version)
        return version

    async def train(self, staff: Staff | None, why: str, now: datetime, made: Made) -> ModelVersion:
        """A training from the button to the gate's verdict."""
        job = await self._begin(staff, why, now)
        await self._go_on(job.id, now, len(_LINES))
        done = now + timedelta(seconds=SECONDS)
        hashes = {name: _digest(f"{name}{job.id}") for name in ("data", "weights", "config", "dictionary")}
        version = await model_registry.register(
            self._session,
            sha256=_digest(f"model{job.id}"),
            size=SIZE + 4096 * job.id,
            now=done,
            hashes={**hashes, "seed": 20, "sentences": HELD_OUT},
            scores=self._scores(made),
            why=why,
            staff_id=job.staff_id,
            job_id=job.id,
        )
        self._made[version.id] = made
        await self._judge(version, made, done)
        await training_jobs.beat(
            self._session, job.id, done, stage=JobStage.STORING, progress=0.97, line=version.name
        )
        await training_jobs.end(self._session, job.id, JobState.DONE, done)
        self._store(version)
        return version

    async def fail(self, staff: Staff, why: str, now: datetime) -> None:
        """A training whose machine was switched off half-way."""
        job = await self._begin(staff, why, now)
        await self._go_on(job.id, now, 3)
        await training_jobs.give_up_the_lost(self._session, now + timedelta(minutes=2))

    async def cancel(self, staff: Staff, why: str, now: datetime) -> None:
        """A training somebody thought better of."""
        job = await self._begin(staff, why, now)
        await self._go_on(job.id, now, 2)
        await training_jobs.cancel(self._session, staff, job.id, now + timedelta(seconds=20))
        ended = now + timedelta(seconds=23)
        await training_jobs.end(self._session, job.id, JobState.CANCELLED, ended)

    async def under_way(self, staff: Staff, why: str, now: datetime) -> None:
        """A training that goes on."""
        began = now - timedelta(seconds=41)
        job = await self._begin(staff, why, began)
        await self._go_on(job.id, began, 3)
        await training_jobs.beat(self._session, job.id, now, progress=0.46)

    async def _begin(self, staff: Staff | None, why: str, now: datetime) -> Any:
        job = await training_jobs.request(self._session, staff, why, now)
        await training_jobs.take(self._session, "示例", now, job.id)
        await training_jobs.beat(self._session, job.id, now, line=f"{HELD_OUT} sentences")
        return job

    async def _go_on(self, job_id: int, began: datetime, lines: int) -> None:
        for number, (stage, progress, line) in enumerate(_LINES[:lines], start=1):
            now = began + timedelta(seconds=8 * number)
            await training_jobs.beat(
                self._session, job_id, now, stage=stage, progress=progress, line=f"{now:%H:%M:%S}  {line}"
            )

    async def _judge(self, version: ModelVersion, made: Made, now: datetime) -> None:
        live = await model_registry.live(self._session)
        assert live is not None
        changes = await replay.corrections(self._session, live)
        compared = {
            "gold": comparison.compare_on_gold(
                self._rows, self._readings(self._made[live.id]), self._readings(made)
            ),
            "held_out": _held_out(len(changes), made.contradicting),
            "replay": _replay(made),
            "corrections": [
                {
                    "text": (text := MARK.sub(r"\1", change.after_text or "")),
                    "intent": change.after_intent,
                    "topic": (topic := self._knowledge.intents[change.after_intent or ""].topic),
                    "before": "labour.other" if topic != "labour.other" else OUT_OF_SCOPE_TOPIC,
                    "after": topic if (learnt := text not in made.unlearnt) else "labour.dispatch",
                    "learnt": learnt,
                }
                for change in changes
            ],
            "latency": {"before_ms": 3.1, "after_ms": 3.2},
            "dialogue": {"passed": True, "detail": ""},
        }
        verdict = self._gate.judge(compared, lambda topic: topic_label(self._knowledge, topic))
        await model_registry.judge(
            self._session,
            version,
            gate=compared | verdict.as_dict() | {"against": live.name},
            passed=verdict.passed,
            safe=verdict.safe,
            against=live,
            now=now,
        )

    def _readings(self, made: Made) -> list[dict[str, Any]]:
        wrong = {text: taken_for for text, _, taken_for in made.wrong}
        return [
            {
                "topic": (topic := wrong.get(row["text"]) or self._off.get(place, row["topic"])),
                "accepted": topic != OUT_OF_SCOPE_TOPIC,
                "confidence": self._sure[place],
            }
            for place, row in enumerate(self._rows)
        ]

    def _scores(self, made: Made) -> dict[str, Any]:
        readings = self._readings(made)
        report = evaluate_predictions(self._rows, readings)
        kept = ("sentences", "accuracy", "accuracy_interval", "macro_f1", "coverage", "per_topic")
        return {name: report[name] for name in (*kept, "confusions")} | {
            "crisis_recall": crisis_figures(self._rows, readings)["together"]["recall"]
        }

    def _store(self, version: ModelVersion) -> None:
        folder: Path = self._settings.models_dir
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{version.name}.tar.gz").write_bytes(b"example")
        (folder / f"{version.name}.report.html").write_text("<p>示例</p>", encoding="utf-8")


def _gold(knowledge: Knowledge) -> tuple[list[dict[str, str]], list[float], dict[int, str]]:
    """Rows without words for every topic, and those that differ; how sure; and what is always misread."""
    random = Random(20)  # noqa: S311  # made-up figures, not keys
    topics = sorted({one.topic for one in knowledge.intents.values() if one.trained})
    rows, off = [], {}
    for topic in topics:
        room = [one for one in topics if one.partition(".")[0] == topic.partition(".")[0]]
        size = 120 if topic == OUT_OF_SCOPE_TOPIC else 34 if topic.startswith("labour.") else 14
        rarely = topic.startswith("crisis.") or topic == OUT_OF_SCOPE_TOPIC
        for serial in range(size):
            if serial % (24 if rarely else 7) == 3 and topic != "heat.illness":
                near = room[(room.index(topic) + 1 + serial // 14) % len(room)]
                off[len(rows)] = "talk.complain" if topic.startswith("crisis.") else near
            rows.append({"text": "", "topic": topic})
    rows += [{"text": text, "topic": topic} for text, topic, _ in _ASKED]
    return rows, [random.uniform(0.78, 0.92) for _ in rows], off


def _held_out(added: int, contradicting: int) -> dict[str, Any]:
    right = int(HELD_OUT * 0.74)
    before = [place < right for place in range(HELD_OUT)]
    after = [
        (place < right and place >= contradicting) or right <= place < right + 12 for place in range(HELD_OUT)
    ]
    common = comparison.paired(before, after).as_dict()
    return {
        "common": common,
        "kept": common,
        "relabelled": 0,
        "added": added,
        "touched_right": 0.55,
        "all_right": 0.74,
    }


def _replay(made: Made) -> dict[str, Any]:
    texts = [*(text for text, *_ in made.changed_answers), *(f"示例{n}" for n in range(REPLAYED))]

    def read(side: int) -> list[dict[str, Any]]:
        changed = [{"topic": one[side], "accepted": True} for one in made.changed_answers]
        same = [{"topic": "labour.wage_arrears", "accepted": n % 8 != 0} for n in range(REPLAYED)]
        return [*changed, *same]

    return comparison.compare_replay(texts, read(1), read(2))


def _digest(of: str) -> str:
    return sha256(f"示例 {of}".encode()).hexdigest()
