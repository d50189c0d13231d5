"""Crisis: whether somebody in danger is noticed, by the rules, by the model, and by both together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nlu.evaluation.figures import alternatives, share

PREFIX = "crisis."
Reading = Mapping[str, Any]


def noticed(reading: Reading) -> bool:
    """Say whether crisis advice would be given, instead of an answer (the topic) or before it (`topics`)."""
    topics = [item["topic"] for item in reading.get("topics") or []]
    return any(map(is_crisis, [reading.get("topic"), *topics]))


def is_crisis(topic: object) -> bool:
    """Say whether a topic key is one of a crisis."""
    return str(topic or "").startswith(PREFIX)


def crisis_figures(rows: Sequence[Mapping[str, Any]], readings: Sequence[Reading]) -> dict[str, Any]:
    """Return recall and false alarms of ``together`` and, where the readings tell them apart, of each half.

    Any kind of crisis noticed counts as noticed. Rows that may defensibly be a crisis (in ``alt`` or
    ``topics``) are never false alarms. Near-misses are the other rows of a file that has crises too.
    ``rules`` and ``model`` need readings with ``rule`` (a finding or None) and ``model`` (what the model
    alone made of the text); ``instead`` counts only advice that takes the place of an answer.
    """
    listeners: dict[str, Callable[[Reading], bool]] = {
        "together": noticed,
        "instead": lambda reading: is_crisis(reading.get("topic")),
    }
    if readings and all("rule" in reading and "model" in reading for reading in readings):
        listeners["rules"] = lambda reading: reading["rule"] is not None
        listeners["model"] = lambda reading: noticed(reading["model"])
    crises = [is_crisis(row["topic"]) for row in rows]
    beside = [
        any(map(is_crisis, [*alternatives(row), *(row.get("topics") or [])])) and not crisis
        for row, crisis in zip(rows, crises, strict=True)
    ]
    mixed = {row.get("source") for row, crisis in zip(rows, crises, strict=True) if crisis} - {None}
    harmless = [not crisis and not also for crisis, also in zip(crises, beside, strict=True)]
    near = [calm and row.get("source") in mixed for calm, row in zip(harmless, rows, strict=True)]
    figures: dict[str, Any] = {
        "sentences": sum(crises),
        "near_misses": sum(near),
        "others": sum(harmless) - sum(near),
    }
    for name, hears in listeners.items():
        heard = [hears(reading) for reading in readings]
        figures[name] = {
            "recall": share(_both(heard, crises), sum(crises)),
            "missed": sum(crises) - _both(heard, crises),
            "false_alarms_on_near_misses": share(_both(heard, near), sum(near)),
            "false_alarms": share(_both(heard, harmless), sum(harmless)),
        }
    heard = [noticed(reading) for reading in readings]
    right = [reading.get("topic") == row["topic"] for row, reading in zip(rows, readings, strict=True)]
    noticed_rightly = sum(all(one) for one in zip(heard, crises, right, strict=True))
    figures["right_kind"] = share(noticed_rightly, _both(heard, crises))
    figures["wrong_kind"] = [
        _said(row, reading)
        for row, reading, ear, crisis in zip(rows, readings, heard, crises, strict=True)
        if crisis and ear and reading.get("topic") not in [row["topic"], *alternatives(row)]
    ]
    figures["missed"] = [
        _said(row, reading)
        for row, reading, ear, crisis in zip(rows, readings, heard, crises, strict=True)
        if crisis and not ear
    ]
    figures["false_alarms"] = [
        _said(row, reading)
        for row, reading, ear, calm in zip(rows, readings, heard, harmless, strict=True)
        if calm and ear
    ]
    return figures


def _both(left: Sequence[bool], right: Sequence[bool]) -> int:
    return sum(a and b for a, b in zip(left, right, strict=True))


def _said(row: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    return {
        "text": row.get("text", ""),
        "topic": row["topic"],
        "alt": alternatives(row),
        "taken_for": reading.get("topic"),
        "accepted": bool(reading.get("accepted")),
        "rule": reading.get("rule"),
    }
