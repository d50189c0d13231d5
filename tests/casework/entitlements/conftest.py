"""The calculators with the rate tables that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.entitlements.registry import Entitlements
from casework.rates import Rates

ROOT = Path(__file__).parents[3] / "data" / "knowledge"


@pytest.fixture(scope="session")
def rates() -> Rates:
    """The rate tables that ship."""
    return Rates.load(ROOT)


@pytest.fixture(scope="session")
def entitlements(rates: Rates) -> Entitlements:
    """Every calculator."""
    return Entitlements.load(ROOT, rates)
