"""What reads stories and works out claim sheets, as it ships."""

from __future__ import annotations

import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spacy  # noqa: F401  # the fact finder's; it complains while it is imported

import pytest

from casework.claims.registry import Claims
from casework.entitlements.registry import Entitlements
from casework.rates import Rates

ROOT = Path(__file__).parents[3] / "data" / "knowledge"


@pytest.fixture(scope="session")
def claims() -> Claims:
    """Everything a claim sheet is made with."""
    return Claims.load(ROOT, Entitlements.load(ROOT, Rates.load(ROOT)))
