"""A floor that is broken says so; an aim nobody measured is not met."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlu.evaluation import full_report
from nlu.evaluation.aims import AIMS, Limit, below, judge, look_up, read_floors
from tests.nlu.evaluation.rows import heard_by_model, make_row

FLOORS = Path(__file__).parents[1] / "gold" / "floors.yml"
REPORT = {"accuracy": 0.85, "crisis": {"together": {"missed": 2}}, "facts": {"precision": None}}


def test_a_figure_is_found_by_its_path() -> None:
    assert look_up(REPORT, "crisis.together.missed") == 2
    assert look_up(REPORT, "crisis.rules.missed") is None
    assert look_up(REPORT, "accuracy.deeper") is None
    assert look_up(REPORT, "facts.precision") is None


def test_limits_are_met_at_the_very_edge_and_not_past_it() -> None:
    judged = judge(
        REPORT,
        [
            Limit("accuracy", at_least=0.85),
            Limit("accuracy", at_least=0.8501),
            Limit("crisis.together.missed", at_most=2),
            Limit("crisis.together.missed", at_most=1),
            Limit("facts.precision", at_least=0.0),
        ],
    )
    assert [one["met"] for one in judged] == [True, False, True, False, None]


def test_a_figure_below_its_floor_is_named() -> None:
    assert below(REPORT, [Limit("accuracy", at_least=0.85)]) == []
    (said,) = below(REPORT, [Limit("accuracy", at_least=0.9), Limit("crisis.together.missed", at_most=2)])
    assert said == "accuracy is 0.85, floor ≥ 0.9"


def test_a_figure_that_is_not_measured_any_more_falls_through_its_floor() -> None:
    (said,) = below(REPORT, [Limit("robustness.typos.drop_points", at_most=3)])
    assert "not measured" in said


def test_the_floors_of_the_gold_set_hold_for_a_perfect_report_and_fail_for_a_useless_one() -> None:
    floors = read_floors(FLOORS)
    rows = [
        make_row("labour.leave", facts={"phone": "1"}),
        make_row("crisis.fraud", facts={}),
        make_row("talk.out_of_scope"),
    ]
    perfect = [
        heard_by_model(topic="labour.leave", facts={"phone": "1"}),
        heard_by_model(topic="crisis.fraud"),
        heard_by_model(topic="talk.out_of_scope"),
    ]
    useless = [
        heard_by_model(topic="crisis.violence", accepted=False, facts={"phone": "2"}),
        heard_by_model(topic="talk.out_of_scope"),
        heard_by_model(topic="labour.leave"),
    ]
    assert below(full_report(rows, perfect, robustness=NO_LOSS), floors) == []
    assert len(below(full_report(rows, useless, robustness=ALL_LOST), floors)) == len(floors)


NO_LOSS = {kind: {"drop_points": 0.0} for kind in ("homophones", "typos")}
ALL_LOST = {kind: {"drop_points": 99.0} for kind in ("homophones", "typos")}


def test_every_aim_that_no_bench_measures_is_a_figure_of_the_report() -> None:
    report = full_report([make_row()], [heard_by_model()], robustness=NO_LOSS)
    for aim in AIMS:
        assert (look_up(report, aim.figure) is None) == aim.figure.startswith("bench."), aim.figure


@pytest.mark.parametrize(
    "entry",
    [
        "{figure: accuracy, measured: 0.8, measured_on: 2026-11-22}",
        "{figure: accuracy, at_least: 0.8, at_most: 0.9, measured: 0.8, measured_on: 2026-11-22}",
        "{figure: accuracy, at_least: 0.8, measured_on: 2026-11-22}",
        "{figure: accuracy, at_leats: 0.8, measured: 0.8, measured_on: 2026-11-22}",
    ],
)
def test_a_floor_that_is_not_complete_is_refused(tmp_path: Path, entry: str) -> None:
    file = tmp_path / "floors.yml"
    file.write_text(f"floors:\n  - {entry}\n", "utf-8")
    with pytest.raises(ValueError, match="floor 1"):
        read_floors(file)


def test_no_floors_at_all_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "floors.yml"
    file.write_text("floors: []\n", "utf-8")
    with pytest.raises(ValueError, match="no floors"):
        read_floors(file)
