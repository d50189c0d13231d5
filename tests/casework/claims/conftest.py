"""What reads stories and works out claim sheets, as it ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.claims.registry import Claims
from casework.entitlements.registry import Entitlements
from casework.rates import Rates

ROOT = Path(__file__).parents[3] / "data" / "knowledge"


@pytest.fixture(scope="session")
def claims() -> Claims:
    """Everything a claim sheet is made with."""
    return Claims.load(ROOT, Entitlements.load(ROOT, Rates.load(ROOT)))
