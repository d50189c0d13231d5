"""``python -m tests.bench.nlu``: ours and stock Rasa, trained on the same data and measured in turn.

By default on a sample of the sentences in data/nlu (and ours on all of them), tested on the gold set; with
``--train`` and ``--test`` on any labelled files of ``{"text", "label"}`` lines. Both get plain sentences and
intents: stock Rasa learns no entities, which spares it training time. What speaks before the model in the
running house (crisis rules) takes no part. A finished side is kept in var/bench/nlu/ and taken up by the next
run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from nlu.evaluation.rows import BadRows, read_rows
from nlu.topics import IntentTable
from tests.bench.nlu.figures import TestSet, TopicOf, comparison, side_figures
from tests.bench.nlu.sentences import (
    BadFile,
    LabelNames,
    Sentence,
    read_labelled,
    read_training,
    stratified_sample,
)
from tests.bench.nlu.sides import (
    ROOT,
    RunFailed,
    Side,
    measured,
    our_config,
    say,
    stock_config,
    trained,
    versions,
)
from tests.bench.nlu.table import format_result

SEED = 20261122
SAMPLE = 2000
GOLD = ("labour", "union", "talk", "crisis")


@dataclass(frozen=True)
class Task:
    """Task: all training sentences, the part both sides get, what they are tested on, and notes about it."""

    everything: list[Sentence]
    shared: list[Sentence]
    tests: list[TestSet]
    topic_of: TopicOf
    notes: list[str]


def union_task(sample: int | None, seed: int, real: Path | None) -> Task:
    """Our own data: a sample of data/nlu (None: all of it), the gold set, and ``real`` where it is there."""
    everything = read_training(ROOT / "data" / "nlu")
    shared = stratified_sample(everything, sample or len(everything), seed)
    gold = [row for name in GOLD for row in read_rows(ROOT / "tests" / "nlu" / "gold" / f"{name}.jsonl")]
    tests = [TestSet("gold", gold)]
    if real is not None and real.is_file():
        tests.append(TestSet("real", read_rows(real)))
    elif real is not None:
        say(f"there is no {real}: the gold set only")
    topic_of = IntentTable.read(ROOT / "data" / "knowledge" / "intents.yml").topic
    return Task(everything, shared, tests, topic_of, [f"data/nlu, {len(everything)} sentences"])


def labelled_task(train: Path, test: Path, sample: int | None, seed: int) -> Task:
    """Any labelled files: all training lines (or a sample of them), every test line. Raises ``BadFile``."""
    lines, questions = read_labelled(train), read_labelled(test)
    names = LabelNames(line.label for line in lines)
    labels = {line.label for line in lines}
    if len(labels) < 2:
        raise BadFile(f"{train} has one label only; a classifier needs two or more")
    everything = [Sentence(line.text, names.name_of(line.label)) for line in lines]
    shared = stratified_sample(everything, sample or len(everything), seed)
    notes = [f"{train.name}, {len(lines)} sentences, {len(labels)} labels; tested on {test.name}"]
    strange = sorted({question.label for question in questions} - labels)
    if strange:
        notes.append(f"{len(strange)} test labels that the training data does not have: {', '.join(strange)}")
    seen = {line.text for line in lines}
    leaked = sum(question.text in seen for question in questions)
    if leaked:
        notes.append(f"{leaked} of {len(questions)} test sentences are training sentences too")
    for note in notes[1:]:
        say(note)
    rows = [{"text": question.text, "topic": question.label} for question in questions]
    tests = [TestSet(test.stem, rows, knows_out_of_scope=False)]
    return Task(everything, shared, tests, names.label_of, notes)


def sides_of(task: Task, only: str | None, seed: int, epochs: int | None) -> list[Side]:
    """Return the sides, the quickest first; ours on everything too where the shared part is a sample."""
    sides: list[Side] = []
    if only != "stock":
        sides.append(Side("ours", "ours", our_config(), task.shared))
        if len(task.shared) < len(task.everything):
            sides.append(Side("ours", "ours, everything", our_config(), task.everything))
    if only != "ours":
        sides.append(Side("stock", "stock", stock_config(seed, epochs), task.shared))
    return sides


def run(
    task: Task, sides: Sequence[Side], kept: Path, *, seed: int, epochs: int | None, anew: bool
) -> dict[str, Any]:
    """Train and measure every side, and return the whole result. Raises ``RunFailed``."""
    # A message that starts with a slash is a command to Rasa; a member's own words never are.
    texts = [str(row["text"]).lstrip("/ \t") for test in task.tests for row in test.rows]
    load = os.getloadavg()[0]
    started = datetime.now(UTC).isoformat(timespec="seconds")
    figures, notes = [], list(task.notes)
    for side in sides:
        folder = trained(side, kept, anew=anew)
        found = measured(side, folder, texts, anew=anew)
        if side.digest() != found["digest"]:
            notes.append(f"{side.name}: its code or knowledge was edited while it was trained or measured")
            say(notes[-1])
        figures.append(side_figures(side, found, task.tests, task.topic_of, seed))
    ours = [one for one in figures if one["side"] == "ours"]
    stock = [one for one in figures if one["side"] == "stock"]
    comparisons = [comparison(one, theirs, seed) for theirs in stock for one in ours]
    for one in figures:
        del one["right"]
    return {
        "when": started,
        "machine": {
            "cores": os.cpu_count(),
            "memory_gib": psutil.virtual_memory().total / 2**30,
            "load": load,
        },
        "versions": versions(),
        "seeds": {"sample, DIET, intervals": seed, "ours": "as in config.yml"},
        "data": notes,
        "trial_epochs": epochs,
        "sides": figures,
        "comparisons": comparisons,
    }


def arguments_of(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; leaves with a message where options contradict each other."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.nlu", description=__doc__)
    parser.add_argument("--train", type=Path, help='labelled lines to train on: {"text", "label"}')
    parser.add_argument("--test", type=Path, help="labelled lines to test on")
    parser.add_argument("--real", type=Path, help='real messages to test on too: {"text", "topic", "alt"}')
    parser.add_argument("--sample", type=int, help=f"training sentences ({SAMPLE} of our own, all of a file)")
    parser.add_argument("--full", action="store_true", help="give both sides everything (hours)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=["ours", "stock"], help="one side only")
    parser.add_argument("--epochs", type=int, help="DIET's epochs, for a quick trial (100)")
    parser.add_argument("--anew", action="store_true", help="use nothing that an earlier run has kept")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench" / "nlu.json")
    chosen = parser.parse_args(given)
    if (chosen.train is None) != (chosen.test is None):
        parser.error("--train and --test belong together")
    if chosen.full and chosen.sample is not None:
        parser.error("--full takes no --sample")
    if chosen.train is not None and chosen.real is not None:
        parser.error("--real is for our own data; name the file with --test")
    for name in ("sample", "epochs"):
        if getattr(chosen, name) is not None and getattr(chosen, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return chosen


def main(given: list[str] | None = None) -> None:
    """Run both sides, print the tables, write the JSON."""
    chosen = arguments_of(given)
    kept = chosen.out.parent.resolve() / "nlu"
    try:
        if chosen.train is not None:
            task = labelled_task(chosen.train, chosen.test, chosen.sample, chosen.seed)
        else:
            task = union_task(None if chosen.full else chosen.sample or SAMPLE, chosen.seed, chosen.real)
        sides = sides_of(task, chosen.only, chosen.seed, chosen.epochs)
        result = run(task, sides, kept, seed=chosen.seed, epochs=chosen.epochs, anew=chosen.anew)
    except (BadRows, RunFailed, ValueError) as error:  # BadFile is a ValueError
        sys.exit(f"nothing was measured: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted: what was finished is kept in {kept}")
    chosen.out.write_text(json.dumps(result, ensure_ascii=False, indent=1), "utf-8")
    print(format_result(result))
    say(f"written to {chosen.out}")


if __name__ == "__main__":
    main()
