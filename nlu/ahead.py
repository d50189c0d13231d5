"""What a training can do on other cores while Rasa and TensorFlow are still being imported.

Importing takes a fifth of a training, on one core. Meanwhile the processes that will fit the models start,
read the training sentences and cut them into words. It is work done early and nothing else: a sentence that
was not prepared, or could not be, is cut when the tokeniser comes to it.

Here everything is imported, and every process started, before Rasa's import begins, on the thread that calls:
two threads that import the same packages at once can wait for each other for ever.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from nlu.cutter import Piece
    from nlu.ngrams import Sample

logger = logging.getLogger(__name__)

Prepared = dict[tuple[str, str], tuple["list[Piece]", "Sample"]]
"""By a dictionary's digest and a text: what ``Cutter.cut`` makes of it."""
PREPARED: Prepared = {}
"""What has been cut already; empty when serving."""

_YAML = {".yml", ".yaml"}
_PARTS = 4
"""The files are dealt to this many jobs: enough that no process waits long for another."""
_running: list[Iterator[Prepared]] = []


def start(config: str | Path, data: Sequence[str | Path]) -> None:
    """Begin to cut the sentences of ``data`` (files and folders) as ``config`` says; return at once."""
    if (os.cpu_count() or 1) < 2 or _running:
        return
    from joblib import Parallel, delayed  # noqa: PLC0415  (serving needs no joblib)

    import nlu.cutter  # noqa: F401, PLC0415  (what comes back is made of its classes)

    try:
        dictionary = _dictionary(Path(config))
        files = sorted(_sentence_files(list(map(Path, data))), key=lambda file: -file.stat().st_size)
        parts = [[str(file) for file in files[part::_PARTS]] for part in range(_PARTS)]
        workers = Parallel(n_jobs=os.cpu_count(), return_as="generator", pre_dispatch="all")
        _running.append(workers(delayed(cut_files)(part, dictionary) for part in parts))
    except Exception as error:
        _give_up(error)


def wait() -> None:
    """Return when what was begun is done (at once where nothing was begun)."""
    while _running:
        try:
            for prepared in _running.pop():
                PREPARED.update(prepared)
        except Exception as error:
            _give_up(error)


def _give_up(error: Exception) -> None:
    logger.info("not every sentence was cut ahead of its turn: %s: %s", type(error).__name__, error)


def _dictionary(config: Path) -> str:
    content = yaml.load(config.read_text("utf-8"), Loader=yaml.CSafeLoader)
    tokeniser = next(part for part in content["pipeline"] if part["name"].endswith(".UnionJiebaTokenizer"))
    return str(tokeniser["dictionary"])


def _sentence_files(data: list[Path]) -> list[Path]:
    files = [file for path in data for file in ([path] if path.is_file() else path.rglob("*"))]
    return [file for file in files if file.suffix in _YAML]


def cut_files(files: list[str], dictionary: str) -> Prepared:
    """Return what the tokeniser would make of every sentence in ``files``, by dictionary and text.

    Runs in another process: plain values only. Raises what reading a file raises.
    """
    from sklearn.svm import LinearSVC  # noqa: F401, PLC0415  (the next thing this process is asked for)

    from nlu.cutter import Cutter  # noqa: PLC0415  (as above)
    from nlu.dictionary import UnionDictionary  # noqa: PLC0415  (as above)
    from nlu.importer import read_sentences  # noqa: PLC0415  (as above)
    from nlu.normaliser import normalise  # noqa: PLC0415  (as above)

    cutter = Cutter(UnionDictionary.read(dictionary))
    texts = [
        message.get("text") for file in files for message in read_sentences(Path(file)).training_examples
    ]
    return {
        (cutter.dictionary.digest, text): cutter.cut(text)
        for text in map(normalise, filter(None, texts))
        if text
    }
