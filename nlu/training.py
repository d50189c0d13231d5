"""``python -m nlu.training``: train a model with Rasa, without what a training need not do.

``rasa train`` validates the data first (``make lint`` and ``python -m nlu.validation`` do that, and say
more), and the garbage collector walks over a million tokens and features again and again. Neither changes
the model. Prints the model's path as its last line.
"""

from __future__ import annotations

import argparse
import copy
import faulthandler
import gc
import logging
import os
import signal
import sys
import time
import warnings
from types import SimpleNamespace
from typing import Any, NoReturn

import structlog
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, TEXT

from nlu import ahead

_TELLING = ("nlu", "rasa.engine.training.hooks")


def train(
    config: str,
    data: list[str],
    out: str,
    *,
    domain: str = "domain.yml",
    name: str | None = None,
    anew: bool = False,
    nlu_only: bool = False,
) -> str:
    """Train with ``config`` on the files and folders of ``data``; return the model's path.

    What Rasa's cache still has of an earlier training is used, unless it shall be done ``anew``. With
    ``nlu_only`` the model has no dialogue policies: it needs no domain, and one file or folder of sentences.

    Raises ``RuntimeError`` when Rasa says that the training failed, and what Rasa raises for bad input.
    """
    ahead.start(config, data)
    import rasa.model_training  # noqa: PLC0415  (takes seconds: TensorFlow comes with it)

    _compress_quickly()
    _merge_without_copies()
    if anew:
        _cache_nothing()
    gc.disable()
    try:
        if nlu_only:
            return _train_nlu(config, data, out, name, anew)
        done = rasa.model_training.train(
            domain=domain,
            config=config,
            training_files=data,
            output=out,
            fixed_model_name=name,
            force_training=anew,
        )
    finally:
        gc.enable()
    if done.code != 0 or done.model is None:
        raise RuntimeError(f"training failed (Rasa's code {done.code})")
    return str(done.model)


def _compress_quickly() -> None:
    """Let Rasa pack its model at the fastest level.

    Weights hardly shrink, and at the level Rasa leaves in place packing them took a fifth of a training.
    """
    from rasa.engine.storage import local_model_storage  # noqa: PLC0415  (as above)

    class QuickTar(local_model_storage.TarSafe):
        @classmethod
        def gzopen(
            cls, name: Any, mode: Any = "r", fileobj: Any = None, compresslevel: int = 1, **kwargs: Any
        ) -> Any:
            return super().gzopen(name, mode, fileobj, compresslevel, **kwargs)

    if not issubclass(local_model_storage.TarSafe, QuickTar):
        local_model_storage.TarSafe = QuickTar


def _merge_without_copies() -> None:
    """Let Rasa put the files' sentences together without copying each of them with every file.

    It reads each sentence anew and looks at no file's sentences alone afterwards; a tenth of a training.
    """
    from rasa.shared.nlu.training_data import training_data  # noqa: PLC0415  (as above)

    training_data.copy = SimpleNamespace(deepcopy=copy.copy, copy=copy.copy)
    # Rasa looks for doubles by a digest of everything a sentence carries, at every step that puts data
    # together. Two that are equal still have the same hash.
    training_data.Message.__hash__ = lambda message: hash((message.get(TEXT), message.get(INTENT)))


def _cache_nothing() -> None:
    """Let Rasa neither fingerprint nor store what its components made.

    A few sentences more change the input of every component, so nothing of it would ever be used again; on
    two cores it took a tenth of a training.
    """
    from rasa.engine.training.hooks import TrainingHook  # noqa: PLC0415  (as above)

    TrainingHook.on_before_node = lambda *_, **__: {}
    TrainingHook.on_after_node = lambda *_, **__: None


def _train_nlu(config: str, data: list[str], out: str, name: str | None, anew: bool) -> str:
    import rasa.model_training  # noqa: PLC0415  (as above)

    if len(data) != 1:
        raise RuntimeError(f"for understanding alone Rasa takes one file or folder, not {len(data)}")
    model = rasa.model_training.train_nlu(
        config=config,
        nlu_data=data[0],
        output=out,
        fixed_model_name=name,
        additional_arguments={"force_full_training": anew},
    )
    if model is None:
        raise RuntimeError(f"there are no training sentences in {data[0]}")
    return str(model)


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m nlu.training", description=__doc__)
    parser.add_argument("--config", default="config.yml")
    parser.add_argument("--data", nargs="+", help="files and folders; data/nlu and data/stories by default")
    parser.add_argument("--domain", default="domain.yml")
    parser.add_argument("--out", default="models")
    parser.add_argument("--name", help="file name of the model; the time by default")
    parser.add_argument("--anew", action="store_true", help="use nothing of an earlier training")
    parser.add_argument("--nlu-only", action="store_true", help="understanding alone, no dialogue")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    faulthandler.register(signal.SIGUSR1)  # whoever sees a training stand still can ask where
    sys.path.insert(0, "")  # Rasa imports our components by name
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    for logger in _TELLING:
        logging.getLogger(logger).setLevel(logging.INFO)
    try:
        path = train(
            chosen.config,
            chosen.data or (["data/nlu"] if chosen.nlu_only else ["data/nlu", "data/stories"]),
            chosen.out,
            domain=chosen.domain,
            name=chosen.name,
            anew=chosen.anew,
            nlu_only=chosen.nlu_only,
        )
    except (RasaException, RuntimeError) as error:
        sys.exit(f"no model was trained: {error}")
    print(f"trained in {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(path)
    _leave()


def _leave() -> NoReturn:
    """End at once: taking a million objects apart, which nobody asks for again, would take seconds."""
    from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415  (heavy)

    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
