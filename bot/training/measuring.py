"""Measuring: a freshly trained model on the gold set, beside the live one, and the gate's verdict."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.model import RASA_ENVIRONMENT, Listener
from casework import model_registry, replay
from casework.clock import shanghai_day
from casework.database import Database
from casework.gate import Gate
from casework.knowledge import Knowledge
from casework.settings import Settings
from casework.tables import ModelVersion

if TYPE_CHECKING:
    from datetime import datetime

Rows = list[dict[str, Any]]
Say = Callable[[str], Awaitable[None]]
_MARK = re.compile(r"\[([^\]]+)\]\(([a-z_]+)\)")
_TIMED = 80
"""Sentences both models are timed on."""
_REPEATS = 2
_STORIES_LIMIT_S = 240
_KEPT = ("sentences", "accuracy", "accuracy_interval", "macro_f1", "coverage", "per_topic", "confusions")
"""What of the evaluation is kept with the version; the rest is in its report."""


@dataclass(frozen=True)
class Measured:
    """Measured: a version's figures, its report as a page, and what the gate made of it.

    ``gate`` and what follows are None where there is no live model to compare with.
    """

    scores: dict[str, Any]
    report: str
    gate: dict[str, Any] | None
    passed: bool | None
    safe: bool | None
    against: ModelVersion | None


@dataclass(frozen=True)
class _Asked:
    """What the database gives to compare on."""

    live: ModelVersion | None
    replay: list[str]
    corrections: Rows


async def measure(
    settings: Settings, database: Database, model: Path, now: datetime, say: Say, label: str = "candidate"
) -> Measured:
    """Measure the model file; ``say`` is told what is being done.

    Needs the gold set and the dialogue tests of the repository (``tests/``) under ``settings.home``. Raises
    ConfigurationError for a model that cannot be loaded, FileNotFoundError where there is no gold set.
    """
    knowledge = Knowledge.load(settings.home / "data" / "knowledge")
    rows = gold_rows(settings)
    asked = await _ask(database, knowledge, now)
    today = shanghai_day(now)
    await say("gold set")
    stories = asyncio.create_task(asyncio.to_thread(walk_stories, settings, model))
    try:
        candidate = await asyncio.to_thread(Listener.load, settings, model)
        readings = await asyncio.to_thread(_read, candidate, [row["text"] for row in rows], today)
        scores, report = await asyncio.to_thread(_report, rows, readings, label, today)
        live = None if asked.live is None else settings.models_dir / f"{asked.live.name}.tar.gz"
        if asked.live is None or live is None or not live.is_file():
            return Measured(scores, report, None, None, None, None)
        await say("side by side")
        comparison = await asyncio.to_thread(
            _compare, settings, rows, readings, candidate, model, live, asked, today, knowledge
        )
        await say("dialogue tests")
        comparison["dialogue"] = await stories
    finally:
        if not stories.done():
            stories.cancel()
    verdict = Gate.load(settings.home / "data" / "knowledge").judge(
        comparison, lambda topic: topic_label(knowledge, topic)
    )
    kept = comparison | verdict.as_dict() | {"against": asked.live.name}
    return Measured(scores, report, kept, verdict.passed, verdict.safe, asked.live)


def gold_rows(settings: Settings) -> Rows:
    """The labelled sentences the gate reads; raises FileNotFoundError where there are none."""
    from nlu.evaluation import read_rows  # noqa: PLC0415  (numpy and scipy; only a training needs them)

    folder = settings.home / "tests" / "nlu" / "gold"
    files = sorted(file for file in folder.glob("*.jsonl") if not file.stem.startswith("facts"))
    if not files:
        raise FileNotFoundError(f"there is no gold set in {folder}")
    return [row for file in files for row in read_rows(file)]


def walk_stories(settings: Settings, model: Path) -> dict[str, Any] | None:
    """Whether every step of the dialogue tests is predicted rightly; None where there are none."""
    stories = settings.home / "tests" / "dialogue" / "test_stories.yml"
    if not stories.is_file():
        return None
    with tempfile.TemporaryDirectory(prefix="niangjia-stories-") as out:
        try:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "nlu.server", "test", "core", "--model", str(model)),
                    *("--stories", str(stories), "--out", out, "--fail-on-prediction-errors"),
                ],
                cwd=settings.home,
                env={**os.environ, **RASA_ENVIRONMENT},
                capture_output=True,
                timeout=_STORIES_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return {"passed": False, "detail": f"> {_STORIES_LIMIT_S} s"}
        failed = Path(out) / "failed_test_stories.yml"
        names = re.findall(r"- story: (.+)", failed.read_text("utf-8")) if failed.is_file() else []
    return {"passed": done.returncode == 0, "detail": "; ".join(names[:5]) or f"({done.returncode})"}


def topic_label(knowledge: Knowledge, topic: str) -> str:
    """What a topic is called: its article's label, else that of its first intent."""
    article = knowledge.articles.get(topic)
    if article is not None:
        return article.label
    labels = [intent.label for intent in knowledge.intents.values() if intent.topic == topic]
    return labels[0] if labels else topic


