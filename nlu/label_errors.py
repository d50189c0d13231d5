"""Label errors: training sentences that probably stand under the wrong intent.

Every sentence is read by models that have not seen it. Of those that contradict a label, most sentences are
merely hard: held-out models are wrong about a quarter of ours. What a *wrong* label looks like can be learnt
without knowing a single one, though: give every sentence a label drawn at random, and see how the held-out
readings of these differ from the readings of the labels people gave. The sentences whose labels look most
like drawn ones come first (docs/decisions/0017).

Plain numpy and scikit-learn on the rows of the pipeline's own n-grams; the tokeniser is the pipeline's.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from nlu.calibration import softmax
from nlu.intent_model import assign_folds
from nlu.linear import fit
from nlu.network import Keys, fit_network, keys_of
from nlu.ngrams import NgramVectoriser, Sample

Floats = NDArray[np.float64]
WEIGHTS = {"char": 1.0, "word": 0.7, "pinyin": 1.0, "tail": 0.6}
"""Of the n-gram blocks, as the featuriser has them."""
MOST = 100
"""Nobody looks through more suggestions than that."""
FOLDS = 5
DRAWS = 3
"""Random labels every sentence is given, to learn what a wrong one looks like."""
_NETWORK_WEIGHT = 0.1
_SMOOTHING = 0.3
"""Of naive Bayes."""
_RARE = 0.02
"""Added to every count of who is taken for whom."""
_SCALES = np.geomspace(0.05, 100, 24)
_TINY = 1e-6
_WORTH_PROCESSES = 2000
_FEWEST = 100
"""Sentences below which there is nothing to learn from."""


@dataclass(frozen=True)
class Suspect:
    """Suspect: a sentence, the intent it stands under, the intent it seems to mean, and how surely.

    ``score`` is the log odds of a drawn label against a given one; only the order of scores means anything.
    """

    text: str
    intent: str
    suggested: str
    score: float


def scan(
    texts: Sequence[str],
    labels: Sequence[str],
    dictionary: Path,
    *,
    known_right: Callable[[Suspect], bool] = lambda suspect: False,
    most: int = MOST,
    seed: int = 20,
) -> list[Suspect]:
    """Return the sentences (without fact marks) likeliest to be mislabelled, the likeliest first.

    ``dictionary`` is the union's dictionary file; those somebody said are right (``known_right``) take no
    place. Deterministic; about a minute for 15,000 sentences on two cores. Empty below 100 sentences or two
    intents.
    """
    samples = samples_of(texts, dictionary)
    kept = [number for number, sample in enumerate(samples) if sample is not None]
    if len(kept) < _FEWEST:
        return []
    known = [sample for sample in samples if sample is not None]
    rows = NgramVectoriser(WEIGHTS, 3 if len(known) >= _WORTH_PROCESSES else 2).fit_transform(known)
    given = [labels[number] for number in kept]
    said = [texts[number] for number in kept]
    found = (
        Suspect(said[number], given[number], suggested, round(score, 4))
        for number, suggested, score in suspects(rows, given, said, seed=seed)
    )
    return list(islice((suspect for suspect in found if not known_right(suspect)), most))


def samples_of(texts: Sequence[str], dictionary: Path) -> list[Sample | None]:
    """Return what the pipeline's normaliser and tokeniser make of texts; None where nothing is left."""
    from rasa.engine.graph import ExecutionContext, GraphSchema  # noqa: PLC0415  (heavy)
    from rasa.engine.storage.local_model_storage import LocalModelStorage  # noqa: PLC0415  (as above)
    from rasa.engine.storage.resource import Resource  # noqa: PLC0415  (as above)
    from rasa.shared.nlu.constants import TEXT  # noqa: PLC0415  (as above)
    from rasa.shared.nlu.training_data.message import Message  # noqa: PLC0415  (as above)

    from nlu.normaliser import normalise  # noqa: PLC0415  (as above)
    from nlu.tokeniser import SAMPLE, UnionJiebaTokenizer  # noqa: PLC0415  (as above)

    config = {**UnionJiebaTokenizer.get_default_config(), "dictionary": str(dictionary)}
    with tempfile.TemporaryDirectory(prefix="niangjia-lint-") as folder:
        tokeniser = UnionJiebaTokenizer.create(
            config,
            LocalModelStorage(Path(folder)),
            Resource("tokeniser"),
            ExecutionContext(GraphSchema({}), node_name="tokeniser"),
        )
    messages = [Message({TEXT: normalise(text)}) for text in texts]
    for message in messages:
        if message.get(TEXT):
            tokeniser.tokenize(message, TEXT)
    return [message.get(SAMPLE) for message in messages]


