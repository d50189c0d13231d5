"""Lint of the whole training set, in a process that trains or the command line's: it fits models."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from casework import confirmed_labels, lint_report, sample_lint
from casework.knowledge import Knowledge
from casework.lint_report import LintReport
from casework.sample_files import MARK, TrainingSet, plain
from casework.sample_lint import Finding, LintKind
from casework.sample_rules import known_facts
from casework.settings import Settings


def lint_now(
    settings: Settings,
    training_set: TrainingSet,
    now: datetime,
    *,
    labels: bool = True,
    dismissed: Collection[str] = (),
    say: Callable[[str], None] = lambda words: None,
) -> LintReport:
    """Look at the whole set, and put what was found into ``var/lint.json``.

    ``dismissed`` are the keys of findings that are none: those about labels make room for others.
    Blocks for about a minute (without ``labels`` for some seconds): call it in a thread of its own. Raises
    KnowledgeError where the knowledge cannot be read.
    """
    started = time.monotonic()
    knowledge = Knowledge.load(settings.home / "data" / "knowledge")
    say(f"{len(training_set)} sentences")
    found = sample_lint.lint(
        training_set,
        knowledge.intents,
        known_facts(settings.home / "data" / "nlu"),
        sample_lint.gold_texts(settings.home),
    )
    if labels:
        say("labels")
        found = [*label_suspects(settings.home, training_set, dismissed), *found]
    report = LintReport(
        now,
        lint_report.digest(training_set),
        len(training_set),
        time.monotonic() - started,
        labels,
        tuple(found),
    )
    lint_report.write(settings.var_dir, report)
    return report


def label_suspects(home: Path, training_set: TrainingSet, dismissed: Collection[str] = ()) -> list[Finding]:
    """The sentences that probably stand under the wrong intent, the likeliest first.

    Those in ``data/confirmed_labels.yml`` are left out; those somebody said are right here (``dismissed``,
    keys of findings) take no place of another one's.
    """
    from nlu.label_errors import MOST, Suspect, scan  # noqa: PLC0415  (numpy and scikit-learn)

    confirmed = confirmed_labels.read(home / "data")
    pairs = [(intent, text) for intent, texts in training_set.sentences.items() for text in texts]
    bare = [MARK.sub(r"\1", text) for _, text in pairs]
    marked = {(words, intent): text for words, (intent, text) in zip(bare, pairs, strict=True)}

    def known_right(suspect: Suspect) -> bool:
        return (suspect.intent, plain(suspect.text)) in confirmed

    suspects = scan(
        bare,
        [intent for intent, _ in pairs],
        home / "data" / "knowledge" / "dictionary" / "union.txt",
        known_right=known_right,
        most=MOST + len(dismissed),
    )
    found = [
        Finding(
            LintKind.LABEL,
            suspect.intent,
            marked[suspect.text, suspect.intent],
            other_intent=suspect.suggested,
            detail=f"{suspect.score:.2f}",
        )
        for suspect in suspects
    ]
    open_ones = [one for one in found if one.key not in dismissed][:MOST]
    return [*open_ones, *(one for one in found if one.key in dismissed)]
