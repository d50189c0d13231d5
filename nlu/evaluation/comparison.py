"""A candidate beside the model that answers members: everything the gate looks at, in one plain structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nlu.evaluation.calibration import calibration
from nlu.evaluation.crisis import is_crisis, noticed
from nlu.evaluation.figures import OUT_OF_SCOPE_TOPIC, evaluate_predictions, is_right, share
from nlu.evaluation.held_out import HeldOut
from nlu.evaluation.paired import by_group, difference_interval, paired

Rows = Sequence[Mapping[str, Any]]


def compare_on_gold(rows: Rows, before: Rows, after: Rows) -> dict[str, Any]:
    """Return all figures on labelled rows; ``before`` are the live model's readings, ``after`` the other's.

    Readings are those of the whole house, crisis rules in front (``model`` of a reading is the model alone).
    Raises ``ValueError`` when rows and readings do not pair up.
    """
    was, now = _right(rows, before), _right(rows, after)
    figures = {"before": evaluate_predictions(rows, before), "after": evaluate_predictions(rows, after)}
    return {
        "overall": paired(was, now).as_dict() | {"interval": difference_interval(was, now)},
        "macro_f1": {side: figures[side]["macro_f1"] for side in figures},
        "topics": by_group([str(row["topic"]) for row in rows], was, now),
        "crisis": _crisis(rows, before, after),
        "outside": _outside(rows, before, after, figures),
        "calibration": {
            side: calibration(*_sure(rows, readings))["ece"]
            for side, readings in (("before", before), ("after", after))
        },
        "to_right": _changed(rows, before, after, was, now, gained=True),
        "to_wrong": _changed(rows, before, after, was, now, gained=False),
    }


def compare_held_out(
    before: HeldOut | None, after: HeldOut | None, topic_of: Callable[[str], str | None]
) -> dict[str, Any] | None:
    """Return how held-out models read the sentences both trainings have, and those only the candidate has.

    A sentence counts as right in its own training's words: a label that was changed is judged as it is now.
    That is what shows wrong labels: the sentences around them contradict them. None without both.
    """
    if before is None or after is None:
        return None
    old, new = before.readings(), after.readings()

    def right(pair: tuple[str, str]) -> bool:
        return topic_of(pair[0]) == topic_of(pair[1])

    common = [key for key in new if key in old]
    kept = [key for key in common if old[key][0] == new[key][0]]
    changed = [key for key in common if old[key][0] != new[key][0]]
    added = [key for key in new if key not in old]
    touched = [*changed, *added]
    return {
        "common": paired([right(old[key]) for key in common], [right(new[key]) for key in common]).as_dict(),
        "kept": paired([right(old[key]) for key in kept], [right(new[key]) for key in kept]).as_dict(),
        "relabelled": len(changed),
        "added": len(added),
        "touched_right": share(sum(right(new[key]) for key in touched), len(touched)),
        "all_right": share(sum(map(right, new.values())), len(new)),
    }


def compare_replay(texts: Sequence[str], before: Rows, after: Rows) -> dict[str, Any]:
    """Return what changes on messages members wrote: nobody labelled them, so only what is done with them."""
    accepted = paired([bool(one["accepted"]) for one in before], [bool(one["accepted"]) for one in after])
    changed = [
        {"text": text, "before": old.get("topic"), "after": new.get("topic")}
        | {"accepted_before": bool(old["accepted"]), "accepted_after": bool(new["accepted"])}
        for text, old, new in zip(texts, before, after, strict=True)
        if _done_with(old) != _done_with(new)
    ]
    return {
        "messages": len(texts),
        "accepted": accepted.as_dict(),
        "changed_share": share(len(changed), len(texts)),
        "changed": changed,
        "crisis_lost": [
            text
            for text, old, new in zip(texts, before, after, strict=True)
            if noticed(old) and not noticed(new)
        ],
    }


def compare_corrections(corrections: Rows, before: Rows, after: Rows) -> list[dict[str, Any]]:
    """Return what each correction (``text``, ``intent``, ``topic``) was read as, and is read as now."""
    return [
        {
            "text": row["text"],
            "intent": row["intent"],
            "topic": row["topic"],
            "before": old.get("topic"),
            "after": new.get("topic"),
            "learnt": new.get("topic") == row["topic"],
        }
        for row, old, new in zip(corrections, before, after, strict=True)
    ]


def _right(rows: Rows, readings: Rows) -> list[bool]:
    return [is_right(reading.get("topic"), row) for row, reading in zip(rows, readings, strict=True)]


def _crisis(rows: Rows, before: Rows, after: Rows) -> dict[str, Any]:
    """Crises noticed by rules and model together, and alarms where nobody is in danger."""
    triples = list(zip(rows, before, after, strict=True))
    crises = [(row, old, new) for row, old, new in triples if is_crisis(row["topic"])]
    calm = [(old, new) for row, old, new in triples if not any(map(is_crisis, [row["topic"], *_others(row)]))]
    return {
        "noticed": paired(
            [noticed(old) for _, old, _ in crises], [noticed(new) for *_, new in crises]
        ).as_dict(),
        "alarms": paired([noticed(old) for old, _ in calm], [noticed(new) for _, new in calm]).as_dict(),
        "lost": [_said(row, old, new) for row, old, new in crises if noticed(old) and not noticed(new)],
        "found": [_said(row, old, new) for row, old, new in crises if noticed(new) and not noticed(old)],
    }


def _outside(rows: Rows, before: Rows, after: Rows, figures: Mapping[str, Any]) -> dict[str, Any]:
    """Out-of-scope messages acted on (they should not be) and in-scope ones turned away."""
    places = [i for i, row in enumerate(rows) if row["topic"] == OUT_OF_SCOPE_TOPIC]

    def acted(readings: Rows) -> list[bool]:
        return [
            bool(readings[i].get("accepted")) and not is_right(readings[i].get("topic"), rows[i])
            for i in places
        ]

    return {
        "acted_on": paired(acted(before), acted(after)).as_dict(),
        "turned_away": {
            side: figures[side]["out_of_scope"]["in_scope_turned_away"] for side in ("before", "after")
        },
        "coverage": {side: figures[side]["coverage"] for side in ("before", "after")},
    }


def _sure(rows: Rows, readings: Rows) -> tuple[list[bool], list[float]]:
    model = [reading.get("model") or reading for reading in readings]
    return _right(rows, model), [float(one.get("confidence") or 0.0) for one in model]


def _changed(
    rows: Rows, before: Rows, after: Rows, was: Sequence[bool], now: Sequence[bool], *, gained: bool
) -> list[dict[str, Any]]:
    """Every sentence that changed one way, by topic."""
    found = [
        _said(row, old, new)
        for row, old, new, right_then, right_now in zip(rows, before, after, was, now, strict=True)
        if right_then != right_now and right_now is gained
    ]
    return sorted(found, key=lambda one: (one["topic"], one["text"]))


def _said(row: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": row.get("text", ""),
        "topic": row["topic"],
        "before": old.get("topic"),
        "after": new.get("topic"),
        "confidence": round(float(new.get("confidence") or 0.0), 4),
    }


def _others(row: Mapping[str, Any]) -> list[Any]:
    named = row.get("alt") or []
    return [*([named] if isinstance(named, str) else named), *(row.get("topics") or [])]


def _done_with(reading: Mapping[str, Any]) -> tuple[object, bool]:
    """What a member would notice: the topic that is answered, or that nothing is."""
    accepted = bool(reading["accepted"])
    return (reading.get("topic") if accepted else None), accepted