def suspects(
    rows: csr_matrix, labels: Sequence[str], texts: Sequence[str], *, seed: int = 20
) -> list[tuple[int, str, float]]:
    """Return (row, suggested intent, score) of every row another intent fits better, worst label first."""
    names = sorted(set(labels))
    if len(names) < 2:
        return []
    column_of = {name: column for column, name in enumerate(names)}
    given = np.asarray([column_of[label] for label in labels])
    views = held_out_views(rows, given, len(names), keys_of(list(texts)), seed)
    score = suspicion(views, given, seed)
    # What the readings together make of a sentence, its given label aside, is what it should be instead.
    together = np.asarray(np.log(np.asarray(views) + _TINY).sum(axis=0))
    own = together[np.arange(len(given)), given].copy()
    together[np.arange(len(given)), given] = -np.inf
    best = together.argmax(axis=1)
    order = np.lexsort((np.arange(len(given)), -score))
    return [
        (int(row), names[best[row]], float(score[row]))
        for row in order
        if together[row, best[row]] > own[row]
    ]


def held_out_views(
    rows: csr_matrix, given: NDArray[np.int64], classes: int, keys: Keys, seed: int = 20
) -> list[Floats]:
    """Return what models that have not seen a row make of it, each in its way: chances by row and class.

    The linear model with the network (as it serves), either alone, and naive Bayes: where they disagree, a
    sentence is hard; where they agree against the label, it is suspicious.
    """
    rows.sort_indices()  # processes share the rows read-only, and scikit-learn would sort them in place
    fold_of = assign_folds([str(column) for column in given], FOLDS, seed, keys)
    if rows.shape[0] < _WORTH_PROCESSES:
        done = [_read_fold(rows, given, classes, keys, fold_of == fold, seed) for fold in range(FOLDS)]
    else:
        from joblib import Parallel, delayed  # noqa: PLC0415  (only worth its start for many rows)

        done = Parallel(n_jobs=min(FOLDS, os.cpu_count() or 1))(
            delayed(_read_fold)(rows, given, classes, keys, fold_of == fold, seed) for fold in range(FOLDS)
        )
    scores = np.zeros((len(done[0]), len(given), classes), dtype=np.float64)
    for fold, read in enumerate(done):
        for view, part in enumerate(read):
            scores[view, fold_of == fold] = part
    return [_as_chances(view, given) for view in scores]


def _read_fold(
    rows: csr_matrix,
    given: NDArray[np.int64],
    classes: int,
    keys: Keys,
    held_out: NDArray[np.bool_],
    seed: int,
) -> tuple[Floats, ...]:
    """Scores of the held-out rows; a class the fold has not seen has the lowest of its row."""
    rest = np.flatnonzero(~held_out)
    seen = np.unique(given[rest])
    training, unseen = rows[rest], rows[np.flatnonzero(held_out)]
    right = np.searchsorted(seen, given[rest])
    if len(seen) < 2:
        nothing = np.zeros((unseen.shape[0], classes))
        return (nothing,) * 4
    linear_model = fit(training, [f"{column:05d}" for column in right], "svm", 1.0, seed)
    linear = linear_model.scores(unseen).astype(np.float64)
    trained = fit_network(training, right, len(seen), keys[rest], seed)
    network = trained.scores(unseen).astype(np.float64)
    bayes = _bayes(training, right, len(seen), unseen)
    parts = (linear + _NETWORK_WEIGHT * network, linear, network, bayes)
    return tuple(_on_all(part, seen, classes) for part in parts)


