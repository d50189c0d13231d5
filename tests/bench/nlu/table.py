"""The result as text: what each side costs, how well it understands, and what was run on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.nlu.figures import COSTS

Result = Mapping[str, Any]
_COST_NAMES = {
    "training_s": "training, s (processes' start included)",
    "parse_p50_ms": "parse p50, ms",
    "parse_p99_ms": "parse p99, ms",
    "memory_mb": "memory once loaded, MB",
    "model_mb": "model file, MB",
}


def format_result(result: Result) -> str:
    """Return the whole result as Markdown tables."""
    return "\n".join(
        [*_heading(result), "", *_costs(result), *_qualities(result), "", *_differences(result)]
    ).rstrip()


def _heading(result: Result) -> Iterator[str]:
    machine, seeds = result["machine"], result["seeds"]
    if result["trial_epochs"] is not None:
        yield f"A TRIAL: stock Rasa's DIET had {result['trial_epochs']} epochs instead of 100.\n"
    yield (
        f"{result['when']}: {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, "
        f"load average {machine['load']:.2f} at the start"
    )
    yield ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    yield "seeds: " + ", ".join(f"{name} {seed}" for name, seed in seeds.items())
    yield "data: " + "; ".join(result["data"])


def _costs(result: Result) -> Iterator[str]:
    sides, comparisons = result["sides"], result["comparisons"]
    yield _line("what it costs", [side["name"] for side in sides], [_against(one) for one in comparisons])
    yield _rule(1 + len(sides) + len(comparisons))
    yield _line(
        "training sentences (classes)",
        [f"{side['training_sentences']} ({side['classes']})" for side in sides],
        [""] * len(comparisons),
    )
    for name, get in COSTS.items():
        ratios = [one["ratios"][name] for one in comparisons]
        yield _line(
            _COST_NAMES[name],
            [_figure(get(side)) for side in sides],
            ["" if value is None else f"{value:.2f}" for value in ratios],
        )
    loads = [f"{side['load']['training']:.2f}, {side['load']['measuring']:.2f}" for side in sides]
    yield _line("load average before training, measuring", loads, [""] * len(comparisons))
    yield _line("trained (UTC)", [side["trained"][:16] for side in sides], [""] * len(comparisons))


def _qualities(result: Result) -> Iterator[str]:
    sides = result["sides"]
    for test in sides[0]["quality"]:
        reports = [side["quality"][test] for side in sides]
        yield ""
        yield _line(f"{test}: {reports[0]['sentences']} sentences", [side["name"] for side in sides])
        yield _rule(1 + len(sides))
        what = "topic accuracy (`alt` is right too)" if "out_of_scope" in reports[0] else "accuracy"
        yield _line(f"{what}, 95 % interval", [_with_interval(report) for report in reports])
        yield _line("macro-F1", [f"{report['macro_f1']:.4f}" for report in reports])
        yield _line("acted on", [_percent(report["coverage"]) for report in reports])
        right = [_percent(report["accuracy_of_accepted"]) for report in reports]
        yield _line("right of those acted on", right)
        if "out_of_scope" in reports[0]:
            outside = [report["out_of_scope"] for report in reports]
            many = outside[0]["sentences"]
            wrongly = [_percent(one["answered_wrongly"]) if many else "none there" for one in outside]
            yield _line(f"out of scope acted on ({many} sentences)", wrongly)
            yield _line("in scope refused", [_percent(one["in_scope_turned_away"]) for one in outside])


def _differences(result: Result) -> Iterator[str]:
    for one in result["comparisons"]:
        for test, found in one["accuracy"].items():
            low, high = found["interval"]
            yield (
                f"{test}: {one['ours']} {found['points']:+.1f} points of accuracy over {one['theirs']} "
                f"[{low:+.1f}, {high:+.1f}] (only ours right {found['only_ours_right']}, "
                f"only theirs {found['only_theirs_right']})"
            )


def _against(comparison: Mapping[str, Any]) -> str:
    return f"{comparison['theirs']}/{comparison['ours']}"


def _line(first: str, *groups: Sequence[str]) -> str:
    return "| " + " | ".join([first, *(cell for group in groups for cell in group)]) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _with_interval(report: Mapping[str, Any]) -> str:
    low, high = report["accuracy_interval"]
    return f"{report['accuracy']:.4f} [{low:.3f}, {high:.3f}]"
