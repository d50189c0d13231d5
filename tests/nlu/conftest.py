"""Rasa's and spaCy's 2022 dependencies complain while they are imported; that is not our code's fault."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jieba  # noqa: F401  (imported here for its warnings)
    import rasa.engine.graph
    import rasa.shared.core.domain  # noqa: F401  (as above)
    import spacy  # noqa: F401  (as above)

import pytest

from tests.nlu.pipeline import SmallPipeline, train


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallPipeline:
    """A small assistant's NLU, trained once for all tests."""
    return train(tmp_path_factory.mktemp("small") / "components")