def _on_all(scores: Floats, seen: NDArray[np.int64], classes: int) -> Floats:
    whole = np.repeat(scores.min(axis=1, keepdims=True), classes, axis=1)
    whole[:, seen] = scores
    return whole


def _bayes(rows: csr_matrix, right: NDArray[np.int64], classes: int, unseen: csr_matrix) -> Floats:
    """Complement naive Bayes: what a class's sentences do not have speaks against all other sentences."""
    member = csr_matrix((np.ones(len(right)), (right, np.arange(len(right)))), shape=(classes, len(right)))
    counts = np.asarray((member @ rows).todense(), dtype=np.float64)
    others = counts.sum(axis=0) + _SMOOTHING - counts
    found = np.asarray(unseen @ -np.log(others / others.sum(axis=1, keepdims=True)).T, dtype=np.float64)
    return np.asarray(found - found.mean(axis=1, keepdims=True))


def _as_chances(scores: Floats, given: NDArray[np.int64]) -> Floats:
    """Scores as probabilities, on the scale on which they say most of the given labels."""
    own = np.arange(len(given))

    def told(scale: float) -> float:
        return float(np.log(softmax(scores * scale)[own, given] + 1e-9).sum())

    return np.asarray(softmax(scores * max(_SCALES, key=told)), dtype=np.float64)


def suspicion(views: Sequence[Floats], given: NDArray[np.int64], seed: int = 20) -> Floats:
    """Return for every row how much its label looks like one drawn at random (log odds, higher is worse)."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (serving never gets here)

    classes = views[0].shape[1]
    chance = np.random.default_rng(seed)
    drawn = [(given + chance.integers(1, classes, len(given))) % classes for _ in range(DRAWS)]
    blocks = [_signs(views, given, labels) for labels in (given, *drawn)]
    signs = np.vstack(blocks)
    middle, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    is_drawn = np.repeat([0, 1], [len(given), DRAWS * len(given)])
    judge = LogisticRegression(max_iter=500, class_weight="balanced")
    judge.fit((signs - middle) / spread, is_drawn)
    return np.asarray(judge.decision_function((blocks[0] - middle) / spread), dtype=np.float64)


def _signs(views: Sequence[Floats], given: NDArray[np.int64], labels: NDArray[np.int64]) -> Floats:
    """What the readings say of labels: how easy the label's class is, and seven signs a view.

    What other sentences are taken for is counted without the sentence itself: or a wrong label would be its
    own excuse, and a given label could be told from a drawn one by that alone.
    """
    row = np.arange(len(labels))
    mine = labels == given
    signs = [_ease(views[0], given, labels, mine)]
    for view in views:
        own = view[row, labels]
        rest = view.copy()
        rest[row, labels] = 0
        best = rest.argmax(axis=1)
        top = np.log(rest[row, best] + _TINY)
        counts = np.full((view.shape[1], view.shape[1]), _RARE)
        np.add.at(counts, given, view)  # [given, read]: confident learning's joint
        confused = (counts[labels] - mine[:, None] * view) / (counts.sum(axis=0) - view)
        signs += [
            np.log(own + _TINY),
            top,
            np.log(own + _TINY) - top,
            -(view * np.log(view + 1e-9)).sum(axis=1),
            np.log1p((view > own[:, None]).sum(axis=1)),
            np.log(confused[row, best] + _TINY),  # labels often mixed up with the best guess are merely close
            np.log((view * confused).sum(axis=1) + _TINY),  # how honest a label this is
        ]
    return np.column_stack(signs)


def _ease(
    view: Floats, given: NDArray[np.int64], labels: NDArray[np.int64], mine: NDArray[np.bool_]
) -> Floats:
    """How surely the other sentences of each label's class are read as it (mean log chance)."""
    own = np.log(view[np.arange(len(given)), given] + _TINY)
    sums = np.bincount(given, own, minlength=view.shape[1])[labels] - mine * own
    sizes = np.bincount(given, minlength=view.shape[1])[labels] - mine
    return np.asarray(sums / np.maximum(sizes, 1))
