"""Made-up rows and readings."""

from __future__ import annotations

from typing import Any


def make_row(topic: str = "labour.leave", **more: Any) -> dict[str, Any]:
    return {"text": f"关于{topic}", "topic": topic, "alt": None, **more}


def make_reading(
    topic: str | None = "labour.leave", confidence: float = 0.9, accepted: bool = True, **more: Any
) -> dict[str, Any]:
    topics = [{"topic": topic, "confidence": confidence}] if topic else []
    reading = {"topic": topic, "confidence": confidence, "accepted": accepted, "topics": topics, "facts": {}}
    return {**reading, **more}


def heard_by_rule(kind: str, model: dict[str, Any]) -> dict[str, Any]:
    """What the house makes of a text in which a crisis rule found something."""
    topic = f"crisis.{kind}"
    rule = {"kind": kind, "level": "urgent", "name": "made up"}
    return {**make_reading(topic, 1.0), "rule": rule, "model": model, "outside": 0.0}


def heard_by_model(**reading: Any) -> dict[str, Any]:
    """What the house makes of a text in which no rule found anything."""
    model = make_reading(**reading)
    return {**model, "rule": None, "model": model}
