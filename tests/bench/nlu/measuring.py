"""``python -m tests.bench.nlu.measuring JOB OUT``: one trained model as Rasa's server has it, measured.

A process of its own for every model: it loads the model as the server does, notes its memory, and times
``Agent.parse_message`` (what Rasa's HTTP endpoint calls) on every text. JOB is a JSON file with ``model`` (a
path) and ``texts``; OUT is written with ``readings``, ``milliseconds``, ``memory_mb`` and ``loading_s``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import psutil

from nlu.topics import FALLBACK

WARM_UP = 50
"""Texts parsed before the clock counts."""


def reading(parsed: dict[str, Any]) -> dict[str, Any]:
    """Return the best guess of a parsed message, whether it is acted on or not, and whether it is."""
    ranking = [guess for guess in parsed.get("intent_ranking") or [] if guess["name"] != FALLBACK]
    best = ranking[0] if ranking else {"name": None, "confidence": 0.0}
    acted_on = (parsed.get("intent") or {}).get("name") not in (None, FALLBACK)
    return {"intent": best["name"], "confidence": float(best["confidence"] or 0.0), "accepted": acted_on}


def measure(model: str, texts: list[str]) -> dict[str, Any]:
    """Load ``model`` as the server does and parse every text, one after the other (MB, seconds, ms)."""
    from rasa.core.agent import Agent
    from rasa.utils.common import configure_logging_and_warnings
    from rasa.utils.log_utils import configure_structlog

    # As `rasa run` does; unconfigured, structlog would print every parsed message.
    configure_logging_and_warnings(logging.WARNING)
    configure_structlog(logging.WARNING)
    this = psutil.Process()
    empty = this.memory_info().rss / 1e6
    began = time.perf_counter()
    agent = Agent.load(model)
    loading = time.perf_counter() - began
    if not agent.is_ready():
        raise RuntimeError(f"Rasa does not load {model}")
    loaded = this.memory_info().rss / 1e6

    async def parse_all() -> tuple[list[dict[str, Any]], list[float]]:
        for text in (texts * WARM_UP)[:WARM_UP]:
            await agent.parse_message(text)
        readings, times = [], []
        for text in texts:
            started = time.perf_counter()
            parsed = await agent.parse_message(text)
            times.append((time.perf_counter() - started) * 1000)
            readings.append(reading(parsed))
        return readings, times

    readings, times = asyncio.run(parse_all())
    memory = {"before": empty, "loaded": loaded, "after": this.memory_info().rss / 1e6}
    return {"readings": readings, "milliseconds": times, "memory_mb": memory, "loading_s": loading}


def main() -> None:
    """Measure what the job says."""
    warnings.simplefilter("ignore")
    job, out = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = json.loads(job.read_text("utf-8"))
    out.write_text(json.dumps(measure(wanted["model"], wanted["texts"])), "utf-8")


if __name__ == "__main__":
    main()
