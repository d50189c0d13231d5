"""What the tests of the Telegram door share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def timedelta_periods(monkeypatch):
    """python-telegram-bot's time periods as timedelta, as the door itself sets it."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