async def _ask(database: Database, knowledge: Knowledge, now: datetime) -> _Asked:
    async with database.read() as session:
        live = await model_registry.live(session)
        texts = await replay.recent(session, now)
        changes = [] if live is None else await replay.corrections(session, live)
    corrections = [
        {
            "text": _MARK.sub(r"\1", change.after_text or ""),
            "intent": change.after_intent,
            "topic": knowledge.intents[change.after_intent].topic,
        }
        for change in changes
        if change.after_intent in knowledge.intents
    ]
    return _Asked(live, texts, corrections)


def _compare(
    settings: Settings,
    rows: Rows,
    readings: Rows,
    candidate: Listener,
    model: Path,
    live_model: Path,
    asked: _Asked,
    today: date,
    knowledge: Knowledge,
) -> dict[str, Any]:
    from nlu.evaluation import comparison  # noqa: PLC0415  (as above)
    from nlu.evaluation.held_out import read_held_out  # noqa: PLC0415  (as above)

    live = Listener.load(settings, live_model)
    corrected = [row["text"] for row in asked.corrections]
    texts = [row["text"] for row in rows]
    return {
        "gold": comparison.compare_on_gold(rows, _read(live, texts, today), readings),
        "held_out": comparison.compare_held_out(
            read_held_out(live_model),
            read_held_out(model),
            lambda intent: knowledge.intents[intent].topic if intent in knowledge.intents else None,
        ),
        "replay": comparison.compare_replay(
            asked.replay, _read(live, asked.replay, today), _read(candidate, asked.replay, today)
        ),
        "corrections": comparison.compare_corrections(
            asked.corrections, _read(live, corrected, today), _read(candidate, corrected, today)
        ),
        "latency": _latency(live, candidate, texts[:: max(1, len(texts) // _TIMED)], today),
    }


def _read(listener: Listener, texts: Sequence[str], today: date) -> Rows:
    return list(listener.hear_in_detail(texts, today))


def _report(rows: Rows, readings: Rows, label: str, today: date) -> tuple[dict[str, Any], str]:
    from nlu.evaluation import full_report  # noqa: PLC0415  (as above)
    from nlu.evaluation.page import as_page  # noqa: PLC0415  (matplotlib; only the page needs it)

    about = {
        "files": [],
        "data_sha256": "",
        "model": label,
        "model_sha256": "",
        "date": today.isoformat(),
        "as_of": today.isoformat(),
        "commands": [],
    }
    report = full_report(rows, readings, about=about)
    scores = {name: report[name] for name in _KEPT}
    scores |= {
        "crisis_recall": report["crisis"]["together"]["recall"],
        "calibration_error": report["calibration"]["ece"],
        "outside_acted_on": report["out_of_scope"]["answered_wrongly"],
        "turned_away": report["out_of_scope"]["in_scope_turned_away"],
    }
    return scores, as_page(report)


def _latency(live: Listener, candidate: Listener, texts: Sequence[str], today: date) -> dict[str, float]:
    """Milliseconds to read one sentence (the 95th percentile of each sentence's best), taking turns."""
    best: Mapping[str, list[float]] = {"before_ms": [], "after_ms": []}
    for text in texts:
        for name, listener in (("before_ms", live), ("after_ms", candidate)):
            best[name].append(min(_seconds(listener, text, today) for _ in range(_REPEATS)) * 1000)
    return {name: sorted(times)[int(0.95 * (len(times) - 1))] for name, times in best.items()}


def _seconds(listener: Listener, text: str, today: date) -> float:
    started = time.perf_counter()
    list(listener.hear([text], today))
    return time.perf_counter() - started
