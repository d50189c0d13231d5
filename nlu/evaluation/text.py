"""The report as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Report = Mapping[str, Any]
_MOST_LISTED = 10
_WIDTH = 60


def format_report(report: Report) -> str:
    """Return the figures of ``evaluate_predictions`` (or of ``full_report``, all of them) as text tables."""
    outside = report["out_of_scope"]
    lines = [
        f"sentences             {report['sentences']}",
        f"accuracy              {report['accuracy']:.4f}",
        f"macro-F1              {report['macro_f1']:.4f}",
        f"coverage (accepted)   {report['coverage']:.4f}",
        f"accuracy of accepted  {report['accuracy_of_accepted']:.4f}",
        f"out of scope          {outside['sentences']} sentences, {outside['turned_away']:.4f} turned away; "
        f"{outside['in_scope_turned_away']:.4f} of the rest turned away too",
        "",
        f"{'topic':<26}{'precision':>10}{'recall':>8}{'f1':>8}{'support':>9}",
    ]
    for topic, figures in report["per_topic"].items():
        lines.append(
            f"{topic:<26}{figures['precision']:>10.3f}{figures['recall']:>8.3f}"
            f"{figures['f1']:>8.3f}{figures['support']:>9}"
        )
    if report["confusions"]:
        lines += ["", "taken for something else, most often first:"]
        lines += [
            f"  {pair['topic']} → {pair['taken_for']}: {pair['times']}" for pair in report["confusions"]
        ]
    if "calibration" in report:
        lines += _beside(report)
    return "\n".join(lines)


def _beside(report: Report) -> Iterator[str]:
    yield from _certainty(report)
    yield from _rejection(report["out_of_scope"])
    yield from _topics(report["topics"])
    yield from _crisis(report["crisis"])
    yield from _facts(report["facts"])
    if "robustness" in report:
        yield from _robustness(report["robustness"])
    if report["worst"]:
        yield from ("", f"the {len(report['worst'])} worst mistakes of the model (wrong, by confidence):")
        for one in report["worst"]:
            yield f"  {one['confidence']:.2f}  {one['topic']} → {one['taken_for']}: {_short(one['text'])}"
    yield from _aims(report)


def _certainty(report: Report) -> Iterator[str]:
    low, high = report["accuracy_interval"]
    calibration, curve = report["calibration"], report["risk_coverage"]
    yield ""
    yield f"accuracy, 95 % interval   {low:.4f} – {high:.4f} (bootstrap)"
    yield f"  model alone             {report['model_alone']['accuracy']:.4f} (without the crisis rules)"
    for source, figures in report["by_source"].items():
        yield f"  {source:<24}{figures['accuracy']:.4f} of {figures['sentences']}"
    yield f"calibration               ECE {calibration['ece']:.4f}, Brier {calibration['brier']:.4f}"
    at = ", ".join(f"{risk:.3f} at {coverage}" for coverage, risk in curve["at"].items())
    yield f"risk–coverage             AURC {curve['aurc']:.4f}; risk {at}"


def _rejection(outside: Mapping[str, Any]) -> Iterator[str]:
    acted_on, lost = outside["answered_wrongly"], outside["in_scope_turned_away"]
    yield f"out of scope              AUROC {_figure(outside['auroc'])}"
    yield f"  at the working point    {acted_on:.4f} acted on, {lost:.4f} of the rest refused"
    yield f"  with 5 % acted on       {_figure(outside['refused_at_5_percent_accepted'])} of the rest refused"
    yield from _listed("acted on though out of scope", outside["false_accepts"])


def _topics(topics: Mapping[str, Any]) -> Iterator[str]:
    for title, one in (("all messages", topics), ("with several topics", topics["several"])):
        yield (
            f"topics, {title:<20}precision {one['precision']:.4f}, recall {one['recall']:.4f}, "
            f"exact {one['exact']:.4f} ({one['messages']} messages)"
        )


def _crisis(crisis: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield (
        f"crisis: {crisis['sentences']} sentences, {crisis['near_misses']} near-misses, "
        f"{crisis['others']} others"
    )
    yield f"  {'heard by':<16}{'recall':>8}{'missed':>8}{'alarms: near-misses':>21}{'all harmless':>14}"
    for name in ("together", "rules", "model", "instead"):
        if name in crisis:
            one = crisis[name]
            yield (
                f"  {name:<16}{one['recall']:>8.4f}{one['missed']:>8}"
                f"{one['false_alarms_on_near_misses']:>21.4f}{one['false_alarms']:>14.4f}"
            )
    yield from _listed("missed", crisis["missed"], most=len(crisis["missed"]))
    yield from _listed("false alarms", crisis["false_alarms"])


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    total = f"precision {facts['precision']:.4f}, recall {facts['recall']:.4f}"
    yield ""
    yield f"facts in {facts['sentences']} sentences: {total}"
    yield f"  {'fact':<16}{'precision':>10}{'recall':>8}{'stated':>8}{'found':>8}"
    for kind, one in facts["per_kind"].items():
        yield f"  {kind:<16}{one['precision']:>10.3f}{one['recall']:>8.3f}{one['stated']:>8}{one['found']:>8}"


def _robustness(robustness: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{'noise':<16}{'accuracy':>10}{'points lost':>13}{'crisis recall lost':>20}  single runs"
    for kind, one in robustness.items():
        runs = ", ".join(f"{drop:.1f}" for drop in one["drops"])
        yield (
            f"{kind:<16}{one['accuracy']:>10.4f}{one['drop_points']:>13.2f}"
            f"{one['crisis_recall_drop_points']:>20.2f}  {runs}"
        )


def _aims(report: Report) -> Iterator[str]:
    yield from ("", "aims:")
    for one in report["aims"]:
        verdict = {True: "met", False: "NOT MET", None: "not measured"}[one["met"]]
        yield f"  {verdict:<13}{_figure(one['value']):>9} {one['aim']:<8}{one['says']}"


def _listed(title: str, items: list[dict[str, Any]], most: int = _MOST_LISTED) -> Iterator[str]:
    if items:
        yield f"  {title} ({len(items)}):"
    for item in items[:most]:
        yield f"    {item['topic']} → {item['taken_for']}: {_short(item['text'])}"
    if len(items) > most:
        yield f"    and {len(items) - most} more"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"
