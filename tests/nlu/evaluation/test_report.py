"""The whole report, as figures, as text and as a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from nlu.evaluation import format_report, full_report
from nlu.evaluation.figures import accuracy_interval, confusion_matrix
from nlu.evaluation.page import as_page
from nlu.evaluation.robustness import robustness_figures
from nlu.evaluation.whole import worst_mistakes
from tests.nlu.evaluation.rows import heard_by_model, heard_by_rule, make_reading, make_row

ABOUT = {
    "model": "made-up.tar.gz",
    "model_sha256": "0123456789abcdef",
    "files": [{"file": "gold/labour.jsonl", "rows": 3}],
    "data_sha256": "fedcba9876543210",
    "date": "2026-11-22",
    "as_of": "2026-11-22",
    "commands": ["niangjia train", "niangjia evaluate gold/labour.jsonl"],
}
ROWS = [
    make_row("labour.leave", text="年假<b>几天</b>", source="labour", topics=["labour.leave"], facts={}),
    make_row("labour.overtime", text="加班费", source="labour", alt="labour.wage_arrears"),
    make_row("crisis.fraud", text="被骗了", source="crisis", facts={"amount_owed": "300"}),
    make_row("labour.leave", text="请假", source="crisis"),
    make_row("talk.out_of_scope", text="离婚", source="talk"),
    make_row("talk.out_of_scope", text="天气", source="talk"),
]
READINGS = [
    heard_by_model(topic="labour.overtime", confidence=0.7),
    heard_by_model(topic="labour.wage_arrears", confidence=0.6),
    heard_by_model(topic="labour.leave", confidence=0.4, accepted=False),
    heard_by_rule("violence", make_reading("labour.leave", 0.8)),
    heard_by_model(topic="talk.out_of_scope", confidence=0.9),
    heard_by_model(topic="labour.leave", confidence=0.55),
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    under_noise = robustness_figures(ROWS, READINGS, lambda texts: READINGS)
    return full_report(ROWS, READINGS, robustness=under_noise, about=ABOUT)


def test_the_report_holds_every_figure_and_is_plain_json(report: dict[str, Any]) -> None:
    assert report["accuracy"] == 0.3333
    assert report["model_alone"]["accuracy"] == 0.5
    assert report["by_source"]["labour"] == {"sentences": 2, "accuracy": 0.5}
    assert report["crisis"]["together"]["missed"] == 1
    assert report["facts"]["stated"] == 1
    assert report["robustness"]["homophones"]["drop_points"] == 0.0
    assert {"topics", "calibration", "risk_coverage", "worst", "confusion_matrix", "aims"} <= set(report)
    assert json.loads(json.dumps(report)) == report


def test_rows_of_facts_count_for_facts_and_nothing_else() -> None:
    rows = [make_row("labour.leave", facts={"phone": "1"})]
    readings = [make_reading("labour.overtime", facts={"phone": "1"})]
    report = full_report(ROWS, READINGS, fact_rows=rows, fact_readings=readings)
    assert report["sentences"] == len(ROWS)
    assert report["accuracy"] == 0.3333
    assert report["facts"]["stated"] == 2
    assert report["facts"]["right"] == 1


def test_the_worst_mistakes_are_the_models_most_confident_wrong_guesses(report: dict[str, Any]) -> None:
    assert [(one["text"], one["confidence"]) for one in report["worst"]] == [
        ("年假<b>几天</b>", 0.7),
        ("天气", 0.55),
        ("被骗了", 0.4),
    ]
    many = [make_reading("labour.other", number / 100) for number in range(50)]
    worst = worst_mistakes([make_row()] * 50, many)
    assert len(worst) == 20
    assert worst[0]["confidence"] == 0.49


def test_the_confusion_matrix_has_a_line_per_topic_meant() -> None:
    matrix = confusion_matrix(ROWS[:2], READINGS[:2])
    assert matrix == {"topics": ["labour.leave", "labour.overtime"], "counts": [[0, 1], [0, 1]]}


def test_the_interval_holds_the_accuracy_narrows_with_more_and_is_the_same_every_time() -> None:
    low, high = accuracy_interval(80, 100)
    assert low < 0.8 < high
    # The normal approximation: 0.8 ± 1.96 · sqrt(0.8 · 0.2 / 100).
    assert (low, high) == pytest.approx((0.7216, 0.8784), abs=0.011)
    wider = high - low
    low, high = accuracy_interval(8000, 10_000)
    assert high - low < wider / 8
    assert accuracy_interval(80, 100) == accuracy_interval(80, 100)
    assert accuracy_interval(80, 100, seed=1)[0] == pytest.approx(0.72, abs=0.02)
    assert accuracy_interval(0, 0) == [0.0, 0.0]
    assert accuracy_interval(5, 5) == [1.0, 1.0]


def test_the_text_says_what_is_missed_and_which_aims_are_not_met(report: dict[str, Any]) -> None:
    text = format_report(report)
    assert "accuracy              0.3333" in text
    assert "crisis.fraud → labour.leave: 被骗了" in text
    assert re.search(r"NOT MET +0\.3333 ≥ 0\.88", text)
    assert re.search(r"not measured +– ≥ 5 +points over stock Rasa", text)
    assert re.search(r"^homophones +0\.3333 +0\.00", text, re.MULTILINE)


class _Seen(HTMLParser):
    """Everything a page would fetch or run, and its tags as opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        fetched = [given.get(name) or "" for name in ("src", "href", "xlink:href", "srcset", "data")]
        self.outside += [value for value in fetched if value and not value.startswith("#")]
        self.outside += [tag] if tag in {"script", "iframe", "object", "link", "img"} else []
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in {"meta", "br"}:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_and_runs_nothing(report: dict[str, Any]) -> None:
    page = as_page(report)
    seen = _Seen()
    seen.feed(page)
    assert seen.open == []
    assert seen.outside == []
    assert len(seen.ids) == len(set(seen.ids))
    assert "url(http" not in page
    assert "@import" not in page
    assert page.count("<svg") == 5


def test_members_words_are_never_markup(report: dict[str, Any]) -> None:
    page = as_page(report)
    assert "年假<b>" not in page
    assert "年假&lt;b&gt;几天" in page


def test_the_page_shows_the_aims_the_data_and_how_to_do_it_again(report: dict[str, Any]) -> None:
    page = as_page(report)
    for shown in ("✗ 未达", "未测", "made-up.tar.gz", "fedcba9876543210", "2026-11-22"):
        assert shown in page
    assert "niangjia evaluate gold/labour.jsonl" in page
    assert "被骗了" in page


def test_pictures_take_their_colours_from_the_page(report: dict[str, Any]) -> None:
    page = as_page(report)
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "var(--ink)" in drawn
    # What is left of matplotlib's own black and white would vanish on one of the two papers.
    assert not re.findall(r"#(?:000000|ffffff|0[0-9a-f]0[0-9a-f]0[0-9a-f])\b", drawn)


def test_a_report_with_nothing_to_show_still_makes_a_page() -> None:
    report = full_report([make_row()], [make_reading()], about=ABOUT)
    page = as_page(report)
    assert page.count("<svg") == 5
    assert "抗噪" not in page
