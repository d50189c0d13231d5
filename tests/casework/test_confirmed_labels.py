"""Labels somebody confirmed: what the file says, what is added to it, and that it is about real sentences."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from casework import confirmed_labels, lint_report
from casework.errors import KnowledgeError
from casework.lint_report import LintReport
from casework.sample_files import TrainingSet, read_files
from casework.sample_lint import Finding, LintKind

DATA = Path(__file__).parents[2] / "data"


def test_every_confirmed_sentence_stands_where_it_was_confirmed() -> None:
    now_set = read_files(DATA / "nlu")
    confirmed = confirmed_labels.read(DATA)
    assert len(confirmed) > 200
    gone = [pair for pair in sorted(confirmed) if pair[1] not in now_set.blocks.get(pair[0], {})]
    assert gone == [], "take these out of data/confirmed_labels.yml"


def test_what_is_added_is_read_again_and_added_once(tmp_path: Path) -> None:
    assert confirmed_labels.read(tmp_path) == frozenset()
    pairs = [("ask_leave", "[三天](days)年假"), ("ask_leave", "年假：没休"), ("greet", "no")]
    assert confirmed_labels.add(tmp_path, pairs) == 3
    written = (tmp_path / confirmed_labels.FILE).read_text("utf-8")
    assert written.startswith("# Sentences somebody looked at")
    assert confirmed_labels.read(tmp_path) == {
        ("ask_leave", "三天年假"),
        ("ask_leave", "年假：没休"),
        ("greet", "no"),
    }
    assert confirmed_labels.add(tmp_path, pairs[:1]) == 0
    assert (tmp_path / confirmed_labels.FILE).read_text("utf-8") == written


@pytest.mark.parametrize("content", ["- a list", "greet: 你好", "greet: [a"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / confirmed_labels.FILE).write_text(content, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=confirmed_labels.FILE):
        confirmed_labels.read(tmp_path)


def test_only_dismissed_labels_of_sentences_that_stand_there_are_confirmed(now: datetime) -> None:
    here = TrainingSet.of(
        {"ask_overtime": ["[夜班](shift)费没见着", "加班没钱"], "ask_leave": ["想歇年假"]}, {}
    )
    found = (
        Finding(LintKind.LABEL, "ask_overtime", "[夜班](shift)费没见着", other_intent="ask_leave"),
        Finding(LintKind.LABEL, "ask_leave", "加班没钱", other_intent="ask_overtime"),  # moved since
        Finding(LintKind.LABEL, "ask_leave", "想歇年假", other_intent="ask_overtime"),  # not dismissed
        Finding(LintKind.PERSONAL_DATA, "ask_overtime", "加班没钱"),
    )
    report = LintReport(now, lint_report.digest(here), len(here), 1.0, True, found)
    dismissed = [one.key for number, one in enumerate(found) if number != 2]
    assert lint_report.confirmed(report, here, dismissed) == [("ask_overtime", "[夜班](shift)费没见着")]
