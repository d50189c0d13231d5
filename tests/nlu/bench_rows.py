"""Sentences, files and measurements for the tests of ``make bench-nlu``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.nlu.sentences import Sentence


def make_sentences(**counts: int) -> list[Sentence]:
    return [Sentence(f"{label} {n}", label) for label, count in counts.items() for n in range(count)]


def make_file(folder: Path, name: str, lines: Sequence[Any]) -> Path:
    file = folder / name
    file.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines),
        "utf-8",
    )
    return file


def make_found(intents: Sequence[str | None], refused: Sequence[int] = (), **more: Any) -> dict[str, Any]:
    return {
        "digest": "0123456789abcdef",
        "training_s": 12.0,
        "when": "2026-11-22T08:00:00+00:00",
        "load": 0.5,
        "measuring_load": 0.7,
        "loading_s": 1.5,
        "model_mb": 2.0,
        "memory_mb": {"before": 300.0, "loaded": 400.0, "after": 410.0},
        "milliseconds": [float(n + 1) for n in range(len(intents))],
        "readings": [
            {"intent": intent, "confidence": 0.9, "accepted": n not in refused}
            for n, intent in enumerate(intents)
        ],
        **more,
    }
